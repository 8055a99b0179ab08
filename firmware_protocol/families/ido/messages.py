"""Every message of the IDO wire: frames in, names and fields out, and back.

The catalogue is the tuple below. A message is found by its direction and the bytes it begins with;
one that no file declares is `ido.unknown.<opcode>`, and its body stays `unknown_0`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from construct import Struct

from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.families.ido import transfer_frames
from firmware_protocol.families.ido.control import (
    alarm,
    battery,
    bind,
    clock,
    device,
    dial,
    directory,
    display,
    dnd,
    event,
    find,
    function_table,
    goal,
    legacy,
    link,
    live,
    measure,
    music,
    notice,
    record,
    reminder,
    reset,
    sport,
    unit,
    update,
    wearer,
    weather,
)
from firmware_protocol.families.ido.framing import (
    HEALTH_RECORD,
    ClassicFrame,
    Frame,
    V3Frame,
    encode_v3,
)
from firmware_protocol.families.ido.message_type import Messages, MessageType
from firmware_protocol.family import Direction
from firmware_protocol.wire import Layout

CATALOGUE: Final[Messages] = (
    *alarm.MESSAGES,
    *battery.MESSAGES,
    *bind.MESSAGES,
    *clock.MESSAGES,
    *device.MESSAGES,
    *dial.MESSAGES,
    *directory.MESSAGES,
    *display.MESSAGES,
    *dnd.MESSAGES,
    *event.MESSAGES,
    *find.MESSAGES,
    *function_table.MESSAGES,
    *goal.MESSAGES,
    *legacy.MESSAGES,
    *link.MESSAGES,
    *live.MESSAGES,
    *measure.MESSAGES,
    *music.MESSAGES,
    *notice.MESSAGES,
    *record.MESSAGES,
    *reminder.MESSAGES,
    *reset.MESSAGES,
    *sport.MESSAGES,
    *transfer_frames.MESSAGES,
    *unit.MESSAGES,
    *update.MESSAGES,
    *wearer.MESSAGES,
    *weather.MESSAGES,
)
_BY_NAME: Final = {kind.name: kind for kind in CATALOGUE}
_BY_OPCODE: Final = {(kind.direction, kind.command, kind.prefix): kind for kind in CATALOGUE}
_PREFIX_BYTES: Final = {True: (3, 2), False: (2, 0)}  # longest first, classic and V3
_PADDED_BYTES: Final = 20  # a log of the vendor app shows shorter replies filled up to this (3.2)
_UNKNOWN: Final = "ido.unknown."
_REPLY: Final = ".reply"
_OPAQUE: Final = Layout(Struct())


@dataclass(frozen=True, slots=True)
class IdoMessage:
    """One whole message. `fields` are ready for JSON; `payload` is what they were read from."""

    name: str
    fields: Mapping[str, object]
    sequence: int | None = None
    padding: int = 0
    unknown_bytes: int = 0
    payload: bytes = field(default=b"", repr=False, compare=False)


def decode_frame(frame: Frame, direction: Direction) -> IdoMessage:
    """Name a frame and its content; what has no layout, or contradicts it, is unknown bytes."""
    kind = message_type(frame, direction)
    content = frame.data if isinstance(frame, ClassicFrame) else frame.payload
    padded = direction == "RX" and isinstance(frame, ClassicFrame) and len(content) == _PADDED_BYTES
    body = kind.layout.decode(content[len(kind.prefix) :], padded=padded)
    sequence = frame.sequence if isinstance(frame, V3Frame) else None
    return IdoMessage(
        kind.name, body.fields, sequence, body.padding, body.unknown_bytes, payload=content
    )


def encode_message(
    name: str,
    fields: Mapping[str, object],
    *,
    sequence: int | None = None,
    with_crc: bool | None = None,
    short: bool | None = None,
) -> bytes:
    """Return a whole message, before chunking: the inverse of `decode_frame`.

    What the watch sends may be `short` of fields as older firmware is; what we write may not unless
    asked for, because a short setting is executed with whatever is in the watch's memory (3.2, L).
    Without `with_crc` only a record reply lacks its CRC, as on A200 (6.1).

    Raises:
        LocalProtocolError: no such message, or fields or sequence do not fit it.
    """
    kind = _BY_NAME.get(name) or _unknown_type(name)
    if short is None:
        short = kind.direction == "RX"
    body = kind.prefix + kind.layout.encode(fields, short=short)
    if kind.command is None:
        return body
    if sequence is None:
        raise LocalProtocolError(f"{name} needs a sequence number")
    if with_crc is None:
        with_crc = not may_lack_crc(kind.direction, kind.command)
    return encode_v3(kind.command, sequence, body, with_crc=with_crc)


def message_type(frame: Frame, direction: Direction) -> MessageType:
    """Return what kind of message a frame is; one made on the spot if it is not declared."""
    command = None if isinstance(frame, ClassicFrame) else frame.command
    content = frame.data if isinstance(frame, ClassicFrame) else frame.payload
    for size in _PREFIX_BYTES[command is None]:
        if kind := _BY_OPCODE.get((direction, command, content[:size])):
            return kind
    opcode = content[:2].hex("_") if command is None else f"v3_{command:04x}"
    return _unknown_type(f"{_UNKNOWN}{opcode}{_REPLY if direction == 'RX' else ''}")


def may_lack_crc(direction: Direction, command: int) -> bool:
    """Tell whether a V3 message may come without its CRC (6.1)."""
    return direction == "RX" and command == HEALTH_RECORD


def _unknown_type(name: str) -> MessageType:
    opcode = name.removeprefix(_UNKNOWN).removesuffix(_REPLY)
    direction: Direction = "RX" if name.endswith(_REPLY) else "TX"
    is_v3 = opcode.startswith("v3_")
    try:
        number = bytes.fromhex(opcode.removeprefix("v3_").replace("_", " "))
    except ValueError:
        number = b""
    # a value of one byte has half an opcode
    if len(number) not in ((2,) if is_v3 else (1, 2)) or not name.startswith(_UNKNOWN):
        raise LocalProtocolError(f"there is no message {name}")
    command = int.from_bytes(number) if is_v3 else None
    return MessageType(name, direction, command, b"" if is_v3 else number, _OPAQUE)
