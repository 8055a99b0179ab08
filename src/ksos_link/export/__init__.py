"""Samples in, files out; one file of code per format. Nothing here opens a store."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ksos_link.export.archive_source import ArchiveSource
from ksos_link.export.csv_table import write_csv
from ksos_link.export.fit import lacks_fit_time, write_fit
from ksos_link.export.format import (
    ArchiveFormat,
    DocumentFormat,
    FolderFormat,
    Format,
    TableFormat,
    WorkoutFormat,
)
from ksos_link.export.gpx import lacks_route, write_gpx
from ksos_link.export.json_lines import write_json_lines
from ksos_link.export.line_protocol import write_line_protocol
from ksos_link.export.source import ColumnSource, Source
from ksos_link.export.target import Target
from ksos_link.export.tcx import write_tcx

__all__ = [
    "FORMATS",
    "ArchiveFormat",
    "DocumentFormat",
    "FolderFormat",
    "Format",
    "TableFormat",
    "WorkoutFormat",
]


def _parquet(source: ColumnSource, folder: Path) -> Mapping[str, int]:
    from ksos_link.export.parquet import write_parquet

    return write_parquet(source, folder)


def _sqlite(source: ColumnSource, target: Target) -> Mapping[str, int]:
    from ksos_link.export.sqlite_file import write_sqlite

    return write_sqlite(source, target)


def _fhir(source: Source, target: Target) -> Mapping[str, int]:
    from ksos_link.export.fhir import write_fhir

    return write_fhir(source, target)


def _open_mhealth(source: Source, target: Target) -> Mapping[str, int]:
    from ksos_link.export.open_mhealth import write_open_mhealth

    return write_open_mhealth(source, target)


def _health_connect(source: Source, target: Target) -> Mapping[str, int]:
    from ksos_link.export.health_connect import write_health_connect

    return write_health_connect(source, target)


def _apple_health(source: Source, folder: Path) -> Mapping[str, int]:
    from ksos_link.export.apple_health import write_apple_health

    return write_apple_health(source, folder)


def _account(source: Source, folder: Path) -> Mapping[str, int]:
    from ksos_link.export.ksos_account import write_account

    return write_account(source, folder)


def _old_account(source: Source, folder: Path) -> Mapping[str, int]:
    from ksos_link.export.ksos_account import write_account

    return write_account(source, folder, old=True)


def _archive(source: ArchiveSource, target: Target) -> Mapping[str, int]:
    from ksos_link.export.archive import write_archive

    return write_archive(source, target)


PLAIN: Final = "This database is not encrypted: whoever can open the file can read all of it."
FORMATS: Final[tuple[Format, ...]] = (
    TableFormat("csv", "a table for spreadsheets", ".csv", write_csv),
    TableFormat("jsonl", "a JSON object per sample", ".jsonl", write_json_lines, streams=True),
    TableFormat("influx", "line protocol of time series", ".lp", write_line_protocol, streams=True),
    FolderFormat("parquet", "columns for data frames, a file per watch and month", _parquet),
    DocumentFormat("sqlite", "a database that is not encrypted", ".sqlite", _sqlite, PLAIN),
    DocumentFormat("fhir", "a FHIR R4 Bundle for clinical programs", ".fhir.json", _fhir),
    DocumentFormat(
        "openmhealth",
        "data points of Open mHealth and IEEE 1752.1",
        ".openmhealth.jsonl",
        _open_mhealth,
    ),
    DocumentFormat(
        "health-connect",
        "records for an app that inserts them on Android",
        ".health-connect.json",
        _health_connect,
    ),
    FolderFormat("apple-health", "a folder as Apple Health exports it", _apple_health),
    WorkoutFormat("fit", "a FIT activity per workout", ".fit", write_fit, lacks_fit_time),
    WorkoutFormat("tcx", "a TCX file per workout", ".tcx", write_tcx),
    WorkoutFormat("gpx", "a GPX file per route", ".gpx", write_gpx, lacks_route),
    FolderFormat("ksos", "health and sport files of a KS OS account", _account),
    FolderFormat("ksos-2024", "the same in the layout until November 2024", _old_account),
    ArchiveFormat("archive", "your full copy, to keep and to import", "-archive.zip", _archive),
)
