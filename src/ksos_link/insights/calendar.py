"""Weeks, months and years of the wearer's calendar."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum, unique
from typing import Final

_WEEK_STARTS: Final = {"monday": 0, "saturday": 5, "sunday": 6}
_DAY: Final = timedelta(days=1)


@unique
class Kind(StrEnum):
    """How long a period is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Period:
    """Days of the calendar, first and last included."""

    kind: Kind
    first: date
    last: date

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=count) for count in range(len(self)))

    def before(self) -> "Period":
        """The period before: of the same kind, and not always of the same length."""
        if self.kind in (Kind.DAY, Kind.WEEK):
            return Period(self.kind, self.first - len(self) * _DAY, self.first - _DAY)
        return period_of(self.kind, self.first - _DAY)


def period_of(kind: Kind, day: date, week_start: str = "monday") -> Period:
    """The day, week, month or year that a day lies in; weeks begin on one of `Units.week_start`."""
    if kind is Kind.DAY:
        return Period(kind, day, day)
    if kind is Kind.WEEK:
        first = day - timedelta(days=(day.weekday() - _WEEK_STARTS[week_start]) % 7)
        return Period(kind, first, first + 6 * _DAY)
    if kind is Kind.YEAR:
        return Period(kind, date(day.year, 1, 1), date(day.year, 12, 31))
    first = day.replace(day=1)
    next_month = (first + timedelta(days=31)).replace(day=1)
    return Period(kind, first, next_month - _DAY)
