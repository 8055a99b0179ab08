"""The IWF container: a table of names, and the files it names (ido.md 9.2; C, V from S10)."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from firmware_protocol.dials import MOST_DIAL_BYTES, MOST_DIAL_FILES
from firmware_protocol.errors import DecodeError, LocalProtocolError

MAGIC: Final = b"iwf\0"
VERSION: Final = 1
_HEAD: Final = struct.Struct("<4sHH")
_ROW: Final = struct.Struct("<32sII")
_NAME_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class ContainerFile:
    """One row of the table. It may point outside the container."""

    name: str
    offset_bytes: int
    size_bytes: int
    is_inside: bool


@dataclass(frozen=True, slots=True)
class Container:
    """The files in order of the table, which ends at `table_bytes`."""

    version: int
    files: tuple[ContainerFile, ...]
    table_bytes: int
    data: bytes

    @property
    def size_bytes(self) -> int:
        """The size of the whole."""
        return len(self.data)

    def body(self, file: ContainerFile, most_bytes: int | None = None) -> bytes:
        """A file's bytes, or only the first ones; cut on demand, as rows may share a large body."""
        size = file.size_bytes if most_bytes is None else min(file.size_bytes, most_bytes)
        return self.data[file.offset_bytes : file.offset_bytes + size]


def decode_container(data: bytes) -> Container:
    """Read the table. Where files lie is for `objections` to judge.

    Raises:
        DecodeError: no container, a cut table, or more than any dial has.
    """
    if len(data) > MOST_DIAL_BYTES:
        raise DecodeError(f"the dial is larger than {MOST_DIAL_BYTES >> 20} MiB")
    if len(data) < _HEAD.size or not data.startswith(MAGIC):
        raise DecodeError("no IWF container")
    _, version, count = _HEAD.unpack_from(data)
    if count > MOST_DIAL_FILES:
        raise DecodeError(f"the table names {count} files, more than {MOST_DIAL_FILES}")
    table_bytes = _HEAD.size + count * _ROW.size
    if table_bytes > len(data):
        raise DecodeError("the table of files is cut")
    rows = _ROW.iter_unpack(data[_HEAD.size : table_bytes])
    files = tuple(
        ContainerFile(_name(name), offset, size, offset + size <= len(data))
        for name, offset, size in rows
    )
    return Container(version, files, table_bytes, data)


def _name(name: bytes) -> str:
    return name.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def encode_container(files: Sequence[tuple[str, bytes]]) -> bytes:
    """Write files, names and bodies, back to back in their order.

    Raises:
        LocalProtocolError: a name is empty, too long or there twice, or it is all too large.
    """
    if len(files) > MOST_DIAL_FILES:
        raise LocalProtocolError(f"a dial holds {MOST_DIAL_FILES} files, not {len(files)}")
    names = [_name_bytes(name) for name, _ in files]
    if len(set(names)) != len(names):
        twice = next(name for name, _ in files if [n for n, _ in files].count(name) > 1)
        raise LocalProtocolError(f"the name {twice!r} is there twice")
    offset = _HEAD.size + len(files) * _ROW.size
    rows = []
    for name, (_, body) in zip(names, files, strict=True):
        rows.append(_ROW.pack(name, offset, len(body)))
        offset += len(body)
        if offset > MOST_DIAL_BYTES:
            raise LocalProtocolError(f"a dial has at most {MOST_DIAL_BYTES >> 20} MiB")
    return b"".join((_HEAD.pack(MAGIC, VERSION, len(files)), *rows, *(body for _, body in files)))


def _name_bytes(name: str) -> bytes:
    try:
        encoded = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise LocalProtocolError(f"the name {name!r} is no text") from error
    if not 0 < len(encoded) <= _NAME_BYTES or b"\0" in encoded:
        raise LocalProtocolError(f"the name {name!r} must have 1 to {_NAME_BYTES} bytes")
    return encoded
