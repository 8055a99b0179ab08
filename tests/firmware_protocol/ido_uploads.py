"""Files for D1 transfers, made from the reference; and what tests of both ends share."""

import json
import struct
import zlib
from typing import Final

from firmware_protocol.dials import DialPart, Picture
from firmware_protocol.families.ido.dial_file import DIAL_FORMAT
from firmware_protocol.families.ido.watch import open_watch
from firmware_protocol.families.ido.watch.session import IdoWatchSession
from firmware_protocol.watch_session import WatchMemory, WatchTraits

PACKET_BYTES: Final = 134  # of a link that carries 137
WINDOW_BYTES: Final = 10 * PACKET_BYTES


def firmware(size_bytes: int, seed: int = 1) -> bytes:
    """A `.fw` with its length and sum (ido.md 11.2)."""
    body = bytes((seed * 7 + at * 13 + at // 251) & 0xFF for at in range(size_bytes - 8))
    return struct.pack("<II", len(body), zlib.crc32(body)) + body


def aota(size_bytes: int) -> bytes:
    """An `AOTA` file with both sums, its table left empty."""
    body = bytes(at & 0xFF for at in range(size_bytes - 1024))
    head = struct.pack(
        "<HHHHHHII", 0x0100, 0x0400, 0, 0, 0x200, 0x400, size_bytes, zlib.crc32(body)
    )
    head = head.ljust(1024 - 8, b"\0")
    return b"AOTA" + struct.pack("<I", zlib.crc32(head)) + head + body


def dial(
    title: str = "made",
    width: int = 120,
    height: int = 240,
    shade: int = 0,
    *,
    flat: bool = False,
    encoding: str = "rgb565a",
) -> bytes:
    """A dial that nothing speaks against, expanded; a flat one packs to very little."""
    layout = {"name": title, "preview": "small.bmp", "bkground": "back.png", "item": []}
    row = b"".join(bytes((0 if flat else 8 * (x % 32), shade, 0, 255)) for x in range(width))
    back = Picture(width, height, row * height)
    small = Picture(8, 8, row[: 8 * 4] * 8)
    return DIAL_FORMAT.put_together(
        (
            DialPart("iwf.json", json.dumps(layout).encode()),
            DialPart("back.png", picture=back, encoding=encoding),
            DialPart("small.bmp", picture=small, encoding="rgb565a"),
        )
    )


def packed(data: bytes, block_bytes: int = 1024) -> bytes:
    return DIAL_FORMAT.pack(data, block_bytes)


def watch(
    *options: str,
    platform: int | None = None,
    battery_pct: int = 64,
    firmware_version: int | None = None,
) -> IdoWatchSession:
    traits = WatchTraits(
        "F9:24:12:00:00:01",
        1_800_000_000,
        battery_pct=battery_pct,
        options=frozenset(options),
        platform=platform,
        firmware_version=firmware_version,
    )
    session = open_watch(WatchMemory(), traits)
    assert isinstance(session, IdoWatchSession)
    return session
