"""A client of SMP and its virtual server, joined in memory, with a bad link.

Time passes only when both wait. Faults count through the whole life of the rig: notifications as
the server makes them, writes as the client makes them.
"""

import struct
from collections import defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import Any

import cbor2

from firmware_protocol.events import Event, JobDone, JobFailed, UploadActivated
from firmware_protocol.family import Write
from firmware_protocol.images import ImagePart, mcuboot
from firmware_protocol.jobs import ConfirmImage, Identify, InstallImage, Job
from firmware_protocol.session import CompanionSession
from firmware_protocol.updates.loader import Flash, firmware_mark
from firmware_protocol.updates.smp import TRANSPORT
from firmware_protocol.updates.smp.gatt import CHARACTERISTIC
from firmware_protocol.updates.smp.loader import ServerTraits, SmpLoader
from tests.firmware_protocol.image_builders import mcuboot_image

SECTOR = 4096
NOTIFICATION_FAULTS = ("drop", "duplicate", "corrupt", "reorder", "lose", "cut")
WRITE_FAULTS = ("drop-write", "duplicate-write", "corrupt-write", "lose-write", "cut-write")
OVERHEAD = 32 + 4 + 36  # header, TLV area, SHA-256
NO_REASSEMBLY = ServerTraits(buffer_bytes=244, reassembles=False, slot_bytes=32 * SECTOR)
SMALL = ServerTraits(slot_bytes=32 * SECTOR)


def image_of(size_bytes: int, version: int = 2, seed: int = 0) -> bytes:
    """A made-up image of that size in all."""
    filler = Random(f"{size_bytes} {version} {seed}").randbytes(size_bytes)  # noqa: S311  no secret
    body = (firmware_mark(version) + filler)[: size_bytes - OVERHEAD]
    return mcuboot_image(body, version=(1, version, 0, 0))


OLD = image_of(600, 1)


def part_of(image: bytes) -> ImagePart:
    return mcuboot.part_of(mcuboot.decode(image), image, "watch.bin")


def digest_of(image: bytes) -> str:
    return part_of(image).digests["sha256"]


def loader_of(
    traits: ServerTraits = SMALL, application: bytes | None = OLD, version: int = 1
) -> SmpLoader:
    return SmpLoader(Flash(application, version), traits)


def request(operation: int, group: int, command: int, fields: object, sequence: int = 0) -> bytes:
    """A request of version 2, packed here."""
    content = fields if isinstance(fields, bytes) else cbor2.dumps(fields)
    return (
        struct.pack(">BBHHBB", operation | 8, 0, len(content), group, sequence, command) + content
    )


def said_by(loader: SmpLoader) -> list[bytes]:
    """The answers that are due, put together again."""
    stream, answers = b"".join(data for _, data in loader.data_to_send()), []
    while stream:
        end = 8 + int.from_bytes(stream[2:4])
        answers.append(stream[:end])
        stream = stream[end:]
    return answers


def asked(loader: SmpLoader, message: bytes) -> Any:
    """Ask the server one thing; its fields, or None."""
    loader.receive_write(CHARACTERISTIC, message, 0.0)
    answers = said_by(loader)
    return cbor2.loads(answers[-1][8:]) if answers else None


def chunks_in(writes: list[bytes]) -> list[dict[str, Any]]:
    """The upload requests among the writes that carried them."""
    stream, found = b"".join(writes), []
    while stream:
        end = 8 + int.from_bytes(stream[2:4])
        if (stream[5], stream[7]) == (1, 1):
            found.append(cbor2.loads(stream[8:end]))
        stream = stream[end:]
    return found


class Parrot(SmpLoader):
    """Once it `repeats`, it takes no chunk: it says again what it said to the same one before."""

    repeats = False
    repeated = 0

    def __init__(self, flash: Flash, traits: ServerTraits | None = None) -> None:
        super().__init__(flash, traits)
        self._said: dict[int, bytes] = {}  # by the offset of the chunk

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        (chunk,) = chunks_in([data]) or ({"off": 0},)
        offset = chunk["off"]
        if self.repeats and offset in self._said:
            self.repeated += 1
            self._answers.append(self._said[offset])
            return
        super().receive_write(uuid, data, now_s)
        if offset and self._answers and not self.repeats:
            self._said[offset] = self._answers[-1]


class LinkLostError(Exception):
    """The link is gone; the job with it. Its arguments are the events so far."""


@dataclass(frozen=True)
class Fault:
    kind: str
    at: int


@dataclass
class Rig:
    """One link after the other between our client and the watch's end."""

    loader: SmpLoader
    max_write_bytes: int = 244
    faults: tuple[Fault, ...] = ()
    seed: int = 0
    deaf: bool = False  # ignores that the watch wants the link down
    now_s: float = 0.0
    notified: int = 0
    written: list[bytes] = field(default_factory=list)  # of this link
    writes: int = 0
    session: CompanionSession = field(init=False)

    def __post_init__(self) -> None:
        self._held: list[bytes] = []
        self._random = Random(self.seed)  # noqa: S311  bad luck, no secret
        self._faults = defaultdict(set)
        for fault in self.faults:
            self._faults[fault.at, fault.kind.endswith("write")].add(fault.kind)
        self.connect()

    def connect(self) -> None:
        self.session = CompanionSession(TRANSPORT.open_dialect(self.max_write_bytes))
        self.loader.link_opened(self.now_s)
        for uuid in TRANSPORT.gatt.notify_uuids:
            self.loader.subscribed(uuid, self.now_s)
        self.session.link_opened()
        self.written = []

    def lose_link(self) -> None:
        self._held.clear()
        self.session.link_lost()
        self.loader.link_lost(self.now_s)

    def run(self, job: Job) -> list[Event]:
        """All events of a job up to its end.

        Raises:
            LinkLostError: the rig is not connected then.
        """
        events: list[Event] = []
        try:
            events += self.session.start(job, self.now_s)
            for _ in range(100_000):
                self._write()
                for number, event in enumerate(events):
                    if isinstance(event, JobDone | JobFailed):
                        return events[: number + 1]  # an answer that came twice may follow
                events += self._turn()
        except LinkLostError:
            self._held.clear()
            self.session.link_lost()
            raise LinkLostError(*events) from None
        raise AssertionError("the job does not end")

    def meet(self) -> list[Event]:
        """A new link; the old one is let go."""
        if self.session.state.name != "CLOSED":
            self.lose_link()
        self.connect()
        return self.run(Identify())

    def install(self, image: bytes) -> list[Event]:
        """Give the server an image on this link, met first."""
        met = self.run(Identify())
        return met if isinstance(met[-1], JobFailed) else self.run(InstallImage(part_of(image)))

    def update(self, image: bytes) -> bool:
        """What an application does: install, reconnect, confirm; True where it ended well."""
        try:
            met = self.meet()
            if not isinstance(met[-1], JobDone):
                return False
            events = self.run(InstallImage(part_of(image)))
            if not isinstance(events[-1], JobDone):
                return False
            assert any(isinstance(event, UploadActivated) for event in events)
        except LinkLostError:
            return False
        for _ in range(3):
            try:
                if isinstance(self.meet()[-1], JobDone):
                    return isinstance(self.run(ConfirmImage(digest_of(image)))[-1], JobDone)
            except LinkLostError:
                continue
        return False

    def mend(self) -> None:
        """From now on the link is good."""
        self._faults.clear()
        self._held.clear()

    def _write(self) -> None:
        for output in self.session.data_to_send():
            assert isinstance(output, Write)
            assert not output.with_response
            assert output.uuid == CHARACTERISTIC
            assert len(output.data) <= self.max_write_bytes
            kinds, data = self._faults[self.writes, True], output.data
            self.writes += 1
            self.written.append(data)
            if "cut-write" in kinds:
                self.loader.restart(self.now_s)
                raise LinkLostError
            if "lose-write" in kinds:
                self.loader.link_lost(self.now_s)
                raise LinkLostError
            if "corrupt-write" in kinds:
                data = self._flipped(data)
            for _ in range(0 if "drop-write" in kinds else 1 + ("duplicate-write" in kinds)):
                self.loader.receive_write(output.uuid, data, self.now_s)

    def _turn(self) -> list[Event]:
        events: list[Event] = []
        due: list[bytes] = []
        for _, data in self.loader.data_to_send():
            due += self._pass_on(data)
        for data in due:
            events += self.session.receive_data(CHARACTERISTIC, data, self.now_s)
        if self.loader.link_must_drop and not self.deaf and self.session.state.name == "ASKING":
            self.loader.link_lost(self.now_s)
            raise LinkLostError(*events)
        if not due:
            deadline_s = self.session.deadline_s()
            assert deadline_s is not None, "a job waits for nothing"
            assert deadline_s - self.now_s <= 66
            self.now_s = max(self.now_s, deadline_s)
            events += self.session.timed_out(self.now_s)
        return events

    def _pass_on(self, data: bytes) -> list[bytes]:
        kinds = self._faults[self.notified, False]
        self.notified += 1
        if "cut" in kinds:
            self.loader.restart(self.now_s)
            raise LinkLostError
        if "lose" in kinds:
            self.loader.link_lost(self.now_s)
            raise LinkLostError
        if "corrupt" in kinds:
            data = self._flipped(data)
        if "reorder" in kinds:
            self._held.append(data)
            return []
        held, self._held = self._held, []
        return [data] * ("drop" not in kinds) * (1 + ("duplicate" in kinds)) + held

    def _flipped(self, data: bytes) -> bytes:
        at = self._random.randrange(8 * len(data))
        changed = bytearray(data)
        changed[at // 8] ^= 1 << at % 8
        return bytes(changed)
