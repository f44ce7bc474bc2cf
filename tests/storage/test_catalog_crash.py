"""An import that dies, at any step and in any way, leaves the catalog as it was, or whole with the import.

Method: a program imports a file and is killed (SIGKILL) before its n-th step that touches the disk, for every
n; the catalog is then opened, compared with what it was before, and imported into again. The same for a disk
that is full, once by an injected ENOSPC at every step, once by a real limit of the operating system.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headwater.domain.errors import CatalogError
from headwater.storage import parquet, transaction
from headwater.storage.catalog import Catalog
from tests.tape.events import NOON, batch, trade

REPOSITORY = Path(__file__).resolve().parents[2]

IMPORTED_PRICE = 2

# Every step of an import that changes the disk goes through one of these.
STEPS = (
    (parquet.PartFile, "__init__"),
    (parquet.PartFile, "append"),
    (parquet.PartFile, "close"),
    (transaction, "write_durably"),
    (transaction, "_move"),
    (shutil, "rmtree"),
)


def before_each_step(act: Callable[[int], None], replace: Callable[[Any, str, Any], None]) -> None:
    """Call `act` with the number of the step before each of them."""
    count = [0]

    def wrapped(original: Any) -> Any:
        def step(*arguments: Any, **options: Any) -> Any:
            count[0] += 1
            act(count[0])
            return original(*arguments, **options)

        return step

    for owner, name in STEPS:
        replace(owner, name, wrapped(getattr(owner, name)))


def import_something(path: Path) -> None:
    """Two instruments, so that there are several parts to move."""
    with Catalog(path).transaction("second") as opened:
        opened.append(batch(np.repeat(trade(NOON, IMPORTED_PRICE), 140_000)))
        opened.append(batch(trade(NOON, IMPORTED_PRICE), instrument="X.Y"))


def fresh_catalog(path: Path) -> Catalog:
    catalog = Catalog(path, create=True)
    catalog.write([batch(trade(NOON, 1))], source="first")
    return catalog


def files_of(path: Path) -> set[str]:
    return {
        found.relative_to(path).as_posix()
        for found in path.rglob("*")
        if ".cache" not in found.parts and found.name != ".lock"
    }


def is_committed(path: Path) -> bool:
    return (path / "imports" / "000002.json").exists()


def check_whole(path: Path, files_before: set[str]) -> bool:
    """Open the catalog after a death; says whether the import had been committed."""
    committed = is_committed(path)
    catalog = Catalog(path)
    if not committed:
        assert files_of(path) == files_before
        assert catalog.open(["BTCUSDT.BINANCE"]).local["price"].tolist() == [1]
        import_something(path)
    prices = Catalog(path).open(["BTCUSDT.BINANCE", "X.Y"]).local["price"]
    assert (len(prices), int((prices == IMPORTED_PRICE).sum())) == (140_002, 140_001)
    assert not any((path / ".staging").iterdir())
    return committed


PROGRAM = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from tests.storage.test_catalog_crash import before_each_step, import_something

    root = Path(sys.argv[1])
    for step in range(1, 60):
        child = os.fork()
        if child == 0:
            def die(number):
                if number == step:
                    os.kill(os.getpid(), signal.SIGKILL)
            before_each_step(die, setattr)
            import_something(root / f"step-{step}")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            print(step)
            sys.exit(os.waitstatus_to_exitcode(status))
    """
)


def test_an_import_killed_at_any_step_leaves_the_catalog_as_it_was_or_whole(tmp_path: Path) -> None:
    before = files_of(fresh_catalog(tmp_path / "step-1").path)
    for step in range(2, 60):
        fresh_catalog(tmp_path / f"step-{step}")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    steps = int(done.stdout)
    assert steps > 10
    outcomes = [check_whole(tmp_path / f"step-{step}", before) for step in range(1, steps)]
    assert outcomes == sorted(outcomes), "once committed, later deaths cannot undo it"
    assert True in outcomes
    assert False in outcomes


def test_a_disk_that_is_full_at_any_step_is_one_line_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for full_at in range(1, 60):
        path = tmp_path / f"step-{full_at}"
        before = files_of(fresh_catalog(path).path)

        def refuse(number: int, full_at: int = full_at) -> None:
            if number == full_at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            before_each_step(refuse, patch.setattr)
            try:
                import_something(path)
            except CatalogError as error:
                message = str(error)
                assert "No space left on device; free some space or choose another folder" in message
                assert "\n" not in message
                assert files_of(path) == before
            except OSError:
                assert is_committed(path), "only tidying up behind the commit may fail otherwise"
                return
        if is_committed(path):
            return
    raise AssertionError("the import never succeeded")


LIMITED = textwrap.dedent(
    """
    import resource, sys
    from pathlib import Path
    import numpy as np
    from headwater.domain.errors import CatalogError
    from headwater.storage.catalog import Catalog
    from tests.tape.events import NOON, batch, trade

    catalog = Catalog(Path(sys.argv[1]))
    rows = np.repeat(trade(NOON, 1), 400_000)
    rows["size"] = np.random.default_rng(1).integers(1, 1 << 60, len(rows))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    try:
        catalog.write([batch(rows)], source="large")
    except CatalogError as error:
        print(error)
        sys.exit(3)
    """
)


def test_a_real_limit_of_the_file_size_is_one_line_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tape"
    before = files_of(fresh_catalog(path).path)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert done.stdout.count("\n") == 1
    assert "File too large; free some space" in done.stdout
    assert done.stderr == ""
    assert files_of(path) == before


def test_leftovers_of_a_running_import_are_left_alone(tmp_path: Path) -> None:
    catalog = fresh_catalog(tmp_path / "tape")
    with catalog.transaction("second") as opened:
        opened.append(batch(np.repeat(trade(NOON, 2), 140_000)))
        Catalog(catalog.path)  # another reader opens it meanwhile
        assert list((catalog.path / ".staging").iterdir()) != []
    assert len(catalog.imports()) == 2
