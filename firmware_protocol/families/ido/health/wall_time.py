"""Dates and moments of records as wall seconds."""

from datetime import UTC, date, datetime
from typing import Final

from firmware_protocol.errors import DecodeError

DAY_S: Final = 86_400
LONGEST_DAY_S: Final = 2 * DAY_S  # a record's items may run past midnight, never further
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
# a clock that lost its time begins in 1970 at the earliest; unsigned seconds end in 2106
_YEARS: Final = range(1970, 2106)


def day_wall_s(year: int, month: int, day: int) -> int:
    """Return the wall seconds of a day's beginning.

    Raises:
        DecodeError: there is no such day.
    """
    try:
        ordinal = date(year, month, day).toordinal()
    except ValueError:
        raise DecodeError("the date is not a day of the calendar") from None
    if year not in _YEARS:
        raise DecodeError("the date's year is out of range")
    return (ordinal - _EPOCH_DAY) * DAY_S


def moment_wall_s(year: int, month: int, day: int, hour: int, minute: int, second: int = 0) -> int:
    """Return the wall seconds of a moment.

    Raises:
        DecodeError: there is no such moment.
    """
    if hour > 23 or minute > 59 or second > 59:
        raise DecodeError("the time is not a time of day")
    return day_wall_s(year, month, day) + hour * 3600 + minute * 60 + second


def wall_text(wall_s: int) -> str:
    """Write a moment of the watch's wall clock for a key."""
    return datetime.fromtimestamp(wall_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")
