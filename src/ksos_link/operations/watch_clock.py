"""What a sync learns of a watch's clock, before it reads records and after it sets the time.

The offset of a stretch is kept as it was when the clock was set, so that the same record read
twice lands on the same instants; a drift of a few seconds must not move what is stored.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from firmware_protocol.clock import ClockStretch, WatchClock

SAME_CLOCK_S: Final = 120  # a quartz watch drifts seconds a week; more means that somebody set it
FROM_EVER_UTC_S: Final = 0  # the start of a stretch that reaches back for ever


@dataclass(frozen=True, slots=True)
class ClockReading:
    """One look at both clocks. `wall_s` is None where the watch does not tell its time."""

    now_utc_s: int
    wall_s: int | None
    host_offset_s: int

    @property
    def drift_s(self) -> int | None:
        """How far the watch is ahead of the host's local time."""
        if self.wall_s is None:
            return None
        return self.wall_s - self.now_utc_s - self.host_offset_s


def reading_from(now: datetime, wall: datetime | None) -> ClockReading:
    """Join the host's aware time and the watch's naive wall time."""
    offset = now.utcoffset()
    if offset is None:
        raise ValueError("the host's time must be aware")
    wall_s = None if wall is None else wall_seconds(wall)
    return ClockReading(int(now.timestamp()), wall_s, int(offset.total_seconds()))


def wall_seconds(wall: datetime) -> int:
    """Seconds since 1970 that a naive wall time would be in UTC."""
    return int((wall - datetime(1970, 1, 1)).total_seconds())  # noqa: DTZ001 a wall time has no zone


def new_stretch(
    known: tuple[ClockStretch, ...], reading: ClockReading, last_sync_utc_s: int
) -> ClockStretch | None:
    """Return the stretch that a look at the clocks adds to what is known, or None.

    At a first meeting a watch that shows local time has lived by the wearer's zone so far; one
    that does not has had its wrong clock for ever. Later a stretch is added only where the offset
    is no longer the one that was set: then somebody changed it at some moment since
    `last_sync_utc_s`, so it is not `sure`.
    """
    offset_s = _offset(reading)
    if not known:
        shows_local_time = offset_s == reading.host_offset_s
        return ClockStretch(reading.now_utc_s if shows_local_time else FROM_EVER_UTC_S, offset_s)
    if reading.wall_s is None:
        return None
    if abs(reading.wall_s - reading.now_utc_s - known[-1].utc_offset_s) <= SAME_CLOCK_S:
        return None
    return ClockStretch(max(last_sync_utc_s, known[-1].from_utc_s), offset_s, sure=False)


def stretch_after_setting(
    known: tuple[ClockStretch, ...], set_utc_s: int, utc_offset_s: int
) -> ClockStretch | None:
    """Return the stretch that setting the clock begins, or None where the offset stays."""
    if known and known[-1].utc_offset_s == utc_offset_s:
        return None
    return ClockStretch(set_utc_s, utc_offset_s)


def clock_from(
    stretches: tuple[ClockStretch, ...], now_utc_s: int, zone_name: str | None
) -> WatchClock:
    """Build the clock that records are read with; zone rules hold before the first stretch."""
    zone = _zone(zone_name)
    if zone is None:
        return WatchClock(stretches, now_utc_s)

    def zone_offset_s(wall_s: int) -> int:
        wall = datetime.fromtimestamp(wall_s, UTC).replace(tzinfo=zone)
        offset = wall.utcoffset()
        return 0 if offset is None else int(offset.total_seconds())

    return WatchClock(stretches, now_utc_s, zone_offset_s)


def _offset(reading: ClockReading) -> int:
    """The host's own offset where the watch shows local time, else what was measured."""
    drift_s = reading.drift_s
    if drift_s is None or abs(drift_s) <= SAME_CLOCK_S:
        return reading.host_offset_s
    return reading.host_offset_s + drift_s


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return None if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None  # a zone that this machine does not know: the first stretch serves
