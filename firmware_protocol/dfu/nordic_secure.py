"""Nordic Secure DFU: the companion's side (dfu.md 3; V2 throughout)."""

import struct
import zlib
from collections.abc import Generator, Mapping, Sequence
from typing import Final

from firmware_protocol.dfu.dialogue import DfuDialect, Reply, ask
from firmware_protocol.errors import FrameError
from firmware_protocol.events import Identified, WatchInfo
from firmware_protocol.family import (
    Dialogue,
    GattProfile,
    JobError,
    Message,
    Output,
    Report,
    Step,
    Write,
)
from firmware_protocol.jobs import Identify, Job, Upload
from firmware_protocol.transfer import Sender
from firmware_protocol.uploads import UploadActivated, UploadVerified

NAME: Final = "nordic-secure"
SERVICE: Final = "0000fe59-0000-1000-8000-00805f9b34fb"
CONTROL_POINT: Final = "8ec90001-f315-4f60-9fb8-838830daea50"
PACKET: Final = "8ec90002-f315-4f60-9fb8-838830daea50"
GATT: Final = GattProfile(SERVICE, (CONTROL_POINT,))

_CREATE, _SET_PRN, _CHECKSUM, _EXECUTE, _SELECT = 0x01, 0x02, 0x03, 0x04, 0x06
_RESPONSE: Final = 0x60
_SUCCESS, _NOT_PERMITTED, _EXTENDED = 0x01, 0x08, 0x0B
_COMMAND_OBJECT, _DATA_OBJECT = 1, 2
_ANSWER_S: Final = 20.0  # per control point answer (3.3)
_ATTEMPTS: Final = 3  # per object (3.3, 3.6)
_RESULTS: Final[Mapping[int, str]] = {  # 3.4
    0x00: "invalid opcode",
    0x02: "not supported",
    0x03: "invalid parameter",
    0x04: "insufficient resources",
    0x05: "invalid object",
    0x06: "invalid signature",
    0x07: "unsupported type",
    0x08: "operation not permitted",
    0x0A: "operation failed",
}
_EXTENDED_RESULTS: Final[Mapping[int, str]] = {
    0x01: "invalid code",
    0x02: "wrong command format",
    0x03: "unknown command",
    0x04: "the init packet is invalid",
    0x05: "the firmware version is too low",
    0x06: "the image is for other hardware",
    0x07: "the image is for another SoftDevice",
    0x08: "the signature is missing",
    0x09: "wrong hash type",
    0x0A: "the hash failed",
    0x0B: "wrong signature type",
    0x0C: "the verification failed",
    0x0D: "insufficient space",
    0x0E: "this firmware is present already",
}


class NordicSecureDialect(DfuDialect):
    """One connection to a Secure DFU bootloader."""

    def __init__(self, max_write_bytes: int) -> None:
        self._packet_bytes = max_write_bytes

    def receive_data(self, uuid: str, data: bytes) -> list[Message]:
        """Take one notification of the control point.

        Raises:
            FrameError: it is no answer.
        """
        if len(data) < 3 or data[0] != _RESPONSE:
            raise FrameError("an answer of the bootloader that is too short or none")
        operation, result, body = data[1], data[2], data[3:]
        numbers = {"extended": body[0]} if result == _EXTENDED and body else {}
        if result == _SUCCESS and operation == _SELECT and len(body) >= 12:
            names = ("object_bytes", "offset", "crc")
            numbers = dict(zip(names, struct.unpack_from("<III", body), strict=True))
        elif result == _SUCCESS and operation == _CHECKSUM and len(body) >= 8:
            numbers = dict(zip(("offset", "crc"), struct.unpack_from("<II", body), strict=True))
        return [Reply(f"{operation:02x}", result, numbers)]

    def dialogue(self, job: Job) -> Dialogue:
        """Open the dialogue of `Identify` or `Upload`.

        Raises:
            JobError: a bootloader does nothing else.
        """
        match job:
            case Identify():
                return _identify()
            case Upload():
                return self._upload(job)
            case _:
                raise JobError("unsupported", "a bootloader only takes firmware")

    def _upload(self, job: Upload) -> Dialogue:
        """3.5, with the resume rules of 3.6."""
        yield from _control(struct.pack("<BH", _SET_PRN, 0), "to pace itself")
        yield from self._send_init_packet(job.file.head)
        sender = Sender(job.file.data, self._write, self._packet_bytes)
        limit, at = yield from self._resume(sender)
        yield sender.begins_at(at)
        while at < len(sender.data):
            end = min(len(sender.data), at - at % limit + limit)
            at = yield from self._send_object(sender, at, end, limit)
            yield sender.acknowledged(at)
        yield Report(UploadVerified())  # the last execute came back: the bootloader checked it all
        yield Report(UploadActivated(restarts=True))

    def _send_init_packet(self, init: bytes) -> Generator[Step, Message | None, None]:
        if not init:
            raise JobError("invalid", "this transport needs an init packet")
        state = yield from _control(bytes((_SELECT, _COMMAND_OBJECT)), "for its init packet")
        if len(init) > state.number("object_bytes"):
            raise JobError("invalid", "the init packet is too long for this bootloader")
        held = state.number("offset")
        if not 0 < held <= len(init) or zlib.crc32(init[:held]) != state.number("crc"):
            held = 0
        for _ in range(_ATTEMPTS):
            if held == 0:
                create = struct.pack("<BBI", _CREATE, _COMMAND_OBJECT, len(init))
                yield from _control(create, "to take an init packet")
            packets = Sender(init, self._write, self._packet_bytes).packets(held, len(init))
            if (yield from _whole(packets, init)):
                yield from _control(bytes((_EXECUTE,)), "to accept the init packet")
                return
            held = 0
        raise JobError("refused", "the init packet arrives damaged again and again")

    def _resume(self, sender: Sender) -> Generator[Step, Message | None, tuple[int, int]]:
        """Ask how far the bootloader is; the size of its objects, and where to go on (3.6)."""
        state = yield from _control(bytes((_SELECT, _DATA_OBJECT)), "for its progress")
        limit, held = state.number("object_bytes"), state.number("offset")
        if limit == 0:
            raise JobError("malformed", "the bootloader takes objects of no bytes")
        if held > len(sender.data):
            held = 0
        if held and zlib.crc32(sender.data[:held]) != state.number("crc"):
            return limit, held - (held % limit or limit)  # this object is damaged: once more
        if held and (held % limit == 0 or held == len(sender.data)):
            yield from _execute()  # it is whole, but perhaps was not executed
        return limit, held

    def _send_object(
        self, sender: Sender, at: int, end: int, limit: int
    ) -> Generator[Step, Message | None, int]:
        """Send the rest of one object; returns its end."""
        begin = at - at % limit
        for _ in range(_ATTEMPTS):
            if at == begin:
                create = struct.pack("<BBI", _CREATE, _DATA_OBJECT, end - begin)
                yield from _control(create, "to take the next object")
            if (yield from _whole(sender.packets(at, end), sender.data[:end])):
                yield from _execute()
                return end
            at = begin
        raise JobError("refused", "an object arrives damaged again and again")

    @staticmethod
    def _write(data: bytes) -> Output:
        return Write(PACKET, data, with_response=False)


def _identify() -> Dialogue:
    yield Report(Identified(WatchInfo(NAME, "Nordic Secure DFU bootloader")))


def _whole(packets: Sequence[Output], sent: bytes) -> Generator[Step, Message | None, bool]:
    """Send packets and ask for the sum over all that the bootloader should have by then.

    An answer that came late for an object before looks like a damaged one: it is sent once more.
    """
    outputs = [*packets, Write(CONTROL_POINT, bytes((_CHECKSUM,)))]
    reply = yield from ask(
        outputs, lambda reply: reply.name == f"{_CHECKSUM:02x}", _ANSWER_S, "for its checksum"
    )
    _check(reply)
    return (reply.number("offset"), reply.number("crc")) == (len(sent), zlib.crc32(sent))


def _execute() -> Generator[Step, Message | None, None]:
    """Execute an object; one that was executed before is not permitted again, and that is well."""
    reply = yield from ask(
        [Write(CONTROL_POINT, bytes((_EXECUTE,)))],
        lambda reply: reply.name == f"{_EXECUTE:02x}",
        _ANSWER_S,
        "to accept an object",
    )
    if reply.result != _NOT_PERMITTED:
        _check(reply)


def _control(request: bytes, question: str) -> Generator[Step, Message | None, Reply]:
    reply = yield from ask(
        [Write(CONTROL_POINT, request)],
        lambda reply: reply.name == f"{request[0]:02x}",
        _ANSWER_S,
        question,
    )
    _check(reply)
    return reply


def _check(reply: Reply) -> None:
    if reply.result == _SUCCESS:
        return
    reason = _RESULTS.get(reply.result, f"result {reply.result:#04x}")
    if reply.result == _EXTENDED:
        code = reply.numbers.get("extended", 0)
        reason = _EXTENDED_RESULTS.get(code, f"extended error {code:#04x}")
    raise JobError("refused", f"the bootloader says: {reason}")
