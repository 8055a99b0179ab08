"""Check values of the wires, each named with its parameters and a known answer."""

import binascii
from typing import Final

CRC16_CCITT_FALSE_CHECK: Final = 0x29B1  # of b"123456789"


def crc16_ccitt_false(data: bytes) -> int:
    """CRC-16/CCITT-FALSE: poly 0x1021, init 0xFFFF, not reflected, no final xor (ido.md 6.1)."""
    return binascii.crc_hqx(data, 0xFFFF)
