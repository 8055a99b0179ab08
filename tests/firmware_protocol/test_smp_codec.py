"""SMP's messages: the reference's worked examples, reassembly, and noise."""

import contextlib
import struct

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.errors import DecodeError, FrameError, RemoteProtocolError
from firmware_protocol.family import Write
from firmware_protocol.updates.smp.assembly import Assembler
from firmware_protocol.updates.smp.bootloader import image_in
from firmware_protocol.updates.smp.codec import (
    EchoWriteRequest,
    EchoWriteResponse,
    ImageEraseRequest,
    ImageStatesReadRequest,
    ImageStatesReadResponse,
    ImageStatesWriteRequest,
    ImageUploadWriteRequest,
    ImageUploadWriteResponse,
    MCUMgrParametersReadRequest,
    Refusal,
    Request,
    ResetWriteRequest,
    SmpReply,
    decode,
    header_of,
)
from firmware_protocol.updates.smp.conversation import Conversation
from firmware_protocol.updates.smp.gatt import CHARACTERISTIC
from firmware_protocol.updates.smp.loader import SmpLoader
from firmware_protocol.updates.smp.words import in_words
from tests.firmware_protocol.smp_rig import OLD, loader_of


def answer(
    group: int, command: int, fields: object, *, operation: int = 3, number: int = 7
) -> bytes:
    """An answer of version 2, packed here."""
    content = fields if isinstance(fields, bytes) else cbor2.dumps(fields)
    return struct.pack(">BBHHBB", operation | 8, 0, len(content), group, number, command) + content


def read(data: bytes) -> SmpReply:
    return decode(header_of(data), data)


# ---- dfu.md 12, examples 19 to 23


@pytest.mark.parametrize(
    ("request_", "wire"),
    [
        (EchoWriteRequest(d="hi", sequence=1), "0A00000600000100A16164626869"),
        (ImageStatesReadRequest(sequence=3), "0800000100010300A0"),
        (
            ImageUploadWriteRequest(off=512, data=bytes([1, 2, 3, 4]), sequence=5),
            "0A00001200010501A2636F6666190200646461746144" + "01020304",
        ),
        (ResetWriteRequest(sequence=7), "0A00000100000705A0"),
        # by the tables of 6.2
        (MCUMgrParametersReadRequest(sequence=0), "0800000100000006A0"),
        (ImageStatesWriteRequest(confirm=True, sequence=0), "0A00000A00010000A167636F6E6669726DF5"),
        (ImageEraseRequest(slot=1, sequence=0), "0A00000700010005A164736C6F7401"),
    ],
)
def test_requests_are_those_of_the_reference(request_: Request, wire: str) -> None:
    assert bytes(request_).hex().upper() == wire
    assert Conversation(20).writes(request_) == [
        Write(CHARACTERISTIC, bytes.fromhex(wire)[at : at + 20], with_response=False)
        for at in range(0, len(wire) // 2, 20)
    ]


def test_the_answer_of_example_21() -> None:
    reply = read(bytes.fromhex("0B00000800010501A1636F6666190204"))
    assert reply.name == "smp.image.upload.reply"
    assert reply.refusal is None
    assert reply.as_a(ImageUploadWriteResponse).off == 516
    asked = ImageUploadWriteRequest(off=512, data=bytes(4), sequence=5)
    assert reply.answers(asked)
    assert not reply.answers(ImageUploadWriteRequest(off=512, data=bytes(4), sequence=6))
    assert not reply.answers(ImageEraseRequest(sequence=5))
    assert not reply.answers(ImageStatesReadRequest(sequence=5))
    with pytest.raises(DecodeError):
        reply.as_a(EchoWriteResponse)


def test_the_examples_of_the_server() -> None:
    """The virtual one answers 19, 20 and 21 as the reference's tables say."""
    loader = loader_of()

    def asked(wire: str) -> bytes:
        loader.receive_write(CHARACTERISTIC, bytes.fromhex(wire), 0.0)
        return b"".join(data for _, data in loader.data_to_send())

    assert asked("0A00000600000100A16164626869").hex().upper() == "0B00000600000100A16172626869"
    assert read(asked("0800000100010300A0")).as_a(ImageStatesReadResponse).images[0].active
    # no upload is under way: it wants the first byte
    assert (
        asked("0A00001200010501A263" + "6F6666190200646461746144" + "01020304").hex().upper()
        == "0B00000600010501A1636F666600"
    )
    assert asked("0A00000100000705A0").hex().upper() == "0B00000100000705A0"
    assert loader.link_must_drop


def test_the_header_of_example_23() -> None:
    head = bytes.fromhex("3DB8F396000000002000000034120000000000000102030004000000" + "00000000")
    tlvs = struct.pack("<HHBBH", 0x6907, 40, 0x10, 0, 32) + bytes(32)
    image = image_in(head + bytes(0x1234) + tlvs)
    assert image is not None
    assert image.version == (1, 2, 3, 4)
    assert image.end == 0x20 + 0x1234 + 40


# ---- answers in all their forms


@pytest.mark.parametrize(
    ("fields", "refusal", "words"),
    [
        ({"off": 5}, None, ""),
        ({"off": 5, "rc": 0}, None, ""),
        ({"err": {"group": 1, "rc": 0}, "off": 5}, None, ""),
        ({"rc": 8}, Refusal(8), "not supported"),
        ({"rc": 256}, Refusal(256), "an error of its own (256)"),
        ({"rc": 99}, Refusal(99), "error 99"),
        ({"err": {"group": 1, "rc": 27}}, Refusal(27, 1), "the running version is newer"),
        ({"err": {"group": 1, "rc": 24}}, Refusal(24, 1), "invalid hash"),
        ({"err": {"group": 0, "rc": 2}}, Refusal(2, 0), "error 2 of group 0"),
    ],
)
def test_errors_of_both_versions(fields: object, refusal: Refusal | None, words: str) -> None:
    reply = read(answer(1, 1, fields))
    assert reply.refusal == refusal
    assert (in_words(refusal) if refusal else "") == words


@pytest.mark.parametrize(
    "fields",
    [
        b"\xff",
        b"\x83\1\2\3",
        {"err": 5},
        {"err": {"group": 1}},
        {"err": {"group": "one", "rc": 1}},
        {"rc": "eight"},
        {"off": "far"},
        {"off": [1]},
    ],
)
def test_content_that_makes_no_sense(fields: object) -> None:
    with pytest.raises(DecodeError):
        read(answer(1, 1, fields))


@pytest.mark.parametrize(
    "fields", [{}, {"images": 5}, {"images": [5]}, {"images": [{"slot": 0}]}, {"images": [[]]}]
)
def test_images_that_make_no_sense(fields: object) -> None:
    with pytest.raises(DecodeError):
        read(answer(1, 0, fields, operation=1))


def test_newer_and_other_words_do_not_disturb() -> None:
    """A server's CBOR need not be canonical, and it may say more than we know."""
    image = {"slot": 0, "version": "1.2.3", "hash": bytes(32), "compressed": False, "active": True}
    reply = read(answer(1, 0, {"new": 1, "images": [image], "splitStatus": 0}, operation=1))
    assert reply.as_a(ImageStatesReadResponse).images[0].version == "1.2.3"
    assert read(answer(1, 1, bytes.fromhex("BF636F6666190204FF"))).as_a(
        ImageUploadWriteResponse
    ).off == (516)
    older = bytearray(answer(1, 1, {"off": 5}))
    older[0] = 3
    assert read(bytes(older)).as_a(ImageUploadWriteResponse).off == 5
    unknown = read(answer(64, 9, {"x": 1}))
    assert (unknown.name, unknown.body) == ("smp.3.64.9", None)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x0b\0\0",
        bytes.fromhex("0A00000100000705"),  # a request
        bytes.fromhex("0800000100000006"),
        bytes.fromhex("0F00000100000705"),  # operation 7
        bytes.fromhex("1B00000100000705"),  # version 3
        bytes.fromhex("0B01000100000705"),  # flags
        bytes.fromhex("0B00000100000763"),  # no command of the group
    ],
)
def test_what_no_answer_begins_with(head: bytes) -> None:
    with pytest.raises(FrameError):
        header_of(head)
    with pytest.raises(FrameError):
        Assembler().receive(head)


# ---- reassembly

LONG = answer(
    1, 0, {"images": [{"slot": 0, "version": "1.0.0", "hash": bytes(range(32))}]}, operation=1
)
SHORT = answer(1, 1, {"off": 516})


@given(st.lists(st.integers(9, 60), min_size=1, max_size=8))
def test_an_answer_over_several_notifications(sizes: list[int]) -> None:
    assembler, at, found = Assembler(), 0, []
    for size in [*sizes, len(LONG)]:
        if part := LONG[at : at + size]:
            found.append(assembler.receive(part))
        at += size
    assert [reply for reply in found if reply] == [read(LONG)]
    assert found[-1] is not None
    assert assembler.receive(SHORT) == read(SHORT)


def test_the_next_answer_is_read_where_the_rest_of_one_was_lost() -> None:
    assembler = Assembler()
    assert assembler.receive(LONG[:20]) is None
    assert assembler.receive(SHORT) == read(SHORT)
    # also where both come in parts
    assert assembler.receive(LONG[:-10]) is None
    assert assembler.receive(LONG[:-9]) is None
    assert assembler.receive(LONG[-9:]) == read(LONG)


def test_what_follows_an_answer_in_its_notification_is_an_error() -> None:
    assembler = Assembler()
    with pytest.raises(FrameError):
        assembler.receive(SHORT + b"\0")
    assert assembler.receive(SHORT) == read(SHORT)
    assert assembler.receive(LONG[:20]) is None
    with pytest.raises(FrameError):
        assembler.receive(LONG[20:] + b"\0")
    assert assembler.receive(SHORT) == read(SHORT)


@given(st.lists(st.binary(max_size=60), max_size=12))
def test_noise_never_does_more_than_be_ignored(notifications: list[bytes]) -> None:
    assembler = Assembler()
    for data in notifications:
        try:
            assembler.receive(data)
        except RemoteProtocolError:
            continue
    for _ in range(3):  # what noise began is over after some answers at the latest
        try:
            reply = assembler.receive(SHORT)
        except RemoteProtocolError:
            continue
    assert reply == read(SHORT)


@given(st.binary(max_size=80), st.sampled_from([(1, 1, 0), (3, 1, 1), (3, 0, 0), (1, 0, 6)]))
def test_noise_as_content(content: bytes, key: tuple[int, int, int]) -> None:
    operation, group, command = key
    with contextlib.suppress(DecodeError):
        read(answer(group, command, content, operation=operation))


@given(st.lists(st.binary(max_size=60), max_size=12))
def test_noise_leaves_the_server_as_it_was(writes: list[bytes]) -> None:
    loader: SmpLoader = loader_of()
    for data in writes:
        loader.receive_write(CHARACTERISTIC, data, 0.0)
        loader.data_to_send()
    loader.link_lost(0.0)
    assert loader.flash.application == OLD
