"""Parameters of a strategy: a default, a range, a type; checked when set, and read by whoever tunes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from headwater.domain.errors import ConfigurationError

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number with a range.

    Attributes
    ----------
    default : used when nothing else is said; its type (int or float) is the parameter's type
    low, high : both inclusive
    """

    default: int | float
    low: int | float
    high: int | float

    def __post_init__(self) -> None:
        if not self.low <= self.default <= self.high:
            raise ValueError(f"default must lie in [{self.low}, {self.high}], was {self.default}")

    def parse(self, name: str, value: object) -> int | float:
        """`value` (a number, or text from the command line) as this parameter; ConfigurationError says what it wants."""
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
