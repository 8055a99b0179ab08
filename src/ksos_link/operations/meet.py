"""Meet a watch and ask who it is; nothing is stored."""

from firmware_protocol.events import WatchInfo
from ksos_link.operations.route import LinkOptions, open_route
from ksos_link.operations.target import Target


async def meet(target: Target, options: LinkOptions) -> WatchInfo:
    """Connect, run the prelude, let go.

    Raises:
        NotFoundError, BluetoothError, RefusedError: as `Route.meet`.
    """
    async with open_route(target, options) as route:
        watch = await route.meet()
        await watch.close()
        return watch.info
