"""Look at a watch's clock, keep its history in the store, and read records by it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from firmware_protocol.clock import WatchClock
from firmware_protocol.events import ClockRead
from firmware_protocol.jobs import ReadClock
from ksos_link.connection.watch import Watch
from ksos_link.errors import RefusedError
from ksos_link.operations.watch_clock import (
    clock_from,
    new_stretch,
    reading_from,
    stretch_after_setting,
)
from ksos_link.store.database import Store
from ksos_link.store.devices import Device


@dataclass(frozen=True, slots=True)
class ClockLook:
    """What a sync needs of the watch's clock. `drift_s` is None where it does not tell its time."""

    clock: WatchClock
    clock_id: int
    today: date
    drift_s: int | None


async def look_at_clock(
    watch: Watch, store: Store, device: Device, now: Callable[[], datetime]
) -> ClockLook:
    """Compare the watch's clock with ours, note a change, and give the clock to read records by."""
    try:
        wall: datetime | None = (await watch.ask(ReadClock(), ClockRead)).wall
    except RefusedError:
        wall = None  # older firmware tells no time; its clock is taken to be as it was set
    reading = reading_from(now(), wall)
    stretches = store.clock_stretches(device.device_id)
    added = new_stretch(stretches, reading, device.last_sync_utc_s or 0)
    zone_name = host_zone_name()
    if added is not None:
        store.add_clock_stretch(device.device_id, added)
        stretches = (*stretches, added)
    clock_id = store.add_clock(device.device_id, stretches, reading.now_utc_s, zone_name)
    wall_now_s = reading.wall_s
    if wall_now_s is None:
        wall_now_s = reading.now_utc_s + stretches[-1].utc_offset_s
    return ClockLook(
        clock=clock_from(stretches, reading.now_utc_s, zone_name),
        clock_id=clock_id,
        today=datetime.fromtimestamp(wall_now_s, UTC).date(),
        drift_s=reading.drift_s,
    )


def remember_clock_set(store: Store, device: Device, now: datetime, set_to: datetime) -> None:
    """Note that the watch's clock was set, `now`, to an aware local time: mostly the same."""
    offset = set_to.utcoffset()
    ahead_s = int((set_to - now).total_seconds())
    added = stretch_after_setting(
        store.clock_stretches(device.device_id),
        int(now.timestamp()),
        (0 if offset is None else int(offset.total_seconds())) + ahead_s,
    )
    if added is not None:
        store.add_clock_stretch(device.device_id, added)


def host_zone_name() -> str | None:
    """The IANA name of this machine's zone, or None where it has no name."""
    from tzlocal import get_localzone_name

    name = get_localzone_name()
    return str(name) if name else None
