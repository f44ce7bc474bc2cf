"""The rulebook: the shipped catalogue against the real data of its days, and what a user's file can get
wrong.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from headwater.domain.errors import ConfigurationError, UnknownInstrumentError
from headwater.domain.instrument import InstrumentKind
from headwater.storage.rules_files import Rulebook, load_rulebook
from tests.storage.observed import Observation, candle_files, observations

NANOS = 1_000_000_000
DAY = 86_400 * NANOS
EIGHT_HOUR_FILE = "8h csv"

# The 5-minute Bybit "futures" candles of 2025 are on the grid of spot, in price and volume: mislabelled.
MISLABELLED = ("bybit_linear_BTCUSDT_5m", "bybit_linear_ETHUSDT_5m")

KINDS = {"perp": "perpetual", "spot": "spot", "": None, "option": None}


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load_rulebook()


def write(tmp_path: Path, text: str, name: str = "mine.toml") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


GOOD = '{ from = 2024-01-01, tick = "0.5", lot = "1", source = "me" }'


def minimal(rules: str = GOOD, extra: str = "") -> str:
    return f"""
format = 1
venue = "MYVENUE"

[fees.all]
source = "me"
tiers = [["0", "0.0001", "0.0002"]]

[margin.all]
source = "me"
tiers = [["1000", "0.01", "50"], ["", "0.02", "25"]]

[family.perps]
kind = "linear-perpetual"
symbol = "{{base}}/{{quote}}"
id = "{{base}}{{quote}}-PERP"
base = "[A-Z]+?"
quote = "USDT"
settle = "{{quote}}"
fees = "all"
margin = "all"
funding_interval_s = 28800

[instrument.ABCUSDT-PERP]
family = "perps"
{extra}
rules = [{rules}]
"""


# ---- the shipped catalogue


def test_every_shipped_instrument_can_be_built(rulebook: Rulebook) -> None:
    built = [
        rulebook.instrument(name) for venue in rulebook.venues() for name in rulebook.instrument_ids(venue)
    ]
    assert len(built) > 200
    assert all(rules.source for instrument in built for rules in instrument.rules)


def symbol_of(file: str, venue: str, symbol: str, kind: str) -> str:
    if file != EIGHT_HOUR_FILE:
        return symbol
    coin = symbol[:3]
    if symbol.endswith("USDCM"):
        return {"BINANCE": f"{coin}USD_PERP", "BYBIT": f"{coin}USD", "OKX": f"{coin}-USD-SWAP"}[venue]
    if venue == "OKX":
        return f"{coin}-USDT" + ("-SWAP" if kind == "perp" else "")
    return symbol.replace("/", "")


def off_grid(values: set[str], steps: list[Decimal]) -> list[str]:
    numbers = (value for value in values if value not in ("nan", "None"))
    return [value for value in numbers if all(Decimal(value) % step for step in steps)]


def judge(rulebook: Rulebook, file: str, name: str, seen: Observation) -> str | None:
    grids = [rulebook.grid(name, int(seconds * NANOS)) for seconds in (seen.first, seen.last)]
    if None in grids:
        return None
    known = [grid for grid in grids if grid is not None]
    bad = off_grid(seen.prices, [tick for tick, _, _ in known])
    # Volumes of candles count in coins where contracts are dollars or parts of coins, and FTX's in dollars.
    if file != EIGHT_HOUR_FILE and file != "ftx":
        bad += off_grid(seen.sizes, [lot for _, lot, _ in known])
    return f"{file}: {name} {known}: {bad[:4]} of {len(bad)}" if bad else ""


def test_every_price_and_size_of_the_real_data_is_on_the_grid_of_its_day(
    rulebook: Rulebook, dev_data: Path
) -> None:
    judged, findings, files = 0, [], set()
    for file, seen in observations(dev_data):
        for (venue, symbol, kind), observation in seen.items():
            name = rulebook.resolve(venue, symbol_of(file, venue, symbol, kind), KINDS[kind])
            finding = judge(rulebook, file, name, observation)
            judged += finding is not None
            files.add(file.split()[0])
            if finding and not file.startswith(MISLABELLED):
                findings.append(finding)
    assert findings == []
    assert judged > 1_000
    assert len(files) > 40


def test_mislabelled_candles_are_off_the_grid_they_claim(rulebook: Rulebook, dev_data: Path) -> None:
    found = list(candle_files(dev_data, "ohlcv/bybit_linear_*_5m_*.parquet", "BYBIT", "perp"))
    assert {file.split("_5m")[0] for file, _ in found} == {name.split("_5m")[0] for name in MISLABELLED}
    for file, seen in found:
        (((venue, symbol, _), observation),) = seen.items()
        assert judge(rulebook, file, rulebook.resolve(venue, symbol, "perpetual"), observation)
        assert judge(rulebook, file, rulebook.resolve(venue, symbol, "spot"), observation) == "", file


def test_rules_of_the_past_differ_from_those_of_today(rulebook: Rulebook) -> None:
    perpetual = rulebook.instrument("BTCUSDT-PERP.BINANCE")
    assert perpetual.rules_at(1_582_329_600 * NANOS).tick_size == Decimal("0.01")
    assert perpetual.rules_at(1_723_161_600 * NANOS).tick_size == Decimal("0.1")


def test_old_orders_rest_on_a_finer_grid_than_orders_may_have_today(rulebook: Rulebook) -> None:
    ts = 1_723_161_600 * NANOS
    assert rulebook.instrument("BTCUSDT.BINANCE").rules_at(ts).lot_size == Decimal("0.00001")
    assert rulebook.grid("BTCUSDT.BINANCE", ts) == (
        Decimal("0.01"),
        Decimal("0.000001"),
        "rulebook:binance.toml",
    )


def test_before_the_first_known_rules_there_is_no_grid(rulebook: Rulebook) -> None:
    assert rulebook.grid("BTCUSDT-PERP.BINANCE", 1_500_000_000 * NANOS) is None
    with pytest.raises(UnknownInstrumentError, match=r"BTCUSDT-PERP.BINANCE at 2017-07-14.*2020-02-22"):
        rulebook.instrument("BTCUSDT-PERP.BINANCE").rules_at(1_500_000_000 * NANOS)


def test_a_grid_shown_by_the_data_serves_before_the_first_known_rules(rulebook: Rulebook) -> None:
    shown = (Decimal("0.5"), Decimal("0.01"), "inferred")
    instrument = rulebook.instrument("BTCUSDT-PERP.BINANCE", grid=shown)
    early = instrument.rules_at(1_500_000_000 * NANOS)
    assert (early.tick_size, early.lot_size) == shown[:2]
    assert early.source.startswith("inferred")
    assert early.fee_tiers == instrument.rules[1].fee_tiers
    assert instrument.rules_at(1_723_161_600 * NANOS).tick_size == Decimal("0.1")


def test_the_long_tail_has_rules_but_for_the_grid(rulebook: Rulebook) -> None:
    name = "ZRXUSDT-PERP.BINANCE"
    assert rulebook.grid(name, 1_723_161_600 * NANOS) is None
    with pytest.raises(UnknownInstrumentError, match="without tick and lot size"):
        rulebook.instrument(name)
    instrument = rulebook.instrument(name, grid=(Decimal("0.0001"), Decimal(1), "inferred"))
    assert (instrument.base, instrument.settle, instrument.kind) == (
        "ZRX",
        "USDT",
        InstrumentKind.LINEAR_PERPETUAL,
    )
    assert instrument.rules[0].funding_interval_s == 28_800
    assert instrument.rules[0].fee_tier().taker == Decimal("0.0005")


@pytest.mark.parametrize(
    ("venue", "symbol", "kind", "expected"),
    [
        ("BINANCE", "BTCUSDT", InstrumentKind.SPOT, "BTCUSDT.BINANCE"),
        ("BINANCE", "btcusdt", InstrumentKind.LINEAR_PERPETUAL, "BTCUSDT-PERP.BINANCE"),
        ("BINANCE", "BTCUSD_PERP", "perpetual", "BTCUSD-PERP.BINANCE"),
        ("BINANCE", "1000LUNCBUSD", "perpetual", "1000LUNCBUSD-PERP.BINANCE"),
        ("BINANCE", "BTCUSDT_240628", "future", "BTCUSDT_240628.BINANCE"),
        ("BYBIT", "BTCUSDT", "perpetual", "BTCUSDT-PERP.BYBIT"),
        ("BYBIT", "BTCPERP", None, "BTCUSDC-PERP.BYBIT"),
        ("BYBIT", "BTCUSD", "inverse-perpetual", "BTCUSD-PERP.BYBIT"),
        ("COINBASE", "BTC-USD", None, "BTC-USD.COINBASE"),
        ("KRAKEN", "XBT/USD", None, "XBTUSD.KRAKEN"),
        ("KRAKENF", "pi_xbtusd", None, "PI_XBTUSD.KRAKENF"),
        ("OKX", "UNI-USD-SWAP", None, "UNI-USD-SWAP.OKX"),
        ("OKX", "BTC-USDT", None, "BTC-USDT.OKX"),
        ("DERIBIT", "BTC-PERPETUAL", None, "BTC-PERPETUAL.DERIBIT"),
        ("BITSTAMP", "btcusd", None, "BTCUSD.BITSTAMP"),
        ("BITFINEX", "tBTCUSD", None, "BTCUSD.BITFINEX"),
        ("HYPERLIQUID", "BTC", None, "BTC-PERP.HYPERLIQUID"),
        ("FTX", "BTC-PERP", None, "BTC-PERP.FTX"),
    ],
)
def test_a_venue_symbol_resolves_to_our_id(
    rulebook: Rulebook, venue: str, symbol: str, kind: str | None, expected: str
) -> None:
    assert rulebook.resolve(venue, symbol, kind) == expected


def test_an_ambiguous_symbol_names_what_it_can_mean(rulebook: Rulebook) -> None:
    with pytest.raises(UnknownInstrumentError, match=r"BTCUSDT.BINANCE or BTCUSDT-PERP.BINANCE"):
        rulebook.resolve("BINANCE", "BTCUSDT")


def test_a_symbol_that_fits_nothing_is_refused(rulebook: Rulebook) -> None:
    with pytest.raises(UnknownInstrumentError, match=r"no instrument fits BINANCE symbol '\?\?\?'"):
        rulebook.resolve("BINANCE", "???")


def test_an_unknown_id_suggests_near_ones(rulebook: Rulebook) -> None:
    with pytest.raises(UnknownInstrumentError, match=r"did you mean .*BTC-USDT.OKX"):
        rulebook.instrument("BTC-USDTT-X.OKX")


def test_an_unknown_venue_suggests_near_ones(rulebook: Rulebook) -> None:
    with pytest.raises(UnknownInstrumentError, match="venue BINANSE is not known; did you mean BINANCE"):
        rulebook.instrument("BTCUSDT.BINANSE")
    with pytest.raises(UnknownInstrumentError, match=r"venue \(none\) is not known"):
        rulebook.instrument("BTCUSDT")
    assert rulebook.grid("BTCUSDT.NOWHERE", 0) is None


# ---- a user's files


def test_a_user_file_adds_a_venue(tmp_path: Path) -> None:
    rulebook = load_rulebook(write(tmp_path, minimal()))
    instrument = rulebook.instrument("ABCUSDT-PERP.MYVENUE")
    assert instrument.symbol == "ABC/USDT"
    assert instrument.rules[0].margin_tiers[1].deduction == Decimal("10.00")
    assert rulebook.grid("ABCUSDT-PERP.MYVENUE", instrument.rules[0].valid_from) == (
        Decimal("0.5"),
        Decimal(1),
        "rulebook:mine.toml",
    )
    assert "MYVENUE" in rulebook.venues()
    assert rulebook.resolve("myvenue", "XYZ/USDT", "perpetual") == "XYZUSDT-PERP.MYVENUE"


def test_a_user_file_overrides_one_instrument_and_may_use_shipped_schedules(tmp_path: Path) -> None:
    text = """
format = 1
venue = "BINANCE"
[instrument.BTCUSDT-PERP]
family = "usdm"
margin = "btc"
listings = [{ listed = 2019-09-08 }]
rules = [{ from = 2019-09-08T12:00:00+00:00, tick = "0.01", lot = "0.001", source = "me" }]
"""
    rulebook = load_rulebook(write(tmp_path, text))
    instrument = rulebook.instrument("BTCUSDT-PERP.BINANCE")
    assert len(instrument.rules) == 1
    assert instrument.rules[0].margin_tiers[0].max_leverage == 125
    assert not instrument.is_listed_at(0)
    assert len(rulebook.instrument("ETHUSDT-PERP.BINANCE").rules) > 1


def test_the_last_file_is_strongest(tmp_path: Path) -> None:
    first = write(tmp_path, minimal(), "first.toml")
    second = write(tmp_path, minimal().replace('tick = "0.5"', 'tick = "2"'), "second.toml")
    rulebook = load_rulebook(first, second)
    assert rulebook.instrument("ABCUSDT-PERP.MYVENUE").rules[0].tick_size == 2


def test_a_later_entry_repeats_only_what_changed(tmp_path: Path) -> None:
    rules = (
        '{ from = 2024-01-01, tick = "0.5", lot = "1", min_notional = "5", source = "a" },'
        '{ from = 2024-02-01, tick = "1", source = "b" }'
    )
    instrument = load_rulebook(write(tmp_path, minimal(rules))).instrument("ABCUSDT-PERP.MYVENUE")
    assert [rules.tick_size for rules in instrument.rules] == [Decimal("0.5"), Decimal(1)]
    assert [rules.min_notional for rules in instrument.rules] == [5, 5]
    assert [rules.source for rules in instrument.rules] == ["a", "b"]


WRONG_FILES = [
    (
        minimal(GOOD.replace('"0.5"', "0.5")),
        r"mine.toml: instrument.ABCUSDT-PERP.rules\[0\].tick: expected a decimal in quotes such as "
        r"\"0.01\", was 0.5",
    ),
    (
        minimal(GOOD.replace('"0.5"', '"-1"')),
        r"rules\[0\]: Rules.tick_size must be a finite number > 0, was -1",
    ),
    (minimal(GOOD.replace("tick", "tik")), r"rules\[0\].tik: expected one of .*; did you mean tick"),
    (minimal(GOOD.replace(', source = "me"', "")), r"rules\[0\].source: expected text in quotes, was None"),
    (minimal(GOOD.replace('lot = "1", ', "")), r"rules\[0\].lot: expected a value, was None"),
    (minimal(GOOD.replace("2024-01-01", "2024-01-01T10:00:00")), "a date-time with offset"),
    (minimal(GOOD.replace("2024-01-01", "17")), r"rules\[0\].from: expected a date"),
    (minimal(f"{GOOD}, {GOOD}"), "ABCUSDT-PERP: ABCUSDT-PERP.MYVENUE: Instrument.rules must rise"),
    (minimal(""), "rules: expected a list of tables, at least one"),
    (minimal(extra='fees = "none"'), r"fees: expected the name of a \[fees.\*\] schedule"),
    (minimal(extra='margin = "al"'), "did you mean all"),
    (minimal(extra='kind = "perp"'), "kind: expected one of spot, linear-perpetual"),
    (minimal(extra='colour = "red"'), "colour: expected one of kind"),
    (minimal(extra='band_up = "0.1"'), "band_down: expected both ends"),
    (minimal(extra='option_type = "both"'), 'expected "call" or "put"'),
    (minimal(extra='listings = "always"'), "listings: expected a list of tables"),
    (minimal(extra="listings = [{ delisted = 2024-01-01 }]"), "listed: expected a value"),
    (minimal(extra="funding_interval_s = 1.5"), "whole number"),
    (minimal().replace('family = "perps"', 'family = "perp"'), "a family of this venue; did you mean perps"),
    (minimal().replace('"0.0002"]]', '"0.0002", "1"]]'), "fees.all.tiers: expected rows of 3 decimals"),
    (minimal().replace('["0", "0.0001"', '["", "0.0001"'), "fees.all.tiers: expected a volume"),
    (minimal().replace('"0.0001", "0.0002"', '"", "0.0002"'), "fees.all.tiers: expected two rates"),
    (minimal().replace('"0.0001", "0.0002"', '"2", "0.0002"'), "fees.all: FeeTier.maker is a fraction"),
    (minimal().replace('tiers = [["0"', 'tears = [["0"'), "fees.all.tears: expected one of source, tiers"),
    (minimal().replace('tiers = [["0", "0.0001", "0.0002"]]', ""), "fees.all.tiers: expected a list of rows"),
    (minimal().replace('"0.02", "25"', '"0.9", "25"'), "margin.all: MarginTier needs"),
    (minimal().replace('"0.02", "25"', '"0.02", "0"'), "margin.all: .*max_leverage must be >= 1"),
    (minimal().replace('"[A-Z]+?"', '"[A-Z"'), "family.perps.base: expected a pattern"),
    (minimal().replace('"{base}{quote}-PERP"', '"{bass}-PERP"'), "family.perps.id: expected a template"),
    (minimal().replace("format = 1", "format = 2"), "format: expected 1; a newer file needs a newer version"),
    (minimal().replace('"MYVENUE"', '"my.venue"'), "venue: expected upper case without dots"),
    (minimal() + "\n[shrubs]\n", "shrubs: expected one of format"),
    ("family = 3\nformat = 1\nvenue = 'X'", r"family: expected tables \[family.NAME\]"),
    ("a = [", "expected a rules file in TOML"),
]


@pytest.mark.parametrize(("text", "message"), WRONG_FILES)
def test_a_wrong_file_is_named_with_key_expectation_and_finding(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        load_rulebook(write(tmp_path, text))
    assert "\n" not in str(caught.value)
    assert "mine.toml" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent.toml: expected a readable rules file"):
        load_rulebook(tmp_path / "absent.toml")


def test_an_option_and_a_future_come_with_expiry_and_strike(rulebook: Rulebook) -> None:
    option = rulebook.instrument("ETH-30JUL21-2800-C.DERIBIT")
    assert (option.strike, option.kind) == (Decimal(2800), InstrumentKind.OPTION)
    assert option.settle == "ETH"
    future = rulebook.instrument("FI_XBTUSD_210924.KRAKENF")
    assert future.expiry is not None
    assert future.kind is InstrumentKind.INVERSE_FUTURE


def test_a_delisted_venue_says_when(rulebook: Rulebook) -> None:
    instrument = rulebook.instrument("BTC-PERP.FTX")
    assert instrument.is_listed_at(1_640_995_200 * NANOS)
    assert not instrument.is_listed_at(1_700_000_000 * NANOS)


def test_a_symbol_with_an_entry_of_one_kind_is_still_ambiguous(rulebook: Rulebook) -> None:
    with pytest.raises(UnknownInstrumentError, match=r"SUSHIUSDT-PERP.BINANCE or SUSHIUSDT.BINANCE"):
        rulebook.resolve("BINANCE", "SUSHIUSDT")
    assert rulebook.resolve("BYBIT", "BTCUSDH25") == "BTCUSDH25.BYBIT"
