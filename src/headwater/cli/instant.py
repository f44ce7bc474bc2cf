"""Instants as people write them: ``2024-08-08T23:55``, UTC unless an offset is given."""

from __future__ import annotations

from datetime import UTC, datetime

from headwater.domain.errors import ConfigurationError


def parse_instant(text: str | None) -> int | None:
    """UTC nanoseconds of ISO text, None of None; ConfigurationError when it is no time."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(
            f"expected a time such as 2024-08-08T23:55, found {text!r}; write it in UTC"
        ) from error
    whole = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = whole - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1_000
