"""Gadgetbridge's SQLite export, opened so that nothing is written and nothing in it is run.

Only ordinary tables are read, by names that the code knows: views, virtual tables and columns that
are computed stay untouched. What one value and one table can hold is bounded by the file's size.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Any, Final

from ksos_link.errors import MalformedError
from ksos_link.imports.importer import SourceFile

MAGIC: Final = b"SQLite format 3\x00"
Row = tuple[Any, ...]
_HEAD_BYTES: Final = 100
_MOST_VALUE_BYTES: Final = 4_000_000
_MOST_IN_MEMORY_BYTES: Final = 1 << 29
_LEAST_ROW_BYTES: Final = 8  # a row of five columns has a pointer, its lengths and its types
_ROLLBACK_JOURNAL: Final = b"\x01\x01"
_AGAIN: Final = "Export it again, and take the whole file."


@dataclass(slots=True)
class Export:
    """The tables of an open export. `tables` names those that can be read."""

    connection: sqlite3.Connection
    size_bytes: int
    tables: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        # what a row of the schema calls itself may be a lie: what counts is its statement
        found = self.connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0"
            " AND upper(substr(sql, 1, 13)) = 'CREATE TABLE '"
        )
        self.tables = frozenset(name for (name,) in found if isinstance(name, str))

    def columns(self, table: str) -> Mapping[str, int]:
        """The columns of a table, each with its place in the primary key or 0."""
        if table not in self.tables:
            return {}
        found = self.connection.execute(f"PRAGMA table_info({_quoted(table)})")
        return {name: place for _, name, _, _, _, place in found}

    def rows(self, table: str, columns: Sequence[str], key: str) -> Iterator[Row] | None:
        """All rows in the order of `key`, or None where the table is not as it is known.

        `key` must be the first column of the primary key, so that nothing needs sorting.

        Raises:
            MalformedError: more rows than the file has room for.
        """
        known = self.columns(table)
        if known.get(key) != 1 or not known.keys() >= set(columns):
            return None
        names = ", ".join(map(_quoted, columns))
        query = f"SELECT {names} FROM {_quoted(table)} ORDER BY {_quoted(key)}"  # noqa: S608 known names
        plan = self.connection.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()
        if any(step[-1].startswith("USE TEMP B-TREE") for step in plan):
            return None
        return self._bounded(query)

    def has_rows(self, table: str) -> bool:
        """Whether there is anything in a table."""
        query = f"SELECT 1 FROM {_quoted(table)} LIMIT 1"  # noqa: S608 quoted
        return self.connection.execute(query).fetchone() is not None

    def _bounded(self, query: str) -> Iterator[Row]:
        most = self.size_bytes // _LEAST_ROW_BYTES
        for number, row in enumerate(self.connection.execute(query)):
            if number >= most:
                raise MalformedError("The database has more rows than room for them.", _AGAIN)
            yield row


@contextmanager
def opened(source: SourceFile) -> Iterator[Export]:
    """The export, for reading only.

    A file is read in place; what is no plain file, as an encrypted one, is read in memory.

    Raises:
        MalformedError: no SQLite database, cut short, damaged, not closed, or too large for memory.
    """
    head = source.stream.read(_HEAD_BYTES)
    if len(head) < _HEAD_BYTES or not head.startswith(MAGIC):
        raise MalformedError("The file is no SQLite database.", _AGAIN)
    try:
        if isinstance(getattr(source.stream, "raw", None), FileIO) and source.path.is_file():
            connection, size_bytes = _in_place(source.path), source.path.stat().st_size
        else:
            connection, size_bytes = _in_memory(head, source)
        try:
            _check_whole(head, size_bytes)
            _tame(connection)
            yield Export(connection, size_bytes)
        finally:
            connection.close()
    except (sqlite3.Error, UnicodeDecodeError) as error:  # what SQLite says may quote the file
        raise MalformedError(
            "The database is damaged, or nothing that is read here.", _AGAIN
        ) from (error)


def _in_place(path: Path) -> sqlite3.Connection:
    for ending in ("-wal", "-journal"):
        beside = path.with_name(path.name + ending)
        if beside.exists() and beside.stat().st_size:
            raise MalformedError(
                f"{path.name} was not closed: {beside.name} holds a part of it.", _AGAIN
            )
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def _in_memory(head: bytes, source: SourceFile) -> tuple[sqlite3.Connection, int]:
    data = bytearray(head) + source.stream.read(_MOST_IN_MEMORY_BYTES)
    if len(data) > _MOST_IN_MEMORY_BYTES:
        raise MalformedError("The database is too large to be read in memory.", "Name its file.")
    data[18:20] = _ROLLBACK_JOURNAL  # a write-ahead log needs a file
    connection = sqlite3.connect(":memory:")
    connection.deserialize(bytes(data))
    return connection, len(data)


def _check_whole(head: bytes, size_bytes: int) -> None:
    """Compare the size with the pages that the header counts, where it counts them."""
    page_bytes = int.from_bytes(head[16:18], "big")
    pages = int.from_bytes(head[28:32], "big")
    is_counted = head[24:28] == head[92:96]
    if is_counted and pages * (65536 if page_bytes == 1 else page_bytes) > size_bytes:
        raise MalformedError("The database is cut short.", _AGAIN)


def _tame(connection: sqlite3.Connection) -> None:
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_VALUE_BYTES)
    connection.text_factory = lambda data: data.decode(errors="replace")
    for setting in ("query_only = ON", "trusted_schema = OFF", "cell_size_check = ON"):
        connection.execute(f"PRAGMA {setting}")
    connection.execute("PRAGMA temp_store = MEMORY")  # no reading in a file of its own


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
