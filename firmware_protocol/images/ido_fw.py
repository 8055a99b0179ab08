"""The `.fw` of IDO watches: a length, a CRC-32, the image (ido.md 11.2, S6, verified on a file).

It goes over the D1 file transfer (ido.md 11.1).
"""

import zlib
from typing import Final

from construct import Int32ul, Struct

from firmware_protocol.errors import DecodeError
from firmware_protocol.images.image import (
    ImageInfo,
    ImagePart,
    length_check,
    sum_check,
    unsigned_check,
)
from firmware_protocol.images.signatures import PublicKey

FORMAT: Final = "ido-fw"
TRANSPORT: Final = "ido-d1"
ENDING: Final = ".fw"
HEAD: Final = Struct("image_bytes" / Int32ul, "crc" / Int32ul)
HEAD_BYTES: Final = 8


def recognises(data: bytes, name: str) -> bool:
    """Whether the length at the front is that of the file; nothing else marks a `.fw`."""
    return (
        len(data) > HEAD_BYTES
        and HEAD.parse(data[:HEAD_BYTES]).image_bytes == len(data) - HEAD_BYTES
    )


def recognises_name(data: bytes, name: str) -> bool:
    """Whether a file is named as one; a broken one has nothing else."""
    return name.lower().endswith(ENDING)


def read(data: bytes, name: str, key: PublicKey | None = None) -> ImageInfo:
    """Read and check a `.fw`.

    Raises:
        DecodeError: it is too short for its head.
    """
    if len(data) <= HEAD_BYTES:
        raise DecodeError("too short for a .fw")
    head = HEAD.parse(data[:HEAD_BYTES])
    end = HEAD_BYTES + head.image_bytes
    found = zlib.crc32(memoryview(data)[HEAD_BYTES:end])
    part = ImagePart(
        name,
        "application",
        data,
        digests={"crc32": f"{head.crc:08x}"},
        facts={"image_bytes": head.image_bytes},
    )
    checks = (
        length_check(data, end),
        sum_check("crc", found, head.crc),
        unsigned_check(key, "a .fw"),
    )
    return ImageInfo(FORMAT, TRANSPORT, (part,), {}, checks)
