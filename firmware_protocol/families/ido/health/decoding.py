"""From raw records to samples: the one way in, which never raises on odd content."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final, TypeVar

from firmware_protocol.clock import WatchClock
from firmware_protocol.errors import DecodeError
from firmware_protocol.families.ido.control.record import RecordReply
from firmware_protocol.families.ido.framing import ClassicFrame
from firmware_protocol.families.ido.health import RECORDS, legacy
from firmware_protocol.families.ido.health.heart_rate import HeartRateDay, heart_rate_samples
from firmware_protocol.families.ido.health.record import EmptyRecord, Record
from firmware_protocol.families.ido.health.series import TimedValues
from firmware_protocol.families.ido.health.sleep import SleepRecord, sleep_samples
from firmware_protocol.families.ido.health.spo2_and_stress import (
    SPO2_BY_MINUTE,
    SPO2_BY_SECOND,
    STRESS,
    DayValues,
    day_values_samples,
)
from firmware_protocol.families.ido.health.steps import StepsDay, steps_samples
from firmware_protocol.families.ido.health.swim import SwimRecord
from firmware_protocol.families.ido.health.workout import WorkoutRecord
from firmware_protocol.families.ido.health.workout_samples import workout_samples
from firmware_protocol.families.ido.messages import decode_frame
from firmware_protocol.records import RawRecord
from firmware_protocol.samples import Decoded, Series, Value

FAMILY_NAME: Final = "ido"
DECODER_VERSION: Final = 1
BATTERY_KIND: Final = "battery"
SPO2_BY_SECOND_KIND: Final = (
    "health.spo2_by_second"  # 7.4: the unit is the watch's, not the record's
)

# 2000-01-01: a wrong date of a clock that is known to be wrong was put right before this is asked
_FIRST_UTC_S: Final = 946_684_800

_Reader = Callable[[bytes, WatchClock], Decoded]
_KnownRecord = TypeVar("_KnownRecord", bound=Record)


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record reply, read as far as its type is known."""

    reply: RecordReply
    record: Record

    @classmethod
    def decode(cls, body: bytes) -> "StoredRecord":
        """Read the payload of a reply to START.

        Raises:
            DecodeError: sizes do not add up, or the type or version has no layout.
        """
        reply = RecordReply.decode(body)
        codec = RECORDS.get(reply.record_type)
        if codec is None:
            raise DecodeError("a record of an unknown type")
        return cls(reply, codec.decode(reply.header, reply.items, reply.item_count))

    @property
    def is_empty(self) -> bool:
        """Tell whether the watch has nothing (more) of this type."""
        record = self.record
        return type(record) is EmptyRecord or (type(record) is SwimRecord and not record.is_stored)


def samples(record: RawRecord, clock: WatchClock) -> Decoded:
    """Return what a raw record means; what makes no sense becomes a remark."""
    if record.kind == BATTERY_KIND:
        return _battery_samples(record, clock)
    reader = _READERS.get(record.kind)
    if reader is None:
        return Decoded((), (f"{record.kind}: this kind of record has no known layout",))
    try:
        decoded = reader(record.body, clock)
        if any(series and series.start_utc_s[0] < _FIRST_UTC_S for series in decoded.series):
            raise DecodeError("its date lies before the first of these watches")  # noqa: TRY301
    except DecodeError as error:
        return Decoded((), (f"{record.kind} {record.key}: {error}",))
    if not decoded.remarks:
        return decoded
    remarks = tuple(f"{record.kind} {record.key}: {remark}" for remark in decoded.remarks)
    return Decoded(decoded.series, remarks)


def day_of(record: Record) -> date | None:
    """Return the day that a day record is dated with, None where it is of another type.

    Raises:
        DecodeError: there is no such day.
    """
    if not isinstance(record, DayValues | HeartRateDay | StepsDay):
        return None
    head = record.head
    try:
        return date(head.year, head.month, head.day)
    except ValueError:
        raise DecodeError("the date is not a day of the calendar") from None


def _reader_of(
    kind: type[_KnownRecord], meaning: Callable[[_KnownRecord, WatchClock], Decoded]
) -> _Reader:
    is_day = issubclass(kind, DayValues | HeartRateDay | StepsDay)

    def read(body: bytes, clock: WatchClock) -> Decoded:
        stored = StoredRecord.decode(body)
        if stored.is_empty:
            return Decoded()
        if type(stored.record) is not kind:
            raise DecodeError("the record is of another type than its kind")
        if is_day and not stored.reply.data_start:
            clock = _for_whole_days(clock)
        return meaning(stored.record, clock)

    return read


def _day_values_reader(meaning: TimedValues) -> _Reader:
    return _reader_of(DayValues, lambda record, clock: day_values_samples(record, meaning, clock))


def _swim_samples(record: SwimRecord, clock: WatchClock) -> Decoded:
    record.start_wall_s()
    return Decoded((), ("a swim was kept, but how long and how far it was is not known yet",))


@lru_cache(maxsize=16)
def _for_whole_days(clock: WatchClock) -> WatchClock:
    """The clock for a day that comes whole: it came in parts before (7.3). One for all records."""
    return clock.preferring_first()


def _legacy_reader(meaning: Callable[[legacy.LegacyPackets, WatchClock], Decoded]) -> _Reader:
    """Days always come whole (7.11)."""
    return lambda body, clock: meaning(legacy.LegacyPackets.decode(body), _for_whole_days(clock))


_READERS: Final[Mapping[str, _Reader]] = {
    "health.spo2": _day_values_reader(SPO2_BY_MINUTE),
    SPO2_BY_SECOND_KIND: _day_values_reader(SPO2_BY_SECOND),
    "health.stress": _day_values_reader(STRESS),
    "health.heart_rate": _reader_of(HeartRateDay, heart_rate_samples),
    "health.workout": _reader_of(WorkoutRecord, workout_samples),
    "health.swim": _reader_of(SwimRecord, _swim_samples),
    "health.sleep": _reader_of(SleepRecord, sleep_samples),
    "health.steps": _reader_of(StepsDay, steps_samples),
    "legacy.steps": _legacy_reader(legacy.sport_samples),
    "legacy.sleep": _legacy_reader(legacy.sleep_samples),
    "legacy.heart_rate": _legacy_reader(legacy.heart_rate_samples),
}


def _battery_samples(record: RawRecord, clock: WatchClock) -> Decoded:
    """Read a reply to 02 05; its key is the UTC second at which it was read, else it is now."""
    fields = decode_frame(ClassicFrame(record.body), "RX").fields if len(record.body) > 1 else {}
    level = fields.get("battery_pct")
    if not isinstance(level, int) or level > 100:
        return Decoded((), (f"{record.kind}: the battery's level makes no sense",))
    at_utc_s = int(record.key) if record.key.isdecimal() else clock.now_utc_s
    voltage_mv = fields.get("voltage_mv")
    columns: dict[str, Sequence[Value]] = {
        "battery_pct": [level],
        "voltage_mv": [voltage_mv if isinstance(voltage_mv, int) and voltage_mv else None],
        "charging": [int(fields.get("status") == "charging")],
    }
    return Decoded((Series("battery", [at_utc_s], columns),))
