"""One workout by its figures: what the watch said of it, and what its readings come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from firmware_protocol.samples import Value
from ksos_link.insights import energy, fitness, kinds, load, track
from ksos_link.insights.about import Reader
from ksos_link.insights.columns import Columns, gather
from ksos_link.insights.energy import Body
from ksos_link.insights.figure import Figure, absent, total
from ksos_link.insights.heart import BPM, maximum_heart_rate, zone_minutes
from ksos_link.insights.track import Point, Split, Track

_HOLD_S: Final = 60


@dataclass(frozen=True, slots=True)
class WorkoutSummary:
    """A workout. `figures` are named with their units; zones are `zone_1_min` to `zone_5_min`."""

    device: str
    start_utc_s: int
    duration_s: int
    sport: str
    figures: Mapping[str, Figure]
    splits: tuple[Split, ...]
    track: Track


def workout_summaries(
    workouts: Columns, read: Reader, body: Body, resting: Figure
) -> tuple[WorkoutSummary, ...]:
    """Sum up workouts, with what was recorded while they lasted."""
    names = tuple(workouts.columns)
    rows = zip(*workouts.columns.values(), strict=True)
    return tuple(_summary(dict(zip(names, row, strict=True)), read, body, resting) for row in rows)


def workout_totals(workouts: Sequence[WorkoutSummary]) -> dict[str, Figure]:
    """The figures of a day's workouts together; empty where there was none."""
    if not workouts:
        return {}
    count = len(workouts)
    return {
        "workouts": Figure(count, "workouts", count),
        "workout_min": Figure(sum(one.duration_s for one in workouts) / 60, "min", count),
        "workout_distance_m": _summed(workouts, "distance_m", "m"),
        "workout_energy_kcal": _summed(workouts, "energy_kcal", "kcal"),
        "met_min": _summed(workouts, "met_min", "MET min"),
        "load_trimp": _summed(workouts, "load_trimp", "TRIMP"),
        "longest_run_m": _longest(workouts, kinds.RUNS),
        "longest_ride_m": _longest(workouts, kinds.RIDES),
        "longest_swim_m": _longest(workouts, kinds.SWIMS),
        "vo2max_ml_kg_min": _uptake(workouts),
    }


def _summed(workouts: Sequence[WorkoutSummary], name: str, unit: str) -> Figure:
    figures = [workout.figures[name] for workout in workouts]
    return total(figures, unit, next((each.reason for each in figures if each.reason), ""))


def _longest(workouts: Sequence[WorkoutSummary], sports: frozenset[str]) -> Figure:
    ways = [one.figures["distance_m"] for one in workouts if one.sport in sports]
    known = [way for way in ways if way.value is not None]
    if not known:
        return absent("m", "there was none whose distance is known", len(workouts))
    return max(known, key=lambda way: way.value or 0)


def _uptake(workouts: Sequence[WorkoutSummary]) -> Figure:
    told = [one.figures["vo2max_ml_kg_min"] for one in workouts]
    known = [each for each in told if each.value is not None]
    return known[-1] if known else told[-1]


def _summary(
    values: Mapping[str, Value], read: Reader, body: Body, resting: Figure
) -> WorkoutSummary:
    start, length = cast("int", values["start_utc_s"]), cast("int", values["duration_s"])
    sport, device = str(values["sport"]), str(values["device"])

    def of_device(metric: str, first: int, end: int) -> list[list[tuple[Value, ...]]]:
        return [[row for row in rows if row[0] == device] for rows in read(metric, first, end)]

    points = gather(of_device, "workout_point", start, start + length + 1)
    route = track.track_of(_points(points), kinds.fastest_mps(sport))
    figures = _way(values, route, length)
    figures |= _effort(
        values, gather(of_device, "workout_heart_rate", start, start + length + 1), body, resting
    )
    figures |= _spent(values, figures, body, sport)
    figures["vo2max_ml_kg_min"] = _own(values["vo2max_ml_kg_min"], fitness.VO2MAX)
    if figures["vo2max_ml_kg_min"].value is None and sport in kinds.LEVEL:
        figures["vo2max_ml_kg_min"] = fitness.vo2max_by_pace(
            figures["speed_mps"], figures["bpm_mean"], resting, _maximum(body), length
        )
    figures["training_effect"] = _own(values["training_effect"], "index")
    found = track.splits(route) or _told_splits(
        gather(of_device, "workout_split", start, start + length + 1)
    )
    return WorkoutSummary(device, start, length, sport, figures, found, route)


def _points(columns: Columns) -> list[Point]:
    names = ("start_utc_s", "latitude_deg", "longitude_deg", "elevation_m")
    rows = zip(*(columns.columns[name] for name in names), strict=True)
    return [Point(*cast("tuple[int, float, float, float | None]", row)) for row in rows]


def _way(values: Mapping[str, Value], route: Track, length: int) -> dict[str, Figure]:
    told = values["distance_m"]
    distance = _own(told, track.METRE) if told else track.distance(route)
    up, down = track.climb(route)
    return {
        "distance_m": distance,
        "speed_mps": track.speed(distance, length),
        "pace_s_per_km": track.pace(distance, length),
        "climb_m": up,
        "descent_m": down,
    }


def _effort(
    values: Mapping[str, Value], beats: Columns, body: Body, resting: Figure
) -> dict[str, Figure]:
    levels = beats.levels("bpm", _HOLD_S)
    maximum = _maximum(body)
    length = cast("int", values["duration_s"])
    own_mean, own_most = _own(values["bpm_avg"], BPM), _own(values["bpm_max"], BPM)
    mean = levels.mean(BPM) if len(beats) else own_mean
    sex = body.sex or "male"  # never used without a maximum, which needs the wearer too
    return {
        "bpm_mean": mean,
        "bpm_most": levels.most(BPM) if len(beats) else own_most,
        "held_s": Figure(levels.held_s, "s", levels.readings),
        "load_trimp": load.banister_load(length, mean, resting, maximum, sex),
        "load_edwards_trimp": load.edwards_load(levels, maximum),
        **zone_minutes(levels, maximum, resting),
    }


def _spent(
    values: Mapping[str, Value], figures: Mapping[str, Figure], body: Body, sport: str
) -> dict[str, Figure]:
    length = cast("int", values["duration_s"])
    met = energy.met_of_sport(sport, figures["speed_mps"].value)
    by_heart_rate = energy.energy_by_heart_rate(
        figures["bpm_mean"], figures["held_s"].value or 0, length, body, _maximum(body)
    )
    told = cast("float | None", values["energy_kcal"]) or None
    by_met = energy.energy_by_met(met, length, body.weight_kg)
    return {
        "energy_kcal": energy.energy(told, by_heart_rate, by_met),
        "met_min": energy.met_minutes(met, length),
    }


def _told_splits(columns: Columns) -> tuple[Split, ...]:
    lengths, times = columns.integers("distance_m"), columns.integers("duration_s")
    return tuple(Split(metres, seconds) for metres, seconds in zip(lengths, times, strict=True))


def _maximum(body: Body) -> Figure:
    return maximum_heart_rate(body.age_years)


def _own(value: Value, unit: str) -> Figure:
    if value is None:
        return absent(unit, "the watch did not say")
    return Figure(cast("float", value), unit, 1, method="the watch's own")
