"""A client of Realtek DFU and its virtual loader, joined in memory, with a bad link.

Time passes only when both wait. Faults count through the whole life of the rig: notifications as
the loader makes them, writes as the client makes them.
"""

import binascii
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import shake_256
from random import Random
from typing import Any

from firmware_protocol.events import Event, JobDone, JobFailed, UploadActivated
from firmware_protocol.family import Read
from firmware_protocol.images import ImagePart, read_image
from firmware_protocol.jobs import Identify, InstallImage, Job
from firmware_protocol.session import CompanionSession
from firmware_protocol.updates.loader import Flash, firmware_mark
from firmware_protocol.updates.realtek import TRANSPORT, gatt
from firmware_protocol.updates.realtek.loader import RTL87X2G, LoaderTraits, RealtekLoader
from firmware_protocol.watch_session import WatchSession
from tests.firmware_protocol.image_builders import realtek_87x2g, realtek_bee2

OLD = firmware_mark(1)
BUFFER_BYTES = 2048
KEY = bytes(range(32))
PLAIN_BEE2 = "050100010008000000000000"  # FFF1: sums of buffers, and nothing else
TWO_WINDOWS = 1300  # bytes of payload: 1024 of header, less 12, make 2312 bytes to send
NOTIFICATION_FAULTS = ("drop", "duplicate", "corrupt", "reorder", "lose", "cut")
WRITE_FAULTS = ("lose_write", "cut_write")


def payload_of(size_bytes: int, version: int = 2) -> bytes:
    """Made-up code that a virtual watch starts."""
    filler = shake_256(b"%d" % size_bytes).digest(size_bytes)
    return (firmware_mark(version) + filler)[:size_bytes]


def bee2_image(payload_bytes: int, version: int = 2, **head: Any) -> bytes:
    """An image that the loader finds whole: without a CRC-16 its SHA-256 counts."""
    return realtek_bee2(payload_of(payload_bytes, version), **{"crc16": 0, **head})


def rtl87x2g_image(payload_bytes: int, version: int = 2, offset: int = 0) -> bytes:
    payload = payload_of(payload_bytes, version)
    image = bytearray(realtek_87x2g(payload, offset=offset))
    struct.pack_into("<H", image, offset, binascii.crc_hqx(payload, 0xFFFF))
    return bytes(image)


def part_of(image: bytes, **facts: object) -> ImagePart:
    """What the reader of files makes of an image."""
    found = read_image(image, "app.bin").parts[0]
    return ImagePart("app.bin", found.kind, found.data, facts={**found.facts, **facts})


def image_for(traits: LoaderTraits, payload_bytes: int, version: int = 2) -> bytes:
    build = rtl87x2g_image if traits.ic == RTL87X2G.ic else bee2_image
    return build(payload_bytes, version)


class LinkLostError(Exception):
    """The link is gone; the job with it. Its arguments are the events so far."""


@dataclass(frozen=True)
class Fault:
    kind: str
    at: int


@dataclass
class Rig:
    """One link after the other between a dialect and the watch's end."""

    watch: WatchSession
    link_write_bytes: int = 244
    faults: Sequence[Fault] = ()
    missing: frozenset[str] = frozenset()  # characteristics that are not there
    seed: int = 0
    now_s: float = 0.0
    notified: int = 0
    writes: int = 0
    control: list[bytes] = field(default_factory=list)
    packets: list[bytes] = field(default_factory=list)
    sent_at_s: list[float] = field(default_factory=list)
    session: CompanionSession = field(init=False)

    def __post_init__(self) -> None:
        self._held: list[tuple[str, bytes]] = []
        self._random = Random(self.seed)  # noqa: S311  # weather, not secrets
        self._kinds: dict[tuple[int, bool], str] = {
            (fault.at, fault.kind.endswith("_write")): fault.kind for fault in self.faults
        }
        self.connect()

    def connect(self) -> None:
        self.session = CompanionSession(TRANSPORT.open_dialect(self.link_write_bytes))
        self.watch.link_opened(self.now_s)
        for uuid in TRANSPORT.gatt.notify_uuids:
            self.watch.subscribed(uuid, self.now_s)
        self.session.link_opened()

    def run(self, job: Job) -> list[Event]:
        """All events of a job, to its end.

        Raises:
            LinkLostError: the link is lost; the rig is not connected then.
        """
        events: list[Event] = []
        try:
            events += self.session.start(job, self.now_s)
            for _ in range(200_000):
                events += self._write()
                if events and isinstance(events[-1], JobDone | JobFailed):
                    self._settle()
                    return events
                events += self._turn()
        except LinkLostError:
            self._held.clear()
            self.session.link_lost()
            raise LinkLostError(*events) from None
        raise AssertionError("the job does not end")

    def install(self, part: ImagePart, **job: Any) -> list[Event]:
        """Meet the loader and give it an image, on this link."""
        met = self.run(Identify())
        if isinstance(met[-1], JobFailed):
            return met
        return self.run(InstallImage(part, **{"experimental": True, **job}))

    def _settle(self) -> None:
        if self.watch.link_must_drop:
            self._held.clear()
            self.session.link_lost()
            self.watch.link_lost(self.now_s)
            self.connect()

    def _write(self) -> list[Event]:
        events: list[Event] = []
        while outputs := self.session.data_to_send():
            for output in outputs:
                if isinstance(output, Read):
                    assert output.optional
                    there = output.uuid not in self.missing
                    value = self.watch.read_value(output.uuid, self.now_s) if there else b""
                    events += self.session.receive_data(output.uuid, value, self.now_s)
                    continue
                number, self.writes = self.writes, self.writes + 1
                self._break_by(self._kinds.get((number, True)))
                assert len(output.data) <= max(20, self.link_write_bytes)
                assert output.with_response == (output.uuid == gatt.CONTROL)
                if output.uuid == gatt.DATA:
                    self.packets.append(output.data)
                    self.sent_at_s.append(self.now_s)
                else:
                    self.control.append(output.data)
                self.watch.receive_write(output.uuid, output.data, self.now_s)
        return events

    def _break_by(self, kind: str | None) -> None:
        if kind in ("cut", "cut_write"):
            self.watch.restart(self.now_s)
            raise LinkLostError
        if kind in ("lose", "lose_write"):
            self.watch.link_lost(self.now_s)
            raise LinkLostError

    def _turn(self) -> list[Event]:
        events: list[Event] = []
        due: list[tuple[str, bytes]] = []
        for uuid, data in self.watch.data_to_send():
            due += self._pass_on(uuid, data)
        for uuid, data in due:
            events += self.session.receive_data(uuid, data, self.now_s)
        if events and isinstance(events[-1], JobDone | JobFailed):
            return events
        deadline_s = self.session.deadline_s()
        if self.watch.link_must_drop and deadline_s is not None and deadline_s > self.now_s:
            self.watch.link_lost(self.now_s)
            raise LinkLostError(*events)
        if not due and deadline_s is not None:
            self.now_s = deadline_s
            events += self.session.timed_out(self.now_s)
        return events

    def _pass_on(self, uuid: str, data: bytes) -> list[tuple[str, bytes]]:
        number, self.notified = self.notified, self.notified + 1
        kind = self._kinds.get((number, False))
        self._break_by(kind)
        if kind == "drop":
            return []
        if kind == "corrupt":
            place = self._random.randrange(8 * len(data))
            flipped = int.from_bytes(data) ^ 1 << place
            data = flipped.to_bytes(len(data))
        if kind == "reorder":
            self._held.append((uuid, data))
            return []
        held, self._held = self._held, []
        return [(uuid, data)] * (2 if kind == "duplicate" else 1) + held


def install_again(rig: Rig, part: ImagePart, most_links: int = 30) -> list[Event]:
    """Try again over new links until the image is in, as an operation does."""
    for _ in range(most_links):
        try:
            events = rig.install(part)
        except LinkLostError:
            rig.connect()
            continue
        if isinstance(events[-1], JobDone):
            return events
    raise AssertionError("the loader is never content")


def new_rig(traits: LoaderTraits | None = None, **more: Any) -> tuple[Rig, Flash]:
    flash = Flash(OLD, 1)
    loader = RealtekLoader(flash) if traits is None else RealtekLoader(flash, traits)
    return Rig(loader, **more), flash


class ScriptedLoader(WatchSession):
    """Says what a test tells it to, by opcode: a list of frames, the last of them for ever."""

    def __init__(
        self, values: Mapping[str, bytes], answers: Mapping[int, Sequence[Sequence[str]]]
    ) -> None:
        self.values = values
        self.answers = {opcode: list(turns) for opcode, turns in answers.items()}
        self._due: list[tuple[str, bytes]] = []

    def link_opened(self, now_s: float) -> None: ...

    def subscribed(self, uuid: str, now_s: float) -> None: ...

    def link_lost(self, now_s: float) -> None:
        self._due.clear()

    def read_value(self, uuid: str, now_s: float) -> bytes:
        return self.values.get(uuid, b"")

    def data_to_send(self) -> list[tuple[str, bytes]]:
        due, self._due = self._due, []
        return due

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        turns = self.answers.get(data[0] if uuid == gatt.CONTROL else -1, [])
        if turns:
            turn = turns.pop(0) if len(turns) > 1 else turns[0]
            self._due += [(gatt.CONTROL, bytes.fromhex(frame)) for frame in turn]


def failure(events: list[Event]) -> tuple[str, str]:
    """The kind and the reason of a job that failed."""
    assert isinstance(events[-1], JobFailed)
    return events[-1].kind, events[-1].reason


def check_verdict(events: list[Event], flash: Flash, image: bytes) -> bool:
    """Whether the image is in; and what was said of it is true."""
    is_in = flash.application == image
    assert is_in or flash.application == OLD
    if any(isinstance(event, UploadActivated) for event in events):
        assert is_in
    return is_in
