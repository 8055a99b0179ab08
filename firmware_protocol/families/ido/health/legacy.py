"""History of watches without V3, group 08: packets to records to samples (ido.md 7.11, V).

The layouts come from vendor C structs, the sport day also from a second implementation; no capture
shows them, so every series is provisional. A body is the record's packets one after the other,
each `08 key serial length` and its payload.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Self

from firmware_protocol.clock import WatchClock
from firmware_protocol.errors import DecodeError
from firmware_protocol.families.ido.health.heart_rate import BPM_ALLOWED
from firmware_protocol.families.ido.health.series import TimedValues, unique_series
from firmware_protocol.families.ido.health.wall_time import (
    LONGEST_DAY_S,
    day_wall_s,
    moment_wall_s,
)
from firmware_protocol.samples import Decoded, Quality, Series, SleepStage

_FRONT_BYTES: Final = 4
_FIRST_ITEMS: Final = 2  # packets before the items
_SPORT_ITEM_BYTES: Final = 5
_PAIR_BYTES: Final = 2
_SPORT_HEAD: Final = struct.Struct("<HBBHBBB")
_SLEEP_HEAD: Final = struct.Struct("<HBBBBHBB")
_SLEEP_TOTALS: Final = struct.Struct("<BBBHH")
_HEART_RATE_HEAD: Final = struct.Struct("<HBBHBHB")
_BPM: Final = TimedValues("heart_rate", "bpm", 60, BPM_ALLOWED, Quality.PROVISIONAL)
_STAGES: Final = {1: SleepStage.AWAKE, 2: SleepStage.LIGHT, 3: SleepStage.DEEP}


@dataclass(frozen=True, slots=True)
class LegacyPackets:
    """The payloads of one record's packets, in order of their serials from 1 on."""

    payloads: tuple[bytes, ...]

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Split a body.

        Raises:
            DecodeError: a packet is cut, or serials leave a gap.
        """
        payloads: list[bytes] = []
        at = 0
        while at < len(body):
            packet = whole_packet(body[at:])
            if packet[2] != len(payloads) + 1:
                raise DecodeError("the packets of a record leave a gap")
            payloads.append(packet[_FRONT_BYTES:])
            at += len(packet)
        return cls(tuple(payloads))

    def head(self, packet: int, layout: struct.Struct) -> tuple[int, ...]:
        """Read the first (0) or second (1) packet.

        Raises:
            DecodeError: it is missing or too short.
        """
        if packet >= len(self.payloads) or len(self.payloads[packet]) < layout.size:
            raise DecodeError("a packet of a record's head is missing or too short")
        return layout.unpack_from(self.payloads[packet])

    def items(self, item_bytes: int, count: int) -> list[bytes]:
        """Cut the items out of the packets, which are filled with whole items only.

        Raises:
            DecodeError: there are fewer than `count`.
        """
        found = [
            payload[at : at + item_bytes]
            for payload in self.payloads[_FIRST_ITEMS:]
            for at in range(0, len(payload) - item_bytes + 1, item_bytes)
        ]
        if len(found) < count:
            raise DecodeError(f"{len(found)} of {count} items came")
        return found[:count]


def whole_packet(frame: bytes) -> bytes:
    """Return a packet without what a log added behind it.

    Raises:
        DecodeError: the frame is shorter than it says.
    """
    if len(frame) < _FRONT_BYTES or len(frame) < _FRONT_BYTES + frame[3]:
        raise DecodeError("a packet is shorter than it says")
    return frame[: _FRONT_BYTES + frame[3]]


def sport_wall_s(packets: LegacyPackets) -> int:
    """Return the beginning of a sport or heart-rate record's day.

    Raises:
        DecodeError: there is no such day.
    """
    year, month, day, *_ = packets.head(0, _SPORT_HEAD)
    return day_wall_s(year, month, day)


def sleep_end_wall_s(packets: LegacyPackets) -> int:
    """Return when the sleeper got up.

    Raises:
        DecodeError: there is no such moment.
    """
    year, month, day, hour, minute, *_ = packets.head(0, _SLEEP_HEAD)
    return moment_wall_s(year, month, day, hour, minute)


def sport_items(packets: LegacyPackets) -> list[bytes]:
    """Return the slots of a sport day.

    Raises:
        DecodeError: the head is missing or does not get all the items it announces.
    """
    *_, count, _ = packets.head(0, _SPORT_HEAD)
    return packets.items(_SPORT_ITEM_BYTES, count)


def sleep_items(packets: LegacyPackets) -> list[bytes]:
    """Return the phases of a night.

    Raises:
        DecodeError: the head is missing or does not get all the items it announces.
    """
    *_, count, _ = packets.head(0, _SLEEP_HEAD)
    return packets.items(_PAIR_BYTES, count)


def heart_rate_items(packets: LegacyPackets) -> list[bytes]:
    """Return the readings of a day.

    Raises:
        DecodeError: the head is missing or does not get all the items it announces.
    """
    *_, count, _ = packets.head(0, _HEART_RATE_HEAD)
    return packets.items(_PAIR_BYTES, count)


def sport_samples(packets: LegacyPackets, clock: WatchClock) -> Decoded:
    """Return steps and movement of each slot in which the watch counted anything.

    A packed slot, from the lowest bit: mode 2, steps 12, active minutes 4, kcal 10, metres 12.
    Which energy the kcal are is open; they are taken as the active one.

    Raises:
        DecodeError: the head makes no sense or items are missing.
    """
    year, month, day, start_min, slot_min, *_ = packets.head(0, _SPORT_HEAD)
    start_s = day_wall_s(year, month, day) + 60 * start_min
    slots = [
        (start_s + 60 * slot_min * at, int.from_bytes(item, "little"))
        for at, item in enumerate(sport_items(packets))
    ]
    counted = [(time, bits) for time, bits in slots if bits]
    if not counted:
        return Decoded()
    if not slot_min:
        raise DecodeError("the slots have no length")
    if 60 * (start_min + slot_min * len(slots)) > LONGEST_DAY_S:
        raise DecodeError("the slots run past the day")
    utc_s = clock.all_utc_s([time for time, _ in counted])
    bits = [bits for _, bits in counted]
    steps = [value >> 2 & 0xFFF for value in bits]
    walked = [(time, value) for time, value in zip(utc_s, steps, strict=True) if value]
    duration_s = 60 * slot_min
    activity = unique_series(
        "activity",
        utc_s,
        {
            "duration_s": [duration_s] * len(bits),
            "intensity": [value & 0x3 for value in bits],
            "active_min": [value >> 14 & 0xF for value in bits],
            "active_energy_kcal": [value >> 18 & 0x3FF for value in bits],
            "energy_kcal": [None] * len(bits),
            "distance_m": [value >> 28 for value in bits],
        },
        Quality.PROVISIONAL,
    )
    walking = unique_series(
        "steps",
        [time for time, _ in walked],
        {"duration_s": [duration_s] * len(walked), "steps": [value for _, value in walked]},
        Quality.PROVISIONAL,
    )
    return Decoded((walking, activity) if walked else (activity,))


def sleep_samples(packets: LegacyPackets, clock: WatchClock) -> Decoded:
    """Return the phases and the sum of a night, which is dated by its end.

    Raises:
        DecodeError: the head makes no sense or items are missing.
    """
    *_, total_min, _, _ = packets.head(0, _SLEEP_HEAD)
    _, _, _, light_min, deep_min = packets.head(1, _SLEEP_TOTALS)
    items = sleep_items(packets)
    if not total_min:
        return Decoded((), ("a night without a minute of sleep was left out",) if items else ())
    start_utc_s = clock.utc_s(sleep_end_wall_s(packets)) - 60 * total_min
    starts = accumulate((minutes for _, minutes in items), initial=0)
    phases = [
        (start_utc_s + 60 * start, 60 * minutes, _STAGES[stage])
        for start, (stage, minutes) in zip(starts, items, strict=False)
        if stage in _STAGES and minutes
    ]
    summary = Series(
        "sleep_summary",
        [start_utc_s],
        {
            "duration_s": [60 * total_min],
            "awake_min": [sum(minutes for stage, minutes in items if stage == 1)],
            "light_min": [light_min],
            "rem_min": [None],
            "deep_min": [deep_min],
            "sleep_score": [None],
        },
        Quality.PROVISIONAL,
    )
    if sum(minutes for _, minutes in items) != total_min or not phases:
        return Decoded((summary,), ("the phases of a night do not fill it: only its sum was kept",))
    return Decoded((_phase_series(phases), summary))


def _phase_series(phases: Sequence[tuple[int, int, SleepStage]]) -> Series:
    times, durations, stages = zip(*phases, strict=True)
    columns = {"duration_s": durations, "stage": [int(stage) for stage in stages]}
    return Series("sleep", times, columns, Quality.PROVISIONAL)


def heart_rate_samples(packets: LegacyPackets, clock: WatchClock) -> Decoded:
    """Return the readings, and the resting heart rate at the day's local midnight.

    Raises:
        DecodeError: the head makes no sense or items are missing.
    """
    year, month, day, start_min, resting_bpm, *_ = packets.head(0, _HEART_RATE_HEAD)
    day_s = day_wall_s(year, month, day)
    items = b"".join(heart_rate_items(packets))
    decoded = _BPM.series(day_s, start_min, items, clock)
    if not BPM_ALLOWED[resting_bpm]:
        return decoded
    resting = Series(
        "resting_heart_rate", [clock.utc_s(day_s)], {"bpm": [resting_bpm]}, Quality.PROVISIONAL
    )
    return Decoded((*decoded.series, resting), decoded.remarks)
