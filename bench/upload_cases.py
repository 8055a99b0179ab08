"""One upload with random faults on a virtual watch, and whether what was said of it is true."""

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from virtual_uploads import KINDS, NEW_VERSION, OnWrist, on_air, open_watch, options, wish_of

from firmware_protocol.watch_session import WatchSession
from ksos_link.errors import KsosError
from ksos_link.operations.firmware_wish import FirmwareReport, FirmwareWish
from ksos_link.operations.firmware_write import resume_firmware, write_firmware
from ksos_link.operations.target import BluetoothTarget
from ksos_link.virtual_watch.faults import Fault, FaultySession

ON_NOTIFICATIONS = ("lose", "drop", "delay", "duplicate", "reorder", "reboot", "corrupt")
ON_WRITES = ("lose-write", "cut-power")
WITHOUT_WAITING = ("lose", "duplicate", "lose-write", "cut-power", "reboot")  # for real time
HOW_MANY = (1, 1, 1, 2, 2, 3, 4)
SIZES_BYTES = (2500, 6000, 12_000)  # from one window of the largest to some of each
END_PACKETS = 8  # the last ones of an upload: there verdicts are made
ATTEMPTS_BEYOND_FAULTS = 2  # of resuming
TIMEOUT_S = 5.0
_CAME_BACK = re.compile(r"The watch came back with firmware (\d+), not ")
LONGEST_S = 3600.0  # of one attempt, by the clock that jumps

Packets = Mapping[tuple[str, int], tuple[int, int]]


class AnyBitSession(FaultySession):
    """Corrupts any bit of a notification, not only one in the middle; counts packets."""

    def __init__(self, session: WatchSession, faults: Sequence[Fault]) -> None:
        super().__init__(session, [fault for fault in faults if fault.kind != "corrupt"])
        self.bits: dict[int, int] = {}  # by the notification's index
        self.flipped: list[str] = []
        self.notified = self.written = 0
        self.on_packet: Callable[[], None] | None = None

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        super().receive_write(uuid, data, now_s)
        self.written += 1
        self._packet_passed()

    def _packet_passed(self) -> None:
        if self.on_packet is not None:
            self.on_packet()

    def _pass_on(self, notification: tuple[str, bytes]) -> None:
        uuid, data = notification
        bit = self.bits.get(self.notified)
        self.notified += 1
        if bit is not None and data:
            at, mask = bit // 8 % len(data), 1 << bit % 8
            self.flipped.append(f"{data.hex()}, byte {at}, bit {bit % 8}")
            data = data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]
        super()._pass_on((uuid, data))
        self._packet_passed()


@dataclass(frozen=True)
class Case:
    """One upload. `bits` are for its faults `corrupt`; `kills` are packets and seconds."""

    number: int
    name: str
    size_bytes: int
    faults: tuple[Fault, ...]
    bits: tuple[int, ...]
    kills: tuple[tuple[int, float], ...] = ()

    def wish(self, folder: Path) -> FirmwareWish:
        """Each second one is of a release, which tells the version that must come back."""
        released = self.number // len(KINDS) % 2 == 1
        kind = KINDS[self.name]
        return wish_of(kind, folder, self.size_bytes, self.number, released=released)

    @property
    def words(self) -> str:
        faults = [f"{fault.kind}@{fault.at}" for fault in self.faults]
        kills = [f"kill@{at}+{delay_s:.3f}s" for at, delay_s in self.kills]
        return (
            f"case {self.number}, {self.name}, {self.size_bytes} bytes, {' '.join(faults + kills)}"
        )

    def open(self, *, corrupts: bool = True) -> tuple[OnWrist, AnyBitSession]:
        wrist = open_watch(KINDS[self.name], self.faults, session=AnyBitSession)
        session = wrist.session
        assert isinstance(session, AnyBitSession)
        if corrupts:
            session.bits = {
                fault.at: bit
                for fault, bit in zip(self.faults, self.bits, strict=True)
                if fault.kind == "corrupt" and fault.at is not None
            }
        return wrist, session


def case_of(number: int, seed: int, packets: Packets, *, killed: bool) -> Case:
    """The case with this number, whatever ran before it."""
    moments = Random(f"{seed} {number}")  # noqa: S311  chance, not secrets
    name = list(KINDS)[number % len(KINDS)]
    size_bytes = moments.choice(SIZES_BYTES)
    counts = dict(zip(("RX", "TX"), packets[name, size_bytes], strict=True))

    def packet(direction: str) -> int:
        """Each third at the end; some beyond it, for links that begin again."""
        count = counts[direction]
        low = count - END_PACKETS if moments.random() < 1 / 3 else 0
        return moments.randrange(max(0, low), count + 2)

    kinds = WITHOUT_WAITING if killed else ON_NOTIFICATIONS + ON_WRITES
    faults = []
    for _ in range(moments.choice((0, 0, 1, 2)) if killed else moments.choice(HOW_MANY)):
        kind = moments.choice(kinds)
        faults.append(Fault(kind, packet("TX" if kind in ON_WRITES else "RX")))
    bits = tuple(moments.randrange(8 * 256) for _ in faults)
    total = sum(counts.values())
    kills = [
        (moments.randrange(total + 1), moments.random() * 0.01)
        for _ in range(moments.choice((1, 1, 2)) if killed else 0)
    ]
    return Case(number, name, size_bytes, tuple(faults), bits, tuple(kills))


@dataclass
class Said:
    """What one command said: `error` is empty where it said success."""

    error: str = ""
    hint: str = ""
    crashed: bool = False

    def wrong(self, wrist: OnWrist, image: bytes, before: bytes | None) -> str:
        """What is not so in it; `before` is what the flash had when the command began."""
        application = wrist.watch.flash.application
        if self.crashed:
            return f"crashed: {self.error}"
        if not self.error:
            return "" if application == image else "success, and the image is not there"
        if came_back := _CAME_BACK.match(self.error):
            told = int(came_back[1]) == wrist.watch.flash.firmware_version != NEW_VERSION
            return "" if told else "another version came back: not so"
        untrue = (
            ("Nothing was written", application != before),
            ("The watch was told to start", False),  # it could not be asked then
            ("The watch may be in its loader", False),
            ("The new firmware was started on trial", application not in (before, image)),
            ("The watch keeps its old firmware", application not in (before, image)),
        )
        for words, is_untrue in untrue:
            if self.hint.startswith(words):
                return f"{words}: not so" if is_untrue else ""
        if application == image != before:  # a power cut may have changed it, too
            return "failed, and the image got in"
        return ""


@dataclass
class Outcome:
    """What came of a case. `attempts` are commands, up to the one that succeeded."""

    case: Case
    attempts: int = 0
    killed: int = 0
    failed_first: bool = False
    last_error: str = ""
    succeeded: bool = False
    boots: bool = True
    wrong: list[str] = field(default_factory=list)
    flipped: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        ended = "succeeded" if self.succeeded else f"did not succeed ({self.last_error})"
        flipped = [f"flipped: {text}" for text in self.flipped]
        told = [f"{ended} with command {self.attempts}", *self.wrong, *flipped]
        return "; ".join(told if self.boots else [*told, "does not boot"])

    def note(self, said: Said, wrist: OnWrist, image: bytes, before: bytes | None) -> None:
        self.attempts += 1
        self.failed_first |= self.attempts == 1 and bool(said.error)
        if problem := said.wrong(wrist, image, before):
            self.wrong.append(f"{problem} ({said.error} {said.hint})")
        self.succeeded, self.last_error = not said.error, said.error

    def end(self, wrist: OnWrist, image: bytes) -> None:
        """What was said last must outlive a power cut."""
        flash = wrist.watch.flash
        wrist.session.restart(0.0)
        self.boots = flash.boots
        if self.succeeded and flash.application != image and not self.wrong:
            self.wrong.append("success, and after a power cut the image is not there")
        self.succeeded &= flash.application == image
        assert isinstance(wrist.session, AnyBitSession)
        self.flipped = wrist.session.flipped


async def command(wish: FirmwareWish, wrist: OnWrist, *, resumes: bool) -> Said:
    address = wrist.identity.address
    target, chosen = BluetoothTarget(address), options(timeout_s=TIMEOUT_S)
    events = (
        resume_firmware(target, wish, chosen, address)
        if resumes
        else write_firmware(target, wish, chosen)
    )
    said = Said("there was no report")
    try:
        async with asyncio.timeout(LONGEST_S), contextlib.aclosing(events):
            async for event in events:
                if isinstance(event, FirmwareReport):
                    said = Said()
    except KsosError as error:
        return Said(str(error), error.hint)
    except Exception as error:  # noqa: BLE001  a crash is what is looked for
        return Said(f"{type(error).__name__}: {error}", crashed=True)
    return said


async def run_case(case: Case, folder: Path, *, corrupts: bool = True) -> Outcome:
    """Write, and then resume until it succeeds or should have."""
    outcome = Outcome(case)
    wrist, _ = case.open(corrupts=corrupts)
    wish = case.wish(folder)
    image, flash = wish.parts[-1].data, wrist.watch.flash
    async with on_air(wrist):
        for nth in range(1 + len(case.faults) + ATTEMPTS_BEYOND_FAULTS):
            before = flash.application
            said = await command(wish, wrist, resumes=nth > 0)
            outcome.note(said, wrist, image, before)
            if outcome.succeeded:
                break
    outcome.end(wrist, image)
    return outcome


async def packets_of(name: str, size_bytes: int, folder: Path) -> tuple[int, int]:
    """Notifications and writes of an undisturbed upload."""
    case = Case(0, name, size_bytes, (), ())
    wrist, session = case.open()
    async with on_air(wrist):
        said = await command(case.wish(folder), wrist, resumes=False)
    assert not said.error
    return session.notified, session.written
