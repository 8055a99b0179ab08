"""Legacy DFU over the air: bleak on one end, the virtual loader's GATT server on the other."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
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
from firmware_protocol.jobs import EnterLoader, InstallImage
from firmware_protocol.updates.loader import Flash, firmware_mark
from firmware_protocol.updates.nordic_legacy import TRANSPORT
from firmware_protocol.updates.nordic_legacy.loader import LegacyLoader, LegacyTraits
from firmware_protocol.watch_session import WatchSession
from ksos_link.connection.watch import Loader
from ksos_link.errors import LinkLostError, RefusedError
from ksos_link.transports import ble
from ksos_link.virtual_watch.faults import FaultySession, parse_faults
from ksos_link.virtual_watch.gatt_tables import NORDIC_LEGACY_LOADER
from ksos_link.virtual_watch.radio import LinkShape
from ksos_link.virtual_watch.sample_images import sample_image
from ksos_link.virtual_watch.virtual_radio import VirtualRadio

pytestmark = pytest.mark.gatt

OLD = firmware_mark(1)
Run = Callable[[Coroutine[Any, Any, Any]], Any]


@dataclass(frozen=True)
class Identity:
    address: str = "F9:24:12:00:00:02"
    name: str = "DfuTarg"
    service_uuids: tuple[str, ...] = (TRANSPORT.gatt.service_uuid,)
    manufacturer_data: bytes = b""


@pytest.fixture
def run(runner: asyncio.Runner) -> Run:
    async def limited(job: Coroutine[Any, Any, Any]) -> Any:
        async with asyncio.timeout(600):
            return await job

    return lambda job: runner.run(limited(job))


def sample(size: int, version: int = 7) -> ImagePart:
    (part,) = read_image(sample_image("nordic-legacy", version, size), "app.zip").parts
    return part


@contextlib.asynccontextmanager
async def air(session: WatchSession, shape: LinkShape | None = None) -> AsyncIterator[ble.Radio]:
    virtual = await VirtualRadio.open_in_process(
        [(session, Identity())], shape=shape, table=NORDIC_LEGACY_LOADER
    )
    try:
        yield ble.Radio(virtual.client_backend, virtual.scanner_backend)
    finally:
        await virtual.close()


@contextlib.asynccontextmanager
async def met(radio: ble.Radio) -> AsyncIterator[Loader]:
    """Find the loader by what it advertises, and meet it."""
    async with contextlib.aclosing(ble.scan(radio, 5)) as seen:
        device = await anext(device async for found, device in seen if TRANSPORT.is_loader(found))
    link = await ble.BleTransport.open(radio, device, TRANSPORT.gatt)
    loader = await Loader.meet(TRANSPORT, link)
    try:
        yield loader
    finally:
        await loader.close()


async def installed(loader: Loader, part: ImagePart) -> list[Event]:
    """The events of an upload, but for its end."""
    job = InstallImage(part)
    return [event async for event in loader.run(job) if event != JobDone(job)]


def test_a_hundred_kilobytes_arrive_after_two_lost_links(run: Run) -> None:
    part, flash = sample(100_000), Flash(OLD, 1)
    watch = FaultySession(LegacyLoader(flash), parse_faults("lose@120,lose-write@2500"))
    starts: list[int] = []
    losses = 0

    async def job() -> list[Event]:
        nonlocal losses
        async with air(watch) as radio:
            while True:
                heard: list[Event] = []
                async with met(radio) as loader:
                    assert loader.info.facts == {"dfu_revision": 8}
                    try:
                        async for event in loader.run(InstallImage(part)):
                            heard.append(event)
                            if isinstance(event, UploadStarted):
                                starts.append(event.held_bytes)
                    except LinkLostError:
                        assert flash.application is None  # one bank: it was erased
                        losses += 1
                        continue
                    return heard

    events = run(job())
    assert (losses, starts) == (2, [0, 0, 0])  # no resume on this wire
    assert events[-2] == UploadActivated(part.name)
    progress = [event for event in events if isinstance(event, UploadProgress)]
    assert len(progress) == 500
    assert (progress[-1].sent_bytes, progress[-1].repeated_bytes) == (100_000, 0)
    assert (flash.application, flash.firmware_version) == (part.data, 7)


def test_words_of_the_upload_before_do_not_end_the_next(run: Run) -> None:
    """Two uploads over one loader; the second is never acknowledged."""
    first, second, flash = sample(2000), sample(2000, version=8), Flash(OLD, 1)
    # a link more, by 15 notifications of the first upload: start, init, 9 receipts, end, check
    watch = FaultySession(
        LegacyLoader(flash, LegacyTraits(dual_bank=True)),
        parse_faults(",".join(f"drop@{at}" for at in range(13, 40))),
    )

    async def job() -> None:
        async with air(watch) as radio:
            async with met(radio) as loader:
                assert (await installed(loader, first))[-1] == UploadActivated(first.name)
            async with met(radio) as loader:
                with pytest.raises(RefusedError, match="did not answer to the start"):
                    await installed(loader, second)

    run(job())
    assert (flash.application, flash.log) == (first.data, ["installed 2000 bytes"])


@pytest.mark.parametrize("fault", ["lose-write", "cut-power"])
def test_an_activation_that_is_lost_with_its_link_is_not_told_as_one(run: Run, fault: str) -> None:
    part, flash = sample(2000), Flash(OLD, 1)
    last_write = 7 + 100 + 1  # before the bytes, the bytes, the check
    watch = FaultySession(LegacyLoader(flash), parse_faults(f"{fault}@{last_write}"))
    heard: list[Event] = []

    async def job() -> None:
        async with air(watch) as radio, met(radio) as loader:
            async for event in loader.run(InstallImage(part)):
                heard.append(event)  # noqa: PERF401  what came before the loss is kept

    with pytest.raises(LinkLostError):
        run(job())
    assert heard[-1] == UploadVerified(part.name)
    assert (flash.boots, flash.log) == (False, ["erased"])


def test_an_application_is_left_for_its_loader(run: Run) -> None:
    part, flash = sample(1000), Flash(OLD, 1)
    watch = LegacyLoader(flash, LegacyTraits(in_application=True))

    async def job() -> None:
        async with air(watch) as radio:
            async with met(radio) as loader:
                assert loader.info.product == "application"
                assert await loader.ask(EnterLoader(), JobDone) == JobDone(EnterLoader())
            async with met(radio) as loader:
                assert loader.info.product == "bootloader"
                await installed(loader, part)

    run(job())
    assert flash.firmware_version == 7


def test_updates_that_are_switched_off_are_told_as_such(run: Run) -> None:
    watch = LegacyLoader(Flash(OLD, 1), LegacyTraits(switched_off=True))

    async def job() -> None:
        async with air(watch) as radio, met(radio) as loader:
            with pytest.raises(RefusedError, match="ATT error 0x08") as refused:
                await installed(loader, sample(1000))
            assert "switched off" in refused.value.hint

    run(job())


def test_the_rate_is_that_of_windows_of_ten_packets(run: Run) -> None:
    """Ten packets at six an event take two events, their receipt the next: that is the limit."""
    interval_s, size = 0.03, 20_000
    flash = Flash(OLD, 1)
    times_s: list[float] = []

    async def job() -> None:
        shape = LinkShape(interval_s=interval_s)
        async with air(LegacyLoader(flash), shape) as radio, met(radio) as loader:
            times_s.extend(
                [
                    asyncio.get_running_loop().time()
                    async for event in loader.run(InstallImage(sample(size)))
                    if isinstance(event, UploadProgress)
                ]
            )

    run(job())
    took_s, windows = times_s[-1] - times_s[0], len(times_s) - 1
    assert windows == size / 200 - 1
    assert took_s / windows == pytest.approx(3 * interval_s, rel=0.1)
