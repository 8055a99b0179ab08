"""How a message is declared: a name, an opcode, a direction and a construct Struct.

Each file in `control/` declares the messages of one noun with the functions below:

    MESSAGES = get("battery", 0x05, Struct("type" / BATTERY_TYPE, "voltage_mv" / Int16ul))

Names: `ido.<verb>.<noun>` is written by the companion, `.reply` at the end comes from the watch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from construct import GreedyRange, Int8ul, Int16ul, Struct

from firmware_protocol.families.ido.codes import STATUS, WEEKDAYS
from firmware_protocol.family import Direction
from firmware_protocol.wire import BodyLayout, Code, Flags, Kind, Layout, Maybe, Written

# --- kinds that many messages share (ido.md 3.3-3.5, 10) ---

STATUS_CODE: Final = Code(Int8ul, STATUS)
SWITCH: Final = Code(Int8ul, {0xAA: "on", 0x55: "off"})
REVERSED_SWITCH: Final = Code(Int8ul, {0x55: "on", 0xAA: "off"})
BINARY_SWITCH: Final = Code(Int8ul, {1: "on", 0: "off"})
NOTIFY_FLAG: Final = Code(Int8ul, {0: "invalid", 1: "allowed", 2: "silent", 3: "off"})
REPEAT: Final = Flags(Int8ul, ("switch", *WEEKDAYS))
TIME: Final = Written("{:02d}:{:02d}", Int8ul, Int8ul)
DATE: Final = Written("{:04d}-{:02d}-{:02d}", Int16ul, Int8ul, Int8ul)
DATE_TIME: Final = Written(
    "{:04d}-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}", Int16ul, Int8ul, Int8ul, Int8ul, Int8ul, Int8ul
)

NOTHING: Final = Struct()
ACK: Final = Struct("status" / Maybe(STATUS_CODE))  # 3.2: most acknowledge with the bare key
RESULT: Final = Struct("status" / STATUS_CODE)


@dataclass(frozen=True, slots=True)
class MessageType:
    """One kind of message. `command` is None for a classic one.

    `prefix` are the constant bytes before the body: of a classic frame command, key and what else
    tells messages apart; of a V3 message the first bytes of its payload.
    """

    name: str
    direction: Direction
    command: int | None
    prefix: bytes
    layout: BodyLayout


Messages = tuple[MessageType, ...]


def classic(name: str, direction: Direction, prefix: str, body: Struct = NOTHING) -> MessageType:
    """Declare a classic message; `prefix` in hex, such as `02 05`."""
    return MessageType(name, direction, None, bytes.fromhex(prefix), Layout(body))


def exchange(name: str, prefix: str, request: Struct = NOTHING, reply: Struct = ACK) -> Messages:
    """Declare a classic request and its reply, which repeats command and key."""
    return (
        classic(name, "TX", prefix, request),
        classic(f"{name}.reply", "RX", prefix, reply),
    )


def get(noun: str, key: int, reply: Struct, request: Struct = NOTHING) -> Messages:
    """Declare a question of group 02."""
    return exchange(f"ido.get.{noun}", f"02 {key:02x}", request, reply)


def put(noun: str, key: int, request: Struct, reply: Struct = ACK) -> Messages:
    """Declare a setting of group 03."""
    return exchange(f"ido.set.{noun}", f"03 {key:02x}", request, reply)


def event(noun: str, key: int, body: Struct = NOTHING) -> Messages:
    """Declare an event of group 07, which nobody asked for."""
    return (classic(f"ido.event.{noun}", "RX", f"07 {key:02x}", body),)


def v3(name: str, command: int, request: Struct = NOTHING, reply: Struct = NOTHING) -> Messages:
    """Declare a V3 request and its reply, which repeats command and sequence."""
    return (
        MessageType(name, "TX", command, b"", Layout(request)),
        MessageType(f"{name}.reply", "RX", command, b"", Layout(reply)),
    )


def names_only(verb: str, group: int, nouns: Mapping[int, str]) -> Messages:
    """Declare exchanges that the reference only names; whatever they carry stays unknown."""
    return tuple(
        message
        for key, noun in nouns.items()
        for message in exchange(f"ido.{verb}.{noun}", f"{group:02x} {key:02x}", NOTHING, NOTHING)
    )


def many(item: Kind) -> Kind:
    """A list of items to the end of the body."""
    return GreedyRange(item)
