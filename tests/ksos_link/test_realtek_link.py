"""Realtek DFU over the air: bleak on one end, the virtual watch's GATT server on the other."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

import pytest

from firmware_protocol.events import (
    Event,
    JobDone,
    UploadActivated,
    UploadProgress,
    UploadStarted,
    UploadVerified,
)
from firmware_protocol.images import ImagePart, read_image
from firmware_protocol.jobs import InstallImage
from firmware_protocol.updates.loader import Flash, firmware_mark
from firmware_protocol.updates.realtek import TRANSPORT
from firmware_protocol.updates.realtek.loader import BEE2, RealtekLoader
from firmware_protocol.watch_session import WatchSession
from ksos_link.connection.watch import Loader
from ksos_link.errors import LinkLostError, PolicyError, RefusedError
from ksos_link.transports import ble
from ksos_link.virtual_watch.faults import FaultySession, parse_faults
from ksos_link.virtual_watch.gatt_tables import IDO_REALTEK, GattTable
from ksos_link.virtual_watch.radio import LinkShape
from ksos_link.virtual_watch.sample_images import sample_image
from ksos_link.virtual_watch.virtual_radio import VirtualRadio

pytestmark = pytest.mark.gatt

OLD = firmware_mark(1)
PROTOCOL_TYPE = "0000fff3-0000-1000-8000-00805f9b34fb"
Run = Callable[[Coroutine[Any, Any, Any]], Any]


@dataclass(frozen=True)
class Identity:
    address: str = "F9:24:12:00:00:03"
    name: str = "Band 8"
    service_uuids: tuple[str, ...] = (TRANSPORT.gatt.service_uuid,)
    manufacturer_data: bytes = b""


@pytest.fixture
def run(runner: asyncio.Runner) -> Run:
    async def limited(job: Coroutine[Any, Any, Any]) -> Any:
        async with asyncio.timeout(300):
            return await job

    return lambda job: runner.run(limited(job))


def sample(size: int, version: int = 7) -> ImagePart:
    (part,) = read_image(sample_image("realtek-bee2", version, size), "app.bin").parts
    return part


@contextlib.asynccontextmanager
async def air(
    session: WatchSession, table: GattTable = IDO_REALTEK, shape: LinkShape | None = None
) -> AsyncIterator[ble.Radio]:
    virtual = await VirtualRadio.open_in_process([(session, Identity())], shape=shape, table=table)
    try:
        yield ble.Radio(virtual.client_backend, virtual.scanner_backend)
    finally:
        await virtual.close()


@contextlib.asynccontextmanager
async def met(radio: ble.Radio) -> AsyncIterator[Loader]:
    async with contextlib.aclosing(ble.scan(radio, 5)) as seen:
        device = await anext(device async for found, device in seen if TRANSPORT.is_loader(found))
    link = await ble.BleTransport.open(radio, device, TRANSPORT.gatt)
    loader = await Loader.meet(TRANSPORT, link)
    try:
        yield loader
    finally:
        await loader.close()


async def installed(loader: Loader, part: ImagePart, *, last: bool = True) -> list[Event]:
    """The events of an upload, but for its end."""
    job = InstallImage(part, last, experimental=True)
    return [event async for event in loader.run(job) if not isinstance(event, JobDone)]


def test_a_hundred_kilobytes_arrive_after_two_lost_links(run: Run) -> None:
    part, flash = sample(100_000), Flash(OLD, 1)
    watch = FaultySession(RealtekLoader(flash), parse_faults("lose@20,lose-write@400"))
    starts: list[int] = []
    losses = 0

    async def job() -> list[Event]:
        nonlocal losses
        async with air(watch) as radio:
            while True:
                heard: list[Event] = []
                async with met(radio) as loader:
                    assert loader.info.facts is not None
                    assert loader.info.facts["chips"] == "bee2"
                    try:
                        async for event in loader.run(InstallImage(part, experimental=True)):
                            heard.append(event)
                            if isinstance(event, UploadStarted):
                                starts.append(event.held_bytes)
                    except LinkLostError:
                        assert flash.application == OLD  # two banks: the old one still runs
                        losses += 1
                        continue
                    return heard

    events = run(job())
    assert (losses, starts) == (2, [12, 12, 12])  # Bee2 never tells how far it got
    assert events[-2] == UploadActivated(part.name)
    progress = [event for event in events if isinstance(event, UploadProgress)]
    assert len(progress) == -(-(100_000 - 12) // 2048)
    assert (progress[-1].sent_bytes, progress[-1].repeated_bytes) == (100_000 - 12, 0)
    assert (flash.application, flash.firmware_version) == (part.data, 7)


def test_a_watch_that_keeps_what_it_has_is_not_sent_it_again(run: Run) -> None:
    part, flash = sample(100_000), Flash(OLD, 1)
    traits = replace(BEE2, keeps_progress=True)
    watch = FaultySession(RealtekLoader(flash, traits), parse_faults("lose-write@250"))
    sent: list[int] = []

    async def job() -> None:
        async with air(watch) as radio:
            for _ in range(2):
                sent.append(0)
                async with met(radio) as loader:
                    with contextlib.suppress(LinkLostError):
                        async for event in loader.run(InstallImage(part, experimental=True)):
                            if isinstance(event, UploadProgress):
                                sent[-1] = event.sent_bytes

    run(job())
    assert sent[0] > 0
    assert sum(sent) == 100_000 - 12
    assert flash.application == part.data


def test_an_older_watch_without_a_protocol_type_is_met(run: Run) -> None:
    part, flash = sample(3000), Flash(OLD, 1)
    services = tuple(
        replace(
            service,
            characteristics=tuple(
                each for each in service.characteristics if each.uuid != PROTOCOL_TYPE
            ),
        )
        for service in IDO_REALTEK.services
    )

    async def job() -> None:
        async with (
            air(RealtekLoader(flash), replace(IDO_REALTEK, services=services)) as radio,
            met(radio) as loader,
        ):
            await installed(loader, part)

    run(job())
    assert flash.application == part.data


def test_two_images_go_over_one_link_and_are_activated_once(run: Run) -> None:
    first, second, flash = sample(2000), sample(3000, version=8), Flash(OLD, 1)

    async def job() -> tuple[list[Event], list[Event]]:
        async with air(RealtekLoader(flash)) as radio, met(radio) as loader:
            began = await installed(loader, first, last=False)
            assert flash.application == OLD
            return began, await installed(loader, second)

    began, ended = run(job())
    assert began[-1] == UploadVerified(first.name)
    assert ended[-1] == UploadActivated(second.name)
    assert flash.application == second.data


def test_a_second_upload_that_is_never_acknowledged_fails(run: Run) -> None:
    """The words of the first one, over the same link, do not count for it."""
    first, second, flash = sample(2000), sample(2000, version=8), Flash(OLD, 1)
    # the first takes 5 notifications, the second 3 before its first sum
    watch = FaultySession(RealtekLoader(flash), parse_faults("drop@8"))

    async def job() -> None:
        async with air(watch) as radio, met(radio) as loader:
            await installed(loader, first, last=False)
            with pytest.raises(RefusedError, match="the sum of the bytes"):
                await installed(loader, second)

    run(job())
    assert (flash.application, flash.log) == (OLD, [])


def test_a_refusal_is_told_although_the_watch_then_resets_its_link(run: Run) -> None:
    flash = Flash(OLD, 1)
    broken = bytearray(sample(2000).data)
    broken[-1] ^= 1
    (part,) = read_image(bytes(broken), "app.bin").parts

    async def job() -> None:
        async with air(RealtekLoader(flash)) as radio, met(radio) as loader:
            with pytest.raises(RefusedError, match="checksum error"):
                await installed(loader, part)

    run(job())
    assert flash.application == OLD


def test_it_needs_somebody_who_insists(run: Run) -> None:
    async def job() -> None:
        async with air(RealtekLoader(Flash(OLD, 1))) as radio, met(radio) as loader:
            with pytest.raises(PolicyError, match="not proven") as caught:
                [event async for event in loader.run(InstallImage(sample(2000)))]
            assert "--experimental" in caught.value.hint

    run(job())
