"""From rules, settings and a tape to the arrays of a simulation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np

from headwater.backtest.contents import Contents
from headwater.backtest.settings import BacktestSettings, LatencySettings
from headwater.domain.bar import BAR_DTYPE, BAR_STATE_DTYPE, BarKind
from headwater.domain.errors import ConfigurationError
from headwater.domain.event import EventKind
from headwater.domain.fees import to_rate_e8
from headwater.domain.instrument import Instrument
from headwater.domain.money import ContractGrid, money_scale, unit_value
from headwater.domain.rules import Rules
from headwater.domain.venue_behaviour import ReduceOnlyRule, VenueBehaviour, behaviour_of
from headwater.simulation.allocate import allocate
from headwater.simulation.kinds import ContractKind, LatencyModel, MarginMode, PriceSource
from headwater.simulation.state import Sim
from headwater.simulation.tables import TableBuilder
from headwater.strategies.view import GridSeen, steps_per_unit
from headwater.tape.replay import Replay, ReplayInstrument

_E8: Final = 10**8
_NO_LIMIT: Final = 2**31
LOG_ROWS: Final = 65_536
_CONTRACTS: Final = {
    "spot": ContractKind.SPOT,
    "linear": ContractKind.LINEAR,
    "inverse": ContractKind.INVERSE,
}


@dataclass(frozen=True, slots=True)
class Traded:
    """One instrument of a run: its replay, its rules, what the tape holds of it, and how it turns into money."""

    replay: ReplayInstrument
    instrument: Instrument
    contents: Contents
    behaviour: VenueBehaviour
    money_scale: int

    @property
    def contract(self) -> ContractKind:
        """Spot, linear or inverse."""
        return _CONTRACTS[self.instrument.kind.payoff]

    def grid(self, rules: Rules) -> ContractGrid:
        """The tape's grid with the contract's worth."""
        return ContractGrid(
            tick_size=self.replay.tick_size,
            lot_size=self.replay.lot_size,
            multiplier=rules.multiplier,
            is_inverse=self.instrument.kind.is_inverse,
        )

    def steps(self, rules: Rules) -> tuple[int, int]:
        """Ticks and lots of the tape in one step of the venue's order grid, at least 1."""
        return _whole(rules.tick_size / self.replay.tick_size), _whole(rules.lot_size / self.replay.lot_size)

    def profit(self, state: Any) -> float:
        """Cash, fees, funding and the position at the last price, in settle currency; `state` is its INSTRUMENT record."""
        position, last = int(state["l_position"]), int(state["l_last"])
        units = int(state["l_cash"]) - int(state["l_fee"]) + int(state["l_funding"])
        if position and self.contract is ContractKind.INVERSE:
            units -= position * int(state["inverse_value"]) // last
        elif position:
            units += position * last * int(state["unit_value"])
        return units / self.money_scale

    def seen(self, rules: Rules) -> GridSeen:
        """The grid as a strategy sees it."""
        price_step, size_step = self.steps(rules)
        return GridSeen(
            id=self.replay.id,
            tick_size=self.replay.tick_size,
            lot_size=self.replay.lot_size,
            price_step=price_step,
            size_step=size_step,
            has_mark=self.contents.has(EventKind.MARK_PRICE),
            has_index=self.contents.has(EventKind.INDEX_PRICE),
        )


def _whole(ratio: Decimal) -> int:
    """A tape on a coarser grid than the venue's orders bounds orders to its own."""
    return max(1, math.ceil(ratio))


def traded(replay: Replay, instruments: list[Instrument], found: list[Contents], start: int) -> list[Traded]:
    """Bring together what is known of each instrument; all that settle in one currency share its money scale."""
    scales: dict[str, int] = {}
    for settle in {instrument.settle for instrument in instruments}:
        grids = [
            ContractGrid(
                tick_size=seen.tick_size,
                lot_size=seen.lot_size,
                multiplier=instrument.rules_at(start).multiplier,
                is_inverse=instrument.kind.is_inverse,
            )
            for seen, instrument in zip(replay.instruments, instruments, strict=True)
            if instrument.settle == settle
        ]
        scales[settle] = money_scale(*grids)
    return [
        Traded(
            seen,
            instrument,
            content,
            behaviour_of(instrument.venue, instrument.kind),
            scales[instrument.settle],
        )
        for seen, instrument, content in zip(replay.instruments, instruments, found, strict=True)
    ]


def accounts_of(run: list[Traded]) -> list[tuple[str, str]]:
    """One account per venue and settle currency, in the order of first use."""
    return list(dict.fromkeys((each.instrument.venue, each.instrument.settle) for each in run))


def prepare(
    run: list[Traded], settings: BacktestSettings, start: int, bars_ns: int, samples: int = LOG_ROWS
) -> Sim:
    """Arrays of a simulation that starts at `start` (UTC ns) with nothing done yet, and room for so many `samples`."""
    venues = list(dict.fromkeys(each.behaviour.name for each in run))
    accounts = accounts_of(run)
    tables = TableBuilder()
    venue_rows = [_venue(settings, _behaviour(run, name), tables, at) for at, name in enumerate(venues)]
    tiers = [_tier_tables(each, each.instrument.rules_at(start), settings, tables) for each in run]
    sim = allocate(
        len(run),
        len(venues),
        len(accounts),
        orders=settings.orders_max,
        samples=max(samples, LOG_ROWS),
        tables=tables.build(),
        bar_states=_bar_states(len(run), bars_ns),
        bars=np.zeros(len(run), BAR_DTYPE),
    )
    for row, values in zip(sim.venues, venue_rows, strict=True):
        _write(row, values)
    for row, (_, settle) in zip(sim.accounts, accounts, strict=True):
        _write(row, _account(run, settle, settings))
    for at, (each, tier) in enumerate(zip(run, tiers, strict=True)):
        row = sim.instruments[at]
        row["venue"] = venues.index(each.behaviour.name)
        row["account"] = accounts.index((each.instrument.venue, each.instrument.settle))
        _write(row, tier)
        _write(row, _models(each, settings, at if bars_ns else -1))
        apply_rules(row, each, each.instrument.rules_at(start), settings)
    return sim


def _behaviour(run: list[Traded], name: str) -> VenueBehaviour:
    return next(each.behaviour for each in run if each.behaviour.name == name)


def _write(row: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        row[name] = value


def _bar_states(count: int, bars_ns: int) -> Any:
    states = np.zeros(count, BAR_STATE_DTYPE)
    states["kind"] = BarKind.TIME
    states["threshold"] = bars_ns
    return states


def _venue(
    settings: BacktestSettings, behaviour: VenueBehaviour, tables: TableBuilder, number: int
) -> dict[str, Any]:
    values: dict[str, Any] = _latency(settings.latency, tables)
    values["random"] = np.uint64((settings.seed * 0x9E3779B97F4A7C15 + number) % 2**64)
    if settings.rate_limits:
        values["rate_limit"] = behaviour.order_rate_limit
        values["rate_window_ns"] = behaviour.window_ns
        values["rate_at"] = tables.add_rate_ring(behaviour.order_rate_limit)
        values["cancels_count"] = behaviour.cancels_count
    return values


def _latency(latency: LatencySettings, tables: TableBuilder) -> dict[str, Any]:
    values: dict[str, Any] = {
        "latency_model": latency.model,
        "entry_ns": latency.entry_ns,
        "response_ns": latency.response_ns,
        "log_mean": math.log(latency.median_ns),
        "log_sigma": latency.sigma,
        "memory_ns": latency.memory_ns,
    }
    if latency.model is LatencyModel.MEASURED and latency.series is not None:
        series = latency.series
        values["series_at"] = tables.add_latency_series(series[:, 0], series[:, 1], series[:, 2])
        values["series_rows"] = len(series)
    return values


def _account(run: list[Traded], settle: str, settings: BacktestSettings) -> dict[str, Any]:
    scale = next(each.money_scale for each in run if each.instrument.settle == settle)
    return {
        "wallet": int(settings.initial_cash * scale),
        "margin_mode": settings.margin_mode,
        "leverage": int(settings.leverage * 100),
    }


def _tier_tables(
    each: Traded, rules: Rules, settings: BacktestSettings, tables: TableBuilder
) -> dict[str, int]:
    """Offsets of the tier tables that are in force: fees unless the settings replace them, margin for derivatives."""
    values: dict[str, int] = {}
    if settings.maker_fee is None and settings.taker_fee is None and len(rules.fee_tiers) > 1:
        values["fee_tiers_at"] = tables.add_fee_tiers(rules.fee_tiers, each.money_scale)
    if settings.margin_mode is not MarginMode.NONE and rules.margin_tiers:
        values["margin_tiers_at"] = tables.add_margin_tiers(rules.margin_tiers, each.money_scale)
    return values


def _models(each: Traded, settings: BacktestSettings, bar_builder: int) -> dict[str, Any]:
    thin = each.contents.source >= PriceSource.TRADES
    return {
        "contract": each.contract,
        "source": each.contents.source,
        "lots_per_unit": float(1 / each.replay.lot_size),
        "tick_size": float(each.replay.tick_size),
        "ticks_per_unit": float(steps_per_unit(each.replay.tick_size)),
        "fine_per_tick": int(each.replay.tick_size * _E8),
        "kinds_mask": sum(1 << kind for kind in each.behaviour.order_kinds),
        "flags_mask": int(each.behaviour.order_flags),
        "triggers_mask": sum(1 << price for price in each.behaviour.trigger_prices),
        "has_gtd": each.behaviour.has_gtd,
        "decrease_keeps_queue": each.behaviour.decrease_keeps_priority,
        "amend_below_filled_cancels": each.behaviour.amend_below_filled_cancels,
        "reduce_only_rejects": each.behaviour.reduce_only is ReduceOnlyRule.REJECT,
        "hedge_mode": _hedge_mode(each, settings),
        "has_mark": each.contents.has(EventKind.MARK_PRICE),
        "has_index": each.contents.has(EventKind.INDEX_PRICE),
        "no_partial_fill": settings.no_partial_fill,
        "queue_model": settings.queue_model,
        "queue_power": settings.queue_power,
        "bar_fill_at_close": settings.bar_fill_at_close,
        "slippage_e8": int(settings.bar_slippage * _E8) if thin else 0,
        "impact_model": settings.impact_model,
        "impact_a": settings.impact_a,
        "impact_b": settings.impact_b,
        "bar_builder": bar_builder,
    }


def _hedge_mode(each: Traded, settings: BacktestSettings) -> bool:
    if settings.hedge_mode and not each.behaviour.has_hedge_mode:
        raise ConfigurationError(
            f"{each.replay.id}: {each.behaviour.name} has no hedge mode; leave hedge_mode off"
        )
    return settings.hedge_mode


def apply_rules(row: Any, each: Traded, rules: Rules, settings: BacktestSettings) -> None:
    """Write the rules in force into an instrument's record; called again when they change during a run."""
    grid = each.grid(rules)
    value = unit_value(grid, each.money_scale)
    row["unit_value"] = 0 if grid.is_inverse else value
    row["inverse_value"] = value if grid.is_inverse else 0
    row["price_step"], row["size_step"] = each.steps(rules)
    maker, taker = _fees(rules, settings)
    row["maker_e8"] = to_rate_e8(maker)
    row["taker_e8"] = to_rate_e8(taker)
    _write(row, _limits(each, rules) if settings.venue_checks else _no_limits())


def _fees(rules: Rules, settings: BacktestSettings) -> tuple[Decimal, Decimal]:
    first = rules.fee_tiers[0] if rules.fee_tiers else None
    maker = settings.maker_fee if settings.maker_fee is not None else (first.maker if first else Decimal(0))
    taker = settings.taker_fee if settings.taker_fee is not None else (first.taker if first else Decimal(0))
    return maker, taker


def _limits(each: Traded, rules: Rules) -> dict[str, int]:
    lot = each.replay.lot_size
    protection = each.behaviour.market_protection_ratio
    band = rules.price_band if each.behaviour.has_price_band else None
    return {
        "size_min": int(rules.min_size / lot) if rules.min_size else 1,
        "size_max": int(rules.max_size / lot) if rules.max_size else 0,
        "size_market_max": int(rules.max_market_size / lot) if rules.max_market_size else 0,
        "notional_min": int(rules.min_notional * each.money_scale) if rules.min_notional else 0,
        "band_up_e8": int(band.up * _E8) if band else 0,
        "band_down_e8": int(band.down * _E8) if band else 0,
        "protective_e8": int(protection * _E8) if protection else 0,
        "orders_max": each.behaviour.max_open_orders or _NO_LIMIT,
    }


def _no_limits() -> dict[str, int]:
    names = (
        "size_max",
        "size_market_max",
        "notional_min",
        "band_up_e8",
        "band_down_e8",
        "protective_e8",
    )
    return {"size_min": 1, "orders_max": _NO_LIMIT, **dict.fromkeys(names, 0)}
