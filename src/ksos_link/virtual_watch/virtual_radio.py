"""The seam for applications: a radio to open, and the bleak backends that speak through it."""

from collections.abc import Sequence
from typing import Self

from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import BaseBleakScanner

from firmware_protocol.watch_session import WatchSession
from ksos_link.virtual_watch.bleak_backend import backends_of
from ksos_link.virtual_watch.central import Central
from ksos_link.virtual_watch.gatt_tables import IDO_A200, GattTable
from ksos_link.virtual_watch.network import loopback_from_text, peripherals_on
from ksos_link.virtual_watch.peripheral import VirtualPeripheral, WatchIdentity
from ksos_link.virtual_watch.radio import LinkShape, ShapedLink


class VirtualRadio:
    """An adapter that reaches virtual watches; several may be open at once.

    Attributes:
        client_backend: For `BleakClient(..., backend=...)`.
        scanner_backend: For `BleakScanner(..., backend=...)`.
        link: The air, when it is in this process.
        peripherals: The watches, when they are in this process.
    """

    client_backend: type[BaseBleakClient]
    scanner_backend: type[BaseBleakScanner]

    def __init__(
        self,
        central: Central,
        link: ShapedLink | None = None,
        peripherals: Sequence[VirtualPeripheral] = (),
    ) -> None:
        """Hold what `open_in_process` or `open_network` opened."""
        self.client_backend, self.scanner_backend = backends_of(central)
        self.link = link
        self.peripherals = tuple(peripherals)
        self._central = central

    @classmethod
    async def open_in_process(
        cls,
        watches: Sequence[tuple[WatchSession, WatchIdentity]],
        *,
        shape: LinkShape | None = None,
        table: GattTable = IDO_A200,
        encrypted_uuids: frozenset[str] = frozenset(),
    ) -> Self:
        """Put watches and an adapter on one air, all in this event loop."""
        link = ShapedLink(shape)
        peripherals = peripherals_on(link, watches, table, encrypted_uuids)
        for peripheral in peripherals:
            await peripheral.start()
        return cls(await Central.open_on(link), link, peripherals)

    @classmethod
    async def open_network(cls, target: str) -> Self:
        """Attach to a radio that another process serves (`tcp:127.0.0.1:PORT`).

        Raises:
            UsageError: `target` is malformed or not on this machine.
            BluetoothError: No virtual radio answers there.
        """
        return cls(await Central.open_tcp(*loopback_from_text(target)))

    async def close(self) -> None:
        """Switch everything off that was opened; clients lose their links."""
        await self._central.close()
        for peripheral in self.peripherals:
            await peripheral.close()
