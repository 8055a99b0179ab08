"""Gadgetbridge's database as it exports it: each device in it is a source for itself.

Samples come table by table and day by day, so that memory does not grow with the file, and the same
day in a later export replaces the earlier one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

from firmware_protocol.samples import Decoded
from ksos_link.errors import MalformedError
from ksos_link.imports.gadgetbridge_database import Export, Row, opened
from ksos_link.imports.gadgetbridge_meanings import (
    GENERIC_STAGES,
    STAGES_BY_MARK,
    TABLES,
    Found,
    Meaning,
    Table,
    sport_of,
    stages,
    sums_of,
)
from ksos_link.imports.gather import LAST_UTC_S, Gathered
from ksos_link.imports.importer import ImportedRecord, SourceFile
from ksos_link.imports.track import Track, workout_key

FORM: Final = "gadgetbridge"
_DAY_S: Final = 86_400
_LONGEST_S: Final = 30 * _DAY_S
_MOST_SOURCES: Final = 100
_MOST_DEVICES: Final = 1000
_MOST_NAME: Final = 60
_MOST_OPEN_ROWS: Final = 1_000_000  # of a day: a dozen devices with a value a second
_MOST_NAMED: Final = 30
_WORKOUTS: Final = "BASE_ACTIVITY_SUMMARY"
_WORKOUT_COLUMNS: Final = ("START_TIME", "END_TIME", "ACTIVITY_KIND", "DEVICE_ID")
_WORKOUT_EXTRAS: Final = ("SUMMARY_DATA", "GPX_TRACK")  # newer than the others
_OTHERS: Final = (_WORKOUTS, GENERIC_STAGES.name)

_ODD: Final = "Values that cannot be or that have no place here, left out"
_TIMELESS: Final = "Rows without a time that can be, left out"
_REPEATED: Final = "Values at a second that had one, left out"
_ROUTES: Final = "Workouts whose route is a file of its own, to be imported as GPX"
_NO_VENDOR: Final = "Stages of sleep of a vendor that is not known here, left out"


def read(source: SourceFile) -> Iterator[ImportedRecord]:
    """The pieces of an export; what must be said of it comes with the last.

    Raises:
        MalformedError: no database of Gadgetbridge, or a damaged one.
    """
    last: ImportedRecord | None = None
    with opened(source) as export:
        reading = _Reading(export)
        for record in reading.records():
            if last is not None:
                yield last
            last = record
        remarks = reading.remarks()
    if last is not None:
        yield replace(last, decoded=Decoded(last.decoded.series, remarks))


class _Reading:
    """One export while it is read."""

    def __init__(self, export: Export) -> None:
        self._export = export
        self._names = _device_names(export)
        self._origins: dict[Any, str] = {}
        self._left_out: Counter[str] = Counter()
        self._strange: list[str] = []

    def records(self) -> Iterator[ImportedRecord]:
        for table in TABLES:
            yield from self._samples(table, {}, table.meaning)
        yield from self._samples(GENERIC_STAGES, self._vendors(), None)
        yield from self._workouts()

    def remarks(self) -> tuple[str, ...]:
        """What was left out, and which tables."""
        counted = [f"{text}: {number}." for text, number in self._left_out.items() if number]
        known = {*(table.name for table in TABLES), *_OTHERS}
        unread = [*self._strange]
        for name in sorted(self._export.tables - known):
            plain = name.isascii() and name.replace("_", "").isalnum() and len(name) <= _MOST_NAME
            if plain and name.endswith("_SAMPLE") and self._export.has_rows(name):
                unread.append(name)
        if unread:
            more = "" if len(unread) <= _MOST_NAMED else " and others"
            counted.append(f"Tables that are not read: {', '.join(unread[:_MOST_NAMED])}{more}.")
        return tuple(counted)

    def _origin(self, device_id: Any) -> str:
        """Who recorded it, by the name that the export has for the device.

        Raises:
            MalformedError: more devices than anybody has.
        """
        known = self._origins.get(device_id)
        if known is None:
            if len(self._origins) >= _MOST_SOURCES:
                raise MalformedError("The file names more devices than anybody has.")
            known = self._names.get(device_id, f"device {device_id}")
            self._origins[device_id] = known
        return known

    def _samples(
        self, table: Table, by_device: Mapping[Any, Meaning], otherwise: Meaning | None
    ) -> Iterator[ImportedRecord]:
        """A table's samples, a record for each device and day; meanings may be a device's own."""
        if table.name not in self._export.tables:
            return
        columns = ("TIMESTAMP", "DEVICE_ID", *table.columns)
        rows = self._export.rows(table.name, columns, "TIMESTAMP")
        if rows is None:
            self._strange.append(table.name)
            return
        day = _Day(table, 0)
        for utc_s, device_id, values in self._timed(rows, table):
            number = utc_s // _DAY_S
            if number < day.number:
                raise MalformedError("The database is damaged: its rows are out of order.")
            if number > day.number:
                yield from self._ended(day)
                day = _Day(table, number)
            meaning = by_device.get(device_id, otherwise)
            if meaning is None:
                self._left_out[_NO_VENDOR] += 1
            else:
                self._left_out[_ODD] += day.add(device_id, utc_s, meaning(values))
        yield from self._ended(day)

    def _timed(self, rows: Iterator[Row], table: Table) -> Iterator[tuple[int, int, Sequence[Any]]]:
        """The rows that have a time and a device."""
        for timestamp, device_id, *values in rows:
            utc_s = _instant(timestamp, in_seconds=table.in_seconds)
            if utc_s is None or type(device_id) is not int:
                self._left_out[_TIMELESS] += 1
            else:
                yield utc_s, device_id, values

    def _ended(self, day: "_Day") -> Iterator[ImportedRecord]:
        for device_id, metrics in day.devices.items():
            self._left_out[_REPEATED] += sum(each.repeated for each in metrics.values())
            yield ImportedRecord(
                f"{FORM}.{day.table.name.lower()}",
                f"{datetime.fromtimestamp(day.number * _DAY_S, UTC):%Y-%m-%d}",
                Decoded(tuple(each.series() for each in metrics.values())),
                max(max(each.rows) for each in metrics.values()),
                origin=self._origin(device_id),
            )

    def _vendors(self) -> dict[Any, Meaning]:
        """What generic stages of sleep mean, of devices of which one vendor is known."""
        found: dict[Any, list[Meaning]] = {}
        for mark, numbers in STAGES_BY_MARK.items():
            devices: set[Any] = set()
            for (device_id,) in self._export.rows(mark, ("DEVICE_ID",), "TIMESTAMP") or ():
                devices.add(device_id)
                if len(devices) > _MOST_DEVICES:
                    raise MalformedError("The file names more devices than anybody has.")
            for device_id in devices:
                found.setdefault(device_id, []).append(stages(numbers))
        return {device_id: each[0] for device_id, each in found.items() if len(each) == 1}

    def _workouts(self) -> Iterator[ImportedRecord]:
        if _WORKOUTS not in self._export.tables:
            return
        known = self._export.columns(_WORKOUTS)
        extras = tuple(name for name in _WORKOUT_EXTRAS if name in known)
        rows = self._export.rows(_WORKOUTS, (*_WORKOUT_COLUMNS, *extras), "_id")
        if rows is None:
            self._strange.append(_WORKOUTS)
            return
        taken: dict[Any, Counter[str]] = {}
        for start, end, kind, device_id, *rest in rows:
            begun, ended = _instant(start), _instant(end)
            if begun is None or ended is None or type(device_id) is not int:
                self._left_out[_TIMELESS] += 1
                continue
            if not 0 <= ended - begun <= _LONGEST_S:
                self._left_out[_ODD] += 1
                continue
            told = dict(zip(extras, rest, strict=True))
            self._left_out[_ROUTES] += bool(told.get("GPX_TRACK"))
            summary = Track(
                FORM, workout_key(begun, taken.setdefault(device_id, Counter()))
            ).summary(
                sport_of(kind),
                begun,
                ended - begun,
                sums_of(told.get("SUMMARY_DATA")),
                Gathered("workout_split"),
            )
            yield replace(summary, origin=self._origin(device_id))


class _Day:
    """The samples of a table in a day of UTC, by device and metric."""

    def __init__(self, table: Table, number: int) -> None:
        self.table = table
        self.number = number
        self.devices: dict[int, dict[str, Gathered]] = {}
        self._rows = 0

    def add(self, device_id: int, utc_s: int, found: Iterable[Found]) -> int:
        """Take what a row means; how many of its values cannot be.

        Raises:
            MalformedError: more than a day can have.
        """
        odd = 0
        for metric, values in found:
            if not metric:
                odd += 1
                continue
            metrics = self.devices.setdefault(device_id, {})
            if metric not in metrics:
                metrics[metric] = Gathered(metric)
            metrics[metric].add(utc_s, *values)
            self._rows += 1
        if self._rows > _MOST_OPEN_ROWS:
            raise MalformedError("The database holds more of a day than can be recorded.")
        return odd


def _instant(timestamp: Any, *, in_seconds: bool = False) -> int | None:
    """The UTC second of a timestamp; None where it is none."""
    if type(timestamp) is not int:
        return None
    utc_s = timestamp if in_seconds else timestamp // 1000
    return utc_s if 0 <= utc_s < LAST_UTC_S else None


def _device_names(export: Export) -> dict[Any, str]:
    """The names of the devices, each once: of two of one name, the later gets a number.

    Raises:
        MalformedError: no database of Gadgetbridge.
    """
    rows = export.rows("DEVICE", ("_id", "NAME"), "_id")
    if rows is None:
        raise MalformedError("The database is none of Gadgetbridge's.")
    names: dict[Any, str] = {}
    taken: set[str] = set()
    for device_id, name in rows:
        if len(names) >= _MOST_DEVICES:
            raise MalformedError("The file names more devices than anybody has.")
        letters = "".join(each for each in str(name) if each.isprintable())[:_MOST_NAME].strip()
        plain = letters or "device"
        if plain in taken:
            plain = next(
                wanted
                for wanted in (f"{plain} ({number})" for number in count(2))
                if wanted not in taken
            )
        taken.add(plain)
        names[device_id] = plain
    return names
