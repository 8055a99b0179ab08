"""Values as XML of the exchange formats wants them."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

_DAY_S: Final = 86_400
_MINUTES: Final = tuple(f"T{hour:02}:{minute:02}:" for hour in range(24) for minute in range(60))
_SECONDS: Final = tuple(f"{second:02}Z" for second in range(60))


def utc_text(utc_s: int) -> str:
    """An instant as `2026-11-21T07:05:00Z`."""
    day, second = divmod(utc_s, _DAY_S)
    return f"{_day_text(day)}{_MINUTES[second // 60]}{_SECONDS[second % 60]}"


@lru_cache(maxsize=16)
def _day_text(day: int) -> str:
    return datetime.fromtimestamp(day * _DAY_S, UTC).date().isoformat()


def decimal_text(value: float) -> str:
    """A number without an exponent, which `xsd:decimal` does not know; exact but for tiny ones."""
    text = repr(value)
    return f"{value:.12f}" if "e" in text else text


def plain_text(text: str) -> str:
    """A text without the characters that XML cannot hold."""
    return "".join(c for c in text if c.isprintable() or c in "\t\n")
