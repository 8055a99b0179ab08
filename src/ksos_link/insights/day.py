"""A day: its figures, its workouts, its night, and what is missing of it and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from firmware_protocol.samples import Quality
from firmware_protocol.settings import Goal
from ksos_link.insights import heart, sound, variability, wellbeing
from ksos_link.insights.about import About, Gap, LocalDay, Reader, gaps, joined
from ksos_link.insights.columns import Columns, gather
from ksos_link.insights.figure import Figure, absent
from ksos_link.insights.goals import goal_share
from ksos_link.insights.heart import Span
from ksos_link.insights.levels import Levels
from ksos_link.insights.measures import MEASURES
from ksos_link.insights.night import NightSummary, night_summary
from ksos_link.insights.workout import WorkoutSummary, workout_summaries, workout_totals

_HOLD_S: Final = 600  # readings of the day come every few minutes; what is longer apart is a gap
_JOINED_S: Final = 3600
_MODERATE, _INTENSE = 2, 3
_SUMMED: Final = {
    "distance_m": "m",
    "active_energy_kcal": "kcal",
    "energy_kcal": "kcal",
    "active_min": "min",
}
# what a watch records while it is worn
_WORN: Final = (
    *("heart_rate", "spo2", "stress", "steps", "activity", "temperature", "noise", "rr_interval"),
    "workout",
)
_METRICS: Final = (*_WORN, "resting_heart_rate", "weight")


@dataclass(frozen=True, slots=True)
class DayReadings:
    """What a day's samples add up to, before any formula.

    A database may count the levels by value (see `Levels`); everything else is as small as a day.
    """

    heart_rate: Levels
    spo2: Levels
    stress: Levels
    temperature: Levels
    noise: Levels
    columns: Mapping[str, Columns]

    @property
    def worn(self) -> bool:
        """Whether any watch recorded anything."""
        return any(len(self.columns[metric]) for metric in _WORN)


@dataclass(frozen=True, slots=True)
class DaySummary:
    """A day by its figures, named as in `MEASURES`; each is there or says why it is not.

    `steps_by_hour` counts from local midnight on and is as long as the day; None where the hour has
    no step. `recorded` are the stretches with readings, `gaps` those without. `complete` tells
    whether the day is over and was read to its end.
    """

    day: LocalDay
    figures: Mapping[str, Figure]
    steps_by_hour: tuple[int | None, ...]
    workouts: tuple[WorkoutSummary, ...]
    night: NightSummary
    recorded: tuple[Span, ...]
    gaps: tuple[Gap, ...]
    quality: Mapping[str, Quality]
    noise: Levels
    complete: bool


def day_readings(day: LocalDay, read: Reader) -> DayReadings:
    """Gather a day's samples."""
    columns = {metric: gather(read, metric, day.start_utc_s, day.end_utc_s) for metric in _METRICS}
    return DayReadings(
        columns["heart_rate"].levels("bpm", _HOLD_S),
        columns["spo2"].levels("spo2_pct", _HOLD_S),
        columns["stress"].levels("stress_score", _HOLD_S),
        columns["temperature"].levels("temperature_c", _HOLD_S),
        columns["noise"].levels("noise_db", _HOLD_S),
        columns,
    )


def day_summary(day: LocalDay, read: Reader, about: About) -> DaySummary:
    """Sum up a day of the wearer's calendar."""
    readings = day_readings(day, read)
    night = night_summary(day, read, about, worn=readings.worn)
    body = about.body(day.date)
    resting = heart.chosen_resting(
        readings.columns["resting_heart_rate"].integers("bpm"), night.resting_bpm
    )
    workouts = workout_summaries(readings.columns["workout"], read, body, resting)
    figures = _movement(readings) | _levels(readings)
    maximum = heart.maximum_heart_rate(body.age_years)
    figures |= heart.zone_minutes(readings.heart_rate, maximum, resting)
    figures |= _beats(readings.columns["rr_interval"])
    figures |= workout_totals(workouts)
    figures |= night.figures
    figures |= {"resting_bpm": resting, "weight_kg": _weight(readings.columns["weight"])}
    figures |= _goals(figures, about.goal)
    spans = (span for metric in _WORN for span in readings.columns[metric].spans())
    recorded = joined(((start, min(end, day.end_utc_s)) for start, end in spans), _JOINED_S)
    until = min(about.now_utc_s, about.read_until_utc_s or 0)
    return DaySummary(
        day,
        {name: _explained(name, figures, day, readings, about) for name in MEASURES},
        _by_hour(day, readings.columns["steps"]),
        workouts,
        night,
        recorded,
        gaps(day, recorded, about),
        {name: one.quality for name, one in readings.columns.items() if len(one)},
        readings.noise,
        until >= day.end_utc_s,
    )


def _explained(
    name: str, figures: Mapping[str, Figure], day: LocalDay, readings: DayReadings, about: About
) -> Figure:
    """A figure; where its samples are missing altogether, with the reason why they are."""
    measure = MEASURES[name]
    found = figures.get(name)
    some = len(readings.columns.get(measure.metric, ()))
    if found is not None and (found.value is not None or found.readings or some):
        return found
    return day.no_readings(measure.unit, measure.metric, about, worn=readings.worn)


def _movement(readings: DayReadings) -> dict[str, Figure]:
    steps, activity = readings.columns["steps"], readings.columns["activity"]
    figures = {"steps": _sum_of(steps.known("steps"), "steps")}
    for name, unit in _SUMMED.items():
        figures[name] = _sum_of(activity.known(name), unit)
    minutes = list(zip(activity.columns["intensity"], _active_minutes(activity), strict=True))
    known = [(kind, length) for kind, length in minutes if kind is not None]
    for name, kind in (("moderate_min", _MODERATE), ("vigorous_min", _INTENSE)):
        spent = sum(length for each, length in known if each == kind)
        figures[name] = (
            Figure(spent, "min", len(known))
            if known
            else absent("min", "the watch told no intensity", len(activity))
        )
    return figures


def _active_minutes(activity: Columns) -> list[float]:
    """Minutes of each interval: those that were active where the watch says so, else all of it."""
    lengths = activity.integers("duration_s")
    told = activity.columns["active_min"]
    return [
        length / 60 if active is None else cast("float", active)
        for length, active in zip(lengths, told, strict=True)
    ]


def _sum_of(values: Sequence[float], unit: str) -> Figure:
    if not values:
        return absent(unit, "the watch did not say")
    return Figure(sum(values), unit, len(values))


def _levels(readings: DayReadings) -> dict[str, Figure]:
    shares = wellbeing.stress_shares(readings.stress)
    return {
        "bpm_mean": readings.heart_rate.mean("bpm"),
        "bpm_least": readings.heart_rate.least("bpm"),
        "bpm_most": readings.heart_rate.most("bpm"),
        "spo2_mean_pct": readings.spo2.mean("%"),
        "spo2_least_pct": readings.spo2.least("%"),
        "spo2_low_pct": wellbeing.low_oxygen_share(readings.spo2),
        "stress_mean_score": readings.stress.mean("index"),
        "stress_most_score": readings.stress.most("index"),
        **{f"stress_{25 * band}_pct": share for band, share in enumerate(shares)},
        "temperature_mean_c": readings.temperature.mean("°C"),
        "noise_level_db": sound.equivalent_level(readings.noise),
        "noise_most_db": readings.noise.most("dB(A)"),
        "noise_dose_pct": sound.noise_dose(readings.noise),
    }


def _beats(columns: Columns) -> dict[str, Figure]:
    beats = variability.normal_beats(columns.start_utc_s, columns.integers("rr_ms"))
    return {
        "rmssd_ms": variability.rmssd_ms(beats),
        "sdnn_ms": variability.sdnn_ms(beats),
        "pnn50_pct": variability.pnn50_pct(beats),
    }


def _weight(columns: Columns) -> Figure:
    weights = columns.known("weight_kg")
    if not weights:
        return absent("kg", "nobody was weighed")
    return Figure(weights[-1], "kg", len(weights), method="the last of the day")


def _goals(figures: Mapping[str, Figure], goal: Goal | None) -> dict[str, Figure]:
    asleep = figures.get("asleep_min", absent("min", "no sleep was recorded"))
    shares = (
        ("steps_goal_pct", figures["steps"], goal.steps if goal else None),
        ("distance_goal_pct", figures["distance_m"], goal.distance_m if goal else None),
        ("energy_goal_pct", figures["active_energy_kcal"], goal.energy_kcal if goal else None),
        ("active_goal_pct", figures["active_min"], goal.active_min if goal else None),
        ("sleep_goal_pct", asleep, goal.sleep_min if goal else None),
    )
    return {name: goal_share(reached, wanted) for name, reached, wanted in shares}


def _by_hour(day: LocalDay, steps: Columns) -> tuple[int | None, ...]:
    hours: list[int | None] = [None] * -(-(day.end_utc_s - day.start_utc_s) // 3600)
    for start, count in zip(steps.start_utc_s, steps.integers("steps"), strict=True):
        place = (start - day.start_utc_s) // 3600
        hours[place] = (hours[place] or 0) + count
    return tuple(hours)
