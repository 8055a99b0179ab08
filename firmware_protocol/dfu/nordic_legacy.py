"""Nordic legacy DFU: the companion's side (dfu.md 4; V2). It never resumes.

The bootloader may be a hop away (revision 0001 is the application, which has to be sent there) or
be served by the running application itself (InfiniTime, 4.5).
"""

import struct
from collections.abc import Generator, Mapping
from typing import Final

from firmware_protocol.dfu.dialogue import DfuDialect, Reply, ask
from firmware_protocol.errors import FrameError
from firmware_protocol.events import Identified, WatchInfo
from firmware_protocol.family import (
    Dialogue,
    Exchange,
    GattProfile,
    JobError,
    Message,
    Output,
    Read,
    Report,
    Step,
    Write,
)
from firmware_protocol.jobs import Identify, Job, Upload
from firmware_protocol.transfer import Sender
from firmware_protocol.uploads import UploadActivated, UploadVerified

NAME: Final = "nordic-legacy"
SERVICE: Final = "00001530-1212-efde-1523-785feabcd123"
CONTROL_POINT: Final = "00001531-1212-efde-1523-785feabcd123"
PACKET: Final = "00001532-1212-efde-1523-785feabcd123"
REVISION: Final = "00001534-1212-efde-1523-785feabcd123"
GATT: Final = GattProfile(SERVICE, (CONTROL_POINT,))

_START, _INIT, _RECEIVE, _VALIDATE, _ACTIVATE, _RESET, _RECEIPTS = 1, 2, 3, 4, 5, 6, 8
_RESPONSE, _RECEIPT = 0x10, 0x11
_TYPES: Final[Mapping[str, int]] = {"softdevice": 1, "bootloader": 2, "application": 4}
_APPLICATION_REVISION: Final = 0x0001
_PACKET_BYTES: Final = 20  # larger ones only with known newer bootloaders (4.3)
_RECEIPT_PACKETS: Final = 10
_ERASE_S: Final = 60.0  # "up to tens of seconds" (4.3)
_ANSWER_S: Final = 10.0
_RESULTS: Final[Mapping[int, str]] = {
    2: "invalid state",
    3: "not supported",
    4: "the image is too large",
    5: "the check value is wrong",
    6: "operation failed",
}


class NordicLegacyDialect(DfuDialect):
    """One connection to a legacy DFU service."""

    def __init__(self, max_write_bytes: int) -> None:
        del max_write_bytes  # packets of 20 bytes, whatever the link takes

    def receive_data(self, uuid: str, data: bytes) -> list[Message]:
        """Take a notification of the control point, or the revision that was read.

        Raises:
            FrameError: it is neither.
        """
        if uuid == REVISION and len(data) >= 2:
            return [Reply("revision", 1, {"revision": int.from_bytes(data[:2], "little")})]
        if len(data) >= 5 and data[0] == _RECEIPT:
            return [Reply("receipt", 1, {"bytes": int.from_bytes(data[1:5], "little")})]
        if len(data) >= 3 and data[0] == _RESPONSE:
            return [Reply(f"{data[1]:02x}", data[2])]
        raise FrameError("an answer of the bootloader that is too short or none")

    def dialogue(self, job: Job) -> Dialogue:
        """Open the dialogue of `Identify` or `Upload`.

        Raises:
            JobError: a bootloader does nothing else.
        """
        match job:
            case Identify():
                return _identify()
            case Upload():
                return _upload(job)
            case _:
                raise JobError("unsupported", "a bootloader only takes firmware")


def _identify() -> Dialogue:
    reply = yield from ask(
        [Read(REVISION)], lambda reply: reply.name == "revision", _ANSWER_S, "for its revision"
    )
    revision = reply.number("revision")
    yield Report(Identified(WatchInfo(NAME, "Nordic legacy DFU", facts={"dfu_revision": revision})))


def _upload(job: Upload) -> Dialogue:
    """4.3."""
    sender = Sender(job.file.data, _packet, _PACKET_BYTES)
    yield from _start(job, len(sender.data))
    yield from _send_init_packet(job.file.head)
    yield sender.begins_at(0)
    yield from _command(struct.pack("<BH", _RECEIPTS, _RECEIPT_PACKETS))
    yield from _send_image(sender)
    yield from _answered(bytes((_VALIDATE,)), "to validate the image", _ERASE_S)
    yield Report(UploadVerified())
    yield from _command(bytes((_ACTIVATE,)))  # the link drops: nothing is awaited
    yield Report(UploadActivated(restarts=True))


def _start(job: Upload, size_bytes: int) -> Generator[Step, Message | None, None]:
    kind = _TYPES.get(job.file.role)
    if kind is None:
        raise JobError("invalid", f"this transport has no place for a {job.file.role}")
    sizes = struct.pack("<III", *(size_bytes if kind == each else 0 for each in _TYPES.values()))
    reply = yield from ask(
        [Write(CONTROL_POINT, bytes((_START, kind))), _packet(sizes)],
        lambda reply: reply.name == f"{_START:02x}",
        _ERASE_S,
        "to make room",
    )
    _check(reply)


def _send_init_packet(init: bytes) -> Generator[Step, Message | None, None]:
    if not init:
        raise JobError("invalid", "this transport needs an init packet")
    packets = Sender(init, _packet, _PACKET_BYTES).packets(0, len(init))
    reply = yield from ask(
        [
            Write(CONTROL_POINT, bytes((_INIT, 0))),
            *packets,
            Write(CONTROL_POINT, bytes((_INIT, 1))),
        ],
        lambda reply: reply.name == f"{_INIT:02x}",
        _ANSWER_S,
        "to accept the init packet",
    )
    _check(reply)


def _send_image(sender: Sender) -> Generator[Step, Message | None, None]:
    """Windows of packets, each ended by a receipt whose count must be ours; the last by `10 03`."""
    total, window_bytes, at = len(sender.data), _PACKET_BYTES * _RECEIPT_PACKETS, 0
    first: list[Output] = [Write(CONTROL_POINT, bytes((_RECEIVE,)))]
    while at < total:
        end = min(total, at + window_bytes)
        is_last = end == total
        outputs = [*first, *sender.packets(at, end)]
        first = []
        expected = end

        def accepts(reply: Reply, *, expected: int = expected, is_last: bool = is_last) -> bool:
            if reply.name == f"{_RECEIVE:02x}":
                return True  # the end, or what went wrong
            # an old receipt that comes again counts less: it is no answer to this window
            return not is_last and reply.name == "receipt" and reply.number("bytes") >= expected

        reply = yield from ask(outputs, accepts, _ANSWER_S, "to acknowledge its packets")
        if reply.name != "receipt":
            yield from _ended(reply, complete=is_last)
        elif reply.number("bytes") != end:
            yield from _give_up("the bootloader counts other bytes than were sent")
        at = end
        yield sender.acknowledged(at)


def _ended(reply: Reply, *, complete: bool) -> Generator[Step, Message | None, None]:
    if reply.result != 1:
        reason = _RESULTS.get(reply.result, f"result {reply.result}")
        yield from _give_up(f"the bootloader says: {reason}")
    if not complete:
        yield from _give_up("the bootloader ended before all was sent")


def _give_up(reason: str) -> Generator[Step, Message | None, None]:
    """Discard what was sent (op 06): nothing half may ever be activated (4.3)."""
    yield from _command(bytes((_RESET,)))
    raise JobError("refused", reason)


def _answered(
    request: bytes, question: str, timeout_s: float
) -> Generator[Step, Message | None, None]:
    reply = yield from ask(
        [Write(CONTROL_POINT, request)],
        lambda reply: reply.name == f"{request[0]:02x}",
        timeout_s,
        question,
    )
    _check(reply)


def _command(request: bytes) -> Generator[Step, Message | None, None]:
    """Write what nobody answers: the step ends with the write itself."""
    yield Exchange(lambda: [Write(CONTROL_POINT, request)], lambda _: False, 0.0)


def _check(reply: Reply) -> None:
    if reply.result != 1:
        reason = _RESULTS.get(reply.result, f"result {reply.result}")
        raise JobError("refused", f"the bootloader says: {reason}")


def _packet(data: bytes) -> Output:
    return Write(PACKET, data, with_response=False)
