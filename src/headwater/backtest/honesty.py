"""In plain words: what the data did not allow to be modelled."""

from __future__ import annotations

from headwater.backtest.prepare import Traded
from headwater.backtest.settings import BacktestSettings
from headwater.domain.event import EventKind
from headwater.simulation.kinds import MarginMode, PriceSource


def not_modelled(
    run: list[Traded], settings: BacktestSettings, span_ns: int, fundings_missed: int = 0
) -> list[str]:
    """One sentence per shortcoming; the first says on how much data the run stands."""
    sentences = [f"The run stands on {_words(span_ns)} of data."]
    if fundings_missed:
        sentences.append(
            f"{fundings_missed} funding settlements were crossed with an open position and not settled, because no mark "
            "price was known (the last price is never used in its place)."
        )
    for each in run:
        sentences += [f"{each.replay.id}: {sentence}" for sentence in _of_instrument(each, settings)]
    return sentences


def _of_instrument(each: Traded, settings: BacktestSettings) -> list[str]:
    sentences = _of_prices(each)
    derivative = each.instrument.kind.payoff != "spot"
    if derivative and not each.contents.has(EventKind.MARK_PRICE):
        sentences.append(
            "no mark price on the tape, so liquidation, funding and mark-triggered orders were not modelled."
        )
    elif derivative and each.instrument.kind.is_perpetual and not each.contents.has(EventKind.FUNDING):
        sentences.append("no funding settlement was crossed.")
    if not each.replay.latency_usable:
        sentences.append(
            "the receive clock was not usable, so how late the data reached the trader was not modelled."
        )
    if settings.margin_mode is MarginMode.NONE:
        sentences.append("margin was switched off.")
    elif derivative and not each.instrument.rules[-1].margin_tiers:
        sentences.append("no margin tiers are known, so margin was not modelled.")
    if settings.no_partial_fill:
        sentences.append("compatibility mode: fills are whole and taking leaves no trace.")
    return sentences


def _of_prices(each: Traded) -> list[str]:
    source = each.contents.source
    if source is PriceSource.BARS:
        return [
            "bars alone: inside a bar the price was taken to go to the extreme that hurts first; limit orders fill only "
            "when the price goes through them; sizes were not limited by the bar's volume."
        ]
    if source is PriceSource.TRADES:
        return ["prints alone: no book, so takers pay the assumed half spread and queues are unknown."]
    if source is PriceSource.QUOTES:
        return [
            "best quotes alone: depth beyond the touch is unknown, so large orders take no more than it shows."
        ]
    sentences = ["own orders do not move the recorded market beyond the liquidity that they take."]
    if not each.contents.has(EventKind.TRADE):
        sentences.append("no trades on the tape, so resting orders fill only when the book crosses them.")
    return sentences


def _words(span_ns: int) -> str:
    seconds = span_ns / 1e9
    for unit, size in (("days", 86_400.0), ("hours", 3_600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} seconds"
