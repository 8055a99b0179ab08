"""Bluetooth LE through bleak: scanning, and a link to one watch.

The same code runs on a real adapter (bleak's own backends) and on a virtual radio (backends handed
in by `Radio`). Import this module only when a link is really wanted: bleak is slow to load.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakCharacteristicNotFoundError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)
from bleak_retry_connector import BleakConnectionError, establish_connection

from firmware_protocol.family import Advertisement, GattProfile
from ksos_link.errors import BluetoothError, KsosError, LinkLostError, NotFoundError, RefusedError

SUBSCRIBE_GAP_S: Final = 0.1  # ido.md 2.4: the app waits about 100 ms between its two subscriptions
PAIR_TIMEOUT_S: Final = 20.0  # BlueZ was seen to hang for ever in pair()
_NOT_AUTHORISED: Final = BleakGATTProtocolErrorCode.INSUFFICIENT_AUTHORIZATION  # dfu.md 4.5
LEAST_WRITE_BYTES: Final = 20  # what the smallest ATT MTU carries
OPERATION_TIMEOUT_S: Final = 10.0  # one ATT procedure; the specification's own limit is 30 s
MAX_QUEUED_NOTIFICATIONS: Final = 4096  # a babbling watch must not eat memory

ADAPTER_HINT: Final = "Run `ksos doctor`: it names what is missing and the command that mends it."

LOST: Final = "The Bluetooth link to the watch was lost."
MOVE_CLOSER: Final = "Move closer and try again."
LACKING: Final = "The device lacks a characteristic of this kind of watch."
LACKING_HINT: Final = "It is perhaps of another family, or in its update mode."
SWITCHED_OFF_HINT: Final = "Allow it in the watch's settings: it is switched off there."
NEAR_HINT: Final = (
    "Is it near, awake and not connected to a phone? Watches connected to one stay silent."
)


@dataclass(frozen=True, slots=True)
class Radio:
    """Which bleak backends to use; None means the platform's own, on `adapter` (BlueZ: `hci1`)."""

    client_backend: Any = None  # a BaseBleakClient subclass; untyped so that bleak stays unimported
    scanner_backend: Any = None
    adapter: str = ""

    @property
    def client_options(self) -> dict[str, Any]:
        """Keyword arguments for `BleakClient`."""
        return self._options(self.client_backend)

    @property
    def scanner_options(self) -> dict[str, Any]:
        """Keyword arguments for `BleakScanner`."""
        return self._options(self.scanner_backend)

    def _options(self, backend: Any) -> dict[str, Any]:
        if backend:
            return {"backend": backend}
        return {"bluez": {"adapter": self.adapter}} if self.adapter else {}


@contextlib.contextmanager
def bluetooth_errors() -> Iterator[None]:
    """Turn everything bleak and the platform raise into our own errors, in one place."""
    try:
        yield
    except BleakDeviceNotFoundError as error:
        raise NotFoundError("The watch was not found.", NEAR_HINT) from error
    except BleakGATTProtocolError as error:
        code = int(error.args[0])  # `error.code` knows only the codes that have a name
        if code == BleakGATTProtocolErrorCode.UNLIKELY_ERROR:
            # what BlueZ answers to a write that was under way when the link broke
            raise LinkLostError(LOST, MOVE_CLOSER) from error
        hint = SWITCHED_OFF_HINT if code == _NOT_AUTHORISED else ""
        text = f"The watch refused a request (ATT error 0x{code:02X})."
        raise RefusedError(text, hint) from error
    except BleakError as error:
        raise _bluetooth_error(error) from error
    except TimeoutError as error:
        raise LinkLostError("The watch did not answer in time.") from error
    except KsosError:
        raise
    except Exception as error:  # no D-Bus is a bare FileNotFoundError, a broken one its own kind
        raise BluetoothError("Bluetooth is not available on this machine.", ADAPTER_HINT) from error


@contextlib.contextmanager
def _adapter_answers() -> Iterator[None]:
    """Without a watch in play, silence is the machine's."""
    try:
        yield
    except TimeoutError as error:
        raise BluetoothError("Bluetooth does not answer on this machine.", ADAPTER_HINT) from error


def _bluetooth_error(error: Exception) -> BluetoothError | RefusedError:
    if isinstance(error, BleakCharacteristicNotFoundError):
        return RefusedError(LACKING, LACKING_HINT)
    if isinstance(error, BleakBluetoothNotAvailableError):
        return BluetoothError("Bluetooth is not available on this machine.", ADAPTER_HINT)
    if isinstance(error, BleakConnectionError):
        return BluetoothError("The watch could not be connected.", MOVE_CLOSER)
    return LinkLostError(LOST, MOVE_CLOSER)


async def scan(
    radio: Radio, timeout_s: float
) -> AsyncGenerator[tuple[Advertisement, BLEDevice], None]:
    """Yield every advertisement seen within `timeout_s`, repeats included.

    Raises:
        BluetoothError: there is no usable adapter.
    """
    seen: asyncio.Queue[tuple[Advertisement, BLEDevice]] = asyncio.Queue()

    def found(device: BLEDevice, data: AdvertisementData) -> None:
        seen.put_nowait((_advertisement(device, data), device))

    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + timeout_s
    with bluetooth_errors(), _adapter_answers():
        scanner = BleakScanner(found, **radio.scanner_options)
        async with asyncio.timeout(OPERATION_TIMEOUT_S):
            await scanner.start()
    try:
        while (left_s := deadline_s - loop.time()) > 0:
            try:
                async with asyncio.timeout(left_s):
                    yield await seen.get()
            except TimeoutError:
                return
    finally:
        with bluetooth_errors(), _adapter_answers():
            async with asyncio.timeout(OPERATION_TIMEOUT_S):
                await scanner.stop()


def not_found(timeout_s: float) -> NotFoundError:
    """The error of a watch that did not advertise within `timeout_s`."""
    return NotFoundError(f"The watch was not found within {timeout_s:g} s.", NEAR_HINT)


def _advertisement(device: BLEDevice, data: AdvertisementData) -> Advertisement:
    return Advertisement(
        address=device.address,
        name=data.local_name or device.name,
        rssi_dbm=data.rssi,
        service_uuids=frozenset(uuid.lower() for uuid in data.service_uuids),
        manufacturer_data=dict(data.manufacturer_data),
        service_data={uuid.lower(): value for uuid, value in data.service_data.items()},
    )


class BleTransport:
    """An open GATT link with notifications on. See `transports.base.Transport`."""

    def __init__(self, client: BleakClient, address: str, gatt: GattProfile) -> None:
        self._client = client
        self._gatt = gatt
        self._address = address
        self._received: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue()
        self._lost = False

    @classmethod
    async def open(
        cls, radio: Radio, device: BLEDevice, gatt: GattProfile, *, bond: bool = False
    ) -> "BleTransport":
        """Connect under bleak-retry-connector's policy, bond if asked, and subscribe.

        Raises:
            BluetoothError: the link could not be made.
            RefusedError: the watch lacks a characteristic of `gatt`.
        """
        holder: list[BleTransport] = []

        def lost(_: BleakClient) -> None:
            for transport in holder:
                transport.link_lost()

        with bluetooth_errors():
            client = await establish_connection(
                BleakClient,
                device,
                device.name or "watch",
                disconnected_callback=lost,
                use_services_cache=False,
                **radio.client_options,
            )
        transport = cls(client, device.address, gatt)
        holder.append(transport)
        try:
            with bluetooth_errors():
                if bond:  # before the first protected read: reading first was seen to hang BlueZ
                    async with asyncio.timeout(PAIR_TIMEOUT_S):
                        await client.pair()
                await transport._subscribe()
        except BaseException:
            await transport.close()
            raise
        return transport

    async def _subscribe(self) -> None:
        services = self._client.services
        for index, uuid in enumerate(self._gatt.notify_uuids):
            if services.get_characteristic(uuid) is None:
                raise RefusedError(LACKING, LACKING_HINT)
            if index:
                await asyncio.sleep(SUBSCRIBE_GAP_S)
            async with asyncio.timeout(OPERATION_TIMEOUT_S):
                await self._client.start_notify(uuid, self._callback(uuid))

    def _callback(self, uuid: str) -> Callable[[object, bytearray], None]:
        def received(_: object, value: bytearray) -> None:
            if self._received.qsize() < MAX_QUEUED_NOTIFICATIONS:
                self._received.put_nowait((uuid, bytes(value)))
            else:
                self.link_lost()  # a gap is worse than a link that is made again

        return received

    @property
    def address(self) -> str:
        """The watch's Bluetooth address."""
        return self._address

    @property
    def max_write_bytes(self) -> int:
        """ATT MTU minus 3, by the characteristics: BlueZ does not tell a client its MTU."""
        if self._lost:
            return LEAST_WRITE_BYTES  # there are no characteristics any more
        service = self._client.services.get_service(self._gatt.service_uuid)
        known = service.characteristics if service else ()
        return min(
            (one.max_write_without_response_size for one in known), default=LEAST_WRITE_BYTES
        )

    async def write(self, uuid: str, data: bytes, *, with_response: bool) -> None:
        """See `Transport.write`."""
        self._raise_if_lost()
        with bluetooth_errors():
            async with asyncio.timeout(OPERATION_TIMEOUT_S):
                await self._client.write_gatt_char(uuid, data, response=with_response)

    async def read_value(self, uuid: str) -> bytes:
        """See `Transport.read_value`."""
        self._raise_if_lost()
        with bluetooth_errors():
            async with asyncio.timeout(OPERATION_TIMEOUT_S):
                return bytes(await self._client.read_gatt_char(uuid))

    async def receive(self, timeout_s: float) -> tuple[str, bytes] | None:
        """See `Transport.receive`. What arrived before a loss is still handed out."""
        if self._lost and self._received.empty():
            self._raise_if_lost()
        try:
            async with asyncio.timeout(timeout_s):
                item = await self._received.get()
        except TimeoutError:
            return None
        if item is None:
            self._raise_if_lost()
        return item

    async def close(self) -> None:
        """See `Transport.close`."""
        self._lost = True
        with contextlib.suppress(BluetoothError, RefusedError, NotFoundError), bluetooth_errors():
            async with asyncio.timeout(OPERATION_TIMEOUT_S):
                await self._client.disconnect()

    def link_lost(self) -> None:
        """Called by bleak when the link is gone; wakes whoever waits."""
        self._lost = True
        self._received.put_nowait(None)

    def _raise_if_lost(self) -> None:
        if self._lost:
            raise LinkLostError(LOST, MOVE_CLOSER)
