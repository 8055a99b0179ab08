"""Kinds of values and layouts: nothing is lost, whatever the bytes are."""

import pytest
from construct import Int8ul, Int16ul, Struct
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.wire import (
    TEXT_TO_END,
    Address,
    Code,
    Filler,
    FixedText,
    Flags,
    Hex,
    Layout,
    Maybe,
    Packed,
    Written,
    Zeros,
    reserved,
    unknown_bytes_in,
)

COLOUR = Code(Int8ul, {1: "red", 2: "green", 3: "red"})
DAY = Written("{:04d}-{:02d}-{:02d}", Int16ul, Int8ul, Int8ul)
LAYOUT = Layout(
    Struct(
        "colour" / COLOUR,
        reserved(2),
        "flags" / Flags(Int8ul, ("a", "", "c")),
        "day" / DAY,
        "name" / FixedText(4),
        "packed" / Packed(2, low=3, high=10, rest=3),
        Filler(b"\x07"),
        "address" / Maybe(Address()),
        "more" / Maybe(Int16ul),
        Zeros(),
    )
)
FULL = bytes.fromhex("01 0000 85 EA070A03 68690000 0A00 07 F92412000001 0500")
FIELDS = {
    "colour": "red",
    "flags": ["a", "c", "bit_7"],
    "day": "2026-10-03",
    "name": "hi",
    "packed": {"low": 2, "high": 1, "rest": 0},
    "address": "F9:24:12:00:00:01",
    "more": 5,
}


def test_every_value_has_a_name() -> None:
    body = LAYOUT.decode(FULL)
    assert body.fields == FIELDS
    assert (body.padding, body.unknown_bytes) == (0, 0)
    assert LAYOUT.encode(FIELDS) == FULL


@pytest.mark.parametrize("size", range(len(FULL) + 1))
def test_a_short_body_gives_the_fields_it_has_and_comes_back(size: int) -> None:
    body = LAYOUT.decode(FULL[:size])
    assert body.padding == 0
    extra = {name.split("_")[0] for name in set(body.fields) - set(FIELDS)}
    assert extra <= {"reserved", "unknown"}
    assert LAYOUT.encode(body.fields, short=True) == FULL[:size]


def test_a_short_body_is_not_written_by_accident() -> None:
    with pytest.raises(LocalProtocolError, match="flags is missing"):
        LAYOUT.encode({"colour": "red"})
    without_optional = {name: FIELDS[name] for name in FIELDS if name not in {"address", "more"}}
    assert LAYOUT.encode(without_optional) == FULL[:15]


def test_what_is_not_as_expected_is_unknown_and_counted() -> None:
    data = bytes.fromhex("01 0100 00 EA070A03 68690000 0A00 09 F92412000001 0500 00AB")
    body = LAYOUT.decode(data)
    assert body.fields["unknown_1"] == "0100"
    assert body.fields["unknown_14"] == "09"
    assert body.fields["unknown_23"] == "00ab"
    assert body.unknown_bytes == 5
    assert LAYOUT.encode(body.fields) == data


def test_zeros_to_the_end_are_counted() -> None:
    body = LAYOUT.decode(FULL + bytes(3))
    assert body.fields["reserved_23"] == 3
    assert body.unknown_bytes == 0
    assert LAYOUT.encode(body.fields) == FULL + bytes(3)


def test_padding_of_a_log_is_left_aside() -> None:
    layout = Layout(Struct("status" / Maybe(Int8ul)))
    assert layout.decode(bytes(18), padded=True).padding == 18
    assert layout.decode(b"\x02" + bytes(17), padded=True).fields == {"status": 2}
    assert layout.decode(bytes(18)).fields == {"status": 0, "unknown_1": "00" * 17}
    tail = layout.decode(b"\x02\x05" + bytes(16), padded=True)
    assert (tail.fields, tail.padding) == ({"status": 2, "unknown_1": "05"}, 16)


def test_codes_keep_what_has_no_name_of_its_own() -> None:
    layout = Layout(Struct("colour" / COLOUR))
    assert [layout.decode(bytes((code,))).fields["colour"] for code in (1, 3, 9)] == ["red", 3, 9]


def test_fillers_reach_an_offset_or_a_multiple() -> None:
    to_six = Layout(Struct("text" / FixedText(2), Filler(fill_to=6)))
    assert to_six.encode({"text": "ab"}) == b"ab" + bytes(4)
    to_pieces = Layout(Struct("text" / FixedText(5), Filler(multiple_of=4)))
    assert to_pieces.encode({"text": "abcde"}) == b"abcde" + bytes(3)
    assert to_pieces.decode(b"abcde" + bytes(3)).fields == {"text": "abcde"}


def test_text_that_is_no_utf8_comes_back() -> None:
    layout = Layout(Struct("text" / TEXT_TO_END))
    cut = "Zürich".encode()[:2]
    assert layout.encode(layout.decode(cut).fields) == cut


@pytest.mark.parametrize(
    "fields",
    [
        {**FIELDS, "colour": "blue"},
        {**FIELDS, "colour": 256},
        {**FIELDS, "flags": ["z"]},
        {**FIELDS, "day": "2026-10"},
        {**FIELDS, "day": None},
        {**FIELDS, "name": "too long"},
        {**FIELDS, "packed": {"low": 8, "high": 0, "rest": 0}},
        {**FIELDS, "packed": {}},
        {**FIELDS, "address": "F9"},
        {**FIELDS, "size": 1},
        {**FIELDS, "unknown_1": "no hex"},
        {**FIELDS, "reserved_1": "two"},
        {**FIELDS, "reserved_1": -1},
    ],
)
def test_fields_that_do_not_fit_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(LocalProtocolError):
        LAYOUT.encode(fields)


def test_a_field_needs_a_name() -> None:
    with pytest.raises(TypeError):
        Layout(Struct(Int8ul))


def test_unknown_bytes_are_found_at_any_depth() -> None:
    assert unknown_bytes_in({"a": [{"unknown_3": "0102"}, 5], "unknown_0": "ff"}) == 3


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=40), st.booleans())
def test_any_body_comes_back(data: bytes, padded: bool) -> None:
    body = LAYOUT.decode(data, padded=padded)
    assert LAYOUT.encode(body.fields, short=True) + bytes(body.padding) == data


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=9))
def test_opaque_bytes_come_back(data: bytes) -> None:
    layout = Layout(Struct("head" / Maybe(Hex(2)), "rest" / Maybe(Hex())))
    assert layout.encode(layout.decode(data).fields, short=True) == data
