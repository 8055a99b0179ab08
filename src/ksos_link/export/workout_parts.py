"""A workout as the exchange formats take it: moments in order of time, and laps.

Nothing is interpolated: a moment holds what was recorded at its instant, and the distance of a
moment is that of a point, or what the minutes until then add up to.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, NamedTuple

from firmware_protocol.samples import METRICS, Value
from ksos_link.export.source import Row, Workout

_NO_READING: Final = 255  # as 0 is, whoever recorded it; beyond lies nothing that a heart does
_POINT: Final = METRICS["workout_point"].row_names
_MINUTE: Final = METRICS["workout_minute"].row_names
_SPLIT: Final = METRICS["workout_split"].row_names
_START: Final = _POINT.index("start_utc_s")


class Moment(NamedTuple):
    """All that is known of one instant; None is not known. `distance_m` is since the start."""

    utc_s: int
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    elevation_m: float | None = None
    distance_m: float | None = None
    speed_mps: float | None = None
    cadence_spm: int | None = None
    bpm: int | None = None


@dataclass(frozen=True, slots=True)
class Lap:
    """A part of a workout: a split, what is left after the last one, or all of it.

    Heart rates are those of the readings in it; of a lap that is the whole workout, the watch's.
    Energy is that of the minutes that begin in it; None where none do.
    """

    start_utc_s: int
    duration_s: int
    distance_m: int | None
    energy_kcal: int | None
    bpm_avg: int | None
    bpm_max: int | None


def moments(workout: Workout) -> Iterator[Moment]:
    """The instants at which anything was recorded, in order."""
    beats = {utc_s: bpm for utc_s, bpm in workout.heart_rate if _is_reading(bpm)}
    points = {_instant(row): row for row in workout.points}
    distances = {} if _have_distance(points.values()) else _distances(workout)
    for utc_s in sorted(beats.keys() | points.keys() | distances.keys()):
        bpm = beats.get(utc_s)
        if utc_s in points:
            _, _, latitude, longitude, elevation, distance, speed, cadence, _ = points[utc_s]
            position = _position(latitude, longitude)
            yield Moment(
                utc_s,
                *position,
                _real(elevation),
                _real(distance if distance is not None else distances.get(utc_s)),
                _real(speed),
                None if cadence is None else int(cadence),
                bpm,
            )
        else:
            yield Moment(utc_s, distance_m=distances.get(utc_s), bpm=bpm)


def laps(workout: Workout) -> list[Lap]:
    """The splits and what is left after them, or the whole workout; at least one."""
    splits = [dict(zip(_SPLIT, row, strict=True)) for row in workout.splits]
    if not splits:
        return [_whole(workout)]
    beats = [beat for beat in workout.heart_rate if _is_reading(beat[1])]
    pieces = [
        (int(one["start_utc_s"] or 0), int(one["duration_s"] or 0), int(one["distance_m"] or 0))
        for one in splits
    ]
    minutes = [dict(zip(_MINUTE, row, strict=True)) for row in workout.minutes]
    kcal = [(int(one["start_utc_s"] or 0), int(one["energy_kcal"] or 0)) for one in minutes]
    found = [_lap(beats, kcal, *piece) for piece in pieces]
    end_utc_s = pieces[-1][0] + pieces[-1][1]
    rest_s = workout.end_utc_s - end_utc_s
    if rest_s > 0:
        total_m = workout.values["distance_m"]
        run_m = sum(distance_m for _, _, distance_m in pieces)
        rest_m = None if total_m is None else max(0, int(total_m) - run_m)
        found.append(_lap(beats, kcal, end_utc_s, rest_s, rest_m))
    return found


def whole(workout: Workout, name: str) -> int | None:
    """A whole number that the watch gave for all of the workout, None where it did not."""
    value = workout.values.get(name)
    if value is None or (name.startswith("bpm_") and not _is_reading(int(value))):
        return None
    return int(value)


def _whole(workout: Workout) -> Lap:
    names = ("distance_m", "energy_kcal", "bpm_avg", "bpm_max")
    return Lap(workout.start_utc_s, workout.duration_s, *(whole(workout, name) for name in names))


def _lap(
    beats: Sequence[tuple[int, int]],
    kcal: Sequence[tuple[int, int]],
    start_utc_s: int,
    duration_s: int,
    distance_m: int | None,
) -> Lap:
    end_utc_s = start_utc_s + duration_s
    bpm = [each for utc_s, each in beats if start_utc_s <= utc_s < end_utc_s]
    burnt = [each for utc_s, each in kcal if start_utc_s <= utc_s < end_utc_s]
    return Lap(
        start_utc_s,
        duration_s,
        distance_m,
        sum(burnt) if burnt else None,
        round(sum(bpm) / len(bpm)) if bpm else None,
        max(bpm, default=None),
    )


def _distances(workout: Workout) -> dict[int, float]:
    """What the minutes add up to, at the end of each."""
    minutes = [dict(zip(_MINUTE, row, strict=True)) for row in workout.minutes]
    if not any(one["distance_m"] for one in minutes):
        return {}  # a sport without a way
    ends = [int(one["start_utc_s"] or 0) + int(one["duration_s"] or 0) for one in minutes]
    return dict(
        zip(ends, accumulate(float(one["distance_m"] or 0) for one in minutes), strict=True)
    )


def _have_distance(points: Iterable[Row]) -> bool:
    place = _POINT.index("distance_m")
    return any(row[place] is not None for row in points)


def _is_reading(bpm: int) -> bool:
    return 0 < bpm < _NO_READING


def _instant(row: Row) -> int:
    return int(row[_START] or 0)


def _position(latitude: Value, longitude: Value) -> tuple[float | None, float | None]:
    """Degrees as files have them; a place that is not on earth is none."""
    north, east = float(latitude or 0.0), float(longitude or 0.0)
    if abs(north) <= 90 and abs(east) <= 180:
        return north, -180.0 if east == 180 else east
    return None, None


def _real(value: Value) -> float | None:
    return None if value is None else float(value)
