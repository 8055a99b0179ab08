"""What a foreign file recorded of one workout, as samples: checked, in pieces of bounded size.

A workout is one record with its sums and laps, and as many records of its instants as it takes.
What is out of range is absent; an instant without a place keeps its heart rate alone.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from typing import Final

from firmware_protocol.activity_types import fit_sport
from firmware_protocol.clock import ClockStretch
from firmware_protocol.samples import METRICS, Decoded, Value
from ksos_link.imports.gather import Gathered, checked_instant
from ksos_link.imports.importer import ImportedRecord

PIECE_ROWS: Final = 20_000
_QUARTER_S: Final = 900
_MOST_OFFSET_S: Final = 14 * 3600
_MOST_BPM: Final = 254  # 255 is how most formats say that there is none
_MOST_CADENCE: Final = 1000


@dataclass(frozen=True, slots=True)
class Instant:
    """One instant of a track; None is not known. `distance_m` is since the start."""

    utc_s: int
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    elevation_m: float | None = None
    distance_m: float | None = None
    speed_mps: float | None = None
    cadence_spm: float | None = None
    bpm: float | None = None


@dataclass(slots=True)
class Track:
    """The instants of one workout as they are read.

    `form` is the name of the file's format, `key` that of the workout. `utc_offset_s` is None where
    the file does not say.
    """

    form: str
    key: str
    utc_offset_s: int | None = None
    first_utc_s: int | None = None
    last_utc_s: int | None = None
    remarks: Counter[str] = field(default_factory=Counter)
    _points: Gathered = field(default_factory=lambda: Gathered("workout_point"))
    _beats: Gathered = field(default_factory=lambda: Gathered("workout_heart_rate"))
    _pieces: int = 0

    def add(self, instant: Instant) -> Iterator[ImportedRecord]:
        """Take an instant; gives a piece where one is full."""
        utc_s = checked_instant(instant.utc_s)
        self.first_utc_s = utc_s if self.first_utc_s is None else min(self.first_utc_s, utc_s)
        self.last_utc_s = utc_s if self.last_utc_s is None else max(self.last_utc_s, utc_s)
        bpm = bounded(instant.bpm, 1, _MOST_BPM)
        if bpm is not None:
            self._beats.add(utc_s, round(bpm))
        latitude = bounded(instant.latitude_deg, -90, 90)
        longitude = bounded(instant.longitude_deg, -180, 180)
        if latitude is not None and longitude is not None:
            cadence = bounded(instant.cadence_spm, 0, _MOST_CADENCE)
            self._points.add(
                utc_s,
                latitude,
                longitude,
                bounded(instant.elevation_m, -12_000, 100_000),
                bounded(instant.distance_m, 0, 1e8),
                bounded(instant.speed_mps, 0, 2000),
                None if cadence is None else round(cadence),
            )
        elif instant.latitude_deg is not None or instant.longitude_deg is not None:
            self.remarks["Points nowhere on earth, left out"] += 1
        if max(len(self._points.rows), len(self._beats.rows)) >= PIECE_ROWS:
            yield from self.rest()

    def rest(self) -> Iterator[ImportedRecord]:
        """What was taken since the last piece."""
        gathered = [each for each in (self._points, self._beats) if each.rows]
        self.remarks["Values at a second that had one, left out"] += sum(
            each.repeated for each in gathered
        )
        if gathered:
            series = tuple(each.series() for each in gathered)
            until = max(max(each.rows) for each in gathered)
            key = f"{self.key} {self._pieces}"
            yield ImportedRecord(
                f"{self.form}.track", key, Decoded(series), until, self.offsets(until)
            )
            self._pieces += 1
        self._points, self._beats = Gathered("workout_point"), Gathered("workout_heart_rate")

    def offsets(self, until_utc_s: int) -> tuple[ClockStretch, ...]:
        """The local time of the file, where it tells one that can be."""
        return told_offset(self.utc_offset_s, self.first_utc_s or until_utc_s)

    def summary(
        self,
        sport: str,
        start_utc_s: int,
        duration_s: int,
        values: Mapping[str, Value],
        splits: Gathered,
    ) -> ImportedRecord:
        """The workout itself, with its laps and what must be said of it."""
        columns: dict[str, Value] = dict.fromkeys(METRICS["workout"].column_names)
        columns |= {
            "duration_s": duration_s,
            "sport": sport,
            "sport_code": fit_sport(sport).sport,
            **values,
        }
        workout = Gathered("workout")
        workout.add(checked_instant(start_utc_s), *columns.values())
        series = [each.series() for each in (workout, splits) if each.rows]
        remarks = tuple(f"{text}: {count}." for text, count in self.remarks.items() if count)
        until = checked_instant(start_utc_s + duration_s)
        return ImportedRecord(
            f"{self.form}.workout",
            self.key,
            Decoded(tuple(series), remarks),
            until,
            told_offset(self.utc_offset_s, start_utc_s),
        )


def told_offset(utc_offset_s: int | None, from_utc_s: int) -> tuple[ClockStretch, ...]:
    """An offset that a file tells, on quarters of an hour; nothing where it cannot be one."""
    if utc_offset_s is None or abs(utc_offset_s) > _MOST_OFFSET_S:
        return ()
    return (ClockStretch(from_utc_s, round(utc_offset_s / _QUARTER_S) * _QUARTER_S),)


def workout_key(start_utc_s: int, taken: Counter[str]) -> str:
    """The name of a workout by its start; a second one of that start in a file gets a number."""
    key = f"{datetime.fromtimestamp(checked_instant(start_utc_s), UTC):%Y-%m-%dT%H:%M:%SZ}"
    taken[key] += 1
    return key if taken[key] == 1 else f"{key}#{taken[key]}"


def bounded(value: float | None, least: float, most: float) -> float | None:
    """A number that can be, else None."""
    if value is None or not isfinite(value) or not least <= value <= most:
        return None
    return value


def whole_number(value: float | None, most: float = 1e9) -> int | None:
    """A count that can be, rounded, else None."""
    kept = bounded(value, 0, most)
    return None if kept is None else round(kept)


def heart_rate(value: float | None) -> int | None:
    """A heart rate that is a reading, else None."""
    kept = bounded(value, 1, _MOST_BPM)
    return None if kept is None else round(kept)
