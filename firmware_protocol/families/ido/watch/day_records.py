"""Day records as the watch packs them: SpO2, stress, heart rate, steps (ido.md 7.4, 7.5, 7.9)."""

import struct
from collections.abc import Sequence
from datetime import date

from firmware_protocol.families.ido.watch.packed import (
    PackedRecord,
    nothing_stored,
    offset_items,
)
from firmware_protocol.families.ido.watch.wall_clock import midnight_of
from firmware_protocol.watch_session import DayMemory, MovementSlot, Reading

_SPO2, _STRESS, _HEART_RATE, _STEPS = 0x01, 0x02, 0x03, 0x08
_HELD_S = 300  # how long one reading counts for the minutes in a zone


def pack_day(
    record_type: int, day: DayMemory, offset: int, wall_s: int, zones_bpm: Sequence[int]
) -> PackedRecord:
    """Pack what is stored of a day up to `wall_s`, from item `offset` on (steps: the whole day)."""
    match record_type:
        case 0x01:
            return _pack_minutes(record_type, day.day, day.spo2, offset, wall_s)
        case 0x02:
            return _pack_minutes(record_type, day.day, day.stress, offset, wall_s)
        case 0x03:
            return _pack_heart_rate(day, offset, wall_s, zones_bpm)
        case _:
            return pack_steps(day.day, visible_slots(day, wall_s))


def visible_slots(day: DayMemory, wall_s: int) -> list[MovementSlot]:
    """The slots that have begun; the last one of today is the running one."""
    return [slot for slot in day.movement if slot.wall_s <= wall_s]


def pack_steps(
    day: date, slots: Sequence[MovementSlot], *, only_last: bool = False
) -> PackedRecord:
    """Type 08 (ido.md 7.9, L). `only_last` empties the items before the last (7.3, midnight)."""
    if not slots:
        return nothing_stored(_STEPS)
    head = struct.pack(
        "<BHBBHBIIIIHHBBB5x",
        0,
        day.year,
        day.month,
        day.day,
        (slots[0].wall_s - midnight_of(day)) // 60,
        slots[0].minutes,
        sum(slot.steps for slot in slots),
        sum(slot.energy_kcal for slot in slots),
        sum(slot.distance_m for slot in slots),
        sum(slot.active_min for slot in slots),
        len(slots),
        sum(slot.active_energy_kcal for slot in slots),
        0,
        0,
        0,  # hours with the walk goal met: provisional, 0 in all A200 captures
    )
    packed = [_pack_slot(slot) for slot in slots]
    if only_last:
        packed[:-1] = [bytes(10)] * (len(packed) - 1)
    return PackedRecord(head, b"".join(packed), len(packed))


def _pack_slot(slot: MovementSlot) -> bytes:
    return struct.pack(
        "<BHBHHH",
        slot.intensity,
        slot.steps,
        slot.active_min,
        slot.active_energy_kcal,
        slot.distance_m,
        slot.energy_kcal,
    )


def _pack_minutes(
    record_type: int, day: date, readings: Sequence[Reading], offset: int, wall_s: int
) -> PackedRecord:
    """Types 01 and 02 (ido.md 7.4, C; SpO2 in minutes as the A200's table announces)."""
    midnight_s = midnight_of(day)
    visible = [reading for reading in readings if reading.wall_s <= wall_s]
    items = offset_items(
        [(reading.wall_s - midnight_s) // 60 for reading in visible],
        [reading.value for reading in visible],
    )
    if offset >= len(items.pairs):
        return nothing_stored(record_type)
    packed = items.packed_from(offset)
    head = struct.pack(
        "<HBBIBI",
        day.year,
        day.month,
        day.day,
        items.base_times[offset],
        0,  # data_type: an A200 sends 0 with valid values
        len(packed),
    )
    return PackedRecord(head, packed, len(packed) // 2, offset)


def _pack_heart_rate(
    day: DayMemory, offset: int, wall_s: int, zones_bpm: Sequence[int]
) -> PackedRecord:
    """Type 03 (ido.md 7.5, L) with the head of 29 bytes that an A200 shows."""
    midnight_s = midnight_of(day.day)
    visible = [reading for reading in day.heart_rate if reading.wall_s <= wall_s]
    items = offset_items(
        [reading.wall_s - midnight_s for reading in visible],
        [reading.value for reading in visible],
    )
    if offset >= len(items.pairs):
        return nothing_stored(_HEART_RATE)
    packed = items.packed_from(offset)
    zones = b"".join(
        struct.pack("<BH", bpm, seconds // 60)
        for bpm, seconds in zip(zones_bpm, _zone_seconds(visible, zones_bpm), strict=True)
    )
    head = struct.pack(
        "<HBBiBB15sI",
        day.day.year,
        day.day.month,
        day.day.day,
        items.base_times[offset],
        1,
        day.resting_bpm or 0,
        zones,
        len(packed),
    )
    return PackedRecord(head, packed, len(packed) // 2, offset)


def _zone_seconds(readings: Sequence[Reading], zones_bpm: Sequence[int]) -> list[int]:
    """Seconds in each zone; a reading counts until the next one, for five minutes at most."""
    seconds = [0] * len(zones_bpm)
    for index, reading in enumerate(readings):
        zone = sum(reading.value >= bpm for bpm in zones_bpm) - 1
        if zone >= 0:
            following = readings[index + 1].wall_s if index + 1 < len(readings) else reading.wall_s
            seconds[zone] += min(following - reading.wall_s, _HELD_S)
    return seconds
