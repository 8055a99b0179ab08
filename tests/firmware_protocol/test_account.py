"""The vendor account's files: bytes written by hand from the note's tables, and read back."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol import account
from firmware_protocol.account import Layout
from firmware_protocol.errors import DecodeError

NOON = 1_790_000_000


def number(value: int) -> bytes:
    """A number as protobuf writes it; by hand, not by the code under test."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def field(place: int, value: float | bytes) -> bytes:
    if isinstance(value, bytes):
        return number(place << 3 | 2) + number(len(value)) + value
    if isinstance(value, int):
        return number(place << 3) + number(value)
    return number(place << 3 | 1) + struct.pack("<d", value)


def real32(place: int, value: float) -> bytes:
    return number(place << 3 | 5) + struct.pack("<f", value)


NEW_STEPS = (
    field(1, NOON) + field(2, 120) + field(3, 4.5) + field(4, 90.25) + field(5, b"A0") + field(6, 9)
)
OLD_STEPS = field(1, NOON) + field(2, 120) + field(3, 4) + field(4, 90)
BEAT = field(1, NOON + 60) + field(2, 61) + field(3, b"A0:B1") + field(4, 77)
HEALTH = field(1, NOON) + field(2, NEW_STEPS) + field(2, OLD_STEPS) + field(3, BEAT)
INFO = field(1, 200) + field(2, NOON) + field(3, NOON + 600) + real32(6, 1500.5)
SPORT = field(1, 7) + field(2, INFO) + field(3, field(1, 1) + field(2, b"A0"))
OLD_SPORT = field(1, 7) + field(2, 200) + field(3, NOON) + real32(7, 1500.5)


def test_a_day_group_reads_as_the_note_has_it() -> None:
    assert account.layout_of(HEALTH) is Layout.HEALTH
    group = account.read("DayGroup", HEALTH)
    assert group.date == NOON
    assert [(one.date, one.hr, one.mac, one.only) for one in group.detail_hr] == [
        (NOON + 60, 61, "A0:B1", 77)
    ]


def test_steps_say_by_their_wire_types_which_layout_they_have() -> None:
    new, old = map(account.read_steps, account.read("DayGroup", HEALTH).detail_steps)
    assert (new.steps, new.calories, new.distance, new.mac, new.only) == (120, 4.5, 90.25, "A0", 9)
    assert (old.steps, old.calories, old.distance) == (120, 4, 90)
    assert isinstance(old.calories, int)
    only_distance = account.read_steps(field(1, NOON) + field(4, 12))
    assert only_distance.distance == 12
    assert account.read_steps(field(1, NOON) + field(2, 3)).steps == 3


def test_an_activity_reads_in_both_layouts() -> None:
    assert account.layout_of(SPORT) is Layout.SPORT
    new = account.read("DetailSport", SPORT)
    assert (new.only, new.info.type, new.info.start_time, new.info.distance) == (
        7,
        200,
        NOON,
        1500.5,
    )
    assert account.layout_of(OLD_SPORT) is Layout.OLD_SPORT
    old = account.read("OldDetailSport", OLD_SPORT)
    assert (old.only, old.type, old.start_time, old.distance) == (7, 200, NOON, 1500.5)


def test_a_night_alone_is_health() -> None:
    night = field(1, NOON) + field(2, NOON + 28_800) + field(14, 81)
    assert account.layout_of(field(1, NOON) + field(9, night)) is Layout.HEALTH
    (read,) = account.read("DayGroup", field(9, night)).detail_sleep_analyze
    assert (read.end_time - read.start_time, read.sleep_score) == (28_800, 81)


@pytest.mark.parametrize("group", [b"", field(1, NOON), field(8, 5), real32(9, 1.0)])
def test_a_group_that_says_too_little_is_neither(group: bytes) -> None:
    assert account.layout_of(group) is None


def test_parts_of_another_kind_make_no_instant() -> None:
    assert account.layout_of(field(1, 3) + field(6, b"")) is Layout.SPORT
    assert account.layout_of(field(1, 3) + field(6, field(1, b"x"))) is Layout.SPORT


def test_a_frame_stands_as_field_2() -> None:
    assert account.frame(HEALTH) == field(2, HEALTH)


@pytest.mark.parametrize(
    "data",
    [b"\x80", b"\x80" * 11, b"\x08", b"\x0a\x05abc", b"\x0d\x00", b"\x0b", b"\x09\x01", b"\xff"],
)
def test_broken_messages_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        list(account.fields_of(data))
    with pytest.raises(DecodeError):
        account.read("DayGroup", data)


@given(st.binary(max_size=200))
def test_noise_is_read_or_refused(data: bytes) -> None:
    for read in (account.layout_of, account.read_steps, account.wire_kinds):
        try:
            read(data)
        except DecodeError:
            continue


@given(st.integers(0, 2**64 - 1))
def test_numbers_of_any_size(value: int) -> None:
    assert account.varint(b"x" + number(value) + b"y", 1) == (value, 1 + len(number(value)))


@given(st.lists(st.tuples(st.integers(1, 60), st.booleans()), max_size=20), st.integers(0, 2000))
def test_moving_time_is_turned_into_time_by_the_clock(
    stretches: list[tuple[int, bool]], moving_s: int
) -> None:
    """Against a walk second by second through stretches that were run or paused."""
    timers, seconds = [(0, 0)], [0]
    wall = moving = 0
    for length_s, runs in stretches:
        for _ in range(length_s):
            wall += 1
            if runs:
                moving += 1
                seconds.append(wall)
            else:
                seconds[moving] = wall
        timers.append((wall, moving))
    expected = seconds[moving_s] if moving_s <= moving else seconds[moving] + moving_s - moving
    assert account.wall_s(timers, moving_s) == expected


def test_without_timers_nothing_was_paused() -> None:
    assert account.wall_s([], 75) == 75


def test_all_messages_of_the_tables_are_there() -> None:
    made: Any = account.MESSAGES["KSport"]()
    made.user_id = 12
    assert made.SerializeToString() == field(1, 12)
