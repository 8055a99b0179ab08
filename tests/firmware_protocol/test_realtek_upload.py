"""Realtek DFU: whole uploads, keys, and what comes of them on a bad link (dfu.md 5.6)."""

import struct
from dataclasses import replace

import pytest

from firmware_protocol.events import (
    HeldImage,
    Identified,
    ImagesRead,
    JobDone,
    UploadActivated,
    UploadProgress,
    UploadStarted,
    UploadVerified,
)
from firmware_protocol.family import Advertisement, JobError
from firmware_protocol.jobs import Bind, ConfirmImage, Identify, InstallImage, ReadImages
from firmware_protocol.updates.loader import Flash
from firmware_protocol.updates.realtek import TRANSPORT, gatt
from firmware_protocol.updates.realtek.loader import BEE2, RTL87X2G, LoaderTraits, RealtekLoader
from firmware_protocol.updates.realtek.messages import xor16
from tests.firmware_protocol.realtek_rig import (
    BUFFER_BYTES,
    KEY,
    OLD,
    PLAIN_BEE2,
    TWO_WINDOWS,
    Rig,
    ScriptedLoader,
    bee2_image,
    check_verdict,
    failure,
    image_for,
    new_rig,
    part_of,
    rtl87x2g_image,
)

# ---- jobs


def test_identify_tells_the_chip() -> None:
    rig, _ = new_rig()
    identified = rig.run(Identify())[0]
    assert isinstance(identified, Identified)
    assert (identified.info.family, identified.info.product) == ("realtek", "bootloader")
    assert identified.info.facts == {
        "chips": "bee2",
        "ic_type": "05",
        "protocol_type": "0000",
        "spec": 1,
        "modes": "buffer_check,multiple",
        "buffer_bytes": 2048,
        "active_bank": 0,
    }


def test_identify_of_an_older_watch_without_a_protocol_type() -> None:
    rig, flash = new_rig(missing=frozenset({gatt.PROTOCOL_TYPE}))
    image = bee2_image(64)
    assert isinstance(rig.install(part_of(image))[-1], JobDone)
    assert flash.application == image


def test_without_a_device_information_it_is_no_watch_of_ours() -> None:
    rig, _ = new_rig(missing=frozenset({gatt.DEVICE_INFO}))
    assert failure(rig.run(Identify()))[0] == "unsupported"
    rig = Rig(ScriptedLoader({gatt.DEVICE_INFO: b"\x05\x01"}, {}))
    assert failure(rig.run(Identify()))[0] == "malformed"


def test_nothing_is_installed_unless_somebody_insists() -> None:
    rig, flash = new_rig()
    kind, reason = failure(rig.install(part_of(bee2_image(64)), experimental=False))
    assert (kind, "not proven" in reason) == ("unproven", True)
    assert (rig.control, rig.packets, flash.log) == ([], [], [])


def test_other_jobs_are_not_its_business() -> None:
    rig, _ = new_rig()
    rig.run(Identify())
    for job in (Bind(), ConfirmImage("00")):
        assert failure(rig.run(job))[0] == "unsupported"
    install = InstallImage(part_of(bee2_image(64)), experimental=True)
    dialogue = TRANSPORT.open_dialect(244).dialogue(install)
    with pytest.raises(JobError, match="was not read before"):
        next(dialogue)


def test_the_images_of_both_banks() -> None:
    rig, _ = new_rig()
    rig.run(Identify())
    assert rig.run(ReadImages())[0] == ImagesRead(
        (HeldImage("bank_0:application", "1.1.0.0", None),)
    )
    assert rig.control == [bytes.fromhex("0D00"), bytes.fromhex("0D01")]


def test_images_of_newer_firmware_and_a_bank_that_is_refused() -> None:
    values = {gatt.DEVICE_INFO: bytes.fromhex(PLAIN_BEE2)}
    answers = [["10 0D 01 00 02 A937 0100000000000080 7777 0100000000000000"], ["10 0D FF"]]
    rig = Rig(ScriptedLoader(values, {0x0D: answers}))
    rig.run(Identify())
    assert rig.run(ReadImages())[0] == ImagesRead(
        (
            HeldImage("bank_0:mcu_application", "8000000000000001", None),
            HeldImage("bank_0:7777", "0000000000000001", None),
        )
    )
    rig = Rig(ScriptedLoader(values, {}))
    rig.run(Identify())
    assert failure(rig.run(ReadImages()))[0] == "silent"


def test_a_loader_is_known_by_its_name_or_services() -> None:
    def seen(name: str | None, *uuids: str) -> bool:
        return TRANSPORT.is_loader(Advertisement("A", name, -50, frozenset(uuids)))

    assert seen("BeeTgt")
    assert seen(None, gatt.SERVICE)
    assert seen("Band", gatt.INFORMATION_SERVICE)
    assert not seen("Band", gatt.DATA)
    assert not TRANSPORT.leaves_application
    assert TRANSPORT.loader_addresses("A") == ("A",)
    assert TRANSPORT.pause_between_parts_s == 10.0
    assert TRANSPORT.provisional


# ---- whole uploads


@pytest.mark.parametrize("traits", [BEE2, RTL87X2G])
@pytest.mark.parametrize("link_write_bytes", [20, 100, 244])
@pytest.mark.parametrize("payload_bytes", [30, 1035, 1036, 1037, 3083, 3084, 3085, 9999])
def test_sizes_at_the_borders_of_buffers(
    traits: LoaderTraits, link_write_bytes: int, payload_bytes: int
) -> None:
    rig, flash = new_rig(traits, link_write_bytes=link_write_bytes)
    image = image_for(traits, payload_bytes)
    events = rig.install(part_of(image))
    assert check_verdict(events, flash, image)
    begin = traits.start_at
    assert b"".join(rig.packets) == image[begin:]
    assert events[0] == UploadStarted("app.bin", len(image), begin)
    assert [type(event) for event in events[-3:]] == [UploadVerified, UploadActivated, JobDone]
    progress = [event for event in events if isinstance(event, UploadProgress)]
    buffers = -(-(len(image) - begin) // traits.buffer_bytes)
    assert len(progress) == buffers
    assert progress[-1] == UploadProgress("app.bin", len(image), len(image), len(image) - begin, 0)
    full = link_write_bytes // 16 * 16
    assert max(map(len, rig.packets)) == full
    assert flash.firmware_version == 2


def test_the_whole_conversation_with_bee2() -> None:
    rig, _ = new_rig()
    image = bee2_image(TWO_WINDOWS)
    rig.install(part_of(image))
    first, second = image[12 : 12 + BUFFER_BYTES], image[12 + BUFFER_BYTES :]
    assert rig.control == [
        bytes.fromhex("09"),
        bytes.fromhex("06 9327"),
        bytes.fromhex("01") + image[:12] + bytes(4),
        bytes.fromhex("02 9327 0C000000"),
        bytes.fromhex("0A 0008") + xor16(first),
        bytes.fromhex("0A 0801") + xor16(second),
        bytes.fromhex("03 9327"),
        bytes.fromhex("04"),
    ]
    assert [len(packet) for packet in rig.packets] == [240] * 8 + [128, 240, 24]


def test_the_first_buffer_is_shorter_where_the_watch_says_so() -> None:
    rig, flash = new_rig(replace(RTL87X2G, check_offset=96))
    image = rtl87x2g_image(9000)
    assert check_verdict(rig.install(part_of(image)), flash, image)
    sizes = [struct.unpack("<H", told[1:3])[0] for told in rig.control if told[0] == 0x0A]
    assert sizes == [4000, 4096, len(image) - 8096]


def test_a_check_offset_beyond_the_buffer_makes_no_sense() -> None:
    rig, flash = new_rig(replace(RTL87X2G, check_offset=4096))
    assert failure(rig.install(part_of(rtl87x2g_image(64))))[0] == "malformed"
    assert flash.application == OLD
    assert rig.control[-1] != b"\x05"  # nothing was begun, so nothing needs a reset


def test_a_smaller_mtu_of_the_watch_counts() -> None:
    rig, _ = new_rig(replace(BEE2, packet_bytes=100))
    rig.install(part_of(bee2_image(TWO_WINDOWS)))
    assert max(map(len, rig.packets)) == 96


@pytest.mark.parametrize("traits", [BEE2, RTL87X2G])
def test_plain_mode_is_slow_and_has_no_sums(traits: LoaderTraits) -> None:
    rig, flash = new_rig(replace(traits, buffer_check=False))
    image = image_for(traits, TWO_WINDOWS)
    begun_s = rig.now_s
    assert check_verdict(rig.install(part_of(image)), flash, image)
    assert {told[0] for told in rig.control} == {1, 2, 3, 4, 6}
    assert all(len(packet) == 20 for packet in rig.packets[:-1])
    gaps = [b - a for a, b in zip(rig.sent_at_s, rig.sent_at_s[1:], strict=False)]
    assert min(gaps) == pytest.approx(0.006)
    assert rig.now_s - begun_s < 0.0061 * len(rig.packets)


class MuteAboutBuffers(RealtekLoader):
    """Says that it checks buffers, and does not answer when told to."""

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        if data != b"\x09":
            super().receive_write(uuid, data, now_s)


def test_silence_about_buffers_means_plain_mode() -> None:
    flash = Flash(OLD, 1)
    rig = Rig(MuteAboutBuffers(flash))
    image = bee2_image(64)
    assert check_verdict(rig.install(part_of(image)), flash, image)
    assert rig.sent_at_s[0] == pytest.approx(1.6)
    assert len(rig.packets[0]) == 20


def test_several_images_are_activated_once() -> None:
    rig, flash = new_rig()
    rom, app = bee2_image(200, image_id=0x2792), bee2_image(300)
    rig.run(Identify())
    events = rig.run(InstallImage(part_of(rom), last=False, experimental=True))
    assert [type(event) for event in events[-2:]] == [UploadVerified, JobDone]
    assert (flash.application, flash.log) == (OLD, [])
    rig.now_s += TRANSPORT.pause_between_parts_s
    events = rig.run(InstallImage(part_of(app), experimental=True))
    assert isinstance(events[-2], UploadActivated)
    assert flash.application == app
    assert flash.log == [f"installed {len(rom)} bytes as 2792", f"installed {len(app)} bytes"]
    assert [told[0] for told in rig.control].count(0x04) == 1


def test_newer_chips_are_told_which_image_is_the_last() -> None:
    rig, flash = new_rig(RTL87X2G)
    part = part_of(rtl87x2g_image(64))
    rig.run(Identify())
    rig.run(InstallImage(part, last=False, experimental=True))
    rig.run(InstallImage(part, experimental=True))
    assert [told for told in rig.control if told[0] in (3, 4)] == [
        bytes.fromhex("03 A937 00"),
        bytes.fromhex("03 A937 01"),
        bytes.fromhex("04 00"),
    ]
    assert flash.firmware_version == 2


def test_a_watch_for_single_images_is_activated_after_each() -> None:
    rig, flash = new_rig(replace(BEE2, multiple=False))
    rom, app = bee2_image(200, image_id=0x2792), bee2_image(300)
    events = rig.install(part_of(rom), last=False)
    assert isinstance(events[-2], UploadActivated)
    assert flash.log == [f"installed {len(rom)} bytes as 2792"]
    assert isinstance(rig.install(part_of(app))[-1], JobDone)
    assert flash.application == app


def test_the_banks_change_places() -> None:
    rig, flash = new_rig()
    image = bee2_image(64)
    rig.install(part_of(image, bank=1))
    assert flash.application == image
    kind, reason = failure(rig.install(part_of(bee2_image(64, version=3), bank=1)))
    assert (kind, "for bank 1" in reason) == ("invalid", True)
    assert isinstance(rig.install(part_of(bee2_image(64, version=3), bank=0))[-1], JobDone)
    assert flash.firmware_version == 3


# ---- keys


@pytest.mark.parametrize("every_block", [False, True])
@pytest.mark.parametrize("traits", [BEE2, RTL87X2G])
def test_an_encrypted_upload(traits: LoaderTraits, every_block: bool) -> None:
    rig, flash = new_rig(replace(traits, key=KEY, every_block=every_block))
    image = image_for(traits, TWO_WINDOWS)
    assert check_verdict(rig.install(part_of(image), loader_key=KEY), flash, image)
    assert b"".join(rig.packets) != image[traits.start_at :]


def test_a_key_that_the_chip_loads_from_its_end() -> None:
    rig, flash = new_rig(replace(BEE2, key=KEY[::-1]))
    image = bee2_image(TWO_WINDOWS)
    assert check_verdict(rig.install(part_of(image), loader_key=KEY), flash, image)
    assert [told[0] for told in rig.control].count(0x01) == 2


def test_nothing_is_streamed_with_a_wrong_key() -> None:
    rig, flash = new_rig(replace(BEE2, key=b"k" * 32))
    events = rig.install(part_of(bee2_image(64)), loader_key=KEY)
    assert failure(events)[0] == "refused"
    assert rig.packets == []
    assert rig.control[-1] == b"\x05"
    assert flash.application == OLD


@pytest.mark.parametrize(("key", "kind"), [(b"", "unsupported"), (b"short", "invalid")])
def test_a_key_that_is_missing_or_none(key: bytes, kind: str) -> None:
    rig, flash = new_rig(replace(BEE2, key=KEY))
    assert failure(rig.install(part_of(bee2_image(64)), loader_key=key))[0] == kind
    assert (rig.control, rig.packets, flash.application) == ([], [], OLD)


def test_a_key_is_in_no_representation_of_the_job() -> None:
    job = InstallImage(part_of(bee2_image(64)), loader_key=KEY)
    assert repr(KEY) not in repr(job)
