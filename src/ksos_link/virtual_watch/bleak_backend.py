"""bleak on the virtual radio: what is written against bleak reaches the virtual watch unchanged."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, ClassVar, Final, TypeVar

import bleak
from bleak.args import SizedBuffer
from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import (
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)
from bumble import core
from bumble.device import Connection, Peer

from ksos_link.virtual_watch.bleak_scanner import BleakScannerBumble, bleak_errors, uuid_text
from ksos_link.virtual_watch.central import Central, cancellations

_T = TypeVar("_T")

_ATT_MTU: Final = 517  # what BlueZ asks for
_DEFAULT_ATT_MTU: Final = 23
_WANTS_PAIRING: Final = (
    BleakGATTProtocolErrorCode.INSUFFICIENT_AUTHENTICATION,
    BleakGATTProtocolErrorCode.INSUFFICIENT_ENCRYPTION,
)


class BleakClientBumble(BaseBleakClient):
    """A client on the adapter `central`; `backends_of` makes the class for one adapter.

    As BlueZ does, it pairs by itself when the watch wants encryption, and encrypts at once when it
    is bonded. Unlike BlueZ it shows the real `mtu_size` and the GAP service.
    """

    central: ClassVar[Central]
    scanner: ClassVar[type[BleakScannerBumble]]

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        services: set[str] | None = None,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        **_: Any,  # bleak's arguments for other platforms
    ) -> None:
        super().__init__(
            address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout
        )
        self._device: BLEDevice | None = None
        if isinstance(address_or_ble_device, BLEDevice):
            self._device = address_or_ble_device
        self._wanted = services
        self._connection: Connection | None = None
        self._subscriptions: dict[int, Callable[[bytes], None]] = {}
        self._turn = asyncio.Lock()  # ATT has one request at a time

    @property
    def name(self) -> str:
        """See `BleakClient.name`."""
        return (self._device and self._device.name) or self.address.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        """See `BleakClient.mtu_size`."""
        return self._connection.att_mtu if self._connection else _DEFAULT_ATT_MTU

    @property
    def is_connected(self) -> bool:
        """See `BleakClient.is_connected`."""
        return self._connection is not None

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        """See `BleakClient.connect`.

        Raises:
            BleakDeviceNotFoundError: No device of this address advertises.
            TimeoutError: It did not answer in time.
            BleakError: The link was lost meanwhile.
        """
        if self._connection:
            raise BleakError("Client is already connected")
        timeout_s = kwargs.get("timeout", self._timeout)
        device = self._device = self._device or await self._find(timeout_s)
        try:
            async with asyncio.timeout(timeout_s):
                connection = await _guarded(
                    partial(self.central.connect, device.details, timeout_s)
                )
                connection.once(Connection.EVENT_DISCONNECTION, self._disconnected)
                self._connection = connection
                await self._greet(connection, pair=pair)
        except BaseException:
            await self.disconnect()
            raise

    async def _find(self, timeout_s: float) -> BLEDevice:
        found = await bleak.BleakScanner.find_device_by_address(
            self.address, timeout_s, backend=self.scanner
        )
        if found is None:
            raise BleakDeviceNotFoundError(self.address, "the device was not found")
        return found

    async def _greet(self, connection: Connection, *, pair: bool) -> None:
        peer = Peer(connection)
        await self._request(lambda: peer.request_mtu(_ATT_MTU))
        if await self.central.is_bonded(connection):
            await self._request(connection.encrypt)
        elif pair:
            await self.pair()
        self.services = await self._discover(peer)

    async def _discover(self, peer: Peer) -> BleakGATTServiceCollection:
        found = BleakGATTServiceCollection()
        for remote in await self._request(peer.discover_services):
            service = BleakGATTService(remote, remote.handle, uuid_text(remote.uuid.to_bytes()))
            if self._wanted and service.uuid not in self._wanted:
                continue
            found.add_service(service)
            for member in await self._request(remote.discover_characteristics):
                characteristic = BleakGATTCharacteristic(
                    member,
                    member.handle,
                    uuid_text(member.uuid.to_bytes()),
                    list(gatt_char_props_to_strs(int(member.properties))),
                    lambda: self.mtu_size - 3,
                    service,
                )
                found.add_characteristic(characteristic)
                for descriptor in await self._request(member.discover_descriptors):
                    text = uuid_text(descriptor.type.to_bytes())
                    found.add_descriptor(
                        BleakGATTDescriptor(descriptor, descriptor.handle, text, characteristic)
                    )
                member.descriptors_discovered = True
        return found

    def _disconnected(self, _reason: int) -> None:
        self._connection = self.services = None
        self._subscriptions.clear()
        if self._disconnected_callback:
            self._disconnected_callback()

    async def disconnect(self) -> None:
        """See `BleakClient.disconnect`."""
        if connection := self._connection:
            with contextlib.suppress(core.BaseBumbleError):
                await connection.disconnect()

    async def pair(self, *_: Any, **__: Any) -> None:
        """See `BleakClient.pair`: Just Works, bonded."""
        connection = self._connected()
        if not connection.is_encrypted:
            await self._request(connection.pair)

    async def unpair(self) -> None:
        """See `BleakClient.unpair`."""
        if self._device is not None:
            await self.central.unbond(self._device.details)
        await self.disconnect()

    async def read_gatt_char(
        self,
        characteristic: BleakGATTCharacteristic,
        *,
        use_cached: bool = False,
        **_: Any,
    ) -> bytearray:
        """See `BleakClient.read_gatt_char`; there is no cache."""
        del use_cached
        return bytearray(await self._request(characteristic.obj.read_value))

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        """See `BleakClient.read_gatt_descriptor`; there is no cache."""
        del use_cached
        return bytearray(await self._request(descriptor.obj.read_value))

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        """See `BleakClient.write_gatt_char`. Without response it returns once the link takes it."""
        value, remote = bytes(data), characteristic.obj
        if response:
            await self._request(lambda: remote.write_value(value, with_response=True))
            return
        if len(value) > self.mtu_size - 3:
            raise BleakError("the value is longer than the ATT MTU allows")
        await self._run(lambda: remote.write_value(value, with_response=False))
        await self._wait_for_room()

    async def write_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, data: SizedBuffer
    ) -> None:
        """See `BleakClient.write_gatt_descriptor`."""
        value, remote = bytes(data), descriptor.obj
        await self._request(lambda: remote.write_value(value, with_response=True))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_: Any
    ) -> None:
        """See `BleakClient.start_notify`."""
        handle = characteristic.handle
        if handle in self._subscriptions:
            raise BleakError("Characteristic notifications already started")
        if not {"notify", "indicate"} & set(characteristic.properties):
            raise BleakError("the characteristic does not notify")

        def notified(value: bytes) -> None:
            callback(bytearray(value))

        self._subscriptions[handle] = notified
        try:
            await self._request(lambda: characteristic.obj.subscribe(notified))
        except BaseException:
            self._subscriptions.pop(handle, None)
            raise

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """See `BleakClient.stop_notify`."""
        if notified := self._subscriptions.pop(characteristic.handle, None):
            await self._request(lambda: characteristic.obj.unsubscribe(notified, force=True))

    async def _wait_for_room(self) -> None:
        """Feel the link's pace: wait while more is queued than the controller holds."""
        while (connection := self._connection) and (queue := connection.data_packet_queue):
            if queue.pending <= queue.max_in_flight:
                return
            moved = asyncio.Event()
            queue.once("flow", moved.set)
            await self._run(partial(connection.cancel_on_disconnection, moved.wait()))

    def _connected(self) -> Connection:
        if self._connection is None:
            raise BleakError("Not connected")
        return self._connection

    async def _request(self, call: Callable[[], Awaitable[_T]]) -> _T:
        """Run one ATT or SMP procedure, once more after pairing where the watch wants that."""
        async with self._turn:
            connection = self._connected()
            try:
                return await self._run(call)
            except BleakGATTProtocolError as error:
                if error.code not in _WANTS_PAIRING or connection.is_encrypted:
                    raise
            await self._run(connection.pair)
            return await self._run(call)

    async def _run(self, call: Callable[[], Awaitable[_T]]) -> _T:
        self._connected()
        return await _guarded(call)


async def _guarded(call: Callable[[], Awaitable[_T]]) -> _T:
    """Run one bumble call. A lost link cancels it, which must not look like our own task's end."""
    try:
        with bleak_errors():
            result = await call()
    except asyncio.CancelledError:
        if cancellations():  # also one that was asked for before this call and strikes only now
            raise
        raise BleakError("Disconnected") from None
    if cancellations():
        raise asyncio.CancelledError
    return result


def backends_of(central: Central) -> tuple[type[BaseBleakClient], type[BaseBleakScanner]]:
    """Return a client and a scanner backend for bleak that use one adapter."""
    adapter = central

    class Scanner(BleakScannerBumble):
        """`BleakScannerBumble` on one adapter."""

        central = adapter

    class Client(BleakClientBumble):
        """`BleakClientBumble` on one adapter."""

        central = adapter
        scanner = Scanner

    return Client, Scanner


@contextlib.contextmanager
def install(
    client_backend: type[BaseBleakClient], scanner_backend: type[BaseBleakScanner]
) -> Iterator[None]:
    """Give these backends to every `BleakClient` and `BleakScanner` that names none.

    For programs that cannot be handed a backend; it replaces two names of the bleak package.
    """
    names: dict[str, Any] = {
        "get_platform_client_backend_type": lambda: (client_backend, "bumble"),
        "get_platform_scanner_backend_type": lambda: (scanner_backend, "bumble"),
    }
    saved = {name: getattr(bleak, name) for name in names}
    try:
        for name, replacement in names.items():
            setattr(bleak, name, replacement)
        yield
    finally:
        for name, original in saved.items():
            setattr(bleak, name, original)
