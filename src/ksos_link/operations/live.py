"""Steps, heart rate and battery as they come: asked again and again, because nobody pushes them."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Final

from firmware_protocol.events import BatteryRead, LiveRead
from firmware_protocol.jobs import ReadBattery, ReadLive
from firmware_protocol.told import Told
from ksos_link.connection.retry import FIRST_BACKOFF_S, LONGEST_BACKOFF_S
from ksos_link.errors import LinkLostError, NotFoundError, RefusedError
from ksos_link.operations.listen import KEEP_ALIVE_S, LinkGone
from ksos_link.operations.open_watch import OpenWatch

LEAST_INTERVAL_S: Final = 0.5
LiveEvent = LiveRead | BatteryRead | LinkGone | Told


async def live(
    watch: OpenWatch, *, interval_s: float = 5.0, for_s: float | None = None
) -> AsyncGenerator[LiveEvent, None]:
    """Yield the totals of today each `interval_s`, the battery each minute, and what is told.

    Raises:
        RefusedError: the watch has no live values.
    """
    loop = asyncio.get_running_loop()
    until_s = None if for_s is None else loop.time() + for_s
    battery_due_s, attempt = loop.time(), 0
    while until_s is None or loop.time() < until_s:
        try:
            yield await watch.ask(ReadLive(), LiveRead, repeat=False)
            if loop.time() >= battery_due_s:
                battery_due_s = loop.time() + KEEP_ALIVE_S
                with contextlib.suppress(RefusedError):
                    yield await watch.ask(ReadBattery(), BatteryRead, repeat=False)
            wait_s = interval_s if until_s is None else min(interval_s, until_s - loop.time())
            async with contextlib.aclosing(watch.listen(max(0.0, wait_s))) as events:
                async for event in events:
                    yield event
            attempt = 0
        except (LinkLostError, NotFoundError):
            await watch.close()
            wait_s = min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0**attempt)
            attempt += 1
            yield LinkGone(wait_s)
            await asyncio.sleep(wait_s)
