"""The radio in a process of its own: controllers, air and watches here, the programs elsewhere.

A program attaches with HCI over TCP, as to a Bluetooth dongle. Each attachment is a controller of
its own on the same air; when it goes, even by `kill -9`, its links are lost and the watch
advertises again.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final, cast

from bumble.transport.common import StreamPacketSource

from firmware_protocol.watch_session import WatchSession
from ksos_link.errors import UsageError
from ksos_link.virtual_watch.gatt_tables import IDO_A200, GattTable
from ksos_link.virtual_watch.peripheral import VirtualPeripheral, WatchIdentity
from ksos_link.virtual_watch.radio import LinkShape, RadioController, ShapedLink

_SCHEME: Final = "tcp:"
_MAX_UNREAD_BYTES: Final = 1 << 20  # of a program that stopped reading
_HINT: Final = "Write tcp:127.0.0.1:PORT; PORT 0 takes a free one."


def loopback_from_text(text: str) -> tuple[str, int]:
    """Read `tcp:HOST:PORT`, where HOST is this machine.

    Raises:
        UsageError: It reads differently, or HOST is another machine.
    """
    host, _, port = text.removeprefix(_SCHEME).rpartition(":")
    if not text.startswith(_SCHEME) or not host or not port.isdecimal() or int(port) > 0xFFFF:
        raise UsageError("This is no address of a virtual radio.", _HINT)
    is_here = host == "localhost"
    if not is_here:
        with contextlib.suppress(ValueError):
            is_here = ip_address(host.strip("[]")).is_loopback
    if not is_here:
        raise UsageError("A virtual radio listens on this machine only.", _HINT)
    return host.strip("[]"), int(port)


class _Attachment(StreamPacketSource):
    """One program's connection: HCI packets in both directions, and the controller behind."""

    def __init__(self, link: ShapedLink, attached: set["_Attachment"]) -> None:
        super().__init__()
        self._link = link
        self._attached = attached
        self._transport: asyncio.Transport | None = None
        self._controller: RadioController | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Plug in."""
        self._transport = cast("asyncio.Transport", transport)  # a stream protocol gets this kind
        self._controller = RadioController("attached", self._link, self, self)
        self._attached.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Unplug."""
        del exc
        self._attached.discard(self)
        if self._controller is not None:
            self._controller.leave()

    def on_packet(self, packet: bytes) -> None:
        """Send a packet of the controller to the program; hang up on one that stopped reading."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(packet)
        if self._transport.get_write_buffer_size() > _MAX_UNREAD_BYTES:
            self.close()

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()


class RadioServer:
    """A radio that serves programs; `serve_radio` makes one. `port` is where it listens."""

    def __init__(self, link: ShapedLink, peripherals: Sequence[VirtualPeripheral]) -> None:
        self.link = link
        self.peripherals = tuple(peripherals)
        self.port = 0
        self._server: asyncio.Server | None = None
        self.attached: set[_Attachment] = set()

    async def listen(self, host: str, port: int) -> None:
        """Take programs from now on.

        Raises:
            UsageError: The port is taken.
        """
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: _Attachment(self.link, self.attached), host, port
            )
        except OSError as error:
            raise UsageError("The port cannot be listened on.", "Take another one.") from error
        self.port = self._server.sockets[0].getsockname()[1]
        for peripheral in self.peripherals:
            await peripheral.start()

    async def close(self) -> None:
        """Stop listening, hang up, switch the watches off."""
        if self._server is not None:
            self._server.close()
        for attachment in list(self.attached):
            attachment.close()
        for peripheral in self.peripherals:
            await peripheral.close()
        if self._server is not None:
            await self._server.wait_closed()


async def serve_radio(
    watches: Sequence[tuple[WatchSession, WatchIdentity]],
    listen: str,
    shape: LinkShape | None = None,
    *,
    table: GattTable = IDO_A200,
    encrypted_uuids: frozenset[str] = frozenset(),
) -> RadioServer:
    """Put watches on the air and serve it on `listen` (`tcp:127.0.0.1:PORT`).

    Raises:
        UsageError: `listen` is malformed, not on this machine, or taken.
    """
    host, port = loopback_from_text(listen)
    link = ShapedLink(shape)
    server = RadioServer(link, peripherals_on(link, watches, table, encrypted_uuids))
    await server.listen(host, port)
    return server


def peripherals_on(
    link: ShapedLink,
    watches: Sequence[tuple[WatchSession, WatchIdentity]],
    table: GattTable,
    encrypted_uuids: frozenset[str],
) -> list[VirtualPeripheral]:
    """Build the peripherals of several watches on one link, switched off."""
    return [
        VirtualPeripheral(session, identity, link, table=table, encrypted_uuids=encrypted_uuids)
        for session, identity in watches
    ]
