"""The watch's clock: what it shows, how far it is off, and setting it."""

from dataclasses import dataclass
from datetime import datetime

from firmware_protocol.events import ClockRead, ClockWasSet
from firmware_protocol.jobs import ReadClock, SetClock
from ksos_link.errors import UsageError
from ksos_link.operations.open_watch import OpenWatch
from ksos_link.operations.time_keeping import host_zone_name
from ksos_link.operations.watch_clock import reading_from


@dataclass(frozen=True, slots=True)
class ClockShown:
    """Both clocks. `drift_s` is how far the watch is ahead of this machine's local time.

    `hours` is `24_h` or `12_h` as it was sent to the watch, None where nobody sent it.
    """

    wall: datetime
    host: datetime
    drift_s: int
    zone: str | None
    hours: str | None


async def show_clock(watch: OpenWatch) -> ClockShown:
    """Look at both clocks.

    Raises:
        RefusedError, BluetoothError: see `OpenWatch.perform`.
    """
    wall = (await watch.ask(ReadClock(), ClockRead)).wall
    host = watch.now()
    drift_s = reading_from(host, wall).drift_s or 0
    units = await watch.units.show()
    hours = units.setting.clock if units.source != "default" else None
    return ClockShown(wall, host, drift_s, host_zone_name(), hours)


async def set_clock(watch: OpenWatch, to: datetime | None = None) -> ClockShown:
    """Set the watch's clock to this machine's time, or to a wall time, and look again.

    Raises:
        UsageError: `to` has a zone: a watch has none.
        RefusedError, BluetoothError: see `OpenWatch.perform`.
    """
    now = watch.now()
    if to is not None and to.tzinfo is not None:
        raise UsageError("A watch has no zone.", "Give the time as it shall show it.")
    local = now if to is None else to.replace(tzinfo=now.tzinfo)
    await watch.ask(SetClock(local), ClockWasSet)
    watch.note_clock(local)
    return await show_clock(watch)


async def set_hours(watch: OpenWatch, hours: str) -> None:
    """Let the watch write the time in `24_h` or `12_h`.

    Raises:
        UsageError: neither of them.
        RefusedError, BluetoothError: see `OpenWatch.write`.
    """
    await watch.units.change({"clock": hours})
