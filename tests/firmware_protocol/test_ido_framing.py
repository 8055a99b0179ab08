"""Frames of the IDO wire: whole, in any chunks, damaged, and between noise."""

import contextlib

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from firmware_protocol.errors import (
    ChecksumError,
    FrameError,
    LocalProtocolError,
    ProtocolError,
)
from firmware_protocol.families.ido.framing import (
    MAX_V3_BYTES,
    V3_START,
    ClassicFrame,
    FrameAssembler,
    V3Frame,
    chunk,
    encode_v3,
)

RECORD = 0x04
PAYLOADS = st.binary(max_size=700)
ALARMS = encode_v3(0x0F, 7, bytes(range(250)) + bytes(90))


@pytest.mark.parametrize(
    "message",
    [  # ido.md 6.1
        "33 DA AD DA AD 01 0B 00 1A 00 02 00 5F F9",
        "33 DA AD DA AD 01 0B 00 06 00 4E 01 4A F5",
        "33 DA AD DA AD 01 0C 00 0F 00 05 00 00 EF 9A",
        "33 DA AD DA AD 01 10 00 04 00 57 01 00 01 01 00 00 2B 0E",
        "33 DA AD DA AD 01 17 00 09 00 03 00 00 00 00 00 00 01 00 00 17 3B 00 00 B9 28",
        "33 DA AD DA AD 01 10 00 05 00 56 01 95 08 00 00 00 F3 9C",
    ],
)
def test_published_messages(message: str) -> None:
    data = bytes.fromhex(message)
    (frame,) = FrameAssembler("TX").receive("0af6", data)
    assert isinstance(frame, V3Frame)
    assert frame.has_crc
    assert encode_v3(frame.command, frame.sequence, frame.payload) == data


def test_chunks_follow_the_reference() -> None:
    message = encode_v3(1, 2, bytes(range(125)))
    assert len(message) == 139
    assert chunk(message, 137) == [message[:137], b"\x33" + message[137:]]
    assert chunk(message, 139) == [message]
    assert [len(part) for part in chunk(ALARMS, 137)] == [137, 137, len(ALARMS) + 2 - 274]


def test_a_classic_frame_is_one_value() -> None:
    assert chunk(b"\x02\x01", 20) == [b"\x02\x01"]
    with pytest.raises(LocalProtocolError):
        chunk(bytes(21), 20)


def test_notices_are_cut_where_we_write_them() -> None:
    message = b"\x05\x03" + bytes(range(1, 33))
    pieces = chunk(message, 20)
    assert pieces == [b"\x05\x03\x02\x01" + message[2:18], b"\x05\x03\x02\x02" + message[18:]]
    assembler = FrameAssembler("TX")
    assert assembler.receive("0af6", pieces[0]) == []
    assert assembler.is_open("0af6")
    assert assembler.receive("0af6", pieces[1]) == [ClassicFrame(message)]
    assert not assembler.is_open("0af6")
    reply = b"\x05\x03\x02\x01\x00"
    assert chunk(reply, 20, "RX") == [reply]
    assert FrameAssembler("RX").receive("0af7", reply) == [ClassicFrame(reply)]


@pytest.mark.parametrize("size", [0, 256 * 16])
def test_a_notice_has_1_to_255_pieces(size: int) -> None:
    with pytest.raises(LocalProtocolError):
        chunk(b"\x05\x01" + bytes(size), 20)


@pytest.mark.parametrize(
    "second",
    ["05030203" + "41" * 16, "05030302" + "41" * 16, "05010202" + "41" * 16],
)
def test_a_piece_out_of_order_drops_the_notice(second: str) -> None:
    assembler = FrameAssembler("TX")
    first = bytes.fromhex("05030201" + "41" * 16)
    assembler.receive("0af6", first)
    with pytest.raises(FrameError):
        assembler.receive("0af6", bytes.fromhex(second))
    assert not assembler.is_open("0af6")
    assert assembler.receive("0af6", first) == []
    assert assembler.receive("0af6", bytes.fromhex("05030202" + "42" * 16))


@pytest.mark.parametrize("stub", ["0503", "050302", "05010202"])
def test_a_notice_without_text_is_no_piece(stub: str) -> None:
    assembler = FrameAssembler("TX")
    assert assembler.receive("0af6", bytes.fromhex("05030201" + "41" * 16)) == []
    assert assembler.receive("0af6", bytes.fromhex(stub)) == [ClassicFrame(bytes.fromhex(stub))]
    assert assembler.is_open("0af6")


def test_a_piece_may_be_written_again() -> None:
    assembler = FrameAssembler("TX")
    first, second = (bytes.fromhex(f"050302{at}" + "41" * 16) for at in ("01", "02"))
    assert assembler.receive("0af6", first) == assembler.receive("0af6", first) == []
    whole = [ClassicFrame(b"\x05\x03" + b"\x41" * 32)]
    assert assembler.receive("0af6", second) == whole
    assert assembler.receive("0af6", second) == []
    assert assembler.receive("0af6", first) == []
    assert assembler.receive("0af6", second) == whole  # the same text once more
    alone = bytes.fromhex("05030101" + "42" * 16)
    assert assembler.receive("0af6", alone) == assembler.receive("0af6", alone) != []
    assert not assembler.dropped


def test_a_new_notice_drops_the_open_one() -> None:
    assembler = FrameAssembler("TX")
    assembler.receive("0af6", bytes.fromhex("05030201" + "41" * 16))
    assert assembler.receive("0af6", bytes.fromhex("05030101" + "42" * 16)) == [
        ClassicFrame(b"\x05\x03" + b"\x42" * 16)
    ]
    assert len(assembler.dropped) == 1


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), PAYLOADS, st.integers(12, 260))
def test_any_chunk_size_gives_the_message(
    command: int, sequence: int, payload: bytes, chunk_bytes: int
) -> None:
    assembler = FrameAssembler("TX")
    parts = chunk(encode_v3(command, sequence, payload), chunk_bytes)
    assume(not any(part.startswith(V3_START) for part in parts[1:]))
    frames = [frame for part in parts for frame in assembler.receive("0af6", part)]
    assert frames == [V3Frame(command, sequence, payload, has_crc=True)]
    assert not assembler.dropped


@settings(deadline=None, max_examples=100)
@given(PAYLOADS, st.integers(12, 260), st.booleans())
def test_a_record_is_complete_without_its_crc(
    payload: bytes, chunk_bytes: int, with_crc: bool
) -> None:
    assembler = FrameAssembler("RX")
    parts = chunk(encode_v3(RECORD, 9, payload, with_crc=with_crc), chunk_bytes)
    frames = [frame for part in parts for frame in assembler.receive("0af7", part)]
    assert [(f.command, f.sequence, f.payload) for f in frames if isinstance(f, V3Frame)] == [
        (RECORD, 9, payload)
    ]
    assert not assembler.is_open("0af7")
    # the CRC may come with the next value, and is awaited by nobody
    follower = FrameAssembler("RX")
    whole = encode_v3(RECORD, 9, payload)
    assert follower.receive("0af7", whole[:-2])
    assert follower.receive("0af7", b"\x02\x01") == [ClassicFrame(b"\x02\x01")]
    assert follower.receive("0af7", b"\x33" + whole[-2:]) == []


@pytest.mark.parametrize("cut", [1, 2])
def test_a_wrong_crc_of_a_record_is_told(cut: int) -> None:
    whole = encode_v3(RECORD, 9, b"abc")
    wrong = bytes(byte ^ 0xFF for byte in whole[-cut:])
    assembler = FrameAssembler("RX")
    assert assembler.receive("0af7", whole[: len(whole) - cut])
    with pytest.raises(ChecksumError):
        assembler.receive("0af7", b"\x33" + wrong)
    with pytest.raises(ChecksumError):
        assembler.receive("0af7", whole[: len(whole) - 2] + bytes(b ^ 1 for b in whole[-2:]))
    with pytest.raises(ChecksumError):
        assembler.receive("0af7", whole[: len(whole) - 2] + bytes((whole[-2] ^ 1,)))


def test_a_crc_is_needed_in_what_we_write() -> None:
    whole = encode_v3(RECORD, 9, b"abc")
    assembler = FrameAssembler("TX")
    assert assembler.receive("0af6", whole[:-2]) == []
    assert assembler.receive("0af6", b"\x33" + whole[-2:])


def test_channels_do_not_mix() -> None:
    first, second = chunk(ALARMS, 200)
    assembler = FrameAssembler("RX")
    assert assembler.receive("0af7", first) == []
    with pytest.raises(FrameError):
        assembler.receive("0af2", second)
    assert not assembler.is_open("0af2")
    assert assembler.receive("0af7", b"\x02\x01") == [ClassicFrame(b"\x02\x01")]
    assert len(assembler.receive("0af7", second)) == 1


def test_a_new_message_is_delivered_and_the_open_one_told() -> None:
    assembler = FrameAssembler("RX")
    assembler.receive("0af7", chunk(ALARMS, 137)[0])
    assert assembler.receive("0af7", encode_v3(6, 1, b"")) == [V3Frame(6, 1, b"", has_crc=True)]
    assert len(assembler.dropped) == 1


def test_a_damaged_message_is_dropped_and_the_next_one_found() -> None:
    assembler = FrameAssembler("RX")
    damaged = bytearray(ALARMS)
    damaged[40] ^= 1
    *parts, last = chunk(bytes(damaged), 137)
    assert [assembler.receive("0af7", part) for part in parts] == [[], []]
    with pytest.raises(ChecksumError):
        assembler.receive("0af7", last)
    frames = [frame for part in chunk(ALARMS, 137) for frame in assembler.receive("0af7", part)]
    assert len(frames) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x33",
        b"\x33\x00",
        V3_START,
        b"\x33\xda\xad\xda\xad\x02" + bytes(20),  # another version of the frame
        V3_START + b"\x0a\x00" + bytes(6),  # a length below the header's
        encode_v3(6, 1, b"") + b"\x00",
    ],
)
def test_what_is_no_frame_is_an_error(data: bytes) -> None:
    assembler = FrameAssembler("RX")
    with pytest.raises(FrameError):
        assembler.receive("0af7", data)
    assert not assembler.is_open("0af7")


def test_a_buffer_is_bounded() -> None:
    assembler = FrameAssembler("RX")
    assembler.receive("0af7", V3_START + b"\xff\xff" + bytes(4))
    for _ in range(MAX_V3_BYTES // 5000):
        assembler.receive("0af7", b"\x33" + bytes(5000))
    with pytest.raises(FrameError):
        assembler.receive("0af7", b"\x33" + bytes(5000))
    assert not assembler.is_open("0af7")


@pytest.mark.parametrize(
    ("command", "sequence", "size"), [(0x10000, 0, 0), (0, -1, 0), (0, 0, 0x10000)]
)
def test_what_does_not_fit_a_message_is_refused(command: int, sequence: int, size: int) -> None:
    with pytest.raises(LocalProtocolError):
        encode_v3(command, sequence, bytes(size))


def test_chunks_hold_at_least_a_header() -> None:
    with pytest.raises(LocalProtocolError):
        chunk(ALARMS, 11)


NOISE = st.lists(
    st.one_of(
        st.binary(max_size=30),
        st.binary(max_size=30).map(lambda data: b"\x33" + data),
        st.binary(max_size=30).map(lambda data: V3_START + data),
        st.binary(max_size=18).map(lambda data: b"\x05\x03" + data),
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=200)
@given(NOISE, st.sampled_from(["TX", "RX"]), PAYLOADS)
def test_noise_raises_only_protocol_errors_and_the_next_frame_is_found(
    noise: list[bytes], direction: str, payload: bytes
) -> None:
    assembler = FrameAssembler("TX" if direction == "TX" else "RX")
    for data in noise:
        with contextlib.suppress(ProtocolError):
            assembler.receive("0af7", data)
    assert assembler.receive("0af7", b"\x02\x05") == [ClassicFrame(b"\x02\x05")]
    parts = chunk(encode_v3(0x0F, 3, payload), 137)
    frames = [frame for part in parts for frame in assembler.receive("0af7", part)]
    assert frames == [V3Frame(0x0F, 3, payload, has_crc=True)]
