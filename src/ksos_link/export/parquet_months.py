"""The files of one metric, written month by month; imports pyarrow."""

import contextlib
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeAlias
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from firmware_protocol.samples import Metric
from ksos_link.config import OWNER_ONLY_FOLDER
from ksos_link.export.cells import NAMES
from ksos_link.export.source import ColumnPage
from ksos_link.export.target import open_binary_target
from ksos_link.export.units import unit_of

SCHEMA_VERSION: Final = "1"
_MOST_GROUP_ROWS: Final = 1 << 20  # a month of beats has more; it gets several row groups
_WORD: Final = pa.dictionary(pa.int32(), pa.string())
_INSTANT: Final = pa.timestamp("us", "UTC")
_US_PER_S: Final = 1_000_000
_TYPES: Final[dict[str, pa.DataType]] = {"integer": pa.int64(), "real": pa.float64(), "text": _WORD}
_Array: TypeAlias = "pa.Array[Any]"  # its stubs know more of element types than pyarrow does
_UNSAFE: Final = re.compile(r"[^\w.-]")


class MonthFiles:
    """Takes the pages of a metric in the order of `ColumnSource.pages`.

    One file for each device and month in UTC, of one row group while that has a million samples.
    """

    def __init__(self, folder: Path, metric: Metric) -> None:
        self._folder = folder / metric.name
        self._metric = metric
        self._schema = schema_of(metric)
        self._waiting: list[pa.Table] = []
        self._month = ("", 0, 0)  # the alias, and the bounds in UTC seconds
        self._file = contextlib.ExitStack()
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the last file, or leave nothing of it.

        Raises:
            KsosError: see `open_binary_target`.
        """
        if kind is None:
            with self._file:
                self._end_month()
        else:
            self._file.__exit__(kind, error, traceback)

    def add(self, page: ColumnPage, stretches: Sequence[tuple[int, int]]) -> None:
        """Write a page; `stretches` say its local time, see `cells.offset_stretches`.

        Raises:
            KsosError: see `open_binary_target`.
            OSError: the disk is full; leaving makes a `KsosError` of it.
        """
        starts = _integers(page.texts["start_utc_s"])
        table = self._table(page, starts, stretches)
        at = 0
        while at < len(starts):
            first_utc_s = starts[at].as_py()
            alias, begin_utc_s, end_utc_s = self._month
            if alias != page.alias or not begin_utc_s <= first_utc_s < end_utc_s:
                self._end_month()
                self._month = (page.alias, *_month_bounds(first_utc_s))
            end = _before(starts, self._month[2])
            self._put(table.slice(at, end - at))
            at = end

    def _put(self, table: pa.Table) -> None:
        self._waiting.append(table)
        if sum(map(len, self._waiting)) >= _MOST_GROUP_ROWS:
            self._write_group()

    def _write_group(self) -> None:
        if self._writer is None:
            self._writer = self._open()
        self._writer.write_table(pa.concat_tables(self._waiting), row_group_size=_MOST_GROUP_ROWS)
        self._waiting = []

    def _open(self) -> pq.ParquetWriter:
        alias, begin_utc_s, _ = self._month
        folder = self._folder / folder_name(alias)
        folder.mkdir(OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
        path = folder / f"{datetime.fromtimestamp(begin_utc_s, UTC):%Y-%m}.parquet"
        file = self._file.enter_context(open_binary_target(path, in_folder=True))
        words = [name for name in self._schema.names if name != "start_utc"]
        return pq.ParquetWriter(
            file,
            self._schema,
            compression="zstd",
            # each start is another one: differences are smaller and faster than a dictionary
            use_dictionary=words,  # type: ignore[arg-type]  # names are more than the stubs know
            column_encoding={"start_utc": "DELTA_BINARY_PACKED"},
        )

    def _end_month(self) -> None:
        if self._waiting:
            self._write_group()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._file.close()

    def _table(
        self, page: ColumnPage, starts: _Array, stretches: Sequence[tuple[int, int]]
    ) -> pa.Table:
        columns: list[_Array] = [
            _same(self._metric.name, len(starts)),
            _same(page.alias, len(starts)),
            pc.multiply(starts, _US_PER_S).cast(_INSTANT),
            _offsets(starts, stretches),
        ]
        kinds = {column.name: column.kind for column in self._metric.columns}
        for name in self._metric.row_names[2:]:
            if name in NAMES:
                columns.append(_words(page.texts[name], name, len(starts)))
            elif kinds.get(name, "integer") == "integer":
                columns.append(_integers(page.texts[name]))
            else:
                columns.append(pa.array(page.values(name), _TYPES[kinds[name]]))
        return pa.Table.from_arrays(columns, schema=self._schema)


def schema_of(metric: Metric) -> pa.Schema:
    """The columns of a metric, with units and meanings in the metadata."""
    given = {column.name: column for column in metric.columns}
    fields = [
        pa.field("metric", _WORD, nullable=False),
        pa.field("device", _WORD, nullable=False),
        pa.field("start_utc", _INSTANT, nullable=False),
        pa.field("utc_offset_s", pa.int32(), nullable=False),
    ]
    for name in metric.row_names[2:]:
        column = given.get(name)
        kind = _WORD if name in NAMES else _TYPES["integer" if column is None else column.kind]
        about = {"unit": unit_of(name), "meaning": "" if column is None else column.meaning}
        fields.append(pa.field(name, kind, column is not None and column.nullable, about))
    units = {name: unit_of(name) for name in ("utc_offset_s", *metric.row_names[2:])}
    return pa.schema(
        fields,
        {
            "ksos.schema_version": SCHEMA_VERSION,
            "ksos.metric": metric.name,
            "ksos.meaning": metric.meaning,
            "ksos.units": json.dumps(units),
        },
    )


def folder_name(alias: str) -> str:
    """An alias as the name of a folder: one of its own for each, and never a way out of here."""
    safe = _UNSAFE.sub(lambda found: quote(found[0], safe=""), alias) or "%"
    return safe.replace(".", "%2E") if set(safe) == {"."} else safe


def _integers(text: str) -> _Array:
    """Parse a JSON array of integers and nulls; in a third of the time of `json`."""
    words: _Array = pc.split_pattern(pa.array([text[1:-1]]), ",").values
    if "n" in text:
        absent = pc.equal(words, pa.scalar("null"))
        words = pc.if_else(absent, pa.scalar(None, pa.string()), words)
    return words.cast(pa.int64())


def _words(text: str, column: str, count: int) -> _Array:
    """Names in place of an enumeration's numbers; a number without a name stays one."""
    names = NAMES[column]
    first = text[1:-1].partition(",")[0]
    if text == f"[{','.join([first] * count)}]":  # as quality mostly is; nothing to parse
        return _same(str(names.get(int(first), first)), count)
    coded = _integers(text).dictionary_encode()
    words = [str(names.get(code, code)) for code in coded.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(coded.indices, pa.array(words, pa.string()))


def _same(word: str, count: int) -> _Array:
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), count), [word])


def _offsets(starts: _Array, stretches: Sequence[tuple[int, int]]) -> _Array:
    parts, at = [], 0
    for offset_s, end_utc_s in stretches:
        end = _before(starts, end_utc_s)
        parts.append(pa.repeat(pa.scalar(offset_s, pa.int32()), end - at))
        at = end
    return pa.concat_arrays(parts)


def _before(starts: _Array, utc_s: int) -> int:
    """How many instants are before a second; they are in order."""
    if starts[-1].as_py() < utc_s:
        return len(starts)
    return pc.less(starts, pa.scalar(utc_s)).true_count


def _month_bounds(utc_s: int) -> tuple[int, int]:
    first = datetime.fromtimestamp(utc_s, UTC).replace(day=1, hour=0, minute=0, second=0)
    after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return int(first.timestamp()), int(after.timestamp())
