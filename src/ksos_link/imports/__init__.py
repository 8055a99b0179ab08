"""Readers of what other programs recorded. A new format is one file here and one line below."""

from typing import Final

from ksos_link.imports.fit import FIT_IMPORTER
from ksos_link.imports.gpx import GPX_IMPORTER
from ksos_link.imports.importer import Importer
from ksos_link.imports.tcx import TCX_IMPORTER

IMPORTERS: Final[tuple[Importer, ...]] = (FIT_IMPORTER, GPX_IMPORTER, TCX_IMPORTER)


def recognised(head: bytes, file_name: str) -> Importer | None:
    """The first format that takes a file for its own, by the file's first bytes and its name."""
    return next((each for each in IMPORTERS if each.recognise(head, file_name)), None)


def importer_named(name: str) -> Importer | None:
    """The format of that name, or None."""
    return next((each for each in IMPORTERS if each.name == name), None)
