"""What a reader sees in place of stored numbers: instants, local times, names of enumerations."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from firmware_protocol.samples import Metric, Quality, SleepStage, Value
from ksos_link.export.instants import offset_text
from ksos_link.export.source import ColumnPage, ColumnSource

NAMES: Final[Mapping[str, Mapping[Value, str]]] = {
    "stage": {int(stage): stage.name.lower() for stage in SleepStage},
    "quality": {int(quality): quality.name.lower() for quality in Quality},
}

_DAY_S: Final = 86400
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_MINUTES: Final = tuple(f"T{hour:02}:{minute:02}:" for hour in range(24) for minute in range(60))
_SECONDS: Final = tuple(f"{second:02}" for second in range(60))


def exported_names(metric: Metric) -> tuple[str, ...]:
    """Return the fields of an exported sample in order; units are in the names."""
    return ("device", "start_utc", "start_local", *metric.row_names[2:])


def exported_columns(
    source: ColumnSource, metric: Metric, page: ColumnPage
) -> list[Sequence[Value]]:
    """Return the columns of a page as `exported_names` calls them."""
    starts = page.starts_utc_s()
    columns: list[Sequence[Value]] = [
        [page.alias] * page.samples,
        list(_texts(starts, 0, "Z")),
        _local_texts(starts, offset_stretches(source, page)),
    ]
    columns.extend(with_names(name, page.values(name)) for name in metric.row_names[2:])
    return columns


def with_names(column: str, values: Sequence[Value]) -> Sequence[Value]:
    """Return the values of a column with names in place of an enumeration's numbers."""
    names = NAMES.get(column)
    return values if names is None else [names.get(value, value) for value in values]


def offset_stretches(source: ColumnSource, page: ColumnPage) -> list[tuple[int, int]]:
    """Return local time of a page: seconds ahead of UTC, and before which UTC second that holds."""
    stretches: list[tuple[int, int]] = []
    at, last_utc_s = page.first_utc_s, page.last_utc_s
    while at <= last_utc_s:
        offset_s, at = source.utc_offset_until(page.alias, at)
        if stretches and stretches[-1][0] == offset_s:
            stretches.pop()
        stretches.append((offset_s, at))
    return stretches


def _local_texts(starts: Sequence[int], stretches: Iterable[tuple[int, int]]) -> list[Value]:
    """Return `2026-11-22T08:05:00+01:00` for instants in order of time."""
    texts: list[Value] = []
    for offset_s, end_utc_s in stretches:
        first = len(texts)
        end = bisect_left(starts, end_utc_s, first)
        offset_min = round(offset_s / 60)
        texts.extend(_texts(starts[first:end], offset_min * 60, offset_text(offset_min)))
    return texts


def _texts(instants: Iterable[int], ahead_s: int, zone: str) -> Iterator[str]:
    """Give `2026-11-22T07:05:00` with a zone for seconds since 1970 UTC."""
    seconds = [f"{second}{zone}" for second in _SECONDS]
    day_before, day_text = -1, "1969-12-31"
    for instant in instants:
        day, second = divmod(instant + ahead_s, _DAY_S)
        if day != day_before:
            day_before, day_text = day, date.fromordinal(_EPOCH_ORDINAL + day).isoformat()
        yield f"{day_text}{_MINUTES[second // 60]}{seconds[second % 60]}"
