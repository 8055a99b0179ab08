"""What the watch offers of its memory, and what it may forget (ido.md 7.2, 7.3).

What was confirmed leaves the memory: a day's readings of one type, a night, a workout. So the
cursor outlives a lost link and a restart. An offer lives only on its link: a STOP that no START
preceded, or a repeated one, confirms nothing.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from firmware_protocol.families.ido.watch.count_records import (
    night_end_s,
    pack_night,
    pack_workout,
    workout_end_s,
)
from firmware_protocol.families.ido.watch.day_records import (
    pack_day,
    pack_steps,
    visible_slots,
)
from firmware_protocol.families.ido.watch.packed import (
    EMPTY_HEADS,
    PackedRecord,
    nothing_stored,
)
from firmware_protocol.families.ido.watch.wall_clock import civil_from_wall
from firmware_protocol.watch_session import DayMemory, SleepMemory, WatchMemory, WorkoutMemory

_START, _STOP = 0, 1
_STEPS: Final = 0x08
_DAY_FIELDS: Final[Mapping[int, str]] = {
    0x01: "spo2",
    0x02: "stress",
    0x03: "heart_rate",
    _STEPS: "movement",
}
_SIZES_BYTES = 125  # the payload of command 05


@dataclass(frozen=True, slots=True)
class _Offer:
    """What the last START delivered; `source` is forgotten when STOP confirms it."""

    record: PackedRecord
    today: int
    source: DayMemory | SleepMemory | WorkoutMemory | None


class HealthShelf:
    """Answers V3 04 and 05 from a `WatchMemory`, which it empties as records are confirmed."""

    def __init__(self, memory: WatchMemory, *, midnight: bool = False) -> None:
        self._memory = memory
        self._midnight = midnight
        self._offers: dict[int, _Offer] = {}

    def link_lost(self) -> None:
        """What was offered must be asked for again."""
        self._offers.clear()

    def erase(self) -> None:
        """Forget everything (ido.md 4.4: 04 02 does)."""
        for stored in (self._memory.days, self._memory.nights, self._memory.workouts):
            stored.clear()
        self._offers.clear()

    def today(self, wall_s: int) -> DayMemory | None:
        """The day that the clock shows, as far as it is stored."""
        day = civil_from_wall(wall_s).date()
        return next((stored for stored in self._memory.days if stored.day == day), None)

    def answer_record(self, body: bytes, wall_s: int, zones_bpm: Sequence[int]) -> bytes | None:
        """The reply to a command 04; None where an A200 would stay silent."""
        if len(body) != 5:
            return None
        operate, record_type, today, offset = struct.unpack("<BBBH", body)
        if record_type not in EMPTY_HEADS:
            return None
        if operate == _START:
            offer = self._offer(record_type, today, offset, wall_s, zones_bpm)
            self._offers[record_type] = offer
            front = _front(operate, record_type, today, offer.record, len(offer.record.items))
            return front + b"\x00" + offer.record.head + offer.record.items
        if operate == _STOP:
            record = self._confirm(record_type, today)
            front = _front(operate, record_type, today, replace(record, first_item=0), 0)
            return front + bytes([self._has_next(record_type, wall_s)])
        return None

    def answer_sizes(self, body: bytes, wall_s: int, zones_bpm: Sequence[int]) -> bytes | None:
        """The reply to a command 05 (ido.md 6.5): bytes of all records that 04 would deliver.

        Histories count as well (captured at midnight); of a count type with records the empty
        reply that ends it does not (provisional: not captured).
        """
        if len(body) != _SIZES_BYTES:
            return None
        offsets = {
            body[at]: int.from_bytes(body[at + 1 : at + 5], "little") for at in range(0, 20, 5)
        }
        total = 0
        for record_type in EMPTY_HEADS:
            if record_type in _DAY_FIELDS:
                first = self._offer(record_type, 1, offsets.get(record_type, 0), wall_s, zones_bpm)
                total += first.record.size_bytes + sum(
                    pack_day(record_type, day, 0, wall_s, zones_bpm).size_bytes
                    for day in self._history(record_type, wall_s)
                )
            else:
                waiting = self._waiting(record_type, wall_s)
                packed = [_pack_counted(source, zones_bpm).size_bytes for source in waiting]
                total += sum(packed) or nothing_stored(record_type).size_bytes
        return struct.pack("<IB", total, 0)

    def _offer(
        self, record_type: int, today: int, offset: int, wall_s: int, zones_bpm: Sequence[int]
    ) -> _Offer:
        if record_type not in _DAY_FIELDS:
            waiting = self._waiting(record_type, wall_s)
            record = (
                _pack_counted(waiting[0], zones_bpm) if waiting else nothing_stored(record_type)
            )
            return _Offer(record, today, waiting[0] if waiting else None)
        history = self._history(record_type, wall_s)
        if today and record_type == _STEPS and self._midnight and history:
            slots = visible_slots(history[-1], wall_s)
            return _Offer(pack_steps(history[-1].day, slots, only_last=True), today, None)
        day = self.today(wall_s) if today else history[-1] if history else None
        if day is None:
            return _Offer(nothing_stored(record_type), today, None)
        record = pack_day(record_type, day, offset if today else 0, wall_s, zones_bpm)
        return _Offer(record, today, None if today else day)

    def _confirm(self, record_type: int, today: int) -> PackedRecord:
        """Forget what was offered; return it, or the empty record where nothing was."""
        offer = self._offers.pop(record_type, None)
        if offer is None or offer.today != today:
            return nothing_stored(record_type)
        memory = self._memory
        match offer.source:
            case DayMemory() as day:
                index = next(at for at, stored in enumerate(memory.days) if stored.day == day.day)
                forgotten: dict[str, Any] = {_DAY_FIELDS[record_type]: ()}
                memory.days[index] = replace(memory.days[index], **forgotten)
            case SleepMemory() as night:
                memory.nights.remove(night)
            case WorkoutMemory() as workout:
                memory.workouts.remove(workout)
        return offer.record

    def _has_next(self, record_type: int, wall_s: int) -> bool:
        if record_type in _DAY_FIELDS:
            return bool(self._history(record_type, wall_s))
        return bool(self._waiting(record_type, wall_s))

    def _history(self, record_type: int, wall_s: int) -> list[DayMemory]:
        """Days before today that hold something unconfirmed of this type, oldest first."""
        today = civil_from_wall(wall_s).date()
        kept = _DAY_FIELDS[record_type]
        return [day for day in self._memory.days if day.day < today and getattr(day, kept)]

    def _waiting(self, record_type: int, wall_s: int) -> Sequence[SleepMemory | WorkoutMemory]:
        """Finished records of a count type that are not confirmed, oldest first."""
        if record_type == 0x04:
            return [done for done in self._memory.workouts if workout_end_s(done) <= wall_s]
        if record_type == 0x07:
            return [
                done for done in self._memory.nights if done.phases and night_end_s(done) <= wall_s
            ]
        return []


def _front(operate: int, record_type: int, today: int, record: PackedRecord, size: int) -> bytes:
    """Bytes 0 to 12 of a reply (ido.md 7.2)."""
    return struct.pack(
        "<BBBHHHI",
        operate,
        record_type,
        today,
        record.first_item,
        record.item_count,
        len(record.head),
        size,
    )


def _pack_counted(source: SleepMemory | WorkoutMemory, zones_bpm: Sequence[int]) -> PackedRecord:
    return (
        pack_night(source) if isinstance(source, SleepMemory) else pack_workout(source, zones_bpm)
    )
