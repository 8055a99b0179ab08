"""What a reader of foreign files is, and what it gives: series by the one sample model.

A reader is pure: bytes in, records out, one by one, so that memory does not grow with the file. It
opens nothing else but files that its format keeps beside, and what the file says is not trusted:
sizes and numbers are checked before they are used. It raises `MalformedError` (errors.py) for a
file that it cannot read; the operation then keeps nothing of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from firmware_protocol.clock import ClockStretch
from firmware_protocol.samples import Decoded

HEAD_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that is open for reading, at its start.

    `path` is for those who must seek by name, as an SQLite file wants it; `stream` can seek too
    unless the file is a pipe.
    """

    path: Path
    stream: BinaryIO


@dataclass(frozen=True, slots=True)
class ImportedRecord:
    """One piece of a file with what it means, of a size that is at home in memory.

    `kind` is the reader's stable name for such pieces (`gpx.track`), `key` names the piece among
    its kind by what is in it, never by its place: the same piece in a later file replaces it.

    `offsets` tells how far local time was ahead of UTC, and from when; empty where the file does
    not say. It holds until `until_utc_s`, the piece's end; where pieces overlap, the one that ends
    first counts.

    `origin` names who recorded it where a file holds what several did: each is a source of its own,
    so that steps that a phone and a watch both counted are not taken for twice as many.
    """

    kind: str
    key: str
    decoded: Decoded
    until_utc_s: int
    offsets: tuple[ClockStretch, ...] = ()
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Importer:
    """A format that can be read.

    `recognise` gets the first `HEAD_BYTES` of a file and its name; `read` gives its pieces. It is
    None for an archive, which is no run of pieces but a whole store.
    """

    name: str
    title: str
    recognise: Callable[[bytes, str], bool]
    read: Callable[[SourceFile], Iterator[ImportedRecord]] | None
