"""Realtek DFU on a bad link, and with a watch that says what it should not (dfu.md 5.6)."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.events import (
    Event,
    FrameIgnored,
    UploadProgress,
    UploadStarted,
)
from firmware_protocol.images import ImagePart
from firmware_protocol.jobs import Identify, InstallImage
from firmware_protocol.transfer import MAX_STALLS
from firmware_protocol.updates.loader import Flash
from firmware_protocol.updates.realtek import gatt
from firmware_protocol.updates.realtek.conversation import MOST_BUSY
from firmware_protocol.updates.realtek.loader import BEE2, RTL87X2G, LoaderTraits, RealtekLoader
from tests.firmware_protocol.realtek_rig import (
    BUFFER_BYTES,
    NOTIFICATION_FAULTS,
    OLD,
    TWO_WINDOWS,
    WRITE_FAULTS,
    Fault,
    LinkLostError,
    Rig,
    bee2_image,
    check_verdict,
    failure,
    image_for,
    install_again,
    new_rig,
    part_of,
    rtl87x2g_image,
)

# ---- a bad link


def frames_of(traits: LoaderTraits, part: ImagePart) -> tuple[int, int]:
    """How many notifications and writes a good upload takes."""
    rig, _ = new_rig(traits)
    rig.install(part)
    return rig.notified, rig.writes


@pytest.mark.parametrize("traits", [BEE2, RTL87X2G, replace(RTL87X2G, keeps_progress=True)])
def test_every_fault_at_every_frame(traits: LoaderTraits) -> None:
    image = image_for(traits, TWO_WINDOWS)
    part = part_of(image)
    notified, writes = frames_of(traits, part)
    every = [Fault(kind, at) for kind in NOTIFICATION_FAULTS for at in range(notified)]
    every += [Fault(kind, at) for kind in WRITE_FAULTS for at in range(writes)]
    for fault in every:
        rig, flash = new_rig(traits, faults=(fault,), seed=fault.at)
        events: list[Event]
        try:
            events = rig.install(part)
        except LinkLostError as lost:
            events = list(lost.args)
            rig.connect()
        if not check_verdict(events, flash, image):
            assert flash.boots
            assert check_verdict(install_again(rig, part), flash, image), fault


FAULTS = st.builds(
    Fault, st.sampled_from((*NOTIFICATION_FAULTS, *WRITE_FAULTS)), st.integers(0, 60)
)


@settings(deadline=None, max_examples=150)
@given(
    traits=st.sampled_from([BEE2, RTL87X2G, replace(BEE2, keeps_progress=True)]),
    faults=st.lists(FAULTS, max_size=6),
    payload_bytes=st.sampled_from([30, 1035, 1036, 1037, 5000]),
    seed=st.integers(0, 1000),
)
def test_after_any_faults_the_verdict_is_true_and_the_image_gets_in(
    traits: LoaderTraits, faults: list[Fault], payload_bytes: int, seed: int
) -> None:
    rig, flash = new_rig(traits, faults=faults, seed=seed)
    image = image_for(traits, payload_bytes)
    part = part_of(image)
    for _ in range(len(faults) + 1):
        try:
            events = rig.install(part)
        except LinkLostError as lost:
            events = list(lost.args)
            rig.connect()
        if check_verdict(events, flash, image):
            return
    raise AssertionError("more failures than faults")


@settings(deadline=None, max_examples=60)
@given(lost_at=st.integers(4, 52))  # from the first packet to validate
def test_what_the_watch_keeps_is_not_sent_again(lost_at: int) -> None:
    traits = replace(RTL87X2G, keeps_progress=True)
    rig, flash = new_rig(traits, faults=(Fault("lose_write", lost_at),))
    image = rtl87x2g_image(9000)
    part = part_of(image)
    with pytest.raises(LinkLostError):
        rig.install(part)
    sent_before = b"".join(rig.packets)
    rig.connect()
    rig.packets.clear()
    started = rig.install(part)[0]
    assert isinstance(started, UploadStarted)
    assert b"".join(rig.packets) == image[started.held_bytes :]
    assert 0 <= len(sent_before) - started.held_bytes <= traits.buffer_bytes
    assert flash.application == image


def test_bee2_begins_again_from_the_start() -> None:
    rig, flash = new_rig(faults=(Fault("lose", 4),))
    image = bee2_image(TWO_WINDOWS)
    with pytest.raises(LinkLostError):
        rig.install(part_of(image))
    rig.connect()
    rig.packets.clear()
    rig.install(part_of(image))
    assert b"".join(rig.packets) == image[12:]
    assert flash.application == image


# ---- acknowledgements that are none


class Talker(RealtekLoader):
    """Answers, and lets a test change or add to what it says."""

    def __init__(self, flash: Flash, said: dict[bytes, list[list[str]]]) -> None:
        super().__init__(flash)
        self._said = {begin: list(turns) for begin, turns in said.items()}

    def data_to_send(self) -> list[tuple[str, bytes]]:
        out: list[tuple[str, bytes]] = []
        for uuid, data in super().data_to_send():
            turns = self._said.get(data[:2])
            if not turns:
                out.append((uuid, data))
                continue
            turn = turns.pop(0) if len(turns) > 1 else turns[0]
            out += [(uuid, data if frame == "=" else bytes.fromhex(frame)) for frame in turn]
        return out


def talk(said: dict[str, list[list[str]]]) -> tuple[Rig, Flash]:
    flash = Flash(OLD, 1)
    return Rig(Talker(flash, {bytes.fromhex(key): turns for key, turns in said.items()})), flash


@pytest.mark.parametrize(
    "frame",
    [
        "10 0A 01 0C000000",  # of nothing at all
        "10 0A 01 10000000",
        "10 0A 01 0D080000",  # a byte too far
        "10 0A 01 FFFFFFFF",
        "10 0A 01",
        "10 0A 05 FFFFFFFF",  # wants what does not exist
        "10 0A 05 00000000",  # from before the beginning
        "10 01 01",
        "10 03 01",
        "10 55 01",
    ],
)
def test_what_does_not_acknowledge_these_very_bytes_is_not_taken(frame: str) -> None:
    rig, flash = talk({"100A": [[frame]]})
    kind, _ = failure(rig.install(part_of(bee2_image(TWO_WINDOWS))))
    assert kind == "silent"
    assert flash.application == OLD
    assert rig.control[-1] == b"\x05"


@pytest.mark.parametrize("number", [1, 3, 6, 9, 10])
def test_repeated_acknowledgements_do_no_harm(number: int) -> None:
    opcode = f"10{number:02X}"
    rig, flash = talk({opcode: [["=", "="]]})
    image = bee2_image(TWO_WINDOWS)
    assert check_verdict(rig.install(part_of(image)), flash, image)


def test_a_second_upload_that_is_never_acknowledged_fails() -> None:
    rig, flash = talk({"100A": [["="], ["="], ["10 0A 01 0C080000", "10 0A 01 14090000"]]})
    first = bee2_image(TWO_WINDOWS)
    rig.run(Identify())
    rig.run(InstallImage(part_of(first), last=False, experimental=True))
    second = bee2_image(3000, version=3)
    events = rig.run(InstallImage(part_of(second), experimental=True))
    assert failure(events)[0] == "silent"  # 0C080000 was true once, of other bytes
    assert flash.application == OLD
    assert flash.log == []


class BadSum(Talker):
    """Finds that the sum of some buffers is wrong, and wants them again."""

    def __init__(self, flash: Flash, wrong: int, status: int = 5) -> None:
        super().__init__(flash, {})
        self._wrong, self._status = wrong, status

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        if uuid == gatt.CONTROL and data[0] == 0x0A and self._wrong:
            self._wrong -= 1
            data = data[:3] + bytes((data[3] ^ 1, data[4]))
        super().receive_write(uuid, data, now_s)

    def data_to_send(self) -> list[tuple[str, bytes]]:
        return [
            (uuid, data[:2] + bytes((self._status,)) + data[3:] if data[2] == 5 else data)
            for uuid, data in super().data_to_send()
        ]


@pytest.mark.parametrize("status", [5, 6, 7])
@pytest.mark.parametrize("wrong", [1, MAX_STALLS])
def test_a_buffer_with_a_wrong_sum_is_sent_again(wrong: int, status: int) -> None:
    flash = Flash(OLD, 1)
    rig = Rig(BadSum(flash, wrong, status))
    image = bee2_image(TWO_WINDOWS)
    events = rig.install(part_of(image))
    assert check_verdict(events, flash, image)
    progress = [event for event in events if isinstance(event, UploadProgress)]
    assert progress[-1].repeated_bytes == wrong * BUFFER_BYTES


def test_a_buffer_is_sent_again_three_times_and_no_more() -> None:
    flash = Flash(OLD, 1)
    rig = Rig(BadSum(flash, 99))
    kind, reason = failure(rig.install(part_of(bee2_image(TWO_WINDOWS))))
    assert (kind, "past byte 12" in reason) == ("refused", True)
    assert [told[0] for told in rig.control].count(0x0A) == 1 + MAX_STALLS
    assert rig.control[-1] == b"\x05"
    assert flash.application == OLD


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"1001": [["10 01 04"]]}, "the image is too large"),
        ({"1001": [["10 01 05"]]}, "checksum error"),
        ({"1001": [["10 01 33"]]}, "status 33"),
        ({"1006": [["10 06 FF"]]}, "unknown command"),
        ({"100A": [["10 0A 08 0C000000"]]}, "could not be erased"),
        ({"100A": [["10 0A 05"]]}, "checksum error"),
        ({"1003": [["10 03 05"]]}, "checksum error"),
        ({"1003": [["10 03 09"]]}, "version does not fit"),
    ],
)
def test_a_refusal_is_told_in_words_and_nothing_is_activated(
    said: dict[str, list[list[str]]], reason: str
) -> None:
    rig, flash = talk(said)
    kind, told = failure(rig.install(part_of(bee2_image(64))))
    assert (kind, reason in told) == ("refused", True)
    assert flash.application == OLD
    assert b"\x04" not in rig.control
    assert (rig.control[-1] == b"\x05") == ("1006" not in said)


@pytest.mark.parametrize("opcode", ["1001", "1003", "1006", "100A"])
def test_silence_ends_in_bounded_time(opcode: str) -> None:
    rig, flash = talk({opcode: [[]]})
    assert failure(rig.install(part_of(bee2_image(64))))[0] == "silent"
    assert rig.now_s <= 10.0
    assert flash.application == OLD


def test_a_resume_beyond_the_end_makes_no_sense() -> None:
    rig, flash = talk({"1006": [["10 06 01 00000000 FFFFFF00"]]})
    assert failure(rig.install(part_of(bee2_image(64))))[0] == "malformed"
    assert flash.application == OLD


# ---- a busy watch


def test_a_busy_watch_is_waited_for() -> None:
    rig, flash = talk({"1003": [["08 01", "08 00", "="]], "100A": [["08 01", "="]]})
    image = bee2_image(TWO_WINDOWS)
    assert check_verdict(rig.install(part_of(image)), flash, image)


def test_a_watch_that_is_busy_for_ever_is_not() -> None:
    rig, flash = talk({"1003": [["08 01"] * (MOST_BUSY + 1)]})
    events = rig.install(part_of(bee2_image(64)))
    assert failure(events) == ("refused", "the watch stays busy")
    assert flash.application == OLD


class BusyInPlainMode(RealtekLoader):
    """Is busy after the second packet, and says so when it is no longer."""

    def __init__(self, flash: Flash, *, ends: bool) -> None:
        super().__init__(flash, replace(BEE2, buffer_check=False))
        self._packets = 0
        self._ends = ends
        self._says: list[bytes] = []

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        super().receive_write(uuid, data, now_s)
        self._packets += uuid == gatt.DATA
        if self._packets == 2 and uuid == gatt.DATA:
            self._says = [b"\x08\x01", *([b"\x08\x00"] if self._ends else [])]

    def data_to_send(self) -> list[tuple[str, bytes]]:
        says, self._says = self._says, []
        return super().data_to_send() + [(gatt.CONTROL, data) for data in says]


@pytest.mark.parametrize("ends", [True, False])
def test_a_busy_watch_stops_the_packets(ends: bool) -> None:
    flash = Flash(OLD, 1)
    rig = Rig(BusyInPlainMode(flash, ends=ends))
    image = bee2_image(64)
    events = rig.install(part_of(image))
    assert check_verdict(events, flash, image) == ends
    if not ends:
        assert failure(events) == ("refused", "the watch stays busy")
        assert len(rig.packets) == 2


def test_what_comes_unasked_is_ignored() -> None:
    rig, _ = new_rig()
    rig.run(Identify())
    events = rig.session.receive_data(gatt.CONTROL, bytes.fromhex("100301"), rig.now_s)
    events += rig.session.receive_data(gatt.CONTROL, b"noise", rig.now_s)
    assert [type(event) for event in events] == [FrameIgnored, FrameIgnored]
