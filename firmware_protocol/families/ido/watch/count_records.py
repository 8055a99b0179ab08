"""Counted records as the watch packs them: nights and workouts (ido.md 7.6, 7.8)."""

import struct
from collections.abc import Iterator, Sequence
from typing import Final

from firmware_protocol.families.ido.watch.packed import PackedRecord
from firmware_protocol.families.ido.watch.wall_clock import civil_from_wall
from firmware_protocol.samples import SleepStage
from firmware_protocol.watch_session import MovementSlot, SleepMemory, WorkoutMemory

_LONGEST_PHASE_MIN = 0xFF  # the item's duration is one byte
_WIRE_STAGES: Final = {  # ido.md 7.8: stage codes on the wire are provisional
    SleepStage.AWAKE: 1,
    SleepStage.LIGHT: 2,
    SleepStage.DEEP: 3,
    SleepStage.REM: 4,
}
_HEAD_ORDER: Final = (SleepStage.AWAKE, SleepStage.LIGHT, SleepStage.REM, SleepStage.DEEP)


def night_end_s(night: SleepMemory) -> int:
    """When the sleeper got up."""
    return night.start_wall_s + 60 * sum(minutes for _, minutes in night.phases)


def workout_end_s(workout: WorkoutMemory) -> int:
    """When the workout was over."""
    return workout.start_wall_s + workout.duration_s


def pack_night(night: SleepMemory) -> PackedRecord:
    """Type 07, version 2 (ido.md 7.8, L; the tail is zero on an A200)."""
    phases = list(short_phases(night))
    begin, end = civil_from_wall(night.start_wall_s), civil_from_wall(night_end_s(night))
    head = struct.pack(
        "<BBHBBBBHBBBBHHHHHBBBBBBHH6x",
        2,
        1,
        *(begin.year, begin.month, begin.day, begin.hour, begin.minute),
        *(end.year, end.month, end.day, end.hour, end.minute),
        sum(minutes for _, minutes in phases),
        *(sum(minutes for stage, minutes in phases if stage is kind) for kind in _HEAD_ORDER),
        *(sum(stage is kind for stage, _ in phases) for kind in _HEAD_ORDER),
        100,
        night.sleep_score,
        len(phases),
        0,
    )
    items = bytes(byte for stage, minutes in phases for byte in (_WIRE_STAGES[stage], minutes))
    return PackedRecord(head, items, len(phases))


def pack_workout(workout: WorkoutMemory, zones_bpm: Sequence[int]) -> PackedRecord:
    """Type 04, version 16 (ido.md 7.6, L). Mile splits and paddles are left out."""
    moved = sum(slot.distance_m for slot in workout.minutes) > 0
    cadence = [slot.steps for slot in _per_interval(workout)] if moved else []
    pace = [_pace(60, slot.distance_m) for slot in _per_interval(workout)] if moved else []
    items = bytes(workout.bpm) + b"".join(
        struct.pack("<HHH", slot.steps, slot.energy_kcal, slot.distance_m)
        for slot in workout.minutes
    )
    for block in (workout.split_s, cadence, pace):  # mile splits would stand before the pace
        items += struct.pack(f"<{len(block)}H", *block)
    counts = (len(workout.minutes), len(workout.split_s), 0, len(pace), len(cadence))
    head = _workout_front(workout) + _workout_tail(workout, zones_bpm, counts)
    return PackedRecord(head, items, max(1, len(workout.minutes)))


def _workout_front(workout: WorkoutMemory) -> bytes:
    """Bytes 0 to 47: sums, averages and extremes."""
    begin = civil_from_wall(workout.start_wall_s)
    beats = [bpm for bpm in workout.bpm if bpm] or [0]
    whole = workout.minutes[: workout.duration_s // 60] or workout.minutes
    steps = sum(slot.steps for slot in workout.minutes)
    distance_m = sum(slot.distance_m for slot in workout.minutes)
    fastest_m = max((slot.distance_m for slot in whole), default=0)
    return struct.pack(
        "<BHBBBBBHBBBIIIIBBBBBBBHHHHHH",
        0x10,
        *(begin.year, begin.month, begin.day, begin.hour, begin.minute, begin.second),
        workout.bpm_interval_s,
        0,
        2,  # started on the watch
        workout.sport_code,
        steps,
        workout.duration_s,
        sum(slot.energy_kcal for slot in workout.minutes),
        distance_m,
        *(round(sum(beats) / len(beats)), max(beats), min(beats)),
        _byte(steps * 60 // max(1, workout.duration_s)),
        _byte(max((slot.steps for slot in whole), default=0)),
        _byte(100 * distance_m // steps if steps else 0),
        _byte(max((_stride_cm(slot) for slot in whole), default=0)),
        distance_m * 360 // max(1, workout.duration_s),  # km/h x 100
        fastest_m * 6,
        _pace(workout.duration_s, distance_m),
        _pace(60, fastest_m),
        0,
        0,
    )


def _workout_tail(
    workout: WorkoutMemory, zones_bpm: Sequence[int], counts: tuple[int, int, int, int, int]
) -> bytes:
    """Bytes 48 to 99: zones, end and the sizes of the blocks."""
    end = civil_from_wall(workout_end_s(workout))
    zones = [sum(bpm >= low for low in zones_bpm) - 1 for bpm in workout.bpm if bpm]
    return struct.pack(
        "<IIIIIBBBHBBBBBHHHHHHHHHBBBB",
        *(zones.count(zone) * workout.bpm_interval_s for zone in range(len(zones_bpm))),
        *(0, 0, 0),  # training effect, VO2max and its grade: none
        *(end.year, end.month, end.day, end.hour, end.minute, end.second),
        *counts,
        len(workout.bpm),
        *(0, 0, 0),
        *(end.month, end.day, end.hour, end.minute),
    )


def short_phases(night: SleepMemory) -> Iterator[tuple[SleepStage, int]]:
    """The phases in pieces of at most 255 minutes, which is what an item can hold."""
    for stage, total_min in night.phases:
        minutes = total_min
        while minutes > _LONGEST_PHASE_MIN:
            yield stage, _LONGEST_PHASE_MIN
            minutes -= _LONGEST_PHASE_MIN
        yield stage, minutes


def _per_interval(workout: WorkoutMemory) -> Iterator[MovementSlot]:
    """The minute that each heart-rate interval falls into."""
    last = len(workout.minutes) - 1
    for index in range(len(workout.bpm)):
        yield workout.minutes[min(last, index * workout.bpm_interval_s // 60)]


def _pace(seconds: int, distance_m: int) -> int:
    """Seconds per kilometre; 0 where nothing moved (ido.md 7.6: standing)."""
    return min(0xFFFF, seconds * 1000 // distance_m) if distance_m else 0


def _stride_cm(slot: MovementSlot) -> int:
    return 100 * slot.distance_m // slot.steps if slot.steps else 0


def _byte(value: int) -> int:
    return min(0xFF, value)
