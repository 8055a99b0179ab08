"""Nordic Secure DFU over GATT: from the scan to the reset of the virtual bootloader."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

import pytest

from firmware_protocol.events import Event, UploadActivated, UploadProgress, UploadStarted
from firmware_protocol.images import ImagePart
from firmware_protocol.jobs import InstallImage
from firmware_protocol.updates.nordic_secure import TRANSPORT, gatt, upload
from firmware_protocol.updates.nordic_secure.loader import NordicSecureLoader
from firmware_protocol.watch_session import WatchSession
from ksos_link.connection.watch import Loader
from ksos_link.errors import LinkLostError, RefusedError
from ksos_link.transports.ble import BleTransport, Radio, scan
from ksos_link.virtual_watch.faults import FaultySession, parse_faults
from ksos_link.virtual_watch.gatt_tables import NORDIC_SECURE_LOADER
from ksos_link.virtual_watch.virtual_radio import VirtualRadio
from tests.firmware_protocol.image_builders import InitFields
from tests.firmware_protocol.nordic_secure_rig import (
    PAGE,
    WatchedFlash,
    image_of,
    new_flash,
    part_of,
)

pytestmark = pytest.mark.gatt

IMAGE = image_of(100_000)
PART = part_of(IMAGE)
PACKETS_OF_PAGE = 17  # of 244 bytes


@dataclass(frozen=True)
class OnAir:
    address: str = "C0:11:22:33:44:56"
    name: str = "DfuTarg"
    service_uuids: tuple[str, ...] = (gatt.SERVICE,)
    manufacturer_data: bytes = b""


@asynccontextmanager
async def radio_with(session: WatchSession) -> AsyncIterator[Radio]:
    virtual = await VirtualRadio.open_in_process([(session, OnAir())], table=NORDIC_SECURE_LOADER)
    try:
        yield Radio(virtual.client_backend, virtual.scanner_backend)
    finally:
        await virtual.close()


async def meet(radio: Radio) -> Loader:
    async with aclosing(scan(radio, 5.0)) as seen:
        async for advertisement, device in seen:
            if TRANSPORT.is_loader(advertisement):
                link = await BleTransport.open(radio, device, TRANSPORT.gatt)
                assert link.max_write_bytes == 244
                return await Loader.meet(TRANSPORT, link)
    raise AssertionError("no loader is on the air")


async def give(loader: Loader, part: ImagePart, events: list[Event]) -> None:
    """Install a part; `events` has what came before a failure, too."""
    async for event in loader.run(InstallImage(part)):
        events.append(event)  # noqa: PERF401


def is_activated(events: Sequence[Event]) -> bool:
    return any(isinstance(event, UploadActivated) for event in events)


async def install(radio: Radio, part: ImagePart = PART, most_links: int = 1) -> list[list[Event]]:
    """The events of each link, until one ends with the whole image in the loader."""
    links: list[list[Event]] = []
    for _ in range(most_links):
        events: list[Event] = []
        links.append(events)
        loader = await meet(radio)
        try:
            await give(loader, part, events)
        except LinkLostError:
            continue
        finally:
            await loader.close()
        break
    return links


def loader_with(flash: WatchedFlash, faults: str) -> FaultySession:
    return FaultySession(NordicSecureLoader(flash), parse_faults(faults))


async def test_a_whole_upload_goes_through() -> None:
    flash = new_flash()
    async with radio_with(NordicSecureLoader(flash)) as radio:
        (events,) = await install(radio)
    assert is_activated(events)
    assert flash.installed == [IMAGE]


async def test_lost_links_cost_at_most_a_window_each() -> None:
    flash = new_flash()
    page = PACKETS_OF_PAGE + 3
    faults = f"lose-write@{3 * page},lose@20,lose-write@{12 * page + 7},reboot@50"
    async with radio_with(loader_with(flash, faults)) as radio:
        links = await install(radio, most_links=5)
    assert flash.installed == [IMAGE]
    assert len(links) == 5
    held = acknowledged = 0
    for events in links:
        for event in events:
            if isinstance(event, UploadStarted):
                assert event.held_bytes >= held
                assert event.held_bytes >= acknowledged - PAGE  # a power cut takes the last object
                held = event.held_bytes
            if isinstance(event, UploadProgress):
                assert event.repeated_bytes == 0
                acknowledged = event.acknowledged_bytes
    assert [is_activated(events) for events in links] == [False] * 4 + [True]


async def test_a_stale_acknowledgement_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two uploads in one session; to the second only answers to the first ever come."""
    monkeypatch.setattr(upload, "ANSWER_TIMEOUT_S", 0.05)
    flash = new_flash()
    session = Parrot(flash)
    async with radio_with(session) as radio:
        loader = await meet(radio)
        first: list[Event] = []
        await give(loader, part_of(IMAGE[:PAGE]), first)
        assert is_activated(first)
        session.repeats = True
        other = image_of(2 * PAGE, version=3)
        part = part_of(other, InitFields(fw_version=3, app_size=len(other)))
        second: list[Event] = []
        with pytest.raises(RefusedError):
            await give(loader, part, second)
        await loader.close()
    assert not is_activated(second)
    assert flash.installed == [IMAGE[:PAGE]]
    assert flash.application == IMAGE[:PAGE]


class Parrot(NordicSecureLoader):
    """Keeps its link after the end, and then only says again, in order, what it said before."""

    def __init__(self, flash: WatchedFlash) -> None:
        super().__init__(flash)
        self.repeats = False
        self._said: list[tuple[str, bytes]] = []
        self._heard = 0

    @property
    def link_must_drop(self) -> bool:
        return False

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        super().receive_write(uuid, data, now_s)
        if self.repeats and uuid == gatt.CONTROL_POINT:
            self._due.append(self._said[self._heard % len(self._said)])
            self._heard += 1

    def data_to_send(self) -> list[tuple[str, bytes]]:
        due = super().data_to_send()
        if not self.repeats:
            self._said += due
        return due
