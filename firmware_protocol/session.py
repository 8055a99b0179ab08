"""CompanionSession: our end of any family's wire. No I/O, no clock; time is an argument.

Bytes and time go in, events and outputs come out. The driver writes what `data_to_send` gives,
hands in what the watch notified, and calls `timed_out` when `deadline_s` has passed. What a job
says on the wire is the family's `Dialogue`; what is legal when is the table below.
"""

from collections import deque
from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from firmware_protocol.errors import LocalProtocolError, RemoteProtocolError
from firmware_protocol.events import Event, FrameIgnored, Identified, JobDone, JobFailed
from firmware_protocol.family import (
    Deliver,
    Dialect,
    Dialogue,
    Exchange,
    JobError,
    Message,
    Output,
    Report,
)
from firmware_protocol.jobs import Identify, Job

# a whole V3 message of 64 KiB at 1 KiB/s: no watch seen is as slow, no babble holds us longer
LONGEST_ANSWER_S: Final = 64.0


class SessionState(Enum):
    """Where a session stands."""

    CLOSED = auto()  # no link
    LINKED = auto()  # subscribed, the watch is a stranger
    READY = auto()  # identified, no job
    ASKING = auto()  # a job waits for the watch
    DELIVERING = auto()  # a job waits for the application's commit


class Trigger(Enum):
    """What moves a session."""

    LINK_OPENED = auto()
    LINK_LOST = auto()
    JOB_STARTED = auto()
    DELIVERED = auto()
    COMMITTED = auto()
    IDENTIFIED = auto()
    JOB_ENDED = auto()


S, T = SessionState, Trigger
# ASKING keeps no memory of who is known: `_known` decides where an ended job returns to.
SESSION_TRANSITIONS: Final[Mapping[SessionState, Mapping[Trigger, SessionState]]] = {
    S.CLOSED: {T.LINK_OPENED: S.LINKED},
    S.LINKED: {T.JOB_STARTED: S.ASKING, T.LINK_LOST: S.CLOSED},
    S.READY: {T.JOB_STARTED: S.ASKING, T.LINK_LOST: S.CLOSED},
    S.ASKING: {
        T.DELIVERED: S.DELIVERING,
        T.IDENTIFIED: S.READY,
        T.JOB_ENDED: S.LINKED,
        T.LINK_LOST: S.CLOSED,
    },
    S.DELIVERING: {T.COMMITTED: S.ASKING, T.LINK_LOST: S.CLOSED},
}


class CompanionSession:
    """One connection's protocol state, from link to link lost."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.state = SessionState.CLOSED
        self._known = False
        self._job: Job | None = None
        self._dialogue: Dialogue | None = None
        self._step: Exchange | None = None
        self._attempts_left = 0
        self._sent_s = 0.0
        self._deadline_s: float | None = None
        self._outputs: deque[Output] = deque()

    def link_opened(self) -> None:
        """Notifications are on.

        Raises:
            LocalProtocolError: the session already has a link.
        """
        self._move(Trigger.LINK_OPENED)

    def start(self, job: Job, now_s: float) -> list[Event]:
        """Begin a job. The first one on a link must be `Identify`.

        Raises:
            LocalProtocolError: no link, a job under way, or a stranger on the other end.
        """
        if self.state is SessionState.LINKED and not isinstance(job, Identify):
            raise LocalProtocolError("identify the watch before anything else")
        self._move(Trigger.JOB_STARTED)
        self._job = job
        try:
            self._dialogue = self._dialect.dialogue(job)
        except JobError as error:
            return self._end(JobFailed(job, error.kind, error.reason))
        return self._advance(None, now_s)

    def receive_data(self, uuid: str, data: bytes, now_s: float) -> list[Event]:
        """Take one notification or read value; malformed bytes become `FrameIgnored`."""
        if self.state is SessionState.CLOSED:
            return []  # it was under way when the link was lost
        try:
            messages = self._dialect.receive_data(uuid, data)
        except RemoteProtocolError as error:
            return [FrameIgnored(str(error))]
        if not messages:
            self._wait_for_the_rest(now_s)
        events: list[Event] = []
        for message in messages:
            events += self._receive(message, now_s)
        return events

    def data_to_send(self) -> list[Output]:
        """Take what is to be written or read now."""
        outputs = list(self._outputs)
        self._outputs.clear()
        return outputs

    def deadline_s(self) -> float | None:
        """When `timed_out` must be called; None while nothing is awaited from the watch."""
        return self._deadline_s

    @property
    def awaits_nothing(self) -> bool:
        """True while a step is under way that only writes: `timed_out` is due at once after it."""
        return self._step is not None and not self._step.timeout_s

    def timed_out(self, now_s: float) -> list[Event]:
        """The deadline passed: send again, or tell the dialogue that the watch stayed silent.

        A step that only writes is not over as long as `data_to_send` was not taken.
        """
        if self.awaits_nothing and self._outputs:
            return []
        if self._step is None or self._deadline_s is None or now_s < self._deadline_s:
            return []
        if self._attempts_left:
            self._send(self._step, now_s)
            return []
        return self._advance(None, now_s)

    def commit(self, now_s: float) -> list[Event]:
        """The delivered record is safe; the job may go on and let the watch forget it.

        Raises:
            LocalProtocolError: no record is waiting.
        """
        self._move(Trigger.COMMITTED)
        return self._advance(None, now_s)

    def link_lost(self) -> None:
        """The link is gone, and the job with it. Legal in every state with a link."""
        self._move(Trigger.LINK_LOST)
        if self._dialogue is not None:
            self._dialogue.close()
        self._known = False
        self._job = self._dialogue = self._step = self._deadline_s = None
        self._outputs.clear()

    def _receive(self, message: Message, now_s: float) -> list[Event]:
        if self._step is not None and self._step.accepts(message):
            return self._advance(message, now_s)
        events, answers = self._dialect.unsolicited(message)
        self._outputs += answers
        return events

    def _wait_for_the_rest(self, now_s: float) -> None:
        """A part of a message came: a long answer may take longer than the wait for a short one."""
        if self._step is not None and self._deadline_s is not None:
            rest_s = min(now_s + self._step.gap_s, self._sent_s + LONGEST_ANSWER_S)
            self._deadline_s = max(self._deadline_s, rest_s)

    def _advance(self, reply: Message | None, now_s: float) -> list[Event]:
        """Run the dialogue up to its next wait."""
        dialogue, job = self._dialogue, self._job
        if dialogue is None or job is None:
            raise LocalProtocolError("no job is under way")
        self._step, self._deadline_s = None, None
        events: list[Event] = []
        try:
            step = dialogue.send(reply)
            while isinstance(step, Report):
                self._known |= isinstance(step.event, Identified)
                events.append(step.event)
                step = dialogue.send(None)
            if isinstance(step, Deliver):
                self._move(Trigger.DELIVERED)
                return [*events, step.event]
            self._step, self._attempts_left = step, step.attempts
            self._send(step, now_s)
        except StopIteration:
            return events + self._end(JobDone(job))
        except JobError as error:
            return events + self._end(JobFailed(job, error.kind, error.reason))
        except RemoteProtocolError as error:
            return events + self._end(JobFailed(job, "malformed", str(error)))
        return events

    def _send(self, step: Exchange, now_s: float) -> None:
        self._attempts_left -= 1
        self._outputs += step.outputs()
        self._sent_s = now_s
        self._deadline_s = now_s + step.timeout_s

    def _end(self, event: JobDone | JobFailed) -> list[Event]:
        self._job = self._dialogue = self._step = self._deadline_s = None
        self._move(Trigger.IDENTIFIED if self._known else Trigger.JOB_ENDED)
        return [event]

    def _move(self, trigger: Trigger) -> None:
        try:
            self.state = SESSION_TRANSITIONS[self.state][trigger]
        except KeyError:
            raise LocalProtocolError(f"{trigger.name} is not legal in {self.state.name}") from None
