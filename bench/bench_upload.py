"""Goodput of a 1 MB image on the shaped link, against what that link and each wire allow.

From `UploadStarted` to `UploadVerified`, by a clock that jumps: nothing waits, and no processor is
measured but in the column of the wall clock. What the limits take for granted, beside the bytes:

- The link carries, each way and in each connection event, `packets_per_event` packets of up to 251
  bytes. ATT MTUs are 247 or 140 (ido.md 2.4), so each write is one of them.
- What one end hears in an event, it answers in the next one. A round trip that a wire forces is
  therefore as many events as its question fills, and one more for the answer.

| Wire | What it forces |
|---|---|
| D1 | ido.md 4.10: a receipt after 10 packets of 134 bytes, which must be waited for |
| Nordic Secure | dfu.md 3.5: create, packets and checksum, execute, for each object of 4096   |
|               | bytes, each answered before the next; packets of MTU - 3, a multiple of 4    |
|               | (3.3). Packets before the answer to create would save an event of eight, but |
|               | that is not the sequence                                                     |
| Nordic legacy | dfu.md 4.3: a receipt after 10 packets of 20 bytes, which must be waited for |
| SMP | dfu.md 6.3: nothing but the heads of requests, as long as there are buffers in flight: |
|     | 8 bytes and the CBOR of `off` and `data` in each request of 10 whole writes (6.1) |
| Realtek | dfu.md 5.6: the sum of each buffer of 2048 bytes, in packets of (MTU - 3) & FFF0, |
|         | answered before the next |

Run: .venv/bin/python bench/bench_upload.py [--quick]
"""

import argparse
import asyncio
import contextlib
import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cbor2
from report import Row, at_least, at_most, finish
from virtual_uploads import (
    KINDS,
    NEW_VERSION,
    JumpingLoop,
    hushed,
    on_air,
    open_watch,
    options,
    wish_of,
)

from firmware_protocol.events import UploadStarted, UploadVerified
from firmware_protocol.family import Direction
from ksos_link.operations.firmware_wish import FirmwareReport
from ksos_link.operations.firmware_write import write_firmware
from ksos_link.operations.target import BluetoothTarget
from ksos_link.virtual_watch.faults import Fault
from ksos_link.virtual_watch.radio import LinkShape

SIZE_BYTES = 1 << 20
LOST_SIZE_BYTES = 60_000
LOST_AT_PLACES = 12
INTERVALS_MS = (30, 15)
TARGET = 0.90
MTU_BYTES = 247


@dataclass(frozen=True)
class Wire:
    """One transport: `events` of one window, and what part of the file a window carries.

    `resumes` is False where a lost link means the first byte again.
    """

    title: str
    window_bytes: int
    events: Callable[[int], float]  # from packets per connection event
    carrier: Callable[[str, bytes], int]  # bytes of the file in a write
    in_flight_bytes: int  # windows that may be under way
    resumes: bool = True

    def limit_bytes_per_s(self, shape: LinkShape) -> float:
        return self.window_bytes / (self.events(shape.packets_per_event) * shape.interval_s)


def _answered(packets: int, per_event: int) -> int:
    """Events of so many packets and the answer to the last of them."""
    return math.ceil(packets / per_event) + 1


def _secure_events(per_event: int) -> int:
    packets = math.ceil(4096 / 244)
    return _answered(1, per_event) + _answered(packets + 1, per_event) + _answered(1, per_event)


_SMP_REQUEST_BYTES = 10 * (MTU_BYTES - 3)  # whole writes that fit the buffer of 2475 bytes
_SMP_HEAD_BYTES = 8 + len(cbor2.dumps({"off": SIZE_BYTES, "data": b""})) + 2  # 2: its length


class SmpData:
    """How many bytes of the file writes carry: those of requests to upload, once they are whole."""

    def __init__(self) -> None:
        self._request = b""

    def __call__(self, uuid: str, data: bytes) -> int:
        if not uuid.startswith("da2e7828"):
            return 0
        request = self._request + data
        if len(request) < 8 + int.from_bytes(request[2:4]):
            self._request = request
            return 0
        self._request = b""
        content = cbor2.loads(request[8:]) if request[4:8:3] == b"\x00\x01" else {}
        return len(content.get("data", b""))


def _after(uuid: str, head: bytes = b"", least_bytes: int = 1) -> Callable[[str, bytes], int]:
    """Bytes of writes to a characteristic, behind a head that they all have."""

    def count(written: str, data: bytes) -> int:
        counts = uuid in written and data.startswith(head) and len(data) >= least_bytes
        return len(data) - len(head) if counts else 0

    return count


WIRES = {
    "d1": Wire(
        "D1",
        10 * 134,
        lambda per_event: _answered(10, per_event),
        _after("0af6", b"\xd1\x02\x00"),
        in_flight_bytes=10 * 134,
        resumes=False,
    ),
    "secure": Wire("Nordic Secure", 4096, _secure_events, _after("8ec90002"), in_flight_bytes=4096),
    "legacy": Wire(
        "Nordic legacy",
        10 * 20,
        lambda per_event: _answered(10, per_event),
        _after("00001532", least_bytes=20),  # shorter: sizes, and the init packet
        in_flight_bytes=10 * 20,
        resumes=False,
    ),
    "smp": Wire(
        "SMP",
        _SMP_REQUEST_BYTES - _SMP_HEAD_BYTES,
        lambda per_event: 10 / per_event,
        SmpData(),
        in_flight_bytes=3 * _SMP_REQUEST_BYTES,  # of 4 buffers one is left for the answer
    ),
    "realtek": Wire(
        "Realtek",
        2048,
        lambda per_event: _answered(math.ceil(2048 / 240) + 1, per_event),
        _after("00006387"),
        in_flight_bytes=2048,
        resumes=False,
    ),
}


@dataclass
class Run:
    """One update: seconds of the image by the jumping clock, of all by the wall clock."""

    image_s: float = 0.0
    wall_s: float = 0.0
    links: int = 0
    file_bytes: int = 0  # of the image that were handed to the link
    writes: int = 0


async def update(
    name: str, size_bytes: int, shape: LinkShape | None = None, faults: tuple[Fault, ...] = ()
) -> Run:
    run, kind, wire = Run(), KINDS[name], WIRES[name]
    began_wall_s, loop = time.perf_counter(), asyncio.get_running_loop()

    def count(direction: Direction, uuid: str, data: bytes) -> None:
        if direction == "TX":
            run.writes += 1
            run.file_bytes += wire.carrier(uuid, data)

    wrist = open_watch(kind, faults)
    with tempfile.TemporaryDirectory() as folder:
        wish = wish_of(kind, Path(folder), size_bytes)
    async with on_air(wrist, shape):
        target = BluetoothTarget(wrist.identity.address)
        async with contextlib.aclosing(write_firmware(target, wish, options(count))) as events:
            async for event in events:
                if isinstance(event, UploadStarted):
                    run.image_s = loop.time()
                if isinstance(event, UploadVerified):
                    run.image_s = loop.time() - run.image_s
                if isinstance(event, FirmwareReport):
                    run.links = event.counts.links
    run.wall_s = time.perf_counter() - began_wall_s
    assert wrist.watch.flash.firmware_version == NEW_VERSION
    return run


def measured(
    name: str, size_bytes: int, shape: LinkShape | None = None, faults: tuple[Fault, ...] = ()
) -> Run:
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(update(name, size_bytes, shape, faults))


def goodput(name: str, interval_ms: float) -> Row:
    wire, shape = WIRES[name], LinkShape(interval_s=interval_ms / 1000)
    run = measured(name, SIZE_BYTES, shape)
    rate, limit = SIZE_BYTES / run.image_s, wire.limit_bytes_per_s(shape)
    figure = f"{rate / 1000:.2f} of {limit / 1000:.2f} kB/s; wall {run.wall_s:.1f} s"
    return at_least(f"{wire.title} at {interval_ms:g} ms", figure, rate / limit, TARGET)


def repeated(name: str) -> Row:
    """The link is lost once, at some places; the bytes that are handed to it twice at the worst."""
    wire = WIRES[name]
    clean = measured(name, LOST_SIZE_BYTES)
    places = [
        clean.writes * number // (LOST_AT_PLACES + 1) for number in range(LOST_AT_PLACES, 0, -1)
    ]
    if not wire.resumes:
        places = places[LOST_AT_PLACES // 2 :][:1]
    twice_bytes = 0
    for place in places:
        run = measured(name, LOST_SIZE_BYTES, None, (Fault("lose-write", place),))
        assert run.links == clean.links + 1
        twice_bytes = max(twice_bytes, run.file_bytes - clean.file_bytes)
    what = f"{wire.title}, twice after a lost link"
    if not wire.resumes:
        return Row(what, f"{twice_bytes} bytes: no resume, begins again")
    figure = f"{twice_bytes} bytes at most, a window {wire.in_flight_bytes}"
    return at_most(what, figure, twice_bytes / wire.in_flight_bytes, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one connection interval only")
    quick = parser.parse_args().quick
    with hushed():
        intervals = INTERVALS_MS[:1] if quick else INTERVALS_MS
        rows = [goodput(name, interval_ms) for interval_ms in intervals for name in WIRES]
        rows += [repeated(name) for name in WIRES]
    finish("upload", rows)


if __name__ == "__main__":
    main()
