"""Steps, heart rate and battery as they come: asked again and again, because nobody pushes them."""

import asyncio
import contextlib
import math
from collections.abc import AsyncGenerator

from firmware_protocol.events import BatteryRead, LiveRead
from firmware_protocol.jobs import ReadLive
from firmware_protocol.told import Told
from ksos_link.errors import RefusedError
from ksos_link.operations.listen import (
    KEEP_ALIVE_S,
    OUT_OF_REACH,
    LinkGone,
    ask_battery,
    link_gone,
)
from ksos_link.operations.open_watch import OpenWatch

LiveEvent = LiveRead | BatteryRead | LinkGone | Told


async def live(
    watch: OpenWatch, *, interval_s: float = 5.0, for_s: float | None = None
) -> AsyncGenerator[LiveEvent, None]:
    """Yield the totals of today each `interval_s`, the battery each minute, and what is told.

    A lost link is made again as often as needed.

    Raises:
        RefusedError: the watch has no live values.
    """
    loop = asyncio.get_running_loop()
    until_s = math.inf if for_s is None else loop.time() + for_s
    battery_due_s, lost, gave_values = loop.time(), 0, False
    while loop.time() < until_s:
        try:
            yield await watch.ask(ReadLive(), LiveRead, repeat=False)
            lost, gave_values = 0, True
            if loop.time() >= battery_due_s:
                battery_due_s = loop.time() + KEEP_ALIVE_S
                battery = await ask_battery(watch)
                if battery is not None:
                    yield battery
            left_s = max(0.0, min(interval_s, until_s - loop.time()))
            async with contextlib.aclosing(watch.listen(left_s)) as events:
                async for event in events:
                    yield event
        except OUT_OF_REACH as error:
            if isinstance(error, RefusedError) and not gave_values:
                raise
            await watch.close()
            gone = link_gone(error, lost, until_s - loop.time())
            lost += 1
            yield gone
            await asyncio.sleep(gone.wait_s)
