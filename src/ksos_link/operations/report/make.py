"""Put a report together: the days of a period, the period before, and what they come to."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from firmware_protocol.sports import ksos_sport
from ksos_link.errors import UsageError
from ksos_link.insights.about import About, Reader, local_days
from ksos_link.insights.calendar import Kind, Period, period_of
from ksos_link.insights.day import DaySummary, day_summary
from ksos_link.insights.figure import Figure
from ksos_link.insights.medals import Award, Day, awards, medals
from ksos_link.insights.period import PeriodSummary, period_summary
from ksos_link.insights.week import WeekSummary, week_summary
from ksos_link.operations.cycle import predict
from ksos_link.operations.report.lines import MOVEMENT, SECTIONS, rings, section_lines
from ksos_link.operations.report.model import Chart, Missing, Report, Section, WorkoutLine
from ksos_link.operations.report.series import day_charts, period_charts, week_grid
from ksos_link.operations.report.source import LONG_BLOCK_S, ColumnReader, Ground, ground
from ksos_link.store.database import Store
from ksos_link.store.devices import Device

_DAY: Final = timedelta(days=1)
_DAY_S: Final = 86_400
_FIRST_YEAR, _LAST_YEAR = 1971, 2099
# what no medal is earned by, and takes most of the time
_NOT_FOR_MEDALS: Final = frozenset({"spo2", "stress", "temperature", "noise", "rr_interval"})


def make_report(
    store: Store, kind: Kind, day: date | None, device: Device | None, now_utc_s: int
) -> Report:
    """Make the report of the period that a day lies in; without one, of the newest readings.

    Of one watch, or of all of them as one wearer's.

    Raises:
        UsageError: the day is out of range.
    """
    known = ground(store, device, now_utc_s)
    chosen = day or known.newest or known.local(now_utc_s).date()
    if not _FIRST_YEAR <= chosen.year <= _LAST_YEAR:
        raise UsageError("That day is out of range.", f"Years: {_FIRST_YEAR} to {_LAST_YEAR}.")
    period = period_of(kind, chosen, known.units.week_start)
    read = ColumnReader(
        store,
        device.device_id if device else None,
        known.about.known,
        _DAY_S if kind is Kind.DAY else LONG_BLOCK_S,
    )
    before = _days_with_data(period.before(), known, read)
    days = _days(period, known, read)
    of = period_summary(period, days, before, known.about)
    week = week_summary(period, days, before, known.about) if kind is Kind.WEEK else None
    return Report(
        period,
        known.devices,
        _local(known.about.read_until_utc_s, known),
        known.units,
        rings(of, known.about.goal),
        _sections(of, before, week, read, known.about),
        _workouts(days, known),
        None if kind is Kind.DAY else _medals(period, known, [*before, *days], store, device),
        predict(known.cycle, period.first) if known.cycle is not None else None,
        _missing(of, known),
    )


def _days(period: Period, known: Ground, read: Reader) -> list[DaySummary]:
    clock = known.about.utc_offset_s
    return [
        day_summary(day, read, known.about) for day in local_days(period.first, period.last, clock)
    ]


def _days_with_data(period: Period, known: Ground, read: Reader) -> list[DaySummary]:
    """The days from the first one on that has any reading."""
    if known.oldest is None or known.oldest > period.last:
        return []
    since = max(period.first, known.oldest)
    return _days(Period(period.kind, since, period.last), known, read)


def _sections(
    of: PeriodSummary,
    before: Sequence[DaySummary],
    week: WeekSummary | None,
    read: Reader,
    about: About,
) -> tuple[Section, ...]:
    whole: Mapping[str, Figure] = {}
    if of.period.kind is not Kind.DAY:
        whole = {**of.figures, **(week.figures if week else {})}
    found = []
    for name, (title, _) in SECTIONS.items():
        charts = _charts(name, of, week, read, about)
        found.append(Section(name, title, section_lines(name, of, before, whole), charts))
    return tuple(found)


def _charts(
    name: str, of: PeriodSummary, week: WeekSummary | None, read: Reader, about: About
) -> tuple[Chart, ...]:
    if of.period.kind is Kind.DAY:
        return day_charts(name, of.days[0], read, about)
    goal = about.goal.steps if about.goal else None
    charts = period_charts(name, of.days, of.period, goal)
    if week is not None and name == MOVEMENT and charts:
        return (*charts, week_grid(week))
    return charts


def _workouts(days: Sequence[DaySummary], known: Ground) -> tuple[WorkoutLine, ...]:
    return tuple(
        WorkoutLine(_sport_title(one.sport), known.local(one.start_utc_s), one)
        for day in days
        for one in day.workouts
    )


def _sport_title(name: str) -> str:
    sport = ksos_sport(name)
    return sport.title if sport else name.replace("_", " ")


def _medals(
    period: Period, known: Ground, days: Sequence[DaySummary], store: Store, device: Device | None
) -> tuple[Award, ...]:
    """Those of the period; all days since the first reading count, as each is earned once."""
    history: list[Day] = [(day.day.date, day.figures) for day in days]
    first = days[0].day.date
    if known.oldest is not None and known.oldest < first:
        read = ColumnReader(
            store,
            device.device_id if device else None,
            known.about.known - _NOT_FOR_MEDALS,
            LONG_BLOCK_S,
        )
        earlier = local_days(known.oldest, first - _DAY, known.about.utc_offset_s)
        history += [(day.date, day_summary(day, read, known.about).figures) for day in earlier]
    return tuple(award for award in awards(history, medals()) if award.on >= period.first)


def _missing(of: PeriodSummary, known: Ground) -> tuple[Missing, ...]:
    """A day's gaps; of longer periods the days without any reading."""
    if of.period.kind is not Kind.DAY:
        return tuple(
            Missing(_midnight(one.first), _midnight(one.last + _DAY), one.reason)
            for one in of.missing
        )
    return tuple(
        Missing(known.local(gap.start_utc_s), known.local(gap.end_utc_s), gap.reason)
        for gap in of.days[0].gaps
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def _local(utc_s: int | None, known: Ground) -> datetime | None:
    return None if utc_s is None else known.local(utc_s)
