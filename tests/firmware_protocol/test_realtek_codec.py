"""Realtek DFU: bytes, device information, and which images are sent at all (dfu.md 5, 12)."""

import struct
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.errors import DecodeError
from firmware_protocol.family import JobError
from firmware_protocol.images import ImagePart
from firmware_protocol.updates.realtek import messages
from firmware_protocol.updates.realtek.cipher import PacketCipher
from firmware_protocol.updates.realtek.device_info import (
    START_OFFSETS,
    Chips,
    DeviceInfo,
    parse_device_info,
)
from firmware_protocol.updates.realtek.messages import Answer, Busy, decode_control, xor16
from firmware_protocol.updates.realtek.upload import target_of, validate_timeout_s
from tests.firmware_protocol.image_builders import realtek_bbpro, realtek_bee1
from tests.firmware_protocol.realtek_rig import (
    KEY,
    PLAIN_BEE2,
    bee2_image,
    part_of,
    rtl87x2g_image,
)

LIVE_BEE2 = "0501000700080000300F0000"  # dfu.md 5.4 and 12, example 12 (L)


def bee2() -> DeviceInfo:
    return parse_device_info(bytes.fromhex(PLAIN_BEE2), b"")


def rtl87x2g(**more: object) -> DeviceInfo:
    made = DeviceInfo(Chips.RTL87X2G, 0x0F, 0x0015, 4)
    return replace(made, **more)  # type: ignore[arg-type]


# ---- the worked examples of dfu.md 12, byte for byte


def test_the_live_device_information() -> None:  # example 12
    found = parse_device_info(bytes.fromhex(LIVE_BEE2), b"")
    assert (found.chips, found.ic, found.spec, found.protocol) == (Chips.BEE2, 5, 1, 0)
    assert found.modes == {"buffer_check", "aes", "aes_every_block"}
    assert found.buffer_bytes == 2048
    assert found.indicator == 0x0F30
    # OTA header, patch and application stand alone: they lie in no bank
    assert [found.bank_of(image_id) for image_id in (0x2790, 0x2792, 0x2793)] == [None] * 3


def test_start_of_both_families() -> None:  # examples 13 and 14
    head = bytes.fromhex("050081009327341200000100")
    image = head.ljust(1024, b"\0") + bytes(0x10000)
    target = target_of(part_of(image), bee2())
    wire = bytes.fromhex("01 05 00 8100 9327 3412 00000100 00 000000")
    assert messages.start(target.start_payload) == wire
    head = bytes.fromhex("00000F000000A93700000200")
    image = head.ljust(1280, b"\0") + bytes(0x20000)
    target = target_of(part_of(image), rtl87x2g())
    wire = bytes.fromhex("01 0000 0F 00 0000 A937 00000200 00 000000")
    assert messages.start(target.start_payload) == wire


def test_the_other_examples() -> None:  # 15 to 18
    assert messages.receive(0x2793, 12) == bytes.fromhex("02 9327 0C000000")
    assert messages.report_target(0x2793) == bytes.fromhex("06 9327")
    told = decode_control(bytes.fromhex("10 06 01 00000000 00000000"))
    assert told == Answer("realtek.target.reply", 6, 1, {"version": 0, "offset": 0})
    assert xor16(bytes.fromhex("01020304")) == bytes.fromhex("0602")
    assert messages.report_buffer(bytes.fromhex("01020304")) == bytes.fromhex("0A 0400 0602")
    told = decode_control(bytes.fromhex("10 0A 01 10000000"))
    assert told == Answer("realtek.buffer.reply", 10, 1, {"offset": 16})
    assert messages.validate(0x2793, is_last=None) == bytes.fromhex("03 9327")
    told = decode_control(bytes.fromhex("10 03 05"))
    assert isinstance(told, Answer)
    assert (told.opcode, told.verdict) == (3, "checksum error")


def test_what_newer_chips_want_besides() -> None:
    assert messages.validate(0x37A9, is_last=True) == bytes.fromhex("03 A937 01")
    assert messages.validate(0x37A9, is_last=False) == bytes.fromhex("03 A937 00")
    assert messages.activate(is_new=True) == bytes.fromhex("04 00")
    assert messages.activate(is_new=False) == bytes.fromhex("04")


# ---- codecs


@pytest.mark.parametrize(
    ("wire", "fields"),
    [
        ("10 06 01 0700 10000000", {"version": 7, "offset": 16}),  # 9 bytes
        ("10 06 01 07000000 10000000", {"version": 7, "offset": 16}),  # 11
        ("10 06 01 00000000 10000000 0400", {"offset": 16, "check_offset": 4}),  # 13
        ("10 06 02", {}),
        ("10 09 01 0008 F700", {"buffer_bytes": 2048, "mtu": 247}),
        ("10 0A 05 0C000000", {"offset": 12}),
        ("10 0A 08", {}),
        ("10 0D 01 00 00", {"bank": 0}),
    ],
)
def test_answers(wire: str, fields: dict[str, int]) -> None:
    told = decode_control(bytes.fromhex(wire))
    assert isinstance(told, Answer)
    assert told.fields == fields


def test_versions_of_both_lengths() -> None:
    short = decode_control(bytes.fromhex("10 0D 01 01 02 9227 01000000 9327 02000000"))
    assert isinstance(short, Answer)
    assert short.versions == ((0x2792, 1, 4), (0x2793, 2, 4))
    long = decode_control(bytes.fromhex("10 0D 01 00 01 A937 0100000000000080"))
    assert isinstance(long, Answer)
    assert long.versions == ((0x37A9, 0x8000000000000001, 8),)


def test_an_unknown_status_is_told_by_its_number() -> None:
    told = decode_control(bytes.fromhex("10 01 77"))
    assert isinstance(told, Answer)
    assert told.verdict == "status 77"
    assert decode_control(b"\x08\x01") == Busy("realtek.busy", is_busy=True)
    assert decode_control(b"\x08\x00") == Busy("realtek.busy", is_busy=False)


@pytest.mark.parametrize(
    "wire",
    [
        *("", "10", "10 01", "11 01 01", "10 55 01", "08", "08 01 02"),
        *("10 06 01", "10 06 01 00", "10 06 01 000000000000000000000000"),
        *("10 09 01", "10 09 01 0008", "10 0A 01 00", "10 0D 01", "10 0D 01 00"),
        *("10 0D 01 00 01", "10 0D 01 00 00 00", "10 0D 01 00 02 9327 01000000"),
        "10 0D 01 00 01 9327 0100",
    ],
)
def test_what_is_no_answer(wire: str) -> None:
    with pytest.raises(DecodeError):
        decode_control(bytes.fromhex(wire))


@given(st.binary(max_size=40))
def test_noise_is_decoded_or_refused(data: bytes) -> None:
    for noise in (data, b"\x10" + data, b"\x10\x0d\x01" + data):
        try:
            decode_control(noise)
        except DecodeError:
            continue
    for protocol_type in (b"", data[:2]):
        try:
            assert parse_device_info(data, protocol_type).facts
        except DecodeError:
            continue


@given(st.binary(max_size=64))
def test_the_sum_of_a_buffer(data: bytes) -> None:
    words = struct.unpack(f"<{(len(data) + 1) // 2}H", data + bytes(len(data) % 2))
    total = 0
    for word in words:
        total ^= word
    assert xor16(data) == total.to_bytes(2, "big")


@given(st.binary(max_size=64), st.booleans())
def test_packets_are_encrypted_by_whole_blocks(packet: bytes, every_block: bool) -> None:
    sent = PacketCipher(KEY, every_block=every_block).encrypt(packet)
    end = len(packet) // 16 * 16
    end = end if every_block else min(16, end)
    assert sent[end:] == packet[end:]
    decryptor = Cipher(algorithms.AES(KEY), modes.ECB()).decryptor()  # noqa: S305
    assert decryptor.update(sent[:end]) == packet[:end]


@pytest.mark.parametrize(
    ("info", "protocol_type", "found"),
    [
        ("71", "", DeviceInfo(Chips.BEE1, 3, 0, 0)),
        (
            "0404 03 01 08 01 F700",
            "1000",
            DeviceInfo(
                Chips.BBPRO,
                4,
                0x10,
                4,
                frozenset({"buffer_check", "aes"}),
                active_bank_code=1,
            ),
        ),
        (
            "0F04 19 00 0800 02 01 01 7401 00",
            "1500",
            DeviceInfo(
                Chips.RTL87X2G,
                15,
                0x15,
                4,
                frozenset({"buffer_check", "multiple", "normal_ota"}),
                control_header_offset=372,
                active_bank_code=2,
            ),
        ),
    ],
)
def test_device_information(info: str, protocol_type: str, found: DeviceInfo) -> None:
    assert parse_device_info(bytes.fromhex(info), bytes.fromhex(protocol_type)) == found


@pytest.mark.parametrize(
    ("info", "protocol_type"),
    [
        *(("", ""), ("0501", ""), (LIVE_BEE2 + "00", ""), (LIVE_BEE2, "00"), (LIVE_BEE2, "1000")),
        ("77" + LIVE_BEE2[2:], ""),
    ],
)
def test_device_information_of_no_known_layout(info: str, protocol_type: str) -> None:
    with pytest.raises(DecodeError):
        parse_device_info(bytes.fromhex(info), bytes.fromhex(protocol_type))


# ---- where the data begins: the rule that a whole image hangs on


def test_the_table_of_start_offsets() -> None:
    assert START_OFFSETS == {(Chips.BEE2, 0x0000): 12, (Chips.RTL87X2G, 0x0015): 0}
    assert bee2().start_offset(0) == 12
    assert rtl87x2g().start_offset(0) == 0
    assert bee2().start_offset(4096) == 4096
    assert rtl87x2g().start_offset(2048) == 2048


@pytest.mark.parametrize(
    "device",
    [
        replace(bee2(), protocol=0x0012),
        replace(bee2(), protocol=0x0014),
        rtl87x2g(protocol=0x0000),
        DeviceInfo(Chips.BBPRO, 4, 0x0010, 4),
    ],
)
def test_a_start_offset_is_not_guessed(device: DeviceInfo) -> None:
    with pytest.raises(JobError, match="not known") as caught:
        device.start_offset(0)
    assert caught.value.kind == "unsupported"


@pytest.mark.parametrize(
    ("size_bytes", "chips", "timeout_s"),
    [
        (2 << 20, Chips.BEE2, 10.0),
        ((2 << 20) + 1, Chips.BEE2, 12.0),
        (8 << 20, Chips.BEE2, 36.0),
        (8 << 20, Chips.RTL87X2G, 10.0),
    ],
)
def test_the_wait_for_validate(size_bytes: int, chips: Chips, timeout_s: float) -> None:
    assert validate_timeout_s(size_bytes, chips) == timeout_s


# ---- which images are sent at all


@pytest.mark.parametrize("image_id", [0x2791, 0x278D, 0x278E, 0x278F, 0xFFFE])
def test_what_is_written_in_place_is_never_sent(image_id: int) -> None:
    with pytest.raises(JobError, match="in place") as caught:
        target_of(part_of(bee2_image(64, image_id=image_id)), bee2())
    assert caught.value.kind == "invalid"


@pytest.mark.parametrize("image_id", [0x379F, *range(0xFFF7, 0xFFFF)])
def test_what_is_written_in_place_on_newer_chips_is_never_sent(image_id: int) -> None:
    image = bytearray(rtl87x2g_image(64))
    struct.pack_into("<H", image, 6, image_id)
    with pytest.raises(JobError, match="in place"):
        target_of(part_of(bytes(image)), rtl87x2g())


@pytest.mark.parametrize(
    ("part", "device", "reason"),
    [
        (part_of(rtl87x2g_image(64)), bee2(), "for another chip than 05"),
        (part_of(bee2_image(64)), rtl87x2g(), "for another chip than 0F"),
        (part_of(bee2_image(64, ic=9)), bee2(), "for another chip than 05"),
        (part_of(realtek_bbpro()), bee2(), "for another chip than 05"),
        (part_of(realtek_bee1()), bee2(), "for another chip than 05"),
        (part_of(rtl87x2g_image(64, offset=372)), rtl87x2g(), "control header at byte 0"),
        (
            part_of(rtl87x2g_image(64)),
            rtl87x2g(control_header_offset=196),
            "control header at byte 196",
        ),
        (part_of(bee2_image(64)[:-1]), bee2(), "has 1087 bytes, its header says 1088"),
        (part_of(bee2_image(64) + b"\0"), bee2(), "has 1089 bytes"),
        (part_of(bee2_image(0)), bee2(), "is empty"),
        (ImagePart("x", "unknown", b"noise"), bee2(), "no header"),
        (
            part_of(bee2_image(64), bank=0),
            replace(bee2(), indicator=1 << 10),
            "for bank 0, from which the watch runs",
        ),
        (
            part_of(rtl87x2g_image(64), bank=1),
            rtl87x2g(active_bank_code=2),
            "for bank 1, from which the watch runs",
        ),
    ],
)
def test_an_image_that_does_not_fit(part: ImagePart, device: DeviceInfo, reason: str) -> None:
    with pytest.raises(JobError, match=reason) as caught:
        target_of(part, device)
    assert caught.value.kind == "invalid"


def test_the_other_bank_and_other_images_fit() -> None:
    part = part_of(bee2_image(64), bank=1)
    assert target_of(part, replace(bee2(), indicator=1 << 10)).image_id == 0x2793
    part = part_of(bee2_image(64, image_id=0x2790), bank=1)
    assert target_of(part, replace(bee2(), indicator=1 << 10)).image_id == 0x2790
    device = rtl87x2g(control_header_offset=372)
    image = rtl87x2g_image(64, offset=372)
    assert target_of(part_of(image), device).start_payload == image[372:384] + bytes(4)


@pytest.mark.parametrize("chips", [Chips.BEE1, Chips.BBPRO])
def test_chips_that_are_not_known_well_enough(chips: Chips) -> None:
    with pytest.raises(JobError, match=f"{chips} chips") as caught:
        target_of(part_of(bee2_image(64)), replace(bee2(), chips=chips))
    assert caught.value.kind == "unsupported"
