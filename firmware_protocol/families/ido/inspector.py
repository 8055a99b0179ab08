"""Names and decodes every packet of a capture of an IDO watch, both directions."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from firmware_protocol.errors import FrameError, ProtocolError
from firmware_protocol.families.ido.framing import (
    V3_HEADER_BYTES,
    V3_MARK,
    V3_START,
    ClassicFrame,
    Frame,
    FrameAssembler,
    V3Frame,
    is_piece,
    joined_pieces,
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
_V3: Final = "v3"
_NOTICE: Final = "notice"
_WHOLE: Final = ""


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
        self._done: dict[_Stream, tuple[list[PacketReport], Frame]] = {}

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
        elif len(packets) == 1 and self._ends_done_message(stream, data):
            done, frame = self._done[stream]
            done[-1].fields, done[-1].unknown_bytes = None, 0
            late = replace(frame, has_crc=True) if isinstance(frame, V3Frame) else frame
            self._finish(stream, [*done, report], late)
        else:
            self._open[stream] = packets

    def finish(self) -> list[PacketReport]:
        """Return one report per packet fed, in order of lines."""
        for packets in self._open.values():
            _fail(packets, FrameError("the rest of this message is missing"))
        self._open.clear()
        return self._reports

    def _ends_done_message(self, stream: _Stream, data: bytes) -> bool:
        """Tell whether a packet still belongs to the message before it.

        That is the CRC that a record came without, or the last piece of a notice written again.
        """
        if stream not in self._done:
            return False
        if stream[2] == _NOTICE:
            return self._done[stream][0][-1].data == data
        return not data.startswith(V3_START)

    def _finish(self, stream: _Stream, packets: list[PacketReport], frame: Frame) -> None:
        if stream[2] != _WHOLE:
            self._done[stream] = (packets, frame)
        message = decode_frame(frame, stream[0])
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
        return _V3
    return _NOTICE if is_piece(direction, data) else _WHOLE


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
    except ProtocolError:
        return False
    captured = [report.data for report in packets]
    if message.startswith(V3_START):
        return message == captured[0] + b"".join(part[1:] for part in captured[1:])
    if is_piece(packets[0].direction, captured[0]):
        return message == joined_pieces(list(dict.fromkeys(captured)))  # each piece once
    return message + bytes(padding) == captured[0]


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
    elif _kind_of_parts(first.direction, data) == _NOTICE:
        frame = ClassicFrame(data)
    else:
        return None
    return message_type(frame, first.direction).name
