"""Hear what a watch tells, for as long as somebody wants, over lost links."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from firmware_protocol.events import BatteryRead
from firmware_protocol.jobs import ReadBattery
from firmware_protocol.told import BatteryLow, ClockWanted, Told
from ksos_link.connection.retry import FIRST_BACKOFF_S, LONGEST_BACKOFF_S
from ksos_link.errors import LinkLostError, NotFoundError, RefusedError
from ksos_link.operations.open_watch import OpenWatch
from ksos_link.operations.watch_time import set_clock

KEEP_ALIVE_S: Final = 60.0  # the vendor's app asks about as often (ido.md 2.4, C)


@dataclass(frozen=True, slots=True)
class Listening:
    """The watch is connected; what it tells comes from now on."""

    product: str


@dataclass(frozen=True, slots=True)
class LinkGone:
    """The link was lost; the next attempt starts after `wait_s`."""

    wait_s: float


Heard = Listening | LinkGone | Told


async def listen(
    watch: OpenWatch, *, for_s: float | None = None, sets_clock: bool = True
) -> AsyncGenerator[Heard, None]:
    """Yield what the watch tells, for `for_s` seconds or for ever.

    A lost link is made again as often as needed. A watch that restarted gets the time. The battery
    is asked each minute, which keeps the link alive; that it is low is told once.

    Raises:
        RefusedError: the watch did not answer when it was met.
    """
    loop = asyncio.get_running_loop()
    until_s = None if for_s is None else loop.time() + for_s
    attempt, was_low = 0, False
    yield Listening(watch.info.product)
    while until_s is None or loop.time() < until_s:
        left_s = KEEP_ALIVE_S if until_s is None else min(KEEP_ALIVE_S, until_s - loop.time())
        try:
            async with contextlib.aclosing(watch.listen(left_s)) as events:
                async for event in events:
                    yield event
                    if sets_clock and isinstance(event, ClockWanted):
                        with contextlib.suppress(RefusedError):
                            await set_clock(watch)
            battery = await _battery(watch)
            attempt = 0
        except (LinkLostError, NotFoundError):  # out of reach: it may come back
            await watch.close()
            wait_s = min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0**attempt)
            attempt += 1
            yield LinkGone(wait_s)
            await asyncio.sleep(wait_s)
            continue
        if battery is not None:
            if battery.low and not was_low:
                yield BatteryLow(battery.battery_pct)
            was_low = bool(battery.low)


async def _battery(watch: OpenWatch) -> BatteryRead | None:
    try:
        return await watch.ask(ReadBattery(), BatteryRead, repeat=False)
    except RefusedError:
        return None  # a watch that does not tell it is alive all the same
