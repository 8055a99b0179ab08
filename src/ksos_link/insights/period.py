"""A period - week, month, year - by the figures of its days, against the period before."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Final

from ksos_link.insights.about import About
from ksos_link.insights.calendar import Period
from ksos_link.insights.day import DaySummary
from ksos_link.insights.figure import Figure, absent, total
from ksos_link.insights.heart import Span
from ksos_link.insights.measures import MEASURES, Measure
from ksos_link.insights.sleep import (
    ADULT_NEED_MIN,
    DAY_MIN,
    mean_time_of_day,
    regularity_index,
    sleep_debt,
)
from ksos_link.insights.wellbeing import temperature_change

_DEBT_NIGHTS: Final = 14
_NO_SUM: Final = "days of it do not add up to anything"
_NO_DAYS: Final = "there are no days"
_UNFINISHED: Final = "no day with it is over and read to its end"


@dataclass(frozen=True, slots=True)
class Change:
    """How the mean of a day differs from the period before: by how much, and by what part."""

    difference: Figure
    percent: Figure


@dataclass(frozen=True, slots=True)
class PeriodFigure:
    """One measure over a period.

    `mean`, `least`, `most` and `change` are those of the `days` that have it, without days that are
    not over or not read to their end, where the measure still grows in them. `total` is of all.
    """

    measure: Measure
    days: int
    total: Figure
    mean: Figure
    least: Figure
    most: Figure
    least_on: date | None
    most_on: date | None
    change: Change


@dataclass(frozen=True, slots=True)
class MissingDays:
    """Days in a row without any readings, and why."""

    first: date
    last: date
    reason: str


@dataclass(frozen=True, slots=True)
class PeriodSummary:
    """A period. `measures` are named as in `MEASURES`; `figures` are those of the whole of it.

    These are `regularity_sri`, `sleep_debt_min` (of its last fourteen nights), `days_recorded` and
    `night_temperature_change_c` (of its last night with one, against those before).
    """

    period: Period
    days: tuple[DaySummary, ...]
    measures: Mapping[str, PeriodFigure]
    figures: Mapping[str, Figure]
    missing: tuple[MissingDays, ...]


def period_summary(
    period: Period, days: Sequence[DaySummary], before: Sequence[DaySummary], about: About
) -> PeriodSummary:
    """Sum up the days of a period, in their order; `before` are those of the period before."""
    earlier = {name: _over(measure, before, None) for name, measure in MEASURES.items()}
    measures = {name: _over(one, days, earlier[name]) for name, one in MEASURES.items()}
    recorded = sum(bool(day.recorded) for day in days)
    lived = [day for day in days if day.day.start_utc_s < about.now_utc_s]
    nights = [day.figures["asleep_min"] for day in lived[-_DEBT_NIGHTS:]]
    need = about.goal.sleep_min if about.goal and about.goal.sleep_min else ADULT_NEED_MIN
    figures = {
        "days_recorded": Figure(recorded, "days", len(days)),
        "regularity_sri": _regularity(days, about),
        "sleep_debt_min": sleep_debt(nights, need),
        "night_temperature_change_c": _temperature_change(days, before),
    }
    return PeriodSummary(period, tuple(days), measures, figures, _missing(days))


def compared(measure: Measure, now: Figure, before: Figure | None) -> Change:
    """Set a mean against that of the period before."""
    if before is None or before.value is None:
        reason = "there is no period before" if before is None else str(before.reason)
        reason = f"nothing to compare with: {reason}"
        return Change(absent(measure.unit, reason), absent("%", reason))
    if now.value is None:
        return Change(now, absent("%", str(now.reason)))
    difference = now.value - before.value
    readings = now.readings + before.readings
    if measure.clock:  # from 23:50 to 00:10 is twenty minutes
        difference = (difference + DAY_MIN / 2) % DAY_MIN - DAY_MIN / 2
        percent = absent("%", "a time of day has no parts", readings)
    elif before.value == 0:
        percent = absent("%", "it was nothing before", readings)
    else:
        percent = Figure(100 * difference / abs(before.value), "%", readings)
    return Change(Figure(difference, measure.unit, readings), percent)


def _over(
    measure: Measure, days: Sequence[DaySummary], before: PeriodFigure | None
) -> PeriodFigure:
    known = [
        (figure.value, day.day.date, figure.readings)
        for day in days
        if (figure := day.figures[measure.name]).value is not None
        and (day.complete or not measure.grows)
    ]
    sum_of = _total(measure, days)
    if not known:
        none = absent(measure.unit, _why_none(measure, days))
        change = compared(measure, none, None if before is None else before.mean)
        return PeriodFigure(measure, 0, sum_of, none, none, none, None, None, change)
    values = [value for value, _, _ in known]
    mean = _mean(measure, values, sum(count for *_, count in known))
    least, most = min(known, key=lambda one: one[0]), max(known, key=lambda one: one[0])
    return PeriodFigure(
        measure,
        len(known),
        sum_of,
        mean,
        Figure(least[0], measure.unit, least[2]),
        Figure(most[0], measure.unit, most[2]),
        least[1],
        most[1],
        compared(measure, mean, None if before is None else before.mean),
    )


def _total(measure: Measure, days: Sequence[DaySummary]) -> Figure:
    if not measure.adds:
        return absent(measure.unit, _NO_SUM)
    figures = [day.figures[measure.name] for day in days]
    return total(figures, measure.unit, _why_none(measure, days))


def _why_none(measure: Measure, days: Sequence[DaySummary]) -> str:
    """The reason that most days have, of those with readings where there are any."""
    worn = [day for day in days if day.recorded] or days
    reasons = Counter(day.figures[measure.name].reason or _UNFINISHED for day in worn)
    return reasons.most_common(1)[0][0] if reasons else _NO_DAYS


def _mean(measure: Measure, values: Sequence[float], readings: int) -> Figure:
    if not measure.clock:
        return Figure(sum(values) / len(values), measure.unit, readings, method="mean of days")
    return mean_time_of_day(values)


def _regularity(days: Sequence[DaySummary], about: About) -> Figure:
    sleeps = [
        span
        for day in days
        for one in (day.night.sleep, *day.night.naps)
        if one is not None
        for span in one.asleep
    ]
    if not sleeps:
        return absent("SRI", "no sleep was recorded")
    recorded = [span for day in days for span in day.recorded]
    return regularity_index(_local(sleeps, about), _local(recorded, about))


def _temperature_change(days: Sequence[DaySummary], before: Sequence[DaySummary]) -> Figure:
    nights = [day.figures["night_temperature_c"] for day in (*before, *days)]
    while nights and nights[-1].value is None and len(nights) > len(before) + 1:
        nights.pop()
    return temperature_change(nights[-1], nights[:-1]) if days else absent("°C", _NO_DAYS)


def _local(spans: Iterable[Span], about: About) -> list[Span]:
    return [(about.local_s(start), about.local_s(end)) for start, end in spans]


def _missing(days: Sequence[DaySummary]) -> tuple[MissingDays, ...]:
    """Days in a row for one and the same reason, as one."""
    found = []
    for reason, group in groupby(days, key=_reason):
        if reason is not None:
            dates = [day.day.date for day in group]
            found.append(MissingDays(dates[0], dates[-1], reason))
    return tuple(found)


def _reason(day: DaySummary) -> str | None:
    if day.recorded or day.night.sleep is not None:
        return None
    return max(day.gaps, key=lambda gap: gap.end_utc_s - gap.start_utc_s).reason
