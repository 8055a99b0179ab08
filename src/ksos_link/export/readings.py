"""Samples for health documents: what is a reading at all, and text that documents can hold."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from firmware_protocol.samples import METRICS, Value
from ksos_link.export.source import Row, Source

# 0 and 255 are how sensors say that there was no reading
_BOUNDS: Final = {
    "heart_rate": ("bpm", 1, 254),
    "resting_heart_rate": ("bpm", 1, 254),
    "workout_heart_rate": ("bpm", 1, 254),
    "spo2": ("spo2_pct", 1, 100),
    "stress": ("stress_score", 0, 100),
}
_NO_TEXT: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def readings(source: Source, metric: str) -> Iterator[Sequence[Row]]:
    """The samples of a metric that are readings, none where the metric was not chosen."""
    if all(chosen.name != metric for chosen in source.metrics):
        return
    if metric not in _BOUNDS:
        yield from source.rows(metric)
        return
    column, least, most = _BOUNDS[metric]
    place = METRICS[metric].row_names.index(column)
    for rows in source.rows(metric):
        yield [row for row in rows if least <= int(row[place] or 0) <= most]


def bpm_or_none(value: Value) -> int | None:
    """A heart rate of a summary, None where it says that there was none."""
    bpm = int(value or 0)
    return bpm if 1 <= bpm <= 254 else None


def plain_text(text: str) -> str:
    """A name as XML and FHIR can hold it: control characters become replacement characters."""
    return _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", text)
