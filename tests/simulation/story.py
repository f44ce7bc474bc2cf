"""Books and reports as text: what a test says is what a person would draw.

A book is a table, best prices in the middle::

    bid | price | ask
        |   101 |   5
      3 |    99 |

What the venue told the trader is one line a report: milliseconds of the script, order, and what happened::

    4.0  #0  new
    9.0  #0  fill 3 @ 99 maker, filled
"""

from __future__ import annotations

from textwrap import dedent

from headwater.backtest.result import BacktestResult
from headwater.domain.event import EventKind, Events, PrintClass
from headwater.domain.order import FillKind, OrderStatus, Reason
from tests.simulation.scripted import MS, T0, at, reports_of
from tests.tape import events as tapes
from tests.tape.events import message


def book(milliseconds: float, table: str) -> Events:
    """A snapshot of a whole book."""
    bids: list[tuple[int, int]] = []
    asks: list[tuple[int, int]] = []
    for line in table.strip().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if cells[1] == "price":
            continue
        for side, cell in ((bids, cells[0]), (asks, cells[2])):
            if cell:
                side.append((int(cells[1]), int(cell)))
    return tapes.snapshot(at(milliseconds), bids, asks)


def level(milliseconds: float, side: int, price: int, size: int) -> Events:
    """One level of the book is now `size`."""
    return tapes.delta(at(milliseconds), (side, price, size))


def trade(
    milliseconds: float, side: int, size: int, price: int, what: PrintClass = PrintClass.NORMAL
) -> Events:
    """A print; `side` is the aggressor's."""
    printed = tapes.trade(at(milliseconds), price, size, side)
    printed["print_class"] = what
    return printed


def fact(milliseconds: float, kind: EventKind, price: int = 0, size: int = 0) -> Events:
    """A mark price, a status, a funding rate: one record of one kind."""
    return message(at(milliseconds), (kind, 0, price, size))


def mark(milliseconds: float, price: int) -> Events:
    """The mark price, in ticks of one coin."""
    return fact(milliseconds, EventKind.MARK_PRICE, price * 10**8)


def tape(*messages: Events, end: float = 100) -> Events:
    """Messages, and an instant at which everything is over."""
    return tapes.tape(*messages, fact(end, EventKind.OPEN_INTEREST))


def story(result: BacktestResult) -> list[str]:
    """What the venue told the trader, line by line."""
    waiting = list(result.fills)
    filled: dict[int, int] = {}
    lines = []
    for row in reports_of(result):
        number = int(row["order"])
        words = OrderStatus(row["status"]).name.lower().replace("_", " ")
        if row["filled"] > filled.get(number, 0):
            filled[number] = int(row["filled"])
            fill = next(each for each in waiting if each["order"] == number)
            waiting = [each for each in waiting if each is not fill]
            role = "maker" if fill["is_maker"] else "taker"
            words = f"fill {fill['size']} @ {fill['price']} {role}, {words}"
        if row["reason"] != Reason.NONE:
            words += f": {Reason(row['reason']).name.lower().replace('_', ' ')}"
        lines.append(f"{_time(int(row['ts']))}  #{number}  {words}")
    lines += [
        f"{_time(int(fill['ts_local']))}  liquidated {fill['size']} @ {fill['price']}"
        for fill in waiting
        if fill["kind"] == FillKind.LIQUIDATION
    ]
    return lines


def lines(text: str) -> list[str]:
    """The lines of an expected story."""
    return dedent(text).strip().splitlines()


def _time(ts: int) -> str:
    return f"{(ts - T0) / MS:.1f}"
