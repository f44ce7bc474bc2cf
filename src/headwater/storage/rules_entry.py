"""A rules file as tables whose errors name file, key, what was expected and what was found."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from headwater.domain.errors import ConfigurationError
from headwater.domain.identity import UnixNanos

FORMAT: Final = 1
SECTIONS: Final = ("fees", "margin", "family", "instrument")


class Entry:
    """One table of a rules file, with what its errors name."""

    def __init__(self, file: str, key: str, values: Mapping[str, Any]) -> None:
        self.file, self.key, self.values = file, key, values

    def refuse(self, key: str, expected: str, found: object) -> NoReturn:
        """ConfigurationError naming file, key, expectation and finding."""
        raise ConfigurationError(f"{self.file}: {self.key}.{key}: expected {expected}, was {found!r}")

    @contextmanager
    def naming_errors(self) -> Iterator[None]:
        """Turn a ValueError of what is built inside into one that names file and key."""
        try:
            yield
        except ValueError as error:
            raise ConfigurationError(f"{self.file}: {self.key}: {error}") from None

    def require(self, key: str) -> NoReturn:
        """ConfigurationError: the key is missing."""
        self.refuse(key, "a value", self.values.get(key))

    def expect_keys(self, known: Iterable[str]) -> None:
        """ConfigurationError naming the first unknown key and its nearest known one."""
        for key in self.values:
            if key not in known:
                self.refuse(key, f"one of {', '.join(known)}{near(key, known)}", self.values[key])

    def text(self, key: str, *, optional: bool = False) -> str | None:
        """A non-empty string."""
        value = self.values.get(key)
        if value is None and optional:
            return None
        if not isinstance(value, str) or not value:
            self.refuse(key, "text in quotes", value)
        return value

    def decimal(self, key: str) -> Decimal | None:
        """A decimal in quotes, or None when absent."""
        value = self.values.get(key)
        return None if value is None else self._decimal(key, value)

    def whole(self, key: str) -> int | None:
        """A whole number, or None when absent."""
        value = self.values.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            self.refuse(key, "a whole number", value)
        return value

    def instant(self, key: str) -> UnixNanos | None:
        """A date (00:00 UTC) or a date-time with offset as UTC ns, or None when absent."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, date) or (isinstance(value, datetime) and value.tzinfo is None):
            self.refuse(key, "a date (2024-08-08) or a date-time with offset (2024-08-08T23:00:00Z)", value)
        return _nanos(value if isinstance(value, datetime) else datetime.combine(value, time(), UTC))

    def rows(self, key: str, width: int) -> list[list[Decimal | None]]:
        """A list of lists of `width` decimals; "" reads as None."""
        rows = self.values.get(key)
        if not isinstance(rows, list) or not rows:
            self.refuse(key, "a list of rows", rows)
        for row in rows:
            if not isinstance(row, list) or len(row) != width:
                self.refuse(key, f"rows of {width} decimals in quotes", row)
        return [[None if cell == "" else self._decimal(key, cell) for cell in row] for row in rows]

    def _decimal(self, key: str, value: object) -> Decimal:
        number = _parse(value)
        if number is None:
            self.refuse(key, 'a decimal in quotes such as "0.01"', value)
        return number


class RulesFile:
    """A rules file as parsed: its venue and its tables."""

    def __init__(self, name: str, data: Mapping[str, Any]) -> None:
        self.name = name
        self._data = data
        top = Entry(name, "top level", data)
        top.expect_keys(("format", "venue", *SECTIONS))
        if data.get("format") != FORMAT:
            top.refuse(
                "format", f"{FORMAT}; a newer file needs a newer version of headwater", data.get("format")
            )
        self.venue = top.text("venue") or ""
        if self.venue != self.venue.upper() or "." in self.venue:
            top.refuse("venue", "upper case without dots", self.venue)

    def section(self, section: str) -> Mapping[str, Mapping[str, Any]]:
        """The tables of a section by name."""
        tables = self._data.get(section, {})
        if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
            Entry(self.name, "top level", self._data).refuse(section, f"tables [{section}.NAME]", tables)
        return tables


def read_rules_file(path: Any, name: str) -> RulesFile:
    """Parse a rules file; ConfigurationError when it cannot be read or is not TOML."""
    try:
        return RulesFile(name, tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: expected a rules file in TOML, found {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: expected a readable rules file, found {error}") from None


def near(word: str, known: Iterable[str]) -> str:
    """A question that names the known words most like `word`, or nothing."""
    close = difflib.get_close_matches(word, list(known), n=3, cutoff=0.5)
    return f"; did you mean {', '.join(close)}?" if close else ""


def _nanos(moment: datetime) -> UnixNanos:
    span = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return UnixNanos((span.days * 86_400 + span.seconds) * 1_000_000_000 + span.microseconds * 1_000)


def _parse(value: object) -> Decimal | None:
    try:
        return Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        return None
