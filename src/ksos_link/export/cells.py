"""What a reader sees in place of stored numbers: UTC instants, names of enumerations."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

from firmware_protocol.samples import Metric, Quality, SleepStage, Value

Row = tuple[Value, ...]  # fields as `Metric.row_names` says
Chunks = Iterable[Sequence[Row]]

_DAY_S: Final = 86400
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_MINUTES: Final = tuple(f"T{hour:02}:{minute:02}:" for hour in range(24) for minute in range(60))
_SECONDS: Final = tuple(f"{second:02}Z" for second in range(60))
_NAMES: Final[Mapping[str, Mapping[Value, Value]]] = {
    "stage": {int(stage): stage.name.lower() for stage in SleepStage},
    "quality": {int(quality): quality.name.lower() for quality in Quality},
}


def exported_names(metric: Metric) -> tuple[str, ...]:
    """Return the fields of an exported sample in order; units are in the names."""
    return tuple("start_utc" if name == "start_utc_s" else name for name in metric.row_names)


def exported_columns(metric: Metric, rows: Sequence[Row]) -> list[Sequence[Value]]:
    """Return the columns of stored rows as they are exported; there must be a row."""
    columns: list[Sequence[Value]] = []
    for name, values in zip(metric.row_names, zip(*rows, strict=True), strict=True):
        if name == "start_utc_s":
            columns.append(_utc_texts(values))
        elif name in _NAMES:
            names = _NAMES[name]
            columns.append([names.get(value, value) for value in values])
        else:
            columns.append(values)
    return columns


def _utc_texts(instants: Sequence[Value]) -> list[Value]:
    """Return `2026-11-22T07:05:00Z` for seconds since 1970."""
    texts: list[Value] = []
    day_before, day_text = -1, "1969-12-31"
    for instant in instants:
        day, second = divmod(int(instant or 0), _DAY_S)
        if day != day_before:
            day_before, day_text = day, date.fromordinal(_EPOCH_ORDINAL + day).isoformat()
        texts.append(f"{day_text}{_MINUTES[second // 60]}{_SECONDS[second % 60]}")
    return texts
