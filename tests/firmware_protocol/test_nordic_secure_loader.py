"""The virtual bootloader's rules, asked with plain bytes (dfu.md 3.3 to 3.7)."""

import binascii
import struct
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.updates.nordic_secure import gatt
from firmware_protocol.updates.nordic_secure.loader import NordicSecureLoader
from firmware_protocol.updates.nordic_secure.loader_init import SecureTraits
from tests.firmware_protocol.image_builders import InitFields, field, init_command, secure_init
from tests.firmware_protocol.nordic_secure_rig import OLD, PAGE, image_of, new_flash

KEY = ec.derive_private_key(7, ec.SECP256R1())
IMAGE = image_of(PAGE + 100)
SAID = InitFields(fw_version=2, app_size=len(IMAGE))
OTHER_KEY = ec.derive_private_key(8, ec.SECP256R1())


class Talk:
    """Writes to a bootloader and returns what it answers."""

    def __init__(self, traits: SecureTraits | None = None) -> None:
        self.flash = new_flash()
        self.loader = NordicSecureLoader(self.flash, traits)
        self.link()

    def link(self, now_s: float = 0.0) -> None:
        self.loader.link_opened(now_s)
        self.loader.subscribed(gatt.CONTROL_POINT, now_s)

    def drops(self) -> bool:
        return self.loader.link_must_drop

    def stays(self) -> bool:
        return self.loader.stays

    def ask(self, request: str | bytes) -> str:
        data = bytes.fromhex(request) if isinstance(request, str) else request
        self.loader.receive_write(gatt.CONTROL_POINT, data, 0.0)
        return b" ".join(self.heard()).hex()

    def heard(self) -> list[bytes]:
        due = self.loader.data_to_send()
        assert all(uuid == gatt.CONTROL_POINT for uuid, _ in due)
        return [data for _, data in due]

    def send(self, data: bytes, packet_bytes: int = 200) -> None:
        for at in range(0, len(data), packet_bytes):
            self.loader.receive_write(gatt.PACKET, data[at : at + packet_bytes], 0.0)

    def give_init(self, init: bytes) -> str:
        assert self.ask(b"\x01\x01" + struct.pack("<I", len(init))) == "600101"
        self.send(init)
        return self.ask("04")

    def give_object(self, data: bytes) -> str:
        assert self.ask(b"\x01\x02" + struct.pack("<I", len(data))) == "600101"
        self.send(data)
        return self.ask("04")

    def stand(self, kind: int = 2) -> tuple[int, int]:
        answer = bytes.fromhex(self.ask(bytes([6, kind])))
        assert answer[:3] == bytes([0x60, 6, 1])
        _, offset, crc = struct.unpack("<III", answer[3:])
        return offset, crc


def ready(traits: SecureTraits | None = None) -> Talk:
    talk = Talk(traits)
    assert talk.give_init(secure_init(IMAGE, SAID)) == "600401"
    return talk


@pytest.mark.parametrize(
    ("request_hex", "answer"),
    [
        ("0601", "600601" + "00020000" + 16 * "0"),
        ("0602", "600601" + "00100000" + 16 * "0"),
        ("06", "600603"),
        ("0603", "600607"),
        ("0101", "600103"),
        ("010300000000", "600107"),
        ("010100000000", "600103"),
        ("010101020000", "600104"),  # 513 bytes
        ("010200100000", "600108"),  # no init packet was executed
        ("0200", "600203"),
        ("020A00", "600201"),
        ("03", "600301" + 16 * "0"),
        ("0300", "600303"),
        ("04", "600408"),
        ("0400", "600403"),
        ("05", "600502"),
        ("0C", "600c02"),
        ("", ""),
    ],
)
def test_requests_are_judged(request_hex: str, answer: str) -> None:
    assert Talk().ask(request_hex) == answer


def test_nothing_is_said_to_who_did_not_subscribe() -> None:
    talk = Talk()
    talk.loader.link_opened(0.0)
    talk.loader.subscribed(gatt.PACKET, 0.0)
    assert talk.ask("0601") == ""
    talk.loader.receive_write("other", b"\x04", 0.0)
    assert talk.loader.read_value(gatt.CONTROL_POINT, 0.0) == b""


def test_older_bootloaders_take_smaller_init_packets() -> None:
    talk = Talk(SecureTraits(command_bytes=256))
    assert talk.ask("0601").startswith("60060100010000")
    assert talk.ask("010101010000") == "600104"


BOOTLOADER = replace(SAID, type=2, app_size=0, bl_size=len(IMAGE))
SOFTDEVICE = replace(SAID, type=1, app_size=0, sd_size=len(IMAGE), fw_version=None)
BOTH = replace(SAID, type=3, app_size=0, bl_size=100, sd_size=len(IMAGE) - 100)


@pytest.mark.parametrize(
    ("init", "result"),
    [
        (secure_init(IMAGE, SAID), "01"),
        (secure_init(IMAGE, SAID, signature=None), "01"),
        (secure_init(IMAGE, replace(SAID, softdevices=(0xFFFE,))), "01"),
        (secure_init(IMAGE, BOOTLOADER), "01"),
        (secure_init(IMAGE, SOFTDEVICE), "01"),
        (secure_init(IMAGE, BOTH), "01"),
        (secure_init(IMAGE, replace(SAID, fw_version=1)), "01"),  # the same may be installed again
        (secure_init(IMAGE, replace(SAID, fw_version=0)), "0b05"),
        (secure_init(IMAGE, replace(BOOTLOADER, fw_version=1)), "0b05"),  # must be higher
        (secure_init(IMAGE, replace(BOTH, fw_version=1)), "0b05"),
        (secure_init(IMAGE, replace(SAID, hw_version=51)), "0b06"),
        (secure_init(IMAGE, replace(SAID, softdevices=(0x0101,))), "0b07"),
        (secure_init(IMAGE, replace(SAID, hash_type=2)), "0b09"),
        (secure_init(IMAGE, replace(SAID, app_size=4 * 1024 * 1024 + 1)), "0b0d"),
        (secure_init(IMAGE, replace(SAID, op_code=0)), "0b04"),
        (secure_init(IMAGE, replace(SAID, app_size=0)), "0b04"),
        (secure_init(IMAGE, replace(SAID, type=4)), "0b04"),
        (secure_init(IMAGE, replace(SAID, digest=bytes(31))), "0b04"),
        (secure_init(IMAGE, replace(SAID, fw_version=None)), "0b04"),
        (secure_init(IMAGE, replace(SAID, hw_version=None)), "0b04"),
        (field(1, field(1, 1)), "0b04"),  # an init command without its content
        (b"\x0d\x01\x02\x03\x04", "0b04"),
        (b"\xff" * 20, "0b04"),
    ],
)
def test_init_packets_are_judged(init: bytes, result: str) -> None:
    talk = Talk()
    assert talk.give_init(init) == "6004" + result
    assert talk.flash.application == OLD


def test_softdevices_may_be_written_one_by_one() -> None:
    packed = field(3, b"\x80\x02")
    init = init_command(SAID, IMAGE)
    assert packed in init
    plain = init.replace(packed, field(3, 0x0101) + field(3, 0x0100))
    assert Talk().give_init(field(1, field(1, 1) + field(2, plain))) == "600401"


@pytest.mark.parametrize(
    ("init", "result"),
    [
        (secure_init(IMAGE, replace(SAID), key=KEY), "01"),
        (secure_init(IMAGE, replace(SAID), key=OTHER_KEY), "06"),
        (secure_init(IMAGE, replace(SAID)), "06"),
        (secure_init(IMAGE, replace(SAID), signature=bytes(63)), "06"),
        (secure_init(IMAGE, replace(SAID), signature=None), "0b08"),
        (secure_init(IMAGE, replace(SAID), key=ed25519.Ed25519PrivateKey.generate()), "0b0b"),
    ],
)
def test_a_bootloader_with_a_key_wants_its_signature(init: bytes, result: str) -> None:
    assert Talk(SecureTraits(public_key=KEY.public_key())).give_init(init) == "6004" + result


@pytest.mark.parametrize(
    ("request_hex", "result"),
    [
        ("010200100000", "01"),
        ("010201100000", "03"),  # no whole page, and not the end
        ("010200000000", "03"),
        ("010264100000", "04"),  # all at once, more than a page
        ("010200200000", "04"),
    ],
)
def test_objects_are_pages_of_the_image(request_hex: str, result: str) -> None:
    assert ready().ask(request_hex) == "6001" + result


def test_an_object_beyond_the_image_is_refused() -> None:
    talk = ready()
    assert talk.give_object(IMAGE[:PAGE]) == "600401"
    assert talk.ask("010200100000") == "600108"


def test_sums_are_of_the_whole_image() -> None:
    talk = ready()
    assert talk.give_object(IMAGE[:PAGE]) == "600401"
    assert talk.stand() == (PAGE, binascii.crc32(IMAGE[:PAGE]))
    assert talk.ask("010264000000") == "600101"
    talk.send(IMAGE[PAGE : PAGE + 40])
    assert talk.stand() == (PAGE + 40, binascii.crc32(IMAGE[: PAGE + 40]))
    assert talk.ask("04") == "600408"  # not all of the object is there
    assert talk.ask("010264000000") == "600101"  # created anew: what was open is gone
    assert talk.stand() == (PAGE, binascii.crc32(IMAGE[:PAGE]))


def test_packets_without_room_are_lost() -> None:
    talk = ready()
    talk.send(IMAGE[:20])  # no object is open, and the init packet is whole
    assert talk.stand(1)[0] == len(secure_init(IMAGE, SAID))
    assert talk.ask("010264000000") == "600103"
    talk.ask("010200100000")
    talk.send(IMAGE[:4000])
    talk.send(IMAGE[4000:4100])
    assert talk.stand()[0] == 4000


def test_receipts_come_unasked() -> None:
    talk = ready()
    assert talk.ask("020A00") == "600201"
    talk.ask("010200100000")
    talk.send(IMAGE[:PAGE], 100)
    heard = talk.heard()
    ends = [1000, 2000, 3000, 4000]
    assert heard == [
        bytes.fromhex("600301") + struct.pack("<II", end, binascii.crc32(IMAGE[:end]))
        for end in ends
    ]


def test_a_good_image_starts_and_resets_the_bootloader() -> None:
    talk = ready()
    assert talk.stays()
    assert talk.give_object(IMAGE[:PAGE]) == "600401"
    assert not talk.flash.boots  # the only bank
    assert not talk.drops()
    assert talk.give_object(IMAGE[PAGE:]) == "600401"
    assert talk.drops()
    assert talk.ask("0602") == ""
    talk.loader.link_lost(0.0)
    assert not talk.drops()
    assert not talk.stays()
    assert talk.flash.application == IMAGE
    assert talk.flash.firmware_version == 2
    talk.link()
    assert talk.stays()  # called again
    assert talk.stand(1) == talk.stand(2) == (0, 0)


def test_another_image_than_announced_is_not_taken() -> None:
    talk = ready(SecureTraits(dual_bank=True))
    assert talk.give_object(IMAGE[:PAGE]) == "600401"
    assert talk.give_object(bytes(100)) == "60040b0a"
    assert not talk.drops()
    assert talk.flash.application == OLD
    assert talk.stand() == (0, 0)
    assert talk.give_object(IMAGE[:PAGE]) == "600401"
    assert talk.give_object(IMAGE[PAGE:]) == "600401"
    assert talk.flash.application == IMAGE


def test_a_power_cut_leaves_what_was_executed() -> None:
    talk = ready()
    talk.give_object(IMAGE[:PAGE])
    talk.ask("010264000000")
    talk.send(IMAGE[PAGE : PAGE + 60])
    talk.loader.restart(0.0)
    assert talk.stays()  # there is nothing to start
    talk.link()
    assert talk.stand() == (PAGE, binascii.crc32(IMAGE[:PAGE]))
    assert talk.ask("010264000000") == "600108"  # first the init packet again
    assert talk.stand(1)[0] == len(secure_init(IMAGE, SAID))
    assert talk.ask("04") == "600401"
    assert talk.give_object(IMAGE[PAGE:]) == "600401"
    assert talk.flash.application == IMAGE


def test_a_second_bank_keeps_the_old_application() -> None:
    talk = ready(SecureTraits(dual_bank=True))
    talk.give_object(IMAGE[:PAGE])
    talk.loader.link_lost(0.0)
    assert talk.stays()
    talk.loader.restart(0.0)
    assert not talk.stays()
    assert talk.flash.application == OLD


@pytest.mark.parametrize(("silent_s", "left_bytes"), [(60.0, 40), (121.0, 0)])
def test_a_long_silence_is_a_reset(silent_s: float, left_bytes: int) -> None:
    talk = ready()
    talk.ask("010200100000")
    talk.send(IMAGE[:40])
    talk.loader.link_lost(0.0)
    talk.link(silent_s)
    assert talk.stand()[0] == left_bytes


def test_a_new_init_packet_begins_anew() -> None:
    talk = ready()
    talk.give_object(IMAGE[:PAGE])
    assert talk.give_init(secure_init(IMAGE, SAID)) == "600401"
    assert talk.stand() == (0, 0)


@pytest.mark.parametrize(
    ("said", "boots", "next_bootloader"),
    [(BOOTLOADER, True, "0b05"), (BOTH, False, "0b05"), (SOFTDEVICE, False, "01")],
)
def test_after_other_parts_the_bootloader_stays(
    said: InitFields, boots: bool, next_bootloader: str
) -> None:
    talk = Talk(SecureTraits(dual_bank=True))
    assert talk.give_init(secure_init(IMAGE, said)) == "600401"
    talk.give_object(IMAGE[:PAGE])
    assert talk.give_object(IMAGE[PAGE:]) == "600401"
    assert talk.drops()
    talk.loader.link_lost(0.0)
    assert talk.stays()
    assert talk.flash.boots is boots
    assert f"installed {len(IMAGE)} bytes of kind {said.type}" in talk.flash.log
    talk.link()
    assert talk.give_init(secure_init(IMAGE, BOOTLOADER)) == "6004" + next_bootloader


def test_a_softdevice_into_the_only_bank_erases_once() -> None:
    talk = Talk()
    talk.give_init(secure_init(IMAGE, SOFTDEVICE))
    talk.give_object(IMAGE[:PAGE])
    talk.give_object(IMAGE[PAGE:])
    assert talk.flash.log == ["erased", f"installed {len(IMAGE)} bytes of kind 1"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([gatt.CONTROL_POINT, gatt.PACKET]),
            st.binary(max_size=8)
            | st.builds(
                lambda op, kind, size: bytes([op, kind]) + struct.pack("<I", size),
                st.sampled_from([1, 6, 2, 3, 4]),
                st.integers(0, 3),
                st.sampled_from([0, 1, 8, 4096, 0xFFFFFFFF]),
            ),
        ),
        max_size=40,
    )
)
def test_noise_installs_nothing(writes: list[tuple[str, bytes]]) -> None:
    talk = ready(SecureTraits(dual_bank=True))
    for uuid, data in writes:
        talk.loader.receive_write(uuid, data, 0.0)
        assert all(answer[0] == 0x60 and len(answer) >= 3 for answer in talk.heard())
    assert talk.flash.application == OLD
    assert not talk.drops()
