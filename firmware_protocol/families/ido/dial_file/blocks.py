"""The stream of compressed blocks that `.iwf.lz` is (ido.md 9.4; C)."""

from typing import Final

from firmware_protocol.dials import MOST_DIAL_BYTES
from firmware_protocol.errors import DecodeError, LocalProtocolError
from firmware_protocol.families.ido.dial_file.fastlz import decode_block, encode_block

BLOCK_BYTES: Final = (1024, 4096)  # those that watches tell (ido.md 6.5, V3 07)
_LENGTH_BYTES: Final = 4
_MOST_BLOCKS: Final = MOST_DIAL_BYTES // min(BLOCK_BYTES)


def unpack(data: bytes) -> tuple[bytes, int]:
    """Expand a whole stream; return it and the size of its blocks in bytes.

    All blocks but the last have one size.

    Raises:
        DecodeError: a block is cut or malformed, sizes differ, or it expands to more than a dial.
    """
    if not data:
        raise DecodeError("the file is empty")
    blocks: list[bytes] = []
    at = total_bytes = 0
    while at < len(data):
        expanded, at = _block(data, at)
        if blocks and len(blocks[-1]) != len(blocks[0]):
            raise DecodeError("blocks of different sizes")
        blocks.append(expanded)
        total_bytes += len(expanded)
        if total_bytes > MOST_DIAL_BYTES or len(blocks) > _MOST_BLOCKS:
            raise DecodeError(f"the dial expands to more than {MOST_DIAL_BYTES >> 20} MiB")
    if len(blocks[-1]) > len(blocks[0]):
        raise DecodeError("blocks of different sizes")
    return b"".join(blocks), len(blocks[0])


def first_block(data: bytes) -> bytes:
    """Expand only the first block.

    Raises:
        DecodeError: there is none, or it is malformed.
    """
    return _block(data, 0)[0]


def pack(data: bytes, block_bytes: int) -> bytes:
    """Compress in blocks of `block_bytes`.

    Raises:
        LocalProtocolError: no watch takes blocks of that size, or there is nothing to compress.
    """
    if block_bytes not in BLOCK_BYTES or not data:
        raise LocalProtocolError(f"blocks have {' or '.join(map(str, BLOCK_BYTES))} bytes")
    out = bytearray()
    for start in range(0, len(data), block_bytes):
        block = encode_block(data[start : start + block_bytes])
        out += len(block).to_bytes(_LENGTH_BYTES, "big") + block
    return bytes(out)


def _block(data: bytes, at: int) -> tuple[bytes, int]:
    """One block at `at`, expanded, and where the next one begins."""
    start = at + _LENGTH_BYTES
    end = start + int.from_bytes(data[at:start], "big")
    if start > len(data) or end > len(data):
        raise DecodeError("the last block is cut")
    return decode_block(data[start:end], max(BLOCK_BYTES)), end
