"""A whole sync over the shaped radio, against what the link and the wire allow; and its memory.

Run: .venv/bin/python bench/bench_sync.py [--quick]

Two floors. The link's: all bytes that passed, at the rate of the link model. The wire's: the same,
but never less than the connection events that questions and answers need one after the other:
a write with response and the answer that comes with or after it.
"""

import argparse
import asyncio
import contextlib
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from ksos_link.config import open_home
from ksos_link.operations.pair import adopt
from ksos_link.operations.route import BleRoute, LinkOptions, local_now
from ksos_link.operations.sync import SyncChoice, SyncReport, sync_over
from ksos_link.store.database import open_store
from ksos_link.store.keys import SecretSource
from ksos_link.transports.base import Transport
from ksos_link.transports.ble import Radio
from ksos_link.virtual_watch.radio import LinkShape
from ksos_link.virtual_watch.scenarios import open_virtual_watch
from ksos_link.virtual_watch.virtual_radio import VirtualRadio

ATT_OVERHEAD_BYTES = 3 + 4  # ATT opcode and handle, L2CAP header
WRITE_RESPONSE_BYTES = 1 + 4


@dataclass
class Counter:
    """What passed the link, seen from the transport."""

    link: Transport
    packets: int = 0
    link_bytes: int = 0
    exchanges: int = 0
    _asked: bool = False

    @property
    def address(self) -> str:
        return self.link.address

    @property
    def max_write_bytes(self) -> int:
        return self.link.max_write_bytes

    async def write(self, uuid: str, data: bytes, *, with_response: bool) -> None:
        await self.link.write(uuid, data, with_response=with_response)
        self.packets += 1
        self.link_bytes += len(data) + ATT_OVERHEAD_BYTES + WRITE_RESPONSE_BYTES
        self.exchanges += 1  # each write is answered before the next thing can be written

    async def read_value(self, uuid: str) -> bytes:
        return await self.link.read_value(uuid)

    async def receive(self, timeout_s: float) -> tuple[str, bytes] | None:
        received = await self.link.receive(timeout_s)
        if received is not None:
            self.packets += 1
            self.link_bytes += len(received[1]) + ATT_OVERHEAD_BYTES
        return received

    async def close(self) -> None:
        await self.link.close()


async def run_sync(scenario: str, shape: LinkShape) -> dict[str, float]:
    counters: list[Counter] = []

    def count(link: Transport) -> Transport:
        counters.append(Counter(link))
        return counters[-1]

    now = local_now().replace(hour=20, minute=0, second=0)
    loop = asyncio.get_running_loop()
    watch = open_virtual_watch("ido", {"scenario": scenario}, now=now, now_s=loop.time())
    virtual = await VirtualRadio.open_in_process([watch], shape=shape)
    options = replace(LinkOptions(now=lambda: now), tap=count)
    route = BleRoute(
        Radio(virtual.client_backend, virtual.scanner_backend), watch[1].address, options
    )
    with tempfile.TemporaryDirectory() as name:
        home = open_home({}, Path(name) / "home")
        secrets = SecretSource({"KSOS_KEY_FILE": str(Path(name) / "secret")})
        with open_store(home, secrets) as store:
            device = adopt(store, f"virtual:ido?scenario={scenario}", now)
            met_s = done_s = 0.0
            records = 0
            events = sync_over(store, device, route, SyncChoice(), options)
            async with contextlib.aclosing(events):
                async for event in events:
                    met_s = met_s or time.perf_counter()
                    if isinstance(event, SyncReport):
                        done_s = time.perf_counter()
                        records = event.records
    await virtual.close()
    passed = counters[0]
    rate = shape.packets_per_event * shape.payload_bytes / shape.interval_s
    air_s = passed.link_bytes / rate
    full = math.ceil(passed.packets / shape.packets_per_event)
    # a question goes out in one event, its answer comes in the next: two for each exchange
    wire_s = max(2 * passed.exchanges, full) * shape.interval_s
    return {
        "records": records,
        "took_s": round(done_s - met_s, 2),
        "link_bytes": passed.link_bytes,
        "exchanges": passed.exchanges,
        "link_floor_s": round(air_s, 2),
        "wire_floor_s": round(wire_s, 2),
        "of_link": round(air_s / (done_s - met_s), 3),
        "of_wire": round(wire_s / (done_s - met_s), 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one connection interval only")
    parser.add_argument("--child", nargs=2, metavar=("SCENARIO", "INTERVAL_MS"))
    choice = parser.parse_args()
    if choice.child:
        scenario, interval_ms = choice.child
        shape = LinkShape(interval_s=float(interval_ms) / 1000, packets_per_event=6)
        print(json.dumps(asyncio.run(run_sync(scenario, shape))))
        return
    rows = []
    for interval_ms in ("30",) if choice.quick else ("30", "45"):
        for scenario in ("full-day", "month"):
            command = [sys.executable, __file__, "--child", scenario, interval_ms]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            row = {"scenario": scenario, "interval_ms": float(interval_ms)}
            row |= json.loads(done.stdout)
            rows.append(row)
            print(
                f"  {scenario:9} at {interval_ms} ms: {row['took_s']} s,"
                f" {row['link_bytes']} bytes in {row['exchanges']} exchanges;"
                f" {row['of_wire']:.0%} of what the wire allows (target 80%),"
                f" {row['of_link']:.0%} of the bare link; peak {row['peak_mb']} MB (under 150)"
            )
    print(json.dumps({"bench": "sync", "rows": rows}))


if __name__ == "__main__":
    main()
