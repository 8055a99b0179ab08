"""The adapter of the virtual radio: a bumble host that scans and connects for bleak."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final

from bumble import core, hci
from bumble.device import Advertisement, Connection, Device, DeviceConfiguration
from bumble.host import Host
from bumble.transport.common import AsyncPipeSink, Transport, TransportSink, TransportSource
from bumble.transport.tcp_client import open_tcp_client_transport

from ksos_link.errors import BluetoothError
from ksos_link.virtual_watch.radio import RadioController, ShapedLink

_SETTLE_S: Final = 1.0  # for the last words of a controller
_OPEN_TIMEOUT_S: Final = 5.0


class Central:
    """One adapter, used by any number of scanners and clients at a time.

    `is_lost` tells that the controller is gone for good (only of a radio in another process).
    """

    def __init__(self, source: TransportSource, sink: TransportSink) -> None:
        """Take the HCI of a controller; `open_on` and `open_tcp` are the ways to get one."""
        self.device = Device(
            config=DeviceConfiguration(
                name="central", address=hci.Address.generate_static_address()
            ),
            host=Host(source, sink),
        )
        self.is_lost = False
        self._controller: RadioController | None = None
        self._transport: Transport | None = None
        self._listeners: list[Callable[[Advertisement], None]] = []
        self._scanning = asyncio.Lock()
        self._initiating = asyncio.Lock()  # a controller initiates one connection at a time
        self.device.on(Device.EVENT_ADVERTISEMENT, self._heard)

    @classmethod
    async def open_on(cls, link: ShapedLink) -> "Central":
        """Open an adapter on the air of this process."""
        controller = RadioController("central", link)
        central = cls(controller, AsyncPipeSink(controller))
        central._controller = controller
        await central.device.power_on()
        return central

    @classmethod
    async def open_tcp(cls, host: str, port: int) -> "Central":
        """Open an adapter whose controller is in another process.

        Raises:
            BluetoothError: Nobody serves a radio there.
        """
        hint = "Start it with `ksos virtual run`."
        try:
            async with asyncio.timeout(_OPEN_TIMEOUT_S):
                transport = await open_tcp_client_transport(f"{host}:{port}")
        except OSError as error:  # a time-out is one too
            raise BluetoothError("No virtual radio answers at this port.", hint) from error
        central = cls(transport.source, transport.sink)
        central._transport = transport
        transport.source.terminated.add_done_callback(lambda _: central._lose())
        try:
            async with asyncio.timeout(_OPEN_TIMEOUT_S):
                await central.device.power_on()
        except (core.BaseBumbleError, TimeoutError) as error:
            await central.close()
            raise BluetoothError("What answers at this port is no virtual radio.", hint) from error
        return central

    async def close(self) -> None:
        """Switch off; clients lose their links."""
        self.is_lost = True
        with contextlib.suppress(TimeoutError):  # a controller elsewhere may have fallen silent
            async with asyncio.timeout(_SETTLE_S):
                await self.device.power_off()
        self._lose()
        if self._controller is not None:
            self._controller.leave()
        if self._transport is not None:
            await self._transport.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SETTLE_S):
                    await self._transport.source.terminated

    @contextlib.asynccontextmanager
    async def _in_turn(self, lock: asyncio.Lock) -> AsyncIterator[None]:
        async with lock:
            if self.is_lost:
                raise core.TimeoutError("the virtual radio is gone")
            yield

    async def listen(self, listener: Callable[[Advertisement], None]) -> None:
        """Call `listener` with every advertisement from now on."""
        async with self._in_turn(self._scanning):
            self._listeners.append(listener)
            if not self.device.is_scanning:
                await self.device.start_scanning()

    async def stop_listening(self, listener: Callable[[Advertisement], None]) -> None:
        """Undo `listen`; harmless when not listening."""
        async with self._scanning:
            if listener not in self._listeners:
                return
            self._listeners.remove(listener)
            if not self._listeners and not self.is_lost:
                await self.device.stop_scanning()

    async def connect(self, address: hci.Address, timeout_s: float) -> Connection:
        """Connect to an advertiser.

        Raises:
            bumble.core.BaseBumbleError: It did not answer in time, or the radio is gone.
        """
        async with self._in_turn(self._initiating):
            known, cancelled = set(self.device.connections), cancellations()
            try:
                connection = await self.device.connect(address, timeout=timeout_s)
                if cancellations() > cancelled:
                    raise asyncio.CancelledError  # noqa: TRY301  # see `cancellations`
            except asyncio.CancelledError:
                await self._abandon(known)
                raise
            if self.device.connections.get(connection.handle) is not connection:
                raise core.TimeoutError("lost again before anybody could use it")
            return connection

    async def is_bonded(self, connection: Connection) -> bool:
        """Tell whether keys of an earlier pairing are there."""
        keys = self.device.keystore
        return keys is not None and await keys.get(str(connection.peer_address)) is not None

    async def unbond(self, address: hci.Address) -> None:
        """Delete the keys of a peer."""
        if self.device.keystore is not None:
            await self.device.keystore.delete(str(address))

    async def _abandon(self, known: set[int]) -> None:
        """Withdraw a request to connect whose caller gave up; bumble leaves it pending."""
        if self.is_lost:
            return
        # a connection that is just completing asks the device for this
        self.device.connect_own_address_type = hci.OwnAddressType.RANDOM
        with contextlib.suppress(core.BaseBumbleError):
            await self.device.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command())
            for handle in set(self.device.connections) - known:
                await self.device.connections[handle].disconnect()

    def _heard(self, advertisement: Advertisement) -> None:
        for listener in list(self._listeners):
            listener(advertisement)

    def _lose(self) -> None:
        self.is_lost = True
        if self.device.is_le_connecting:
            error = core.ConnectionError(  # type: ignore[no-untyped-call]  # not annotated
                hci.HCI_ErrorCode.HARDWARE_FAILURE_ERROR,
                core.PhysicalTransport.LE,
                hci.Address.ANY,
            )
            self.device.emit(Device.EVENT_CONNECTION_FAILURE, error)


def cancellations() -> int:
    """Return how often the running task was asked to end.

    bumble waits with `asyncio.wait_for`, which in Python 3.11 swallows a cancellation that meets a
    result; comparing this before and after finds it.
    """
    task = asyncio.current_task()
    return task.cancelling() if task else 0
