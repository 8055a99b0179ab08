"""The `AOTA` files of Actions chips: two CRC-32 and a table of files (ido.md 11.2, S6).

The reference verified all sums on three files. They go over the D1 file transfer of IDO watches,
named `.fw` (ido.md 11.1). *Provisional:* where an entry's offset counts from; offsets that would
lie inside the head can only count from its end.
"""

import zlib
from typing import Any, Final

from construct import Array, Bytes, Int16ul, Int32ul, Padding, Struct

from firmware_protocol.errors import DecodeError
from firmware_protocol.images.ido_fw import TRANSPORT
from firmware_protocol.images.image import (
    Check,
    ImageInfo,
    ImagePart,
    Result,
    field_text,
    length_check,
    number_check,
    sum_check,
    unsigned_check,
    verdict,
)
from firmware_protocol.images.signatures import PublicKey

FORMAT: Final = "actions-aota"
MAGIC: Final = b"AOTA"
HEAD: Final = Struct(
    "magic" / Bytes(4),
    "head_crc" / Int32ul,
    "format_version" / Int16ul,
    "head_bytes" / Int16ul,
    "file_count" / Int16ul,
    "unknown_14" / Int16ul,
    "table_offset" / Int16ul,
    "unknown_18" / Int16ul,
    "total_bytes" / Int32ul,
    "body_crc" / Int32ul,
    Padding(0x40 - 28),
    "version" / Bytes(32),
    "board" / Bytes(32),
)
ENTRY: Final = Struct(
    "name" / Bytes(16),
    "offset" / Int32ul,
    "size_bytes" / Int32ul,
    "unknown_24" / Int32ul,
    "crc" / Int32ul,
)

HEAD_BYTES: Final = 1024
_LAYOUT: Final = 0x0100
_ENTRY_BYTES: Final = 32


def recognises(data: bytes, name: str = "") -> bool:
    """Whether a file begins as those of Actions do."""
    return data.startswith(MAGIC)


def read(data: bytes, name: str, key: PublicKey | None = None) -> ImageInfo:
    """Read and check an `AOTA` file.

    Its files are listed as facts of the one part: the watch takes the whole.

    Raises:
        DecodeError: it is too short for its head, or the table does not lie in the head.
    """
    if len(data) < HEAD_BYTES or not recognises(data):
        raise DecodeError("too short for the head of an AOTA file")
    head = HEAD.parse(data[:HEAD_BYTES])
    entries = _entries(data, head)
    checks = [
        number_check("header", "head of bytes:", head.head_bytes, HEAD_BYTES),
        number_check("header", "layout", head.format_version, _LAYOUT),
        length_check(data, head.total_bytes),
        sum_check("crc", zlib.crc32(data[8:HEAD_BYTES]), head.head_crc, "head"),
        sum_check(
            "crc",
            zlib.crc32(memoryview(data)[HEAD_BYTES : head.total_bytes]),
            head.body_crc,
            "body",
        ),
    ]
    files, made = _files(data, entries)
    checks += made
    names = [file["name"] for file in files]
    checks.append(
        verdict(
            "duplicate",
            len(set(names)) == len(names),
            f"{len(names)} files, no name twice",
            "a file stands twice in the table",
        )
    )
    checks.append(unsigned_check(key, "an AOTA file"))
    facts: dict[str, object] = {"board": field_text(head.board), "files": files}
    version = field_text(head.version) or None
    part = ImagePart(
        name, "application", data, b"", version, {"crc32": f"{head.body_crc:08x}"}, facts
    )
    return ImageInfo(FORMAT, TRANSPORT, (part,), {}, tuple(checks))


def _entries(data: bytes, head: Any) -> list[Any]:  # construct's containers are untyped
    end = head.table_offset + _ENTRY_BYTES * head.file_count
    if head.table_offset < HEAD.sizeof() or end > HEAD_BYTES:
        raise DecodeError("the table of an AOTA file does not lie in its head")
    return list(Array(head.file_count, ENTRY).parse(data[head.table_offset : end]))


def _files(data: bytes, entries: list[Any]) -> tuple[list[dict[str, object]], list[Check]]:
    """The files of the table as facts, and a check of each."""
    lowest = min((entry.offset for entry in entries), default=0)
    base = 0 if lowest >= HEAD_BYTES else HEAD_BYTES
    files: list[dict[str, object]] = []
    checks: list[Check] = []
    for entry in entries:
        begin = base + entry.offset
        label = field_text(entry.name)
        files.append(
            {
                "name": label,
                "offset": begin,
                "size_bytes": entry.size_bytes,
                "crc32": f"{entry.crc:08x}",
            }
        )
        checks += _entry_checks(data, begin, entry, label)
    return files, checks


def _entry_checks(data: bytes, begin: int, entry: Any, label: str) -> list[Check]:
    end = begin + entry.size_bytes
    if end > len(data):
        text = f"ends at {end}, behind the end of the file"
        return [Check("size", Result.FAILED, text, label)]
    return [sum_check("crc", zlib.crc32(memoryview(data)[begin:end]), entry.crc, label)]
