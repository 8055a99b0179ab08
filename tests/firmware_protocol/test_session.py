"""CompanionSession: never leaves its table, whatever a driver and a watch do."""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from firmware_protocol.errors import DecodeError, FrameError, LocalProtocolError
from firmware_protocol.events import (
    Event,
    FrameIgnored,
    Identified,
    JobDone,
    JobFailed,
    RecordReceived,
    SyncPlanned,
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
from firmware_protocol.jobs import Bind, Identify, Job, ReadBattery, ReadClock, Sync, Unbind
from firmware_protocol.records import RawRecord
from firmware_protocol.session import (
    LONGEST_ANSWER_S,
    SESSION_TRANSITIONS,
    CompanionSession,
    SessionState,
    Trigger,
)
from firmware_protocol.told import DataChanged

RECORD = RecordReceived(RawRecord("toy", "health.x", "1", b"", 1), (), ("steps",), 0)
IDENTIFIED = Identified(WatchInfo("toy", "Toy"))
TIMEOUT_S = 2.0
GAP_S = 0.5
FAILURES = {"x": JobError("refused", "the toy says no"), "m": DecodeError("nonsense")}
REPORTS: dict[str, Step] = {"r": Report(SyncPlanned(None)), "d": Deliver(RECORD)}


@dataclass(frozen=True)
class Word:
    """A message of the toy wire: one byte."""

    name: str


@dataclass
class ToyDialect(Dialect):
    """Asks for single bytes. `script` is what the next dialogue does."""

    script: str = ""
    attempts: int = 2
    shy: bool = False  # silence ends the identification
    asked: int = field(default=0)

    def receive_data(self, uuid: str, data: bytes) -> list[Message]:
        if data[:1] == b"!":
            raise FrameError("not a frame")
        return [Word(chr(byte)) for byte in data]

    def dialogue(self, job: Job) -> Dialogue:
        if isinstance(job, Unbind):
            raise JobError("unsupported", "a toy cannot be unbound")
        return self._play(job)

    def unsolicited(self, message: Message) -> tuple[list[Event], list[Output]]:
        if message.name == "u":
            return [DataChanged("toy", {})], [Write("w", b"U")]
        return [FrameIgnored("not asked for", message.name)], []

    def _play(self, job: Job) -> Generator[Step, Message | None, None]:
        if isinstance(job, Identify):
            if (yield self._ask()) is None and self.shy:
                raise JobError("silent", "nobody there")
            yield Report(IDENTIFIED)
        for step in self.script:
            if step in FAILURES:
                raise FAILURES[step]
            if step == "a" and (yield self._ask()) is None:
                raise JobError("silent", "no answer")
            if step in REPORTS:
                yield REPORTS[step]

    def _ask(self) -> Exchange:
        def outputs() -> list[Output]:
            self.asked += 1
            return [Write("w", bytes((self.asked % 256,)))]

        return Exchange(
            outputs, lambda message: message.name == "k", TIMEOUT_S, self.attempts, GAP_S
        )


def ready(script: str = "", attempts: int = 2) -> tuple[CompanionSession, ToyDialect]:
    dialect = ToyDialect(attempts=attempts)
    session = CompanionSession(dialect)
    session.link_opened()
    session.start(Identify(), 0.0)
    session.receive_data("n", b"k", 0.0)
    session.data_to_send()
    dialect.script = script
    return session, dialect


def test_the_first_job_must_identify() -> None:
    session = CompanionSession(ToyDialect())
    with pytest.raises(LocalProtocolError):
        session.start(Identify(), 0.0)
    session.link_opened()
    with pytest.raises(LocalProtocolError):
        session.start(ReadBattery(), 0.0)
    assert session.start(Identify(), 0.0) == []
    states = [session.state]
    assert session.receive_data("n", b"k", 0.0) == [IDENTIFIED, JobDone(Identify())]
    assert [*states, session.state] == [SessionState.ASKING, SessionState.READY]


def test_an_identification_that_fails_leaves_a_stranger() -> None:
    session = CompanionSession(ToyDialect(shy=True))
    session.link_opened()
    session.start(Identify(), 0.0)
    session.timed_out(2.0)
    last = session.timed_out(4.0)[-1]
    assert isinstance(last, JobFailed)
    assert session.state is SessionState.LINKED
    with pytest.raises(LocalProtocolError):
        session.start(Bind(), 5.0)


def test_a_job_that_cannot_be_done() -> None:
    session, _ = ready()
    job = Unbind()
    assert session.start(job, 0.0) == [JobFailed(job, "unsupported", "a toy cannot be unbound")]
    assert session.state is SessionState.READY


@pytest.mark.parametrize(
    ("script", "kind"), [("x", "refused"), ("m", "malformed"), ("rx", "refused")]
)
def test_a_dialogue_that_fails(script: str, kind: str) -> None:
    session, _ = ready(script)
    last = session.start(Bind(), 0.0)[-1]
    assert isinstance(last, JobFailed)
    assert last.kind == kind
    assert session.state is SessionState.READY


def test_questions_are_repeated_and_then_given_up() -> None:
    session, dialect = ready("a", attempts=3)
    session.start(Bind(), 10.0)
    assert session.deadline_s() == 12.0
    assert session.timed_out(11.9) == []  # too early
    assert session.timed_out(12.0) == []
    assert session.timed_out(14.5) == []
    assert len(session.data_to_send()) == 3
    assert dialect.asked == 4
    last = session.timed_out(16.5)[-1]
    assert isinstance(last, JobFailed)
    assert last.kind == "silent"
    assert session.deadline_s() is None
    assert session.timed_out(99.0) == []


def test_an_answer_in_many_parts_may_take_longer() -> None:
    session, _ = ready("a", attempts=1)
    session.start(Bind(), 10.0)
    session.receive_data("n", b"", 10.5)
    assert session.deadline_s() == 12.0
    session.receive_data("n", b"", 11.75)
    assert session.deadline_s() == 12.25
    session.receive_data("n", b"z", 12.0)  # whole and not asked for: no part of an answer
    assert session.deadline_s() == 12.25
    assert session.receive_data("n", b"k", 12.25) == [JobDone(Bind())]
    session.receive_data("n", b"", 13.0)
    assert session.deadline_s() is None


def test_parts_without_end_are_given_up() -> None:
    session, _ = ready("a", attempts=1)
    session.start(Bind(), 10.0)
    now_s, events = 10.0, list[Event]()
    while not events:
        now_s += GAP_S / 2
        assert now_s <= 10.0 + LONGEST_ANSWER_S
        session.receive_data("n", b"", now_s)
        events = session.timed_out(now_s)
    assert isinstance(events[-1], JobFailed)
    assert now_s == 10.0 + LONGEST_ANSWER_S


def test_a_record_waits_for_its_commit() -> None:
    session, _ = ready("da")
    assert session.start(Sync(today=None), 0.0) == [RECORD]  # type: ignore[arg-type]
    assert session.state is SessionState.DELIVERING
    assert session.deadline_s() is None
    assert session.data_to_send() == []
    assert session.commit(1.0) == []
    assert len(session.data_to_send()) == 1
    with pytest.raises(LocalProtocolError):
        session.commit(1.0)


def test_what_comes_unasked_is_told_and_answered() -> None:
    session, _ = ready("a")
    session.start(Bind(), 0.0)
    session.data_to_send()
    assert session.receive_data("n", b"uz", 0.0) == [
        DataChanged("toy", {}),
        FrameIgnored("not asked for", "z"),
    ]
    assert session.data_to_send() == [Write("w", b"U")]
    assert session.state is SessionState.ASKING
    assert session.receive_data("n", b"!", 0.0) == [FrameIgnored("not a frame")]


def test_one_value_may_complete_several_messages() -> None:
    session, _ = ready("aa")
    session.start(Bind(), 0.0)
    assert session.receive_data("n", b"kk", 0.0)[-1] == JobDone(Bind())


def test_nothing_goes_on_without_a_job() -> None:
    session, _ = ready()
    with pytest.raises(LocalProtocolError):
        session._advance(None, 0.0)


def test_what_comes_after_the_link_was_lost_is_nobodys() -> None:
    session, _ = ready()
    session.link_lost()
    assert session.receive_data("n", b"u", 0.0) == []
    assert session.data_to_send() == []


def test_a_lost_link_takes_the_job_with_it() -> None:
    session, _ = ready("a")
    session.start(Bind(), 0.0)
    session.link_lost()
    assert session.state is SessionState.CLOSED
    assert (session.deadline_s(), session.data_to_send()) == (None, [])
    with pytest.raises(LocalProtocolError):
        session.link_lost()
    session.link_opened()
    with pytest.raises(LocalProtocolError):
        session.start(ReadClock(), 0.0)


def test_a_family_may_ask_by_reading() -> None:
    session, dialect = ready()

    def reading(job: Job) -> Dialogue:
        yield Exchange(lambda: [Read("r")], lambda message: message.name == "k", 1.0)

    dialect.dialogue = reading  # type: ignore[method-assign]
    session.start(ReadBattery(), 0.0)
    assert session.data_to_send() == [Read("r")]
    assert session.receive_data("r", b"k", 0.5) == [JobDone(ReadBattery())]


def test_the_table_names_every_state() -> None:
    assert set(SESSION_TRANSITIONS) == set(SessionState)
    reached = {state for moves in SESSION_TRANSITIONS.values() for state in moves.values()}
    assert reached == set(SessionState)
    assert all(
        Trigger.LINK_LOST in moves
        for state, moves in SESSION_TRANSITIONS.items()
        if state is not SessionState.CLOSED
    )


class SessionMachine(RuleBasedStateMachine):
    """Calls everything at any time; only the table's moves may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.dialect = ToyDialect()
        self.session = CompanionSession(self.dialect)
        self.now_s = 0.0
        self.known = False

    def watched(self, call: Any, *arguments: Any) -> list[Event]:
        """Make a call; an illegal one must raise and change nothing."""
        before = self.session.state
        try:
            events = call(*arguments) or []
        except LocalProtocolError:
            assert self.session.state is before
            return []
        self.known |= any(isinstance(event, Identified) for event in events)
        assert sum(isinstance(event, JobDone | JobFailed) for event in events) <= 1
        return list(events)

    @rule()
    def open_link(self) -> None:
        legal = self.session.state is SessionState.CLOSED
        self.watched(self.session.link_opened)
        assert not legal or self.session.state is SessionState.LINKED

    @rule()
    def lose_link(self) -> None:
        self.watched(self.session.link_lost)
        self.known = False
        assert self.session.state is SessionState.CLOSED

    @rule(
        job=st.sampled_from([Identify(), Bind(), Unbind(), ReadBattery()]),
        script=st.text("ardxm", max_size=5),
        attempts=st.integers(1, 3),
    )
    def start(self, job: Job, script: str, attempts: int) -> None:
        self.dialect.script, self.dialect.attempts = script, attempts
        before = self.session.state
        self.watched(self.session.start, job, self.now_s)
        if before in (SessionState.ASKING, SessionState.DELIVERING, SessionState.CLOSED):
            assert self.session.state is before

    @rule(data=st.sampled_from([b"k", b"kk", b"u", b"z", b"!", b"", b"zk"]))
    def receive(self, data: bytes) -> None:
        self.watched(self.session.receive_data, "n", data, self.now_s)

    @rule(passed_s=st.floats(0, 3))
    def wait(self, passed_s: float) -> None:
        self.now_s += passed_s
        self.watched(self.session.timed_out, self.now_s)

    @rule()
    def commit(self) -> None:
        legal = self.session.state is SessionState.DELIVERING
        self.watched(self.session.commit, self.now_s)
        assert legal or self.session.state is not SessionState.DELIVERING

    @precondition(lambda self: self.session.state is SessionState.CLOSED)
    @rule()
    def nothing_to_send_without_a_link(self) -> None:
        assert self.session.data_to_send() == []

    @invariant()
    def stands_where_the_table_allows(self) -> None:
        state = self.session.state
        assert state in SESSION_TRANSITIONS
        assert (self.session.deadline_s() is not None) == (state is SessionState.ASKING)
        if state is SessionState.READY:
            assert self.known
        if state is SessionState.LINKED:
            assert not self.known


SessionMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestSessionMachine = SessionMachine.TestCase
