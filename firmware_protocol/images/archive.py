"""Zip archives from strangers, in memory: names checked, sizes limited, nothing goes to disk.

Python's reader believes what an archive says of itself; what could make it read or inflate without
end is looked at here first.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from firmware_protocol.errors import DecodeError
from firmware_protocol.images.image import MAX_PART_BYTES, MAX_PARTS, Check, Result, shown

MAGIC: Final = b"PK\x03\x04"
_END_MAGIC: Final = b"PK\x05\x06"
_END: Final = struct.Struct("<4s4H2IH")
_ZIP64_LOCATOR: Final = (b"PK\x06\x07", 20)  # stands right before the end record
_MAX_COMMENT_BYTES: Final = 0xFFFF
_MAX_DIRECTORY_BYTES: Final = 256 * 1024  # of 128 members with names of 2 kB
_MAX_TOTAL_BYTES: Final = 256 * 1024 * 1024  # all that one reading inflates
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED_FLAG: Final = 0x1
_ZIP_ERRORS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    ValueError,
)


class Archive:
    """The members of an archive, inflated one at a time and never past a limit."""

    def __init__(self, data: bytes) -> None:
        """Read the directory.

        Raises:
            DecodeError: it is cut short, damaged, too large, or holds names that lead elsewhere.
        """
        self._ends_at = _checked_end(data)
        self._data = data
        self._left_bytes = _MAX_TOTAL_BYTES
        with _plain_errors():
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        self._members = {member.filename: member for member in self._checked_members()}

    @property
    def names(self) -> Sequence[str]:
        """All members, in the order of the directory."""
        return list(self._members)

    def read(self, name: str, limit_bytes: int = MAX_PART_BYTES) -> bytes:
        """Inflate one member.

        Raises:
            DecodeError: there is none of this name, it is damaged, or larger than the limit.
        """
        if name not in self._members:
            raise DecodeError(f"the archive holds no {shown(name)}")
        limit_bytes = min(limit_bytes, self._left_bytes)
        size_bytes = self._members[name].file_size
        if size_bytes > limit_bytes:
            raise DecodeError(f"{shown(name)} in the archive is larger than {limit_bytes} bytes")
        self._left_bytes -= size_bytes
        return self.peek(name, size_bytes)  # never inflates more than was asked for

    def peek(self, name: str, count: int) -> bytes:
        """The first bytes of a member.

        Raises:
            DecodeError: it is damaged.
        """
        with _plain_errors(), self._zip.open(self._members[name]) as file:
            return file.read(count)

    def tail_check(self) -> Check:
        """Whether the archive ends where its file ends, and begins where it begins."""
        extra = len(self._data) - self._ends_at
        if extra == 0:
            return Check("size", Result.PASSED, f"{self._ends_at} bytes")
        return Check("trailing", Result.FAILED, f"{extra} bytes behind the end of the archive")

    def _checked_members(self) -> list[zipfile.ZipInfo]:
        members = [member for member in self._zip.infolist() if member.filename[-1:] != "/"]
        if len(self._zip.infolist()) > MAX_PARTS:
            raise DecodeError(f"the archive holds more than {MAX_PARTS} files")
        if len({member.filename for member in members}) != len(members):
            raise DecodeError("the archive holds two files of one name")
        for member in members:
            if not is_plain_name(member.filename):
                raise DecodeError("the archive holds a name that leads out of its folder")
            if member.flag_bits & _ENCRYPTED_FLAG or member.compress_type not in _METHODS:
                raise DecodeError(f"{shown(member.filename)} is encrypted or packed unusually")
        return members


def recognises(data: bytes, name: str = "") -> bool:
    """Whether a file begins as a zip archive does."""
    return data.startswith(MAGIC)


def is_plain_name(name: str) -> bool:
    """Whether a name stays below the folder it is read from, on every system."""
    parts = name.split("/")
    return (
        name.isprintable()
        and "\\" not in name
        and ":" not in name
        and not any(part in ("", ".", "..") for part in parts)
    )


def _checked_end(data: bytes) -> int:
    """Find the end record, and refuse what would make Python's reader build a huge directory."""
    at = data.rfind(_END_MAGIC, max(0, len(data) - _MAX_COMMENT_BYTES - 2 * _END.size))
    if not recognises(data) or at < 0 or len(data) < at + _END.size:
        raise DecodeError("the archive is cut short: its directory is missing")
    numbers: tuple[int, ...] = _END.unpack_from(data, at)[1:]
    *_, directory_bytes, directory_at, comment_bytes = numbers
    locator, size_bytes = _ZIP64_LOCATOR
    if data[max(0, at - size_bytes) : at].startswith(locator):
        raise DecodeError("the archive is of the zip64 kind, which no firmware needs")
    if directory_bytes > _MAX_DIRECTORY_BYTES:
        raise DecodeError("the directory of the archive is far too large")
    if directory_at + directory_bytes != at:
        raise DecodeError("the archive does not begin where its file begins, or has gaps")
    return at + _END.size + comment_bytes


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except _ZIP_ERRORS:
        raise DecodeError("the archive is damaged") from None
