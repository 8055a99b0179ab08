"""Firmware over SMP on bumble's GATT: our client, and another one, against the virtual server."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from smpclient import SMPClient
from smpclient.generics import success
from smpclient.requests.image_management import ImageStatesRead, ImageStatesWrite
from smpclient.requests.os_management import EchoWrite, ResetWrite
from smpclient.transport import SMPTransportDisconnected
from smpclient.transport.ble import SMPBLETransport

from firmware_protocol.events import (
    Event,
    ImagesRead,
    UploadActivated,
    UploadProgress,
    UploadStarted,
)
from firmware_protocol.jobs import ConfirmImage, InstallImage, ReadImages
from firmware_protocol.updates.loader import Flash
from firmware_protocol.updates.smp import TRANSPORT
from firmware_protocol.updates.smp.gatt import SERVICE
from firmware_protocol.updates.smp.loader import SmpLoader
from firmware_protocol.watch_session import WatchSession
from ksos_link.connection.watch import Loader
from ksos_link.errors import LinkLostError, RefusedError
from ksos_link.transports.ble import BleTransport, Radio, scan
from ksos_link.virtual_watch.bleak_backend import install
from ksos_link.virtual_watch.faults import FaultySession, parse_faults
from ksos_link.virtual_watch.gatt_tables import IDO_SMP
from ksos_link.virtual_watch.virtual_radio import VirtualRadio
from tests.firmware_protocol.smp_rig import OLD, digest_of, image_of, part_of

pytestmark = pytest.mark.gatt

IMAGE = image_of(100_000)
MESSAGE_WRITES = 10  # of 244 bytes, in a buffer of 2475


@dataclass(frozen=True)
class OnAir:
    address: str = "F9:24:12:00:00:01"
    name: str = "Band 8"
    service_uuids: tuple[str, ...] = (SERVICE,)
    manufacturer_data: bytes = b""


@asynccontextmanager
async def radio_with(session: WatchSession) -> AsyncIterator[Radio]:
    virtual = await VirtualRadio.open_in_process([(session, OnAir())], table=IDO_SMP)
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
    raise AssertionError("no watch is on the air")


async def give(loader: Loader, image: bytes, events: list[Event]) -> None:
    """Install an image; `events` has what came before a failure, too."""
    async for event in loader.run(InstallImage(part_of(image))):
        events.append(event)  # noqa: PERF401


async def update(radio: Radio, image: bytes, most_links: int) -> list[list[Event]]:
    """The events of each link, until one ends with the image in the watch."""
    links: list[list[Event]] = []
    for _ in range(most_links):
        events: list[Event] = []
        links.append(events)
        try:
            loader = await meet(radio)
            try:
                await give(loader, image, events)
            finally:
                await loader.close()
        except LinkLostError:
            continue
        if is_activated(events):
            break
    return links


def is_activated(events: Sequence[Event]) -> bool:
    return any(isinstance(event, UploadActivated) for event in events)


def run(runner: asyncio.Runner, job: Coroutine[Any, Any, Any]) -> Any:
    async def limited() -> Any:
        async with asyncio.timeout(600):
            return await job

    return runner.run(limited())


def test_an_image_goes_in_is_tried_and_kept(runner: asyncio.Runner) -> None:
    flash = Flash(OLD, 1)

    async def job() -> tuple[list[Event], ImagesRead]:
        async with radio_with(SmpLoader(flash)) as radio:
            (events,) = await update(radio, IMAGE, 1)
            loader = await meet(radio)
            async with aclosing(loader.run(ConfirmImage(digest_of(IMAGE)))) as confirming:
                async for _ in confirming:
                    pass
            held = await loader.ask(ReadImages(), ImagesRead)
            await loader.close()
            return events, held

    events, held = run(runner, job())
    assert is_activated(events)
    assert flash == Flash(IMAGE, 2, ["installed 100000 bytes"])
    assert held.images[0].state == ("active", "confirmed", "bootable")


def test_lost_links_cost_at_most_a_window_each(runner: asyncio.Runner) -> None:
    flash = Flash(OLD, 1)
    session = SmpLoader(flash)
    # a link that breaks before writes and before answers, and one of each before all is known
    faults = "lose-write@3,lose-write@80,lose@30,lose-write@330,lose@62"

    async def job() -> list[list[Event]]:
        async with radio_with(FaultySession(session, parse_faults(faults))) as radio:
            return await update(radio, IMAGE, 7)

    links = run(runner, job())
    assert flash.application == IMAGE
    assert len(links) == 6
    assert [is_activated(events) for events in links] == [False] * 5 + [True]
    held = acknowledged = 0
    for events in links:
        for event in events:
            if isinstance(event, UploadStarted):
                assert event.held_bytes >= max(held, acknowledged)
                held = event.held_bytes
            if isinstance(event, UploadProgress):
                assert event.repeated_bytes == 0
                acknowledged = event.acknowledged_bytes
    assert held > 60_000


def test_a_power_cut_leaves_a_watch_that_starts(runner: asyncio.Runner) -> None:
    flash = Flash(OLD, 1)
    faults = parse_faults("reboot@20")

    async def job() -> list[list[Event]]:
        async with radio_with(FaultySession(SmpLoader(flash), faults)) as radio:
            await update(radio, IMAGE, 1)
            assert flash == Flash(OLD, 1)
            return await update(radio, IMAGE, 2)

    assert [is_activated(events) for events in run(runner, job())] == [True]
    assert flash.application == IMAGE


class Parrot(SmpLoader):
    """Once it `repeats`, it takes nothing and says again what it said before."""

    repeats = False

    def __init__(self, flash: Flash) -> None:
        super().__init__(flash)
        self._said: list[tuple[str, bytes]] = []

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        if not self.repeats:
            super().receive_write(uuid, data, now_s)

    def data_to_send(self) -> list[tuple[str, bytes]]:
        if not self.repeats:
            self._said += (due := super().data_to_send())
            return due
        due, self._said = self._said[:40], self._said[40:]
        return due

    @property
    def link_must_drop(self) -> bool:
        return False  # so that both uploads are on one link


def test_a_stale_acknowledgement_is_none(runner: asyncio.Runner) -> None:
    flash = Flash(OLD, 1)
    session = Parrot(flash)

    async def job() -> list[Event]:
        second: list[Event] = []
        async with radio_with(session) as radio:
            loader = await meet(radio)
            first: list[Event] = []
            await give(loader, image_of(20_000), first)
            assert is_activated(first)
            session.link_lost(0.0)
            session.repeats = True
            with pytest.raises(RefusedError):
                await give(loader, image_of(20_000, 3), second)
            await loader.close()
        return second

    assert not is_activated(run(runner, job()))
    assert flash.application == image_of(20_000)


def test_another_client_uploads_to_our_virtual_server(runner: asyncio.Runner) -> None:
    """smpclient's own transport over the virtual radio: it knows nothing of us."""
    flash = Flash(OLD, 1)

    async def job() -> list[int]:
        async with radio_with(SmpLoader(flash)) as radio:
            with install(radio.client_backend, radio.scanner_backend):
                client = SMPClient(SMPBLETransport(), OnAir.address)
                await client.connect(5.0)
                echoed = await client.request(EchoWrite(d="hi"))
                assert success(echoed)
                offsets = [offset async for offset in client.upload(IMAGE)]
                states = await client.request(ImageStatesRead())
                assert success(states)
                assert [image.version for image in states.images] == ["1.1.0", "1.2.0"]
                tried = await client.request(ImageStatesWrite(hash=states.images[1].hash))
                assert success(tried)
                assert tried.images[1].pending
                with suppress(SMPTransportDisconnected):  # its answer and the loss come at once
                    await client.request(ResetWrite())
                await client.disconnect()
        return offsets

    assert run(runner, job())[-1] == len(IMAGE)
    assert flash == Flash(IMAGE, 2, ["installed 100000 bytes"])
