"""Apple Health's export: records, sleep, workouts and their routes, each source for itself.

A phone and a watch count the same steps, so the samples of each source stand on their own. Of what
Apple tells, that is taken which the sample model knows; how much else there was is remarked.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import gt, sub
from pathlib import Path
from typing import BinaryIO, Final

from firmware_protocol.samples import Decoded, Quality, Value
from ksos_link.imports.apple_document import Routes, fed, opened, recognise
from ksos_link.imports.apple_meanings import (
    ACTIVE,
    BASAL,
    COLUMN_KINDS,
    INDOOR_KEY,
    MOVEMENT,
    NO_READING,
    SPORT_KEY,
    WRIST,
    Attributes,
    Instants,
    Parts,
    meaning,
    sport_of,
    sums_of,
)
from ksos_link.imports.apple_pieces import FORM, PieceKey, Pieces
from ksos_link.imports.gather import Gathered
from ksos_link.imports.gpx import read_gpx
from ksos_link.imports.importer import ImportedRecord, Importer, SourceFile
from ksos_link.imports.track import Track, told_offset, workout_key

# what our own export notes of a sample where Apple has no field for it
_QUALITY_KEY: Final = "ksos_quality"
_SITE_KEY: Final = "ksos_site"
_QUALITIES: Final = {quality.name.lower(): int(quality) for quality in Quality}
_INSTANTS: Final = frozenset(
    ("heart_rate", "resting_heart_rate", "spo2", "noise", "weight")  # one value each
)
# elements that belong to the record or workout before them
_PARTS: Final = frozenset(("WorkoutStatistics", "FileReference"))
_INSIDE: Final = _PARTS | {
    *("MetadataEntry", "WorkoutRoute", "WorkoutEvent", "WorkoutActivity"),
    *("HeartRateVariabilityMetadataList", "InstantaneousBeatsPerMinute"),
}
_NOTED: Final = frozenset((_QUALITY_KEY, _SITE_KEY, SPORT_KEY, INDOOR_KEY))
_NOTHING: Final[Attributes] = {}
_NO_PARTS: Final[Parts] = ()
_MOST_PARTS: Final = 1000
_MOST_RUN: Final = 500
_MOST_MEANINGS: Final = 20_000
_NO_DISTANCE: Final = "Energies without a distance of the same time, left out"
_NO_ROUTE: Final = "Routes that are not there (a zip has them all)"
_REPEATED: Final = "Values at a second of their source that had one, left out"


def _read(source: SourceFile) -> Iterator[ImportedRecord]:
    """The pieces of an export; what must be said of it comes with the last."""
    last: ImportedRecord | None = None
    with opened(source) as (document, routes):
        reading = _Reading(routes)
        for record in reading.records(document):
            if last is not None:
                yield last
            last = record
    if last is not None:
        yield replace(last, decoded=Decoded(last.decoded.series, reading.remarks()))


@dataclass(slots=True)
class _Movement:
    """Distance and energy of one interval, which Apple tells record by record."""

    key: PieceKey
    span: tuple[int, int, int]  # UTC second, what local time was ahead, duration
    distance_m: int | None = None
    active_kcal: float | None = None
    basal_kcal: float | None = None

    def values(self) -> tuple[Value, ...] | None:
        """A row of `activity`; None without a distance."""
        if self.distance_m is None:
            return None
        active = None if self.active_kcal is None else round(self.active_kcal)
        total = (
            None
            if self.active_kcal is None or self.basal_kcal is None
            else round(self.active_kcal + self.basal_kcal)
        )
        return (self.span[2], None, None, active, total, self.distance_m)


class _Reading:
    """One export while it is read."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._pieces = Pieces()
        self._instants = Instants()
        self._meanings: dict[tuple[str, str, str], tuple[str, float | None]] = {}
        self._taken: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()
        self._movement: _Movement | None = None
        # the element that is being read, and what was in it so far
        self._name, self._given = "", _NOTHING
        self._notes, self._parts = _NOTHING, _NO_PARTS
        self._run: list[Attributes] = []
        self._run_of: tuple[str | None, ...] = (None, None, None)
        self._full: list[ImportedRecord] = []
        self._workouts: list[tuple[Attributes, Attributes, Parts]] = []

    def records(self, document: BinaryIO) -> Iterator[ImportedRecord]:
        """The pieces; memory is bounded, because they are given while the document is read."""
        for _ in fed(document, self._start):
            yield from self._ready()
        self._start("", {})
        self._end_run()
        self._end_movement()
        yield from self._ready()
        yield from self._pieces.rest()

    def _ready(self) -> Iterator[ImportedRecord]:
        yield from self._full
        self._full.clear()
        for workout, notes, parts in self._workouts:
            yield from self._workout(workout, notes, parts)
        self._workouts.clear()

    def _start(self, name: str, given: dict[str, str]) -> None:
        """An element begins: if it is not in the one before, that one is whole now."""
        if name in _INSIDE:
            key = given.get("key")
            if key in _NOTED:
                self._notes = {**self._notes, key: given.get("value", "")}
            elif name in _PARTS and len(self._parts) < _MOST_PARTS:
                self._parts = (*self._parts, (name, given))
            return
        if self._name == "Record":
            self._end_record()
        elif self._name == "Workout":
            self._workouts.append((self._given, self._notes, self._parts))
        self._name, self._given = name, given
        self._notes, self._parts = _NOTHING, _NO_PARTS

    def remarks(self) -> tuple[str, ...]:
        """What was left out."""
        self._left_out[_REPEATED] += self._pieces.repeated
        return tuple(f"{text}: {count}." for text, count in self._left_out.items() if count)

    def _end_record(self) -> None:
        """Records come in long runs of one kind: those are taken together."""
        given, notes, run = self._given, self._notes, self._run
        of = (given.get("type"), given.get("unit"), given.get("sourceName"))
        if of != self._run_of or notes or len(run) >= _MOST_RUN:
            self._end_run()
            self._run_of, run = of, self._run
        if notes:
            self._take(given, notes)
        else:
            run.append(given)

    def _end_run(self) -> None:
        """Take the run that was gathered: in columns where its kind and its texts allow it."""
        run, self._run = self._run, []
        kind, unit, source = (text or "" for text in self._run_of)
        metric = COLUMN_KINDS.get(kind)
        starts = None if metric is None else self._instants.together(_texts(run, "startDate"))
        texts = _texts(run, "value")
        values = {text: self._meaning((kind, unit, text))[1] for text in set(texts)}
        if metric is None or starts is None or None in values.values():
            for record in run:
                self._take(record, _NOTHING)
            return
        utc_s, offset_s, month = starts
        rows: Iterable[tuple[Value, ...]] = zip(map(values.__getitem__, texts))
        if metric == "steps":
            ends = self._instants.together(_texts(run, "endDate"))
            if ends is None or any(map(gt, utc_s, ends[0])):
                for record in run:
                    self._take(record, _NOTHING)
                return
            rows = zip(map(sub, ends[0], utc_s), map(values.__getitem__, texts), strict=True)
        if self._pieces.add_all((source, metric, 0, month), utc_s, offset_s, rows):
            self._full.extend(self._pieces.full())

    def _take(self, record: Attributes, notes: Attributes) -> None:
        if self._record(record, notes):
            self._full.extend(self._pieces.full())

    def _record(self, record: Attributes, notes: Attributes) -> bool:
        """Take a record; whether pieces are full."""
        get = record.get
        kind = get("type", "")
        asked = (kind, get("unit", ""), get("value", ""))
        # distances and energies are hardly ever twice the same
        metric, value = meaning(*asked) if kind in MOVEMENT else self._meaning(asked)
        at = self._instants.of(get("startDate", ""))
        if value is None or at is None:
            self._left_out[metric if at else NO_READING] += 1
            return False
        utc_s, offset_s, month = at
        quality = _QUALITIES.get(notes.get(_QUALITY_KEY, ""), 0) if notes else 0
        key = (get("sourceName", ""), metric, quality, month)
        if metric in _INSTANTS:
            return self._pieces.add(key, utc_s, offset_s, (value,))
        if metric == "temperature":
            at_wrist = kind == WRIST or notes.get(_SITE_KEY) == "wrist"
            site = "wrist" if at_wrist else "body"
            return self._pieces.add(key, utc_s, offset_s, (value, site))
        if metric == "heart_rate_variability":
            return self._pieces.add(key, utc_s, offset_s, (value, None))
        end = self._instants.of(get("endDate", ""))
        if end is None or end[0] < utc_s:
            self._left_out[NO_READING] += 1
            return False
        if metric == "activity":
            return self._move(key, (utc_s, offset_s, end[0] - utc_s), kind, value)
        return self._pieces.add(key, utc_s, offset_s, (end[0] - utc_s, int(value)))

    def _meaning(self, asked: tuple[str, str, str]) -> tuple[str, float | None]:
        """The metric of a record and its value, or why there is none; worked out once."""
        known = self._meanings.get(asked)
        if known is None:
            if len(self._meanings) >= _MOST_MEANINGS:
                self._meanings.clear()
            known = self._meanings[asked] = meaning(*asked)
        return known

    def _move(self, key: PieceKey, span: tuple[int, int, int], kind: str, value: float) -> bool:
        """Distances and energies of one source and interval are one sample."""
        full = False
        one = self._movement
        if one is None or (one.key[0], one.span) != (key[0], span):
            full = self._end_movement()
            one = self._movement = _Movement(key, span)
        if kind == ACTIVE:
            one.active_kcal = value
        elif kind == BASAL:
            one.basal_kcal = value
        else:
            one.distance_m = round(value)
        return full

    def _end_movement(self) -> bool:
        one, self._movement = self._movement, None
        if one is None:
            return False
        values = one.values()
        if values is None:
            self._left_out[_NO_DISTANCE] += 1
            return False
        return self._pieces.add(one.key, *one.span[:2], values)

    def _workout(
        self, workout: Attributes, notes: Attributes, parts: Parts
    ) -> Iterator[ImportedRecord]:
        at = self._instants.of(workout.get("startDate", ""))
        end = self._instants.of(workout.get("endDate", ""))
        if at is None or end is None or end[0] < at[0]:
            self._left_out[NO_READING] += 1
            return
        utc_s, offset_s, _ = at
        key, origin = workout_key(utc_s, self._taken), workout.get("sourceName", "")
        summary = Track(FORM, key, offset_s).summary(
            sport_of(workout, notes),
            utc_s,
            end[0] - utc_s,
            sums_of(workout, parts),
            Gathered("workout_split"),
        )
        yield replace(summary, origin=origin)
        for path in (given.get("path", "") for name, given in parts if name == "FileReference"):
            stream = self._routes(path)
            if stream is None:
                self._left_out[_NO_ROUTE] += 1
                continue
            with stream:
                for record in read_gpx(SourceFile(Path(), stream)):
                    if record.kind == "gpx.track":
                        yield replace(
                            record,
                            kind=f"{FORM}.route",
                            key=f"{key} {record.key}",
                            offsets=told_offset(offset_s, utc_s),
                            origin=origin,
                        )


def _texts(run: Sequence[Attributes], name: str) -> list[str]:
    return [record.get(name, "") for record in run]


APPLE_HEALTH_IMPORTER: Final = Importer(FORM, "Apple Health", recognise, _read)
