"""Serve a virtual watch to other processes."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from ksos_link.errors import UsageError
from ksos_link.operations.target import VirtualTarget, parse_target


async def serve(
    watch: str,
    listen: str,
    *,
    interval_s: float,
    now: Callable[[], datetime],
    when_up: Callable[[str], None],
) -> None:
    """Run until cancelled; `when_up` gets the address by which others reach the watch.

    Raises:
        UsageError: no such watch, or not on this machine.
        BluetoothError: the port is taken.
    """
    from ksos_link.virtual_watch.network import serve_radio
    from ksos_link.virtual_watch.radio import LinkShape
    from ksos_link.virtual_watch.scenarios import open_virtual_watch

    target = parse_target(watch)
    if not isinstance(target, VirtualTarget):
        raise UsageError("That is no virtual watch.", "Try virtual:ido?scenario=full-day.")
    clock_s = asyncio.get_running_loop().time()
    opened = open_virtual_watch(target.family, target.query, now=now(), now_s=clock_s)
    server = await serve_radio([opened], listen, LinkShape(interval_s=interval_s))
    try:
        when_up(f"virtual:tcp:127.0.0.1:{server.port}")
        await asyncio.get_running_loop().create_future()
    finally:
        await server.close()


def scenario_lines() -> list[tuple[str, str]]:
    """Names of scenarios and what they are."""
    from ksos_link.virtual_watch.scenarios import load_scenario, scenario_names

    return [(name, load_scenario(name).title) for name in scenario_names()]
