"""A GATT server that speaks for a `WatchSession`: the virtual watch as the air sees it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, Final, Protocol, runtime_checkable

from bumble import att
from bumble.core import AdvertisingData, BaseBumbleError
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.hci import Address
from bumble.host import Host
from bumble.transport.common import AsyncPipeSink

from firmware_protocol.watch_session import RequestRefused, WatchSession
from ksos_link.virtual_watch.central import cancellations
from ksos_link.virtual_watch.gatt_tables import (
    IDO_A200,
    TABLES,
    CharacteristicSpec,
    GattTable,
    Properties,
    air_uuid,
)
from ksos_link.virtual_watch.radio import RadioController, ShapedLink
from ksos_link.virtual_watch.scenario import PlannedGesture

_log = logging.getLogger(__name__)

_ADVERTISEMENT_BYTES: Final = 31  # of a legacy advertising packet
_FLAGS: Final = bytes([0x06])  # LE only, general discoverable
_DELAY_TICK_S: Final = 0.05
_READ: Final = Characteristic.Permissions.READABLE
_WRITE: Final = Characteristic.Permissions.WRITEABLE
_ENCRYPTED: Final = (
    Characteristic.Permissions.READ_REQUIRES_ENCRYPTION
    | Characteristic.Permissions.WRITE_REQUIRES_ENCRYPTION
)


class WatchIdentity(Protocol):
    """What a virtual watch shows before anybody connects.

    `manufacturer_data` is all that follows the AD type, so it begins with the two bytes that
    bleak takes for a company id (ido.md 2.1).
    """

    @property
    def address(self) -> str:
        """A random static address."""

    @property
    def name(self) -> str:
        """The product name; empty when the watch advertises none."""

    @property
    def service_uuids(self) -> tuple[str, ...]:
        """Advertised services, 128-bit form."""

    @property
    def manufacturer_data(self) -> bytes:
        """The whole element of the scan response; empty for none."""


@runtime_checkable
class PlansGestures(Protocol):
    """What an identity has besides whose wearer does something by plan."""

    @property
    def gestures(self) -> Sequence[PlannedGesture]:
        """What, and how long after a companion first listened."""


@runtime_checkable
class HoldsBack(Protocol):
    """What a session with delayed answers has besides."""

    def release_delayed(self, now_s: float) -> None:
        """Hand out what was held back until now with the next `data_to_send`."""


@runtime_checkable
class LosesWrites(Protocol):
    """What a session on a bad link has besides."""

    @property
    def write_was_lost(self) -> bool:
        """Whether the last write was lost with the link."""


class _UnansweredError(Exception):
    """Ends a request without an answer: bumble sends none after an error that is not its own."""


class VirtualPeripheral:
    """One virtual watch on the air: advertises, takes one connection, advertises again.

    The session is called with the time of the event loop (`loop.time()`) as `now_s`.
    """

    def __init__(
        self,
        session: WatchSession,
        identity: WatchIdentity,
        link: ShapedLink,
        *,
        table: GattTable = IDO_A200,
        encrypted_uuids: frozenset[str] = frozenset(),
        advertising_interval_ms: float = 20.0,
    ) -> None:
        """Build the server; `encrypted_uuids` name characteristics that want a paired central.

        Raises:
            ValueError: The table places a value where the server cannot have it.
        """
        self.session = session
        self._link = link
        self._encrypted_uuids = encrypted_uuids
        self._advertising_interval_ms = advertising_interval_ms
        self._build(identity, TABLES[session.on_air.table] if session.on_air else table)
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._planned = list(identity.gestures) if isinstance(identity, PlansGestures) else []
        self._timers: list[asyncio.TimerHandle] = []
        self.on_shown: Callable[[str], None] | None = None  # gets each line of the watch's screen

    def _build(self, identity: WatchIdentity, table: GattTable) -> None:
        self.identity = self.session.on_air or identity
        self._table = table
        self._controller = RadioController("watch", self._link)
        self._device = Device(
            config=DeviceConfiguration(
                name=self.identity.name,
                address=Address(self.identity.address),
                advertising_data=_advertisement(self.identity),
                scan_response_data=_scan_response(self.identity),
                advertising_interval_min=self._advertising_interval_ms,
                advertising_interval_max=self._advertising_interval_ms,
            ),
            host=Host(self._controller, AsyncPipeSink(self._controller)),
        )
        self._device.gatt_server.max_mtu = table.att_mtu
        self._notifying: dict[str, Characteristic[bytes]] = {}
        for service in table.services:
            members = [self._characteristic(spec) for spec in service.characteristics]
            self._device.add_service(Service(air_uuid(service.uuid), members))
            for spec, member in zip(service.characteristics, members, strict=True):
                if spec.handle not in (None, member.handle):
                    raise ValueError(f"{spec.uuid} has handle {member.handle:#06x}")
        self._device.on(Device.EVENT_CONNECTION, self._connected)

    async def start(self) -> None:
        """Switch on and advertise."""
        await self._device.power_on()
        await self._device.start_advertising()

    async def close(self) -> None:
        """Switch off; a central loses its link."""
        self._closing = True
        for timer in self._timers:
            timer.cancel()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._device.power_off()
        self._controller.leave()

    def make(self, gesture: str) -> None:
        """The wearer does something; a companion that listens hears of it at once.

        Raises:
            LocalProtocolError: this watch knows no such gesture.
        """
        self.session.make(gesture, _now_s())
        self._wake.set()

    def drop_link(self) -> None:
        """Lose the link at once, if there is one."""
        for connection in list(self._controller.le_connections.values()):
            self._link.drop(connection)

    def _characteristic(self, spec: CharacteristicSpec) -> Characteristic[bytes]:
        uuid, session = spec.uuid, self.session

        def read(_: Connection) -> bytes:
            if Properties.READ not in spec.properties:
                raise att.ATT_Error(att.ErrorCode.READ_NOT_PERMITTED)
            with _failing_plainly():
                return session.read_value(uuid, _now_s())

        def write(_: Connection, value: bytes) -> None:
            if not spec.properties & (Properties.WRITE | Properties.WRITE_WITHOUT_RESPONSE):
                raise att.ATT_Error(att.ErrorCode.WRITE_NOT_PERMITTED)
            self._hand_over(uuid, bytes(value))

        def subscribed(_: Connection, notify: bool, indicate: bool) -> None:
            if notify or indicate:
                with _failing_plainly():
                    session.subscribed(uuid, _now_s())
                self._start_plan()
                self._wake.set()

        characteristic: Characteristic[bytes] = Characteristic(
            air_uuid(uuid),
            spec.properties,
            _READ | _WRITE | _ENCRYPTED if uuid in self._encrypted_uuids else _READ | _WRITE,
            CharacteristicValue(read=read, write=write),
        )
        if spec.properties & (Properties.NOTIFY | Properties.INDICATE):
            characteristic.on(Characteristic.EVENT_SUBSCRIPTION, subscribed)
            self._notifying[uuid] = characteristic
        return characteristic

    def _hand_over(self, uuid: str, value: bytes) -> None:
        """Give the session what the central wrote; a return is the answer that it arrived."""
        with _failing_plainly():
            self.session.receive_write(uuid, value, _now_s())
        self._wake.set()
        if isinstance(self.session, LosesWrites) and self.session.write_was_lost:
            raise _UnansweredError

    def _start_plan(self) -> None:
        """Begin what the wearer does by plan, once in the life of this watch."""
        planned, self._planned = self._planned, []
        loop = asyncio.get_running_loop()
        self._timers += [loop.call_later(each.after_s, self.make, each.what) for each in planned]

    def _connected(self, connection: Connection) -> None:
        connection.once(Connection.EVENT_DISCONNECTION, self._disconnected)
        self.session.link_opened(_now_s())
        self._wake.set()
        if self._table.asks_for_mtu:
            self._spawn(self._ask_for_mtu(connection))
        self._spawn(self._serve(connection))

    def _disconnected(self, _reason: int) -> None:
        for task in self._tasks:
            task.cancel()
        self.session.link_lost(_now_s())
        if not self._closing:
            self._spawn(self._advertise_again())

    async def _advertise_again(self) -> None:
        """A watch that left its application for a loader, or came back, is another peripheral."""
        shown = self.session.on_air
        if shown is not None and shown != self.identity:
            await self._device.power_off()
            self._controller.leave()
            self._build(shown, TABLES[shown.table])
            await self._device.power_on()
        await self._device.start_advertising()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("the virtual watch failed", exc_info=error)
            self.drop_link()

    async def _ask_for_mtu(self, connection: Connection) -> None:
        with contextlib.suppress(BaseBumbleError):
            await connection.gatt_client.request_mtu(self._table.att_mtu)

    async def _serve(self, connection: Connection) -> None:
        delaying = self.session if isinstance(self.session, HoldsBack) else None
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_DELAY_TICK_S if delaying else None):
                    await self._wake.wait()
            self._wake.clear()
            if delaying is not None:
                delaying.release_delayed(_now_s())
            for uuid, value in self.session.data_to_send():
                await self._notify(connection, uuid, value)
            if cancellations():  # bumble swallows one that meets a confirmed indication
                return
            if self.on_shown is not None:
                for line in self.session.take_shown():
                    self.on_shown(line)
            if self.session.link_must_drop:
                await connection.drain()
                self.drop_link()
                return

    async def _notify(self, connection: Connection, uuid: str, value: bytes) -> None:
        if len(value) > connection.att_mtu - 3:
            _log.warning("a notification of %d bytes is cut to the ATT MTU", len(value))
        characteristic = self._notifying[uuid]
        if Properties.NOTIFY in characteristic.properties:
            await self._device.notify_subscriber(connection, characteristic, value)
        else:
            await self._device.indicate_subscriber(connection, characteristic, value)


def _now_s() -> float:
    return asyncio.get_running_loop().time()


@contextlib.contextmanager
def _failing_plainly() -> Iterator[None]:
    """Turn a bug of the virtual watch into an ATT error; bumble would leave the central waiting."""
    try:
        yield
    except RequestRefused as refused:
        raise att.ATT_Error(att.ErrorCode(refused.att_error)) from refused
    except Exception as error:
        _log.exception("the virtual watch failed")
        raise att.ATT_Error(att.ErrorCode.UNLIKELY_ERROR) from error


def _advertisement(identity: WatchIdentity) -> bytes:
    """Flags, services and name (ido.md 2.1); a name that does not fit is shortened."""
    uuids = [air_uuid(uuid).to_bytes() for uuid in identity.service_uuids]
    types = AdvertisingData.Type
    elements = [(types.FLAGS, _FLAGS)]
    for size, kind in (
        (2, types.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS),
        (16, types.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS),
    ):
        if listed := b"".join(uuid for uuid in uuids if len(uuid) == size):
            elements.append((kind, listed))
    room = _ADVERTISEMENT_BYTES - len(bytes(AdvertisingData(elements))) - 2
    name = identity.name.encode()
    if name and len(name) <= room:
        elements.append((types.COMPLETE_LOCAL_NAME, name))
    elif name and room > 0:
        elements.append((types.SHORTENED_LOCAL_NAME, name[:room]))
    return bytes(AdvertisingData(elements))


def _scan_response(identity: WatchIdentity) -> bytes:
    """Manufacturer data (ido.md 2.1)."""
    if not identity.manufacturer_data:
        return b""
    kind = AdvertisingData.Type.MANUFACTURER_SPECIFIC_DATA
    return bytes(AdvertisingData([(kind, identity.manufacturer_data)]))
