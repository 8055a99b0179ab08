"""Rows that come one by one from a foreign file, gathered into the columns of a series."""

from dataclasses import dataclass, field
from typing import Final

from firmware_protocol.samples import METRICS, Quality, Series, Value
from ksos_link.errors import MalformedError

LAST_UTC_S: Final = 253_402_214_400  # the last day that a calendar can say, less one for offsets


@dataclass(slots=True)
class Gathered:
    """Samples of one metric by their instant. Of two at one instant the first stays."""

    metric: str
    rows: dict[int, tuple[Value, ...]] = field(default_factory=dict)
    repeated: int = 0

    def add(self, start_utc_s: int, *values: Value) -> None:
        """Take a sample; values in the order of `Metric.column_names`."""
        if start_utc_s in self.rows:
            self.repeated += 1
        else:
            self.rows[start_utc_s] = values

    def series(self, quality: Quality = Quality.PROVEN) -> Series:
        """All of them in order of time."""
        starts = sorted(self.rows)
        names = METRICS[self.metric].column_names
        columns = map(list, zip(*(self.rows[start] for start in starts), strict=True))
        return Series(self.metric, starts, dict(zip(names, columns, strict=bool(starts))), quality)


def checked_instant(utc_s: int) -> int:
    """The instant itself.

    Raises:
        MalformedError: it lies before 1970, or beyond what a calendar can say.
    """
    if not 0 <= utc_s < LAST_UTC_S:
        raise MalformedError("A time in the file is out of range.", "Nothing of it was kept.")
    return utc_s
