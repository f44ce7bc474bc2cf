"""A strategy is found by its shipped name, by its file, or by the name that another package gave it."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from headwater.domain.errors import ConfigurationError
from headwater.strategies import load
from headwater.strategies.compiled import CompiledStrategy
from headwater.strategies.load import declared_parameters, load_strategy, name_of
from headwater.strategies.shipped import shipped
from headwater.strategies.strategy import Strategy

QUIET = """
from headwater.strategies.strategy import Strategy
from headwater.strategies.parameter import param

class Quiet(Strategy):
    timer = "1s"
    patience: int = param(3, low=1, high=9)
"""

COMPILED = """
from headwater.strategies.compiled import compiled

@compiled(timer="1s")
def idle(view, orders, depth, params, memory, outbox):
    memory[0] += 1.0
"""

Write = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_it(text: str) -> str:
        path = tmp_path / "mine.py"
        path.write_text(text)
        return str(path)

    return write_it


def test_every_shipped_strategy_loads_by_its_name_and_has_a_line_of_its_own() -> None:
    assert set(shipped()) == {"ema_cross", "grid_maker", "imbalance_taker", "avellaneda_stoikov"}
    for name, line in shipped().items():
        assert declared_parameters(load_strategy(name))
        assert line.endswith(".")


def test_a_class_in_a_file_needs_no_name_when_it_is_alone(write: Write) -> None:
    found = load_strategy(write(QUIET))
    assert isinstance(found, type)
    assert issubclass(found, Strategy)
    assert (name_of(found), list(declared_parameters(found))) == ("Quiet", ["patience"])


def test_a_compiled_function_in_a_file_is_found_too(write: Write) -> None:
    found = load_strategy(write(COMPILED))
    assert isinstance(found, CompiledStrategy)
    assert name_of(found) == "idle"


def test_of_several_in_a_file_one_has_to_be_named(write: Write) -> None:
    path = write(QUIET + COMPILED)
    with pytest.raises(
        ConfigurationError, match=r"expected one strategy, found Quiet, idle; name one: .*mine.py:Quiet"
    ):
        load_strategy(path)
    assert name_of(load_strategy(f"{path}:idle")) == "idle"
    with pytest.raises(ConfigurationError, match="expected a strategy named 'other', found Quiet, idle"):
        load_strategy(f"{path}:other")


def test_what_a_file_imports_or_hides_is_not_its_strategy(write: Write) -> None:
    path = write(QUIET.replace("Quiet", "_Base") + "class Loud(_Base):\n    pass\n")
    assert name_of(load_strategy(path)) == "Loud"


def test_a_file_can_import_its_neighbours(write: Write, tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_mine.py").write_text("PATIENCE = 7\n")
    path = write("from neighbour_of_mine import PATIENCE\n" + QUIET.replace("param(3", "param(PATIENCE"))
    found = load_strategy(path)
    assert isinstance(found, type)
    assert found().patience == 7  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\n", "expected a class derived from Strategy or a function under @compiled, found neither"),
        ("x = 1\ndef broken(:\n", "mine.py:2: invalid syntax"),
        ("x = 1\n\n1 / 0\n", "mine.py:3: ZeroDivisionError: division by zero"),
        ("import no_such_library\n", "mine.py:1: ModuleNotFoundError: No module named 'no_such_library'"),
        (QUIET.replace("low=1", "low=5"), r"mine.py:7: ValueError: default must lie in \[5, 9\], was 3"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line_with_the_place(
    write: Write, text: str, words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words) as refused:
        load_strategy(write(text))
    assert "\n" not in str(refused.value)


@pytest.mark.compiled
def test_what_cannot_be_compiled_is_refused_in_one_line_with_the_place(write: Write) -> None:
    path = write(COMPILED.replace("memory[0] += 1.0", "memory[0] = unheard_of"))
    with pytest.raises(
        ConfigurationError, match=r"mine.py:.*'unheard_of' is not defined; correct"
    ) as refused:
        load_strategy(path)
    assert "\n" not in str(refused.value)


@pytest.mark.compiled
def test_a_mistaken_field_is_refused_with_its_line(write: Write) -> None:
    path = write(COMPILED.replace("memory[0] += 1.0", 'memory[0] = view["bda"]'))
    with pytest.raises(
        ConfigurationError, match=r"mine.py:6: TypingError: Field 'bda' was not found"
    ) as refused:
        load_strategy(path)
    assert "\n" not in str(refused.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"nowhere.py: expected a file with a strategy, found nothing"
    ):
        load_strategy("nowhere.py")
    with pytest.raises(ConfigurationError, match="found a folder"):
        load_strategy(f"{tmp_path}/")


def test_an_unknown_name_is_refused_with_what_was_perhaps_meant() -> None:
    with pytest.raises(ConfigurationError, match="no strategy is named 'ema_crss', did you mean ema_cross"):
        load_strategy("ema_crss")


def test_entry_points_are_found_by_their_name(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("good", "headwater.strategies.ema_cross:ema_cross", load.ENTRY_POINTS),
        EntryPoint("bad", "headwater.strategies.ema_cross:lots", load.ENTRY_POINTS),
    ]
    monkeypatch.setattr(load, "entry_points", lambda group: points if group == load.ENTRY_POINTS else [])
    assert name_of(load_strategy("good")) == "ema_cross"
    with pytest.raises(ConfigurationError, match="entry point 'bad' must name a Strategy class"):
        load_strategy("bad")
