"""How the watch reads what it got: compressed dials, and firmware (ido.md 9.2, 9.4, 11.2).

Written from the reference alone, so that a mistake of the companion's readers shows here.
"""

import struct
import zlib
from typing import Final

BLOCK_BYTES: Final = 1024  # of V3 07 as captured
_AOTA_HEAD_BYTES: Final = 1024
_COPY: Final = 0x20  # control bytes from here on
_LONG: Final = 6  # a copy whose length goes on
_FAR: Final = 0x1FFF


class NotReadableError(Exception):
    """What came is damaged."""


def expanded_dial(data: bytes, most_bytes: int) -> bytes:
    """A whole `.iwf.lz`, expanded; all blocks but the last have the size that V3 07 tells.

    Raises:
        NotReadableError: a block is damaged or has another size, or what it holds is no dial.
    """
    blocks: list[bytes] = []
    at = 0
    while at < len(data):
        if blocks and len(blocks[-1]) != BLOCK_BYTES:
            raise NotReadableError("a block of another size")
        (size,) = struct.unpack_from(">I", data.ljust(at + 4, b"\x00"), at)
        block = data[at + 4 : at + 4 + size]
        if len(block) != size or not size or BLOCK_BYTES * len(blocks) > most_bytes:
            raise NotReadableError("a block that is cut, or too many of them")
        blocks.append(_expanded_block(block))
        at += 4 + size
    dial = b"".join(blocks)
    _check_table(dial)
    return dial


def is_firmware(data: bytes) -> bool:
    """Whether the sums of an 845 `.fw` or of an `AOTA` file are right."""
    if data.startswith(b"AOTA") and len(data) > _AOTA_HEAD_BYTES:
        (head_sum,) = struct.unpack_from("<I", data, 4)
        total, body_sum = struct.unpack_from("<II", data, 20)
        sums = zlib.crc32(data[8:_AOTA_HEAD_BYTES]), zlib.crc32(data[_AOTA_HEAD_BYTES:])
        return (total, head_sum, body_sum) == (len(data), *sums)
    if len(data) <= 8:
        return False
    size, image_sum = struct.unpack_from("<II", data)
    return (size, image_sum) == (len(data) - 8, zlib.crc32(data[8:]))


def _check_table(dial: bytes) -> None:
    """The container's table must lie in it, and all files of the table (9.2)."""
    magic, version, count = struct.unpack_from("<4sHH", dial.ljust(8, b"\x00"))
    end = 8 + 40 * count
    if magic != b"iwf\x00" or version != 1 or end > len(dial):
        raise NotReadableError("no dial")
    for row in range(8, end, 40):
        offset, size = struct.unpack_from("<II", dial, row + 32)
        if offset + size > len(dial):
            raise NotReadableError("a file that lies outside")


def _expanded_block(block: bytes) -> bytes:
    """One FastLZ block of level 2."""
    if block[0] >> 5 != 1:
        raise NotReadableError("a block of another level")
    out, at, control = bytearray(), 1, block[0] & 0x1F
    try:
        while True:
            if control < _COPY:
                run = block[at : at + control + 1]
                if len(run) != control + 1:
                    raise NotReadableError("a block that is cut")
                out += run
                at += len(run)
            else:
                at = _copy(out, block, at, control)
            if len(out) > BLOCK_BYTES:
                raise NotReadableError("a block that expands to too much")
            if at == len(block):
                return bytes(out)
            control, at = block[at], at + 1
    except IndexError:
        raise NotReadableError("a block that is cut") from None


def _copy(out: bytearray, block: bytes, at: int, control: int) -> int:
    """Carry out one copy; where the next control byte stands."""
    length, distance = (control >> 5) - 1, (control & 0x1F) << 8
    if length == _LONG:
        while block[at] == 0xFF:
            length, at = length + 0xFF, at + 1
        length, at = length + block[at], at + 1
    distance += block[at]
    at += 1
    if distance == _FAR:
        distance, at = (block[at] << 8 | block[at + 1]) + _FAR, at + 2
    start = len(out) - distance - 1
    if start < 0 or len(out) + length + 3 > BLOCK_BYTES:
        raise NotReadableError("a copy from outside the block, or beyond its end")
    for place in range(start, start + length + 3):  # it may read what it writes
        out.append(out[place])
    return at
