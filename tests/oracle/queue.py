"""The queue models as their sources write them down, over plain floats."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class Place:
    """Where an order stands: units in front, and units traded since the level last changed."""

    front: float = 0.0
    traded: float = 0.0


def join(place: Place, level: float) -> None:
    place.front, place.traded = level, 0.0


def trade(place: Place, size: float) -> None:
    place.front -= size
    place.traded += size


def depth_risk_averse(place: Place, after: float) -> None:
    place.front = min(place.front, after)


def depth_by_probability(place: Place, model: str, power: float, before: float, after: float) -> None:
    decrease = before - after - place.traded
    place.traded = 0.0
    if decrease < 0.0:
        place.front = min(place.front, after)
        return
    back = before - place.front
    behind = share_behind(model, power, place.front, back)
    estimate = place.front - (1.0 - behind) * decrease + min(back - behind * decrease, 0.0)
    place.front = after if math.isnan(estimate) else min(estimate, after)


def share_behind(model: str, power: float, front: float, back: float) -> float:
    behind, ahead = weight(model, power, back), weight(model, power, front)
    total = behind + ahead
    if math.isnan(total) or (total == 0.0 and behind == 0.0):
        return math.nan
    return 1.0 if total == 0.0 or math.isinf(behind / total) else behind / total


def weight(model: str, power: float, size: float) -> float:
    if model == "log":
        return math.log(1.0 + size) if size > -1.0 else math.nan
    return math.pow(size, power) if size >= 0.0 or power.is_integer() else math.nan


def reached(place: Place, lot: float) -> int:
    """Lots past the place, half a lot counting as one; then the order is first."""
    past = -place.front / lot
    if past < 0.5:
        return 0
    place.front = 0.0
    return math.floor(past + 0.5)
