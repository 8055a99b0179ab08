"""A day: its figures, its workouts, its night, and what is missing of it and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from firmware_protocol.samples import Quality
from firmware_protocol.settings import Goal
from ksos_link.insights import fitness, heart, sound, variability, wellbeing
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
_LEVELS: Final = {
    "heart_rate": "bpm",
    "spo2": "spo2_pct",
    "stress": "stress_score",
    "temperature": "temperature_c",
    "noise": "noise_db",
}
_KEPT: Final = ("steps", "activity", "workout", "rr_interval", "resting_heart_rate", "weight")
_NOT_WORN: Final = frozenset({"resting_heart_rate", "weight"})  # a sum, and the scale's


@dataclass(frozen=True, slots=True)
class DayReadings:
    """What a day's samples add up to, before any formula.

    `levels` are by metric, as a database may count them by value as well (see `Levels`); `columns`
    has the metrics that are few. `recorded` are the stretches in which a watch recorded anything,
    an hour apart at least; `quality` names each metric that has samples, with the least sure.
    """

    levels: Mapping[str, Levels]
    columns: Mapping[str, Columns]
    recorded: tuple[Span, ...]
    quality: Mapping[str, Quality]

    @property
    def worn(self) -> bool:
        """Whether any watch recorded anything."""
        return bool(self.quality.keys() - _NOT_WORN)


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
    columns = {
        metric: gather(read, metric, day.start_utc_s, day.end_utc_s)
        for metric in (*_LEVELS, *_KEPT)
    }
    worn = (columns[metric] for metric in columns if metric not in _NOT_WORN)
    spans = (span for one in worn for span in one.stretches(_JOINED_S))
    return DayReadings(
        {metric: columns[metric].levels(name, _HOLD_S) for metric, name in _LEVELS.items()},
        {metric: columns[metric] for metric in _KEPT},
        joined(((start, min(end, day.end_utc_s)) for start, end in spans), _JOINED_S),
        {metric: one.quality for metric, one in columns.items() if len(one)},
    )


def day_summary(day: LocalDay, read: Reader, about: About) -> DaySummary:
    """Sum up a day of the wearer's calendar."""
    return summed_up(day, day_readings(day, read), read, about)


def summed_up(day: LocalDay, readings: DayReadings, read: Reader, about: About) -> DaySummary:
    """Sum up a day whose samples are gathered; `read` gives its night and its workouts' parts."""
    night = night_summary(day, read, about, worn=readings.worn)
    body = about.body(day.date)
    resting = heart.chosen_resting(
        readings.columns["resting_heart_rate"].integers("bpm"), night.resting_bpm
    )
    workouts = workout_summaries(readings.columns["workout"], read, body, resting)
    figures = _movement(readings) | _levels(readings.levels)
    maximum = heart.maximum_heart_rate(body.age_years)
    figures |= heart.zone_minutes(readings.levels["heart_rate"], maximum, resting)
    figures["vo2max_at_rest_ml_kg_min"] = fitness.uth_vo2max(maximum, resting)
    figures |= _beats(readings.columns["rr_interval"])
    figures |= workout_totals(workouts)
    figures |= night.figures
    figures |= {"resting_bpm": resting, "weight_kg": _weight(readings.columns["weight"])}
    figures |= _goals(figures, about.goal)
    until = min(about.now_utc_s, about.read_until_utc_s or 0)
    return DaySummary(
        day,
        {name: _explained(name, figures, day, readings, about) for name in MEASURES},
        _by_hour(day, readings.columns["steps"]),
        workouts,
        night,
        readings.recorded,
        gaps(day, readings.recorded, about),
        readings.quality,
        readings.levels["noise"],
        until >= day.end_utc_s,
    )


def _explained(
    name: str, figures: Mapping[str, Figure], day: LocalDay, readings: DayReadings, about: About
) -> Figure:
    """A figure; where its samples are missing altogether, with the reason why they are."""
    measure = MEASURES[name]
    found = figures.get(name)
    some = measure.metric in readings.quality
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


def _levels(levels: Mapping[str, Levels]) -> dict[str, Figure]:
    beats, oxygen, stress = levels["heart_rate"], levels["spo2"], levels["stress"]
    noise = levels["noise"]
    return {
        "bpm_mean": beats.mean("bpm"),
        "bpm_least": beats.least("bpm"),
        "bpm_most": beats.most("bpm"),
        "spo2_mean_pct": oxygen.mean("%"),
        "spo2_least_pct": oxygen.least("%"),
        "spo2_low_pct": wellbeing.low_oxygen_share(oxygen),
        "stress_mean_score": stress.mean("index"),
        "stress_most_score": stress.most("index"),
        **{
            f"stress_{25 * band}_pct": share
            for band, share in enumerate(wellbeing.stress_shares(stress))
        },
        "temperature_mean_c": levels["temperature"].mean("°C"),
        "noise_level_db": sound.equivalent_level(noise),
        "noise_most_db": noise.most("dB(A)"),
        "noise_dose_pct": sound.noise_dose(noise),
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
