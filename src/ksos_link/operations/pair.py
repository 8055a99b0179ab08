"""Make a watch ours: bind it, set its clock, remember it."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from firmware_protocol import registry
from firmware_protocol.events import Bound, ClockWasSet, WatchInfo
from firmware_protocol.jobs import Bind, SetClock
from ksos_link.connection.watch import Watch
from ksos_link.errors import NotFoundError, UsageError
from ksos_link.operations.decode import likeliest_family
from ksos_link.operations.route import LinkOptions, open_route, whole_capture
from ksos_link.operations.target import (
    BluetoothTarget,
    NetworkTarget,
    ReplayTarget,
    VirtualTarget,
    check_alias,
    parse_target,
)
from ksos_link.operations.time_keeping import look_at_clock, remember_clock_set
from ksos_link.operations.wearer import push_wearer
from ksos_link.store.database import Store
from ksos_link.store.devices import Device

_NOT_IN_ALIAS: Final = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Paired:
    """The watch as it was remembered, and what it said of itself."""

    device: Device
    info: WatchInfo
    remark: str | None = None


async def pair(store: Store, address: str, alias: str, options: LinkOptions) -> Paired:
    """Bind the watch at `address` and give it a name. Pairing again renews the bind.

    Raises:
        UsageError: the name is no name, or belongs to another watch.
        NotFoundError: no such watch.
        RefusedError: the watch belongs to another phone, or its wearer said no.
    """
    check_alias(alias)
    taken = next((device for device in store.devices() if device.alias == alias), None)
    if taken is not None and taken.address != address:
        raise UsageError(f"The name {alias} belongs to another watch.", "Choose another --alias.")
    async with open_route(parse_target(address), options) as route:
        watch = await route.meet()
        try:
            await watch.ask(Bind(), Bound)
            device = _remember(store, watch, address, alias, options)
            await look_at_clock(watch, store, device, options.now)
            now = options.now()
            await watch.ask(SetClock(now), ClockWasSet)
            remember_clock_set(store, device, now, now)
            remark = await push_wearer(watch, store, device, int(now.timestamp()))
            return Paired(device, watch.info, remark)
        finally:
            await watch.close()


def adopt(store: Store, address: str, now: datetime) -> Device:
    """The remembered watch of that address; a virtual or replayed one is remembered on the spot.

    Raises:
        NotFoundError: a real watch that was never paired.
    """
    known = _known(store, address)
    if known is not None:
        return known
    target = parse_target(address)
    if isinstance(target, BluetoothTarget):
        raise NotFoundError("That watch is not paired yet.", f"ksos watch pair {address}")
    family, stem = _family_and_name(target)
    taken = {device.alias for device in store.devices(forgotten=True)}
    alias = next(
        name
        for name in (stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3)))
        if name not in taken
    )
    return store.add_device(
        alias=alias,
        address=address,
        family=family,
        product=stem,
        bound_utc_s=int(now.timestamp()),
    )


def _known(store: Store, address: str) -> Device | None:
    return next((device for device in store.devices() if device.address == address), None)


def _family_and_name(target: VirtualTarget | NetworkTarget | ReplayTarget) -> tuple[str, str]:
    match target:
        case ReplayTarget(path):
            family = likeliest_family(whole_capture(path).packets).name
            return family, _NOT_IN_ALIAS.sub("-", path.stem)[:32] or "replay"
        case VirtualTarget(family, _):
            return family, f"virtual-{family}"[:32]
        case NetworkTarget():
            return registry.FAMILIES[0].name, "virtual-remote"


def _remember(store: Store, watch: Watch, address: str, alias: str, options: LinkOptions) -> Device:
    known = _known(store, address)
    if known is not None:
        if known.alias != alias:
            store.rename_device(known.device_id, alias)
        return store.device(alias)
    return store.add_device(
        alias=alias,
        address=address,
        family=watch.family.name,
        product=watch.info.product,
        bound_utc_s=int(options.now().timestamp()),
    )
