"""The document of an Apple Health export, as a stream of elements; a zip of one, too.

Apple puts a document type before it, in some versions one that is no XML. It is cut off unread: it
says nothing that is needed, and what entities and default values could do to a reader is gone.
"""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final
from xml.parsers import expat

from ksos_link.errors import MalformedError
from ksos_link.imports.importer import HEAD_BYTES, SourceFile

ZIP: Final = b"PK\x03\x04"
MARK: Final = b"HealthData"
_MOST_HEAD_BYTES: Final = 1 << 18
_PIECE_BYTES: Final = 1 << 16
_MOST_PENDING_BYTES: Final = 1 << 22  # of one element, with its attributes
_MAX_RATIO: Final = 200  # of an export some 30; of a bomb 1000
_SMALL_BYTES: Final = 1 << 16
_ENCRYPTED: Final = 1  # a flag of a zip's file
_ROUTE: Final = re.compile(r"/workout-routes/([^/\\:\x00]{1,200}\.gpx)")
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
Routes = Callable[[str], BinaryIO | None]


def recognise(head: bytes, file_name: str) -> bool:
    """Whether a file is an export, or a zip of one."""
    del file_name
    if head.startswith(ZIP):
        return b"apple_health_export/" in head or b"workout-routes/" in head
    return MARK in head and b"<" in head


@contextmanager
def opened(source: SourceFile) -> Iterator[tuple[BinaryIO, Routes]]:
    """The document, and what opens a route that it names: from the zip, or from beside the file.

    Raises:
        MalformedError: no zip that can be read, or none with a document in it.
    """
    if source.stream.read(len(ZIP)) != ZIP:
        source.stream.seek(0)
        yield source.stream, lambda name: _beside(source.path, name)
        return
    try:
        with zipfile.ZipFile(source.stream) as archive:
            infos = [info for info in archive.infolist() if _is_reasonable(info)]
            with archive.open(_document(archive, infos)) as document:
                yield document, lambda name: _within(archive, infos, name)  # type: ignore[misc] # reads as a stream does
    except _BROKEN as error:
        raise MalformedError("The zip cannot be read.", "Nothing of it was kept.") from error


def fed(stream: BinaryIO, start: Callable[[str, dict[str, str]], None]) -> Iterator[None]:
    """Tell `start` each element by its name and attributes, at its start; pauses now and then.

    No tree is built, and text is not looked at.

    Raises:
        MalformedError: it is no XML, or not whole, or one element is far too long.
    """
    parser = expat.ParserCreate("utf-8")  # whatever the document says of itself
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = _refuse_type
    fed_bytes, piece = 0, _without_type(stream)
    try:
        while piece:
            parser.Parse(piece, False)
            fed_bytes += len(piece)
            if fed_bytes - parser.CurrentByteIndex > _MOST_PENDING_BYTES:
                raise MalformedError("An element of the file is far too long.")
            yield
            piece = stream.read(_PIECE_BYTES)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise MalformedError(
            "The file is no XML that can be read.", "Nothing of it was kept."
        ) from error


def _refuse_type(*_: object) -> None:
    raise MalformedError("The file brings a document type where none can be.")


def _without_type(stream: BinaryIO) -> bytes:
    """The beginning of a document up to some way behind its type, which is left out.

    Raises:
        MalformedError: the type does not end where it should.
    """
    head = bytearray()
    while len(head) < _MOST_HEAD_BYTES and b"<HealthData" not in head:
        piece = stream.read(_PIECE_BYTES)
        if not piece:
            break
        head += piece
    begin, root = head.find(b"<!DOCTYPE"), head.find(b"<HealthData")
    if root < 0:
        raise MalformedError("The file is no export of Apple Health.", "Nothing of it was kept.")
    if 0 <= begin < root:
        del head[begin:root]
    return bytes(head)


def _is_reasonable(info: zipfile.ZipInfo) -> bool:
    """Whether a file of a zip may be read.

    Raises:
        MalformedError: it has a password, or would unpack to far more than an export holds.
    """
    if info.flag_bits & _ENCRYPTED:
        raise MalformedError("The zip has a password.", "Unpack it first.")
    if info.file_size > _MAX_RATIO * info.compress_size + _SMALL_BYTES:
        raise MalformedError(
            "The zip would unpack to far more than an export holds.", "Nothing of it was kept."
        )
    return not info.is_dir()


def _document(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    """The document by what it begins with: Apple gives it a name in the phone's language."""
    for info in infos:
        if info.filename.endswith(".xml") and len(PurePosixPath(info.filename).parts) <= 2:
            with archive.open(info) as file:
                if MARK in file.read(HEAD_BYTES):
                    return info
    raise MalformedError("There is no export of Apple Health in the zip.")


def _within(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo], name: str) -> BinaryIO | None:
    found = _ROUTE.fullmatch(name)
    for info in infos if found else ():
        if f"/{info.filename}".endswith(name):
            return archive.open(info)  # type: ignore[return-value] # reads as a stream does
    return None


def _beside(document: Path, name: str) -> BinaryIO | None:
    found = _ROUTE.fullmatch(name)
    if found is None:
        return None
    route = document.parent / "workout-routes" / found[1]
    return route.open("rb") if route.is_file() else None
