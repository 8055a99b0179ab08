"""Payloads of the legacy history packets (ido.md 7.11, V): heads, then 16 bytes each at most."""

import struct
from collections.abc import Sequence
from datetime import date
from typing import Final

from firmware_protocol.families.ido.watch.count_records import night_end_s, short_phases
from firmware_protocol.families.ido.watch.packed import offset_items
from firmware_protocol.families.ido.watch.wall_clock import civil_from_wall, midnight_of
from firmware_protocol.samples import SleepStage
from firmware_protocol.watch_session import MovementSlot, Reading, SleepMemory, WorkoutMemory

_PACKET_BYTES = 16
_SLOTS_PER_PACKET = 3
# no REM here: it counts as light
_STAGES: Final = {SleepStage.AWAKE: 1, SleepStage.LIGHT: 2, SleepStage.DEEP: 3, SleepStage.REM: 2}
_MOST_WORKOUT_BEATS = 0xFF


def sport_packets(day: date, slots: Sequence[MovementSlot]) -> list[bytes]:
    """Keys 03 and 05."""
    packed = [_pack_slot(slot) for slot in slots]
    data = [
        b"".join(packed[at : at + _SLOTS_PER_PACKET])
        for at in range(0, len(packed), _SLOTS_PER_PACKET)
    ]
    minute = (slots[0].wall_s - midnight_of(day)) // 60 if slots else 0
    first = struct.pack(
        "<HBBHBBBB",
        *(day.year, day.month, day.day, minute),
        slots[0].minutes if slots else 0,
        *(len(slots), 2 + len(data), 0),
    )
    second = struct.pack(
        "<IIII",
        sum(slot.steps for slot in slots),
        sum(slot.active_energy_kcal for slot in slots),
        sum(slot.distance_m for slot in slots),
        sum(slot.active_min for slot in slots),
    )
    return [first, second, *data]


def sleep_packets(night: SleepMemory) -> list[bytes]:
    """Keys 04 and 06; the date is that of getting up."""
    end = civil_from_wall(night_end_s(night))
    items = [(_STAGES[stage], minutes) for stage, minutes in short_phases(night)]
    data = _cut(bytes(byte for item in items for byte in item))
    counted = {kind: [minutes for stage, minutes in items if stage == kind] for kind in (1, 2, 3)}
    first = struct.pack(
        "<HBBBBHBB",
        *(end.year, end.month, end.day, end.hour, end.minute),
        *(sum(minutes for _, minutes in items), len(items), 2 + len(data)),
    )
    second = struct.pack(
        "<BBBHH",
        *(len(counted[2]), len(counted[3]), len(counted[1])),
        *(sum(counted[2]), sum(counted[3])),
    )
    return [first, second, *data]


def heart_rate_packets(
    day: date, readings: Sequence[Reading], resting_bpm: int, zones_bpm: Sequence[int]
) -> list[bytes]:
    """Keys 07 and 08: one reading a minute at most; of the five zones the upper three count."""
    midnight_s = midnight_of(day)
    by_minute = {(reading.wall_s - midnight_s) // 60: reading.value for reading in readings}
    items = offset_items(list(by_minute), list(by_minute.values()))
    data = _cut(bytes(byte for pair in items.pairs for byte in pair))
    fat, aerobic, limit = zones_bpm[1], zones_bpm[2], zones_bpm[4]
    first = struct.pack(
        "<HBBHBHB",
        *(day.year, day.month, day.day),
        items.base_times[0] if items.pairs else 0,
        *(resting_bpm, len(items.pairs), 2 + len(data)),
    )
    beats = list(by_minute.values())
    second = struct.pack(
        "<BBBHHH",
        *(fat, aerobic, limit),
        sum(fat <= bpm < aerobic for bpm in beats),
        sum(aerobic <= bpm < limit for bpm in beats),
        sum(bpm >= limit for bpm in beats),
    )
    return [first, second, *data]


def activity_packets(workout: WorkoutMemory, zones_bpm: Sequence[int]) -> list[bytes]:
    """Key 06 of group 09; the byte `data_length` is provisional and repeats the count of beats."""
    thin = -(-len(workout.bpm) // _MOST_WORKOUT_BEATS) or 1
    bpm = workout.bpm[::thin]
    data = _cut(bytes(bpm))
    begin = civil_from_wall(workout.start_wall_s)
    first = struct.pack(
        "<BBBBBBBHBB",
        begin.year - 2000,
        *(begin.month, begin.day, begin.hour, begin.minute, begin.second),
        *(len(bpm), workout.bpm_interval_s * thin, len(bpm), 3 + len(data)),
    )
    bits, shift = 0, 0
    for value, width in (
        (sum(slot.steps for slot in workout.minutes), 18),
        (workout.duration_s, 20),
        (sum(slot.energy_kcal for slot in workout.minutes), 18),
        (sum(slot.distance_m for slot in workout.minutes), 18),
    ):
        bits |= value << shift
        shift += width
    second = bytes([workout.sport_code]) + bits.to_bytes(10, "little")
    beats = [value for value in workout.bpm if value] or [0]
    fat, aerobic, limit = zones_bpm[1], zones_bpm[2], zones_bpm[4]
    in_zone = (
        sum(low <= value < high for value in beats) * workout.bpm_interval_s // 60
        for low, high in ((fat, aerobic), (aerobic, limit), (limit, 0x100))
    )
    third = struct.pack("<BBHHH", round(sum(beats) / len(beats)), max(beats), *in_zone)
    return [first, second, third, *data]


def _pack_slot(slot: MovementSlot) -> bytes:
    """Five bytes; from the lowest bit: mode 2, steps 12, minutes 4, kcal 10, metres 12."""
    bits = slot.intensity & 0x3
    bits |= min(slot.steps, 0xFFF) << 2
    bits |= min(slot.active_min, 0xF) << 14
    bits |= min(slot.active_energy_kcal, 0x3FF) << 18
    bits |= min(slot.distance_m, 0xFFF) << 28
    return bits.to_bytes(5, "little")


def _cut(data: bytes) -> list[bytes]:
    return [data[at : at + _PACKET_BYTES] for at in range(0, len(data), _PACKET_BYTES)]
