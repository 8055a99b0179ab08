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


ARCHIVE: Final = Importer("archive", "an archive of ksos", archive.recognise, None)
_ACCOUNT: Final = Importer("ksos", "a KS OS account", _is_account, _account)
IMPORTERS: Final[tuple[Importer, ...]] = (
    FIT_IMPORTER,
    GPX_IMPORTER,
    TCX_IMPORTER,
    APPLE_HEALTH_IMPORTER,
    ARCHIVE,
    _ACCOUNT,  # the last: protobuf has no mark of its own
)


def recognised(head: bytes, file_name: str) -> Importer | None:
    """The first format that takes a file for its own, by the file's first bytes and its name."""
    return next((each for each in IMPORTERS if each.recognise(head, file_name)), None)


def importer_named(name: str) -> Importer | None:
    """The format of that name, or None."""
    return next((each for each in IMPORTERS if each.name == name), None)
