"""``headwater backtest`` from the command line: what it writes, and how it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from headwater.cli.app import run
from headwater.ports.importer import Batch
from headwater.storage.catalog import Catalog
from headwater.tape.generated import generated_market
from tests.tape.events import NOON, bar, tape

pytestmark = pytest.mark.compiled

INSTRUMENT = "BTCUSDT-PERP.BINANCE"
CANDLES = "ETHUSDT-PERP.BINANCE"
MINUTE = 60 * 10**9
Answer = tuple[int, str, str]
Call = Callable[..., Answer]


@pytest.fixture(scope="session")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of a made-up market, and candles of two intervals of another instrument."""
    folder = tmp_path_factory.mktemp("tape") / "catalog"
    market = generated_market(30_000, seed=5)
    seen = market.instrument
    filled = Catalog(folder, create=True)
    filled.write(
        [
            Batch(
                instrument=seen.id,
                events=market.events,
                tick_size=seen.tick_size,
                lot_size=seen.lot_size,
                rules_source="generated",
            )
        ],
        source="generated",
    )
    for minutes in (1, 5):
        filled.write([candles(minutes)], source=f"candles {minutes}")
    return folder


def candles(minutes: int) -> Batch:
    length = minutes * MINUTE
    prices = 250_000 + 500 * np.round(10 * np.sin(np.arange(300) / 7)).astype(int)
    bars = [
        bar(NOON + at * length, length, (int(first), int(max(first, last)), int(min(first, last)), int(last)))
        for at, (first, last) in enumerate(pairwise(prices))
    ]
    return Batch(
        instrument=CANDLES,
        events=tape(*bars),
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.001"),
        rules_source="generated",
    )


@pytest.fixture
def call(
    catalog: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Call:
    """Run the command in an empty folder; exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def call_it(*arguments: str, where: Path | None = catalog, instrument: str | None = INSTRUMENT) -> Answer:
        places = ["--catalog", str(where)] if where else []
        names = ["--instrument", instrument] if instrument else []
        code = run(["backtest", *arguments, *places, *names])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call_it


def refused(answer: Answer, words: str) -> None:
    """One line on stderr that holds `words`, exit code 2, and nothing written."""
    code, _, told = answer
    assert (code, told.count("\n")) == (2, 1), told
    assert told.startswith("error: ")
    assert words in told
    assert [path for path in Path().iterdir() if path.suffix != ".py"] == []


def write_strategy(body: str) -> str:
    """A file of the user's with one Python strategy."""
    path = Path("mine.py")
    path.write_text(
        "from headwater.strategies.strategy import Strategy\n\n\n"
        f"class Mine(Strategy):\n    timer = '1s'\n\n    def on_timer(self, view):\n        {body}\n"
    )
    return str(path)


def test_a_run_prints_a_summary_and_writes_a_folder(call: Call) -> None:
    code, said, told = call("grid_maker", "--out", "report", "--param", "size=0.02")
    assert (code, told) == (0, "")
    assert "Net profit" in said
    assert "report.html" in said
    manifest = json.loads(Path("report/manifest.json").read_text())
    assert manifest["complete"] is True
    assert manifest["run"]["parameters"]["size"] == 0.02
    assert manifest["command"].startswith("headwater backtest grid_maker --catalog ")
    assert manifest["command"].endswith(f"--instrument {INSTRUMENT} --param size=0.02 --out report")


def test_the_same_run_twice_gives_the_same_hash_and_another_another(call: Call) -> None:
    hashes = []
    for number, size in enumerate(("0.02", "0.02", "0.03")):
        call("grid_maker", "--out", f"r{number}", "--param", f"size={size}", "--param", "half_spread=1")
        hashes.append(json.loads(Path(f"r{number}/manifest.json").read_text())["state_hash"])
    assert hashes[0] == hashes[1] != hashes[2]
    code, said, _ = call("--compare", "r0", "r1", where=None, instrument=None)
    assert (code, "The runs are the same" in said) == (0, True)
    _, said, _ = call("--compare", "r0", "r2", where=None, instrument=None)
    assert "The runs part at fill" in said


def test_without_a_name_the_report_goes_into_a_new_folder_under_runs(call: Call) -> None:
    assert call("grid_maker")[0] == 0
    (folder,) = Path("runs").iterdir()
    assert folder.name.startswith(f"grid_maker-{INSTRUMENT}-")


def test_a_strategy_of_ones_own_runs_by_its_path(call: Call) -> None:
    code, said, _ = call(write_strategy("view.target('0.01')"), "--out", "report")
    assert code == 0
    assert "Mine on" in said


def test_a_window_is_cut_out_of_the_tape(call: Call) -> None:
    assert (
        call("grid_maker", "--out", "a", "--start", "2025-01-06T15:30:10", "--end", "2025-01-06T15:30:20")[0]
        == 0
    )
    times = pl.read_parquet("a/orders.parquet")[
        "ts_ns" if False else pl.read_parquet("a/orders.parquet").columns[0]
    ]
    assert len(times) > 0


def test_candles_are_chosen_by_their_interval(call: Call) -> None:
    code, _, told = call("ema_cross", "--out", "one", "--bars", "5m", "--fill-at-close", instrument=CANDLES)
    assert (code, told) == (0, "")
    manifest = json.loads(Path("one/manifest.json").read_text())
    assert manifest["run"]["events"] == 3 * 299


def test_models_are_chosen_by_name(call: Call) -> None:
    arguments = [
        "--queue",
        "power",
        "--queue-power",
        "3",
        "--margin",
        "isolated",
        "--leverage",
        "5",
        "--cash",
        "5000",
    ]
    arguments += [
        "--latency-ms",
        "7.5",
        "--latency-sigma",
        "0.2",
        "--maker-fee",
        "-0.0001",
        "--taker-fee",
        "0.0004",
    ]
    arguments += [
        "--impact",
        "linear",
        "--impact-a",
        "0.1",
        "--seed",
        "9",
        "--hedge-mode",
        "--no-venue-limits",
    ]
    assert call("grid_maker", "--out", "r", *arguments)[0] == 0
    models = json.loads(Path("r/manifest.json").read_text())["run"]["models"]
    assert (models["queue_model"], models["queue_power"]) == ("power", 3.0)
    assert (models["margin_mode"], models["leverage"], models["initial_cash"]) == ("isolated", "5", "5000")
    assert (models["latency"]["model"], models["latency"]["median_ns"]) == ("log_normal", 7_500_000)
    assert (models["maker_fee"], models["taker_fee"], models["seed"]) == ("-0.0001", "0.0004", 9)
    assert (models["impact_model"], models["hedge_mode"], models["rate_limits"]) == ("linear", True, False)


def test_measured_latency_is_read_from_a_file(call: Call) -> None:
    Path("latency.py").touch()
    pl.DataFrame({"ts": [0, 1], "entry_ns": [1_000, 2_000], "response_ns": [3_000, 4_000]}).write_csv("l.csv")
    assert call("grid_maker", "--out", "r", "--latency-file", "l.csv")[0] == 0
    assert json.loads(Path("r/manifest.json").read_text())["run"]["models"]["latency"]["model"] == "measured"


def test_an_interrupted_run_reports_what_there_is(call: Call) -> None:
    body = "view.target('0.01')\n        self.n = getattr(self, 'n', 0) + 1\n        if self.n == 20: raise KeyboardInterrupt"
    code, said, _ = call(write_strategy(body), "--out", "report")
    assert code == 130
    assert "Interrupted: this is what there was until then." in said
    assert json.loads(Path("report/manifest.json").read_text())["complete"] is False


# -- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["grid_maker", "--param", "sise=1"],
            "grid_maker has no parameter 'sise'; it has: levels, half_spread",
        ),
        (["grid_maker", "--param", "levels=1000"], "parameter levels must lie in [1, 60], was 1000"),
        (["grid_maker", "--param", "levels=few"], "parameter levels must be a whole number, was 'few'"),
        (["grid_maker", "--param", "levels"], "--param must read name=value, was 'levels'"),
        (["grid_maker", "--param", "levels=1", "--param", "levels=2"], "--param levels was given twice"),
        (
            ["grid_maker", "--param", "size=0.0005"],
            "must be a multiple of 0.001 for BTCUSDT-PERP.BINANCE, was 0.0005",
        ),
        (["grid_mker"], "no strategy is named 'grid_mker', did you mean grid_maker"),
        (["nowhere.py"], "nowhere.py: expected a file with a strategy, found nothing"),
        ([], "expected a strategy: a shipped name or path/to/file.py (STRATEGY), found none"),
        (["grid_maker", "--cash", "plenty"], "--cash must be a number, was 'plenty'"),
        (["grid_maker", "--cash", "-1"], "initial_cash must not be negative, was -1"),
        (["grid_maker", "--leverage", "0.5"], "leverage must be 0 (the venue's) or at least 1, was 0.5"),
        (["grid_maker", "--latency-ms", "-1"], "latency entry_ns must not be negative"),
        (["grid_maker", "--latency-ms", "fast"], "--latency-ms must be a number, was 'fast'"),
        (
            ["grid_maker", "--latency-file", "none.csv"],
            "none.csv: expected a file of measured latencies, found none",
        ),
        (["grid_maker", "--fill-at-close", "--latency-ms", "1"], "--fill-at-close means no latency"),
        (["grid_maker", "--queue", "lifo"], "'lifo' is not one of 'risk-averse', 'power', 'log'"),
        (["grid_maker", "--start", "noon"], "expected a time such as 2024-08-08T23:55, found 'noon'"),
        (
            ["grid_maker", "--end", "2001-01-01"],
            "expected events of BTCUSDT-PERP.BINANCE (book, mark, trades) in the time",
        ),
        (["ema_cross", "--bars", "soon"], "an interval reads like 100ms, 1s, 5m, 1h or 1d, was 'soon'"),
        (["grid_maker", "--rules", "none.toml"], "none.toml"),
        (["grid_maker", "--instrument", INSTRUMENT], f"--instrument {INSTRUMENT} was given twice"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(call: Call, arguments: list[str], words: str) -> None:
    refused(call(*arguments), words)


def test_an_unknown_instrument_is_refused_with_those_that_are_near(call: Call) -> None:
    refused(call("grid_maker", instrument="BTCUSD-PERP.BINANCE"), INSTRUMENT)


def test_a_missing_instrument_or_catalog_is_asked_for(call: Call, tmp_path: Path) -> None:
    refused(call("grid_maker", instrument=None), "expected an instrument id (--instrument), found none")
    refused(call("grid_maker", where=None), "expected the folder of a catalog (--catalog), found none")
    refused(call("grid_maker", where=tmp_path / "none"), "expected a catalog, found no catalog.json")


def test_an_empty_catalog_is_refused(call: Call, tmp_path_factory: pytest.TempPathFactory) -> None:
    empty = tmp_path_factory.mktemp("empty") / "catalog"
    Catalog(empty, create=True)
    refused(call("grid_maker", where=empty), "import a file first")


def test_candles_that_are_not_there_are_refused_with_those_that_are(call: Call) -> None:
    refused(
        call("ema_cross", "--bars", "2h", instrument=CANDLES),
        "expected bars of 2h, found bars of 1m, 5m and no trades",
    )


def test_a_strategy_that_nothing_would_wake_is_refused(call: Call) -> None:
    refused(
        call("imbalance_taker", instrument=CANDLES),
        f"imbalance_taker is woken by book, and the catalog holds only bars of {CANDLES}",
    )


def test_a_strategy_that_raises_ends_the_run_with_event_time_and_line(call: Call) -> None:
    answer = call(write_strategy("1 / 0"), "--out", "report")
    refused(answer, "ZeroDivisionError: division by zero [")
    assert "Mine at 2025-01-06T15:30:01Z (1736177401000000000 ns), event " in answer[2]
    assert answer[2].rstrip().endswith("mine.py:8]")


def test_an_order_off_the_grid_ends_the_run_with_the_nearest_prices(call: Call) -> None:
    answer = call(write_strategy("view.buy('0.01', '100000.05')"))
    refused(answer, "price 100000.05 is not a multiple of 0.1; the nearest are 100000.0 and 100000.1")
    assert "mine.py:8]" in answer[2]


def test_a_folder_that_is_not_a_report_is_not_replaced(call: Call) -> None:
    Path("precious.py").mkdir()
    Path("precious.py/diary.txt").touch()
    refused(
        call("grid_maker", "--out", "precious.py"),
        "expected a new name, an empty folder or an earlier run folder",
    )
    assert Path("precious.py/diary.txt").exists()


def test_runs_that_are_not_there_cannot_be_compared(call: Call) -> None:
    refused(
        call("--compare", "a", "b", where=None, instrument=None),
        "a: expected a run folder with manifest.json",
    )


def test_the_help_lists_what_is_shipped(call: Call) -> None:
    code, said, _ = call("--help", where=None, instrument=None)
    assert code == 0
    assert [
        name
        for name in ("ema_cross", "grid_maker", "imbalance_taker", "avellaneda_stoikov")
        if name not in said
    ] == []
