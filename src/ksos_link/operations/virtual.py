"""Serve a virtual watch to other processes, and be its wearer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from firmware_protocol.errors import LocalProtocolError
from ksos_link.errors import UsageError
from ksos_link.operations.target import VirtualTarget, parse_target

if TYPE_CHECKING:
    from ksos_link.virtual_watch.faults import FaultySession
    from ksos_link.virtual_watch.scenarios import VirtualIdentity


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Who looks at served watches. `up` gets the address of each, `shown` each line of a screen.

    `puzzled` hears of what the wearer of the first one cannot do.
    """

    up: Callable[[str], None]
    shown: Callable[[str], None]
    puzzled: Callable[[str], None]


async def serve(
    watches: Sequence[str],
    listen: str,
    onlooker: Onlooker,
    gestures: AsyncIterator[str],
    *,
    interval_s: float,
    now: Callable[[], datetime],
) -> None:
    """Run until cancelled, and do with the first watch what `gestures` says.

    Several watches share one radio; those that name no address get one each.

    Raises:
        UsageError: no such watch, two of one address, or not on this machine.
        BluetoothError: the port is taken.
    """
    from ksos_link.virtual_watch.network import serve_radio
    from ksos_link.virtual_watch.radio import LinkShape

    opened = _opened(watches, now())
    server = await serve_radio(opened, listen, LinkShape(interval_s=interval_s))
    for worn in server.peripherals:
        worn.on_shown = onlooker.shown
    try:
        endpoint = f"virtual:tcp:127.0.0.1:{server.port}"
        for _, identity in opened:
            onlooker.up(f"{endpoint}/{identity.address}" if len(opened) > 1 else endpoint)
        async for gesture in gestures:
            try:
                server.peripherals[0].make(gesture)
            except LocalProtocolError as error:
                onlooker.puzzled(str(error))
        await asyncio.get_running_loop().create_future()  # nobody says more: serve on
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await server.close()


def _opened(watches: Sequence[str], now: datetime) -> "list[tuple[FaultySession, VirtualIdentity]]":
    from ksos_link.virtual_watch.scenarios import numbered_address, open_virtual_watch

    clock_s = asyncio.get_running_loop().time()
    opened = []
    for number, watch in enumerate(watches):
        target = parse_target(watch)
        if not isinstance(target, VirtualTarget):
            raise UsageError("That is no virtual watch.", "Try virtual:ido?scenario=full-day.")
        query = {"address": numbered_address(number), **target.query}
        opened.append(open_virtual_watch(target.family, query, now=now, now_s=clock_s))
    if len({identity.address for _, identity in opened}) < len(opened):
        raise UsageError("Two of the watches have one address.", "Give each &address= of its own.")
    return opened


def scenario_lines() -> list[tuple[str, str]]:
    """Names of scenarios and what they are."""
    from ksos_link.virtual_watch.scenarios import load_scenario, scenario_names

    return [(name, load_scenario(name).title) for name in scenario_names()]


def gesture_names(family: str) -> tuple[str, ...]:
    """What the wearer of a family's virtual watch can do."""
    from ksos_link.operations.local_time import local_now
    from ksos_link.virtual_watch.scenarios import open_virtual_watch

    session, _ = open_virtual_watch(family, {"scenario": "empty"}, now=local_now())
    return session.gestures


def write_sample_image(
    kind: str,
    out: Path,
    *,
    version: int,
    size_bytes: int,
    seed: int = 0,
    public_key: Path | None = None,
    force: bool = False,
) -> int:
    """Write a made-up firmware file, and the key that verifies it; return its size in bytes.

    Raises:
        UsageError: no such kind, or a file is there already.
        NotFoundError: a folder does not exist.
        StoreError: the disk is full.
    """
    from ksos_link.operations.dial_file import check_target, write_whole
    from ksos_link.virtual_watch.sample_images import SAMPLE_KINDS, sample_image, sample_public_key

    if kind not in SAMPLE_KINDS:
        raise UsageError(
            f"No image is made of the kind {kind!r}.", f"Name one of {', '.join(SAMPLE_KINDS)}."
        )
    for path in (out, public_key):
        if path is not None:
            check_target(path, force=force)
    data = sample_image(kind, version, size_bytes, seed)
    write_whole(out, data)
    if public_key is not None:
        write_whole(public_key, sample_public_key())
    return len(data)
