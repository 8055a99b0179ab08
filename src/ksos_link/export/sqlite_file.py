"""A plain SQLite database: a table per metric, and tables that say what they hold."""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from firmware_protocol.samples import Metric
from ksos_link.errors import StoreError, UsageError
from ksos_link.export.cells import NAMES, exported_columns, exported_names
from ksos_link.export.source import ColumnSource
from ksos_link.export.target import Target, part_path
from ksos_link.export.units import unit_of

if TYPE_CHECKING:
    from sqlite_utils import Database

_KEY: Final = ("device", "start_utc")
_TYPES: Final = {"integer": int, "real": float, "text": str}


def write_sqlite(source: ColumnSource, target: Target) -> Mapping[str, int]:
    """Write all chosen samples; return how many of each metric.

    Names, instants and enumerations are those of CSV. Table `device` says what the devices are,
    table `meaning` what each column holds and in which unit.

    Raises:
        UsageError: the target is a stream, or must not be written.
        NotFoundError: the folder does not exist.
        StoreError: the disk is full.
    """
    if not isinstance(target, Path):
        raise UsageError("A database needs a file.", "Name it with --out FILE.")
    from sqlite_utils import Database

    with part_path(target) as part, _told(), contextlib.closing(sqlite3.connect(part)) as plain:
        # a file that gets its name only when it is whole needs no journal
        plain.execute("PRAGMA journal_mode = OFF")
        plain.execute("PRAGMA synchronous = OFF")
        database = Database(plain)
        _describe(database, source)
        return {metric.name: _fill(database, source, metric) for metric in source.metrics}


def _describe(database: "Database", source: ColumnSource) -> None:
    names = ("alias", "product", "family")
    device = database.table("device").create(dict.fromkeys(names, str), pk="alias", strict=True)
    device.insert_all({name: getattr(one, name) for name in names} for one in source.devices)
    database.table("meaning").create(
        dict.fromkeys(("metric", "column", "unit", "meaning"), str),
        pk=("metric", "column"),
        strict=True,
    ).insert_all(
        {
            "metric": metric.name,
            "column": column.name,
            "unit": unit_of(column.name),
            "meaning": column.meaning,
        }
        for metric in source.metrics
        for column in metric.columns
    )


def _fill(database: "Database", source: ColumnSource, metric: Metric) -> int:
    names = exported_names(metric)
    absent = {column.name for column in metric.columns if column.nullable}
    database.table(metric.name).create(
        {name: _type(metric, name) for name in names},
        pk=_KEY,
        not_null=[name for name in names if name not in absent],
        strict=True,
    )
    marks = ", ".join("?" * len(names))
    count = 0
    with database.atomic():
        for page in source.pages(metric.name):
            rows = zip(*exported_columns(source, metric, page), strict=True)
            database.conn.executemany(f"INSERT INTO {metric.name} VALUES ({marks})", rows)  # noqa: S608 our own names
            count += page.samples
    return count


def _type(metric: Metric, name: str) -> type:
    """The type of a column as CSV has it: instants and enumerations are text."""
    kinds = {column.name: _TYPES[column.kind] for column in metric.columns}
    return str if name in NAMES else ({"duration_s": int} | kinds).get(name, str)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:  # the file does not take it
        raise StoreError(
            "The disk is full or failed; no file was written.", "Make room."
        ) from error
