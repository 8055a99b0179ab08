"""Links: one suite for all of them, then what only Bluetooth can do wrong."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from bleak import BleakClient
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import BaseBleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
)
from bleak_retry_connector import BleakConnectionError

from firmware_protocol.family import GattProfile
from firmware_protocol.registry import FAMILIES
from firmware_protocol.watch_session import WatchSession
from ksos_link.errors import (
    BluetoothError,
    KsosError,
    LinkLostError,
    NotFoundError,
    RefusedError,
)
from ksos_link.transports import ble
from ksos_link.transports.base import Transport
from ksos_link.transports.memory import MemoryTransport
from ksos_link.virtual_watch.virtual_radio import VirtualRadio

pytestmark = pytest.mark.gatt
GATT = FAMILIES[0].gatt
NOTIFY, OTHER_NOTIFY = GATT.notify_uuids
WRITE = GATT.service_uuid.replace("0af0", "0af6")
HANG, SECRET_READ = b"hang", b"secret"


class EchoSession(WatchSession):
    """Answers each write with its bytes, on both channels; `bye` ends the link."""

    def __init__(self) -> None:
        self.subscriptions: list[str] = []
        self.written: list[bytes] = []
        self.lost = 0
        self._due: list[tuple[str, bytes]] = []
        self._drops = False

    def link_opened(self, now_s: float) -> None: ...

    def subscribed(self, uuid: str, now_s: float) -> None:
        self.subscriptions.append(uuid)

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        self.written.append(data)
        self._due += [(NOTIFY, data), (OTHER_NOTIFY, data[::-1])]
        self._drops = data == b"bye"

    def read_value(self, uuid: str, now_s: float) -> bytes:
        return f"value {uuid[4:8]}".encode()

    def data_to_send(self) -> list[tuple[str, bytes]]:
        due, self._due = self._due, []
        return due

    def link_lost(self, now_s: float) -> None:
        self.lost += 1
        self._drops = False

    @property
    def link_must_drop(self) -> bool:
        return self._drops


@dataclass(frozen=True)
class Identity:
    address: str = "F9:24:12:00:00:01"
    name: str = "Band 8"
    service_uuids: tuple[str, ...] = (GATT.service_uuid,)
    manufacturer_data: bytes = bytes.fromhex("1402f92412000001020211000100")  # ido.md 2.1


@contextlib.asynccontextmanager
async def virtual_air(session: WatchSession) -> AsyncIterator[tuple[ble.Radio, VirtualRadio]]:
    virtual = await VirtualRadio.open_in_process([(session, Identity())])
    try:
        yield ble.Radio(virtual.client_backend, virtual.scanner_backend), virtual
    finally:
        await virtual.close()


async def heard(radio: ble.Radio) -> BLEDevice:
    async with contextlib.aclosing(ble.scan(radio, 5)) as seen:
        async for _, device in seen:
            return device
    raise AssertionError("nothing was heard")


@contextlib.asynccontextmanager
async def ble_link(session: WatchSession) -> AsyncIterator[Transport]:
    async with virtual_air(session) as (radio, _):
        link = await ble.BleTransport.open(radio, await heard(radio), GATT)
        yield link
        await link.close()


@contextlib.asynccontextmanager
async def memory_link(session: WatchSession) -> AsyncIterator[Transport]:
    link = MemoryTransport(session, GATT, Identity.address)
    yield link
    await link.close()


OpenLink = Callable[[WatchSession], contextlib.AbstractAsyncContextManager[Transport]]
Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=[ble_link, memory_link])
def open_link(request: pytest.FixtureRequest) -> OpenLink:
    found: OpenLink = request.param
    return found


@pytest.fixture
def run(runner: asyncio.Runner) -> Run:
    async def limited(job: Coroutine[Any, Any, Any]) -> Any:
        async with asyncio.timeout(120):
            return await job

    return lambda job: runner.run(limited(job))


# ---- what any link does


def test_a_link_is_subscribed_in_order(run: Run, open_link: OpenLink) -> None:
    session = EchoSession()

    async def job() -> tuple[str, int]:
        async with open_link(session) as link:
            return link.address, link.max_write_bytes

    address, max_write_bytes = run(job())
    assert session.subscriptions == [NOTIFY, OTHER_NOTIFY]
    assert address == Identity.address
    assert max_write_bytes >= 20


def test_what_is_written_is_answered_in_order(run: Run, open_link: OpenLink) -> None:
    session = EchoSession()

    async def job() -> list[Any]:
        async with open_link(session) as link:
            await link.write(WRITE, b"one", with_response=True)
            await link.write(WRITE, b"two", with_response=False)
            return [await link.receive(1) for _ in range(5)]

    assert run(job()) == [
        *((NOTIFY, b"one"), (OTHER_NOTIFY, b"eno"), (NOTIFY, b"two"), (OTHER_NOTIFY, b"owt")),
        None,
    ]
    assert session.written == [b"one", b"two"]


def test_a_value_is_read(run: Run, open_link: OpenLink) -> None:
    async def job() -> bytes:
        async with open_link(EchoSession()) as link:
            return await link.read_value(WRITE)

    assert run(job()) == b"value 0af6"


def test_a_characteristic_that_is_not_there_is_no_lost_link(run: Run) -> None:
    async def job() -> bytes:
        async with ble_link(EchoSession()) as link:
            with pytest.raises(RefusedError, match="lacks a characteristic"):
                await link.read_value("0000fff3-0000-1000-8000-00805f9b34fb")
            return await link.read_value(WRITE)

    assert run(job()) == b"value 0af6"


def test_a_closed_link_is_lost_and_may_be_closed_again(run: Run, open_link: OpenLink) -> None:
    session = EchoSession()

    async def job() -> None:
        async with open_link(session) as link:
            await link.close()
            with pytest.raises(LinkLostError):
                await link.write(WRITE, b"late", with_response=True)
            with pytest.raises(LinkLostError):
                await link.read_value(WRITE)
            with pytest.raises(LinkLostError):
                await link.receive(1)

    run(job())
    assert session.written == []
    assert session.lost == 1


# ---- links that are lost


def test_what_came_before_the_loss_is_still_handed_out(run: Run) -> None:
    async def job() -> list[Any]:
        async with ble_link(EchoSession()) as link:
            await link.write(WRITE, b"bye", with_response=True)
            await asyncio.sleep(1)
            got = [await link.receive(1) for _ in range(2)]
            for attempt in (link.receive(1), link.read_value(WRITE)):
                with pytest.raises(LinkLostError):
                    await attempt
            return got

    assert run(job()) == [(NOTIFY, b"bye"), (OTHER_NOTIFY, b"eyb")]


def test_a_loss_wakes_whoever_waits(run: Run, runner: asyncio.Runner) -> None:
    async def job() -> None:
        async with virtual_air(EchoSession()) as (radio, virtual):
            link = await ble.BleTransport.open(radio, await heard(radio), GATT)
            waiting = asyncio.ensure_future(link.receive(100))
            await asyncio.sleep(1)
            assert virtual.link
            virtual.link.cut()
            with pytest.raises(LinkLostError):
                await waiting

    run(job())
    assert runner.get_loop().time() < 5


def test_a_link_that_was_lost_at_once_takes_the_smallest_writes(run: Run) -> None:
    async def job() -> tuple[int, int]:
        async with virtual_air(EchoSession()) as (radio, virtual):
            link = await ble.BleTransport.open(radio, await heard(radio), GATT)
            before = link.max_write_bytes
            assert virtual.link
            virtual.link.cut()
            await asyncio.sleep(0.1)
            return before, link.max_write_bytes

    assert run(job()) == (137, 20)


def test_a_link_can_be_opened_again(run: Run) -> None:
    session = EchoSession()

    async def job() -> None:
        async with virtual_air(session) as (radio, virtual):
            for _ in range(3):
                link = await ble.BleTransport.open(radio, await heard(radio), GATT)
                assert virtual.link
                virtual.link.cut()
                await link.close()

    run(job())
    assert session.lost == 3


def test_a_watch_that_goes_while_it_is_connected_to(run: Run) -> None:
    async def job() -> None:
        async with virtual_air(EchoSession()) as (radio, virtual):
            device = await heard(radio)
            await virtual.peripherals[0].close()
            await ble.BleTransport.open(radio, device, GATT)

    with pytest.raises(BluetoothError):
        run(job())


def test_a_watch_of_another_kind_is_let_go(run: Run) -> None:
    session = EchoSession()
    stranger = replace(GATT, notify_uuids=(NOTIFY, "0000dead-0000-1000-8000-00805f9b34fb"))

    async def job(gatt: GattProfile) -> None:
        async with virtual_air(session) as (radio, _):
            await ble.BleTransport.open(radio, await heard(radio), gatt)

    with pytest.raises(RefusedError, match="lacks a characteristic") as caught:
        run(job(stranger))
    assert "another family" in caught.value.hint
    assert session.lost == 1


def test_a_babbling_watch_does_not_fill_the_memory(run: Run) -> None:
    async def job() -> int:
        client = FakeClient()
        link = ble.BleTransport(client, "address", GATT)  # type: ignore[arg-type]
        heard = link._callback(NOTIFY)
        for _ in range(ble.MAX_QUEUED_NOTIFICATIONS + 100):
            heard(None, bytearray(20))
        count = 0
        with contextlib.suppress(LinkLostError):
            while await link.receive(1):
                count += 1
        return count

    assert run(job()) == ble.MAX_QUEUED_NOTIFICATIONS


# ---- bonding


def test_a_bond_is_made_before_anything_is_subscribed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, order = EchoSession(), list[int]()
    pair = BleakClient.pair

    async def noted(client: BleakClient, *args: Any, **more: Any) -> None:
        order.append(len(session.subscriptions))
        await pair(client, *args, **more)

    async def job() -> None:
        async with virtual_air(session) as (radio, _):
            link = await ble.BleTransport.open(radio, await heard(radio), GATT, bond=True)
            await link.close()

    monkeypatch.setattr(BleakClient, "pair", noted)
    run(job())
    assert order == [0]
    assert session.subscriptions == [NOTIFY, OTHER_NOTIFY]


def test_a_pairing_that_hangs_ends_in_time(
    run: Run, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = EchoSession()

    async def hanging(*_: Any, **__: Any) -> None:
        await asyncio.sleep(1e6)

    async def job() -> None:
        async with virtual_air(session) as (radio, _):
            await ble.BleTransport.open(radio, await heard(radio), GATT, bond=True)

    monkeypatch.setattr(BleakClient, "pair", hanging)
    with pytest.raises(LinkLostError, match="in time"):
        run(job())
    assert runner.get_loop().time() < ble.PAIR_TIMEOUT_S + 5
    assert session.lost == 1, "the link is not left open"


# ---- what a platform may answer


@dataclass
class FakeClient:
    """A bleak client of a platform that answers with an error, or not at all."""

    error: BaseException | None = None
    mtu_size: int = 23
    disconnected: int = 0
    calls: list[str] = field(default_factory=list)

    async def _answer(self, call: str) -> bytearray:
        self.calls.append(call)
        if self.error is None:
            await asyncio.sleep(1e6)
            return bytearray()
        raise self.error

    async def write_gatt_char(self, *_: Any, **__: Any) -> None:
        await self._answer("write")

    async def read_gatt_char(self, *_: Any, **__: Any) -> bytearray:
        return await self._answer("read")

    async def disconnect(self) -> None:
        self.disconnected += 1
        await self._answer("disconnect")


NO_ADAPTER = BleakBluetoothNotAvailableError("x", BleakBluetoothNotAvailableReason.NO_BLUETOOTH)


@pytest.mark.parametrize(
    ("platform", "ours", "code", "words"),
    [
        (BleakError("Not connected"), LinkLostError, 4, "lost"),
        (BleakGATTProtocolError(0x0E), LinkLostError, 4, "lost"),
        (BleakGATTProtocolError(0x03), RefusedError, 6, "0x03"),
        (BleakGATTProtocolError(0x80), RefusedError, 6, "0x80"),
        (BleakDeviceNotFoundError("address", "x"), NotFoundError, 3, "not found"),
        (BleakConnectionError("x"), BluetoothError, 4, "could not be connected"),
        (NO_ADAPTER, BluetoothError, 4, "not available"),
        (FileNotFoundError(2, "No such file"), BluetoothError, 4, "not available"),
        (EOFError(), BluetoothError, 4, "not available"),
        (NotImplementedError(), BluetoothError, 4, "not available"),
        (AssertionError(), BluetoothError, 4, "not available"),
        (None, LinkLostError, 4, "in time"),
    ],
)
@pytest.mark.parametrize("call", ["write", "read"])
def test_each_error_of_a_platform_is_one_of_ours(
    run: Run,
    call: str,
    platform: BaseException | None,
    ours: type[KsosError],
    code: int,
    words: str,
) -> None:
    async def job() -> None:
        link = ble.BleTransport(FakeClient(platform), "address", GATT)  # type: ignore[arg-type]
        if call == "write":
            await link.write(WRITE, b"x", with_response=True)
        else:
            await link.read_value(WRITE)

    with pytest.raises(ours, match=words) as caught:
        run(job())
    assert type(caught.value) is ours
    assert caught.value.exit_code == code
    assert "address" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("platform", [None, BleakError("x"), OSError(5, "x"), EOFError()])
def test_closing_never_fails_and_ends_in_time(
    run: Run, runner: asyncio.Runner, platform: BaseException | None
) -> None:
    client = FakeClient(platform)

    async def job() -> None:
        await ble.BleTransport(client, "address", GATT).close()  # type: ignore[arg-type]

    run(job())
    assert client.calls == ["disconnect"]
    assert runner.get_loop().time() <= ble.OPERATION_TIMEOUT_S


@pytest.mark.parametrize("platform", [NO_ADAPTER, FileNotFoundError(2, "x"), EOFError()])
def test_a_machine_without_bluetooth_is_told_what_to_do(run: Run, platform: Exception) -> None:
    class NoScanner(BaseBleakScanner):
        def __init__(self, *_: Any, **__: Any) -> None: ...

        async def start(self) -> None:
            raise platform

        async def stop(self) -> None:
            raise AssertionError("it never started")

        def set_scanning_filter(self, **_: Any) -> None: ...

    async def job() -> None:
        async for _ in ble.scan(ble.Radio(BaseBleakClient, NoScanner), 5):
            pass

    with pytest.raises(BluetoothError, match="not available") as caught:
        run(job())
    assert "ksos doctor" in caught.value.hint


def test_a_bus_that_stays_silent_ends_in_time(run: Run, runner: asyncio.Runner) -> None:
    class SilentScanner(BaseBleakScanner):
        def __init__(self, *_: Any, **__: Any) -> None: ...

        async def start(self) -> None:
            await asyncio.sleep(1e6)

        async def stop(self) -> None:
            raise AssertionError("it never started")

        def set_scanning_filter(self, **_: Any) -> None: ...

    async def job() -> None:
        async for _ in ble.scan(ble.Radio(BaseBleakClient, SilentScanner), 3):
            pass

    with pytest.raises(BluetoothError, match="does not answer"):
        run(job())
    assert runner.get_loop().time() <= ble.OPERATION_TIMEOUT_S + 1


def test_a_scan_that_nobody_wants_any_more_is_stopped(run: Run) -> None:
    async def job() -> bool:
        async with virtual_air(EchoSession()) as (radio, virtual):
            await heard(radio)
            return bool(virtual._central.device.is_scanning)

    assert run(job()) is False


def test_the_platforms_own_backends_are_used_without_a_radio() -> None:
    assert ble.Radio().client_options == ble.Radio().scanner_options == {}
