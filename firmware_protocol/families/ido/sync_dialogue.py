"""Fetching health records with V3 command 04 (ido.md 7.1-7.3)."""

import binascii
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from firmware_protocol.errors import DecodeError
from firmware_protocol.events import RecordReceived, SyncFinished, SyncPlanned
from firmware_protocol.families.ido.control.record import START, STOP
from firmware_protocol.families.ido.conversation import (
    V3_ATTEMPTS,
    Conversation,
    RecordMessage,
    whole,
)
from firmware_protocol.families.ido.health.decoding import (
    DECODER_VERSION,
    FAMILY_NAME,
    StoredRecord,
    day_of,
)
from firmware_protocol.families.ido.health.record import Record
from firmware_protocol.families.ido.health.sleep import SleepRecord
from firmware_protocol.families.ido.health.steps import StepsDay
from firmware_protocol.families.ido.health.swim import SwimRecord
from firmware_protocol.families.ido.health.wall_time import wall_text
from firmware_protocol.families.ido.health.workout import WorkoutRecord
from firmware_protocol.families.ido.legacy_dialogue import sync_legacy
from firmware_protocol.families.ido.messages import IdoMessage
from firmware_protocol.families.ido.record_kinds import (
    HELD_ORDER,
    RECORD_KINDS,
    V3_CAPABILITIES,
    RecordKind,
)
from firmware_protocol.family import Asking, Deliver, Dialogue, JobError, Report
from firmware_protocol.jobs import Sync
from firmware_protocol.records import RawRecord, Watermark

_MOST_RECORDS: Final = 1000  # of one kind in one sync: a watch that never ends is left
_SAME_AGAIN_LIMIT: Final = 2  # STOPs for one record before its cursor counts as stuck


def sync(conversation: Conversation, job: Sync) -> Dialogue:
    """Fetch what is stored, by V3 or, where the tables show no V3 health, by group 08."""
    capabilities = conversation.capabilities
    if capabilities is not None and not capabilities & V3_CAPABILITIES:
        return sync_legacy(conversation, job)
    return _V3Sync(conversation, job).run()


@dataclass(frozen=True, slots=True)
class _Received:
    """A reply to START. `record` is None where its layout is not known."""

    message: RecordMessage
    record: Record | None
    is_empty: bool
    key: str
    day: date | None

    @classmethod
    def read(cls, message: RecordMessage) -> "_Received":
        """Read as much as can be read; what has no layout is kept under its check value."""
        payload = message.payload
        try:
            stored = StoredRecord.decode(payload)
            day = day_of(stored.record)
            key = _key(stored, day)
        except DecodeError:
            return cls(message, None, False, f"unread {binascii.crc32(payload):08x}", None)
        return cls(message, stored.record, stored.is_empty, key, day)

    @property
    def verified(self) -> bool:
        """Tell whether the record's own sums agree, as far as it can be read."""
        return self.record is None or self.record.adds_up()

    @property
    def is_doubtful(self) -> bool:
        """Tell whether it may have been damaged on its way, where replies lack a CRC."""
        return self.record is None or not self.verified


def _key(stored: StoredRecord, day: date | None) -> str:
    """Name a record among its kind: its day and first item, or its beginning.

    Raises:
        DecodeError: it has no beginning.
    """
    record, reply = stored.record, stored.reply
    match record:
        case StepsDay() if record.only_last_slot() and not record.adds_up():
            return f"{day} {reply.item_count - 1}"  # must not replace the whole day
        case SleepRecord():
            return wall_text(record.asleep_wall_s())
        case WorkoutRecord():
            return wall_text(record.start_wall_s())
        case SwimRecord() if record.is_stored:
            return wall_text(record.start_wall_s())
    return f"{day} {reply.data_start}"


@dataclass(slots=True)
class _Drain:
    """Watches over a cursor that STOP should move: the same record again is not taken twice."""

    job: Sync
    count: int = 0
    _last: bytes | None = None
    _repeats: int = 0

    def is_new(self, payload: bytes) -> bool:
        """Take a record; tell whether it differs from the one before."""
        self.count += 1
        self._repeats = self._repeats + 1 if payload == self._last else 0
        self._last = payload
        return not self._repeats

    @property
    def is_stuck(self) -> bool:
        """Tell whether going on would lead nowhere, or is not wanted."""
        return self.job.keep or self._repeats >= _SAME_AGAIN_LIMIT or self.count >= _MOST_RECORDS


@dataclass(slots=True)
class _V3Sync:
    """One sync job."""

    conversation: Conversation
    job: Sync
    records: int = 0
    received_bytes: int = 0
    silent: list[str] = field(default_factory=list)
    cut_short: bool = False
    answered: bool = False
    patient: bool = True  # a watch that just stayed silent is asked once only

    def run(self) -> Dialogue:
        """Ask for each kind in turn between a fast and a slow link."""
        kinds = [kind for kind in RECORD_KINDS if self._is_wanted(kind)]
        kept = [kind for kind in kinds if self._is_kept(kind)]
        if kept:
            yield from self.conversation.set_speed("fast")
            yield from self._plan(kept)
            for kind in kept:
                yield from self._fetch_days(kind) if kind.by_day else self._fetch_counted(kind)
            yield from self.conversation.set_speed("slow")
        if kept and not self.answered:
            raise JobError("silent", "the watch answered no question about its records")
        if self.cut_short:
            raise JobError("silent", "the watch stopped answering in the middle of its records")
        not_kept = [self._name(kind) for kind in kinds if kind not in kept]
        yield Report(SyncFinished(self.records, (*not_kept, *self.silent)))

    def _is_wanted(self, kind: RecordKind) -> bool:
        return not self.job.metrics or not self.job.metrics.isdisjoint(kind.metrics)

    def _is_kept(self, kind: RecordKind) -> bool:
        capabilities = self.conversation.capabilities
        return capabilities is None or not capabilities.isdisjoint(kind.capabilities)

    def _name(self, kind: RecordKind) -> str:
        return kind.name(self.conversation.capabilities)

    def _plan(self, kept: list[RecordKind]) -> Asking[None]:
        """05; its total counts all kinds, so it says nothing about some of them."""
        by_type = {kind.record_type: kind for kind in RECORD_KINDS}
        held = [
            {"metric": by_type[number].metric, "items": self._held_items(by_type[number])}
            for number in HELD_ORDER
        ]
        reply = yield from self.conversation.v3("ido.health.total", {"held": held}, attempts=1)
        total = whole(reply, "total_bytes") if isinstance(reply, IdoMessage) else None
        yield Report(SyncPlanned(None if len(kept) < len(RECORD_KINDS) else total))

    def _fetch_days(self, kind: RecordKind) -> Asking[None]:
        """Today from the first item that we lack, then the older days that are left (7.3)."""
        offset = self._held_items(kind)
        received = yield from self._start(kind, 1, offset)
        if received is None:
            self.silent.append(self._name(kind))
            return
        if self._is_before_since(received):
            return
        if not received.is_empty and not (offset and not received.message.reply.item_count):
            yield from self._deliver(kind, received)
        if self.job.keep:
            return
        stopped = yield from self._stop(kind, 1)
        if stopped is None or stopped.reply.have_next:
            yield from self._fetch_older_days(kind, announced=stopped is not None)

    def _fetch_older_days(self, kind: RecordKind, *, announced: bool) -> Asking[None]:
        """Day after day until the watch says that there is no next; an empty one ends nothing."""
        drain = _Drain(self.job)
        while (received := (yield from self._start(kind, 0, 0))) is not None:
            if self._is_before_since(received):
                return
            if drain.is_new(received.message.payload) and not received.is_empty:
                yield from self._deliver(kind, received)
            stopped = yield from self._stop(kind, 0)
            if drain.is_stuck or (stopped is not None and not stopped.reply.have_next):
                return
        self.cut_short |= announced or drain.count > 0

    def _fetch_counted(self, kind: RecordKind) -> Asking[None]:
        """The oldest record that is not confirmed, again and again (7.3).

        They cannot be passed over, so `since` does not hold here.
        """
        drain = _Drain(self.job)
        while (received := (yield from self._start(kind, 0, 0))) is not None:
            if drain.is_new(received.message.payload) and not received.is_empty:
                yield from self._deliver(kind, received)
            if not self.job.keep:
                yield from self._stop(kind, 0)  # after the empty one too, as the app does (C)
            if received.is_empty or drain.is_stuck:
                return
        if drain.count:
            self.cut_short = True
        else:
            self.silent.append(self._name(kind))

    def _start(self, kind: RecordKind, today: int, offset: int) -> Asking[_Received | None]:
        """START; a record that cannot be read or whose sums fail is fetched once more (7.9)."""
        attempts = V3_ATTEMPTS if self.patient else 1
        message = yield from self._ask(kind, START, today, offset, attempts)
        self.patient = message is not None
        if message is None:
            return None
        self.answered = True
        received = _Received.read(message)
        if received.is_doubtful and not self._is_midnight_remnant(received):
            again = yield from self._ask(kind, START, today, offset)
            received = received if again is None else _Received.read(again)
        return received

    def _stop(self, kind: RecordKind, today: int) -> Asking[RecordMessage | None]:
        """STOP, once: repeating one whose answer was lost could confirm what was never sent."""
        return (yield from self._ask(kind, STOP, today, 0, attempts=1))

    def _ask(
        self, kind: RecordKind, operate: int, today: int, offset: int, attempts: int = V3_ATTEMPTS
    ) -> Asking[RecordMessage | None]:
        operation = "start" if operate == START else "stop"
        message = yield from self.conversation.v3(
            f"ido.health.{kind.metric}.{operation}",
            {"today": today, "offset": offset},
            attempts=attempts,
            matches=lambda reply: isinstance(reply, RecordMessage) and reply.reply.today == today,
        )
        return message if isinstance(message, RecordMessage) else None

    def _deliver(self, kind: RecordKind, received: _Received) -> Asking[None]:
        reply = received.message.reply
        name = self._name(kind)
        self.records += 1
        self.received_bytes += len(reply.header) + len(reply.items)
        watermarks: tuple[Watermark, ...] = ()
        resumes = kind.by_day and not kind.whole_day
        if resumes and received.verified and received.day == self.job.today and reply.today:
            position = f"{self.job.today} {reply.data_start + reply.item_count}"
            watermarks = (Watermark(name, position),)
        record = RawRecord(
            FAMILY_NAME, name, received.key, received.message.payload, DECODER_VERSION
        )
        yield Deliver(
            RecordReceived(record, watermarks, kind.metrics, self.received_bytes, received.verified)
        )

    def _held_items(self, kind: RecordKind) -> int:
        """How many of today's items the application has; only its word of today counts."""
        watermark = self.job.watermarks.get(self._name(kind))
        if watermark is None or kind.whole_day:
            return 0
        day, _, items = watermark.position.partition(" ")
        if day != self.job.today.isoformat() or not items.isdecimal():
            return 0
        return min(int(items), 0xFFFF)

    def _is_before_since(self, received: _Received) -> bool:
        return (
            self.job.since is not None
            and received.day is not None
            and received.day < self.job.since
        )

    def _is_midnight_remnant(self, received: _Received) -> bool:
        """Right after midnight "today" is yesterday with its last slot only (7.3, C).

        The whole day follows with the history, so asking again would not help.
        """
        return (
            received.day is not None
            and received.day < self.job.today
            and isinstance(received.record, StepsDay)
            and received.record.only_last_slot()
        )
