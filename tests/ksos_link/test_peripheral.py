"""The virtual watch as the air sees it: its GATT table, and a session behind it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakError, BleakGATTProtocolError
from bumble.core import AdvertisingData

from firmware_protocol.watch_session import WatchSession
from ksos_link.virtual_watch.gatt_tables import (
    CharacteristicSpec,
    GattTable,
    Properties,
    ServiceSpec,
)
from ksos_link.virtual_watch.peripheral import VirtualPeripheral, _advertisement, _scan_response
from ksos_link.virtual_watch.radio import LinkShape, ShapedLink
from ksos_link.virtual_watch.virtual_radio import VirtualRadio

pytestmark = pytest.mark.gatt


def uuid(short: str) -> str:
    return f"0000{short}-0000-1000-8000-00805f9b34fb"


WRITE, NOTIFY, SECRET = uuid("0af6"), uuid("0af7"), uuid("0af1")


@dataclass(frozen=True)
class Identity:
    address: str = "F9:24:12:00:00:01"
    name: str = "Band 8"
    service_uuids: tuple[str, ...] = (uuid("0af0"),)
    manufacturer_data: bytes = bytes.fromhex("1402f92412000001020211000100")  # ido.md 2.1


class EchoSession(WatchSession):
    """Answers each write with its reverse; some first bytes ask for more."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._out: list[tuple[str, bytes]] = []
        self._held: list[tuple[str, bytes]] = []
        self._dropping = False
        self._changed = asyncio.Event()

    def _note(self, what: str) -> None:
        self.seen.append(what)
        self._changed.set()

    async def saw(self, what: str) -> None:
        async with asyncio.timeout(5):
            while what not in self.seen:
                self._changed.clear()
                await self._changed.wait()

    def link_opened(self, now_s: float) -> None:
        assert now_s == pytest.approx(asyncio.get_running_loop().time(), abs=1)
        self._note("opened")

    def subscribed(self, uuid: str, now_s: float) -> None:
        self._note(f"subscribed {uuid[4:8]}")
        if uuid == NOTIFY:
            self._out.append((NOTIFY, b"hello"))

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        self._note(f"{uuid[4:8]} {data.decode()}")
        match data[:1]:
            case b"#":
                self._out += [(NOTIFY, index.to_bytes(2) * 60) for index in range(int(data[1:]))]
            case b"!":
                raise RuntimeError("a bug of the session")
            case b"?":
                self._out.append((uuid, b"no such notification"))
            case b"x":
                self._out.append((NOTIFY, b"last words"))
                self._dropping = True
            case b"z":
                self._held.append((NOTIFY, b"late"))
            case b"+":
                self._out.append((NOTIFY, bytes(200)))
            case _:
                self._out.append((NOTIFY, data[::-1]))

    def read_value(self, uuid: str, now_s: float) -> bytes:
        return f"value of {uuid[4:8]}".encode()

    def data_to_send(self) -> list[tuple[str, bytes]]:
        out, self._out = self._out, []
        return out

    def release_delayed(self, now_s: float) -> None:
        self._out += self._held
        self._held = []

    @property
    def link_must_drop(self) -> bool:
        return self._dropping

    def link_lost(self, now_s: float) -> None:
        self._dropping = False
        self._note("lost")


class Notifications:
    def __init__(self) -> None:
        self.values: asyncio.Queue[bytes] = asyncio.Queue()

    def __call__(self, _: object, value: bytearray) -> None:
        self.values.put_nowait(bytes(value))

    async def next(self) -> bytes:
        async with asyncio.timeout(5):
            return await self.values.get()


@pytest.fixture
def session() -> EchoSession:
    return EchoSession()


@pytest.fixture
async def radio(session: EchoSession) -> AsyncIterator[VirtualRadio]:
    radio = await VirtualRadio.open_in_process(
        [(session, Identity())], encrypted_uuids=frozenset({SECRET})
    )
    yield radio
    await radio.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture
async def client(radio: VirtualRadio) -> AsyncIterator[BleakClient]:
    async with BleakClient(Identity.address, backend=radio.client_backend) as client:
        yield client


@pytest.fixture
async def notified(client: BleakClient) -> Notifications:
    notified = Notifications()
    await client.start_notify(NOTIFY, notified)
    assert await notified.next() == b"hello"
    return notified


async def test_table_of_the_captured_watch(client: BleakClient) -> None:
    """Golden: ido.md 2.2, handles C."""
    service = client.services.get_service(uuid("0af0"))
    assert service is not None
    write = {"read", "write", "write-without-response"}
    assert service.handle == 0x000E
    assert [
        (c.uuid, c.handle, set(c.properties), [d.handle for d in c.descriptors])
        for c in service.characteristics
    ] == [
        (uuid("0af6"), 0x0010, write, []),
        (uuid("0af7"), 0x0012, {"read", "notify"}, [0x0013]),
        (uuid("0af2"), 0x0015, {"read", "notify"}, [0x0016]),
        (uuid("0af1"), 0x0018, write, []),
    ]
    assert {s.uuid for s in client.services} == {uuid("1800"), uuid("1801"), uuid("0af0")}


async def test_watch_agrees_to_mtu_140(client: BleakClient, notified: Notifications) -> None:
    assert client.mtu_size == 140
    await client.write_gatt_char(WRITE, b"a" * 137, response=False)
    assert await notified.next() == b"a" * 137


async def test_watch_asks_for_its_mtu(session: EchoSession, radio: VirtualRadio) -> None:
    assert radio.link is not None
    device = radio._central.device  # a host that does not ask by itself
    connection = await device.connect(Identity.address)
    async with asyncio.timeout(5):
        if connection.att_mtu == 23:
            changed = asyncio.Event()
            connection.once(connection.EVENT_CONNECTION_ATT_MTU_UPDATE, changed.set)
            await changed.wait()
    assert connection.att_mtu == 140


async def test_advertises_as_captured(radio: VirtualRadio) -> None:
    async with BleakScanner(backend=radio.scanner_backend) as scanner, asyncio.timeout(5):
        device, data = await anext(
            found async for found in scanner.advertisement_data() if found[1].manufacturer_data
        )
    assert device.address == Identity.address
    assert data.local_name == device.name == "Band 8"
    assert data.service_uuids == [uuid("0af0")]
    assert data.manufacturer_data == {0x0214: bytes.fromhex("f92412000001020211000100")}


def test_advertisement_elements() -> None:
    types = AdvertisingData.Type
    wide = "6e400001-b5a3-f393-e0a9-e50e24dcca9e"
    data = _advertisement(Identity(name="A watch with a long name", service_uuids=(wide,)))
    assert len(data) == 31
    parsed = AdvertisingData.from_bytes(data).ad_structures
    assert [kind for kind, _ in parsed] == [
        types.FLAGS,
        types.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
        types.SHORTENED_LOCAL_NAME,
    ]
    assert parsed[2][1] == b"A watch "
    nameless = AdvertisingData.from_bytes(_advertisement(Identity(name=""))).ad_structures
    assert [kind for kind, _ in nameless] == [
        types.FLAGS,
        types.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    ]
    assert _scan_response(Identity(manufacturer_data=b"")) == b""


async def test_writes_reads_and_notifications_reach_the_session(
    session: EchoSession, client: BleakClient, notified: Notifications
) -> None:
    await client.write_gatt_char(WRITE, b"abc", response=True)
    await client.write_gatt_char(WRITE, b"def", response=False)
    assert [await notified.next(), await notified.next()] == [b"cba", b"fed"]
    assert await client.read_gatt_char(NOTIFY) == b"value of 0af7"
    assert session.seen == ["opened", "subscribed 0af7", "0af6 abc", "0af6 def"]


async def test_notifications_keep_their_order(client: BleakClient, notified: Notifications) -> None:
    await client.write_gatt_char(WRITE, b"#300", response=True)
    assert [await notified.next() for _ in range(300)] == [
        index.to_bytes(2) * 60 for index in range(300)
    ]


async def test_no_notification_without_subscription(client: BleakClient) -> None:
    await client.write_gatt_char(WRITE, b"unheard", response=True)
    notified = Notifications()
    await client.start_notify(NOTIFY, notified)
    assert await notified.next() == b"hello"
    await client.stop_notify(NOTIFY)
    await client.write_gatt_char(WRITE, b"unheard", response=True)
    await client.start_notify(NOTIFY, notified)
    assert await notified.next() == b"hello"


async def test_long_notification_is_cut_and_reported(
    client: BleakClient, notified: Notifications, caplog: pytest.LogCaptureFixture
) -> None:
    await client.write_gatt_char(WRITE, b"+", response=True)
    assert await notified.next() == bytes(137)
    assert "cut to the ATT MTU" in caplog.text


async def test_lost_link_is_told_and_the_watch_advertises_again(
    session: EchoSession, radio: VirtualRadio, client: BleakClient
) -> None:
    radio.peripherals[0].drop_link()
    await session.saw("lost")
    assert not client.is_connected
    await client.connect()
    await client.write_gatt_char(WRITE, b"again", response=True)
    assert session.seen.count("opened") == 2


async def test_connected_watch_does_not_advertise(radio: VirtualRadio, client: BleakClient) -> None:
    found = await BleakScanner.discover(timeout=0.1, backend=radio.scanner_backend)
    assert found == []


async def test_session_drops_the_link_after_its_last_words(
    session: EchoSession, client: BleakClient, notified: Notifications
) -> None:
    await client.write_gatt_char(WRITE, b"x", response=True)
    assert await notified.next() == b"last words"
    await session.saw("lost")
    with pytest.raises(BleakError):
        await client.read_gatt_char(NOTIFY)


async def test_delayed_answers_come_on_the_tick(
    client: BleakClient, notified: Notifications
) -> None:
    await client.write_gatt_char(WRITE, b"z", response=True)
    assert await notified.next() == b"late"


async def test_bug_of_a_session_is_an_error_and_no_silence(
    client: BleakClient, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(BleakGATTProtocolError, match="Unlikely"):
        await client.write_gatt_char(WRITE, b"!", response=True)
    assert "a bug of the session" in caplog.text


async def test_impossible_notification_drops_the_link(
    session: EchoSession, client: BleakClient, caplog: pytest.LogCaptureFixture
) -> None:
    await client.write_gatt_char(WRITE, b"?", response=False)
    await session.saw("lost")
    assert "the virtual watch failed" in caplog.text


async def test_encrypted_characteristic_pairs(client: BleakClient, session: EchoSession) -> None:
    assert await client.read_gatt_char(SECRET) == b"value of 0af1"
    await client.write_gatt_char(SECRET, b"bonded", response=True)
    assert "0af1 bonded" in session.seen


async def test_properties_are_kept() -> None:
    table = GattTable(
        (
            ServiceSpec(
                uuid("abc0"),
                (
                    CharacteristicSpec(uuid("abc1"), Properties.READ),
                    CharacteristicSpec(uuid("abc2"), Properties.WRITE),
                ),
            ),
        ),
        att_mtu=64,
    )
    radio = await VirtualRadio.open_in_process([(EchoSession(), Identity())], table=table)
    async with BleakClient(Identity.address, backend=radio.client_backend) as client:
        assert client.mtu_size == 64
        with pytest.raises(BleakGATTProtocolError, match="Write Not Permitted"):
            await client.write_gatt_char(uuid("abc1"), b"a", response=True)
        with pytest.raises(BleakGATTProtocolError, match="Read Not Permitted"):
            await client.read_gatt_char(uuid("abc2"))
    await radio.close()


async def test_table_that_does_not_fit_is_refused() -> None:
    shifted = CharacteristicSpec(uuid("abc1"), Properties.READ, handle=0x0042)
    table = GattTable((ServiceSpec(uuid("abc0"), (shifted,)),), att_mtu=23)
    with pytest.raises(ValueError, match="has handle 0x0010"):
        VirtualPeripheral(EchoSession(), Identity(), ShapedLink(), table=table)


async def test_watch_on_a_shaped_link(session: EchoSession) -> None:
    radio = await VirtualRadio.open_in_process(
        [(session, Identity())], shape=LinkShape(interval_s=0.002, loss=0.1)
    )
    async with BleakClient(Identity.address, backend=radio.client_backend) as client:
        notified = Notifications()
        await client.start_notify(NOTIFY, notified)
        await client.write_gatt_char(WRITE, b"#40", response=True)
        got = [await notified.next() for _ in range(41)]
    assert got == [b"hello"] + [index.to_bytes(2) * 60 for index in range(40)]
    await radio.close()


async def test_closing_takes_a_connected_client_along(session: EchoSession) -> None:
    radio = await VirtualRadio.open_in_process([(session, Identity())])
    gone = asyncio.Event()
    client = BleakClient(Identity.address, lambda _: gone.set(), backend=radio.client_backend)
    await client.connect()
    await radio.close()
    assert gone.is_set()
    assert not client.is_connected
    assert session.seen[-1] == "lost"
    assert asyncio.all_tasks() == {asyncio.current_task()}
