"""Firmware over SMP on the shaped radio: ours against smpclient, and against what the link carries.

Both upload the same image to the same virtual watch. Ours is counted from the job to the moment
when the watch was found to list the image, so with the questions before and behind the upload;
smpclient's from its first to its last chunk.

| Limit | What it takes for granted |
|---|---|
| link | every packet of every event carries a full write of nothing but the image |
| window | the requests that the watch's buffers allow go out at once, full but for their head; |
|        | their answers come in the next event, so that a round is two events |

Run: .venv/bin/python bench/bench_smp.py [--quick]
"""

import argparse
import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from report import Row, at_least, finish
from smpclient import SMPClient
from smpclient.transport.ble import SMPBLETransport

from firmware_protocol.events import UploadVerified
from firmware_protocol.images import read_image
from firmware_protocol.jobs import InstallImage
from firmware_protocol.updates.loader import Flash, firmware_mark
from firmware_protocol.updates.smp import TRANSPORT
from firmware_protocol.updates.smp.gatt import SERVICE
from firmware_protocol.updates.smp.loader import ServerTraits, SmpLoader
from ksos_link.connection.watch import Loader
from ksos_link.transports.ble import BleTransport, Radio, scan
from ksos_link.virtual_watch.bleak_backend import install
from ksos_link.virtual_watch.gatt_tables import IDO_SMP
from ksos_link.virtual_watch.radio import LinkShape
from ksos_link.virtual_watch.sample_images import sample_image
from ksos_link.virtual_watch.virtual_radio import VirtualRadio

WRITE_BYTES = 244  # of an ATT MTU of 247, which fills a link-layer packet
CHUNK_HEAD_BYTES = 25  # header and map of a request behind the first (dfu.md 6.1, 6.2)
SHAPE = LinkShape(interval_s=0.03, packets_per_event=6)
PARTS = ServerTraits(buffer_bytes=2475, buffers=4)
ONE_WRITE = ServerTraits(buffer_bytes=WRITE_BYTES, buffers=4, reassembles=False)


@dataclass(frozen=True)
class OnAir:
    address: str = "F9:24:12:00:00:01"
    name: str = "Band 8"
    service_uuids: tuple[str, ...] = (SERVICE,)
    manufacturer_data: bytes = b""


@contextlib.asynccontextmanager
async def radio_with(flash: Flash, traits: ServerTraits) -> AsyncIterator[Radio]:
    watch = (SmpLoader(flash, traits), OnAir())
    virtual = await VirtualRadio.open_in_process([watch], shape=SHAPE, table=IDO_SMP)
    try:
        yield Radio(virtual.client_backend, virtual.scanner_backend)
    finally:
        await virtual.close()


async def ours_s(image: bytes, traits: ServerTraits) -> float:
    part = read_image(image, "sample.bin").parts[0]
    flash = Flash(firmware_mark(1), 1)
    took_s = 0.0
    async with radio_with(flash, traits) as radio:
        async with contextlib.aclosing(scan(radio, 10.0)) as seen:
            _, device = await anext(seen)
        link = await BleTransport.open(radio, device, TRANSPORT.gatt)
        loader = await Loader.meet(TRANSPORT, link)
        began_s = time.perf_counter()
        async with contextlib.aclosing(loader.run(InstallImage(part))) as events:
            async for event in events:
                if isinstance(event, UploadVerified):
                    took_s = time.perf_counter() - began_s
        await loader.close()
    assert flash.application == image
    return took_s


async def smpclient_s(image: bytes, traits: ServerTraits) -> float:
    async with radio_with(Flash(firmware_mark(1), 1), traits) as radio:
        with install(radio.client_backend, radio.scanner_backend):
            client = SMPClient(SMPBLETransport(), OnAir.address)
            await client.connect(10.0)
            began_s = time.perf_counter()
            offsets = [offset async for offset in client.upload(image)]
            took_s = time.perf_counter() - began_s
            assert offsets[-1] == len(image)
            await client.disconnect()
    return took_s


def link_limit_s(size_bytes: int) -> float:
    packets = math.ceil(size_bytes / WRITE_BYTES)
    return packets / SHAPE.packets_per_event * SHAPE.interval_s


def window_limit_s(size_bytes: int, traits: ServerTraits) -> float:
    """One buffer of the watch is for its answer."""
    message_bytes = traits.buffer_bytes // WRITE_BYTES * WRITE_BYTES
    round_bytes = (traits.buffers - 1) * (message_bytes - CHUNK_HEAD_BYTES)
    return size_bytes / round_bytes * 2 * SHAPE.interval_s


def measure(name: str, image: bytes, traits: ServerTraits) -> tuple[list[Row], dict[str, object]]:
    mine_s = asyncio.run(ours_s(image, traits))
    theirs_s = asyncio.run(smpclient_s(image, traits))
    limit_s = max(link_limit_s(len(image)), window_limit_s(len(image), traits))
    rate, other = (len(image) / 1000 / took_s for took_s in (mine_s, theirs_s))
    figure = f"{mine_s:.1f} s, {rate:.1f} kB/s"
    rows = [
        at_least(f"{name}, of the limit", figure, limit_s / mine_s, 0.9),
        at_least(f"{name}, of smpclient", f"its {other:.1f} kB/s", theirs_s / mine_s, 1.0),
    ]
    figures = {"name": name, "bytes": len(image), "ours_s": mine_s, "smpclient_s": theirs_s}
    return rows, figures | {"limit_s": limit_s}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller images")
    quick = parser.parse_args().quick
    cases = (
        ("requests of ten writes", 256 if quick else 1024, PARTS),
        ("requests of one write", 48 if quick else 192, ONE_WRITE),
    )
    rows: list[Row] = []
    runs = []
    for name, size_kb, traits in cases:
        found, figures = measure(
            f"{size_kb} kB in {name}", sample_image("mcuboot", 2, size_kb * 1024), traits
        )
        rows += found
        runs.append(figures)
    finish("smp", rows, runs=runs)


if __name__ == "__main__":
    main()
