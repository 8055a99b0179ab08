"""Codecs of health records: goldens with their reference rows, and every record comes back."""

import json
import struct
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.errors import DecodeError, LocalProtocolError, ProtocolError
from firmware_protocol.families.ido.control.record import RecordReply
from firmware_protocol.families.ido.framing import FrameAssembler, V3Frame
from firmware_protocol.families.ido.health import RECORDS
from firmware_protocol.families.ido.health.headed import HeadLayout
from firmware_protocol.families.ido.health.heart_rate import HeartRateDay
from firmware_protocol.families.ido.health.record import EmptyRecord, OpaqueRecord, Record
from firmware_protocol.families.ido.health.sleep import SleepRecord
from firmware_protocol.families.ido.health.spo2_and_stress import DayValues
from firmware_protocol.families.ido.health.steps import StepsDay
from firmware_protocol.families.ido.health.swim import SwimRecord
from firmware_protocol.families.ido.health.workout import _LAYOUT, WorkoutRecord
from firmware_protocol.family import CapturedPacket

Captured = Callable[[str], list[CapturedPacket]]

STRESS_HEADER = bytes.fromhex("EA07 06 16 A9030000 00 02000000")  # ido.md 7.4, C
HEART_RATE_HEADER = bytes.fromhex(  # ido.md 7.5, L: ID208, head 32
    "EA07 0A 03 0AF30000 01 41 620000 760000 8A0000 9D0000 B10000 32000000 000000"
)
NIGHT_HEADER = bytes.fromhex(  # ido.md 7.8, L: 28 September
    "02 01 EA07091C1729 EA07091D0706 BD01 1500 D700 8800 4900 04 0C 09 02 64 4C 1B00 0000"
    "AAAAAAAAAAAA"
)
STEPS_HEADER = bytes.fromhex(  # ido.md 7.9, C: A200 2026-06-22
    "00 EA07 06 16 0000 0F 68000000 45000000 42000000 00000000 4000 0F00 0000 00 0000000000"
)
WORKOUT_HEADER = bytes.fromhex(  # ido.md 7.6, L: ID208 strength session
    "10ea070a08123a280500000265e8010000a0030000320000008501000055913f1caf4f509000f60451091d0100000000"
    "36000000440000000700000000000000000000000000"
    "00ea070a08130e0b100001000100b800b800b8000000000000000a08130e"
)


def round_trip(record_type: int, header: bytes, items: bytes, item_count: int) -> Record:
    """Decode, encode, name and read back; all must agree."""
    codec = RECORDS[record_type]
    record = codec.decode(header, items, item_count)
    assert record.encode() == (header, items)
    fields = json.loads(json.dumps(record.fields()))
    assert codec.from_fields(fields).encode() == (header, items)
    hidden = sum(
        len(str(value)) // 2 for name, value in fields.items() if name.startswith("unknown_")
    )
    assert hidden == record.unknown_bytes
    return record


def test_a_stress_sample() -> None:
    record = round_trip(0x02, STRESS_HEADER, bytes.fromhex("0A10"), 1)
    assert isinstance(record, DayValues)
    assert (record.head.year, record.head.month, record.head.day) == (2026, 6, 22)
    assert record.head.start_time == 937
    assert record.fields()["values"] == [16]
    assert record.adds_up()
    assert not DayValues(record.head, b"", b"\x0a\x10\x0a\x10").adds_up()


def test_heart_rate_of_a_longer_head() -> None:
    items = bytes.fromhex("0041 FF00 583F 2147 1B41")
    record = round_trip(0x03, HEART_RATE_HEADER, items, 5)
    assert isinstance(record, HeartRateDay)
    assert record.head.start_time_s == 62218
    assert record.head.resting_bpm == 65
    assert (record.head.warm_up_bpm, record.head.extreme_bpm) == (98, 177)
    assert record.unknown_bytes == 0
    assert record.fields()["reserved_29"] == 3, "the zeros behind the known header are counted"
    assert not record.adds_up()  # only the ends of its 50 bytes were published
    assert HeartRateDay(record.head, b"", bytes(50)).adds_up()


def test_a_night() -> None:
    items = bytes((2, 20, 3, 10))
    record = round_trip(0x07, NIGHT_HEADER, items, 2)
    assert isinstance(record, SleepRecord)
    head = record.head
    assert (head.total_min, head.awake_min, head.light_min, head.rem_min, head.deep_min) == (
        445,
        21,
        215,
        136,
        73,
    )
    assert (head.items, head.sleep_score) == (27, 76)
    assert not record.has_phases  # two phases are not the night's 27
    assert record.unknown_bytes == 8 + len(items)


def test_a_night_with_phases() -> None:
    header = bytearray(NIGHT_HEADER)
    header[14:28] = struct.pack("<HHHHHBBBB", 100, 10, 90, 0, 0, 1, 1, 0, 0)
    header[30] = 2
    record = round_trip(0x07, bytes(header), bytes((2, 90, 1, 10)), 2)
    assert isinstance(record, SleepRecord)
    assert record.adds_up()
    assert record.fields()["phases_min"] == [90, 10]


def test_a_step_day() -> None:
    slots = [(0, 70, 0, 10, 40, 45), (1, 34, 2, 5, 26, 24)]
    items = b"".join(struct.pack("<BHBHHH", *slot) for slot in slots)
    record = round_trip(0x08, STEPS_HEADER, items, 2)
    assert isinstance(record, StepsDay)
    assert record.adds_up()
    assert not record.only_last_slot()
    assert record.fields()["item_steps"] == [70, 34]
    assert StepsDay(record.head, b"", bytes(10) + items[:10]).only_last_slot()
    assert not StepsDay(record.head, b"", bytes(10) + items[:10]).adds_up()
    assert not StepsDay(record.head, b"", b"").only_last_slot()


def test_captured_records_come_back(captured: Captured) -> None:
    """Every type 04 reply of the captures (ido.md 7)."""
    seen = set()
    for name in (
        "a200_sync_stress_sample.txt",
        "a200_dial_upload_then_sync.txt",
        "a200_live_bind_and_sync_requests.txt",
        "workout_v16_outdoor_run.txt",
    ):
        assembler = FrameAssembler("RX")
        for packet in captured(name):
            if packet.direction != "RX" or packet.data[:1] != b"\x33":
                continue
            for frame in assembler.receive("-", packet.data):
                if isinstance(frame, V3Frame) and frame.command == 4:
                    reply = RecordReply.decode(frame.payload)
                    if reply.header:
                        round_trip(reply.record_type, reply.header, reply.items, reply.item_count)
                        seen.add(reply.record_type)
    assert seen == {1, 2, 3, 4, 6, 7, 8}


def test_captured_step_days_add_up(captured: Captured) -> None:
    """ido.md 7.9: 219 steps in the history reply; right after midnight only the last slot."""
    days = []
    assembler = FrameAssembler("RX")
    for packet in captured("a200_dial_upload_then_sync.txt"):
        if packet.direction == "RX" and packet.data[:1] == b"\x33":
            for frame in assembler.receive("-", packet.data):
                if isinstance(frame, V3Frame) and frame.payload[:2] == b"\x00\x08":
                    reply = RecordReply.decode(frame.payload)
                    days.append(RECORDS[8].decode(reply.header, reply.items, reply.item_count))
    remnant, whole = days
    assert isinstance(remnant, StepsDay)
    assert isinstance(whole, StepsDay)
    assert (remnant.adds_up(), remnant.only_last_slot()) == (False, True)
    assert (whole.adds_up(), whole.head.steps, len(whole.items)) == (True, 219, 960)


def test_a_captured_workout(captured: Captured) -> None:
    """RUN, ido.md 7.6 (C)."""
    assembler = FrameAssembler("RX")
    frames = [
        frame
        for packet in captured("workout_v16_outdoor_run.txt")
        for frame in assembler.receive("-", packet.data)
    ]
    (frame,) = frames
    assert isinstance(frame, V3Frame)
    reply = RecordReply.decode(frame.payload)
    record = RECORDS[4].decode(reply.header, reply.items, reply.item_count)
    assert isinstance(record, WorkoutRecord)
    head = record.head
    assert (head.sport, head.duration_s, head.steps, head.distance_m) == (0x30, 66, 162, 222)
    assert (head.bpm_avg, head.bpm_max, head.bpm_min) == (119, 123, 116)
    assert (head.speed_avg_kmh_x100, head.speed_max_kmh_x100) == (1210, 1529)
    assert list(record.bpm) == [118, 116, 118, 119, 121, 121, 123, 123]
    assert record.minutes == ((147, 5, 206), (15, 0, 16))
    assert (record.km_splits_s, record.mile_splits_s) == ((297, 297), (479, 479))
    assert record.cadence_spm[:4] == (0, 0, 50, 103)
    assert record.pace_s_per_km[3:5] == (365, 286)
    assert record.adds_up()
    assert record.unknown_bytes == 0


def test_published_records(published_records: list[tuple[int, bytes, bytes]]) -> None:
    """ID208: four nights whose sums agree, one heart-rate record, one workout (items cut)."""
    nights = [header for record_type, header, _ in published_records if record_type == 7]
    assert len(nights) == 4
    for header in nights:
        record = round_trip(0x07, header, b"", 0)
        assert isinstance(record, SleepRecord)
        head = record.head
        assert head.awake_min + head.light_min + head.rem_min + head.deep_min == head.total_min
        assert (
            head.awake_phases + head.light_phases + head.rem_phases + head.deep_phases == head.items
        )
    for record_type, header, items in published_records:
        if record_type == 3:
            round_trip(0x03, header, items, len(items) // 2)
        if record_type == 4:
            head_only = _LAYOUT.read(header)
            assert (head_only.sport, head_only.duration_s, head_only.bpm_max) == (0x65, 928, 145)
            assert (head_only.heart_rates, head_only.minutes) == (184, 16)
            with pytest.raises(DecodeError):
                RECORDS[4].decode(header, items, 16)


@pytest.mark.parametrize("record_type", sorted(RECORDS))
@pytest.mark.parametrize("size", [13, 14, 29, 32, 34, 36, 40, 76, 100])
def test_nothing_stored_keeps_its_size(record_type: int, size: int) -> None:
    record = round_trip(record_type, bytes(size), b"", 0)
    assert isinstance(record, EmptyRecord)
    assert record.adds_up()
    assert record.unknown_bytes == 0


def test_an_empty_swim_has_its_version() -> None:
    header = bytes(7) + b"\x01" + bytes(26)  # ido.md 7.7, C
    record = round_trip(0x06, header, b"", 0)
    assert isinstance(record, SwimRecord)
    assert not record.is_stored
    assert record.unknown_bytes == 0


def test_a_swim_keeps_what_is_not_known() -> None:
    header = bytes.fromhex("EA07 06 16 10 20 30 01") + bytes(range(26))
    record = round_trip(0x06, header, b"\x01\x02\x03", 1)
    assert isinstance(record, SwimRecord)
    assert record.is_stored
    assert record.adds_up()
    assert record.unknown_bytes == 29


@pytest.mark.parametrize("record_type", [0x05, 0x09, 0x0A, 0x0C, 0x0D, 0x0E, 0x0F, 0x10])
@pytest.mark.parametrize(
    ("header", "items"), [(b"\x01\x02", b"\x03"), (b"", b"\x03"), (b"\x01", b"")]
)
def test_types_without_a_layout_stay_whole(record_type: int, header: bytes, items: bytes) -> None:
    record = round_trip(record_type, header, items, 1)
    assert isinstance(record, OpaqueRecord)
    assert record.unknown_bytes == len(header) + len(items)
    assert record.adds_up()


@pytest.mark.parametrize(
    ("record_type", "header", "items", "item_count"),
    [
        (0x01, STRESS_HEADER[:-1], b"", 0),
        (0x02, STRESS_HEADER, b"\x0a\x10\x0a", 1),
        (0x03, HEART_RATE_HEADER, b"\x0a\x10", 2),
        (0x04, b"\x00" + bytes(74) + b"\x01", b"", 0),  # version 0 was seen empty only
        (0x04, b"\x50" + bytes(99), b"", 0),
        (0x04, WORKOUT_HEADER[:90], b"", 0),
        (0x04, WORKOUT_HEADER, bytes(220), 16),
        (0x06, b"\xea\x07\x06", b"", 0),
        (0x07, NIGHT_HEADER[:30], b"", 0),
        (0x08, STEPS_HEADER[:30], b"", 0),
        (0x08, STEPS_HEADER, bytes(9), 1),
    ],
)
def test_records_that_are_not_as_described(
    record_type: int, header: bytes, items: bytes, item_count: int
) -> None:
    with pytest.raises(DecodeError):
        RECORDS[record_type].decode(header, items, item_count)


@pytest.mark.parametrize(
    ("record_type", "change"),
    [
        (0x02, {"year": 70000}),
        (0x02, {"year": "late"}),
        (0x02, {"offsets": [1, 2]}),
        (0x02, {"offsets": [256]}),
        (0x02, {"offsets": "0A"}),
        (0x02, {"offsets": None}),
        (0x08, {"item_steps": [1, 2]}),
        (0x08, {"item_steps": [70000]}),
        (0x08, {"unknown_28": "zz"}),
        (0x08, {"reserved_36": -1}),
        (0x08, {"reserved_36": "3"}),
    ],
)
def test_fields_that_do_not_fit_are_refused(record_type: int, change: Mapping[str, Any]) -> None:
    header, items = {
        0x02: (STRESS_HEADER, b"\x0a\x10"),
        0x08: (STEPS_HEADER, bytes(9) + b"\x01"),
    }[record_type]
    codec = RECORDS[record_type]
    fields = codec.decode(header, items, 1).fields()
    with pytest.raises(LocalProtocolError):
        codec.from_fields(fields | dict(change))
    fields.pop("year")
    with pytest.raises(LocalProtocolError):
        codec.from_fields(fields)


LAYOUTS: list[HeadLayout[Any]] = [
    DayValues.LAYOUT,
    HeartRateDay.LAYOUT,
    SleepRecord.LAYOUT,
    StepsDay.LAYOUT,
    _LAYOUT,
]


@pytest.mark.parametrize("layout", LAYOUTS)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_heads_are_read_as_construct_declares_them(
    layout: HeadLayout[Any], data: st.DataObject
) -> None:
    header = data.draw(st.binary(min_size=layout.size_bytes, max_size=layout.size_bytes + 5))
    assert layout.declared.sizeof() == layout.size_bytes
    parsed = layout.declared.parse(header)
    head = layout.read(header)
    assert head == tuple(parsed[name] for name in head._fields)
    assert layout.write(head, header[layout.size_bytes :]) == header


DAY_ITEMS = st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), max_size=40)


@given(head=st.binary(min_size=13, max_size=20), items=DAY_ITEMS)
@settings(max_examples=50, deadline=None)
def test_spo2_and_stress_come_back(head: bytes, items: list[tuple[int, int]]) -> None:
    data = bytes(byte for item in items for byte in item)
    round_trip(0x01, head, data, len(items))
    round_trip(0x02, head, data, len(items))


@given(head=st.binary(min_size=29, max_size=35), items=DAY_ITEMS)
@settings(max_examples=50, deadline=None)
def test_heart_rates_come_back(head: bytes, items: list[tuple[int, int]]) -> None:
    round_trip(0x03, head, bytes(byte for item in items for byte in item), len(items))


@given(head=st.binary(min_size=34, max_size=46), items=DAY_ITEMS, phases=st.booleans())
@settings(max_examples=50, deadline=None)
def test_nights_come_back(head: bytes, items: list[tuple[int, int]], phases: bool) -> None:
    data = bytes(byte for item in items for byte in item)
    if phases:
        total = sum(data[1::2])
        head = (
            head[:14] + struct.pack("<H", total) + head[16:30] + bytes((len(items), 0)) + head[32:]
        )
    round_trip(0x07, head, data, len(items))


@given(
    head=st.binary(min_size=36, max_size=40), slots=st.lists(st.binary(min_size=10, max_size=10))
)
@settings(max_examples=50, deadline=None)
def test_step_days_come_back(head: bytes, slots: list[bytes]) -> None:
    round_trip(0x08, head, b"".join(slots), len(slots))


@given(
    front=st.binary(min_size=77, max_size=77),
    counts=st.lists(st.integers(0, 6), min_size=9, max_size=9),
    back=st.binary(min_size=4, max_size=8),
    data=st.data(),
)
@settings(max_examples=50, deadline=None)
def test_workouts_come_back(
    front: bytes, counts: list[int], back: bytes, data: st.DataObject
) -> None:
    minutes, km, miles, paces, cadences, beats, *rest = counts
    size = beats + 2 * (3 * minutes + km + miles + paces + cadences + sum(rest))
    header = b"\x10" + front + struct.pack("<9H", *counts) + back
    round_trip(0x04, header, data.draw(st.binary(min_size=size, max_size=size)), minutes)


@given(head=st.binary(min_size=8, max_size=50), items=st.binary(max_size=30))
@settings(max_examples=50, deadline=None)
def test_swims_come_back(head: bytes, items: bytes) -> None:
    round_trip(0x06, head, items, 1)


@given(
    record_type=st.sampled_from(sorted(RECORDS)),
    header=st.binary(max_size=110),
    items=st.binary(max_size=60),
    item_count=st.integers(0, 70),
)
@settings(max_examples=300, deadline=None)
def test_noise_raises_only_protocol_errors(
    record_type: int, header: bytes, items: bytes, item_count: int
) -> None:
    codec = RECORDS[record_type]
    try:
        record = codec.decode(header, items, item_count)
    except ProtocolError:
        return
    assert record.encode() == (header, items)
    assert codec.from_fields(record.fields()).encode() == (header, items)
