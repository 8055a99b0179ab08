"""Programs written against bleak on the virtual radio, in one process and in two."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import bleak
import pytest
from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bleak_retry_connector import establish_connection
from bumble import core, hci
from bumble.device import Device

from firmware_protocol.watch_session import WatchSession
from ksos_link.errors import BluetoothError, UsageError
from ksos_link.virtual_watch.bleak_backend import install
from ksos_link.virtual_watch.bleak_scanner import _Seen, bleak_errors
from ksos_link.virtual_watch.network import RadioServer, loopback_from_text, serve_radio
from ksos_link.virtual_watch.radio import LinkShape
from ksos_link.virtual_watch.virtual_radio import VirtualRadio

pytestmark = pytest.mark.gatt


def uuid(short: str) -> str:
    return f"0000{short}-0000-1000-8000-00805f9b34fb"


WRITE, NOTIFY, SECRET = uuid("0af6"), uuid("0af7"), uuid("0af1")
ADDRESS, OTHER_ADDRESS = "F9:24:12:00:00:01", "F9:24:12:00:00:02"
SLOW = LinkShape(interval_s=0.02)


@dataclass(frozen=True)
class Identity:
    address: str = ADDRESS
    name: str = "Band 8"
    service_uuids: tuple[str, ...] = (uuid("0af0"),)
    manufacturer_data: bytes = bytes.fromhex("1402f92412000001020211000100")


class EchoSession(WatchSession):
    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.lost = asyncio.Event()
        self._out: list[tuple[str, bytes]] = []

    def link_opened(self, now_s: float) -> None:
        self.lost.clear()

    def subscribed(self, uuid: str, now_s: float) -> None:
        pass

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        self.written.append(data)
        self._out.append((NOTIFY, data[::-1]))

    def read_value(self, uuid: str, now_s: float) -> bytes:
        return b"value"

    def data_to_send(self) -> list[tuple[str, bytes]]:
        out, self._out = self._out, []
        return out

    def link_lost(self, now_s: float) -> None:
        self.lost.set()


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
    async with BleakClient(ADDRESS, backend=radio.client_backend) as client:
        yield client


def shape(radio: VirtualRadio, new: LinkShape) -> None:
    assert radio.link is not None
    radio.link.shape = new


def cut(radio: VirtualRadio) -> None:
    assert radio.link is not None
    radio.link.cut()


async def found(radio: VirtualRadio, address: str = ADDRESS) -> BLEDevice:
    device = await BleakScanner.find_device_by_address(address, 3, backend=radio.scanner_backend)
    assert device is not None
    return device


async def echo(client: BleakClient, text: bytes) -> bytes:
    answers: asyncio.Queue[bytes] = asyncio.Queue()
    await client.start_notify(NOTIFY, lambda _, value: answers.put_nowait(bytes(value)))
    await client.write_gatt_char(WRITE, text, response=True)
    async with asyncio.timeout(5):
        answer = await answers.get()
    await client.stop_notify(NOTIFY)
    return answer


# ---- scanning


async def test_scanners_share_the_adapter(radio: VirtualRadio) -> None:
    heard: list[tuple[BLEDevice, AdvertisementData]] = []
    first, second = asyncio.Event(), asyncio.Event()

    def hear(device: BLEDevice, data: AdvertisementData) -> None:
        heard.append((device, data))
        first.set()

    scanner = BleakScanner(hear, backend=radio.scanner_backend)
    async with asyncio.timeout(5):
        await scanner.start()
        async with BleakScanner(lambda _d, _a: second.set(), backend=radio.scanner_backend):
            await second.wait()
        first.clear()
        await first.wait()  # the other one's stop left this one scanning
        await scanner.stop()
        await scanner.stop()
    assert heard[0][0] is heard[-1][0]
    assert scanner.discovered_devices_and_advertisement_data[ADDRESS][1] == heard[-1][1]


async def test_scanner_filters_by_service(radio: VirtualRadio) -> None:
    for short, count in (("180d", 0), ("0AF0", 1)):
        devices = await BleakScanner.discover(
            0.1, service_uuids=[uuid(short)], backend=radio.scanner_backend
        )
        assert len(devices) == count


async def test_passive_scanning_is_refused(radio: VirtualRadio) -> None:
    with pytest.raises(BleakError, match="passive"):
        BleakScanner(scanning_mode="passive", backend=radio.scanner_backend)


def test_advertising_elements_are_read() -> None:
    seen = _Seen()
    for kind, raw in [
        (0x02, bytes.fromhex("f00a0d18")),
        (0x05, bytes.fromhex("78563412")),
        (0x07, bytes.fromhex("9ecadc240ee5a9e093f3a3b50100406e")),
        (0x03, bytes.fromhex("f00aff")),  # known already, and a torn one
        (0x16, bytes.fromhex("0a18010203")),
        (0x0A, bytes.fromhex("fc")),
        (0x08, b"Ban"),
        (0x2A, b"ignored"),
    ]:
        seen.add(kind, raw)
    assert seen.service_uuids == [
        uuid("0af0"),
        uuid("180d"),
        "12345678-0000-1000-8000-00805f9b34fb",
        "6e400001-b5a3-f393-e0a9-e50e24dcca9e",
    ]
    assert seen.service_data == {uuid("180a"): b"\x01\x02\x03"}
    assert (seen.tx_power, seen.name) == (-4, "Ban")


# ---- connecting


async def test_absent_device_is_not_found(radio: VirtualRadio) -> None:
    client = BleakClient(OTHER_ADDRESS, timeout=0.05, backend=radio.client_backend)
    with pytest.raises(BleakDeviceNotFoundError) as caught:
        await client.connect()
    assert OTHER_ADDRESS not in str(caught.value)
    assert client.name == OTHER_ADDRESS.replace(":", "-")
    assert client.mtu_size == 23


async def test_device_that_stopped_advertising_times_out(radio: VirtualRadio) -> None:
    device = await found(radio)
    shape(radio, LinkShape(advertising_loss=1.0))
    client = BleakClient(device, backend=radio.client_backend)
    with pytest.raises(TimeoutError):
        await client._backend.connect(pair=False, timeout=0.05)
    shape(radio, LinkShape())
    await client.connect()
    assert client.is_connected


async def test_given_up_connect_leaves_nothing_behind(radio: VirtualRadio) -> None:
    device = await found(radio)
    for turns in range(0, 80, 2):  # also in the very moment of success
        client = BleakClient(device, backend=radio.client_backend)
        connecting = asyncio.create_task(client.connect())
        for _ in range(turns):
            await asyncio.sleep(0)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
    client = BleakClient(device, timeout=3, backend=radio.client_backend)
    await client.connect()
    assert await echo(client, b"abc") == b"cba"


async def test_connecting_twice_is_refused(client: BleakClient) -> None:
    with pytest.raises(BleakError, match="already connected"):
        await client.connect()


async def test_services_can_be_chosen(radio: VirtualRadio) -> None:
    async with BleakClient(ADDRESS, services=["0af0"], backend=radio.client_backend) as client:
        assert [service.uuid for service in client.services] == [uuid("0af0")]
        assert client.name == "Band 8"


async def test_link_cut_during_discovery_is_an_error(radio: VirtualRadio) -> None:
    device = await found(radio)
    shape(radio, SLOW)
    gone: list[BleakClient] = []
    client = BleakClient(device, gone.append, backend=radio.client_backend)
    connecting = asyncio.create_task(client.connect())
    watch_device = radio.peripherals[0]._device
    established = asyncio.Event()
    watch_device.once(Device.EVENT_CONNECTION, lambda _: established.set())
    async with asyncio.timeout(5):
        await established.wait()
    for _ in range(20):
        await asyncio.sleep(0)
    cut(radio)
    with pytest.raises(BleakError, match="Disconnected"):
        await connecting
    assert gone == [client]


async def test_connection_lost_at_once_is_no_connection(
    radio: VirtualRadio, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = await found(radio)
    controller = radio.peripherals[0]._controller
    monkeypatch.setattr(controller, "on_le_connect_ind", lambda _: None)  # deaf to requests
    client = BleakClient(device, timeout=1, backend=radio.client_backend)
    with pytest.raises(TimeoutError):
        await client.connect()
    assert not client.is_connected


async def test_retry_connector_survives_a_cut(radio: VirtualRadio) -> None:
    device = await found(radio)
    shape(radio, LinkShape(interval_s=0.005))
    attempts = 0

    def cut_the_first(_: object) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            asyncio.get_running_loop().call_later(0.02, cut, radio)

    radio._central.device.on(Device.EVENT_CONNECTION, cut_the_first)
    client = await establish_connection(BleakClient, device, "watch", backend=radio.client_backend)
    assert attempts == 2
    assert await echo(client, b"abc") == b"cba"


# ---- operations


async def test_requests_wait_for_each_other(client: BleakClient, session: EchoSession) -> None:
    texts = [bytes([index]) * 200 for index in range(20)]  # long writes take several requests
    await asyncio.gather(*(client.write_gatt_char(WRITE, text, response=True) for text in texts))
    assert session.written == texts


async def test_lost_link_ends_all_waiting_operations(
    radio: VirtualRadio, client: BleakClient
) -> None:
    shape(radio, SLOW)
    reads = [asyncio.create_task(client.read_gatt_char(NOTIFY)) for _ in range(3)]
    await asyncio.sleep(0)
    cut(radio)
    async with asyncio.timeout(1):
        results = await asyncio.gather(*reads, return_exceptions=True)
    assert [type(result) for result in results] == [BleakError] * 3
    with pytest.raises(BleakError):
        await client.start_notify(NOTIFY, lambda *_: None)
    with pytest.raises(BleakError):
        await client.pair()


async def test_own_cancellation_stays_one(radio: VirtualRadio, client: BleakClient) -> None:
    shape(radio, SLOW)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await client.read_gatt_char(NOTIFY)
    assert client.is_connected


async def test_cancellation_asked_for_before_the_call_is_no_lost_link(client: BleakClient) -> None:
    async def interrupted() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()  # as Ctrl-C does while the task is at work; it strikes in the next wait
        await client.read_gatt_char(NOTIFY)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(interrupted())


async def test_write_without_response_feels_the_link(
    radio: VirtualRadio, client: BleakClient, session: EchoSession
) -> None:
    shape(radio, LinkShape(interval_s=0.002, packets_per_event=20))
    for index in range(200):
        await client.write_gatt_char(WRITE, index.to_bytes(2), response=False)
    assert len(session.written) >= 100  # no more than the controller's 64 buffers are queued
    await client.read_gatt_char(NOTIFY)
    assert session.written == [index.to_bytes(2) for index in range(200)]


async def test_cut_while_waiting_for_room(radio: VirtualRadio, client: BleakClient) -> None:
    shape(radio, LinkShape(interval_s=10.0))

    async def flood() -> None:
        while True:
            await client.write_gatt_char(WRITE, b"flood", response=False)

    flooding = asyncio.create_task(flood())
    for _ in range(5):
        await asyncio.sleep(0)
    cut(radio)
    with pytest.raises(BleakError):
        await flooding


async def test_too_long_write_is_refused(client: BleakClient) -> None:
    with pytest.raises(BleakError, match="longer"):
        await client.write_gatt_char(WRITE, bytes(138), response=False)


async def test_notify_is_checked(client: BleakClient) -> None:
    await client.start_notify(NOTIFY, lambda *_: None)
    with pytest.raises(BleakError, match="already started"):
        await client.start_notify(NOTIFY, lambda *_: None)
    with pytest.raises(BleakError, match="does not notify"):
        await client.start_notify(WRITE, lambda *_: None)


async def test_descriptors(client: BleakClient) -> None:
    cccd = 0x0013
    assert await client.read_gatt_descriptor(cccd) == b"\0\0"
    await client.start_notify(NOTIFY, lambda *_: None)
    assert await client.read_gatt_descriptor(cccd) == b"\x01\0"
    await client._backend.write_gatt_descriptor(
        client.services.descriptors[cccd], bytearray(b"\0\0")
    )
    assert await client.read_gatt_descriptor(cccd) == b"\0\0"


# ---- pairing


async def test_pairing_bonds_and_reconnect_encrypts(radio: VirtualRadio) -> None:
    device = await found(radio)
    async with BleakClient(device, pair=True, backend=radio.client_backend) as client:
        await client.pair()  # already
        assert await client.read_gatt_char(SECRET) == b"value"
    async with BleakClient(device, backend=radio.client_backend) as client:
        (connection,) = radio._central.device.connections.values()
        assert connection.is_encrypted
        await client.unpair()
        assert not client.is_connected
    async with BleakClient(device, backend=radio.client_backend) as client:
        (connection,) = radio._central.device.connections.values()
        assert not connection.is_encrypted


async def test_cut_while_pairing(radio: VirtualRadio, client: BleakClient) -> None:
    shape(radio, SLOW)
    pairing = asyncio.create_task(client.pair())
    await asyncio.sleep(0)
    cut(radio)
    with pytest.raises(BleakError):
        await pairing


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (core.TimeoutError(), TimeoutError),
        (core.ProtocolError(0x0C, "hci"), BleakError),
        (core.InvalidStateError("x"), BleakError),
    ],
)
def test_errors_of_the_stack(error: Exception, expected: type[Exception]) -> None:
    with pytest.raises(expected), bleak_errors():
        raise error


# ---- several radios, and programs that know of none


async def test_two_radios_in_one_process() -> None:
    sessions = EchoSession(), EchoSession()
    radios = [
        await VirtualRadio.open_in_process([(session, Identity(name=name))])
        for session, name in zip(sessions, ("One", "Two"), strict=True)
    ]
    for radio, name in zip(radios, ("One", "Two"), strict=True):
        async with BleakClient(await found(radio), backend=radio.client_backend) as client:
            assert client.name == name
            await client.write_gatt_char(WRITE, name.encode(), response=True)
    assert [session.written for session in sessions] == [[b"One"], [b"Two"]]
    for radio in radios:
        await radio.close()


async def test_two_watches_on_one_radio() -> None:
    sessions = EchoSession(), EchoSession()
    identities = Identity(), replace(Identity(), address=OTHER_ADDRESS)
    radio = await VirtualRadio.open_in_process(list(zip(sessions, identities, strict=True)))
    clients = [
        BleakClient(address, backend=radio.client_backend) for address in (ADDRESS, OTHER_ADDRESS)
    ]
    await asyncio.gather(*(client.connect() for client in clients))
    for index, client in enumerate(clients):
        await client.write_gatt_char(WRITE, bytes([index]), response=True)
    assert [session.written for session in sessions] == [[b"\0"], [b"\x01"]]
    await radio.close()


async def test_unmodified_program(radio: VirtualRadio) -> None:
    original = vars(bleak)["get_platform_client_backend_type"]
    with install(radio.client_backend, radio.scanner_backend):
        async with BleakClient(ADDRESS) as client:
            assert await echo(client, b"abc") == b"cba"
        assert (await BleakScanner.discover(timeout=0.1))[0].address == ADDRESS
    assert vars(bleak)["get_platform_client_backend_type"] is original


async def test_closed_radio_refuses(session: EchoSession) -> None:
    radio = await VirtualRadio.open_in_process([(session, Identity())])
    device = await found(radio)
    scanner = BleakScanner(backend=radio.scanner_backend)
    await scanner.start()
    await radio.close()
    await scanner.stop()
    with pytest.raises(TimeoutError):
        await scanner.start()
    with pytest.raises(TimeoutError):
        await BleakClient(device, backend=radio.client_backend).connect()


async def test_closing_ends_a_pending_connect(session: EchoSession) -> None:
    radio = await VirtualRadio.open_in_process([(session, Identity())])
    device = await found(radio)
    shape(radio, LinkShape(advertising_loss=1.0))
    connecting = asyncio.create_task(BleakClient(device, backend=radio.client_backend).connect())
    for _ in range(10):
        await asyncio.sleep(0)
    await radio.close()
    async with asyncio.timeout(1):
        with pytest.raises(BleakError):
            await connecting


# ---- two processes


@pytest.fixture
async def server(session: EchoSession) -> AsyncIterator[RadioServer]:
    server = await serve_radio([(session, Identity())], "tcp:127.0.0.1:0")
    yield server
    await server.close()


async def test_network_radio_attaches_and_attaches_again(
    server: RadioServer, session: EchoSession
) -> None:
    for text in (b"first", b"again"):
        radio = await VirtualRadio.open_network(f"tcp:localhost:{server.port}")
        async with BleakClient(ADDRESS, backend=radio.client_backend) as client:
            assert client.mtu_size == 140
            assert await echo(client, text) == text[::-1]
        await radio.close()
    assert session.written == [b"first", b"again"]


PROGRAM = """
import asyncio, sys
from bleak import BleakClient
from ksos_link.virtual_watch.virtual_radio import VirtualRadio

async def main():
    radio = await VirtualRadio.open_network(sys.argv[1])
    client = BleakClient(sys.argv[2], backend=radio.client_backend)
    await client.connect()
    await client.write_gatt_char(sys.argv[3], b"from afar", response=True)
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_killed_program_leaves_the_radio_usable(
    server: RadioServer, session: EchoSession
) -> None:
    target = f"tcp:127.0.0.1:{server.port}"
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, target, ADDRESS, WRITE, stdout=asyncio.subprocess.PIPE
    )
    assert program.stdout is not None
    async with asyncio.timeout(30):
        assert await program.stdout.readline() == b"ready\n"
        program.kill()
        await session.lost.wait()
        await program.wait()
    radio = await VirtualRadio.open_network(target)
    async with BleakClient(ADDRESS, backend=radio.client_backend) as client:
        assert await echo(client, b"abc") == b"cba"
    await radio.close()
    assert session.written == [b"from afar", b"abc"]


async def test_radio_that_goes_away_ends_everything(session: EchoSession) -> None:
    server = await serve_radio([(session, Identity())], "tcp:127.0.0.1:0")
    radio = await VirtualRadio.open_network(f"tcp:127.0.0.1:{server.port}")
    gone = asyncio.Event()
    device = await found(radio)
    client = BleakClient(device, lambda _: gone.set(), backend=radio.client_backend)
    await client.connect()
    absent = BleakClient(
        BLEDevice(OTHER_ADDRESS, None, hci.Address(OTHER_ADDRESS)), backend=radio.client_backend
    )
    connecting = asyncio.create_task(absent.connect())
    scanner = BleakScanner(backend=radio.scanner_backend)
    await scanner.start()
    await server.close()
    async with asyncio.timeout(3):
        await gone.wait()
        with pytest.raises(BleakError):
            await connecting
        await scanner.stop()
        with pytest.raises(TimeoutError):
            await client.connect()
        await radio.close()


@pytest.mark.parametrize(
    "text",
    [
        *("tcp:192.0.2.1:7", "tcp:example.org:7", "tcp:0.0.0.0:7"),
        *("tcp:127.0.0.1", "tcp::7", "udp:127.0.0.1:7", "7"),
        *("tcp:127.0.0.1:65536", "tcp:127.0.0.1:-1"),
    ],
)
async def test_only_this_machine_is_served(text: str) -> None:
    with pytest.raises(UsageError):
        await serve_radio([], text)
    with pytest.raises(UsageError):
        await VirtualRadio.open_network(text)


def test_ways_to_write_this_machine() -> None:
    assert loopback_from_text("tcp:127.0.0.1:80") == ("127.0.0.1", 80)
    assert loopback_from_text("tcp:[::1]:80") == ("::1", 80)
    assert loopback_from_text("tcp:localhost:0") == ("localhost", 0)


async def test_taken_port_is_a_plain_error(server: RadioServer) -> None:
    with pytest.raises(UsageError, match="cannot be listened on"):
        await serve_radio([], f"tcp:127.0.0.1:{server.port}")


async def test_nobody_there_is_a_plain_error() -> None:
    closed = await serve_radio([], "tcp:127.0.0.1:0")
    await closed.close()
    with pytest.raises(BluetoothError, match="No virtual radio"):
        await VirtualRadio.open_network(f"tcp:127.0.0.1:{closed.port}")


async def test_something_else_there_is_a_plain_error() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    other = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = other.sockets[0].getsockname()[1]
    with pytest.raises(BluetoothError, match="no virtual radio"):
        await VirtualRadio.open_network(f"tcp:127.0.0.1:{port}")
    other.close()
    await other.wait_closed()


async def test_program_that_stopped_reading_is_hung_up_on(server: RadioServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(bytes(hci.HCI_Reset_Command()))
    async with asyncio.timeout(5):
        await reader.readexactly(4)
        (attachment,) = server.attached
        for _ in range(64):  # far more than the kernel holds
            attachment.on_packet(bytes(1 << 20))
        with contextlib.suppress(ConnectionError):
            while await reader.read(1 << 20):
                pass
    assert not server.attached
    attachment.on_packet(b"late")
    writer.close()


async def test_att_errors_are_bleaks(client: BleakClient) -> None:
    missing = client.services.get_characteristic(NOTIFY)
    assert missing is not None
    missing.obj.handle = 0x7777
    with pytest.raises(BleakGATTProtocolError, match="Invalid Handle"):
        await client.read_gatt_char(missing)
