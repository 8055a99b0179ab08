"""D1Upload: one file on its way through the D1 file transfer (ido.md 4.10, C).

The watch acknowledges every tenth packet with the sum and the count of all bytes so far. There is
no resume: whatever goes wrong, the file begins anew with D1 01 (`TransferBrokenError`).
"""

from collections.abc import Callable, Sequence
from typing import Final

from firmware_protocol.families.ido.conversation import Conversation, answered, whole
from firmware_protocol.families.ido.messages import IdoMessage, encode_message
from firmware_protocol.families.ido.told import CHANGED, echo_of
from firmware_protocol.families.ido.upload.refusals import (
    BROKEN,
    WAITS,
    accept,
    status_of,
    words,
)
from firmware_protocol.family import Asking, Exchange, JobError, Message, Output
from firmware_protocol.jobs import SendFile
from firmware_protocol.transfer import Acknowledged, Upload

FIRMWARE_NAME: Final = ".fw"  # literally: it has no stem
WINDOW_PACKETS: Final = 10  # captured; that a watch takes more is not proven
OPEN_TIMEOUT_S: Final = 10.0  # answers took 0.6 s at most; a watch may have to make room
OPEN_ATTEMPTS: Final = 2
RECEIPT_TIMEOUT_S: Final = 20.0  # receipts took 1.2 s at most; a weak link takes longer
REORGANISING_S: Final = 60.0  # until 07 40 tells of it; then it is tried without being told
REORGANISING_ROUNDS: Final = 3
_DATA_HEAD: Final = b"\xd1\x02\x00"
_OPEN_BYTES: Final = 8  # of D1 01 before the name
_SUM_MASK: Final = 0xFFFFFFFF
_OPEN_REPLY: Final = "ido.transfer.open.reply"
_RECEIPT: Final = "ido.transfer.data.reply"
_END_REPLY: Final = "ido.transfer.end.reply"
_COMPRESSIONS: Final = ("none", "zlib", "fastlz")


class TransferBrokenError(JobError):
    """The transfer broke. Another one from its beginning may go through."""


class D1Upload(Upload):
    """Announces a file, sends it in windows of ten packets, and has its sum compared.

    *Provisional:* a firmware goes uncompressed under compression 2 (ido.md 11.1, V; 15, item 11).

    Raises:
        JobError: the file is empty, or its name or compression cannot be said on this wire.
    """

    def __init__(self, conversation: Conversation, job: SendFile) -> None:
        check_file(conversation, job)
        self.file = job.name
        self.total_bytes = len(job.data)
        self._conversation = conversation
        self._data = job.data
        self._compression = "fastlz" if job.name == FIRMWARE_NAME else job.compression
        self._sum = 0  # of the bytes up to the offset that is sent next
        self._sent_bytes = self._told_bytes = 0
        self._packet_bytes = 0
        self._ended = False

    def offer(self) -> Asking[int]:
        """D1 01 and D1 05; always from the beginning."""
        self._packet_bytes = self._conversation.write_bytes - len(_DATA_HEAD)
        self._sum, self._told_bytes, self._ended = 0, 0, False
        yield from self._open()
        interval = {"packets": WINDOW_PACKETS}
        reply = yield from self._conversation.classic("ido.transfer.interval", interval)
        accept(answered(reply, "how often it acknowledges"))
        return 0

    def send(self, offset: int) -> Asking[Acknowledged]:
        """Ten packets and their receipt; fewer are the last ones, and D1 03 goes with them."""
        window = self._data[offset : offset + WINDOW_PACKETS * self._packet_bytes]
        end, running_sum = offset + len(window), (self._sum + sum(window)) & _SUM_MASK
        packets = [
            _DATA_HEAD + window[at : at + self._packet_bytes]
            for at in range(0, len(window), self._packet_bytes)
        ]
        self._sent_bytes += len(window)
        self._sum = running_sum
        if len(packets) < WINDOW_PACKETS:
            yield from self._end(packets)
        else:
            yield from self._await_receipt(packets, end, running_sum)
        # those of transfers that broke count too, once
        sent_bytes = self._sent_bytes - self._told_bytes
        self._told_bytes = self._sent_bytes
        return Acknowledged(end, sent_bytes)

    def verify(self) -> Asking[None]:
        """D1 03, unless it went with the last packets."""
        if not self._ended:
            yield from self._end([])

    def activate(self) -> Asking[None]:
        """Nothing: firmware is started by the watch itself, dials are shown by V3 08."""
        yield from ()

    def _open(self) -> Asking[None]:
        """D1 01; where the watch has to put its room in order first, wait for that (10, V)."""
        fields = {
            "type": "by_name",
            "size_bytes": self.total_bytes,
            "compression": self._compression,
            "file_name": self.file,
        }
        frame = encode_message("ido.transfer.open", fields)
        told: Message | None = None
        left = REORGANISING_ROUNDS
        while True:
            outputs = [*echo_of(told), *self._conversation.writes(frame)]
            message = yield _asking(outputs, _named(_OPEN_REPLY), OPEN_TIMEOUT_S, OPEN_ATTEMPTS)
            reply = answered(message, "to take a file")
            if status_of(reply) not in WAITS or not left:
                accept(reply)
                return
            left -= 1
            told = yield _asking([], _is_reorganised, REORGANISING_S)

    def _await_receipt(self, packets: Sequence[bytes], end: int, running_sum: int) -> Asking[None]:
        def counts(message: Message) -> bool:
            """Stale receipts name other bytes; one that refuses names none that could be known."""
            if not isinstance(message, IdoMessage) or not _tells(message, _RECEIPT):
                return False
            return status_of(message) != "ok" or whole(message, "received_bytes") == end

        reply = yield from self._write(packets, counts)
        if reply is None:
            raise TransferBrokenError("silent", "the watch did not answer to a part of the file")
        _check_status(reply)
        if whole(reply, "sum") != running_sum:
            raise TransferBrokenError("refused", "the watch got other bytes than were sent")

    def _end(self, packets: Sequence[bytes]) -> Asking[None]:
        def counts(message: Message) -> bool:
            if not isinstance(message, IdoMessage):
                return False
            refuses = _tells(message, _RECEIPT) and status_of(message) != "ok"
            return refuses or _tells(message, _END_REPLY)

        end = encode_message("ido.transfer.end", {"sum": self._sum})
        reply = yield from self._write([*packets, end], counts)
        if reply is None:
            # a watch that took its firmware may have gone down before it could say so
            failure = JobError if self.file == FIRMWARE_NAME else TransferBrokenError
            raise failure("silent", "the watch did not answer to the end of the file")
        _check_status(reply)
        self._ended = True

    def _write(
        self, frames: Sequence[bytes], counts: Callable[[Message], bool]
    ) -> Asking[IdoMessage | None]:
        outputs = [output for frame in frames for output in self._conversation.writes(frame)]
        message = yield _asking(outputs, counts, RECEIPT_TIMEOUT_S)
        return message if isinstance(message, IdoMessage) else None


def check_file(conversation: Conversation, job: SendFile) -> None:
    """Refuse what the wire has no words for.

    Raises:
        JobError: the file is empty, or its name or compression cannot be said.
    """
    room = conversation.write_bytes - _OPEN_BYTES
    if not job.data:
        raise JobError("invalid", "the file is empty")
    if len(job.data) > _SUM_MASK:
        raise JobError("invalid", "the file is too large for this wire")
    if job.compression not in _COMPRESSIONS:
        raise JobError("invalid", f"there is no compression {job.compression}")
    if not job.name.isascii() or not job.name.isprintable() or not 0 < len(job.name) <= room:
        raise JobError("invalid", f"a file's name has 1 to {room} plain ASCII letters")


def _check_status(reply: IdoMessage) -> None:
    status = status_of(reply)
    if status in BROKEN:
        raise TransferBrokenError("refused", words(status))
    accept(reply)


def _tells(message: IdoMessage, name: str) -> bool:
    """Whether this is a whole reply of that name."""
    return message.name == name and "status" in message.fields


def _asking(
    outputs: Sequence[Output],
    accepts: Callable[[Message], bool],
    timeout_s: float,
    attempts: int = 1,
) -> Exchange:
    return Exchange(lambda: outputs, accepts, timeout_s, attempts)


def _named(name: str) -> Callable[[Message], bool]:
    return lambda message: message.name == name


def _is_reorganised(message: Message) -> bool:
    return (
        isinstance(message, IdoMessage)
        and message.name == CHANGED
        and message.fields.get("change") == "space_reorganised"
    )
