"""A reader of samples that tests make up, for the insights."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from firmware_protocol.samples import METRICS, Value
from ksos_link.insights.about import Clock, Row

UTC_CLOCK: Final[Clock] = lambda _: 0  # noqa: E731 a clock is any function


def clock_of(zone: str) -> Clock:
    """The clock of a zone."""
    known = ZoneInfo(zone)

    def offset_s(utc_s: int) -> int:
        offset = datetime.fromtimestamp(utc_s, known).utcoffset()
        return 0 if offset is None else int(offset.total_seconds())

    return offset_s


def utc_s(text: str) -> int:
    """An instant written with its offset."""
    return int(datetime.fromisoformat(text).timestamp())


@dataclass
class MadeUp:
    """Rows by metric; `asked` are the stretches that were read."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    asked: list[tuple[str, int, int]] = field(default_factory=list)

    def add(self, metric: str, start_utc_s: int, /, **values: Value) -> None:
        """Add a sample of the watch `wrist`, or of another `device`; the rest is absent."""
        names = METRICS[metric].row_names
        assert set(values) <= set(names)
        known = {"device": "wrist", "start_utc_s": start_utc_s, "quality": 0, **values}
        self.rows.setdefault(metric, []).append(tuple(known.get(name) for name in names))

    def every(
        self, metric: str, start_utc_s: int, step_s: int, column: str, values: Sequence[Value]
    ) -> None:
        """Add a sample of one column every so many seconds."""
        for place, value in enumerate(values):
            self.add(metric, start_utc_s + place * step_s, **{column: value})

    def workout(self, start_utc_s: int, length_s: int, sport: str, **values: Value) -> None:
        """Add a workout."""
        self.add("workout", start_utc_s, duration_s=length_s, sport=sport, sport_code=1, **values)

    @property
    def known(self) -> frozenset[str]:
        """The metrics with any sample."""
        return frozenset(self.rows)

    def __call__(self, metric: str, start_utc_s: int, end_utc_s: int) -> Iterator[list[Row]]:
        """As the store reads: watch by watch, in lists."""
        self.asked.append((metric, start_utc_s, end_utc_s))
        rows = sorted(self.rows.get(metric, []), key=lambda row: (str(row[0]), int(str(row[1]))))
        for row in rows:
            if start_utc_s <= int(str(row[1])) < end_utc_s:
                yield [row]
