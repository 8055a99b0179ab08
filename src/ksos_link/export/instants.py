"""Instants in writing, as the wearer lived them: local time with its offset from UTC."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from ksos_link.export.source import Source

_DAY_S: Final = 86400
_EPOCH: Final = date(1970, 1, 1)
_MINUTES: Final = tuple(f"{hour:02}:{minute:02}:" for hour in range(24) for minute in range(60))
_SECONDS: Final = tuple(f"{second:02}" for second in range(60))
LocalIso = Callable[[str, int], str]


def iso_text(utc_s: int, utc_offset_s: int) -> str:
    """Return `2026-11-22T08:05:00+01:00`.

    An offset that is no whole minute is written as the nearest one; the instant stays the same.
    """
    offset_min = round(utc_offset_s / 60)
    day, second = divmod(utc_s + offset_min * 60, _DAY_S)
    return (
        f"{_day_text(day)}T{_MINUTES[second // 60]}{_SECONDS[second % 60]}{offset_text(offset_min)}"
    )


def utc_text(utc_s: int) -> str:
    """Return `2026-11-22T07:05:00Z`."""
    day, second = divmod(utc_s, _DAY_S)
    return f"{_day_text(day)}T{_MINUTES[second // 60]}{_SECONDS[second % 60]}Z"


@lru_cache(maxsize=256)
def offset_text(offset_min: int) -> str:
    """Return `+01:00` for 60 minutes ahead of UTC."""
    hours, minutes = divmod(abs(offset_min), 60)
    return f"{'-' if offset_min < 0 else '+'}{hours:02}:{minutes:02}"


def local_iso(source: Source) -> LocalIso:
    """What writes an instant of a device in local time: (alias, UTC second) to text."""
    offset_of = source.utc_offset_s

    def written(alias: str, utc_s: int) -> str:
        return iso_text(utc_s, offset_of(alias, utc_s))

    return written


def local_day(source: Source, alias: str, utc_s: int) -> int:
    """The number of the local day since 1970 in which an instant lies."""
    return (utc_s + source.utc_offset_s(alias, utc_s)) // _DAY_S


def day_bounds(source: Source, alias: str, day: int) -> tuple[int, int]:
    """The UTC seconds at which a local day begins and ends, be it of 23 or 25 hours."""
    return _midnight_utc_s(source, alias, day), _midnight_utc_s(source, alias, day + 1)


def _midnight_utc_s(source: Source, alias: str, day: int) -> int:
    guess = day * _DAY_S
    for _ in range(2):  # the offset at the guess, then the one at the midnight it leads to
        guess = day * _DAY_S - source.utc_offset_s(alias, guess)
    return guess


@lru_cache(maxsize=64)
def _day_text(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()
