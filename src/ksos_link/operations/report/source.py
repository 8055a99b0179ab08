"""What a report is made of: samples in blocks of columns, the wearer's time, goal and units."""

import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice, repeat
from typing import Final, TypeVar, cast

from firmware_protocol.samples import METRICS, Value
from firmware_protocol.settings import Cycle, Goal, Setting, SettingValueError, Units, Wearer
from ksos_link.insights.about import DAY_S, About, Clock, Row
from ksos_link.operations.consents import CYCLE
from ksos_link.operations.export_source import wearers_clock
from ksos_link.store.database import Store
from ksos_link.store.devices import Device

Kind = TypeVar("Kind", bound=Setting)
LONG_BLOCK_S: Final = 8 * DAY_S  # days at once: a query has its price
_BLOCKS_KEPT: Final = 3  # a day reads the evening before and the morning after
_NO_READING: Final = frozenset({"battery"})  # it comes with each sync, worn or not


@dataclass(frozen=True, slots=True)
class Page:
    """Columns of one watch, without its name; `starts` is the first of them."""

    alias: str
    starts: Sequence[int]
    columns: Sequence[Sequence[Value]]


class ColumnReader:
    """Gives samples as `insights.about.Reader` does, and reads them in blocks of columns.

    It keeps a few blocks of each metric in memory, and nothing on disk.
    """

    def __init__(
        self, store: Store, device_id: int | None, known: frozenset[str], block_s: int
    ) -> None:
        self._store = store
        self._device_id = device_id
        self._known = known
        self._block_s = block_s
        self._blocks: dict[str, dict[int, list[Page]]] = {}

    def __call__(self, metric: str, start_utc_s: int, end_utc_s: int) -> Iterator[list[Row]]:
        """The samples that start in [start, end)."""
        for page, first, last in self._pages(metric, start_utc_s, end_utc_s):
            parts = [column[first:last] for column in page.columns]
            yield list(zip(repeat(page.alias, last - first), *parts, strict=True))

    def columns(
        self, metric: str, start_utc_s: int, end_utc_s: int
    ) -> Mapping[str, Sequence[Value]] | None:
        """See `insights.columns.ColumnarReader`."""
        names = METRICS[metric].row_names
        found: dict[str, list[Value]] = {name: [] for name in names}
        for page, first, last in self._pages(metric, start_utc_s, end_utc_s):
            if found["device"] and found["device"][0] != page.alias:
                return None
            found["device"] += [page.alias] * (last - first)
            for name, column in zip(names[1:], page.columns, strict=True):
                found[name] += column[first:last]
        return found

    def _pages(
        self, metric: str, start_utc_s: int, end_utc_s: int
    ) -> Iterator[tuple[Page, int, int]]:
        """Pages, and which part of each starts in [start, end)."""
        if metric not in self._known:
            return
        for number in range(start_utc_s // self._block_s, -(-end_utc_s // self._block_s)):
            for page in self._block(metric, number):
                first = bisect_left(page.starts, start_utc_s)
                last = bisect_left(page.starts, end_utc_s)
                if first < last:
                    yield page, first, last

    def _block(self, metric: str, number: int) -> list[Page]:
        kept = self._blocks.setdefault(metric, {})
        if number not in kept:
            while len(kept) >= _BLOCKS_KEPT:
                del kept[next(iter(kept))]
            kept[number] = self._read(metric, number * self._block_s)
        return kept[number]

    def _read(self, metric: str, start_utc_s: int) -> list[Page]:
        pages = []
        for alias, texts in self._store.read_columns(
            metric,
            device_id=self._device_id,
            start_utc_s=start_utc_s,
            end_utc_s=start_utc_s + self._block_s,
        ):
            columns = [json.loads(text) for text in texts]
            pages.append(Page(alias, columns[0], columns))
        return pages


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known beside samples.

    `devices` are the names of what has any sample; `oldest` and `newest` are the local days of the
    oldest and the newest one, None where there is none. `cycle` is there where it is followed and
    consented to.
    """

    about: About
    units: Units
    cycle: Cycle | None
    devices: tuple[str, ...]
    oldest: date | None
    newest: date | None

    def local(self, utc_s: int) -> datetime:
        """The wall clock at an instant, without a zone."""
        return local_time(self.about.utc_offset_s, utc_s)


def ground(store: Store, device: Device | None, now_utc_s: int) -> Ground:
    """Gather what is known; of one watch, or of all."""
    devices = [device] if device else store.devices(forgotten=True)
    newest = {
        (metric, one.alias): cast("int", row[1])
        for one in devices
        for metric in METRICS
        if (row := store.latest(metric, one.device_id)) is not None
    }
    clock = wearers_clock(store, devices)
    readings = [at for (metric, _), at in newest.items() if metric not in _NO_READING]
    oldest = [
        cast("int", chunk[0][1])
        for one in devices
        for metric in METRICS
        if (metric, one.alias) in newest and metric not in _NO_READING
        for chunk in islice(store.read(metric, device_id=one.device_id, chunk_rows=1), 1)
    ]
    about = About(
        clock,
        now_utc_s,
        _wearer(store),
        _newest_setting(store, devices, Goal),
        _read_until(devices),
        frozenset(metric for metric, _ in newest),
    )
    cycle = _newest_setting(store, devices, Cycle) if CYCLE in store.consents() else None
    return Ground(
        about,
        _newest_setting(store, devices, Units) or Units(),
        cycle if cycle is not None and cycle.on and cycle.last_start is not None else None,
        tuple(one.alias for one in devices if any(alias == one.alias for _, alias in newest)),
        local_time(clock, min(oldest)).date() if oldest else None,
        local_time(clock, max(readings)).date() if readings else None,
    )


def local_time(clock: Clock, utc_s: int) -> datetime:
    """The wall clock at an instant, without a zone."""
    return datetime.fromtimestamp(utc_s + clock(utc_s), UTC).replace(tzinfo=None)


def _read_until(devices: Sequence[Device]) -> int | None:
    """When one was last read: a watch at its sync, a file when it was imported."""
    times = [one.bound_utc_s if one.is_file else one.last_sync_utc_s for one in devices]
    return max((at for at in times if at is not None), default=None)


def _wearer(store: Store) -> Wearer | None:
    kept = store.wearer()
    return None if kept is None else _read_setting(Wearer, kept.values)


def _newest_setting(store: Store, devices: Sequence[Device], kind: type[Kind]) -> Kind | None:
    """The setting that was sent last, to whichever watch."""
    sent = [
        remembered
        for one in devices
        if (remembered := store.remembered_settings(one.device_id).get(kind.NAME)) is not None
    ]
    newest = max(sent, key=lambda one: one.utc_s, default=None)
    return None if newest is None else _read_setting(kind, newest.values)


def _read_setting(kind: type[Kind], values: Mapping[str, object]) -> Kind | None:
    try:
        return kind.read(values)
    except SettingValueError:
        return None  # another version of ksos kept what this one cannot read
