"""A client of Nordic Secure DFU and its virtual bootloader, joined in memory, with a bad link.

Time passes only when both wait. Faults count through the whole life of the rig: notifications as
the bootloader makes them, writes as the client makes them.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from firmware_protocol.events import Event, JobDone, JobFailed
from firmware_protocol.family import Dialect, Write
from firmware_protocol.images import ImagePart
from firmware_protocol.jobs import Identify, InstallImage, Job
from firmware_protocol.session import CompanionSession
from firmware_protocol.updates.loader import Flash, firmware_mark
from firmware_protocol.updates.nordic_secure import TRANSPORT, gatt
from firmware_protocol.updates.nordic_secure.loader import NordicSecureLoader
from firmware_protocol.watch_session import WatchSession
from tests.firmware_protocol.image_builders import InitFields, secure_init

OLD = firmware_mark(1)
PAGE = 4096
# by the letter that stands before the index
NOTIFICATION_FAULTS = ("drop", "duplicate", "corrupt", "reorder", "lose", "cut")
WRITE_FAULTS = ("lose-write", "cut-write")


def image_of(size_bytes: int, version: int = 2) -> bytes:
    """Made-up firmware; shorter than its mark it would not start, which no loader minds."""
    filler = hashlib.shake_256(b"%d" % size_bytes).digest(size_bytes)
    return (firmware_mark(version) + filler)[:size_bytes]


def part_of(image: bytes, said: InitFields | None = None, **init: object) -> ImagePart:
    """An application with its init packet."""
    said = said or InitFields(fw_version=2, app_size=len(image))
    head = secure_init(image, said, **init)  # type: ignore[arg-type]
    return ImagePart("application.bin", "application", image, head)


@dataclass(slots=True)
class WatchedFlash(Flash):
    """Remembers what was installed."""

    installed: list[bytes] = field(default_factory=list)

    def install(self, image: bytes) -> None:
        Flash.install(self, image)
        self.installed.append(image)


def new_flash() -> WatchedFlash:
    return WatchedFlash(OLD, 1)


class LinkLostError(Exception):
    """The link is gone; the job with it."""


@dataclass(frozen=True)
class Fault:
    kind: str
    at: int


@dataclass
class Rig:
    """One link after the other between a dialect and the watch's end."""

    loader: WatchSession
    dialect: Callable[[int], Dialect] = TRANSPORT.open_dialect
    max_write_bytes: int = 244
    faults: tuple[Fault, ...] = ()
    seed: int = 0
    deaf: bool = False  # ignores that the watch wants the link down
    alter: Callable[[bytes], list[bytes]] | None = None  # what arrives instead of a notification
    now_s: float = 0.0
    notified: int = 0
    written: int = 0
    control: list[bytes] = field(default_factory=list)
    packets: list[bytes] = field(default_factory=list)
    said: list[bytes] = field(default_factory=list)
    session: CompanionSession = field(init=False)

    def __post_init__(self) -> None:
        self._held: list[tuple[str, bytes]] = []
        self._random = Random(self.seed)  # noqa: S311  weather, not secrets
        self._faults = defaultdict(set)
        for fault in self.faults:
            self._faults[fault.at, fault.kind.endswith("write")].add(fault.kind)
        self.connect()

    def connect(self) -> None:
        self.session = CompanionSession(self.dialect(self.max_write_bytes))
        self.loader.link_opened(self.now_s)
        for uuid in TRANSPORT.gatt.notify_uuids:
            self.loader.subscribed(uuid, self.now_s)
        self.session.link_opened()

    def lose_link(self) -> None:
        self._held.clear()
        self.session.link_lost()
        self.loader.link_lost(self.now_s)

    def run(self, job: Job) -> list[Event]:
        """All events of a job, its end last.

        Raises:
            LinkLostError: with the events so far as its arguments; the rig is not connected then.
        """
        events: list[Event] = []
        try:
            events += self.session.start(job, self.now_s)
            for _ in range(100_000):
                self._write()
                if ends := _ends(events):
                    self._settle()
                    return [event for event in events if event not in ends] + ends
                events += self._turn()
        except LinkLostError:
            self._held.clear()
            self.session.link_lost()
            raise LinkLostError(*events) from None
        raise AssertionError("the job does not end")

    def install(self, part: ImagePart) -> list[Event]:
        """Meet the loader and give it an image, on this link."""
        met = self.run(Identify())
        if isinstance(met[-1], JobFailed):
            return met
        return self.run(InstallImage(part))

    def _settle(self) -> None:
        """After a job: a loader that resets drops the link, which is no failure any more."""
        if self.loader.link_must_drop and not self.deaf:
            self.lose_link()
            self.connect()

    def _write(self) -> None:
        for output in self.session.data_to_send():
            assert isinstance(output, Write)
            number, self.written = self.written, self.written + 1
            kinds = self._faults[number, True]
            if "cut-write" in kinds:
                self.loader.restart(self.now_s)
                raise LinkLostError
            if "lose-write" in kinds:
                self.loader.link_lost(self.now_s)
                raise LinkLostError
            assert len(output.data) <= self.max_write_bytes
            assert output.with_response == (output.uuid != gatt.PACKET)
            (self.packets if output.uuid == gatt.PACKET else self.control).append(output.data)
            self.loader.receive_write(output.uuid, output.data, self.now_s)

    def _turn(self) -> list[Event]:
        events: list[Event] = []
        due: list[tuple[str, bytes]] = []
        for notification in self.loader.data_to_send():
            due += self._pass_on(notification)
        for uuid, data in due:
            events += self.session.receive_data(uuid, data, self.now_s)
        if _ends(events):
            return events
        if self.loader.link_must_drop and not self.deaf:
            self.loader.link_lost(self.now_s)
            raise LinkLostError(*events)
        deadline_s = self.session.deadline_s()
        if not due and deadline_s is not None:
            self.now_s = deadline_s
            events += self.session.timed_out(self.now_s)
        return events

    def _pass_on(self, notification: tuple[str, bytes]) -> list[tuple[str, bytes]]:
        uuid, data = notification
        self.said.append(data)
        number, self.notified = self.notified, self.notified + 1
        kinds = self._faults[number, False]
        if "cut" in kinds:
            self.loader.restart(self.now_s)
            raise LinkLostError
        if "lose" in kinds:
            self.loader.link_lost(self.now_s)
            raise LinkLostError
        if "drop" in kinds:
            return []
        if "corrupt" in kinds:
            place = self._random.randrange(8 * len(data))
            data = bytes(
                byte ^ (1 << place % 8 if at == place // 8 else 0) for at, byte in enumerate(data)
            )
        if "reorder" in kinds:
            self._held.append((uuid, data))
            return []
        if self.alter is not None:
            return [(uuid, other) for other in self.alter(data)]
        held, self._held = self._held, []
        return [(uuid, data)] * (2 if "duplicate" in kinds else 1) + held


def _ends(events: list[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, JobDone | JobFailed)]


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


def new_rig(**more: object) -> tuple[Rig, WatchedFlash]:
    flash = new_flash()
    return Rig(NordicSecureLoader(flash), **more), flash  # type: ignore[arg-type]
