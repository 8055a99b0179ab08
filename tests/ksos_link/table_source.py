"""A source of tables with samples that no virtual watch has."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from firmware_protocol.samples import METRICS, Metric, Value
from firmware_protocol.settings import Wearer
from ksos_link.export.source import ColumnPage, ExportDevice, Row, Workout

HOUR_S = 3600


def sample(metric: str, device: str, utc_s: int, **values: Value) -> Row:
    """A row; what is not named is absent, and it is proven."""
    fields: dict[str, Value] = dict.fromkeys(METRICS[metric].row_names)
    return tuple(
        (fields | {"device": device, "start_utc_s": utc_s, "quality": 0} | values).values()
    )


@dataclass
class TableSource:
    """See `export.source.ColumnSource`. Each list of rows becomes a page for each device in it."""

    lists: Mapping[str, Iterable[Sequence[Row]]]
    offset_s: Callable[[int], int] = lambda _: HOUR_S
    devices: Sequence[ExportDevice] = field(default_factory=list)
    wearer: Wearer | None = None

    @property
    def metrics(self) -> Sequence[Metric]:
        return [METRICS[name] for name in self.lists]

    def rows(self, metric: str) -> Iterator[Sequence[Row]]:
        yield from self.lists[metric]

    def pages(self, metric: str) -> Iterator[ColumnPage]:
        names = METRICS[metric].row_names
        for rows in self.lists[metric]:
            for alias, of_device in groupby(rows, key=lambda row: str(row[0])):
                columns = list(zip(*of_device, strict=True))
                texts = {
                    name: json.dumps(column, separators=(",", ":"))
                    for name, column in zip(names, columns, strict=True)
                    if name != "device"
                }
                yield ColumnPage(alias, texts)

    def workouts(self) -> Iterator[Workout]:
        yield from ()

    def utc_offset_s(self, alias: str, utc_s: int) -> int:
        return self.offset_s(utc_s)

    def utc_offset_until(self, alias: str, utc_s: int) -> tuple[int, int]:
        """Quarter by quarter: whoever joins equal ones gets few."""
        return self.offset_s(utc_s), utc_s - utc_s % 900 + 900
