"""Parameters of a strategy: a default, a range, a type; checked when set, and read by whoever tunes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar

from headwater.domain.errors import ConfigurationError, OffGridError
from headwater.domain.grid import is_on_grid, neighbours

Number = TypeVar("Number", int, float)


SIZE_LOW: Final = 1e-12
SIZE_HIGH: Final = 1e12


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number with a range.

    Attributes
    ----------
    default : used when nothing else is said; its type (int or float) is the parameter's type
    low, high : both inclusive
    is_size : counts in units of the instrument, so it must be a multiple of the venue's size step
    """

    default: int | float
    low: int | float
    high: int | float
    is_size: bool = False

    def __post_init__(self) -> None:
        if not self.low <= self.default <= self.high:
            raise ValueError(f"default must lie in [{self.low}, {self.high}], was {self.default}")

    def parse(self, name: str, value: object) -> int | float:
        """`value`, a number or text, as this parameter; ConfigurationError says what it wants."""
        try:
            number = self._number(value)
        except (TypeError, ValueError, OverflowError):
            kind = "a whole number" if isinstance(self.default, int) else "a number"
            raise ConfigurationError(f"parameter {name} must be {kind}, was {value!r}") from None
        if not self.low <= number <= self.high:
            raise ConfigurationError(f"parameter {name} must lie in [{self.low}, {self.high}], was {number}")
        return number

    def _number(self, value: object) -> int | float:
        if isinstance(value, bool):
            raise TypeError
        number = float(value)  # type: ignore[arg-type]
        if not math.isfinite(number):
            raise ValueError
        if isinstance(self.default, int):
            if number != int(number):
                raise ValueError
            return int(number)
        return number


def param(default: Number, *, low: Number, high: Number) -> Number:
    """Declare a parameter of a strategy class: ``fast: int = param(10, low=2, high=200)``."""
    return Parameter(default, low, high)  # type: ignore[return-value]


def size_param(default: float) -> float:
    """Declare a parameter that is an order size or a position, in units of the instrument."""
    return Parameter(default, SIZE_LOW, SIZE_HIGH, is_size=True)  # type: ignore[return-value]


def size_parameter(default: float) -> Parameter:
    """The same for a compiled strategy; ``intents.lots`` turns its value into lots."""
    return Parameter(default, SIZE_LOW, SIZE_HIGH, is_size=True)


def resolve(declared: Mapping[str, Parameter], given: Mapping[str, object], owner: str) -> dict[str, Any]:
    """Values of all `declared` parameters, from `given` or their defaults.

    Raises
    ------
    ConfigurationError : a name is not declared (all that are get named), or a value does not fit
    """
    for name in given:
        if name not in declared:
            known = ", ".join(declared) or "none"
            raise ConfigurationError(f"{owner} has no parameter {name!r}; it has: {known}")
    return {
        name: parameter.parse(name, given[name]) if name in given else parameter.default
        for name, parameter in declared.items()
    }


def check_sizes(
    declared: Mapping[str, Parameter], values: Mapping[str, Any], instrument: str, step: Decimal
) -> None:
    """Refuse a size that `instrument`, with orders in multiples of `step`, cannot trade.

    Raises
    ------
    OffGridError : names the parameter and the nearest valid sizes
    """
    for name, parameter in declared.items():
        size = Decimal(str(values[name]))
        if parameter.is_size and not is_on_grid(size, step):
            low, high = neighbours(size, step)
            valid = f"the nearest are {low} and {high}" if low else f"the smallest is {high}"
            raise OffGridError(
                f"parameter {name} must be a multiple of {step} for {instrument}, was {size}; {valid}"
            )
