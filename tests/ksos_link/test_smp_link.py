"""Firmware over SMP on bumble's GATT: our client, and another one, against the virtual server."""

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from firmware_protocol.updates.smp.loader import ServerTraits, SmpLoader
from firmware_protocol.watch_session import WatchSession
from ksos_link.connection.watch import Loader
from ksos_link.errors import LinkLostError, RefusedError
from ksos_link.transports.ble import BleTransport, Radio, scan
from ksos_link.virtual_watch.bleak_backend import install
from ksos_link.virtual_watch.faults import FaultySession, parse_faults
from ksos_link.virtual_watch.gatt_tables import IDO_SMP
from ksos_link.virtual_watch.sample_images import sample_image
from ksos_link.virtual_watch.virtual_radio import VirtualRadio
from tests.firmware_protocol.smp_rig import OLD, Parrot, digest_of, image_of, part_of

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

pytestmark = pytest.mark.gatt

IMAGE = image_of(100_000)
LIFTED = ("--yes", "--unsigned", "--allow", "unknown_product")


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


class StaysParrot(Parrot):
    """Its link lasts, so that both uploads are on one."""

    @property
    def link_must_drop(self) -> bool:
        return False


def test_a_stale_acknowledgement_is_none(runner: asyncio.Runner) -> None:
    flash = Flash(OLD, 1)
    session = StaysParrot(flash, ServerTraits(buffer_bytes=244, reassembles=False))
    first, other = image_of(20_000), image_of(20_000, 3)

    async def job() -> list[Event]:
        second: list[Event] = []
        async with radio_with(session) as radio:
            loader = await meet(radio)
            events: list[Event] = []
            await give(loader, first, events)
            assert is_activated(events)
            session.link_lost(0.0)
            async with aclosing(loader.run(ConfirmImage(digest_of(first)))) as confirming:
                async for _ in confirming:
                    pass
            session.repeats = True
            with pytest.raises(RefusedError, match="did not answer"):
                await give(loader, other, second)
            await loader.close()
        return second

    assert not is_activated(run(runner, job()))
    assert session.repeated > 3
    assert flash.application == first


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


def test_without_the_extra_a_person_is_told_its_name(
    ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "watch.bin"
    file.write_bytes(sample_image("mcuboot", 18, 4_000))
    address = "virtual:ido?scenario=empty&platform=1"
    assert ksos("watch", "pair", address).code == 0
    for module in ("dialect", "loader"):
        name = f"firmware_protocol.updates.smp.{module}"
        monkeypatch.setitem(sys.modules, name, None)
        said = ksos("--device", address, "firmware", "write", file, *LIFTED)
        assert said.code != 0
        assert "pip install 'ksos-link[smp]'" in said.err
