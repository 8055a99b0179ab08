"""The air and its controllers: what bumble's own link leaves out, each gap repaired or shown."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import pytest
from bumble import core, hci
from bumble.core import AdvertisingData
from bumble.device import Advertisement, Connection, Device, DeviceConfiguration
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.host import Host
from bumble.transport.common import AsyncPipeSink

from ksos_link.virtual_watch.radio import LinkShape, RadioController, ShapedLink

T = TypeVar("T")
WATCH = hci.Address("F9:24:12:00:00:01")
PHONE = hci.Address("C4:00:00:00:00:02")
PUBLIC = "C0:FF:EE:00:00:01"
NAME, MAKER = AdvertisingData.Type.COMPLETE_LOCAL_NAME, AdvertisingData.Type(0xFF)

pytestmark = pytest.mark.gatt
Opener = Callable[..., Awaitable["Station"]]


class Station:
    """A host with its controller on the air."""

    def __init__(self, link: ShapedLink, address: hci.Address) -> None:
        self.controller = RadioController("station", link, public_address=PUBLIC)
        self.device = Device(
            config=DeviceConfiguration(name="station", address=address),
            host=Host(self.controller, AsyncPipeSink(self.controller)),
        )
        self.written: list[bytes] = []
        self.arrived = asyncio.Event()
        value = CharacteristicValue(read=lambda _: b"value", write=self._write)
        both = Characteristic.Properties.READ | Characteristic.Properties.WRITE_WITHOUT_RESPONSE
        allowed = Characteristic.Permissions.READABLE | Characteristic.Permissions.WRITEABLE
        self.value: Characteristic[bytes] = Characteristic("ABCD", both, allowed, value)
        self.device.add_service(Service("ABCC", [self.value]))

    def _write(self, _: Connection, value: bytes) -> None:
        self.written.append(bytes(value))
        self.arrived.set()

    async def advertise(self) -> None:
        await self.device.start_advertising(
            advertising_data=bytes(AdvertisingData([(NAME, b"Band")])),
            scan_response_data=bytes(AdvertisingData([(MAKER, b"\x14\x02\x01")])),
            advertising_interval_min=20,
            advertising_interval_max=20,
        )

    async def wait_for(self, count: int) -> None:
        while len(self.written) < count:
            self.arrived.clear()
            await soon(self.arrived.wait())


async def soon(awaitable: Awaitable[T]) -> T:
    async with asyncio.timeout(5):
        return await awaitable


async def settle() -> None:
    """Let what was written reach the air."""
    for _ in range(10):
        await asyncio.sleep(0)


def lost(connection: Connection) -> asyncio.Future[int]:
    reason: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    connection.once(Connection.EVENT_DISCONNECTION, reason.set_result)
    return reason


def incoming(device: Device) -> asyncio.Future[Connection]:
    arrived: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
    device.once(Device.EVENT_CONNECTION, arrived.set_result)
    return arrived


@pytest.fixture
async def link() -> ShapedLink:
    return ShapedLink()


@pytest.fixture
async def station(link: ShapedLink) -> AsyncIterator[Opener]:
    stations: list[Station] = []

    async def opened(address: hci.Address) -> Station:
        stations.append(Station(link, address))
        await stations[-1].device.power_on()
        return stations[-1]

    yield opened
    for each in stations:
        await each.device.power_off()
        each.controller.leave()
    assert not link.controllers


@pytest.fixture
async def watch(station: Opener) -> Station:
    watch = await station(WATCH)
    await watch.advertise()
    return watch


@pytest.fixture
async def phone(station: Opener) -> Station:
    return await station(PHONE)


async def heard(phone: Station, wanted: Callable[[Advertisement], bool]) -> Advertisement:
    found: asyncio.Future[Advertisement] = asyncio.get_running_loop().create_future()

    def listen(advertisement: Advertisement) -> None:
        if wanted(advertisement) and not found.done():
            found.set_result(advertisement)

    phone.device.on(Device.EVENT_ADVERTISEMENT, listen)
    await phone.device.start_scanning()
    try:
        return await soon(found)
    finally:
        await phone.device.stop_scanning()


@pytest.mark.parametrize("extended", [True, False])
async def test_scan_response_carries_its_own_data(
    link: ShapedLink, watch: Station, station: Opener, extended: bool
) -> None:
    link.shape = replace(link.shape, rssi_dbm=-77)
    phone = await station(PHONE)
    if not extended:
        phone.controller.le_features &= ~hci.LeFeatureMask.LE_EXTENDED_ADVERTISING
        await phone.device.power_on()  # the host asks for the features again
    found = await heard(phone, lambda a: a.data.get(MAKER) is not None)
    assert found.data.ad_structures == [(NAME, b"Band"), (MAKER, b"\x14\x02\x01")]
    assert found.address == WATCH
    assert found.rssi == -77


async def test_passive_scan_hears_no_scan_response(watch: Station, phone: Station) -> None:
    found: asyncio.Queue[Advertisement] = asyncio.Queue()
    phone.device.on(Device.EVENT_ADVERTISEMENT, found.put_nowait)
    await phone.device.start_scanning(active=False)
    for _ in range(3):
        assert (await soon(found.get())).data.ad_structures == [(NAME, b"Band")]


async def test_lost_advertisements_are_not_heard(
    link: ShapedLink, watch: Station, phone: Station
) -> None:
    link.shape = replace(link.shape, advertising_loss=1.0)
    with pytest.raises(core.TimeoutError):
        await soon(phone.device.connect(WATCH, timeout=0.1))
    assert link.scan_response(WATCH) is None


async def test_losses_repeat_with_the_seed(watch: Station, station: Opener) -> None:
    def losses(seed: int) -> list[bool]:
        air = ShapedLink(LinkShape(advertising_loss=0.5, seed=seed))
        air.controllers = watch.controller.link.controllers
        return [air.scan_response(WATCH) is None for _ in range(64)]

    assert losses(1) == losses(1)
    assert losses(1) != losses(2)
    assert {True, False} == set(losses(1))


async def test_connect_to_an_absent_device_ends_in_time(phone: Station, station: Opener) -> None:
    with pytest.raises(core.TimeoutError):
        await soon(phone.device.connect(WATCH, timeout=0.05))
    watch = await station(WATCH)
    await watch.advertise()
    assert await soon(phone.device.connect(WATCH, timeout=3))


async def test_reset_drops_links_scanning_and_advertising(watch: Station, phone: Station) -> None:
    arrived = incoming(watch.device)
    await soon(phone.device.connect(WATCH))
    reason = lost(await soon(arrived))
    await phone.advertise()
    await phone.device.start_scanning()
    await phone.device.power_on()  # begins with HCI_Reset
    assert await soon(reason) == hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR
    assert not phone.controller.le_connections
    assert not phone.controller.le_scan_enable
    assert not phone.controller.advertising_sets


async def test_one_of_two_centrals_is_turned_away(
    watch: Station, phone: Station, station: Opener
) -> None:
    other = await station(hci.Address("C4:00:00:00:00:03"))
    refused: list[int] = []

    def watch_for(connection: Connection) -> None:
        connection.once(Connection.EVENT_DISCONNECTION, refused.append)

    for each in (phone, other):
        each.device.on(Device.EVENT_CONNECTION, watch_for)
    await soon(asyncio.gather(phone.device.connect(WATCH), other.device.connect(WATCH)))
    assert refused == [hci.HCI_ErrorCode.CONNECTION_FAILED_TO_BE_ESTABLISHED_ERROR]
    assert len(phone.device.connections) + len(other.device.connections) == 1


async def test_central_with_public_address_is_heard(watch: Station, phone: Station) -> None:
    connection = await soon(phone.device.connect(WATCH, own_address_type=hci.OwnAddressType.PUBLIC))
    assert await soon(connection.gatt_client.read_value(watch.value.handle)) == b"value"


async def write(connection: Connection, watch: Station, value: bytes) -> None:
    await connection.gatt_client.write_value(watch.value.handle, value)


async def test_connection_events_set_the_pace(
    link: ShapedLink, watch: Station, phone: Station
) -> None:
    connection = await soon(phone.device.connect(WATCH))
    link.shape = LinkShape(interval_s=0.02, packets_per_event=2)
    queue = connection.data_packet_queue
    assert queue is not None
    begin_s = asyncio.get_running_loop().time()
    for index in range(10):
        await write(connection, watch, bytes([index]))
    await settle()
    assert queue.pending >= 8  # the host feels that at most one event has passed
    await watch.wait_for(10)
    assert watch.written == [bytes([index]) for index in range(10)]
    assert asyncio.get_running_loop().time() - begin_s > 4 * 0.02 - 0.001
    await soon(connection.drain())
    assert queue.pending == 0


async def test_lost_packets_are_sent_again_in_order(
    link: ShapedLink, watch: Station, phone: Station
) -> None:
    connection = await soon(phone.device.connect(WATCH))
    link.shape = LinkShape(interval_s=0.001, payload_bytes=10, loss=0.3)
    for index in range(50):
        await write(connection, watch, bytes([index]) * 15)
    await watch.wait_for(50)
    assert watch.written == [bytes([index]) * 15 for index in range(50)]


async def test_changing_to_an_unshaped_link_overtakes_nothing(
    link: ShapedLink, watch: Station, phone: Station
) -> None:
    connection = await soon(phone.device.connect(WATCH))
    link.shape = LinkShape(interval_s=0.05)
    await write(connection, watch, b"first")
    await settle()
    link.shape = LinkShape()
    await write(connection, watch, b"second")
    await watch.wait_for(2)
    assert watch.written == [b"first", b"second"]


async def test_supervision_ends_a_faded_link(
    link: ShapedLink, watch: Station, phone: Station
) -> None:
    arrived = incoming(watch.device)
    connection = await soon(phone.device.connect(WATCH))
    reasons = lost(connection), lost(await soon(arrived))
    link.shape = LinkShape(interval_s=0.005, loss=1.0, supervision_s=0.05)
    await write(connection, watch, b"into the void")
    for reason in reasons:
        assert await soon(reason) == hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR
    assert not watch.written


async def test_cut_loses_what_was_queued(link: ShapedLink, watch: Station, phone: Station) -> None:
    connection = await soon(phone.device.connect(WATCH))
    link.shape = LinkShape(interval_s=0.2)
    reason = lost(connection)
    await write(connection, watch, b"old")
    await settle()
    link.cut()
    assert await soon(reason) == hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR
    await watch.advertise()
    again = await soon(phone.device.connect(WATCH))
    await write(again, watch, b"new")
    await watch.wait_for(1)
    assert watch.written == [b"new"]


async def test_packets_for_a_lost_connection_are_dropped(
    link: ShapedLink, watch: Station, phone: Station
) -> None:
    connection = await soon(phone.device.connect(WATCH))
    link.cut()  # the host has not heard of it yet
    await write(connection, watch, b"late")
    await soon(lost(connection))
    assert not watch.written


async def test_leaving_takes_the_links_along(
    link: ShapedLink, watch: Station, phone: Station
) -> None:
    arrived = incoming(watch.device)
    await soon(phone.device.connect(WATCH))
    reason = lost(await soon(arrived))
    phone.controller.leave()
    assert await soon(reason) == hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR
    assert link.controllers == {watch.controller}


async def test_legacy_advertising_interval_is_in_its_unit(station: Opener) -> None:
    watch = await station(WATCH)
    watch.controller.le_features &= ~hci.LeFeatureMask.LE_EXTENDED_ADVERTISING
    await watch.device.power_on()
    await watch.advertise()
    assert watch.controller.le_legacy_advertiser.advertising_interval_min == 20


async def test_gap_connection_events_are_of_the_old_kind(watch: Station, phone: Station) -> None:
    """bumble never sends the enhanced event, so a kernel must not be told of LL privacy."""
    kinds: list[type] = []
    send = phone.controller.send_hci_packet

    def spy(packet: hci.HCI_Packet) -> None:
        kinds.append(type(packet))
        send(packet)

    phone.controller.send_hci_packet = spy  # type: ignore[method-assign]  # a spy
    await soon(phone.device.connect(WATCH))
    assert hci.HCI_LE_Connection_Complete_Event in kinds
    assert hci.HCI_LE_Enhanced_Connection_Complete_Event not in kinds
