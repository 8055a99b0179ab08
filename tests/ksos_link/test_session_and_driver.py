"""The pump between a link and a session: whatever the link does, a job ends and says how."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import pytest

from firmware_protocol.errors import FrameError, LocalProtocolError
from firmware_protocol.events import (
    Bound,
    Event,
    FrameIgnored,
    Identified,
    JobDone,
    RecordReceived,
    WatchInfo,
)
from firmware_protocol.family import (
    Deliver,
    Dialect,
    Dialogue,
    Exchange,
    JobError,
    Message,
    Output,
    Read,
    Report,
    Step,
    Write,
)
from firmware_protocol.jobs import Bind, Identify, Job, ReadBattery, Sync, Unbind
from firmware_protocol.records import RawRecord
from firmware_protocol.registry import FAMILIES
from firmware_protocol.session import CompanionSession, SessionState
from firmware_protocol.told import DataChanged
from ksos_link.connection.driver import Driver
from ksos_link.connection.retry import LONGEST_BACKOFF_S, MAX_ATTEMPTS, backoff_s
from ksos_link.connection.watch import Watch
from ksos_link.errors import (
    BluetoothError,
    KsosError,
    LinkLostError,
    MalformedError,
    NotFoundError,
    RefusedError,
)

RECORD = RecordReceived(RawRecord("toy", "health.x", "1", b"", 1), (), ("steps",), 0)
IDENTIFIED = Identified(WatchInfo("toy", "Toy"))
TIMEOUT_S = 2.0
TODAY = date(2026, 11, 20)
WRITE, NOTIFY, VALUE = "write", "notify", "value"


@dataclass(frozen=True)
class Word:
    """A message of the toy wire: one byte."""

    name: str


class ToyDialect(Dialect):
    """A question `?` wants `!`. What else is heard is told, and an `u` is echoed."""

    def __init__(self, end: JobError | None = None) -> None:
        self._end = end

    def receive_data(self, uuid: str, data: bytes) -> list[Message]:
        if data[:1] == b"#":
            raise FrameError("noise")
        return [Word(chr(byte)) for byte in data]

    def dialogue(self, job: Job) -> Dialogue:
        return self._play(job)

    def unsolicited(self, message: Message) -> tuple[list[Event], list[Output]]:
        answers: list[Output] = [Write(WRITE, b"u")] if message.name == "u" else []
        return [DataChanged(message.name, {})], answers

    def _play(self, job: Job) -> Dialogue:
        if isinstance(job, Identify):
            if (yield self._question(Read(VALUE))) is None:
                raise JobError("silent", "no word")
            yield Report(IDENTIFIED)
            return
        if (yield self._question(Write(WRITE, b"?"))) is None:
            raise JobError("silent", "no word")
        if self._end is not None:
            raise self._end
        for _ in range(2 if isinstance(job, Sync) else 0):
            yield Deliver(RECORD)
            yield self._question(Write(WRITE, b"s"))
        if isinstance(job, Unbind):  # after its last word the watch may be gone
            yield Exchange(lambda: [Write(WRITE, b"x")], lambda _: False, 0.0)
        if isinstance(job, Bind):
            yield Report(Bound())

    @staticmethod
    def _question(output: Output) -> Step:
        return Exchange(lambda: [output], lambda message: message.name == "!", TIMEOUT_S, 2)


@dataclass
class ToyLink:
    """A transport that answers from a script; `fails` are raised by the n-th call of a name."""

    answers: list[bytes] = field(default_factory=lambda: [b"!"])
    fails: dict[tuple[str, int], KsosError] = field(default_factory=dict)
    hurried: bool = False  # knows that nothing more will come
    babble_s: float | None = None  # notifies noise all the time, with this pause
    written: list[bytes] = field(default_factory=list)
    closed: int = 0
    calls: list[str] = field(default_factory=list)
    address: str = "toy"
    max_write_bytes: int = 20
    _received: deque[tuple[str, bytes]] = field(default_factory=deque)

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if error := self.fails.get((name, self.calls.count(name))):
            raise error

    async def write(self, uuid: str, data: bytes, *, with_response: bool) -> None:
        self._call("write")
        self.written.append(data)
        if data != b"u":
            self._received += [(NOTIFY, answer) for answer in self.answers]

    async def read_value(self, uuid: str) -> bytes:
        self._call("read")
        return b"!"

    async def receive(self, timeout_s: float) -> tuple[str, bytes] | None:
        self._call("receive")
        if self.babble_s is not None:
            await asyncio.sleep(self.babble_s)
            return NOTIFY, b"#"
        if self._received:
            return self._received.popleft()
        if not self.hurried:
            await asyncio.sleep(timeout_s)
        return None

    async def close(self) -> None:
        self.closed += 1


def toy_watch(link: ToyLink, end: JobError | None = None) -> Watch:
    family = replace(FAMILIES[0], open_dialect=lambda _: ToyDialect(end))
    return Watch(family, link)


async def met(link: ToyLink, end: JobError | None = None) -> Watch:
    watch = toy_watch(link, end)
    await watch.ask(Identify(), Identified)
    return watch


async def events_of(
    watch: Watch,
    job: Job,
    *,
    commits: bool = True,
    heard: list[Event] | None = None,
    pause_s: float = 0.0,
) -> list[Event]:
    """Run a job; `heard` keeps the events also of one that fails."""
    events = [] if heard is None else heard
    async for event in watch.run(job):
        events.append(event)
        if commits and isinstance(event, RecordReceived):
            watch.commit()
        if pause_s:
            await asyncio.sleep(pause_s)
    return events


Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def run(runner: asyncio.Runner) -> Run:
    async def limited(job: Coroutine[Any, Any, Any]) -> Any:
        async with asyncio.timeout(60):
            return await job

    return lambda job: runner.run(limited(job))


# ---- jobs that go well


def test_a_value_that_is_read_answers_a_question(run: Run) -> None:
    link = ToyLink()

    async def job() -> None:
        watch = toy_watch(link)
        with pytest.raises(RuntimeError):
            _ = watch.info
        assert await watch.ask(Identify(), Identified) == IDENTIFIED
        assert watch.address == "toy"

    run(job())
    assert link.calls == ["read"]


class ReadingDialect(ToyDialect):
    """Reads two values one after the other; the first may be missing."""

    def receive_data(self, uuid: str, data: bytes) -> list[Message]:
        return [Word(f"{uuid} {data.decode()}")]

    def _play(self, job: Job) -> Dialogue:
        for uuid in ("first", "second"):
            said = yield self._value(uuid)
            assert said is not None
            yield Report(DataChanged(said.name, {}))
        yield Report(IDENTIFIED)

    @staticmethod
    def _value(uuid: str) -> Step:
        wanted = Read(uuid, optional=uuid == "first")
        return Exchange(lambda: [wanted], lambda said: said.name.startswith(uuid), TIMEOUT_S)


@pytest.mark.parametrize("missing", [False, True])
def test_what_one_value_leads_to_is_read_without_a_wait(run: Run, missing: bool) -> None:
    lacks = RefusedError("The device lacks a characteristic.")
    link = ToyLink(fails={("read", 1): lacks} if missing else {})
    family = replace(FAMILIES[0], open_dialect=lambda _: ReadingDialect())

    async def job() -> list[Event]:
        return await events_of(Watch(family, link), Identify())

    said = ["first " if missing else "first !", "second !"]
    assert run(job())[:2] == [DataChanged(name, {}) for name in said]
    assert link.calls == ["read", "read"]


def test_a_value_that_must_be_there_ends_the_job_by_its_absence(run: Run) -> None:
    link = ToyLink(fails={("read", 2): RefusedError("The device lacks a characteristic.")})
    family = replace(FAMILIES[0], open_dialect=lambda _: ReadingDialect())

    async def job() -> None:
        with pytest.raises(RefusedError, match="lacks"):
            await events_of(Watch(family, link), Identify())

    run(job())


def test_each_record_waits_for_its_commit(run: Run) -> None:
    link = ToyLink()

    async def job() -> list[Event]:
        return await events_of(await met(link), Sync(TODAY))

    events = run(job())
    assert events == [RECORD, RECORD, JobDone(events[-1].job)]
    assert link.written == [b"?", b"s", b"s"]


def test_a_last_word_that_the_link_does_not_outlive_was_said(run: Run) -> None:
    lost = LinkLostError("gone")
    link = ToyLink(fails={("receive", 2): lost})

    async def job() -> list[Event]:
        return await events_of(await met(link), Unbind())

    assert run(job()) == [JobDone(Unbind())]
    assert link.written == [b"?", b"x"]


def test_a_last_word_that_was_not_written_was_not_said(run: Run) -> None:
    link = ToyLink(fails={("write", 2): LinkLostError("gone")})

    heard: list[Event] = []

    async def job() -> None:
        with pytest.raises(LinkLostError):
            await events_of(await met(link), Unbind(), heard=heard)

    run(job())
    assert heard == []


def test_what_answers_a_last_word_of_the_watch_is_still_sent(run: Run) -> None:
    link = ToyLink(answers=[b"!u"])

    async def job() -> list[Event]:
        return await events_of(await met(link), ReadBattery())

    events = run(job())
    assert isinstance(events[0], JobDone)
    assert link.written == [b"?", b"u"]


# ---- what a caller may not do


def test_a_record_that_is_not_committed_is_an_error(run: Run) -> None:
    link = ToyLink()

    async def job() -> None:
        await events_of(await met(link), Sync(TODAY), commits=False)

    with pytest.raises(LocalProtocolError, match="not committed"):
        run(job())
    assert link.written == [b"?"], "the watch was not told to go on"


def test_a_commit_without_a_record_is_an_error(run: Run) -> None:
    async def job() -> None:
        (await met(ToyLink())).commit()

    with pytest.raises(LocalProtocolError):
        run(job())


def test_a_stranger_is_asked_who_it_is_first(run: Run) -> None:
    async def job() -> None:
        await toy_watch(ToyLink()).ask(Bind(), Bound)

    with pytest.raises(LocalProtocolError, match="identify"):
        run(job())


# ---- links that break

LOST = LinkLostError("gone")


@pytest.mark.parametrize(
    ("place", "written"),
    [
        (("write", 1), []),
        (("receive", 1), [b"?"]),
        (("write", 2), [b"?"]),
        (("receive", 2), [b"?", b"s"]),
    ],
)
@pytest.mark.parametrize("error", [LOST, RefusedError("no"), BluetoothError("adapter")])
def test_a_failing_link_ends_the_job_and_the_session(
    run: Run, place: tuple[str, int], written: list[bytes], error: KsosError
) -> None:
    """Also where a caller takes a refusal lightly: the next job never starts on half a message."""
    link = ToyLink(fails={place: error})

    async def job() -> None:
        watch = await met(link)
        with pytest.raises(type(error), match=str(error)):
            await events_of(watch, Sync(TODAY))
        with pytest.raises(LinkLostError):
            await watch.ask(Bind(), Bound)
        await watch.close()
        await watch.close()

    run(job())
    assert link.written == written
    assert link.closed == 2


def test_a_link_lost_with_the_last_answer_is_told(run: Run) -> None:
    link = ToyLink(answers=[b"!u"], fails={("write", 2): LOST})

    async def job() -> list[Event]:
        watch, events = await met(link), list[Event]()
        with pytest.raises(LinkLostError, match="gone"):
            await events_of(watch, ReadBattery(), heard=events)
        with pytest.raises(LinkLostError):
            await events_of(watch, ReadBattery())
        return events

    assert isinstance(run(job())[0], JobDone)


def test_a_read_that_fails_ends_the_meeting_and_closes_the_link(run: Run) -> None:
    link = ToyLink(fails={("read", 1): LOST})

    async def job() -> None:
        await Watch.meet(replace(FAMILIES[0], open_dialect=lambda _: ToyDialect()), link)

    with pytest.raises(LinkLostError):
        run(job())
    assert link.closed == 1


def test_a_driver_may_be_closed_at_any_time(run: Run) -> None:
    async def job() -> SessionState:
        session = CompanionSession(ToyDialect())
        driver = Driver(ToyLink(), session)
        events = driver.run(Identify())
        await anext(events)
        await driver.close()
        await driver.close()
        await events.aclose()
        return session.state

    assert run(job()) is SessionState.CLOSED


# ---- watches that do not answer


@pytest.mark.parametrize("hurried", [True, False])
def test_silence_ends_in_time(run: Run, runner: asyncio.Runner, hurried: bool) -> None:
    link = ToyLink(answers=[], hurried=hurried)

    async def job() -> None:
        await (await met(link)).ask(Bind(), Bound)

    with pytest.raises(RefusedError, match="did not answer") as caught:
        run(job())
    assert "Wake it" in caught.value.hint
    assert link.written == [b"?", b"?"]
    assert runner.get_loop().time() == pytest.approx(0.0 if hurried else 2 * TIMEOUT_S)


@pytest.mark.parametrize("pause_s", [0.0, 0.01, 1.9])
def test_noise_without_end_does_not_hold_up_the_deadline(run: Run, pause_s: float) -> None:
    """Neither does it end the session: the noise is told, and the job ends as with silence."""
    link = ToyLink(babble_s=pause_s)

    async def job() -> tuple[list[Event], float]:
        watch, events = await met(link), list[Event]()
        slow_s = 0.0 if pause_s else 0.1  # even where the caller is the slower one
        with pytest.raises(RefusedError, match="did not answer"):
            await events_of(watch, ReadBattery(), heard=events, pause_s=slow_s)
        return events, asyncio.get_running_loop().time()

    events, took_s = run(job())
    assert set(events) == {FrameIgnored("noise")}
    assert took_s <= 2 * TIMEOUT_S + 2 * max(pause_s, 0.1)


@pytest.mark.parametrize(
    ("end", "error", "code"),
    [
        (JobError("refused", "it says no"), RefusedError, 6),
        (JobError("unsupported", "it cannot"), RefusedError, 6),
        (JobError("silent", "it sleeps"), RefusedError, 6),
        (JobError("malformed", "it babbles"), MalformedError, 5),
    ],
)
def test_a_failed_job_is_told_with_its_reason(
    run: Run, end: JobError, error: type[KsosError], code: int
) -> None:
    async def job() -> None:
        watch = await met(ToyLink(), end)
        with pytest.raises(error, match=end.reason) as caught:
            await watch.ask(Bind(), Bound)
        assert caught.value.exit_code == code
        with pytest.raises(error):
            await watch.ask(Unbind(), Bound)  # the session is ready for the next job

    run(job())


def test_a_job_that_ends_without_its_answer_is_malformed(run: Run) -> None:
    async def job() -> None:
        await (await met(ToyLink())).ask(ReadBattery(), Bound)

    with pytest.raises(MalformedError, match="without an answer"):
        run(job())


# ---- when to try again


def test_only_a_lost_link_deserves_another_attempt() -> None:
    waits = [backoff_s(LOST, attempt) for attempt in range(1, MAX_ATTEMPTS + 1)]
    assert waits == [0.25, 0.5, 1.0, 2.0, None]
    assert max(wait for wait in waits if wait) <= LONGEST_BACKOFF_S
    for error in (BluetoothError("x"), RefusedError("x"), NotFoundError("x"), MalformedError("x")):
        assert backoff_s(error, 1) is None
