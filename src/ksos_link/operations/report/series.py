"""What the pictures of a report show: values over the hours of a day, the days of a period."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Final, cast

from firmware_protocol.samples import SleepStage
from ksos_link.insights.about import DAY_S, About, LocalDay, Reader
from ksos_link.insights.calendar import Kind, Period
from ksos_link.insights.columns import Columns, gather
from ksos_link.insights.day import DaySummary
from ksos_link.insights.figure import Figure
from ksos_link.insights.heart import ZONE_NAMES
from ksos_link.insights.week import WeekSummary
from ksos_link.operations.report.model import Bars, Chart, Curve, Grid, Piece, Stack, Stages

_HOUR_S: Final = 3600
_SLOT_S: Final = 1800
_DAY: Final = timedelta(days=1)
_STAGES: Final = ("deep", "light", "REM", "awake")
_STAGE_FIGURES: Final = ("deep_min", "light_min", "rem_min", "awake_min")
_STAGE_NAMES: Final = {
    SleepStage.AWAKE: "awake",
    SleepStage.REM: "REM",
    SleepStage.LIGHT: "light",
    SleepStage.DEEP: "deep",
}
_CURVES: Final = {
    "heart": ("heart rate", "heart_rate", "bpm", "bpm", _SLOT_S),
    "oxygen": ("oxygen saturation", "spo2", "spo2_pct", "%", _HOUR_S),
    "stress": ("stress", "stress", "stress_score", "index", _HOUR_S),
    "temperature": ("temperature", "temperature", "temperature_c", "°C", _HOUR_S),
    "sound": ("sound level", "noise", "noise_db", "dB(A)", _HOUR_S),
}
# section: title, unit, and the figures of value, least and most
_OVER_DAYS: Final = {
    "heart": ("heart rate", "bpm", "bpm_mean", "bpm_least", "bpm_most"),
    "oxygen": ("oxygen saturation", "%", "spo2_mean_pct", "spo2_least_pct", None),
    "stress": ("stress", "index", "stress_mean_score", None, "stress_most_score"),
    "temperature": ("temperature asleep", "°C", "night_temperature_c", None, None),
    "sound": ("sound level", "dB(A)", "noise_level_db", None, "noise_most_db"),
    "body": ("weight", "kg", "weight_kg", None, None),
}


def day_charts(section: str, day: DaySummary, read: Reader, about: About) -> tuple[Chart, ...]:
    """The pictures of one day."""
    found: list[Chart] = []
    if section == "movement" and any(count is not None for count in day.steps_by_hour):
        labels = _clock_labels(day.day, _HOUR_S, about)
        found.append(Bars("steps by the hour", "steps", labels, day.steps_by_hour))
    if section == "sleep" and day.night.sleep is not None:
        found.append(Stages("stages of the night", _pieces(day, read, about)))
    if section in _CURVES:
        title, metric, column, unit, slot_s = _CURVES[section]
        samples = gather(read, metric, day.day.start_utc_s, day.day.end_utc_s)
        if len(samples):
            found.append(_curve(title, unit, samples, column, day.day, slot_s, about))
    if section == "heart":
        found += _zones([day], ("",))
    return tuple(found)


def period_charts(
    section: str, days: Sequence[DaySummary], period: Period, goal_steps: int | None
) -> tuple[Chart, ...]:
    """The pictures of a week or a month by the day, of a year by the month."""
    groups, labels = _groups(days, period.kind)
    found: list[Chart] = []
    if section == "movement":
        steps = _means(groups, "steps")
        by = "steps a day" if period.kind is Kind.YEAR else "steps"
        found.append(Bars(by, "steps", labels, steps, goal_steps))
        if period.kind is Kind.YEAR:
            found.append(_calendar(days, period))
    if section == "sleep":
        parts = tuple(_means(groups, name) for name in _STAGE_FIGURES)
        found.append(Stack("stages of sleep", "min", labels, _STAGES, parts))
    if section == "heart":
        found.append(Curve("resting heart rate", "bpm", labels, _means(groups, "resting_bpm")))
    if section in _OVER_DAYS:
        title, unit, middle, least, most = _OVER_DAYS[section]
        low = _ends(groups, least, min) if least else ()
        high = _ends(groups, most, max) if most else ()
        found.append(Curve(title, unit, labels, _means(groups, middle), low, high))
    if section == "heart":
        found += _zones_over(groups, labels)
    if section == "workouts" and any(day.workouts for day in days):
        found.append(Bars("time in workouts", "min", labels, _sums(groups, "workout_min")))
    return tuple(chart for chart in found if _has_values(chart))


def week_grid(week: WeekSummary) -> Grid:
    """Steps by hour, a row a day; of a day of another length, hours are counted as they pass."""
    hours = max(24, *(len(row) for row in week.steps_by_hour))
    rows = tuple(f"{day:%a}" for day in week.summary.period)
    values = tuple(row + (None,) * (hours - len(row)) for row in week.steps_by_hour)
    return Grid(
        "steps by the hour", "steps", rows, tuple(f"{hour:02d}" for hour in range(hours)), values
    )


def _calendar(days: Sequence[DaySummary], period: Period) -> Grid:
    """A year as weeks: a row for each day of the week, from Monday on."""
    first = period.first - period.first.weekday() * _DAY
    weeks = (period.last - first).days // 7 + 1
    values: list[list[float | None]] = [[None] * weeks for _ in range(7)]
    for day in days:
        passed = (day.day.date - first).days
        values[passed % 7][passed // 7] = day.figures["steps"].value
    names = tuple(f"{first + count * _DAY:%a}" for count in range(7))
    mondays = [first + 7 * week * _DAY for week in range(weeks)]
    return Grid(
        "steps, day by day",
        "steps",
        names,
        tuple(_month_mark(one, period.first) for one in mondays),
        tuple(map(tuple, values)),
    )


def _month_mark(monday: date, first: date) -> str:
    """The month, where one begins within the week."""
    begins = next(
        (day for day in (monday + count * _DAY for count in range(7)) if day.day == 1), None
    )
    return f"{begins:%b}" if begins is not None and begins.year == first.year else ""


def _curve(
    title: str, unit: str, samples: Columns, column: str, day: LocalDay, slot_s: int, about: About
) -> Curve:
    """The mean of each stretch of a day, between its least and its most."""
    labels = _clock_labels(day, slot_s, about)
    slots: list[list[float]] = [[] for _ in labels]
    values = cast("Sequence[float]", samples.columns[column])
    for at, value in zip(samples.start_utc_s, values, strict=True):
        slots[(at - day.start_utc_s) // slot_s].append(value)
    means = tuple(sum(slot) / len(slot) if slot else None for slot in slots)
    if all(len(set(slot)) <= 1 for slot in slots):
        return Curve(title, unit, labels, means)
    low = tuple(min(slot, default=None) for slot in slots)
    return Curve(title, unit, labels, means, low, tuple(max(slot, default=None) for slot in slots))


def _clock_labels(day: LocalDay, slot_s: int, about: About) -> tuple[str, ...]:
    """The wall clock at the beginning of each stretch; of a day of 25 hours one comes twice."""
    minutes = (
        int(day.minute_of(at, about)) for at in range(day.start_utc_s, day.end_utc_s, slot_s)
    )
    return tuple(f"{minute // 60 % 24:02d}:{minute % 60:02d}" for minute in minutes)


def _pieces(day: DaySummary, read: Reader, about: About) -> tuple[Piece, ...]:
    sleep = day.night.sleep
    if sleep is None:
        return ()
    stages = gather(read, "sleep", sleep.start_utc_s - DAY_S, sleep.end_utc_s)
    found = []
    for (start, end), stage in zip(stages.spans(), stages.integers("stage"), strict=True):
        begin, until = max(start, sleep.start_utc_s), min(end, sleep.end_utc_s)
        if begin < until and stage in _STAGE_NAMES:
            since, to = (day.day.minute_of(at, about) for at in (begin, until))
            found.append(Piece(since, to, _STAGE_NAMES[SleepStage(stage)]))
    return tuple(found)


def _zones(days: Sequence[DaySummary], labels: tuple[str, ...]) -> list[Chart]:
    return _zones_over([list(days)], labels)


def _zones_over(groups: Sequence[Sequence[DaySummary]], labels: tuple[str, ...]) -> list[Chart]:
    rows = tuple(_means(groups, f"zone_{zone}_min") for zone in range(1, 6))
    if not any(value for row in rows for value in row):
        return []
    return [Stack("time in zones of effort", "min", labels, ZONE_NAMES, rows)]


def _groups(
    days: Sequence[DaySummary], kind: Kind
) -> tuple[list[list[DaySummary]], tuple[str, ...]]:
    """Days by the label that they stand under."""
    if kind is Kind.YEAR:
        months = [list(group) for _, group in groupby(days, key=lambda day: day.day.date.month)]
        return months, tuple(f"{month[0].day.date:%b}" for month in months)
    dates = [day.day.date for day in days]
    in_week = kind is Kind.WEEK
    return [[day] for day in days], tuple(
        f"{one:%a} {one.day}" if in_week else str(one.day) for one in dates
    )


def _known(group: Sequence[DaySummary], name: str) -> list[float]:
    figures: list[Figure] = [day.figures[name] for day in group]
    return [figure.value for figure in figures if figure.value is not None]


def _means(groups: Sequence[Sequence[DaySummary]], name: str) -> tuple[float | None, ...]:
    known = [_known(group, name) for group in groups]
    return tuple(sum(values) / len(values) if values else None for values in known)


def _sums(groups: Sequence[Sequence[DaySummary]], name: str) -> tuple[float | None, ...]:
    known = [_known(group, name) for group in groups]
    return tuple(sum(values) if values else None for values in known)


def _ends(
    groups: Sequence[Sequence[DaySummary]], name: str, end: Callable[[list[float]], float]
) -> tuple[float | None, ...]:
    known = [_known(group, name) for group in groups]
    return tuple(end(values) if values else None for values in known)


def _has_values(chart: Chart) -> bool:
    match chart:
        case Bars() | Curve():
            return any(value is not None for value in chart.values)
        case Stack() | Grid():
            return any(value is not None for row in chart.values for value in row)
        case Stages():
            return bool(chart.pieces)
