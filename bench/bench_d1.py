"""Goodput of the D1 file transfer against what its acknowledgement rule allows (ido.md 4.10).

| Floor | What it is |
|---|---|
| rule | ten packets, then their receipt: as many connection events as the packets fill, and |
|      | one more that carries the receipt; the next window begins in the event after it. The |
|      | last packets are fewer, and have the answer to D1 03 for a receipt |

The time is from the offer to that answer: one file over one link, the prelude left out.

Run: .venv/bin/python bench/bench_d1.py [--quick]
"""

import argparse
import asyncio
import contextlib
import math
import struct
import time
import zlib
from dataclasses import replace

from report import Row, at_least, finish

from firmware_protocol.events import UploadProgress, UploadStarted, UploadVerified
from firmware_protocol.family import Direction
from firmware_protocol.jobs import SendFile
from ksos_link.operations.local_time import local_now
from ksos_link.operations.route import BleRoute, LinkOptions
from ksos_link.transports.ble import Radio
from ksos_link.virtual_watch.radio import LinkShape
from ksos_link.virtual_watch.scenarios import open_virtual_watch
from ksos_link.virtual_watch.virtual_radio import VirtualRadio

SHAPE = LinkShape(interval_s=0.03, packets_per_event=6)
MEGABYTE = 1_000_000
QUICK_BYTES = 200_000
WINDOW_PACKETS = 10
DATA = b"\xd1\x02"
HEAD_BYTES = 3  # of a packet, before its content


def image(size_bytes: int) -> bytes:
    """A `.fw` of that size: the virtual watch takes no larger dial than 284 KB."""
    body = bytes(at * 7 & 0xFF for at in range(size_bytes - 8))
    return struct.pack("<II", len(body), zlib.crc32(body)) + body


def rule_floor_s(packets: int, shape: LinkShape) -> float:
    windows, rest = divmod(packets, WINDOW_PACKETS)
    events = windows * (math.ceil(WINDOW_PACKETS / shape.packets_per_event) + 1)
    return shape.interval_s * (events + math.ceil((rest + 1) / shape.packets_per_event) + 1)


async def run_upload(size_bytes: int, shape: LinkShape) -> dict[str, float]:
    packets: list[int] = []

    def count(direction: Direction, _: str, data: bytes) -> None:
        if direction == "TX" and data.startswith(DATA):
            packets.append(len(data) - HEAD_BYTES)

    clock_s = asyncio.get_running_loop().time()
    query = {"scenario": "empty", "bound": "yes"}
    watch = open_virtual_watch("ido", query, now=local_now(), now_s=clock_s)
    virtual = await VirtualRadio.open_in_process([watch], shape=shape)
    options = replace(LinkOptions(), tap=count)
    radio = Radio(virtual.client_backend, virtual.scanner_backend)
    began_s = ended_s = busy_s = 0.0
    repeated_bytes = 0
    try:
        met = await BleRoute(radio, watch[1].address, options).meet()
        async with contextlib.aclosing(met.run(SendFile(".fw", image(size_bytes)))) as events:
            async for event in events:
                match event:
                    case UploadStarted():
                        began_s, busy_s = time.perf_counter(), time.process_time()
                    case UploadProgress():
                        repeated_bytes = event.repeated_bytes
                    case UploadVerified():
                        ended_s, busy_s = time.perf_counter(), time.process_time() - busy_s
        await met.close()
    finally:
        await virtual.close()
    return {
        "size_bytes": size_bytes,
        "packets": len(packets),
        "packet_bytes": max(packets),
        "took_s": ended_s - began_s,
        "busy_s": busy_s,
        "rule_floor_s": rule_floor_s(len(packets), shape),
        "repeated_bytes": repeated_bytes,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a fifth of the file")
    size_bytes = QUICK_BYTES if parser.parse_args().quick else MEGABYTE
    run = asyncio.run(run_upload(size_bytes, SHAPE))
    took_s = run["took_s"]
    rate = f"{size_bytes / took_s / 1000:.1f} kB/s, {took_s:.1f} s"
    rows: list[Row] = [
        at_least(
            f"D1 upload of {size_bytes // 1000} kB at {SHAPE.interval_s * 1000:g} ms, of its rule",
            rate,
            run["rule_floor_s"] / took_s,
            0.9,
        ),
        Row("bytes sent twice", f"{run['repeated_bytes']:g}"),
    ]
    finish("d1", rows, runs=[run])


if __name__ == "__main__":
    main()
