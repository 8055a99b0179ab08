"""A companion session and a watch session, joined in memory; time passes only when both wait."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from firmware_protocol.events import Event, JobDone, JobFailed
from firmware_protocol.families.ido import FAMILY
from firmware_protocol.families.ido.framing import FrameAssembler, V3Frame, chunk, encode_v3
from firmware_protocol.families.ido.gatt import COMMAND_NOTIFY, HEALTH_NOTIFY
from firmware_protocol.family import CapturedPacket, Read
from firmware_protocol.jobs import Identify, Job
from firmware_protocol.session import CompanionSession, SessionState
from firmware_protocol.watch_session import WatchSession

CAPTURES = Path(os.environ.get("KSOS_CAPTURES", Path(__file__).parents[3] / "shared/captures"))

A200 = {  # what it says of itself: ido.md 4.2, 8.1, as captured
    "0201": [bytes.fromhex("020114021101001b010101002802010303")],
    "0202": [bytes.fromhex("0202fb0aff4a3f6fe8153f0a0801020051cf0e7e")],
    "0207": [bytes.fromhex("0207402440ff384ed3ff0b08008495c706010034")],
    "02F0": [bytes.fromhex("02f00089008900e8038c00")],
    "0204": [bytes.fromhex("0204f92412000001")],
    "001A": [bytes.fromhex("010940") + bytes(7) + b"\x04" + bytes(91)],
}


@dataclass
class Rig:
    """Runs jobs to their end. `drop` tells which notifications get lost, by their number."""

    watch: WatchSession
    commits: bool = True
    drop: Callable[[int, bytes], bool] = lambda _number, _data: False
    now_s: float = 0.0
    notified: int = 0
    link_write_bytes: int = 512
    written: list[bytes] = field(default_factory=list)
    session: CompanionSession = field(init=False)

    def __post_init__(self) -> None:
        self.connect()

    def connect(self) -> None:
        self.session = CompanionSession(FAMILY.open_dialect(self.link_write_bytes))
        self.watch.link_opened(self.now_s)
        for uuid in FAMILY.gatt.notify_uuids:
            self.watch.subscribed(uuid, self.now_s)
        self.session.link_opened()

    def lose_link(self) -> None:
        self.session.link_lost()
        self.watch.link_lost(self.now_s)

    def run(self, job: Job) -> list[Event]:
        """Return all events up to the job's end, or up to the record that was not committed."""
        events: list[Event] = []
        pending = self.session.start(job, self.now_s)
        for _ in range(100_000):
            events += pending
            if events and isinstance(events[-1], JobDone | JobFailed):
                self._write()
                return events
            if self.session.state is SessionState.DELIVERING:  # more may have come behind it
                if not self.commits:
                    return events
                pending = self.session.commit(self.now_s)
            else:
                pending = self._turn()
        raise AssertionError("the job does not end")

    def identified(self) -> "Rig":
        assert isinstance(self.run(Identify())[-1], JobDone)
        return self

    def _write(self) -> None:
        for output in self.session.data_to_send():
            assert not isinstance(output, Read)
            self.written.append(output.data)
            self.watch.receive_write(output.uuid, output.data, self.now_s)

    def _turn(self) -> list[Event]:
        self._write()
        due = self.watch.data_to_send()
        events: list[Event] = []
        for uuid, data in due:
            number, self.notified = self.notified, self.notified + 1
            if not self.drop(number, data):
                events += self.session.receive_data(uuid, data, self.now_s)
        deadline_s = self.session.deadline_s()
        if not due and deadline_s is not None:
            self.now_s = deadline_s
            events += self.session.timed_out(self.now_s)
        return events


class ScriptedWatch(WatchSession):
    """Says what a test tells it to say.

    `answers` are found by what a question begins with: of a classic frame all of it, of a V3
    message its command (two bytes, big-endian) and payload. An answer is a list of frames, taken
    anew each time, or a list of such lists, of which each question takes the next until the last.
    """

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = {bytes.fromhex(asked): answer for asked, answer in answers.items()}
        self.asked: list[bytes] = []
        self._assembler = FrameAssembler("TX")
        self._due: list[tuple[str, bytes]] = []
        self._times: Counter[bytes] = Counter()

    def link_opened(self, now_s: float) -> None: ...

    def subscribed(self, uuid: str, now_s: float) -> None: ...

    def link_lost(self, now_s: float) -> None:
        self._due.clear()

    def read_value(self, uuid: str, now_s: float) -> bytes:
        return b""

    def say(self, data: bytes, uuid: str = COMMAND_NOTIFY) -> None:
        self._due.append((uuid, data))

    def data_to_send(self) -> list[tuple[str, bytes]]:
        due, self._due = self._due, []
        return due

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        for frame in self._assembler.receive(uuid, data):
            if isinstance(frame, V3Frame):
                self._answer(frame.command.to_bytes(2) + frame.payload, frame)
            else:
                self._answer(frame.data, None)

    def _answer(self, question: bytes, frame: V3Frame | None) -> None:
        self.asked.append(question)
        begins = [asked for asked in self.answers if question.startswith(asked)]
        if not begins:
            return
        asked = max(begins, key=len)
        answer = self.answers[asked]
        if answer and isinstance(answer[0], list):
            answer = answer[min(self._times[asked], len(answer) - 1)]
        self._times[asked] += 1
        for content in answer:
            if frame is None:
                health = content[0] in (0x08, 0x09)
                self.say(content, HEALTH_NOTIFY if health else COMMAND_NOTIFY)
                continue
            message = encode_v3(frame.command, frame.sequence, content, with_crc=True)
            for part in chunk(message, 137, "RX"):
                self.say(part)


@pytest.fixture
def scripted() -> type[ScriptedWatch]:
    """A watch whose answers the test writes."""
    return ScriptedWatch


@pytest.fixture
def open_rig() -> Callable[..., Rig]:
    """Join a companion and the given watch session."""
    return Rig


@pytest.fixture
def captured() -> Callable[[str], list[CapturedPacket]]:
    """Read a capture of an IDO watch by its name; skip where there are none."""

    def read(name: str) -> list[CapturedPacket]:
        path = CAPTURES / "ido" / name
        if not path.exists():
            pytest.skip(f"no capture {name} here; set KSOS_CAPTURES")
        packets = []
        for number, line in enumerate(path.read_text().splitlines(), 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            direction, channel, data = words[-3:]
            assert direction in ("TX", "RX")
            packets.append(
                CapturedPacket(
                    number, "TX" if direction == "TX" else "RX", channel, bytes.fromhex(data)
                )
            )
        return packets

    return read


@pytest.fixture
def published_records() -> list[tuple[int, bytes, bytes]]:
    """Record bodies of an ID208 that were published without frames: type, header, items."""
    path = CAPTURES / "ido" / "id208_health_records.rec"
    if not path.exists():
        pytest.skip("no published records here; set KSOS_CAPTURES")
    records: list[tuple[int, bytes, bytes]] = []
    for line in path.read_text().splitlines():
        if line.startswith("REC"):
            _, record_type, part, data = line.split()
            if part == "header":
                records.append((int(record_type, 16), bytes.fromhex(data), b""))
            else:
                records[-1] = (*records[-1][:2], bytes.fromhex(data))
    return records
