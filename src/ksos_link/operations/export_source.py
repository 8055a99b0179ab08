"""The store as a source of exports: the chosen samples, workouts, and the local time of each."""

import contextlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from functools import cached_property
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tzlocal import get_localzone

from firmware_protocol.samples import METRICS, Metric, Quality, Value
from firmware_protocol.settings import Wearer
from ksos_link.export.source import ColumnPage, ExportDevice, Row, Workout, named
from ksos_link.operations.read_out import Span
from ksos_link.store.clocks import ClockSnapshot
from ksos_link.store.database import Store
from ksos_link.store.devices import Device

_DAY_S: Final = 86400
_QUARTER_S: Final = 900
_MINUTE_S: Final = 60
_MOST_OFFSET_S: Final = 14 * 3600
_PARTS: Final = ("workout_minute", "workout_split", "workout_point")


class StoreSource:
    """See `export.source.Source`. `device` None takes all of them."""

    def __init__(
        self, store: Store, metrics: Sequence[Metric], device: Device | None, span: Span
    ) -> None:
        self.metrics = metrics
        self._store = store
        self._device_id = None if device is None else device.device_id
        self._span = span
        self._stored = [
            one
            for one in store.devices(forgotten=True)
            if device is None or one.device_id == device.device_id
        ]

    @property
    def devices(self) -> Sequence[ExportDevice]:
        """See `Source.devices`."""
        return [
            ExportDevice(one.alias, one.product, one.family, _uid(one), one.address)
            for one in self._stored
        ]

    @cached_property
    def wearer(self) -> Wearer | None:
        """See `Source.wearer`."""
        # settings know the radio, which `ksos show` shall not load
        from ksos_link.operations.wearer import kept_wearer

        return kept_wearer(self._store)

    def rows(self, metric: str) -> Iterator[Sequence[Row]]:
        """See `Source.rows`."""
        return self._store.read(
            metric,
            device_id=self._device_id,
            start_utc_s=self._span.start_utc_s,
            end_utc_s=self._span.end_utc_s,
        )

    def pages(self, metric: str) -> Iterator[ColumnPage]:
        """See `ColumnSource.pages`."""
        names = METRICS[metric].row_names[1:]
        for alias, texts in self._store.read_columns(
            metric,
            device_id=self._device_id,
            start_utc_s=self._span.start_utc_s,
            end_utc_s=self._span.end_utc_s,
        ):
            yield ColumnPage(alias, dict(zip(names, texts, strict=True)))

    def workouts(self) -> Iterator[Workout]:
        """See `Source.workouts`."""
        for rows in self.rows("workout"):
            for row in rows:
                yield self._workout(named("workout", row))

    def utc_offset_s(self, alias: str, utc_s: int) -> int:
        """See `Source.utc_offset_s`: as the watch was set; before that by the rules of its zone."""
        return self._clocks[alias].utc_offset_until(utc_s)[0]

    def utc_offset_until(self, alias: str, utc_s: int) -> tuple[int, int]:
        """See `ColumnSource.utc_offset_until`."""
        return self._clocks[alias].utc_offset_until(utc_s)

    def _workout(self, values: Mapping[str, Value]) -> Workout:
        alias, start_utc_s = str(values["device"]), int(values["start_utc_s"] or 0)
        device_id = next(one.device_id for one in self._stored if one.alias == alias)
        end_utc_s = start_utc_s + int(values["duration_s"] or 0)

        def within(metric: str) -> list[Row]:
            chunks = self._store.read(
                metric, device_id=device_id, start_utc_s=start_utc_s, end_utc_s=end_utc_s + 1
            )
            return [row for chunk in chunks for row in chunk]

        beats = within("workout_heart_rate")
        minutes, splits, points = map(within, _PARTS)
        kept = {name: values[name] for name in METRICS["workout"].column_names}
        return Workout(
            alias,
            start_utc_s,
            self.utc_offset_s(alias, start_utc_s),
            kept,
            Quality(int(values["quality"] or 0)),
            [(int(str(row[1])), int(str(row[2]))) for row in beats],
            minutes,
            splits,
            points,
        )

    @cached_property
    def _clocks(self) -> dict[str, "_LocalTime"]:
        return {one.alias: _LocalTime(self._store, one) for one in self._stored}


def _uid(device: Device) -> str:
    """From what never changes; the instant of binding keeps the address from being found again."""
    return sha256(f"{device.address}/{device.bound_utc_s}".encode()).hexdigest()


class _LocalTime:
    """The wearer's local time: by the zone in which a watch was synced next, else by its clock.

    The zone's rules and not the watch's own clock, which shows summer time until it is set again.
    """

    def __init__(self, store: Store, *devices: Device) -> None:
        told = (piece for device in devices for piece in _pieces(store, device))
        pieces = sorted(told, key=lambda piece: piece[0])
        self._until = [until_utc_s for until_utc_s, _ in pieces]
        self._zones = [zone for _, zone in pieces]
        self._newest = (0, 0, 0)  # the stretch that was asked for last: its bounds and its offset

    def utc_offset_until(self, utc_s: int) -> tuple[int, int]:
        """What local time is ahead of UTC, and the UTC second before which it stays so."""
        first_utc_s, end_utc_s, offset_s = self._newest
        if not first_utc_s <= utc_s < end_utc_s:
            first_utc_s, end_utc_s, offset_s = self._newest = self._stretch(utc_s)
        return offset_s, end_utc_s

    def _stretch(self, utc_s: int) -> tuple[int, int, int]:
        """A day where its offset is the same at both ends, else a minute or a second.

        No zone ever changed twice within a day; Newfoundland did at one minute past midnight.
        """
        place = min(bisect_left(self._until, utc_s), max(len(self._until) - 1, 0))
        zone = self._zones[place] if self._zones else get_localzone()
        for length_s in (_DAY_S, _MINUTE_S, 1):
            first_utc_s = utc_s - utc_s % length_s
            end_utc_s = first_utc_s + length_s
            if place > 0:
                first_utc_s = max(first_utc_s, self._until[place - 1] + 1)
            if place < len(self._until) - 1:
                end_utc_s = min(end_utc_s, self._until[place] + 1)
            offset_s = _offset_s(zone, first_utc_s)
            if offset_s == _offset_s(zone, end_utc_s - 1):
                break
        return first_utc_s, end_utc_s, offset_s


def wearers_clock(store: Store, devices: Sequence[Device]) -> Callable[[int], int]:
    """How far the wearer's time is ahead of UTC: by the watch or file that was read next."""
    local_time = _LocalTime(store, *devices)
    return lambda utc_s: local_time.utc_offset_until(utc_s)[0]


def _pieces(store: Store, device: Device) -> Iterator[tuple[int, tzinfo]]:
    """Zones, and the UTC second until which each holds."""
    for clock in store.clocks(device.device_id):
        if device.is_file:
            yield from _told_by_file(clock)
        else:
            yield clock.now_utc_s, _zone(clock)


def _offset_s(zone: tzinfo, utc_s: int) -> int:
    offset = datetime.fromtimestamp(utc_s, zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _zone(clock: ClockSnapshot) -> tzinfo:
    """The zone's rules where it is known here, else what the watch's clock was set to."""
    if clock.zone_name is not None:
        with contextlib.suppress(ZoneInfoNotFoundError, ValueError):
            return ZoneInfo(clock.zone_name)
    return _fixed(clock.stretches[-1].utc_offset_s)


def _told_by_file(clock: ClockSnapshot) -> Iterator[tuple[int, tzinfo]]:
    """The offsets of a piece of a file and until when; one that tells none was lived here."""
    if not clock.stretches:
        yield clock.now_utc_s, get_localzone()
        return
    ends = [*(later.from_utc_s - 1 for later in clock.stretches[1:]), clock.now_utc_s]
    for end_utc_s, stretch in zip(ends, clock.stretches, strict=True):
        yield end_utc_s, _fixed(stretch.utc_offset_s)


def _fixed(utc_offset_s: int) -> tzinfo:
    offset_s = round(utc_offset_s / _QUARTER_S) * _QUARTER_S
    return timezone(timedelta(seconds=max(-_MOST_OFFSET_S, min(offset_s, _MOST_OFFSET_S))))
