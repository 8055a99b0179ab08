"""Names and decodes every packet of a capture of an IDO watch, both directions."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from firmware_protocol.errors import FrameError, ProtocolError
from firmware_protocol.families.ido.framing import (
    NOTICE_KEYS,
    V3_HEADER_BYTES,
    V3_MARK,
    V3_START,
    ClassicFrame,
    Frame,
    FrameAssembler,
    V3Frame,
    chunk,
)
from firmware_protocol.families.ido.messages import (
    IdoMessage,
    decode_frame,
    encode_message,
    may_lack_crc,
    message_type,
)
from firmware_protocol.family import Direction, Inspector, PacketReport

_Stream = tuple[Direction, str, str]  # direction, channel, kind of message in parts
_NO_PARTS: Final = ""


class IdoInspector(Inspector):
    """Inspects packets one after the other. Nothing in a capture makes it raise.

    The fields of a V3 message are preceded by its `sequence`; those of a message that may lack its
    CRC also by `crc`, whether it had one. With them the fields give the captured bytes again.
    """

    def __init__(self) -> None:
        self._reports: list[PacketReport] = []
        self._assemblers: dict[Direction, FrameAssembler] = {
            "TX": FrameAssembler("TX"),
            "RX": FrameAssembler("RX"),
        }
        self._open: dict[_Stream, list[PacketReport]] = {}
        self._done: dict[_Stream, tuple[list[PacketReport], V3Frame]] = {}

    def feed(self, line: int, direction: Direction, channel: str, data: bytes) -> None:
        """Take the packet of one line."""
        report = PacketReport(line, direction, channel, data)
        self._reports.append(report)
        stream = (direction, channel, _kind_of_parts(direction, data))
        assembler = self._assemblers[direction]
        error: ProtocolError | None = None
        frames: list[Frame] = []
        try:
            frames = assembler.receive(channel, data)
        except ProtocolError as caught:
            error = caught
        for dropped in assembler.dropped:
            _fail(self._open.pop(stream), dropped)
        assembler.dropped.clear()
        packets = [*self._open.pop(stream, []), report]
        if error is not None:
            _fail(packets, error)
        elif frames:
            self._finish(stream, packets, frames[0])
        elif len(packets) == 1 and stream in self._done and not data.startswith(V3_START):
            done, frame = self._done[stream]  # the CRC that its record came without
            done[-1].fields, done[-1].unknown_bytes = None, 0
            self._finish(stream, [*done, report], replace(frame, has_crc=True))
        else:
            self._open[stream] = packets

    def finish(self) -> list[PacketReport]:
        """Return one report per packet fed, in order of lines."""
        for packets in self._open.values():
            _fail(packets, FrameError("the rest of this message is missing"))
        self._open.clear()
        return self._reports

    def _finish(self, stream: _Stream, packets: list[PacketReport], frame: Frame) -> None:
        if isinstance(frame, V3Frame):
            self._done[stream] = (packets, frame)
        try:
            message = decode_frame(frame, stream[0])
        except ProtocolError as error:
            _fail(packets, error)
            return
        printed = _printed(message, frame, stream[0])
        comes_back = _comes_back(message.name, printed, message.padding, packets)
        for report in packets:
            report.message = message.name
            report.part_of = packets[0].line if len(packets) > 1 else None
            report.roundtrip = comes_back
        packets[-1].fields = printed
        packets[-1].padding = message.padding
        packets[-1].unknown_bytes = message.unknown_bytes


def _kind_of_parts(direction: Direction, data: bytes) -> str:
    if data[:1] == bytes((V3_MARK,)):
        return "v3"
    return "notice" if direction == "TX" and data[:2] in NOTICE_KEYS else _NO_PARTS


def _printed(message: IdoMessage, frame: Frame, direction: Direction) -> dict[str, object]:
    printed: dict[str, object] = {}
    if isinstance(frame, V3Frame):
        printed["sequence"] = frame.sequence
        if may_lack_crc(direction, frame.command):
            printed["crc"] = frame.has_crc
    return printed | dict(message.fields)


def _comes_back(
    name: str, printed: dict[str, object], padding: int, packets: Sequence[PacketReport]
) -> bool:
    """Tell whether the printed fields give the captured packets again, byte for byte."""
    fields = dict(printed)
    sequence, crc = fields.pop("sequence", None), fields.pop("crc", None)
    try:
        message = encode_message(
            name,
            fields,
            sequence=sequence if isinstance(sequence, int) else None,
            with_crc=crc if isinstance(crc, bool) else None,
            short=True,
        )
        captured = [report.data for report in packets]
        captured[-1] = captured[-1][: len(captured[-1]) - padding]
        if message.startswith(V3_START):
            return message == captured[0] + b"".join(part[1:] for part in captured[1:])
        return chunk(message, len(message), packets[0].direction) == captured
    except ProtocolError:
        return False


def _fail(packets: Sequence[PacketReport], error: ProtocolError) -> None:
    name = _likely_name(packets[0])
    for report in packets:
        report.message = name
        report.part_of = packets[0].line if len(packets) > 1 else None
        report.roundtrip = False
        report.error = str(error)


def _likely_name(first: PacketReport) -> str | None:
    """Name a message that did not complete, by what its first packet shows."""
    data = first.data
    if data.startswith(V3_START) and len(data) >= V3_HEADER_BYTES:
        command = int.from_bytes(data[8:10], "little")
        frame: Frame = V3Frame(command, 0, data[V3_HEADER_BYTES:], has_crc=False)
    elif _kind_of_parts(first.direction, data) == "notice":
        frame = ClassicFrame(data)
    else:
        return None
    return message_type(frame, first.direction).name
