"""Files to an IDO watch, against the virtual one and against ones that misbehave."""

import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.events import (
    DialRemoved,
    DialShown,
    DialsRead,
    Event,
    JobDone,
    JobFailed,
    UploadActivated,
    UploadProgress,
    UploadStarted,
    UploadVerified,
    WatchInfo,
)
from firmware_protocol.families.ido import FAMILY, gatt
from firmware_protocol.families.ido.framing import ClassicFrame
from firmware_protocol.families.ido.messages import decode_frame
from firmware_protocol.families.ido.update_path import PATHS
from firmware_protocol.families.ido.watch.session import IdoWatchSession
from firmware_protocol.family import CapturedPacket, Write
from firmware_protocol.images import ImagePart
from firmware_protocol.jobs import (
    EnterLoader,
    Identify,
    InstallImage,
    ReadDials,
    RemoveDial,
    SendFile,
    ShowDial,
)
from firmware_protocol.session import CompanionSession
from tests.firmware_protocol.conftest import A200, Rig, ScriptedWatch
from tests.firmware_protocol.ido_uploads import (
    PACKET_BYTES,
    WINDOW_BYTES,
    dial,
    firmware,
    packed,
    watch,
)

Captured = Callable[[str], list[CapturedPacket]]
UPLOAD = "a200_dial_upload_then_sync.txt"
FAST, SLOW = "033501", "033502"
OTHER = b"\x08\xee\x00"  # of the older history
OPENED, SET, ENDED = b"\xd1\x01\x00", b"\xd1\x05\x00", b"\xd1\x03\x00"


def send(rig: Rig, data: bytes, name: str = ".fw", compression: str = "none") -> list[Event]:
    return rig.run(SendFile(name, data, compression))


def failure(events: list[Event]) -> tuple[str, str]:
    failed = events[-1]
    assert isinstance(failed, JobFailed)
    assert not [event for event in events if isinstance(event, UploadVerified | UploadActivated)]
    return failed.kind, failed.reason


def frames(written: list[bytes], head: bytes) -> list[bytes]:
    return [data for data in written if data.startswith(head)]


def listening(rig: Rig) -> list[bytes]:
    """All that the watch says from now on."""
    heard: list[bytes] = []

    def drops_nothing(_: int, told: bytes) -> bool:
        heard.append(told)
        return False

    rig.drop = drops_nothing
    return heard


# ---- the captured upload


@pytest.fixture
def upload(captured: Captured) -> list[CapturedPacket]:
    return [packet for packet in captured(UPLOAD) if packet.data[:1] == b"\xd1"]


def fields(packet: CapturedPacket) -> tuple[str, dict[str, Any]]:
    message = decode_frame(ClassicFrame(packet.data), packet.direction)
    assert message.unknown_bytes == 0
    return message.name.removeprefix("ido.transfer."), dict(message.fields)


def test_the_captured_upload_decodes_whole(upload: list[CapturedPacket]) -> None:
    """The announced size, all running sums and the final one agree with the bytes."""
    content, packets, receipts, announced = bytearray(), 0, 0, 0
    for packet in upload:
        name, told = fields(packet)
        if name == "open":
            announced = told["size_bytes"]
            assert told["file_name"] == "witch2.iwf.lz"
            assert (told["type"], told["compression"]) == ("by_name", "fastlz")
        elif name == "interval":
            assert told["packets"] == 10
        elif name == "data":
            content += bytes.fromhex(told["content"])
            packets += 1
        elif name == "data.reply":
            receipts += 1
            assert packets == 10 * receipts
            assert told == {"status": "ok", "sum": sum(content), "received_bytes": len(content)}
        elif name == "end":
            assert told["sum"] == sum(content)
        else:
            assert told["status"] == "ok"
    assert (len(content), packets, receipts) == (announced, 402, 40)
    assert announced == 53_802


def test_we_send_the_captured_file_as_the_vendors_app_did(upload: list[CapturedPacket]) -> None:
    """Byte by byte, and the virtual watch answers as the captured one."""
    data = b"".join(p.data[3:] for p in upload if p.data[:2] == b"\xd1\x02" and p.direction == "TX")
    session = watch()
    rig = Rig(session, link_write_bytes=137).identified()
    del rig.written[:]
    heard = listening(rig)
    events = send(rig, data, "witch2.iwf.lz", "fastlz")
    assert isinstance(events[-1], JobDone)
    ours = [packet.data for packet in upload if packet.direction == "TX"]
    theirs = [packet.data for packet in upload if packet.direction == "RX"]
    assert frames(rig.written, b"\xd1") == ours
    lengths = {1: 3, 2: 11, 3: 3, 5: 3}  # the log fills up to 20
    assert frames(heard, b"\xd1") == [reply[: lengths[reply[1]]] for reply in theirs]
    others = [data.hex() for data in rig.written if data[0] != 0xD1]
    assert others == [FAST.ljust(24, "0"), "02f0", SLOW.ljust(24, "0")]
    assert session._state.dials.shown == "witch2.iwf"


# ---- the transfer


@pytest.mark.parametrize(
    "size",
    [
        *(9, PACKET_BYTES - 1, PACKET_BYTES, PACKET_BYTES + 1),
        *(WINDOW_BYTES - PACKET_BYTES, WINDOW_BYTES - 1, WINDOW_BYTES, WINDOW_BYTES + 1),
        *(2 * WINDOW_BYTES - 1, 2 * WINDOW_BYTES, 2 * WINDOW_BYTES + 1, 70_000),
    ],
)
def test_files_of_any_size_arrive(size: int) -> None:
    data, session = firmware(size), watch()
    events = send(Rig(session, link_write_bytes=137).identified(), data)
    assert session.installed == data
    assert isinstance(events[0], UploadStarted)
    assert events[0] == UploadStarted(".fw", size, 0)
    assert events[-3:-1] == [UploadVerified(".fw"), UploadActivated(".fw")]
    progress = [event for event in events if isinstance(event, UploadProgress)]
    assert [event.acknowledged_bytes for event in progress] == [
        min(size, at + WINDOW_BYTES) for at in range(0, size, WINDOW_BYTES)
    ]
    assert progress[-1] == UploadProgress(".fw", size, size, size, 0)


def test_packets_go_without_response_and_no_larger_than_agreed() -> None:
    for link_bytes, size in ((137, 137), (60, 60), (23, 23), (512, 137)):
        session = CompanionSession(FAMILY.open_dialect(link_bytes))
        virtual = watch()
        virtual.link_opened(0.0)
        for uuid in FAMILY.gatt.notify_uuids:
            virtual.subscribed(uuid, 0.0)
        session.link_opened()
        written: list[Write] = []
        for job in (Identify(), SendFile(".fw", firmware(5000))):
            events = session.start(job, 0.0)
            while not any(isinstance(event, JobDone | JobFailed) for event in events):
                for output in session.data_to_send():
                    assert isinstance(output, Write)
                    written.append(output)
                    virtual.receive_write(output.uuid, output.data, 0.0)
                events = []
                for uuid, data in virtual.data_to_send():
                    events += session.receive_data(uuid, data, 0.0)
        assert virtual.installed is not None
        sent = [each for each in written if each.data[0] == 0xD1]
        assert {(each.uuid, each.with_response) for each in sent} == {(gatt.COMMAND_WRITE, False)}
        assert max(len(each.data) for each in sent) == size
        assert all(each.with_response for each in written if each.data[0] != 0xD1)


def test_a_firmware_goes_under_the_compression_that_the_vendor_names() -> None:
    rig = Rig(watch(), link_write_bytes=137).identified()
    send(rig, firmware(50))
    assert frames(rig.written, b"\xd1\x01") == [
        b"\xd1\x01\xff" + struct.pack("<IB", 50, 2) + b".fw"
    ]
    assert rig.written[-1][:2] == b"\xd1\x03", "it goes down: nothing is said after the end"


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (SendFile(".fw", b""), "empty"),
        (SendFile("", b"x"), "1 to 129"),
        (SendFile("n" * 130, b"x"), "1 to 129"),
        (SendFile("n\n", b"x"), "plain"),
        (SendFile("\u00e4", b"x"), "plain"),
        (SendFile("a.iwf.lz", b"x", "lzma"), "no compression lzma"),
    ],
)
def test_what_the_wire_has_no_words_for_is_not_sent(job: SendFile, words: str) -> None:
    rig = Rig(watch(), link_write_bytes=137).identified()
    del rig.written[:]
    kind, reason = failure(rig.run(job))
    assert kind == "invalid"
    assert words in reason
    assert rig.written == []


def test_a_file_larger_than_its_size_field_is_not_sent() -> None:
    class Huge(bytes):
        def __len__(self) -> int:
            return 1 << 32

    rig = Rig(watch(), link_write_bytes=137).identified()
    assert failure(rig.run(SendFile(".fw", Huge(b"x")))) == (
        "invalid",
        "the file is too large for this wire",
    )


# ---- refusals


def scripted(**answers: Any) -> tuple[Rig, ScriptedWatch]:
    """A watch that takes files by script; keys are what a frame begins with, after `x`."""
    usual = {"0335": [b"\x03\x35\x02\x00"], "D101": [OPENED], "D105": [SET]}
    session = ScriptedWatch(A200 | usual | {name[1:]: told for name, told in answers.items()})
    rig = Rig(session, link_write_bytes=137).identified()
    del rig.written[:]
    return rig, session


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (4, "the watch has no memory left"),
        (15, "the watch forbids it"),
        (21, "there is not enough room on the watch"),
        (22, "the watch's battery is low"),
        (23, "the watch does not take that file name"),
        (28, "a call is under way on the watch"),
        (99, "the watch gave the unknown code 99"),
    ],
)
def test_codes_are_told_in_words(status: int, words: str) -> None:
    for place in ("xD101", "xD105", "xD103"):
        rig, _ = scripted(**{place: [bytes.fromhex(place[1:]) + bytes((status,))]})
        assert failure(send(rig, b"short")) == ("refused", words)
        assert rig.written[-1].hex() == SLOW.ljust(24, "0")
        opens = frames(rig.written, b"\xd1\x01")
        assert len(opens) == 1, "an answer that is no accident is taken at its word"
    rig, _ = scripted(xD102=[b"\xd1\x02" + struct.pack("<BII", status, 0, 0)])
    assert failure(send(rig, bytes(WINDOW_BYTES))) == ("refused", words)


def test_an_answer_without_a_status_is_none() -> None:
    rig, _ = scripted(xD101=[b"\xd1\x01"])
    assert failure(send(rig, b"short")) == ("refused", "the watch gave the unknown code None")
    rig, _ = scripted(xD103=[b"\xd1\x03"])
    assert failure(send(rig, b"short"))[0] == "silent"


@pytest.mark.parametrize("speed", [[], [b"\x03\x35\x02\x07"], [b"\x03\x35\x02\x0f"]])
def test_whether_the_link_gets_fast_does_not_matter(speed: list[bytes]) -> None:
    rig, _ = scripted(x0335=speed, x02F0=[], xD103=[ENDED])
    assert isinstance(send(rig, b"short")[-1], JobDone)


@pytest.mark.parametrize("left_out", ["xD101", "xD105", "xD102", "xD103"])
def test_silence_ends_in_bounded_time(left_out: str) -> None:
    rig, _ = scripted(**({"xD103": [ENDED]} | {left_out: []}))
    data = bytes(WINDOW_BYTES if left_out == "xD102" else 5)
    assert failure(send(rig, data, "a.iwf.lz", "fastlz"))[0] == "silent"
    assert rig.now_s < 120
    assert len(frames(rig.written, b"\xd1\x01")) == (
        4 if left_out in ("xD102", "xD103") else 2 if left_out == "xD101" else 1
    )


def test_the_end_of_a_firmware_is_said_once() -> None:
    """A watch that went down with its new firmware must not get it again from us unasked."""
    rig, _ = scripted(xD103=[])
    kind, reason = failure(send(rig, b"short"))
    assert (kind, reason) == ("silent", "the watch did not answer to the end of the file")
    assert len(frames(rig.written, b"\xd1\x01")) == 1


class Receiver(ScriptedWatch):
    """Takes D1 as a watch does, but `spoil` may change each receipt, by its number."""

    def __init__(self, spoil: Callable[[int, bytes], list[bytes]]) -> None:
        super().__init__(A200 | {"0335": [b"\x03\x35\x02\x00"]})
        self.spoil = spoil
        self.receipts = 0
        self.ends: list[bool] = []
        self._got = bytearray()
        self._packets = 0

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        match data[:2]:
            case b"\xd1\x01":
                self._got, self._packets = bytearray(), 0
                self.say(OPENED)
            case b"\xd1\x05":
                self.say(SET)
            case b"\xd1\x02":
                self._got += data[3:]
                self._packets += 1
                if not self._packets % 10:
                    receipt = struct.pack("<HBII", 0x02D1, 0, sum(self._got), len(self._got))
                    for told in self.spoil(self.receipts, receipt):
                        self.say(told)
                    self.receipts += 1
            case b"\xd1\x03":
                self.ends.append(int.from_bytes(data[2:], "little") == sum(self._got))
                self.say(OTHER)
                self.say(ENDED)
            case _:
                super().receive_write(uuid, data, now_s)


def flipped(receipt: bytes) -> bytes:
    return receipt[:3] + bytes((receipt[3] ^ 1,)) + receipt[4:]


def receiving(spoil: Callable[[int, bytes], list[bytes]]) -> tuple[Rig, Receiver]:
    session = Receiver(spoil)
    return Rig(session, link_write_bytes=137).identified(), session


def test_a_wrong_sum_begins_the_file_anew() -> None:
    rig, session = receiving(lambda number, told: [flipped(told) if number == 1 else told])
    size = 3 * WINDOW_BYTES
    events = send(rig, bytes(range(256)) * 15 + bytes(size - 3840))
    assert isinstance(events[-1], JobDone)
    starts = [index for index, event in enumerate(events) if isinstance(event, UploadStarted)]
    assert len(starts) == 2
    last = [event for event in events if isinstance(event, UploadProgress)][-1]
    # two windows of the broken transfer were sent, and count once each
    assert last == UploadProgress(".fw", size, size, size + 2 * WINDOW_BYTES, 2 * WINDOW_BYTES)
    assert session.ends == [True]


@pytest.mark.parametrize("status", [8, 9, 11])
def test_a_transfer_that_the_watch_lost_begins_anew(status: int) -> None:
    """09 and 0B were seen live when a broken transfer went on."""

    def lose(number: int, told: bytes) -> list[bytes]:
        refused = b"\xd1\x02" + struct.pack("<BII", status, 0, 0)
        return [refused] * 10 if not number else [told]

    rig, session = receiving(lose)
    assert isinstance(send(rig, bytes(3 * WINDOW_BYTES + 9))[-1], JobDone)
    assert session.ends == [True]


def test_three_times_anew_is_enough() -> None:
    rig, session = receiving(lambda _, told: [flipped(told)])
    kind, reason = failure(send(rig, bytes(2 * WINDOW_BYTES)))
    assert (kind, reason) == ("refused", "the watch got other bytes than were sent")
    assert len(frames(rig.written, b"\xd1\x01")) == 4
    assert session.ends == []


def test_stale_receipts_never_count() -> None:
    """Said again, said for another transfer, or cut: only the one of just these bytes counts."""
    earlier: list[bytes] = []

    def repeat(_: int, told: bytes) -> list[bytes]:
        stale = [OTHER, *earlier, b"\xd1\x02\x00", b"\xd1\x02", b"\xd1\x03", OPENED, SET]
        earlier.append(told)
        return [*stale, told, told]

    rig, session = receiving(repeat)
    size = 5 * WINDOW_BYTES + 200
    events = send(rig, bytes(at & 0xFF for at in range(size)))
    assert isinstance(events[-1], JobDone)
    progress = [event for event in events if isinstance(event, UploadProgress)]
    assert progress[-1].repeated_bytes == 0
    assert session.ends == [True]

    rig, session = receiving(lambda number, told: [told] if number < 2 else earlier[:2])
    assert failure(send(rig, bytes(at & 0xFF for at in range(size))))[0] == "silent"
    assert session.ends == []


def test_a_second_upload_that_is_never_acknowledged_is_a_failure() -> None:
    """The answers of the first one are all there; none of them is taken for the second."""
    session = watch()
    rig = Rig(session, link_write_bytes=137).identified()
    heard = listening(rig)
    first, second = packed(dial()), packed(dial(shade=200))
    assert isinstance(send(rig, first, "a.iwf.lz", "fastlz")[-1], JobDone)
    kept = dict(session._state.dials.loaded)
    for told in frames(heard, b"\xd1"):  # they come once more, late
        session._due.append((gatt.COMMAND_NOTIFY, told))
    rig.drop = lambda _, told: told[:2] in (b"\xd1\x02", b"\xd1\x03")
    assert failure(send(rig, second[:-1], "a.iwf.lz", "fastlz"))[0] == "silent"
    assert session._state.dials.loaded == kept


# ---- a watch that has to make room


def test_room_that_is_put_in_order_is_waited_for() -> None:
    session = watch("fragmented")
    rig = Rig(session, link_write_bytes=137).identified()
    assert isinstance(send(rig, packed(dial()), "a.iwf.lz", "fastlz")[-1], JobDone)
    assert "a.iwf" in session._state.dials.loaded
    opens = [at for at, data in enumerate(rig.written) if data.startswith(b"\xd1\x01")]
    assert len(opens) == 2
    assert rig.written[opens[1] - 1] == bytes.fromhex("0740210000000000").ljust(18, b"\0")
    assert rig.now_s == 0.0, "the watch said when"


def test_a_watch_that_does_not_say_when_is_asked_again() -> None:
    rig, _ = scripted(xD101=[[b"\xd1\x01\x19"], [b"\xd1\x01\x18"], [OPENED]], xD103=[ENDED])
    assert isinstance(send(rig, b"short")[-1], JobDone)
    assert rig.now_s == pytest.approx(120)


def test_a_watch_that_never_has_room_is_given_up() -> None:
    rig, _ = scripted(xD101=[b"\xd1\x01\x18"])
    assert failure(send(rig, b"short")) == ("refused", "the watch's free room is in pieces")
    assert rig.now_s == pytest.approx(180)
    assert len(frames(rig.written, b"\xd1\x01")) == 4


# ---- dials


def told(events: list[Event]) -> Event:
    assert isinstance(events[-1], JobDone), events[-1]
    return events[-2]


def test_dials_are_read_shown_and_removed() -> None:
    rig = Rig(watch(), link_write_bytes=137).identified()
    builtin = ("local_1", "local_2", "local_3")
    first = DialsRead(
        builtin, "local_1", frozenset(builtin), 1, 284 * 1024, 120, 240, 1024, "rgb565a"
    )
    assert told(rig.run(ReadDials())) == first
    send(rig, packed(dial()), "a.iwf.lz", "fastlz")
    read = told(rig.run(ReadDials()))
    assert isinstance(read, DialsRead)
    assert (read.dials, read.shown, read.free) == ((*builtin, "a.iwf"), "a.iwf", 0)
    assert read.builtin == frozenset(builtin)
    assert told(rig.run(ShowDial("local_3"))) == DialShown("local_3")
    assert told(rig.run(RemoveDial("a.iwf"))) == DialRemoved("a.iwf")
    assert failure(rig.run(ShowDial("a.iwf"))) == (
        "refused",
        "the watch does not know that name",
    )
    assert failure(rig.run(RemoveDial("a.iwf")))[0] == "refused"
    del rig.written[:]
    assert "came with this dial" in failure(rig.run(RemoveDial("local_1")))[1]
    for name in ("n" * 31, "\u00e4", "a\0"):
        assert failure(rig.run(ShowDial(name)))[0] == "invalid"
    assert rig.written == []


LIST = bytes.fromhex("01030001001c01") + b"".join(
    b"\1\7\0\0\0" + name for name in (b"local_1", b"local_2", b"local_3")
)
SHOWN = bytes(2) + b"local_2".ljust(30, b"\0")


def test_a_watch_without_a_screen_still_has_dials(open_rig: Callable[..., Rig]) -> None:
    session = ScriptedWatch(A200 | {"0006": [LIST], "0008": [SHOWN]})
    read = told(open_rig(session).identified().run(ReadDials()))
    assert isinstance(read, DialsRead)
    assert (read.shown, read.width_px, read.block_bytes, read.colour) == ("local_2", *[None] * 3)
    session.answers[b"\0\x07"] = [bytes(10) + struct.pack("<HHBHH", 0, 240, 0x22, 0, 0)]
    read = told(open_rig(session).identified().run(ReadDials()))
    assert isinstance(read, DialsRead)
    assert (read.width_px, read.height_px, read.block_bytes, read.colour) == (None, 240, None, None)


@pytest.mark.parametrize("answer", [LIST[:-8], LIST[:7], LIST[:5], b"", b"\1\4" + LIST[2:]])
def test_a_list_that_is_cut_is_malformed(open_rig: Callable[..., Rig], answer: bytes) -> None:
    session = ScriptedWatch(A200 | {"0006": [answer], "0008": [SHOWN]})
    assert failure(open_rig(session).identified().run(ReadDials()))[0] == "malformed"


def test_a_watch_that_shows_another_dial_has_refused(open_rig: Callable[..., Rig]) -> None:
    other = b"\0\1" + b"local_2".ljust(30, b"\0")
    rig = open_rig(ScriptedWatch(A200 | {"0008": [SHOWN, other]})).identified()
    assert failure(rig.run(ShowDial("local_1"))) == ("refused", "it shows another dial")
    rig = open_rig(ScriptedWatch(A200)).identified()
    assert failure(rig.run(ShowDial("local_1")))[0] == "silent"


# ---- the way of firmware


def info(platform: int | None) -> WatchInfo:
    return WatchInfo("ido", "x", facts=None if platform is None else {"platform": platform})


@pytest.mark.parametrize(
    ("platform", "transports", "enters", "words"),
    [
        (0, ("nordic-secure", "nordic-legacy"), True, ""),
        (1, ("smp",), False, ""),
        (10, ("realtek",), True, ""),
        (20, (), False, "Cypress"),
        *((number, ("ido-d1",), False, "") for number in (30, 40, 50, 80, 90)),
        (60, (), False, "Telink"),
        (70, (), False, "Freqchip"),
        (97, (), False, "BES"),
        (98, (), False, "SiFli"),
        (99, (), False, "SiFli"),
        (77, (), False, "platform 77"),
        (None, (), False, "does not say"),
    ],
)
def test_the_platform_decides_how_firmware_gets_in(
    platform: int | None, transports: tuple[str, ...], enters: bool, words: str
) -> None:
    path = FAMILY.update_path(info(platform))
    assert (path.transports, path.enters_loader) == (transports, enters)
    assert words in path.refusal
    assert bool(path.refusal) is not bool(path.transports)
    assert path.file_name == (".fw" if transports == ("ido-d1",) else "")


def test_a_nordic_watch_is_sent_to_its_loader() -> None:
    session = watch(platform=0)
    rig = Rig(session).identified()
    assert isinstance(rig.run(EnterLoader())[-1], JobDone)
    assert (session.wants_loader, session.link_must_drop) == (True, True)


def test_a_realtek_watch_is_told_which_model_the_image_is_for() -> None:
    rig = Rig(watch(platform=10)).identified()
    assert isinstance(rig.run(EnterLoader())[-1], JobDone)
    assert rig.written[-1] == bytes.fromhex("0103140200")
    assert failure(rig.run(EnterLoader(0x1F6A))) == ("refused", "the image is for another model")
    low = Rig(watch(platform=10, battery_pct=20)).identified()
    assert "battery" in failure(low.run(EnterLoader()))[1]


@pytest.mark.parametrize("platform", [number for number in PATHS if number not in (0, 10)])
def test_a_watch_without_a_loader_is_left_alone(platform: int) -> None:
    rig = Rig(watch(platform=platform)).identified()
    del rig.written[:]
    assert failure(rig.run(EnterLoader()))[0] == "unsupported"
    assert rig.written == []


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ([b"\1\1\1"], "refused", "battery"),
        ([b"\1\1\2"], "unsupported", "no update mode"),
        ([b"\1\1\3"], "refused", "parameter"),
        ([b"\1\1\x4d"], "refused", "code 77"),
        ([], "silent", "update mode"),
    ],
)
def test_what_a_watch_says_to_an_update(answer: list[bytes], kind: str, words: str) -> None:
    who = [A200["0201"][0][:12] + b"\0" + A200["0201"][0][13:]]
    rig = Rig(ScriptedWatch(A200 | {"0201": who, "0101": answer})).identified()
    failed = failure(rig.run(EnterLoader()))
    assert failed[0] == kind
    assert words in failed[1]
    assert frames(rig.written, b"\1\1") == [b"\1\1"], "it is said once"


def test_a_job_of_loaders_is_none_of_an_application() -> None:
    rig = Rig(watch()).identified()
    part = ImagePart("a", "application", b"x")
    assert failure(rig.run(InstallImage(part)))[0] == "unsupported"


# ---- anything may go wrong on the way


class Wire:
    """One watch and one who sends it a file, link after link; faults are chosen by their places."""

    def __init__(self, session: IdoWatchSession, faults: dict[int, str]) -> None:
        self.session = session
        self.faults = faults
        self.count = 0
        self.now_s = 0.0
        self.held: list[tuple[str, bytes]] = []

    def run(self, job: SendFile) -> Event | None:
        """Its last event; None where the link was lost."""
        companion = CompanionSession(FAMILY.open_dialect(137))
        self.session.link_opened(self.now_s)
        for uuid in FAMILY.gatt.notify_uuids:
            self.session.subscribed(uuid, self.now_s)
        companion.link_opened()
        for each in (Identify(), job):
            ended = self._job(companion, each)
            if not isinstance(ended, JobDone):
                break
        companion.link_lost()
        self.session.link_lost(self.now_s)
        self.held.clear()
        return ended

    def _job(self, companion: CompanionSession, job: Identify | SendFile) -> Event | None:
        pending = companion.start(job, self.now_s)
        for _ in range(1000):
            for event in pending:
                if isinstance(event, JobDone | JobFailed):
                    return event
            if not self._write(companion):
                return None
            pending = []
            come = list(self._notified())
            for uuid, data in come:
                pending += companion.receive_data(uuid, data, self.now_s)
            deadline_s = companion.deadline_s()
            if not come and deadline_s is not None:
                self.now_s = deadline_s
                pending += companion.timed_out(self.now_s)
        raise AssertionError("it does not end")

    def _write(self, companion: CompanionSession) -> bool:
        """Hand over what is due; whether the link is still there."""
        for output in companion.data_to_send():
            assert isinstance(output, Write)
            fault = self._fault()
            if fault == "cut power":
                self.session.restart(self.now_s)
            if fault in ("lose", "cut power"):
                return False
            if fault != "drop":
                self.session.receive_write(output.uuid, output.data, self.now_s)
        return True

    def _notified(self) -> Iterator[tuple[str, bytes]]:
        late, self.held = self.held, []
        for uuid, data in self.session.data_to_send():
            fault = self._fault()
            if fault == "delay":
                self.held.append((uuid, data))
            elif fault == "corrupt":
                middle = len(data) // 2
                yield uuid, data[:middle] + bytes((data[middle] ^ 1,)) + data[middle + 1 :]
            elif fault != "drop":
                yield from [(uuid, data)] * (2 if fault == "duplicate" else 1)
        yield from late

    def _fault(self) -> str:
        self.count += 1
        return self.faults.pop(self.count - 1, "")


KINDS = ("lose", "drop", "duplicate", "corrupt", "delay", "cut power")
DIAL = packed(dial(width=120, height=90))
NAME = "a.iwf.lz"


def check_verdict(wire: Wire, ended: Event | None, data: bytes) -> bool:
    """Whether it arrived; a good end was said only where it did."""
    state = wire.session._state
    arrived = state.dials.loaded.get("a.iwf") == dial(width=120, height=90)
    if isinstance(ended, JobDone):
        assert arrived
    assert set(state.dials.loaded) <= {"a.iwf"}
    assert arrived is bool(state.dials.loaded), "it is there whole or not at all"
    assert data
    return isinstance(ended, JobDone)


def places() -> int:
    wire = Wire(watch(), {})
    assert isinstance(wire.run(SendFile(NAME, DIAL, "fastlz")), JobDone)
    return wire.count


@pytest.mark.parametrize("kind", KINDS)
def test_one_fault_at_every_frame(kind: str) -> None:
    assert len(DIAL) > WINDOW_BYTES
    for place in range(places()):
        wire = Wire(watch(), {place: kind})
        attempts = 0
        while not check_verdict(wire, wire.run(SendFile(NAME, DIAL, "fastlz")), DIAL):
            attempts += 1
            assert attempts == 1, (kind, place)


@given(
    st.dictionaries(st.integers(0, 160), st.sampled_from(KINDS), max_size=12),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_any_faults_end_in_a_true_verdict(faults: dict[int, str], is_firmware: bool) -> None:
    """And once nothing goes wrong any more, the next attempt succeeds."""
    wire = Wire(watch(), dict(faults))
    if not is_firmware:
        check_verdict(wire, wire.run(SendFile(NAME, DIAL, "fastlz")), DIAL)
        wire.faults.clear()
        assert check_verdict(wire, wire.run(SendFile(NAME, DIAL, "fastlz")), DIAL)
        return
    image = firmware(3 * WINDOW_BYTES + 50)
    ended = wire.run(SendFile(".fw", image))
    if isinstance(ended, JobDone):
        assert wire.session.installed == image
    assert wire.session.installed in (None, image)
    wire.faults.clear()
    wire.session.restart(wire.now_s)
    assert isinstance(wire.run(SendFile(".fw", image)), JobDone)
    assert wire.session.installed == image


@given(noise=st.lists(st.binary(min_size=1, max_size=20), max_size=30))
@settings(max_examples=100, deadline=None)
def test_noise_beside_an_upload_brings_no_wrong_verdict(noise: list[bytes]) -> None:
    """What a watch says besides may stop an upload, but makes no bad one good."""
    session = watch()
    rig = Rig(session, link_write_bytes=137).identified()
    session._due += [(gatt.COMMAND_NOTIFY, data) for data in noise]
    ended = rig.run(SendFile(NAME, DIAL, "fastlz"))[-1]
    assert isinstance(ended, JobDone | JobFailed)
    if isinstance(ended, JobDone):
        assert session._state.dials.loaded == {"a.iwf": dial(width=120, height=90)}
