"""Fetching history of watches without V3: group 08 (ido.md 7.11, V).

Activities of group 09 are not asked for: the reference leaves the bytes of their START open.
"""

import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from firmware_protocol.errors import DecodeError
from firmware_protocol.events import RecordReceived, SyncFinished, SyncPlanned
from firmware_protocol.families.ido.conversation import (
    CLASSIC_ATTEMPTS,
    CLASSIC_TIMEOUT_S,
    Conversation,
    LegacyMessage,
    answered,
    whole,
)
from firmware_protocol.families.ido.health.decoding import DECODER_VERSION, FAMILY_NAME
from firmware_protocol.families.ido.health.legacy import (
    LegacyPackets,
    heart_rate_items,
    sleep_end_wall_s,
    sleep_items,
    sport_items,
    sport_wall_s,
    whole_packet,
)
from firmware_protocol.families.ido.health.wall_time import wall_text
from firmware_protocol.families.ido.messages import IdoMessage, encode_message
from firmware_protocol.families.ido.record_kinds import RECORD_KINDS
from firmware_protocol.family import (
    Asking,
    Deliver,
    Dialogue,
    Exchange,
    JobError,
    Message,
    Output,
    Report,
)
from firmware_protocol.jobs import Sync
from firmware_protocol.records import RawRecord

_END: Final = b"\x08\xee"
_TRIES: Final = 2  # of a record whose packets leave a gap
_HEAD_PACKETS: Final = 2


@dataclass(frozen=True, slots=True)
class _LegacyKind:
    """One kind of day: its name in messages, its keys, and when a record of it is from."""

    noun: str
    kind: str
    today_key: int
    history_key: int
    metrics: tuple[str, ...]
    days_field: str
    wall_s: Callable[[LegacyPackets], int]
    items: Callable[[LegacyPackets], list[bytes]]


_KINDS: Final = (
    _LegacyKind(
        "sport",
        "legacy.steps",
        3,
        5,
        ("steps", "activity"),
        "sport_days",
        sport_wall_s,
        sport_items,
    ),
    _LegacyKind(
        "sleep",
        "legacy.sleep",
        4,
        6,
        ("sleep", "sleep_summary"),
        "sleep_days",
        sleep_end_wall_s,
        sleep_items,
    ),
    _LegacyKind(
        "heart_rate",
        "legacy.heart_rate",
        7,
        8,
        ("heart_rate", "resting_heart_rate"),
        "heart_rate_days",
        sport_wall_s,
        heart_rate_items,
    ),
)
_METRICS: Final = frozenset[str]().union(*(kind.metrics for kind in _KINDS))


def sync_legacy(conversation: Conversation, job: Sync) -> Dialogue:
    """Fetch today and the days before of each kind, one record at a time."""
    return _LegacySync(conversation, job).run()


@dataclass(slots=True)
class _LegacySync:
    """One sync job.

    08 EE does not say what it ends, so one that comes after its time could be taken for an empty
    record, and all that follows would stay behind: `owed_ends` counts those still to come.
    """

    conversation: Conversation
    job: Sync
    records: int = 0
    received_bytes: int = 0
    silent: list[str] = field(default_factory=list)
    owed_ends: int = 0

    def run(self) -> Dialogue:
        """08 01, then each kind, then 08 02; what fails in one kind does not keep back the rest."""
        kinds = [kind for kind in _KINDS if self._is_wanted(kind.metrics)]
        failure: JobError | None = None
        if kinds:
            sizes = answered(
                (
                    yield from self.conversation.classic(
                        "ido.legacy.sizes", {"sync_flag": 1, "safe_mode": 0}
                    )
                ),
                "what it has stored",
            )
            yield Report(SyncPlanned(None))
            for kind in kinds:
                try:
                    yield from self._fetch_kind(kind, sizes)
                except JobError as error:
                    failure = failure or error
            yield from self.conversation.classic("ido.legacy.finish", attempts=1)
        if kinds and len(self.silent) == len(kinds):
            raise JobError("silent", "the watch answered no question about its records")
        if failure is not None:
            raise failure
        yield Report(SyncFinished(self.records, (*self._not_kept(), *self.silent)))

    def _is_wanted(self, metrics: tuple[str, ...]) -> bool:
        return not self.job.metrics or not self.job.metrics.isdisjoint(metrics)

    def _not_kept(self) -> Iterator[str]:
        for kind in RECORD_KINDS:
            if self._is_wanted(kind.metrics) and _METRICS.isdisjoint(kind.metrics):
                yield kind.name(None)

    def _fetch_kind(self, kind: _LegacyKind, sizes: IdoMessage) -> Asking[None]:
        packets = yield from self._fetch(kind, kind.noun, kind.today_key)
        if packets is None:  # what a watch does not know it does not answer (ido.md 3.2)
            self.silent.append(kind.kind)
            return
        if len(packets) > _HEAD_PACKETS and not self._is_before_since(kind, packets):
            yield from self._deliver(kind, packets)
        if self.job.keep:
            return
        yield from self._stop(kind.noun, kind.today_key)
        yield from self._fetch_history(kind, whole(sizes, kind.days_field) or 0)

    def _fetch_history(self, kind: _LegacyKind, days: int) -> Asking[None]:
        """One day per START; STOP moves on to the next. A lost STOP gives the same day again."""
        noun = f"{kind.noun}_history"
        before: list[bytes] = []
        for _ in range(days):
            packets = yield from self._fetch(kind, noun, kind.history_key)
            if packets is None:
                raise JobError("silent", "the watch stopped answering in the middle of its records")
            if not packets or self._is_before_since(kind, packets):
                return
            if packets != before:
                yield from self._deliver(kind, packets)
            before = packets
            yield from self._stop(noun, kind.history_key)

    def _fetch(self, kind: _LegacyKind, noun: str, key: int) -> Asking[list[bytes] | None]:
        """START and all packets up to 08 EE; once more where some are missing.

        None where no START is answered.
        """
        best: list[bytes] | None = None
        for _ in range(_TRIES):
            message = yield self._wait(key, self._order(noun, "start"), CLASSIC_ATTEMPTS)
            if message is None:
                return best
            packets = yield from self._collect(kind, key, message)
            if packets is not None and _is_whole(kind, packets):
                return packets
            best = packets or best
        if best is None:
            raise JobError("malformed", "the packets of a record did not come whole")
        return best

    def _collect(
        self, kind: _LegacyKind, key: int, message: Message | None
    ) -> Asking[list[bytes] | None]:
        """Return the packets in order from the first on; None where one is missing or the end."""
        packets: list[bytes] = []
        whole_so_far, ended, late_end = True, False, False
        while isinstance(message, LegacyMessage):
            packet = _packet_in(message)
            if message.data[:2] == _END:
                ended = self._is_last_end()
                if (packets and _is_whole(kind, packets)) or (ended and not packets):
                    return packets if whole_so_far else None
                late_end = True  # or early: what is missing may come behind it
            elif packet[2:3] == b"\x01":  # also where the watch answered START twice
                packets, whole_so_far = [packet], True
            elif packet and packet[2] == len(packets) + 1:
                packets.append(packet)
            else:
                whole_so_far = False
            message = yield self._wait(key, [], 1)
        self._forget_owed(late_end)
        return packets if ended and whole_so_far else None

    def _is_last_end(self) -> bool:
        """Take an 08 EE; tell whether none is owed any more."""
        self.owed_ends = max(0, self.owed_ends - 1)
        return not self.owed_ends

    def _forget_owed(self, late_end: bool) -> None:
        """After one that was late and then nothing, no other one is on its way."""
        if late_end:
            self.owed_ends = 0

    def _wait(self, key: int, order: list[Output], attempts: int) -> Exchange:
        heads = (bytes((0x08, key)), _END)

        def outputs() -> list[Output]:
            self.owed_ends += bool(order)
            return order

        def accepts(message: Message) -> bool:
            return isinstance(message, LegacyMessage) and message.data[:2] in heads

        return Exchange(outputs, accepts, CLASSIC_TIMEOUT_S, attempts)

    def _stop(self, noun: str, key: int) -> Asking[None]:
        """Confirm, once: repeating it could confirm what was never sent."""
        message = yield self._wait(key, self._order(noun, "stop"), 1)
        late_end = False
        while isinstance(message, LegacyMessage):
            if message.data[:2] != _END or self._is_last_end():
                return
            late_end = True
            message = yield self._wait(key, [], 1)
        self._forget_owed(late_end)

    def _order(self, noun: str, order: str) -> list[Output]:
        return self.conversation.writes(encode_message(f"ido.legacy.{noun}", {"order": order}))

    def _deliver(self, kind: _LegacyKind, packets: list[bytes]) -> Asking[None]:
        body = b"".join(packets)
        self.records += 1
        self.received_bytes += len(body)
        wall_s = _wall_s(kind, packets)
        if wall_s is None:
            key = f"unread {binascii.crc32(body):08x}"
        else:
            moment = wall_text(wall_s)
            key = moment if kind.noun == "sleep" else moment.partition("T")[0]
        record = RawRecord(FAMILY_NAME, kind.kind, key, body, DECODER_VERSION)
        verified = _is_whole(kind, packets)
        yield Deliver(RecordReceived(record, (), kind.metrics, self.received_bytes, verified))

    def _is_before_since(self, kind: _LegacyKind, packets: list[bytes]) -> bool:
        wall_s = _wall_s(kind, packets)
        if self.job.since is None or wall_s is None:
            return False
        return date.fromisoformat(wall_text(wall_s).partition("T")[0]) < self.job.since


def _packet_in(message: LegacyMessage) -> bytes:
    """Return a packet without padding, nothing where it is cut: then it counts as missing."""
    try:
        return whole_packet(message.data)
    except DecodeError:
        return b""


def _wall_s(kind: _LegacyKind, packets: list[bytes]) -> int | None:
    """When the record is from; None where its head makes no sense."""
    try:
        return kind.wall_s(LegacyPackets.decode(b"".join(packets)))
    except DecodeError:
        return None


def _is_whole(kind: _LegacyKind, packets: list[bytes]) -> bool:
    """Tell whether all items came that the head announces; nothing at all is whole too."""
    if packets:
        try:
            kind.items(LegacyPackets.decode(b"".join(packets)))
        except DecodeError:
            return False
    return True
