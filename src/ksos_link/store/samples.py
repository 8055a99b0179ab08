"""Samples in and out of their tables, in bulk.

Where two raw records give the same instant of the same watch and metric, reading takes the later
record's sample; the other stays, and counts again when the later record is replaced without it.
"""

from collections.abc import Generator
from itertools import repeat
from typing import Final

from firmware_protocol.samples import METRICS, Metric, Series, Value
from ksos_link.errors import NotFoundError
from ksos_link.store.dbapi import Database
from ksos_link.store.part import StorePart

SampleRow = tuple[Value, ...]  # as `Metric.row_names`: device, start_utc_s, the columns, quality
CHUNK_ROWS: Final = 4096  # some hundred kB: flat memory, and the cost of a chunk vanishes
PAGE_SAMPLES: Final = 16384  # as columns they are a tenth of that
_LAST_UTC_S: Final = 2**62


def insert_series(database: Database, device_id: int, raw_id: int, series: Series) -> None:
    """Insert a series that is not empty, and note which instants its record covers."""
    metric = METRICS[series.metric]
    columns = [series.columns[name] for name in metric.column_names]
    if any(len(column) != len(series) for column in columns):
        raise ValueError(f"the columns of {metric.name} differ in length")
    database.change_many(
        _INSERT[metric.name],
        zip(
            repeat(device_id),
            series.start_utc_s,
            repeat(raw_id),
            *columns,
            repeat(int(series.quality)),
        ),
    )
    database.change(
        "INSERT INTO raw_span VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " first_utc_s = min(first_utc_s, excluded.first_utc_s),"
        " last_utc_s = max(last_utc_s, excluded.last_utc_s)",
        (raw_id, metric.name, min(series.start_utc_s), max(series.start_utc_s)),
    )


def delete_samples(database: Database, device_id: int, raw_id: int) -> dict[str, int]:
    """Delete what came from one raw record; return how many samples of each metric that were."""
    spans = database.rows(
        "SELECT metric, first_utc_s, last_utc_s FROM raw_span WHERE raw_id = ?", (raw_id,)
    )
    deleted = {
        metric: database.change(
            f"DELETE FROM {known_metric(metric).name}"  # noqa: S608 our own names
            " WHERE device_id = ? AND start_utc_s BETWEEN ? AND ? AND raw_id = ?",
            (device_id, first_utc_s, last_utc_s, raw_id),
        )
        for metric, first_utc_s, last_utc_s in spans
    }
    database.change("DELETE FROM raw_span WHERE raw_id = ?", (raw_id,))
    return deleted


class SamplePart(StorePart):
    """Reads samples."""

    def counts(self, device_id: int | None = None) -> dict[str, int]:
        """Return how many samples there are of each metric that has any."""
        where, parameters = ("", ()) if device_id is None else ("WHERE device_id = ?", (device_id,))
        counted = {
            name: self.database.rows(
                f"SELECT count(*) FROM (SELECT 1 FROM {name} {where}"  # noqa: S608 our own names
                " GROUP BY device_id, start_utc_s)",
                parameters,
            )[0][0]
            for name in METRICS
        }
        return {name: count for name, count in counted.items() if count}

    def read(
        self,
        metric: str,
        *,
        device_id: int | None = None,
        start_utc_s: int | None = None,
        end_utc_s: int | None = None,
        chunk_rows: int = CHUNK_ROWS,
    ) -> Generator[list[SampleRow], None, None]:
        """Give the samples that start in [start, end), watch by watch and in order of time.

        Rows come in lists of at most `chunk_rows`, their fields as `Metric.row_names` says. A
        watch is named by its alias; forgotten ones whose data were kept are there too.

        Raises:
            NotFoundError: no such metric.
        """
        query = _SELECT[known_metric(metric).name]
        first = -_LAST_UTC_S if start_utc_s is None else start_utc_s
        end = _LAST_UTC_S if end_utc_s is None else end_utc_s
        for each_id, alias in self.database.rows("SELECT device_id, alias FROM device ORDER BY 1"):
            if device_id in (None, each_id):
                yield from self.database.chunks(query, (alias, each_id, first, end), chunk_rows)

    def read_columns(
        self,
        metric: str,
        *,
        device_id: int | None = None,
        start_utc_s: int | None = None,
        end_utc_s: int | None = None,
        page_samples: int = PAGE_SAMPLES,
    ) -> Generator[tuple[str, list[str]], None, None]:
        """Give the samples of `read` in pages of columns, for many at a time.

        A page is the alias of its watch, and each column of `Metric.row_names` but `device` as a
        JSON array.

        Raises:
            NotFoundError: no such metric.
        """
        name = known_metric(metric).name
        first = -_LAST_UTC_S if start_utc_s is None else start_utc_s
        end = _LAST_UTC_S if end_utc_s is None else end_utc_s
        for each_id, alias in self.database.rows("SELECT device_id, alias FROM device ORDER BY 1"):
            if device_id not in (None, each_id):
                continue
            twice = self.database.rows(_OVERLAPS, (each_id, name, first, end))[0][0]
            query = (_SELECT_COLUMNS_OF_LATEST if twice else _SELECT_COLUMNS)[name]
            at, is_last = first, False
            while not is_last:
                texts = list(self.database.rows(query, (each_id, at, end, page_samples))[0])
                starts = texts[0]
                is_last = starts.count(",") + 1 < page_samples or starts == "[]"
                if starts != "[]":
                    yield alias, texts
                    at = int(starts[starts.rfind(",") + 1 :].strip("[]")) + 1

    def latest(self, metric: str, device_id: int) -> SampleRow | None:
        """Return the newest sample of a watch, or None.

        Raises:
            NotFoundError: no such metric.
        """
        newest = self.database.row(
            f"SELECT max(start_utc_s) FROM {known_metric(metric).name} WHERE device_id = ?",  # noqa: S608 our own names
            (device_id,),
        )
        if newest is None or newest[0] is None:
            return None
        chunks = list(self.read(metric, device_id=device_id, start_utc_s=newest[0]))
        return chunks[0][0]


def known_metric(name: str) -> Metric:
    """Return the metric of that name.

    Raises:
        NotFoundError: there is none.
    """
    if name not in METRICS:
        raise NotFoundError(
            f"There is no metric named {name}.", f"Choose from: {', '.join(METRICS)}."
        )
    return METRICS[name]


def _insert_statement(metric: Metric) -> str:
    names = ("device_id", "start_utc_s", "raw_id", *metric.column_names, "quality")
    marks = ", ".join("?" * len(names))
    return f"INSERT OR REPLACE INTO {metric.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608


def _select_statement(metric: Metric) -> str:
    names = ", ".join(("start_utc_s", *metric.column_names, "quality"))
    return (
        f"SELECT ?, {names} FROM {metric.name}"  # noqa: S608 our own names
        " WHERE device_id = ? AND start_utc_s >= ? AND start_utc_s < ?"
        f" {_LATEST} ORDER BY start_utc_s"
    )


def _columns_statement(metric: Metric, latest: str) -> str:
    names = ("start_utc_s", *metric.column_names, "quality")
    arrays = ", ".join(f"json_group_array({name})" for name in names)
    return (
        f"SELECT {arrays} FROM ("  # noqa: S608
        f"SELECT {', '.join(names)} FROM {metric.name}"
        f" WHERE device_id = ? AND start_utc_s >= ? AND start_utc_s < ? {latest}"
        " ORDER BY start_utc_s LIMIT ?)"
    )


# Only where the stretches of two raw records touch can an instant have two samples; to look for the
# later one costs a third of the reading.
_OVERLAPS: Final = (
    "SELECT EXISTS (SELECT 1 FROM ("
    "SELECT first_utc_s, max(last_utc_s) OVER (ORDER BY first_utc_s"
    " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before_utc_s"
    " FROM raw_record JOIN raw_span USING (raw_id)"
    " WHERE device_id = ? AND metric = ? AND last_utc_s >= ? AND first_utc_s < ?"
    ") WHERE before_utc_s >= first_utc_s)"
)
# with max() SQLite takes the bare columns from the row that holds the maximum
_LATEST: Final = "GROUP BY start_utc_s HAVING max(raw_id)"
_SELECT_COLUMNS: Final = {
    metric.name: _columns_statement(metric, "") for metric in METRICS.values()
}
_SELECT_COLUMNS_OF_LATEST: Final = {
    name: _columns_statement(metric, _LATEST) for name, metric in METRICS.items()
}
_INSERT: Final = {metric.name: _insert_statement(metric) for metric in METRICS.values()}
_SELECT: Final = {metric.name: _select_statement(metric) for metric in METRICS.values()}
