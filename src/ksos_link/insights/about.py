"""What is known around the samples: the wearer, the local time, when a watch was last read."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum, unique
from typing import Final

from firmware_protocol.samples import Value
from firmware_protocol.settings import Goal, Wearer
from ksos_link.insights.energy import Body
from ksos_link.insights.figure import Figure, absent
from ksos_link.insights.heart import Span, age_years

Row = tuple[Value, ...]  # fields as `Metric.row_names` says
Chunks = Iterable[Sequence[Row]]
Reader = Callable[[str, int, int], Chunks]  # metric, start, end: what starts in [start, end)
Clock = Callable[[int], int]  # a UTC second: how far local time was ahead of UTC then

DAY_S: Final = 86_400
_EPOCH: Final = date(1970, 1, 1)


@unique
class Absence(StrEnum):
    """Why a day or a stretch of it has no readings of something, in plain words."""

    TO_COME = "this time is still to come"
    NOT_READ = "the watch was not read since"
    NEVER = "no watch has ever given this"
    NOT_WORN = "no watch was worn, or it recorded nothing"
    NOT_MEASURED = "a watch was worn, but it did not measure this"
    NO_WORKOUT = "no workout was recorded"


@dataclass(frozen=True, slots=True)
class About:
    """All that figures need beside samples; None is what nobody said.

    `read_until_utc_s` is when a watch was last read, `known` are the metrics that have samples at
    all, at any time.
    """

    utc_offset_s: Clock
    now_utc_s: int
    wearer: Wearer | None = None
    goal: Goal | None = None
    read_until_utc_s: int | None = None
    known: frozenset[str] = frozenset()

    def body(self, on: date) -> Body:
        """Sex, age and weight on a day."""
        if self.wearer is None:
            return Body(None, None, None)
        age = age_years(self.wearer.birth_date, on)
        return Body(self.wearer.sex, age, self.wearer.weight_kg)

    def local_s(self, utc_s: int) -> int:
        """The wall clock's seconds since 1970-01-01 00:00."""
        return utc_s + self.utc_offset_s(utc_s)


@dataclass(frozen=True, slots=True)
class LocalDay:
    """A day of the wearer's calendar: of 24 hours, of 23 or 25, or of a journey."""

    date: date
    start_utc_s: int
    end_utc_s: int

    def minute_of(self, utc_s: int, about: About) -> float:
        """The wall clock at an instant, in minutes from this day's 00:00; before it negative."""
        return (about.local_s(utc_s) - (self.date - _EPOCH).days * DAY_S) / 60

    def absence(self, metric: str, about: About, *, worn: bool) -> str:
        """Why the day has no sample of a metric; `worn` where it has any of another one."""
        if self.start_utc_s >= about.now_utc_s:
            return Absence.TO_COME
        if metric not in about.known:
            return Absence.NEVER
        if worn:
            return Absence.NO_WORKOUT if metric == "workout" else Absence.NOT_MEASURED
        if about.read_until_utc_s is None or about.read_until_utc_s <= self.start_utc_s:
            return Absence.NOT_READ
        return Absence.NOT_WORN

    def no_readings(self, unit: str, metric: str, about: About, *, worn: bool) -> Figure:
        """A figure that this day has no samples for."""
        return absent(unit, self.absence(metric, about, worn=worn))


def local_days(first: date, last: date, clock: Clock) -> Iterator[LocalDay]:
    """The days from `first` to `last`, with the instants of their midnights."""
    start = _midnight_utc_s(first, clock)
    for count in range((last - first).days + 1):
        day = first + timedelta(days=count)
        end = _midnight_utc_s(day + timedelta(days=1), clock)
        yield LocalDay(day, start, end)
        start = end


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without any readings, and why."""

    start_utc_s: int
    end_utc_s: int
    reason: str


def gaps(day: LocalDay, worn: Sequence[Span], about: About, least_s: int = 3600) -> tuple[Gap, ...]:
    """The stretches of a day of an hour or more in which no watch recorded anything."""
    found: list[Gap] = []
    read_until = min(about.now_utc_s, about.read_until_utc_s or day.start_utc_s)
    edges = [start for start, _ in worn] + [day.end_utc_s]
    before = [day.start_utc_s] + [end for _, end in worn]
    for start, end in zip(before, edges, strict=True):
        for since, until, reason in (
            (start, min(end, read_until), Absence.NOT_WORN),
            (max(start, read_until), min(end, about.now_utc_s), Absence.NOT_READ),
            (max(start, about.now_utc_s), end, Absence.TO_COME),
        ):
            if until - since >= least_s:
                found.append(Gap(since, until, reason))
    return tuple(found)


def joined(spans: Iterable[Span], apart_s: int) -> tuple[Span, ...]:
    """Spans as few as possible: those that overlap or lie at most `apart_s` apart are one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start - found[-1][1] <= apart_s:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def _midnight_utc_s(day: date, clock: Clock) -> int:
    """When a local day begins; where its midnight comes twice or never, near enough to it."""
    local = (day - _EPOCH).days * DAY_S
    guess = local - clock(local)
    return local - clock(guess)
