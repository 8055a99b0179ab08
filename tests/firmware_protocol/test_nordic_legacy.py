"""Legacy DFU: the client against the virtual loader, whatever the link does to them."""

import contextlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.errors import DecodeError
from firmware_protocol.events import (
    Event,
    FrameIgnored,
    Identified,
    JobDone,
    JobFailed,
    UploadActivated,
    UploadProgress,
    UploadStarted,
    UploadVerified,
)
from firmware_protocol.family import Advertisement, Read, Write
from firmware_protocol.images import ImagePart, read_image
from firmware_protocol.jobs import EnterLoader, Identify, InstallImage, Job, ReadImages
from firmware_protocol.session import CompanionSession, SessionState
from firmware_protocol.updates.loader import Flash, firmware_mark
from firmware_protocol.updates.nordic_legacy import TRANSPORT, gatt, messages
from firmware_protocol.updates.nordic_legacy.loader import LegacyLoader, LegacyTraits
from firmware_protocol.watch_session import RequestRefused
from tests.firmware_protocol import image_builders as build

OLD: Final = firmware_mark(1) + b"the old application"
DEVICE_TYPE: Final = LegacyTraits().device_type
ONE_BANK, TWO_BANKS = LegacyTraits(), LegacyTraits(dual_bank=True)
C, P = gatt.CONTROL, gatt.PACKET


def image_of(size: int, version: int = 7) -> bytes:
    """An image that starts, where it is long enough for the mark."""
    return (firmware_mark(version) + bytes(index * 7 & 0xFF for index in range(size)))[:size]


def part_of(image: bytes, form: str = "basic", device_type: int = DEVICE_TYPE) -> ImagePart:
    head = build.legacy_init(image, form=form, device_type=device_type)
    return ImagePart("app.bin", "application", image, head)


class NotedFlash(Flash):
    """Keeps what was installed, also an image that is too short for a mark."""

    installed: bytes | None = None

    def install(self, image: bytes) -> None:
        self.installed = image
        super().install(image)


@dataclass(frozen=True)
class Fault:
    """Something that happens once, at a write (as the loader counts) or a notification."""

    kind: str
    at: int
    bit: int = 0


WRITE_FAULTS = ("lose-write", "cut-power")
NOTICE_FAULTS = ("drop", "duplicate", "reorder", "corrupt", "lose")


class LinkLostError(Exception):
    """The link is gone, and what was under way with it."""


class Rig:
    """A loader, links to it with faults, and a clock that jumps to whatever is waited for."""

    def __init__(self, traits: LegacyTraits = ONE_BANK, faults: Sequence[Fault] = ()) -> None:
        self.flash = NotedFlash(OLD, 1)
        self.loader = LegacyLoader(self.flash, traits)
        self.written: list[tuple[str, bytes]] = []
        self.now_s = 0.0
        self._faults = {(fault.kind in WRITE_FAULTS, fault.at): fault for fault in faults}
        self._notified = 0
        self._held: list[tuple[str, bytes]] = []
        self._up = False

    def install(self, part: ImagePart, *, experimental: bool = False) -> list[Event]:
        """A whole link: identify, upload, and the link is let go."""
        return self.do(InstallImage(part, experimental=experimental))

    def do(self, job: Job) -> list[Event]:
        session = CompanionSession(TRANSPORT.open_dialect(20))
        self.loader.link_opened(self.now_s)
        self.loader.subscribed(C, self.now_s)
        session.link_opened()
        self._up = True
        events: list[Event] = []
        with contextlib.suppress(LinkLostError):
            for each in (Identify(), job):
                for event in self._run(session, each):
                    events.append(event)  # noqa: PERF402  what came before a loss is kept
        if session.state is not SessionState.CLOSED:
            session.link_lost()
        if self._up:
            self.loader.link_lost(self.now_s)
        self._held.clear()
        return events

    def _run(self, session: CompanionSession, job: Job) -> Iterator[Event]:
        yield from session.start(job, self.now_s)
        while session.state is SessionState.ASKING:
            outputs = session.data_to_send()  # none: all is said, and something is awaited
            for output in outputs:
                if isinstance(output, Read):
                    value = self.loader.read_value(output.uuid, self.now_s)
                    yield from session.receive_data(output.uuid, value, self.now_s)
                else:
                    yield from self._write(session, output)
            if not outputs:
                yield from self._wait(session)

    def _wait(self, session: CompanionSession) -> Iterator[Event]:
        """Let the time pass, or hear at last what was held back."""
        if not self._up and not session.awaits_nothing:
            raise LinkLostError
        held, self._held = self._held, []
        for notice in held:
            yield from session.receive_data(*notice, self.now_s)
        deadline_s = session.deadline_s()
        if not held and deadline_s is not None:
            self.now_s = max(self.now_s, deadline_s)
            yield from session.timed_out(self.now_s)

    def _write(self, session: CompanionSession, output: Write) -> Iterator[Event]:
        if not self._up:
            raise LinkLostError
        fault = self._faults.pop((True, len(self.written)), None)
        self.written.append((output.uuid, output.data))
        assert output.with_response is (output.uuid == C)
        if fault is not None:
            self._lose(power=fault.kind == "cut-power")
        self.loader.receive_write(output.uuid, output.data, self.now_s)
        for notice in self.loader.data_to_send():
            for each in self._on_the_air(notice):
                yield from session.receive_data(*each, self.now_s)
        if self.loader.link_must_drop:
            self.loader.link_lost(self.now_s)
            self._up = False

    def _on_the_air(self, notice: tuple[str, bytes]) -> list[tuple[str, bytes]]:
        fault = self._faults.pop((False, self._notified), None)
        self._notified += 1
        uuid, data = notice
        held, self._held = self._held, []
        match fault.kind if fault else "":
            case "drop":
                return held
            case "duplicate":
                return [notice, notice, *held]
            case "corrupt":
                assert fault is not None
                number = int.from_bytes(data, "little") ^ 1 << fault.bit % (8 * len(data))
                return [(uuid, number.to_bytes(len(data), "little")), *held]
            case "reorder":
                self._held = [notice]
                return held
            case "lose":
                self._lose(power=False)
        return [notice, *held]

    def _lose(self, *, power: bool) -> None:
        self._up = False
        if power:
            self.loader.restart(self.now_s)
        else:
            self.loader.link_lost(self.now_s)
        raise LinkLostError


def failure(events: Sequence[Event]) -> tuple[str, str]:
    (found,) = [event for event in events if isinstance(event, JobFailed)]
    assert not [event for event in events if isinstance(event, UploadActivated)]
    return found.kind, found.reason


def judged(rig: Rig, part: ImagePart, events: Sequence[Event]) -> None:
    """The verdict is the truth, and whatever happened a further run ends well."""
    activated = UploadActivated(part.name) in events
    assert activated is (rig.flash.installed == part.data)
    if rig.loader.traits.dual_bank:
        assert rig.flash.boots
    if not activated:
        assert rig.flash.application in (None, OLD)
    again = rig.install(part)
    assert UploadActivated(part.name) in again
    assert (rig.flash.installed, rig.flash.firmware_version) == (part.data, 7)
    assert not rig.loader.stays


# ---- what goes over the wire (dfu.md 12)


def test_worked_examples_of_the_reference() -> None:
    assert messages.START.build({"kind": 4}) == bytes.fromhex("0104")
    sizes = {"softdevice_bytes": 0, "bootloader_bytes": 0, "application_bytes": 409600}
    assert messages.SIZES.build(sizes) == bytes.fromhex("00000000 00000000 00400600")  # 8
    assert messages.decode_control(bytes.fromhex("11C8000000")) == messages.Receipt(200)  # 10
    asked = messages.RECEIPT_REQUEST.build({"packets": 10})
    said = [asked, messages.RECEIVE, messages.VALIDATE, messages.ACTIVATE]
    assert said == [bytes.fromhex(text) for text in ("080A00", "03", "04", "05")]  # 11


def test_the_init_packet_of_the_reference_opens_a_loader_for_it() -> None:
    """Example 9, and the image whose CRC it carries."""
    head = bytes.fromhex("5200 FFFF FFFFFFFF 0100 6400 BD3F")
    part = ImagePart("app.bin", "application", bytes(range(256)), head)
    rig = Rig(LegacyTraits(device_type=0x0052))
    assert UploadActivated("app.bin") in rig.install(part)
    assert rig.flash.installed == bytes(range(256))


ANSWERS: Final = [bytes.fromhex(text) for text in ("", "11", "1001", "1007", "100701", "100702")]


@given(head=st.sampled_from(ANSWERS), tail=st.binary(max_size=8))
def test_noise_is_an_answer_or_is_refused(head: bytes, tail: bytes) -> None:
    data = head + tail
    try:
        told = messages.decode_control(data)
    except DecodeError:
        return
    if isinstance(told, messages.Receipt):
        count = struct.pack("<I", told.received_bytes)
        assert data in (b"\x11" + count, b"\x10\x07\x01" + count)
    else:
        assert data == bytes((0x10, told.op, told.result))


@given(data=st.binary(max_size=4))
def test_a_revision_is_two_bytes_or_nothing(data: bytes) -> None:
    if len(data) not in (0, 2):
        with pytest.raises(DecodeError):
            messages.decode_revision(data)
    else:
        expected = int.from_bytes(data, "little") if data else None
        assert messages.decode_revision(data).revision == expected


def test_noise_on_the_link_ends_nothing() -> None:
    dialect = TRANSPORT.open_dialect(20)
    session = CompanionSession(dialect)
    session.link_opened()
    session.start(Identify(), 0.0)
    for uuid in (C, P, gatt.REVISION):
        (ignored,) = session.receive_data(uuid, b"\x10\x01\x01\x00\x00", 0.0)
        assert isinstance(ignored, FrameIgnored)
    assert session.state is SessionState.ASKING


def test_an_upload_byte_for_byte() -> None:
    image = image_of(225)
    part = part_of(image)
    rig = Rig()
    events = rig.install(part)
    assert rig.written == [
        (C, bytes.fromhex("0104")),
        (P, bytes(8) + struct.pack("<I", 225)),
        (C, bytes.fromhex("0200")),
        (P, part.head),
        (C, bytes.fromhex("0201")),
        (C, bytes.fromhex("080A00")),
        (C, bytes.fromhex("03")),
        *((P, image[at : at + 20]) for at in range(0, 225, 20)),
        (C, bytes.fromhex("04")),
        (C, bytes.fromhex("05")),
    ]
    job = InstallImage(part)
    assert events[2:] == [
        UploadStarted("app.bin", 225, 0),
        UploadProgress("app.bin", 200, 225, 200, 0),
        UploadProgress("app.bin", 225, 225, 225, 0),
        UploadVerified("app.bin"),
        UploadActivated("app.bin"),
        JobDone(job),
    ]
    assert rig.flash.log == ["erased", "installed 225 bytes"]


@pytest.mark.parametrize("form", ["extended_crc16", "extended_sha256", "extended_ecdsa"])
def test_the_extended_init_packets_go_in_packets_of_twenty_bytes(form: str) -> None:
    part = part_of(image_of(300), form)
    rig = Rig()
    assert UploadActivated("app.bin") in rig.install(part)
    begin, end = (rig.written.index((C, bytes((2, step)))) for step in (0, 1))
    sent = [data for _, data in rig.written[begin + 1 : end]]
    assert b"".join(sent) == part.head
    assert {len(data) for data in sent[:-1]} <= {20}
    assert 0 < len(sent[-1]) <= 20


@pytest.mark.parametrize(("kind", "bit", "place"), [("softdevice", 1, 0), ("bootloader", 2, 4)])
def test_other_parts_are_announced_as_such_and_this_loader_refuses_them(
    kind: str, bit: int, place: int
) -> None:
    part = replace(part_of(image_of(100)), kind=kind)
    rig = Rig()
    assert failure(rig.install(part)) == (
        "refused",
        "the loader took the start of the update not: it does not support this",
    )
    (sizes,) = [data for uuid, data in rig.written if uuid == P]
    assert rig.written[0] == (C, bytes((1, bit)))
    assert struct.unpack_from("<I", sizes, place) == (100,)
    assert rig.flash.log == []


# ---- sizes


@pytest.mark.parametrize("traits", [ONE_BANK, TWO_BANKS])
@pytest.mark.parametrize("size", [1, 19, 20, 21, 199, 200, 201, 400, 401, 4096, 4097])
def test_images_at_the_borders_of_packets_and_windows(size: int, traits: LegacyTraits) -> None:
    part = part_of(image_of(size))
    rig = Rig(traits)
    events = rig.install(part)
    assert UploadActivated("app.bin") in events
    assert rig.flash.installed == part.data
    (last,) = [event for event in events if isinstance(event, UploadProgress)][-1:]
    assert (last.acknowledged_bytes, last.sent_bytes, last.repeated_bytes) == (size, size, 0)


@pytest.mark.parametrize(
    ("part", "kind", "reason"),
    [
        (part_of(b""), "invalid", "legacy DFU needs an image and its init packet"),
        (replace(part_of(b"abc"), head=b""), "invalid", "needs an image and its init packet"),
        (replace(part_of(b"abc"), kind="softdevice_bootloader"), "unsupported", "not known"),
    ],
)
def test_a_part_that_has_no_way_is_refused_before_a_byte_is_sent(
    part: ImagePart, kind: str, reason: str
) -> None:
    rig = Rig()
    found = failure(rig.install(part))
    assert (found[0], reason in found[1]) == (kind, True)
    assert rig.written == []


def test_an_image_without_room_leaves_the_old_one() -> None:
    rig = Rig(LegacyTraits(room_bytes=299))
    kind, reason = failure(rig.install(part_of(image_of(300))))
    assert (kind, "larger than its room" in reason) == ("refused", True)
    assert rig.written[-1] == (C, b"\x06")
    assert (rig.flash.application, rig.flash.log) == (OLD, [])


# ---- whatever happens to a link

SHORT = part_of(image_of(450))  # three windows
WRITES, NOTICES = 7 + 23 + 2, 6


def every_fault() -> Iterator[Fault]:
    for at in range(WRITES):
        yield from (Fault(kind, at) for kind in WRITE_FAULTS)
    for at in range(NOTICES):
        yield from (Fault(kind, at) for kind in NOTICE_FAULTS if kind != "corrupt")
        yield from (Fault("corrupt", at, bit) for bit in range(40))


def test_the_short_upload_has_as_many_frames_as_the_faults_are_made_for() -> None:
    rig = Rig()
    rig.install(SHORT)
    assert (len(rig.written), rig._notified) == (WRITES, NOTICES)


@pytest.mark.parametrize("traits", [ONE_BANK, TWO_BANKS], ids=["one bank", "two banks"])
def test_any_one_fault_ends_in_a_true_verdict(traits: LegacyTraits) -> None:
    for fault in every_fault():
        rig = Rig(traits, [fault])
        judged(rig, SHORT, rig.install(SHORT))


@given(data=st.data(), size=st.integers(25, 1000), dual_bank=st.booleans())
def test_any_faults_end_in_a_true_verdict(data: st.DataObject, size: int, dual_bank: bool) -> None:
    part = part_of(image_of(size))
    writes = 9 + -(-size // 20)
    fault = st.one_of(
        st.builds(Fault, st.sampled_from(WRITE_FAULTS), st.integers(0, 2 * writes)),
        st.builds(
            Fault,
            st.sampled_from(NOTICE_FAULTS),
            st.integers(0, size // 100 + 8),
            st.integers(0, 39),
        ),
    )
    faults = data.draw(st.lists(fault, max_size=3))
    rig = Rig(LegacyTraits(dual_bank=dual_bank), faults)
    for _ in range(len(faults)):
        events = rig.install(part)
        assert (UploadActivated("app.bin") in events) is (rig.flash.installed == part.data)
        if rig.flash.installed:
            return
    judged(rig, part, rig.install(part))


@pytest.mark.parametrize("kind", WRITE_FAULTS)
def test_a_half_written_single_bank_does_not_start(kind: str) -> None:
    rig = Rig(faults=[Fault(kind, 15)])
    rig.install(SHORT)
    assert not rig.flash.boots
    assert rig.loader.stays is (kind == "lose-write")  # without an application it stays anyway
    judged(rig, SHORT, [])


@pytest.mark.parametrize("at", [2, 3, 4])
def test_a_receipt_that_is_lost_is_asked_for_and_no_byte_goes_twice(at: int) -> None:
    rig = Rig(faults=[Fault("drop", at)])
    events = rig.install(SHORT)
    assert UploadProgress("app.bin", 450, 450, 450, 0) in events
    assert rig.flash.installed == SHORT.data
    assert rig.written.count((C, b"\x07")) == 1
    assert rig.now_s == 3.0


def test_nothing_is_resumed() -> None:
    rig = Rig(faults=[Fault("lose-write", 25)])
    rig.install(SHORT)
    before = len(rig.written)
    events = rig.install(SHORT)
    assert UploadStarted("app.bin", 450, 0) in events
    assert b"".join(data for uuid, data in rig.written[before:] if uuid == P)[-450:] == SHORT.data


def test_a_loader_left_alone_amid_the_bytes_forgets_them() -> None:
    """4.3: about 10 s without data."""
    loader = LegacyLoader(Flash(OLD, 1))
    loader.link_opened(0.0)
    opened(loader, SHORT)
    loader.receive_write(P, SHORT.data[:20], 9.0)
    assert told(loader, b"\x07") == bytes.fromhex("10070114000000")
    loader.receive_write(P, SHORT.data[20:40], 19.5)
    assert loader.data_to_send() == [(C, bytes.fromhex("100302"))]
    assert told(loader, b"\x07", 19.5) == bytes.fromhex("10070100000000")


# ---- what a loader says


@dataclass
class Script:
    """A peer that answers control writes by their first byte, and windows by their number."""

    session: CompanionSession
    answers: dict[int, list[bytes]]
    windows: list[list[bytes]]
    written: list[bytes]

    @classmethod
    def met(cls, answers: dict[int, list[bytes]], windows: list[list[bytes]]) -> "Script":
        session = CompanionSession(TRANSPORT.open_dialect(20))
        session.link_opened()
        session.start(Identify(), 0.0)
        session.data_to_send()
        session.receive_data(gatt.REVISION, b"\x08\x00", 0.0)
        return cls(session, answers, windows, [])

    def install(self, part: ImagePart, answer_after_s: float = 0.0) -> list[Event]:
        now_s = 0.0
        events = self.session.start(InstallImage(part), now_s)
        windows = iter(self.windows)
        while self.session.state is SessionState.ASKING:
            replies: list[bytes] = []
            outputs = self.session.data_to_send()
            for output in outputs:
                assert isinstance(output, Write)
                self.written.append(output.data)
                if output.uuid == C:
                    replies += self.answers.get(output.data[0], [])
            if outputs and all(isinstance(each, Write) and each.uuid == P for each in outputs):
                replies += next(windows, [])
            for reply in replies:
                events += self.session.receive_data(C, reply, now_s + answer_after_s)
            deadline_s = self.session.deadline_s()
            if deadline_s is not None and not replies:
                now_s = deadline_s
                events += self.session.timed_out(now_s)
        return events


def ok(op: int) -> list[bytes]:
    return [bytes((0x10, op, 0x01))]


def receipt(count: int) -> bytes:
    return struct.pack("<BI", 0x11, count)


GOOD: Final = {0x01: ok(1), 0x02: [], 0x04: ok(4)}


def scripted(
    windows: list[list[bytes]], answers: dict[int, list[bytes]] | None = None
) -> tuple[Script, list[Event]]:
    """The second `02` ends the init packet; a script cannot tell, so one answer for both is late.

    It comes with the first, and the client must not take it before it has sent all: it does not
    wait before.
    """
    script = Script.met({**GOOD, 0x02: ok(2), **(answers or {})}, windows)
    return script, script.install(part_of(image_of(450)))


WINDOWS: Final = [[receipt(200)], [receipt(400)], ok(3)]


def test_the_script_of_a_good_loader_ends_well() -> None:
    script, events = scripted(WINDOWS)
    assert isinstance(events[-1], JobDone)
    assert script.written[-1] == b"\x05"


@pytest.mark.parametrize(
    "windows",
    [
        [[receipt(200), receipt(200)], [receipt(200), receipt(400)], ok(3)],  # said twice, late
        [[receipt(0), receipt(200)], [*ok(1), receipt(400)], [receipt(400), *ok(3)]],
        [[receipt(200)], [receipt(400)], [receipt(450), *ok(3)]],  # a receipt for the last, too
        [[b"\x11\x00", receipt(200)], [b"", receipt(400)], [b"noise", *ok(3)]],
    ],
)
def test_what_is_old_or_noise_neither_counts_nor_harms(windows: list[list[bytes]]) -> None:
    _, events = scripted(windows)
    assert UploadActivated("app.bin") in events


@pytest.mark.parametrize(
    ("windows", "kind", "reason"),
    [
        ([[receipt(180)]], "malformed", "the loader counts 180 bytes, 200 were sent"),
        ([[receipt(220)]], "malformed", "counts 220 bytes"),
        ([[receipt(200)], [receipt(200)]], "silent", "did not answer to the bytes up to 400"),
        ([ok(3)], "malformed", "the loader counts 450 bytes, 200 were sent"),
        ([[receipt(200)], [receipt(400)], [receipt(450)]], "silent", "up to 450"),
        ([[bytes((0x10, 3, 6))]], "refused", "took the bytes not: the operation failed"),
        ([], "silent", "the watch did not answer to the bytes up to 200"),
        ([[receipt(200)], [], ok(3)], "silent", "the watch did not answer to the bytes up to 400"),
    ],
)
def test_a_window_that_is_not_acknowledged_ends_the_upload(
    windows: list[list[bytes]], kind: str, reason: str
) -> None:
    script, events = scripted(windows)
    found = failure(events)
    assert (found[0], reason in found[1]) == (kind, True)
    assert script.written[-1] == b"\x06"
    assert b"\x05" not in script.written


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (2, "it is in the middle of something else"),
        (3, "it does not support this"),
        (4, "the image is larger than its room"),
        (5, "what it got does not fit the checksum of the init packet"),
        (6, "the operation failed"),
        (0, "it ended with the unknown code 00"),
        (0xA7, "it ended with the unknown code A7"),
    ],
)
@pytest.mark.parametrize(
    ("op", "what"), [(1, "the start of the update"), (2, "the init packet"), (4, "the check")]
)
def test_a_refusal_is_told_in_words_and_nothing_is_activated(
    op: int, what: str, result: int, words: str
) -> None:
    script, events = scripted(WINDOWS, {op: [bytes((0x10, op, result))]})
    kind, reason = failure(events)
    assert kind == "refused"
    assert reason.startswith(f"the loader took {what}")
    assert reason.endswith(f"not: {words}")
    assert script.written[-1] == b"\x06"
    assert b"\x05" not in script.written


@pytest.mark.parametrize("op", [1, 2, 4])
def test_silence_ends_in_bounded_time(op: int) -> None:
    script, events = scripted(WINDOWS, {op: []})
    assert failure(events)[0] == "silent"
    assert script.written[-1] == b"\x06"


@pytest.mark.parametrize(("after_s", "good"), [(59.0, True), (61.0, False)])
def test_an_erase_may_take_a_minute(after_s: float, good: bool) -> None:
    session = Script.met({}, []).session
    session.start(InstallImage(SHORT), 0.0)
    session.data_to_send()
    assert session.deadline_s() == 60.0
    events = session.timed_out(min(after_s, 60.0))
    session.data_to_send()
    events += session.receive_data(C, ok(1)[0], after_s)
    events += session.timed_out(after_s)
    assert bool([event for event in events if isinstance(event, JobFailed)]) is not good


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (bytes.fromhex("10070200000000"), "silent"),
        (b"\x10\x07\x01" + struct.pack("<I", 0), "silent"),
        (b"\x10\x07\x01" + struct.pack("<I", 180), "malformed"),
        (bytes.fromhex("100306"), "refused"),
    ],
)
def test_a_loader_that_did_not_get_all_is_given_up(answer: bytes, kind: str) -> None:
    script, events = scripted([], {7: [answer]})
    assert failure(events)[0] == kind
    assert script.written[-2:] == [b"\x07", b"\x06"]


@pytest.mark.parametrize("answer", [receipt(200), b"\x10\x07\x01" + struct.pack("<I", 200)])
def test_a_loader_that_counts_all_is_believed(answer: bytes) -> None:
    _, events = scripted([[], *WINDOWS[1:]], {7: [answer]})
    assert UploadActivated("app.bin") in events


def test_acknowledgements_of_the_upload_before_are_none_of_the_next() -> None:
    """Two uploads in one session; the second is never acknowledged, but old words are repeated."""
    script, events = scripted(WINDOWS)
    assert UploadActivated("app.bin") in events
    old = [receipt(200), receipt(400), *ok(3), *ok(4), *ok(2)]
    script.answers = {0x01: old}
    script.written.clear()
    assert failure(script.install(part_of(image_of(450, version=8))))[0] == "silent"
    assert script.written == [b"\x01\x04", bytes(8) + struct.pack("<I", 450), b"\x06"]


# ---- which loader it is


def revised(revision: bytes) -> CompanionSession:
    session = CompanionSession(TRANSPORT.open_dialect(20))
    session.link_opened()
    session.start(Identify(), 0.0)
    assert session.data_to_send() == [Read(gatt.REVISION, optional=True)]
    identified, _ = session.receive_data(gatt.REVISION, revision, 0.0)
    assert isinstance(identified, Identified)
    assert identified.info.family == "nordic-legacy"
    number = int.from_bytes(revision, "little")
    assert identified.info.product == ("application" if number == 1 else "bootloader")
    assert identified.info.facts == ({"dfu_revision": number} if revision else {})
    return session


@pytest.mark.parametrize(
    ("revision", "experimental", "kind", "reason"),
    [
        ("0100", False, "unsupported", "it is not in its loader"),
        ("0400", True, "unsupported", "its loader is too old (revision 0004)"),
        ("", True, "unsupported", "its loader is too old (revision none)"),
        ("0900", False, "unproven", "nobody saw a loader of revision 0009"),
    ],
)
def test_a_loader_of_a_revision_that_is_not_known_gets_nothing(
    revision: str, experimental: bool, kind: str, reason: str
) -> None:
    session = revised(bytes.fromhex(revision))
    events = session.start(InstallImage(SHORT, experimental=experimental), 0.0)
    assert failure(events) == (kind, reason)
    assert session.data_to_send() == []


@pytest.mark.parametrize(
    ("revision", "experimental"), [("0500", False), ("0800", False), ("0900", True)]
)
def test_a_loader_of_a_known_revision_is_started(revision: str, experimental: bool) -> None:
    session = revised(bytes.fromhex(revision))
    assert session.start(InstallImage(SHORT, experimental=experimental), 0.0) == []
    assert len(session.data_to_send()) == 2


def test_a_loader_that_says_nothing_is_silent() -> None:
    session = CompanionSession(TRANSPORT.open_dialect(20))
    session.link_opened()
    session.start(Identify(), 0.0)
    assert failure(session.timed_out(10.0))[0] == "silent"


def test_an_application_leaves_for_its_loader() -> None:
    rig = Rig(LegacyTraits(in_application=True))
    assert failure(rig.install(SHORT))[1] == "it is not in its loader"
    rig.loader.receive_write(C, b"\x01", 0.0)  # half a word
    assert not rig.loader.link_must_drop
    rig.loader.restart(0.0)
    assert rig.do(EnterLoader())[-1] == JobDone(EnterLoader())
    assert rig.written == [(C, b"\x01\x04")]
    assert rig.loader.stays
    judged(rig, SHORT, [])


def test_a_loader_has_no_loader_to_leave_for() -> None:
    rig = Rig()
    assert failure(rig.do(EnterLoader()))[0] == "unsupported"
    assert rig.written == []


def test_there_is_no_word_for_what_the_flash_holds() -> None:
    assert failure(Rig().do(ReadImages())) == ("unsupported", "legacy DFU has no word for this")


def test_the_table_of_contents() -> None:
    seen = Advertisement("C0:FF:EE:00:00:01", "DfuTarg", -60, frozenset({gatt.SERVICE}))
    assert TRANSPORT.is_loader(seen)
    assert not TRANSPORT.is_loader(replace(seen, service_uuids=frozenset()))
    assert (TRANSPORT.name, TRANSPORT.leaves_application) == ("nordic-legacy", True)
    assert TRANSPORT.loader_addresses("C0:FF:EE:00:01:FF") == (
        *("C0:FF:EE:00:01:FF", "C0:FF:EE:00:01:00", "C0:FF:EE:00:02:00"),
    )
    package = build.nordic_zip({"application": (SHORT.data, SHORT.head)})
    assert read_image(package, "app.zip").transport == TRANSPORT.name


# ---- the rules of the virtual loader


def told(loader: LegacyLoader, data: bytes, now_s: float = 0.0, uuid: str = C) -> bytes:
    """The one answer to a write."""
    loader.receive_write(uuid, data, now_s)
    ((_, answer),) = loader.data_to_send()
    return answer


def opened(loader: LegacyLoader, part: ImagePart, steps: int = 99) -> None:
    """The steps up to the first byte of an image, or less."""
    for uuid, data in [
        (C, b"\x01\x04"),
        (P, struct.pack("<III", 0, 0, part.size_bytes)),
        (C, b"\x02\x00"),
        (P, part.head),
        (C, b"\x02\x01"),
        (C, b"\x03"),
    ][:steps]:
        loader.receive_write(uuid, data, 0.0)
    loader.data_to_send()


@pytest.mark.parametrize(
    ("steps", "write", "answer"),
    [
        (0, (C, "0200"), "100202"),
        (0, (C, "0201"), "100202"),
        (0, (C, "03"), "100302"),
        (0, (C, "04"), "100402"),
        (0, (C, "05"), "100502"),
        (0, (C, "0101"), "100103"),
        (0, (C, "01"), "100103"),
        (0, (C, "77"), "107703"),
        (0, (C, "080A"), "100806"),
        (0, (P, "00"), "100302"),
        (1, (C, "0104"), "100102"),
        (1, (P, "00400600"), "100106"),  # the four bytes of loaders before revision 5
        (1, (P, "01000000 00000000 01000000"), "100103"),
        (1, (P, "00000000 01000000 01000000"), "100103"),
        (1, (P, "00000000 00000000 00000000"), "100103"),
        (2, (C, "0201"), "100202"),
        (2, (C, "03"), "100302"),
        (3, (C, "0201"), "100206"),  # no init packet at all
        (3, (P, "00" * 21), "100304"),
        (4, (C, "03"), "100302"),
        (5, (C, "04"), "100402"),
        (6, (C, "04"), "100402"),
        (6, (C, "05"), "100502"),
        (6, (C, "0104"), "100102"),
        (6, (P, "00" * 21), "100304"),
    ],
)
def test_what_comes_too_early_or_malformed_is_refused(
    steps: int, write: tuple[str, str], answer: str
) -> None:
    loader = LegacyLoader(Flash(OLD, 1))
    opened(loader, SHORT, steps)
    assert told(loader, bytes.fromhex(write[1]), uuid=write[0]).hex() == answer
    assert not loader.link_must_drop


def test_what_no_loader_has_is_nothing() -> None:
    loader = LegacyLoader(Flash(OLD, 1))
    loader.receive_write(C, b"", 0.0)
    loader.receive_write(gatt.REVISION, b"\x01\x04", 0.0)
    assert loader.data_to_send() == []
    assert loader.read_value(gatt.REVISION, 0.0) == b"\x08\x00"
    assert loader.read_value(C, 0.0) == b""


def test_a_loader_that_resets_hears_nothing_more() -> None:
    loader = LegacyLoader(Flash(OLD, 1))
    loader.receive_write(C, b"\x06", 0.0)
    loader.receive_write(C, b"\x77", 0.0)
    assert (loader.data_to_send(), loader.link_must_drop, loader.stays) == ([], True, False)


GOOD_INIT: Final = build.legacy_init(SHORT.data, device_type=DEVICE_TYPE)


@pytest.mark.parametrize(
    "head",
    [
        GOOD_INIT[:9],
        GOOD_INIT[:-3],
        GOOD_INIT + b"\0",
        build.legacy_init(SHORT.data, device_type=0x0052),
        build.legacy_init(SHORT.data, device_type=DEVICE_TYPE, softdevices=(0x0065,)),
        build.legacy_init(SHORT.data, device_type=DEVICE_TYPE, softdevices=()),
        GOOD_INIT[:2] + b"\x02\x00" + GOOD_INIT[4:],
        GOOD_INIT[:8] + b"\xff\xff" + GOOD_INIT[10:],
        build.legacy_init(SHORT.data[:-1], form="extended_sha256", device_type=DEVICE_TYPE),
        GOOD_INIT[:-2] + struct.pack("<IH", 3, 0),
    ],
)
def test_an_init_packet_for_another_watch_or_none_is_refused(head: bytes) -> None:
    rig = Rig()
    kind, reason = failure(rig.install(replace(SHORT, head=head)))
    assert (kind, reason) == (
        "refused",
        "the loader took the init packet not: the operation failed",
    )
    assert rig.flash.installed is None


@pytest.mark.parametrize("softdevices", [(0xFFFE,), (0x0065, 0x0064)])
def test_an_init_packet_may_allow_any_softdevice_or_several(softdevices: tuple[int, ...]) -> None:
    head = build.legacy_init(SHORT.data, device_type=DEVICE_TYPE, softdevices=softdevices)
    assert UploadActivated("app.bin") in Rig().install(replace(SHORT, head=head))


@pytest.mark.parametrize("form", ["basic", "extended_crc16", "extended_sha256", "extended_ecdsa"])
@pytest.mark.parametrize("traits", [ONE_BANK, TWO_BANKS])
def test_an_image_that_differs_by_a_bit_is_not_activated(form: str, traits: LegacyTraits) -> None:
    good = part_of(SHORT.data, form)
    wrong = replace(good, data=good.data[:-1] + bytes((good.data[-1] ^ 1,)))
    rig = Rig(traits)
    assert failure(rig.install(wrong)) == (
        "refused",
        "the loader took the check of the image not: what it got does not fit the checksum of the "
        "init packet",
    )
    assert (rig.flash.installed, rig.flash.boots) == (None, traits.dual_bank)
    judged(rig, good, [])


@pytest.mark.parametrize("more", [1, 20])
def test_more_bytes_than_were_announced_are_refused(more: int) -> None:
    loader = LegacyLoader(Flash(OLD, 1))
    opened(loader, replace(SHORT, data=bytes(10)))
    assert told(loader, bytes(10 + more)[:20], uuid=P).hex() == "100304"
    assert told(loader, b"\x04").hex() == "100402"


def test_receipts_come_as_often_as_asked_for() -> None:
    loader = LegacyLoader(Flash(OLD, 1))
    opened(loader, SHORT, 5)
    loader.receive_write(C, b"\x08\x03\x00", 0.0)
    loader.receive_write(C, b"\x03", 0.0)
    for at in range(0, 180, 20):
        loader.receive_write(P, SHORT.data[at : at + 20], 0.0)
    assert [data for _, data in loader.data_to_send()] == [receipt(n) for n in (60, 120, 180)]


def test_a_watch_with_updates_switched_off_refuses_the_request() -> None:
    loader = LegacyLoader(Flash(OLD, 1), LegacyTraits(switched_off=True))
    with pytest.raises(RequestRefused) as refused:
        loader.receive_write(C, b"\x01\x04", 0.0)
    assert refused.value.att_error == 0x08
