"""Hear what a watch tells, for as long as somebody wants, over lost links."""

import asyncio
import contextlib
import math
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from firmware_protocol.events import BatteryRead
from firmware_protocol.jobs import ReadBattery
from firmware_protocol.told import BatteryLow, ClockWanted, Told
from ksos_link.connection.retry import wait_before_s
from ksos_link.errors import (
    BluetoothError,
    KsosError,
    LinkLostError,
    MalformedError,
    NotFoundError,
    RefusedError,
)
from ksos_link.operations.open_watch import OpenWatch
from ksos_link.operations.watch_time import set_clock

KEEP_ALIVE_S: Final = 60.0  # the vendor's app asks about as often (ido.md 2.4, C)
# a watch that was there may come back: near again, charged, the adapter awake, done with another
OUT_OF_REACH: Final = (BluetoothError, NotFoundError, RefusedError)


@dataclass(frozen=True, slots=True)
class Listening:
    """The watch is connected, for the first time or again; what it tells comes from now on."""

    product: str


@dataclass(frozen=True, slots=True)
class LinkGone:
    """No link; the next attempt starts after `wait_s`. `why` the last one came to nothing."""

    wait_s: float
    why: str = ""


Heard = Listening | LinkGone | Told


async def listen(
    watch: OpenWatch, *, for_s: float | None = None, sets_clock: bool = True
) -> AsyncGenerator[Heard, None]:
    """Yield what a watch tells, for `for_s` seconds or for ever.

    A lost link is made again as often as needed. A watch that restarted gets the time. The battery
    is asked at once and each minute, which keeps the link alive; that it is low is told once.
    """
    loop = asyncio.get_running_loop()
    until_s = math.inf if for_s is None else loop.time() + for_s
    battery_due_s, is_there, lost, was_low = loop.time(), False, 0, False
    while loop.time() < until_s:
        try:
            if loop.time() >= battery_due_s:
                battery_due_s = loop.time() + KEEP_ALIVE_S
                battery = await ask_battery(watch)
                if not is_there:
                    yield Listening(watch.info.product)
                    is_there, lost = True, 0
                if battery is not None:
                    if battery.low and not was_low:
                        yield BatteryLow(battery.battery_pct)
                    was_low = bool(battery.low)
            left_s = min(battery_due_s, until_s) - loop.time()
            async with contextlib.aclosing(_told(watch, left_s, sets_clock=sets_clock)) as events:
                async for event in events:
                    yield event
        except OUT_OF_REACH as error:
            await watch.close()
            gone = link_gone(error, lost, until_s - loop.time())
            battery_due_s = loop.time()  # whoever answers it is there again
            is_there, lost = False, lost + 1
            yield gone
            await asyncio.sleep(gone.wait_s)


def link_gone(error: KsosError, lost: int, left_s: float) -> LinkGone:
    """What to tell of a link that broke after `lost` others, with `left_s` to go."""
    why = "" if isinstance(error, LinkLostError) else str(error)
    return LinkGone(min(wait_before_s(lost), max(0.0, left_s)), why)


async def ask_battery(watch: OpenWatch) -> BatteryRead | None:
    """Ask for the battery, on a link made anew where there is none.

    Raises:
        BluetoothError, NotFoundError: the watch is out of reach.
    """
    try:
        return await watch.ask(ReadBattery(), BatteryRead, repeat=False)
    except (RefusedError, MalformedError):
        return None  # a watch that does not tell it is alive all the same


async def _told(watch: OpenWatch, for_s: float, *, sets_clock: bool) -> AsyncGenerator[Told, None]:
    async with contextlib.aclosing(watch.listen(max(0.0, for_s))) as events:
        async for event in events:
            yield event
            if sets_clock and isinstance(event, ClockWanted):
                with contextlib.suppress(RefusedError, MalformedError):
                    await set_clock(watch)
                return  # what it told meanwhile comes first with the next call
