"""What is said to a Nordic Secure DFU loader, byte for byte (dfu.md 12), and noise."""

import binascii
import contextlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.errors import DecodeError
from firmware_protocol.updates.nordic_secure import codec
from firmware_protocol.updates.nordic_secure.codec import Answer, Entered, ObjectType, Op
from firmware_protocol.updates.nordic_secure.loader_init import (
    InitRefusedError,
    Order,
    SecureTraits,
    read_order,
)
from tests.firmware_protocol.image_builders import BODY

EXAMPLE_7 = bytes.fromhex(
    "128301 0A3D 0801 1239 0801 1034 1A028002 2000 2800 3000 388002"
    "4224 0803 1220 804894BF660211E770A81DBD5F7858714967698E64D4AF472E92D8D2E9F2AF40"
    "4800 1000 1A40" + 64 * "00"
)
RULES = SecureTraits()


def test_worked_examples() -> None:
    assert bytes.fromhex("01") == codec.ENTER_LOADER
    assert codec.decode_entered(bytes.fromhex("200101")) == Entered(codec.SUCCESS)
    assert codec.select(ObjectType.COMMAND) == bytes.fromhex("0601")
    assert codec.decode_answer(bytes.fromhex("600601000200000000000000000000")) == Answer(
        Op.SELECT, codec.SUCCESS, offset=0, crc=0, max_bytes=512
    )
    assert codec.create(ObjectType.COMMAND, len(EXAMPLE_7)) == bytes.fromhex("010186000000")
    assert bytes.fromhex("03") == codec.CHECKSUM
    assert codec.decode_answer(bytes.fromhex("60030100010000738C0529")) == Answer(
        Op.CHECKSUM, codec.SUCCESS, offset=256, crc=0x29058C73
    )
    assert binascii.crc32(BODY) == 0x29058C73
    assert bytes.fromhex("04") == codec.EXECUTE
    refused = codec.decode_answer(bytes.fromhex("60040B05"))
    assert refused == Answer(Op.EXECUTE, 0x0B, extended=5)
    assert refused.words == "the firmware version is too low"
    assert codec.set_receipts(10) == bytes.fromhex("020A00")
    assert codec.decode_answer(bytes.fromhex("600201")).succeeded


def test_the_bootloader_reads_the_init_packet_of_example_7() -> None:
    order = read_order(EXAMPLE_7, RULES, application_version=1, bootloader_version=1)
    assert order == Order(
        kind=0,
        version=1,
        size_bytes=256,
        digest=bytes.fromhex("40AFF2E9D2D8922E47AFD4648E6967497158785FBD1DA870E7110266BF944880"),
    )


@pytest.mark.parametrize("code", range(256))
def test_every_code_has_words(code: int) -> None:
    answer = codec.decode_answer(bytes([0x60, 4, code]) + (b"\x05" if code == 0x0B else b""))
    if code == codec.SUCCESS:
        assert answer.succeeded
        return
    known = answer.words
    assert known
    assert ("does not have" in known) == (code not in {0, *range(2, 9), 0x0A, 0x0B})
    extended = codec.decode_answer(bytes([0x60, 4, 0x0B, code])).words
    assert ("does not have" in extended) == (code > 0x0E)
    assert Entered(code).words


def test_names_tell_what_is_answered() -> None:
    assert Answer(Op.EXECUTE, 1).name == "nordic-secure.execute.reply"
    assert Answer(0x7F, 2).name == "nordic-secure.op_7f.reply"
    assert Entered(1).name == "nordic-secure.enter.reply"


@pytest.mark.parametrize(
    "text",
    [
        *("", "60", "6004", "610401", "60040100", "60040B", "60040B0500", "60030100010000738C05"),
        *("60030100010000738C052900", "6006010002000000000000000000", "60060800"),
    ],
)
def test_answers_of_another_length_are_none(text: str) -> None:
    with pytest.raises(DecodeError):
        codec.decode_answer(bytes.fromhex(text))


@given(st.binary(max_size=20))
def test_noise_is_no_answer_or_a_whole_one(data: bytes) -> None:
    for decode in (codec.decode_answer, codec.decode_entered):
        try:
            message = decode(data)
        except DecodeError:
            continue
        assert message.name.startswith("nordic-secure.")


@given(
    st.sampled_from([Op.SELECT, Op.CHECKSUM]),
    *(st.integers(0, 0xFFFFFFFF) for _ in range(3)),
)
def test_where_a_loader_stands_comes_back(op: Op, most: int, offset: int, crc: int) -> None:
    numbers = [most, offset, crc] if op is Op.SELECT else [offset, crc]
    wire = bytes([0x60, op, 1]) + b"".join(number.to_bytes(4, "little") for number in numbers)
    answer = codec.decode_answer(wire)
    assert (answer.op, answer.offset, answer.crc) == (op, offset, crc)
    assert answer.max_bytes == (most if op is Op.SELECT else 0)


KEYED = SecureTraits(public_key=ec.generate_private_key(ec.SECP256R1()).public_key())


@given(st.binary(max_size=80), st.sampled_from([RULES, KEYED]))
def test_the_bootloader_refuses_noise_as_an_init_packet(data: bytes, rules: SecureTraits) -> None:
    with pytest.raises(InitRefusedError):
        read_order(data, rules, 0, 0)


@given(st.integers(0, len(EXAMPLE_7) - 1), st.integers(1, 255), st.sampled_from([RULES, KEYED]))
def test_a_changed_init_packet_is_read_or_refused(at: int, flip: int, rules: SecureTraits) -> None:
    changed = bytearray(EXAMPLE_7)
    changed[at] ^= flip
    for data in (bytes(changed), EXAMPLE_7[:at]):
        with contextlib.suppress(InitRefusedError):
            assert read_order(data, rules, 1, 1).size_bytes > 0
