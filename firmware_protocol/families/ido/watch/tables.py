"""What an A200 says of itself, byte for byte as captured (ido.md 8.1, 4.2), and its variants.

`legacy` takes the V3 bits away, so that a client must use the history of 7.11; `challenge` and
`three_part_version` announce the bind of an ID208 and the version reply of an R21.
"""

from collections.abc import Collection
from typing import Final

from firmware_protocol.families.ido.watch.options import (
    CHALLENGE,
    LEGACY,
    THREE_PART_VERSION,
)

_BASE: Final = bytes.fromhex("fb0aff4a3f6fe8153f0a0801020051cf0e7e")
_EXTENDED: Final = bytes.fromhex("402440ff384ed3ff0b08008495c706010034")
_V3: Final = bytes.fromhex("0109400000000000000004").ljust(102, b"\x00")

# byte index -> bits, of the base (8.1.1), extended (8.1.2) and V3 table (8.1.3)
_CALL, _V3_TABLE = 4, 0x20
_LEGACY_CLEARED: Final = {
    3: 0x18,  # main3: V3 SpO2, V3 stress
    5: 0x3C,  # main4: V3 heart rate, swim, activity, GPS
    11: 0x80,  # main7: V3 sport types
    12: 0x95,  # main8: V3 alarms, activity, SpO2 in minutes, sleep
    13: 0xC0,  # main9: V3 sports, sport exchange
    14: 0x05,  # main10: V3 language library, notifications
}
_MAIN8, _ENCRYPTED_AUTH = 12, 0x40
_TABLE12, _THREE_PART = 14, 0x20

FIXED_REPLIES: Final = {  # keys of group 02 whose payload never changes
    0x11: bytes.fromhex("0f2f041a2101170101050413130c0000"),
    0xA7: bytes.fromhex("00010178563412"),
    0xB2: bytes.fromhex("0000"),
    0xB3: bytes.fromhex("0100"),
    0xF0: bytes.fromhex("0089008900e8038c00"),
}
THREE_PART_VERSIONS: Final = bytes.fromhex("01002400010001010001")  # R21 (ido.md 4.2, 02 EB)
SCREEN: Final = b"Band 8".ljust(10, b"\x00") + bytes.fromhex("7800f0008500000004")


def base_table(options: Collection[str]) -> bytes:
    """The payload of 02 02."""
    table = bytearray(_BASE)
    if LEGACY in options:
        table[_CALL] &= ~_V3_TABLE
    return bytes(table)


def extended_table(options: Collection[str]) -> bytes:
    """The payload of 02 07."""
    table = bytearray(_EXTENDED)
    if LEGACY in options:
        for index, bits in _LEGACY_CLEARED.items():
            table[index] &= ~bits & 0xFF
    if CHALLENGE in options:
        table[_MAIN8] |= _ENCRYPTED_AUTH
    return bytes(table)


def v3_table(options: Collection[str]) -> bytes:
    """The payload of V3 1A."""
    table = bytearray(_V3)
    if THREE_PART_VERSION in options:
        table[_TABLE12] |= _THREE_PART
    return bytes(table)
