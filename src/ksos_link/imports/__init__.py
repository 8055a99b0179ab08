"""Readers of what other programs recorded. A new format is one file here and one line below."""

from collections.abc import Iterator
from typing import Final

from ksos_link.imports import archive
from ksos_link.imports.apple_health import APPLE_HEALTH_IMPORTER
from ksos_link.imports.fit import FIT_IMPORTER
from ksos_link.imports.gpx import GPX_IMPORTER
from ksos_link.imports.importer import ImportedRecord, Importer, SourceFile
from ksos_link.imports.tcx import TCX_IMPORTER


def _is_account(head: bytes, file_name: str) -> bool:
    from ksos_link.imports.ksos_account import recognise  # protobuf, which few need

    return recognise(head, file_name)


def _account(source: SourceFile) -> Iterator[ImportedRecord]:
    from ksos_link.imports.ksos_account import read

    return read(source)


def _is_sqlite(head: bytes, file_name: str) -> bool:
    del file_name
    return head.startswith(b"SQLite format 3\0")


def _gadgetbridge(source: SourceFile) -> Iterator[ImportedRecord]:
    from ksos_link.imports.gadgetbridge import read  # SQLite's own library, which few need

    return read(source)


ARCHIVE: Final = Importer("archive", "an archive of ksos", archive.recognise, None)
_ACCOUNT: Final = Importer("ksos", "a KS OS account", _is_account, _account)
_GADGETBRIDGE: Final = Importer("gadgetbridge", "Gadgetbridge", _is_sqlite, _gadgetbridge)
IMPORTERS: Final[tuple[Importer, ...]] = (
    FIT_IMPORTER,
    GPX_IMPORTER,
    TCX_IMPORTER,
    APPLE_HEALTH_IMPORTER,
    _GADGETBRIDGE,
    ARCHIVE,
    _ACCOUNT,  # the last: protobuf has no mark of its own
)


def recognised(head: bytes, file_name: str) -> Importer | None:
    """The first format that takes a file for its own, by the file's first bytes and its name."""
    return next((each for each in IMPORTERS if each.recognise(head, file_name)), None)


def importer_named(name: str) -> Importer | None:
    """The format of that name, or None."""
    return next((each for each in IMPORTERS if each.name == name), None)
