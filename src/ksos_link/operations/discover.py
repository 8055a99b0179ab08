"""Look for watches. Nothing seen is stored: only a watch that is bound gets a record (K028)."""

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from firmware_protocol import registry
from firmware_protocol.family import Recognised
from ksos_link.errors import UsageError
from ksos_link.operations.route import BleRoute, LinkOptions, open_route
from ksos_link.operations.target import BluetoothTarget, ReplayTarget, Target


@dataclass(frozen=True, slots=True)
class WatchSeen:
    """One watch in range. `recognised` is None for a device of no family that we speak."""

    address: str
    name: str | None
    rssi_dbm: int
    recognised: Recognised | None


async def discover(
    options: LinkOptions, where: Target | None = None, *, everything: bool = False
) -> AsyncGenerator[WatchSeen, None]:
    """Yield each watch once, as soon as enough of it was heard, for `options.timeout_s`.

    `where` chooses a virtual radio instead of the machine's adapter. With `everything` devices of
    other kinds are given too.

    Raises:
        BluetoothError: there is no usable adapter.
        UsageError: a capture was named; nothing is on the air there.
    """
    if isinstance(where, ReplayTarget):
        raise UsageError("A capture cannot be scanned.", "Play it: ksos sync --device replay:FILE")
    from ksos_link.transports import ble

    given: dict[str, bool] = {}
    async with open_route(where or BluetoothTarget(""), options) as route:
        radio = route.radio if isinstance(route, BleRoute) else ble.Radio()
        async with contextlib.aclosing(ble.scan(radio, options.timeout_s)) as seen:
            async for advertisement, _ in seen:
                found = registry.recognise(advertisement)
                # a scan response may name later what a first packet left open
                if given.get(advertisement.address, found is None and not everything):
                    continue
                given[advertisement.address] = found is not None or everything
                yield WatchSeen(
                    advertisement.address, advertisement.name, advertisement.rssi_dbm, found
                )
