"""How a watch is reached: one object per target that opens as many links as a job needs."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from firmware_protocol import registry
from firmware_protocol.family import Advertisement, CapturedPacket, Family
from firmware_protocol.updates.refused import refused_transport
from firmware_protocol.updates.registry import TRANSPORTS
from firmware_protocol.updates.transport import Entry, UpdateTransport
from ksos_link.connection.watch import Doorway, Loader, Watch
from ksos_link.errors import MalformedError, NotFoundError, UsageError
from ksos_link.operations.local_time import local_now
from ksos_link.operations.target import (
    BluetoothTarget,
    NetworkTarget,
    ReplayTarget,
    Target,
    VirtualTarget,
)
from ksos_link.transports.base import Transport
from ksos_link.transports.capture_file import Capture, read_capture
from ksos_link.transports.tapped import Tap, TappedTransport

if TYPE_CHECKING:
    from bleak.backends.device import BLEDevice

    from ksos_link.transports.ble import Radio

_VIRTUAL_ADAPTER: Final = "virtual:tcp:"
DEFAULT_TIMEOUT_S: Final = 20.0  # sleepy watches advertise every 10 s or more


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """What a caller may say about links. `now` is the clock of the host, aware.

    `others` are addresses of other watches, which never hold the loader of this one. `tap` hears
    every packet, `found` how strongly a watch was received when it was looked for, in
    dBm. `adapter` chooses the radio for watches with a Bluetooth address: `hci1`, or a virtual
    radio as `virtual:tcp:127.0.0.1:PORT`; empty is the machine's own choice.
    """

    now: Callable[[], datetime] = local_now
    timeout_s: float = DEFAULT_TIMEOUT_S
    bond: bool = False
    tap: Tap | None = None
    found: Callable[[int], None] | None = None
    adapter: str = ""
    others: frozenset[str] = frozenset()

    def tapped(self, link: Transport) -> Transport:
        """The link, with the tap on it where one was given."""
        return TappedTransport(link, self.tap) if self.tap else link


class Route(ABC):
    """A way to one watch."""

    @abstractmethod
    async def meet(self) -> Watch:
        """Open a link and run the prelude.

        Raises:
            NotFoundError: the watch is not there, or no watch that we know.
            BluetoothError: the link could not be made.
            RefusedError: the watch did not answer.
        """

    async def meet_loader(self, way: UpdateTransport, addresses: Collection[str]) -> Loader:
        """Open a link to what takes firmware on the watch that was met at one of `addresses`.

        Raises:
            NotFoundError: no such loader is on the air, or this route has none.
            BluetoothError, RefusedError: as `meet`.
        """
        del addresses
        raise NotFoundError(f"A {way.title} loader can be met over Bluetooth only.")

    async def meet_doorway(self, entry: Entry) -> Doorway:
        """Open a link to the service of the watch that leads to its loader.

        Raises:
            RefusedError: the watch has no such service.
            NotFoundError, BluetoothError: as `meet`; this route has none.
        """
        del entry
        raise NotFoundError("A loader can be entered over Bluetooth only.")


class BleRoute(Route):
    """Over Bluetooth LE, on a real or a virtual radio. Without an address, the first watch seen."""

    def __init__(self, radio: "Radio", address: str | None, options: LinkOptions) -> None:
        self.radio = radio
        self._address = address
        self._options = options

    async def meet(self) -> Watch:
        """See `Route.meet`."""
        from ksos_link.transports.ble import BleTransport

        family, device = await self._find()
        link = await BleTransport.open(self.radio, device, family.gatt, bond=self._options.bond)
        return await Watch.meet(family, self._options.tapped(link))

    async def meet_loader(self, way: UpdateTransport, addresses: Collection[str]) -> Loader:
        """See `Route.meet_loader`. Without any address, the first loader is taken."""
        from ksos_link.transports.ble import BleTransport

        others = {address.upper() for address in self._options.others}
        wanted = {address.upper() for address in addresses} - others
        device = await self._find_loader(way, wanted)
        link = await BleTransport.open(self.radio, device, way.gatt, bond=self._options.bond)
        return await Loader.meet(way, self._options.tapped(link))

    async def meet_doorway(self, entry: Entry) -> Doorway:
        """See `Route.meet_doorway`."""
        from ksos_link.transports.ble import BleTransport

        _, device = await self._find()
        bond = entry.bond or self._options.bond
        link = await BleTransport.open(self.radio, device, entry.gatt, bond=bond)
        return await Doorway.meet(entry, self._options.tapped(link))

    async def _find_loader(self, way: UpdateTransport, addresses: Collection[str]) -> "BLEDevice":
        from ksos_link.transports import ble

        async with contextlib.aclosing(ble.scan(self.radio, self._options.timeout_s)) as seen:
            async for advertisement, device in seen:
                if way.leaves_application and not way.is_loader(advertisement):
                    continue
                if not addresses or advertisement.address.upper() in addresses:
                    self._tell_signal(advertisement)
                    return device
        raise ble.not_found(self._options.timeout_s)

    async def _find(self) -> "tuple[Family, BLEDevice]":
        from ksos_link.transports import ble

        async with contextlib.aclosing(ble.scan(self.radio, self._options.timeout_s)) as seen:
            async for advertisement, device in seen:
                found = registry.recognise(advertisement)
                named = (self._address or "").upper() == advertisement.address.upper()
                if found is not None and (named or self._address is None):
                    self._tell_signal(advertisement)
                    return _family(found.family), device
                if named:
                    raise _stranger(advertisement)
        raise ble.not_found(self._options.timeout_s)

    def _tell_signal(self, advertisement: Advertisement) -> None:
        if self._options.found is not None:
            self._options.found(advertisement.rssi_dbm)


class ReplayRoute(Route):
    """A capture that answers as its watch did."""

    def __init__(self, packets: tuple[CapturedPacket, ...], options: LinkOptions) -> None:
        self._packets = packets
        self._options = options

    async def meet(self) -> Watch:
        """See `Route.meet`. The family is the one whose inspector reads the most of it."""
        from ksos_link.operations.decode import likeliest_family
        from ksos_link.transports.memory import MemoryTransport

        family = likeliest_family(self._packets)
        session = family.open_replay(self._packets)
        link = MemoryTransport(session, family.gatt, "replayed capture")
        return await Watch.meet(family, self._options.tapped(link))


@contextlib.asynccontextmanager
async def open_route(target: Target, options: LinkOptions) -> AsyncGenerator[Route, None]:
    """Prepare the way to a watch; what it needs (a virtual radio) lives as long as the context.

    Raises:
        UsageError: no such virtual watch, or the extra `virtual` is not installed.
        MalformedError: the capture has lines that are no packets.
    """
    match target:
        case ReplayTarget(path):
            yield ReplayRoute(whole_capture(path).packets, options)
        case VirtualTarget() | NetworkTarget():
            async with _virtual_route(target, options) as route:
                yield route
        case BluetoothTarget(address) if options.adapter.startswith(_VIRTUAL_ADAPTER):
            endpoint = NetworkTarget(options.adapter.removeprefix("virtual:"))
            async with _virtual_route(endpoint, options) as route:
                yield BleRoute(route.radio, address, options)
        case BluetoothTarget(address):
            from ksos_link.transports.ble import Radio

            yield BleRoute(Radio(adapter=options.adapter), address, options)


@contextlib.asynccontextmanager
async def _virtual_route(
    target: VirtualTarget | NetworkTarget, options: LinkOptions
) -> AsyncGenerator[BleRoute, None]:
    try:
        from ksos_link.virtual_watch.virtual_radio import VirtualRadio
    except ImportError as error:
        raise UsageError(
            "The virtual watch is not installed.", "Install it: pip install 'ksos-link[virtual]'."
        ) from error
    from ksos_link.transports.ble import Radio
    from ksos_link.virtual_watch.scenarios import open_virtual_watch

    if isinstance(target, VirtualTarget):
        clock_s = asyncio.get_running_loop().time()
        session, identity = open_virtual_watch(
            target.family, target.query, now=options.now(), now_s=clock_s
        )
        virtual = await VirtualRadio.open_in_process([(session, identity)])
        address: str | None = identity.address
    else:
        virtual = await VirtualRadio.open_network(target.endpoint)
        address = target.address
    try:
        yield BleRoute(Radio(virtual.client_backend, virtual.scanner_backend), address, options)
    finally:
        await virtual.close()


def whole_capture(path: Path) -> Capture:
    """Read a capture in which every line must be a packet.

    Raises:
        NotFoundError: there is no such file.
        MalformedError: it has broken lines, or no packet at all.
    """
    capture = read_capture(path)
    if capture.broken_lines:
        raise MalformedError(
            f"Line {capture.broken_lines[0]} of the capture is no packet.",
            "A line is: seconds, TX or RX, characteristic or -, hex.",
        )
    if not capture.packets:
        raise MalformedError("The capture holds no packet.", str(path))
    return capture


def _stranger(advertisement: Advertisement) -> NotFoundError:
    """The error of a device that was found and is no watch of ours, or one in its update mode."""
    refused = refused_transport(advertisement.service_uuids, advertisement.name)
    if refused is not None:
        return NotFoundError(
            f"The device at this address waits for {refused.title}, which ksos does not speak: "
            f"{refused.reason}.",
            "Finish or leave its update with its maker's own program.",
        )
    loader = next((way for way in TRANSPORTS if way.is_loader(advertisement)), None)
    if loader is not None:
        return NotFoundError(
            f"The device at this address is a loader ({loader.title}) that waits for firmware.",
            "Finish that: ksos firmware resume FILE, with the address of the watch itself",
        )
    return NotFoundError(
        "The device at this address is no watch that ksos-link speaks to.",
        "`ksos watch scan` lists the ones it knows.",
    )


def _family(name: str) -> Family:
    family = registry.family_named(name)
    if family is None:
        raise NotFoundError(f"There is no family of watches named {name}.")
    return family
