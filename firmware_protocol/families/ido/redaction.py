"""Masking a person in one packet, for captures that will be shared.

Lengths stay, and so does everything that the layouts check. V3 messages are left alone: their CRC
would break, and what a chunk holds is not known from the chunk alone.
"""

from collections.abc import Callable, Mapping
from typing import Final

from firmware_protocol.families.ido.framing import NOTICE_KEYS
from firmware_protocol.family import Direction

_BIRTH: Final = bytes.fromhex("C6 07 01 01")  # 1990-01-01, as in the published captures
_ADDRESS_BYTES: Final = 6
_OWN_BYTES: Final = 3  # the lower half of an address is the device's own
_MASK: Final = 0x78  # x


def redact(direction: Direction, data: bytes) -> bytes:
    """Return the packet with addresses, numbers, names, birth date, city and texts masked."""
    mask = _MASKS.get((direction, data[:2]))
    return mask(data) if mask else data


def _mask_address(data: bytes, at: int) -> bytes:
    """Keep the vendor's half of the address at `at`."""
    start = at + _ADDRESS_BYTES - _OWN_BYTES
    own = data[start : at + _ADDRESS_BYTES]
    return data[:start] + bytes(len(own)) + data[start + len(own) :]


def _mask_addresses(data: bytes) -> bytes:
    return _mask_address(_mask_address(data, 2), 2 + _ADDRESS_BYTES)


def _mask_challenge(data: bytes) -> bytes:
    return _mask_address(data, 5) if len(data) > 4 and data[3] else data


def _mask_proof(data: bytes) -> bytes:
    """The proof is challenge XOR address: with the address masked it ends like the challenge."""
    return data[:13] + data[7:10] if len(data) == 16 else data[:4] + bytes(len(data[4:]))


def _mask_birth(data: bytes) -> bytes:
    return data[:6] + _BIRTH[: max(0, len(data) - 6)] + data[10:]


def _mask_cycle(data: bytes) -> bytes:
    """The first day of the last period."""
    return data[:5] + _BIRTH[: max(0, len(data) - 5)] + data[9:]


def _mask_text(data: bytes, at: int) -> bytes:
    return data[:at] + bytes(_MASK if byte else 0 for byte in data[at:])


def _mask_body(data: bytes) -> bytes:
    """Mask a serial number or a name whose layout the reference does not have."""
    return _mask_text(data, 2)


def _mask_city(data: bytes) -> bytes:
    return _mask_text(data, 3)


def _mask_piece(data: bytes) -> bytes:
    """The first piece begins with the lengths of the texts, and of a message with its type."""
    lengths = 2 if data[:2] == NOTICE_KEYS[0] else 4
    return _mask_text(data, 4 + (lengths if data[3:4] == b"\x01" else 0))


_MASKS: Final[Mapping[tuple[Direction, bytes], Callable[[bytes], bytes]]] = {
    ("RX", b"\x02\x04"): _mask_addresses,
    ("RX", b"\x02\x06"): _mask_body,  # serial number
    ("RX", b"\x02\x35"): _mask_body,  # name on classic Bluetooth
    ("RX", b"\x02\xb4"): _mask_body,  # device name
    ("TX", b"\x03\xb4"): _mask_body,
    ("RX", b"\x07\x60"): _mask_body,  # text of a quick reply
    ("RX", b"\x04\x01"): _mask_challenge,
    ("TX", b"\x04\x05"): _mask_proof,
    ("TX", b"\x03\x10"): _mask_birth,
    ("TX", b"\x03\x41"): _mask_cycle,
    ("TX", b"\x0a\x02"): _mask_city,
    ("TX", NOTICE_KEYS[0]): _mask_piece,
    ("TX", NOTICE_KEYS[1]): _mask_piece,
}
