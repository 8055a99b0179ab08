"""TCX version 2: each activity is a workout with its laps.

The schema demands energy and distance of each lap, so that 0 for all of them means that nobody
knew.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from firmware_protocol.activity_types import sport_of_word
from firmware_protocol.samples import Value
from firmware_protocol.sports import SPORT_NAMES
from ksos_link.imports.gather import Gathered, checked_instant
from ksos_link.imports.importer import ImportedRecord, Importer, SourceFile
from ksos_link.imports.track import Instant, Track, bounded, heart_rate, whole_number, workout_key
from ksos_link.imports.xml_stream import (
    instant_of,
    local_name,
    number_of,
    text_of,
    xml_events,
)

_LONGEST_S: Final = 30 * 86_400
_OF_A_LAP: Final = (
    *("TotalTimeSeconds", "DistanceMeters", "Calories", "MaximumSpeed"),
    *("AverageHeartRateBpm", "MaximumHeartRateBpm"),
)


def _recognise(head: bytes, _file_name: str) -> bool:
    return b"<TrainingCenterDatabase" in head or b":TrainingCenterDatabase" in head


def _read(source: SourceFile) -> Iterator[ImportedRecord]:
    taken: Counter[str] = Counter()
    reading = _Reading(taken)
    for event, element in xml_events(source.stream, "Activity", "Lap", "Trackpoint", "Notes"):
        name = local_name(element)
        if event == "end":
            yield from reading.ended(name, element)
        elif name == "Activity":
            reading = _Reading(taken, sport_of_word(element.get("Sport", "")))
        elif name == "Lap":
            reading.begin_lap(element.get("StartTime", ""))


@dataclass(slots=True)
class _Lap:
    """What a lap says of itself, by the names of the schema."""

    start_utc_s: int
    values: dict[str, float | None] = field(default_factory=dict)
    by_hand: bool = False

    def sum_of(self, name: str) -> float:
        """A value that laps add up."""
        return bounded(self.values.get(name), 0, 1e8) or 0.0

    @property
    def duration_s(self) -> int:
        """How long it took."""
        return round(bounded(self.values.get("TotalTimeSeconds"), 0, _LONGEST_S) or 0)


@dataclass(slots=True)
class _Reading:
    """One activity while it is read."""

    taken: Counter[str]
    sport: str = "other"
    laps: list[_Lap] = field(default_factory=list)
    lap: _Lap | None = None
    track: Track | None = None
    timeless: int = 0
    startless: int = 0

    def ended(self, name: str, element: Any) -> Iterator[ImportedRecord]:
        """An element that is whole now."""
        if name == "Trackpoint":
            yield from self._take(element)
        elif name == "Lap":
            self._end_lap(element)
        elif name == "Notes" and text_of(element) in SPORT_NAMES:
            self.sport = text_of(element)  # as our own files say it
        elif name == "Activity":
            yield from self._end()

    def begin_lap(self, start: str) -> None:
        """A lap's attributes."""
        at = instant_of(start)
        self.lap = None if at is None else _Lap(checked_instant(at[0]))
        if at is None or self.lap is None:
            self.startless += 1
        else:
            self.laps.append(self.lap)
            if self.track is None:
                self.track = Track("tcx", workout_key(at[0], self.taken), at[1])

    def _end_lap(self, element: Any) -> None:
        """A lap's own values; a heart rate's number stands one deeper."""
        if self.lap is None:
            return
        for leaf in element:
            name = local_name(leaf)
            if name == "TriggerMethod":
                self.lap.by_hand = text_of(leaf) == "Manual"
            elif name in _OF_A_LAP:
                self.lap.values[name] = number_of(leaf[0] if len(leaf) else leaf)

    def _take(self, point: Any) -> Iterator[ImportedRecord]:
        """One point; one without a time is counted only."""
        at = None
        values: dict[str, float | None] = {}
        for leaf in point.iter():
            name = local_name(leaf)
            if name == "Time":
                at = instant_of(text_of(leaf))
            elif len(leaf) == 0:
                values[name] = number_of(leaf)
        if at is None:
            self.timeless += 1
            return
        if self.track is None:
            self.track = Track("tcx", workout_key(at[0], self.taken), at[1])
        strides = values.get("RunCadence")
        yield from self.track.add(
            Instant(
                at[0],
                values.get("LatitudeDegrees"),
                values.get("LongitudeDegrees"),
                values.get("AltitudeMeters"),
                values.get("DistanceMeters"),
                values.get("Speed"),
                values.get("Cadence") if strides is None else 2 * strides,
                values.get("Value"),
            )
        )

    def _end(self) -> Iterator[ImportedRecord]:
        """What is left of the track, and the workout that it was."""
        track = self.track
        if track is None:
            return
        yield from track.rest()
        track.remarks["Points without a time, left out"] += self.timeless
        track.remarks["Laps without a start, left out"] += self.startless
        starts = [lap.start_utc_s for lap in self.laps]
        ends = [lap.start_utc_s + lap.duration_s for lap in self.laps]
        if track.first_utc_s is not None and track.last_utc_s is not None:
            starts.append(track.first_utc_s)
            ends.append(track.last_utc_s)
        yield track.summary(
            self.sport, min(starts), max(ends) - min(starts), self._values(), self._splits()
        )

    def _values(self) -> dict[str, Value]:
        found: dict[str, Value] = {
            "distance_m": whole_number(sum(lap.sum_of("DistanceMeters") for lap in self.laps)),
            "energy_kcal": whole_number(sum(lap.sum_of("Calories") for lap in self.laps)),
            "speed_max_mps": max((lap.sum_of("MaximumSpeed") for lap in self.laps), default=0.0),
        }
        highest = [heart_rate(lap.values.get("MaximumHeartRateBpm")) for lap in self.laps]
        found["bpm_max"] = max((bpm for bpm in highest if bpm is not None), default=None)
        if len(self.laps) == 1:  # an average of averages would be ours
            found["bpm_avg"] = heart_rate(self.laps[0].values.get("AverageHeartRateBpm"))
        return {name: value or None for name, value in found.items()}

    def _splits(self) -> Gathered:
        """The laps where there are several; a last one that a person ended is what was left."""
        splits = Gathered("workout_split")
        laps = self.laps[:-1] if self.laps and self.laps[-1].by_hand else self.laps
        for lap in laps if len(self.laps) > 1 else ():
            metres = whole_number(lap.sum_of("DistanceMeters"))
            if metres and lap.duration_s:
                splits.add(lap.start_utc_s, lap.duration_s, metres)
        return splits


TCX_IMPORTER: Final = Importer("tcx", "TCX", _recognise, _read)
