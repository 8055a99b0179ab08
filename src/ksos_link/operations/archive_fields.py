"""Values out of an archive, each looked at: what a store of ours would not hold is refused."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from firmware_protocol.samples import METRICS, Column, Metric, Quality, Series, SleepStage, Value
from ksos_link.imports.archive import Archive, damaged

MOST_SAMPLES_AT_ONCE: Final = 2_000_000  # of one record and metric, all of which lie in memory
_FOLDER: Final = "data/"
_LARGEST: Final = 2**63 - 1
_CODES: Final[Mapping[str, Mapping[Any, int]]] = {
    "stage": {stage.name.lower(): int(stage) for stage in SleepStage},
    "quality": {quality.name.lower(): int(quality) for quality in Quality},
}
_DURATION: Final = Column("duration_s", "integer", "")


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Fields that are missing or of another kind are told as one thing: that is no archive."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise damaged() from error


def text(value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def whole(value: Any) -> int:
    """A whole number that a database can hold."""
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _LARGEST:
        raise TypeError("no whole number")
    return value


def switch(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise TypeError("no switch")
    return value


def utc_s(value: Any) -> int:
    """Seconds since 1970 of an instant in UTC."""
    instant = datetime.fromisoformat(text(value))
    if instant.tzinfo is None:
        raise ValueError("no instant")
    return int(instant.timestamp())


class SampleLists:
    """The samples of all metrics, taken record by record: each list is in the order of records."""

    def __init__(self, archive: Archive) -> None:
        names = [name for name in archive.names if name.startswith(_FOLDER)]
        metrics = [METRICS[name.removeprefix(_FOLDER).removesuffix(".jsonl")] for name in names]
        self._lists = [
            _SampleList(metric, archive.lines(name))
            for metric, name in zip(metrics, names, strict=True)
        ]

    def of_record(self, number: int) -> list[Series]:
        """All samples of a record; to be asked for in order."""
        return [series for each in self._lists for series in each.take(number)]

    def check_empty(self) -> None:
        """Refuse samples that belong to no record.

        Raises:
            ValueError: there are some.
        """
        if any(each.has_more for each in self._lists):
            raise ValueError("samples without a record")


class _SampleList:
    """The samples of one metric."""

    def __init__(self, metric: Metric, lines: Iterator[Mapping[str, Any]]) -> None:
        self._metric = metric
        self._lines = lines
        self._next = next(lines, None)
        self._columns = (*((_DURATION,) if metric.interval else ()), *metric.columns)

    @property
    def has_more(self) -> bool:
        """Whether samples are left."""
        return self._next is not None

    def take(self, number: int) -> list[Series]:
        """The samples of a record, a series for each quality."""
        by_quality: dict[int, list[tuple[Value, ...]]] = {}
        count = 0
        while self._next is not None and self._next["record"] == number:
            quality, row = self._row(self._next)
            by_quality.setdefault(quality, []).append(row)
            count += 1
            if count > MOST_SAMPLES_AT_ONCE:
                raise ValueError("too many samples in one record")
            self._next = next(self._lines, None)
        return [self._series(quality, rows) for quality, rows in by_quality.items()]

    def _row(self, entry: Mapping[str, Any]) -> tuple[int, tuple[Value, ...]]:
        values = (_value(column, entry.get(column.name)) for column in self._columns)
        return _CODES["quality"][entry["quality"]], (utc_s(entry["start_utc"]), *values)

    def _series(self, quality: int, rows: Sequence[tuple[Value, ...]]) -> Series:
        starts, *columns = zip(*rows, strict=True)
        names = self._metric.column_names
        return Series(
            self._metric.name,
            [whole(start) for start in starts],
            dict(zip(names, columns, strict=True)),
            Quality(quality),
        )


def _value(column: Column, value: Any) -> Value:
    if value is None:
        if not column.nullable:
            raise ValueError("a value is missing")
        return None
    if column.kind == "text":
        return text(value)
    if column.kind == "real" and isinstance(value, float):
        return value
    if column.name in _CODES and isinstance(value, str):
        return _CODES[column.name][value]
    return whole(value)
