"""Samples in, files out; one file of code per format. Nothing here opens a store."""

from collections.abc import Mapping
from typing import Final

from firmware_protocol.samples import Metric
from ksos_link.export.csv_table import write_csv
from ksos_link.export.fit import lacks_fit_time, write_fit
from ksos_link.export.format import (
    DocumentFormat,
    FolderFormat,
    Format,
    TableFormat,
    WorkoutFormat,
)
from ksos_link.export.gpx import lacks_route, write_gpx
from ksos_link.export.json_lines import write_json_lines
from ksos_link.export.source import Source
from ksos_link.export.target import Target
from ksos_link.export.tcx import write_tcx

__all__ = ["FORMATS", "DocumentFormat", "FolderFormat", "Format", "TableFormat", "WorkoutFormat"]


def _csv(source: Source, metric: Metric, target: Target) -> int:
    return write_csv(source.rows(metric.name), metric, target)


def _json_lines(source: Source, metric: Metric, target: Target) -> int:
    return write_json_lines(source.rows(metric.name), metric, target)


def _fhir(source: Source, target: Target) -> Mapping[str, int]:
    from ksos_link.export.fhir import write_fhir

    return write_fhir(source, target)


def _open_mhealth(source: Source, target: Target) -> Mapping[str, int]:
    from ksos_link.export.open_mhealth import write_open_mhealth

    return write_open_mhealth(source, target)


def _health_connect(source: Source, target: Target) -> Mapping[str, int]:
    from ksos_link.export.health_connect import write_health_connect

    return write_health_connect(source, target)


FORMATS: Final[tuple[Format, ...]] = (
    TableFormat("csv", "a table for spreadsheets", ".csv", _csv),
    TableFormat("jsonl", "a JSON object per sample", ".jsonl", _json_lines, streams=True),
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
    WorkoutFormat("fit", "a FIT activity per workout", ".fit", write_fit, lacks_fit_time),
    WorkoutFormat("tcx", "a TCX file per workout", ".tcx", write_tcx),
    WorkoutFormat("gpx", "a GPX file per route", ".gpx", write_gpx, lacks_route),
)
