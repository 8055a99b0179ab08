"""The catalogue of IDO messages: goldens both ways, every capture, any bytes."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.errors import DecodeError, LocalProtocolError
from firmware_protocol.families.ido.capabilities import capabilities_from_tables
from firmware_protocol.families.ido.codes import LANGUAGE, NOTICE_TYPE, STATUS, WEATHER
from firmware_protocol.families.ido.control.record import RecordLayout, RecordReply
from firmware_protocol.families.ido.framing import ClassicFrame, Frame, FrameAssembler, V3Frame
from firmware_protocol.families.ido.health.record import Record, RecordCodec
from firmware_protocol.families.ido.message_type import MessageType
from firmware_protocol.families.ido.messages import CATALOGUE, decode_frame, encode_message
from firmware_protocol.families.ido.sports import SPORTS, sport_name
from firmware_protocol.family import Direction

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "fixtures/golden/ido"
GOLDENS: list[dict[str, Any]] = [
    json.loads(line) for line in (GOLDEN / "messages.jsonl").read_text().splitlines()
]
WITHOUT_BYTES = frozenset((GOLDEN / "without_bytes.txt").read_text().split())


def frame_of(data: bytes, direction: Direction) -> Frame:
    """Take a whole message, before chunking."""
    if data[0] != 0x33:
        return ClassicFrame(data)
    (frame,) = FrameAssembler(direction).receive("-", data)
    return frame


def frame_with(kind: MessageType, body: bytes) -> Frame:
    if kind.command is None:
        return ClassicFrame(kind.prefix + body)
    return V3Frame(kind.command, 7, kind.prefix + body, has_crc=True)


def assert_comes_back(frame: Frame, direction: Direction) -> None:
    """Decoding and encoding through JSON gives the frame again, unless its sizes contradict."""
    try:
        message = decode_frame(frame, direction)
    except DecodeError:
        assert isinstance(frame, V3Frame)
        assert frame.command == 4
        return
    fields = json.loads(json.dumps(message.fields))
    assert fields == message.fields
    data = encode_message(
        message.name,
        fields,
        sequence=message.sequence,
        with_crc=isinstance(frame, V3Frame) and frame.has_crc,
        short=True,
    )
    if isinstance(frame, ClassicFrame):
        assert data + bytes(message.padding) == frame.data
    else:
        assert frame_of(data, direction) == frame
    assert message.unknown_bytes <= len(data)


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: f"{golden['name']}-{golden['row']}")
def test_golden(golden: dict[str, Any]) -> None:
    data = bytes.fromhex(golden["hex"])
    frame = frame_of(data, golden["direction"])
    message = decode_frame(frame, golden["direction"])
    assert message.name == golden["name"]
    assert message.fields == golden["fields"]
    assert message.sequence == golden.get("sequence")
    encoded = encode_message(
        golden["name"], golden["fields"], sequence=golden.get("sequence"), short=True
    )
    assert encoded == data


def test_every_message_has_a_golden_or_is_known_to_have_no_published_bytes() -> None:
    # records have goldens of their own, beside their codecs
    names = {kind.name for kind in CATALOGUE if not isinstance(kind.layout, RecordLayout)}
    goldens = {golden["name"] for golden in GOLDENS}
    assert not goldens & WITHOUT_BYTES
    assert names - goldens == WITHOUT_BYTES


def test_names_and_opcodes_are_unique() -> None:
    assert len({kind.name for kind in CATALOGUE}) == len(CATALOGUE)
    opcodes = {(kind.direction, kind.command, kind.prefix) for kind in CATALOGUE}
    assert len(opcodes) == len(CATALOGUE)


def test_a_padded_acknowledgement_has_no_fields() -> None:
    message = decode_frame(ClassicFrame(b"\x03\x10" + bytes(18)), "RX")
    assert (message.name, message.fields, message.padding) == ("ido.set.wearer.reply", {}, 18)
    short = decode_frame(ClassicFrame(b"\x03\x10\x00"), "RX")
    assert (short.fields, short.padding) == ({"status": "ok"}, 0)


def test_a_setting_without_body_decodes_but_is_not_written_by_accident() -> None:
    message = decode_frame(ClassicFrame(b"\x03\x29"), "TX")
    assert (message.name, message.fields) == ("ido.set.dnd", {})
    assert encode_message("ido.set.dnd", {}, short=True) == b"\x03\x29"
    with pytest.raises(LocalProtocolError, match="night is missing"):
        encode_message("ido.set.dnd", {})


def test_older_watches_send_shorter_replies() -> None:
    data = bytes.fromhex("0201 1402 11 01 00 40 00")
    message = decode_frame(ClassicFrame(data), "RX")
    assert "restarted" not in message.fields
    assert encode_message(message.name, message.fields) == data


@pytest.mark.parametrize(
    ("data", "direction", "name"),
    [
        ("025c", "TX", "ido.unknown.02_5c"),
        ("02", "TX", "ido.unknown.02"),
        ("7701ff", "RX", "ido.unknown.77_01.reply"),  # a group that no table has
        ("035c0102", "RX", "ido.unknown.03_5c.reply"),
        ("33DAADDAAD010D00BB0A0500CAFE", "TX", "ido.unknown.v3_0abb"),
        ("33DAADDAAD010B00BB0A0500", "RX", "ido.unknown.v3_0abb.reply"),
        ("33DAADDAAD010D00040005000077", "RX", "ido.unknown.v3_0004.reply"),
    ],
)
def test_messages_that_nobody_declared(data: str, direction: Direction, name: str) -> None:
    whole = bytes.fromhex(data)
    frame: Frame = ClassicFrame(whole)
    if whole[0] == 0x33:
        command = int.from_bytes(whole[8:10], "little")
        frame = V3Frame(command, 5, whole[12:], has_crc=True)
    message = decode_frame(frame, direction)
    assert message.name == name
    assert message.unknown_bytes == max(0, len(whole) - (12 if whole[0] == 0x33 else 2))
    assert_comes_back(frame, direction)


@pytest.mark.parametrize(
    "name",
    [
        "ido.get.nothing",
        "ido.unknown.",
        "ido.unknown.v3_02",
        "ido.unknown.02_5c_01",
        "ido.unknown.v3_zz",
        "02_5c",
    ],
)
def test_names_that_nobody_declared_are_refused(name: str) -> None:
    with pytest.raises(LocalProtocolError):
        encode_message(name, {}, sequence=1)


def test_a_v3_message_needs_a_sequence_number() -> None:
    with pytest.raises(LocalProtocolError):
        encode_message("ido.dial.list", {})


# --- notices ---


def test_a_notice_is_made_of_texts() -> None:
    fields = {"type": "whatsapp", "phone": "", "title": "Anna Müller", "text": "Hi"}
    data = encode_message("ido.notice.message", fields)
    assert data[:6] == bytes.fromhex("0503 08 02 00 0C")
    assert len(data) == 2 + 32
    assert decode_frame(ClassicFrame(data), "TX").fields == fields


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "sms", "phone": "", "title": "", "text": "x" * 256},
        {"type": "sms", "phone": 5, "title": "", "text": ""},
        {"type": "no such app", "phone": "", "title": "", "text": "x"},
        {"type": "sms"},
    ],
)
def test_a_notice_that_does_not_fit_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(LocalProtocolError):
        encode_message("ido.notice.message", fields)


def test_a_block_shorter_than_its_lengths_stays_unknown() -> None:
    data = bytes.fromhex("0503 08 FF 00 00") + bytes(12)
    message = decode_frame(ClassicFrame(data), "TX")
    assert message.unknown_bytes == 16
    assert_comes_back(ClassicFrame(data), "TX")


# --- records ---


def record_reply(head: str, header: bytes = b"", items: bytes = b"") -> V3Frame:
    return V3Frame(4, 1, bytes.fromhex(head) + header + items, has_crc=False)


def test_a_record_of_an_unknown_layout_is_kept_whole() -> None:
    header, items = bytes((0x50, *range(1, 30))), b"\x01\x02\x03"
    frame = record_reply("00 04 00 0000 0100 1E00 03000000 00", header, items)
    message = decode_frame(frame, "RX")
    assert message.name == "ido.health.workout.start.reply"
    assert message.unknown_bytes == len(header) + len(items)
    assert_comes_back(frame, "RX")
    reply = RecordReply.decode(frame.payload)
    assert (reply.record_type, reply.item_count) == (4, 1)
    assert (reply.header, reply.items) == (header, items)


def test_a_record_that_its_codec_refuses_is_kept_whole() -> None:
    def refuse(header: bytes, items: bytes, item_count: int) -> Record:
        raise DecodeError("another version")

    def never(fields: Mapping[str, object]) -> Record:
        raise AssertionError(fields)

    layout = RecordLayout(RecordCodec(0x04, "workout", refuse, never))
    body = bytes.fromhex("00 0000 0100 0200 03000000 00 5001 0A0B0C")
    decoded = layout.decode(body)
    assert decoded.fields["opaque_record"] == {"unknown_0": "5001", "unknown_2": "0a0b0c"}
    assert decoded.unknown_bytes == 5
    assert layout.encode(decoded.fields) == body


@pytest.mark.parametrize(
    "head", ["00 01 01 0000 0000 0D00 00000000 00", "00 01 01 0000 0000 0D00 000000"]
)
def test_a_record_whose_sizes_contradict_is_unknown(head: str) -> None:
    frame = record_reply(head, bytes(12)[: len(head) - 30])
    message = decode_frame(frame, "RX")
    assert message.name == "ido.health.spo2.start.reply"
    assert list(message.fields) == ["unknown_0"]
    assert message.unknown_bytes == len(frame.payload) - 2
    assert_comes_back(frame, "RX")


@pytest.mark.parametrize("fields", [{"record": 5}, {"today": 1}, {"unknown_0": "zz"}])
def test_a_record_that_is_none_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(LocalProtocolError):
        encode_message("ido.health.spo2.start.reply", fields, sequence=1)


def test_the_answer_to_stop_has_no_record() -> None:
    frame = record_reply("01 08 01 0000 6000 2400 00000000 01")
    message = decode_frame(frame, "RX")
    assert message.name == "ido.health.steps.stop.reply"
    assert message.fields["have_next"] == 1
    assert RecordReply.decode(frame.payload).have_next == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"today": 1, "data_start": 0, "item_count": 0, "have_next": 0},
        {"record": {"stored": False, "header_bytes": 13}},
        {"today": 1, "data_start": 0, "item_count": 70000, "have_next": 0, "record": {}},
        {
            "today": 1,
            "data_start": 0,
            "item_count": 70000,
            "have_next": 0,
            "record": {"stored": False, "header_bytes": 13},
        },
    ],
)
def test_a_record_that_does_not_fit_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(LocalProtocolError):
        encode_message("ido.health.spo2.start.reply", fields, sequence=1)


# --- any bytes ---


def bodies(kind: MessageType) -> st.SearchStrategy[bytes]:
    if ".start.reply" not in kind.name:
        return st.binary(max_size=48)

    def reply(parts: tuple[int, bytes, bytes]) -> bytes:
        count, header, items = parts
        numbers = bytes(3) + count.to_bytes(2, "little") + len(header).to_bytes(2, "little")
        return numbers + len(items).to_bytes(4, "little") + b"\0" + header + items

    plain = st.binary(min_size=1, max_size=110)
    headers = st.one_of(plain, plain.map(lambda header: b"\x10" + header))
    return st.tuples(st.integers(0, 20), headers, st.binary(max_size=60)).map(reply)


@settings(deadline=None, max_examples=500)
@given(st.data())
def test_whatever_a_message_holds_comes_back(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(CATALOGUE))
    assert_comes_back(frame_with(kind, data.draw(bodies(kind))), kind.direction)


@pytest.mark.parametrize("kind", CATALOGUE, ids=lambda kind: kind.name)
def test_each_message_keeps_bodies_of_any_length(kind: MessageType) -> None:
    for size in range(40):
        some = hashlib.shake_128(kind.name.encode()).digest(size)
        assert_comes_back(frame_with(kind, some), kind.direction)
        assert_comes_back(frame_with(kind, bytes(size)), kind.direction)


# --- tables ---


def test_code_tables_end_where_the_reference_ends() -> None:
    assert NOTICE_TYPE[0x60] == "weibo_china"
    assert NOTICE_TYPE[0x3C] == "yt_music"
    assert LANGUAGE[39] == "khmer"
    assert WEATHER[0x33] == "tornado"
    assert STATUS[29] == "charging"


def test_sports_have_names() -> None:
    assert [sport_name(code) for code in (0x30, 0x34, 0x65, 0xFF)] == [
        "outdoor_run",
        "outdoor_walk",
        "functional_strength",
        "american_football",
    ]
    assert sport_name(0x00) == "sport_0"
    assert len(SPORTS) == 200


def test_capabilities_of_the_captured_watch() -> None:
    base = bytes.fromhex("FB 0A FF 4A 3F 6F E8 15 3F 0A 08 01 02 00 51 CF 0E 7E")
    extended = bytes.fromhex("40 24 40 FF 38 4E D3 FF 0B 08 00 84 95 C7 06 01 00 34")
    v3 = bytes.fromhex("01 09 40 00 00 00 00 00 00 00 04") + bytes(91)
    found = capabilities_from_tables(base, extended, v3)
    assert found >= {
        "heart_rate",
        "live_data",
        "v3_function_table",
        "health_size_by_offset",
        "v3_heart_rate",
        "v3_spo2",
        "v3_stress",
        "v3_swim",
        "v3_sleep",
        "v3_alarms",
        "spo2_offset_minutes",
        "long_mtu",
        "automatic_v3_sync",
        "stress_notify_flag",
        "notice_sms",
        "sport_outdoor_run",
        "language_english",
        "alarm_wake",
    }
    assert not found & {"find_device", "single_sport", "v3_activity", "encrypted_auth", "bind_code"}


def test_bits_without_a_name_are_kept() -> None:
    assert capabilities_from_tables(bytes(5) + b"\x80" + bytes(13) + b"\x01") == {
        "base_5_7",
        "base_19_0",
    }
    assert capabilities_from_tables(b"", None, bytes(3) + b"\x02") == {"v3_3_1"}
    assert capabilities_from_tables(b"\x00\xff") == frozenset()


# --- captures ---


def captures() -> list[Path]:
    folder = Path(os.environ.get("KSOS_CAPTURES", ROOT.parent / "shared/captures")) / "ido"
    return sorted(folder.glob("*.txt"))


@pytest.mark.skipif(not captures(), reason="no captures here; set KSOS_CAPTURES")
@pytest.mark.parametrize("path", captures(), ids=lambda path: path.name)
def test_every_frame_of_a_capture_comes_back(path: Path) -> None:
    assemblers: dict[Direction, FrameAssembler] = {
        "TX": FrameAssembler("TX"),
        "RX": FrameAssembler("RX"),
    }
    for line in path.read_text().splitlines():
        if line.startswith("#"):
            continue
        direction, channel, data = line.rsplit(maxsplit=3)[-3:]
        side: Direction = "TX" if direction == "TX" else "RX"
        for frame in assemblers[side].receive(channel, bytes.fromhex(data)):
            assert_comes_back(frame, side)
    assert not assemblers["TX"].dropped
    assert not assemblers["RX"].dropped
