"""Samples for health documents: those that are readings at all."""

from collections.abc import Iterator, Sequence
from heapq import merge
from typing import Final

from firmware_protocol.samples import METRICS, Value
from ksos_link.export.source import Row, Source, Workout

# 0 and 255 are how sensors say that there was no reading
_BOUNDS: Final = {
    "heart_rate": ("bpm", 1, 254),
    "resting_heart_rate": ("bpm", 1, 254),
    "workout_heart_rate": ("bpm", 1, 254),
    "spo2": ("spo2_pct", 1, 100),
    "stress": ("stress_score", 0, 100),
}


def readings(source: Source, metric: str) -> Iterator[Sequence[Row]]:
    """The samples of a metric that are readings, none where the metric was not chosen."""
    if all(chosen.name != metric for chosen in source.metrics):
        return
    if metric not in _BOUNDS:
        yield from source.rows(metric)
        return
    column, least, most = _BOUNDS[metric]
    place = METRICS[metric].row_names.index(column)
    for rows in source.rows(metric):
        yield [row for row in rows if least <= int(row[place] or 0) <= most]


def workouts(source: Source) -> Iterator[Workout]:
    """The workouts, none where they were not chosen."""
    if any(chosen.name == "workout" for chosen in source.metrics):
        yield from source.workouts()


def heart_rates(source: Source) -> Iterator[tuple[str, int, int, int, str]]:
    """Heart rates of the day and of workouts as one: alias, UTC second, bpm, quality, metric.

    Watches tell a workout's heart rates as those of the day too; of two at one instant the day's
    stays. They come device by device and in order of time.
    """
    places = {device.alias: place for place, device in enumerate(source.devices)}
    both = merge(
        _beats(source, "heart_rate"),
        _beats(source, "workout_heart_rate"),
        key=lambda beat: (places[beat[0]], beat[1]),
    )
    before: tuple[str, int] | None = None
    for beat in both:
        if beat[:2] != before:
            before = beat[:2]
            yield beat


def _beats(source: Source, metric: str) -> Iterator[tuple[str, int, int, int, str]]:
    for rows in readings(source, metric):
        for alias, *numbers in rows:
            utc_s, bpm, quality = (int(number or 0) for number in numbers)
            yield str(alias), utc_s, bpm, quality, metric


def bpm_or_none(value: Value) -> int | None:
    """A heart rate of a summary, None where it says that there was none."""
    bpm = int(value or 0)
    return bpm if 1 <= bpm <= 254 else None
