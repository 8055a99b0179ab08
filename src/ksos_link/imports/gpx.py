"""GPX 1.0 and 1.1: each track is a workout; heart rate and cadence of the usual extensions.

Routes and waypoints have no times and are none of a person's past.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from firmware_protocol.activity_types import counts_steps, sport_of_word
from ksos_link.imports.gather import Gathered
from ksos_link.imports.importer import ImportedRecord, Importer, SourceFile
from ksos_link.imports.track import Instant, Track, workout_key
from ksos_link.imports.xml_stream import (
    instant_of,
    local_name,
    number_of,
    text_of,
    xml_events,
)

_VALUES: Final = {
    "hr": "bpm",
    "heartrate": "bpm",
    "cad": "cadence",
    "cadence": "cadence",
    "speed": "speed",
    "distance": "distance",
}


def _recognise(head: bytes, file_name: str) -> bool:
    return b"<gpx" in head or (file_name.lower().endswith(".gpx") and b"<?xml" in head)


def read_gpx(source: SourceFile) -> Iterator[ImportedRecord]:
    """The tracks of a file, in pieces, each with its workout at its end."""
    taken: Counter[str] = Counter()
    reading = _Reading(taken)
    for event, element in xml_events(source.stream, "trk", "type", "trkpt", "rtept", "wpt"):
        name = local_name(element)
        if event == "start":
            if name == "trk":
                reading = _Reading(taken)
        elif name == "type" and local_name(element.getparent()) == "trk":
            reading.sport = sport_of_word(text_of(element))
        elif name == "trkpt":
            yield from reading.take(element)
        elif name == "trk":
            yield from reading.end()


@dataclass(slots=True)
class _Reading:
    """One track while it is read; it has a key from its first time on."""

    taken: Counter[str]
    sport: str = "other"
    track: Track | None = None
    timeless: int = 0

    def take(self, point: Any) -> Iterator[ImportedRecord]:
        """One point; one without a time is counted only."""
        values = _values_of(point)
        at = instant_of(str(values.get("time", "")))
        if at is None:
            self.timeless += 1
            return
        utc_s, offset_s = at
        if self.track is None:
            self.track = Track("gpx", workout_key(utc_s, self.taken), offset_s)
        cadence = _number(values.get("cadence"))
        yield from self.track.add(
            Instant(
                utc_s,
                _number(point.get("lat")),
                _number(point.get("lon")),
                _number(values.get("elevation")),
                _number(values.get("distance")),
                _number(values.get("speed")),
                cadence if cadence is None or not counts_steps(self.sport) else 2 * cadence,
                _number(values.get("bpm")),
            )
        )

    def end(self) -> Iterator[ImportedRecord]:
        """What is left of the track, and the workout that it was."""
        if self.track is None or self.track.first_utc_s is None or self.track.last_utc_s is None:
            return
        yield from self.track.rest()
        self.track.remarks["Points without a time, left out"] += self.timeless
        start = self.track.first_utc_s
        yield self.track.summary(
            self.sport, start, self.track.last_utc_s - start, {}, Gathered("workout_split")
        )


def _values_of(point: Any) -> dict[str, object]:
    """What a point says, its extensions too, by whose namespace ever."""
    values: dict[str, object] = {}
    for leaf in point.iter():
        name = local_name(leaf).lower()
        if name == "time":
            values["time"] = text_of(leaf)
        elif name == "ele":
            values["elevation"] = number_of(leaf)
        elif name in _VALUES:
            values.setdefault(_VALUES[name], number_of(leaf))
    return values


def _number(value: object) -> float | None:
    if isinstance(value, float) or value is None:
        return value
    try:
        return float(str(value))
    except ValueError:
        return None


GPX_IMPORTER: Final = Importer("gpx", "GPX", _recognise, read_gpx)
