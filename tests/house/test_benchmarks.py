"""The benchmarks measure what they say: the same data everywhere, sides in turns, equal work only."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks import __main__ as bench
from benchmarks import catalogue
from benchmarks.catalogue import WORKLOADS, Data, SideSpec, Workload
from benchmarks.turns import (
    ChecksDifferError,
    Measured,
    Side,
    SideFailedError,
    compare_checks,
    in_turns,
    ratios,
)
from benchmarks.worker import percentiles
from benchmarks.workloads.bybit_frames import bybit_frames
from benchmarks.workloads.minute_bars import minute_bars
from benchmarks.workloads.order_book_stream import order_book_stream
from benchmarks.workloads.ticks import best_quotes, trades

SIDE = """
import sys
from benchmarks.worker import Seconds, serve
journal = open(sys.argv[2], "a")

def turn():
    print(sys.argv[1], file=journal, flush=True)
    return Seconds(float(sys.argv[3]), 0.5), {"trades": int(sys.argv[4])}

serve(sys.argv[1], ["numpy"], turn, lambda: {"p50": 1.0})
"""


def digest(columns: Iterable[npt.NDArray[Any]]) -> str:
    """SHA-256 of columns as little-endian int64 or float64."""
    running = hashlib.sha256()
    for column in columns:
        running.update(
            np.ascontiguousarray(column).astype("<f8" if column.dtype.kind == "f" else "<i8").tobytes()
        )
    return running.hexdigest()


@pytest.mark.compiled
def test_the_order_book_stream_is_the_one_that_the_peers_were_measured_on() -> None:
    stream = order_book_stream(20_000)
    assert digest(stream.values()) == "253b4273098c26bb516fae1e396b21d275df898c1c009b9d15aa19b976379b86"


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (minute_bars(1_000), "70965d8a71a5830b9425b1133d0b95838d78d32f0f6053e81223ab9d37ed0e7b"),
        (best_quotes(1_000), "319696083fc4e165925c937184be1986374d4efa0178fef37f7ba982184462d3"),
        (trades(1_000), "3beb311fdddde8f07afccf244f372c403e7ba9ee9f6c1b6ad9be622519c400b3"),
    ],
    ids=["minute bars", "best quotes", "trades"],
)
def test_bars_and_ticks_are_those_that_the_peers_were_measured_on(
    columns: dict[str, npt.NDArray[Any]], expected: str
) -> None:
    assert digest(columns.values()) == expected


def test_the_frames_are_those_that_the_peers_were_measured_on() -> None:
    frames = "\n".join(bybit_frames(200)).encode()
    expected = "1d0775795caa3a557c8f812441336d9ebf05900113e8bb5950b4893f000dde5d"
    assert hashlib.sha256(frames).hexdigest() == expected


def test_percentiles_are_of_the_nearest_rank() -> None:
    assert percentiles(list(range(1001))) == {"p50": 500.0, "p95": 950.0, "p99": 990.0, "p99.9": 999.0}


def side_command(name: str, journal: Path, seconds: float, trade_count: int = 3) -> list[str]:
    return [sys.executable, "-c", SIDE, name, str(journal), str(seconds), str(trade_count)]


def test_the_sides_work_in_turns(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    with (
        Side(side_command("ours", journal, 1.0), None) as ours,
        Side(side_command("peer", journal, 3.0), None) as peer,
    ):
        measured = in_turns([ours, peer], turns=2)
    assert journal.read_text().split() == ["ours", "peer"] * 3  # the first of each only warms up
    assert [side.seconds for side in measured] == [[1.0, 1.0], [3.0, 3.0]]
    assert measured[0].latency_ns == {"p50": 1.0}
    assert measured[0].versions == {"numpy": np.__version__}


def test_a_side_that_dies_is_named_with_its_exit_code() -> None:
    with pytest.raises(SideFailedError, match="exit code 3"):
        Side([sys.executable, "-c", "raise SystemExit(3)"], None)


def test_a_side_that_dies_at_work_is_named_with_its_exit_code(tmp_path: Path) -> None:
    command = side_command("ours", tmp_path / "journal", 1.0)
    command[-2] = "not a number"
    with Side(command, None) as side, pytest.raises(SideFailedError, match="exit code 1"):
        side.take_turn()


def test_a_ratio_is_taken_turn_by_turn() -> None:
    assert ratios([1.0, 2.0, 1.0], [3.0, 4.0, 5.0]) == {"min": 2.0, "median": 3.0, "max": 5.0}


def test_unequal_work_is_an_error_and_rounding_is_not() -> None:
    ours = Measured("ours", {}, check={"trades": 5, "equity": 1.0})
    peer = Measured("peer", {}, check={"trades": 5, "equity": 1.0 + 1e-12})
    compare_checks(ours, peer, {"trades": 0.0, "equity": 1e-9})
    with pytest.raises(ChecksDifferError, match="equity"):
        compare_checks(ours, peer, {"trades": 0.0, "equity": 0.0})


def test_every_workload_compares_figures_with_every_peer() -> None:
    assert [each.name for each in WORKLOADS if each.peers and each.compared is None] == []
    assert len({each.name for each in WORKLOADS}) == len(WORKLOADS)


def test_data_is_made_once_and_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "DATA", tmp_path)
    data = Data("minute_bars:minute_bars", 10)
    made = data.path().stat().st_mtime_ns
    assert data.path().stat().st_mtime_ns == made
    assert np.array_equal(np.load(data.path())["close"], minute_bars(10)["close"])


def test_a_peer_has_an_environment_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADWATER_PEERS", str(tmp_path))
    spec = SideSpec("vectorbt", "benchmarks.peers.vectorbt_bars", ("bars", "--more"))
    assert spec.python() == tmp_path / ".env-vectorbt" / "bin" / "python"
    assert spec.command(Path("data.npz"))[1:] == ["-m", spec.module, "bars", "data.npz", "--more"]
    assert SideSpec("", "x", ("y",)).python() == Path(sys.executable)


class ScriptedSide(SideSpec):
    """A side whose command is the little script above."""

    def command(self, data: Path) -> list[str]:
        return side_command(
            self.module, data.with_suffix(".journal"), float(self.arguments[0]), int(self.arguments[1])
        )


@pytest.mark.parametrize(("peer_trades", "exit_code"), [(3, 0), (4, 1)])
def test_the_manifest_holds_conditions_sides_and_ratios_of_equal_work_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, peer_trades: int, exit_code: int
) -> None:
    monkeypatch.setattr(catalogue, "DATA", tmp_path)
    workload = Workload(
        name="tiny",
        title="nothing at all",
        unit="bars",
        data=Data("minute_bars:minute_bars", 10),
        ours=ScriptedSide("", "ours", ("0.5", "3")),
        peers=(ScriptedSide("", "peer", ("2.0", str(peer_trades))), SideSpec("absent", "x", ("y",))),
        compared={"trades": 0.0},
    )
    monkeypatch.setattr(bench, "WORKLOADS", (workload,))
    out = tmp_path / "latest.json"
    assert bench.main(["--turns", "2", "--out", str(out)]) == exit_code
    manifest = json.loads(out.read_text())
    assert manifest["conditions"]["processor"]
    if exit_code == 0:
        (result,) = manifest["workloads"]
        assert result["ratios"] == {"peer": {"min": 4.0, "median": 4.0, "max": 4.0}}
        assert result["processor_ratios"] == {"peer": {"min": 1.0, "median": 1.0, "max": 1.0}}
        assert result["sides"][0]["per_second"] == 20.0
    else:
        assert manifest["workloads"] == []
        assert "trades" in manifest["failures"][0]["error"]
