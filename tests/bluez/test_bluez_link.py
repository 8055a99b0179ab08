"""Our links over the real BlueZ: bleak's own backend, bluetoothd, the kernel, a watch on the air.

One loop for all tests: bleak keeps a connection to D-Bus for each loop.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from bleak.backends.bluezdbus import manager
from bleak.backends.device import BLEDevice

from firmware_protocol.families.ido.gatt import COMMAND_NOTIFY, COMMAND_WRITE, GATT, HEALTH_WRITE
from firmware_protocol.watch_session import WatchSession
from ksos_link.errors import LinkLostError
from ksos_link.transports.ble import BleTransport, Radio, scan

pytestmark = [pytest.mark.bluez, pytest.mark.asyncio(loop_scope="session")]

ON_SUBSCRIBE = bytes.fromhex("0330550100")  # ido.md 2.5


@dataclass(frozen=True)
class Identity:
    address: str = "F9:24:12:00:00:42"
    name: str = "Echo"
    service_uuids: tuple[str, ...] = (GATT.service_uuid,)
    manufacturer_data: bytes = bytes.fromhex("1402f92412000042020211000100")


class EchoSession(WatchSession):
    """Notifies each write backwards."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self._out: list[tuple[str, bytes]] = []

    def link_opened(self, now_s: float) -> None:
        pass

    def subscribed(self, uuid: str, now_s: float) -> None:
        pass

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        self.writes.append(data)
        self._out.append((COMMAND_NOTIFY, data[::-1]))

    def read_value(self, uuid: str, now_s: float) -> bytes:
        return b"secret"

    def data_to_send(self) -> list[tuple[str, bytes]]:
        out, self._out = self._out, []
        return out

    def link_lost(self, now_s: float) -> None:
        pass


@pytest_asyncio.fixture(autouse=True, scope="module", loop_scope="session")
async def bleak_bus(bluez_guest: object) -> AsyncIterator[None]:
    """Close the connection to D-Bus that bleak keeps for each event loop."""
    yield
    kept = manager._global_instances.pop(asyncio.get_running_loop(), None)
    if kept is not None and kept._bus is not None:
        kept._bus.disconnect()
        await kept._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]


async def found(address: str) -> BLEDevice:
    async for advertisement, device in scan(Radio(), 20):
        if advertisement.address == address and advertisement.manufacturer_data:
            return device
    raise AssertionError("the watch was not found")


async def received(transport: BleTransport) -> bytes:
    item = await transport.receive(10)
    assert item is not None
    return item[1]


async def test_bonds_then_reads_what_is_protected(put_on_air: Any) -> None:
    session = EchoSession()
    watch = put_on_air(session, Identity(), frozenset({HEALTH_WRITE}))
    transport = await BleTransport.open(Radio(), await found(Identity.address), GATT, bond=True)
    assert watch.device_property("Bonded") is True
    assert await transport.read_value(HEALTH_WRITE) == b"secret"
    largest = bytes(range(137))
    for text, with_response in ((b"abc", True), (largest, True), (b"def", False)):
        await transport.write(COMMAND_WRITE, text, with_response=with_response)
        assert await received(transport) == text[::-1]
    characteristic = transport._client.services.get_characteristic(COMMAND_WRITE)
    assert characteristic is not None
    assert characteristic.max_write_without_response_size == 137

    watch.cut()
    with pytest.raises(LinkLostError):
        await transport.receive(10)
    await transport.close()

    again = await BleTransport.open(Radio(), await found(Identity.address), GATT, bond=True)
    assert await again.read_value(HEALTH_WRITE) == b"secret"
    await again.close()


async def test_ido_watch_answers(bluez_watch: Any) -> None:
    transport = await BleTransport.open(Radio(), await found(bluez_watch.address), GATT)
    assert await received(transport) == ON_SUBSCRIBE
    await transport.write(COMMAND_WRITE, bytes.fromhex("0201"), with_response=True)
    assert (await received(transport)).startswith(bytes.fromhex("02011402"))
    await transport.close()
