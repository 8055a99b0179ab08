"""The virtual Realtek loader, with no client to be kind to it (dfu.md 5)."""

import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.updates.loader import Flash
from firmware_protocol.updates.realtek import gatt, messages
from firmware_protocol.updates.realtek.loader import BEE2, RTL87X2G, LoaderTraits, RealtekLoader
from tests.firmware_protocol.image_builders import realtek_bee2
from tests.firmware_protocol.realtek_rig import (
    KEY,
    OLD,
    TWO_WINDOWS,
    bee2_image,
    failure,
    new_rig,
    part_of,
    rtl87x2g_image,
)

# ---- the loader itself, with no client to be kind to it


def told(loader: RealtekLoader, *writes: str, now_s: float = 0.0) -> list[str]:
    """Write to the control characteristic (or to data: `>`), and return all answers in hex."""
    for write in writes:
        uuid = gatt.DATA if write.startswith(">") else gatt.CONTROL
        loader.receive_write(uuid, bytes.fromhex(write.removeprefix(">")), now_s)
    return [data.hex() for _, data in loader.data_to_send()]


def opened(traits: LoaderTraits = BEE2) -> tuple[RealtekLoader, Flash]:
    flash = Flash(OLD, 1)
    loader = RealtekLoader(flash, traits)
    loader.link_opened(0.0)
    loader.subscribed(gatt.CONTROL, 0.0)
    return loader, flash


SMALL = bee2_image(64)
START = f"01{SMALL[:12].hex()}00000000"
RECEIVE = "0293270C000000"


def buffer_of(data: bytes, begin: int = 12) -> list[str]:
    packets = [f">{data[at : at + 240].hex()}" for at in range(begin, len(data), 240)]
    return [*packets, messages.report_buffer(data[begin:]).hex()]


def test_a_wrong_start_offset_shifts_the_image() -> None:
    loader, flash = opened()
    said = told(loader, "09", START, "02932700000000", *buffer_of(SMALL, begin=0), "039327")
    assert said[-1] == "100306"  # 12 bytes too many
    loader, flash = opened()
    said = told(loader, "09", START, "02932700000000", *buffer_of(SMALL[:-12], begin=0), "039327")
    assert said[-1] == "100305"  # the right length, but not the right bytes
    told(loader, "04")
    assert flash.application == OLD


def test_the_loader_takes_only_the_right_order() -> None:
    loader, flash = opened()
    assert told(loader, "039327") == ["100302"]
    assert told(loader, "0A04000602") == ["100a03"]
    assert told(loader, START) == ["100101"]
    assert told(loader, *buffer_of(SMALL)) == ["100a03"]  # no buffer check was agreed on
    assert told(loader, "09") == ["1009010008f700"]
    assert told(loader, *buffer_of(SMALL)) == ["100a060c000000"]  # no 02 came before the data
    assert told(loader, "02FFFF0C000000", *buffer_of(SMALL)) == ["100a060c000000"]
    assert told(loader, RECEIVE, *buffer_of(SMALL)) == ["100a0140040000"]
    assert told(loader, "03FFFF") == ["100302"]
    assert told(loader, "03932701") == ["100302"]  # a byte too many for Bee2
    assert told(loader, "039327") == ["100301"]
    assert (flash.application, loader.link_must_drop) == (OLD, False)
    told(loader, "04")
    assert (flash.application, loader.link_must_drop) == (SMALL, True)
    assert told(loader, START) == []
    loader.link_lost(0.0)
    assert (loader.link_must_drop, loader.stays) == (False, False)


def test_without_validate_activating_is_a_mere_restart() -> None:
    loader, flash = opened()
    told(loader, "09", START, RECEIVE, *buffer_of(SMALL), "04")
    assert loader.link_must_drop
    assert (flash.application, flash.log) == (OLD, [])


@pytest.mark.parametrize("word", ["05", "power cut", "lost link", "new start"])
def test_what_was_validated_is_forgotten(word: str) -> None:
    loader, flash = opened()
    told(loader, "09", START, RECEIVE, *buffer_of(SMALL), "039327")
    if word == "power cut":
        loader.restart(0.0)
    elif word == "new start":
        told(loader, START)
    else:
        told(loader, *(["05"] if word == "05" else []))
        loader.link_lost(0.0)
    told(loader, "04")
    assert flash.application == OLD


@pytest.mark.parametrize(
    ("write", "status"),
    [
        ("01", "02"),
        (START[:-2], "02"),
        (START.replace("0105", "0106", 1), "02"),  # another chip
        (START.replace("9327", "FEFF", 1), "02"),  # written in place
        (START.replace("9327", "9127", 1), "02"),
        (START.replace("40000000", "00004000", 1), "04"),  # 4 MiB and a header
        ("0B", "0105"),
        ("42", "ff"),
        ("0D02", "02"),
        ("0D", "02"),
        ("0D01", "010100"),
    ],
)
def test_what_the_loader_answers(write: str, status: str) -> None:
    loader, _ = opened()
    opcode = write[:2].lower()
    assert told(loader, write) == [f"10{opcode}{status}"]


def test_a_wrong_sum_or_size_costs_the_buffer() -> None:
    loader, _ = opened()
    told(loader, "09", START, RECEIVE)
    *packets, report = buffer_of(SMALL)
    assert told(loader, *packets, report[:-2] + "FF") == ["100a050c000000"]
    assert told(loader, *packets, "0A0100" + report[-4:]) == ["100a060c000000"]
    assert told(loader, *packets, report, "039327")[-1] == "100301"


def test_a_write_that_is_too_large_resets_the_link() -> None:
    loader, flash = opened()
    told(loader, "09", START, RECEIVE, f">{'00' * 245}")
    assert loader.link_must_drop
    loader, flash = opened()
    told(loader, "09", START, RECEIVE, *[f">{'00' * 240}"] * 9)
    assert loader.link_must_drop
    assert told(loader, "039327") == []
    assert flash.application == OLD


def test_a_watch_that_keeps_its_progress_keeps_it_when_it_drops_the_link() -> None:
    loader, _ = opened(replace(BEE2, keeps_progress=True))
    told(loader, "09", START, RECEIVE, *buffer_of(SMALL), f">{'00' * 245}")
    assert loader.link_must_drop
    loader.link_lost(0.0)
    assert told(loader, "069327") == ["1006010000000040040000"]


def test_a_watch_without_sums_knows_no_such_command() -> None:
    loader, _ = opened(replace(BEE2, buffer_check=False))
    assert told(loader, "09") == ["1009ff"]


def test_a_header_that_was_not_announced_is_not_taken() -> None:
    loader, _ = opened(RTL87X2G)
    image, other = rtl87x2g_image(64), rtl87x2g_image(64, version=3)
    start = f"01{image[:12].hex()}00000000"
    report = buffer_of(other, begin=0)
    assert told(loader, "09", start, "02A93700000000", *report, "03A93701")[-1] == "100305"


def test_an_idle_transfer_is_dropped() -> None:
    loader, _ = opened()
    told(loader, START, RECEIVE, now_s=1.0)
    dropped = []
    for now_s in (31.0, 61.5):
        told(loader, RECEIVE, now_s=now_s)
        dropped.append(loader.link_must_drop)
    assert dropped == [False, True]
    loader, _ = opened()
    assert told(loader, START, now_s=100.0) == ["100101"]  # nothing was under way


def test_images_that_are_not_whole() -> None:
    image = bytearray(bee2_image(TWO_WINDOWS))
    image[-1] ^= 1  # neither the SHA-256 fits
    rig, flash = new_rig()
    assert failure(rig.install(part_of(bytes(image))))[1].endswith("checksum error")
    rig, flash = new_rig()
    wrong_crc = realtek_bee2(b"x" * 50, crc16=0x1234)  # nor a CRC-16
    assert failure(rig.install(part_of(wrong_crc)))[1].endswith("checksum error")
    image = bytearray(rtl87x2g_image(64))
    struct.pack_into("<H", image, 0, 0)  # nor is there any sum at all
    rig, flash = new_rig(RTL87X2G)
    assert failure(rig.install(part_of(bytes(image))))[1].endswith("checksum error")
    assert flash.application == OLD


def test_an_image_without_code_does_not_boot_and_says_so() -> None:
    rig, flash = new_rig()
    rig.install(part_of(bee2_image(1)))
    assert not flash.boots


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=30)), max_size=20))
def test_the_loader_survives_noise(writes: list[tuple[bool, bytes]]) -> None:
    for traits in (BEE2, RTL87X2G, replace(BEE2, key=KEY, every_block=False)):
        loader, flash = opened(traits)
        for is_data, data in writes:
            loader.receive_write(gatt.DATA if is_data else gatt.CONTROL, data, 0.0)
        loader.receive_write("another", b"\x05", 0.0)
        assert loader.read_value("another", 0.0) == b""
        assert flash.application == OLD
