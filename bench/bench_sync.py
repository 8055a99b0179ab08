"""A whole sync over the shaped radio, against what the link and the wire allow; and its memory.

Counted from the moment the watch is known to the end, with every byte and packet that passed.

| Floor | What it takes for granted |
|---|---|
| bytes | all bytes that passed, at the full rate of the link model: nobody asks, nobody answers |
| wire | questions and answers one after the other, as the IDO wire has it: a write with response |
|      | goes out in one connection event, its response and the answer come in the next ones; and |
|      | each record needs two of them, START and STOP (ido.md 2.3, 7.1) |

Run: .venv/bin/python bench/bench_sync.py [--quick]
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
from dataclasses import dataclass, field, replace
from pathlib import Path

from report import Row, at_least, below, finish

from firmware_protocol.family import Direction
from ksos_link.config import open_home
from ksos_link.operations.local_time import local_now
from ksos_link.operations.pair import adopt
from ksos_link.operations.route import BleRoute, LinkOptions
from ksos_link.operations.sync import Connected, SyncChoice, SyncReport, sync_over
from ksos_link.store.database import open_store
from ksos_link.store.keys import SecretSource
from ksos_link.transports.ble import Radio
from ksos_link.virtual_watch.radio import LinkShape
from ksos_link.virtual_watch.scenarios import open_virtual_watch
from ksos_link.virtual_watch.virtual_radio import VirtualRadio

ATT_OVERHEAD_BYTES = 3 + 4  # ATT opcode and handle, L2CAP header
WRITE_RESPONSE_BYTES = 1 + 4
MOST_MB = 150


@dataclass
class Tally:
    """What passed the link. `answers` has the notifications that followed each write."""

    link_bytes: int = 0
    answers: list[int] = field(default_factory=list)

    def note(self, direction: Direction, data: bytes) -> None:
        self.link_bytes += len(data) + ATT_OVERHEAD_BYTES
        if direction == "TX":
            self.link_bytes += WRITE_RESPONSE_BYTES
            self.answers.append(0)
        elif self.answers:
            self.answers[-1] += 1

    def link_floor_s(self, shape: LinkShape) -> float:
        event_bytes = shape.packets_per_event * shape.payload_bytes
        return self.link_bytes / event_bytes * shape.interval_s

    def wire_floor_s(self, shape: LinkShape) -> float:
        """One event for each write; its response and its answer fill the next ones."""
        events = sum(1 + math.ceil((1 + count) / shape.packets_per_event) for count in self.answers)
        return events * shape.interval_s


async def run_sync(scenario: str, shape: LinkShape) -> dict[str, float]:
    tally = Tally()

    def count(direction: Direction, _: str, data: bytes) -> None:
        tally.note(direction, data)

    now = local_now().replace(hour=20, minute=0, second=0)
    clock_s = asyncio.get_running_loop().time()
    watch = open_virtual_watch("ido", {"scenario": scenario}, now=now, now_s=clock_s)
    virtual = await VirtualRadio.open_in_process([watch], shape=shape)
    options = replace(LinkOptions(now=lambda: now), tap=count)
    radio = Radio(virtual.client_backend, virtual.scanner_backend)
    route = BleRoute(radio, watch[1].address, options)
    met_s = done_s = 0.0
    records = 0
    with tempfile.TemporaryDirectory() as name:
        home = open_home({}, Path(name) / "home")
        secrets = SecretSource({"KSOS_KEY_FILE": str(Path(name) / "secret")})
        with open_store(home, secrets) as store:
            device = adopt(store, f"virtual:ido?scenario={scenario}", now)
            events = sync_over(store, device, route, SyncChoice(), options)
            async with contextlib.aclosing(events):
                async for event in events:
                    if isinstance(event, Connected):
                        met_s, tally = time.perf_counter(), Tally()
                    if isinstance(event, SyncReport):
                        done_s, records = time.perf_counter(), event.records
    await virtual.close()
    return {
        "records": records,
        "took_s": done_s - met_s,
        "link_bytes": tally.link_bytes,
        "exchanges": len(tally.answers),
        "link_floor_s": tally.link_floor_s(shape),
        "wire_floor_s": tally.wire_floor_s(shape),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def in_a_child(scenario: str, interval_ms: float) -> dict[str, float]:
    """One sync in a process of its own, for its peak memory."""
    command = [sys.executable, __file__, "--child", scenario, str(interval_ms)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {"interval_ms": interval_ms} | json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one connection interval only")
    parser.add_argument("--child", nargs=2, metavar=("SCENARIO", "INTERVAL_MS"))
    choice = parser.parse_args()
    if choice.child:
        scenario, interval_ms = choice.child
        shape = LinkShape(interval_s=float(interval_ms) / 1000, packets_per_event=6)
        print(json.dumps(asyncio.run(run_sync(scenario, shape))))
        return
    rows: list[Row] = []
    day = in_a_child("full-day", 30)
    months = [in_a_child("month", interval_ms) for interval_ms in (30, 45)[: 2 - choice.quick]]
    for month in months:
        at = f"month at {month['interval_ms']:g} ms"
        took_s = month["took_s"]
        wire = f"{took_s:.1f} s, {month['exchanges']} exchanges"
        link = f"{month['link_bytes'] / 1000:.0f} kB in {month['link_floor_s']:.1f} s"
        rows += [
            at_least(f"sync {at}, of the wire", wire, month["wire_floor_s"] / took_s, 0.8),
            at_least(f"sync {at}, of the bare bytes", link, month["link_floor_s"] / took_s, 0.8),
        ]
    for name, run in (("full-day", day), ("month", months[0])):
        peak_mb = run["peak_mb"]
        figure = f"{peak_mb:.0f} MB, {run['records']} records"
        rows.append(below(f"peak memory of sync {name}", figure, peak_mb, MOST_MB, "MB"))
    finish("sync", rows, runs=[{"scenario": "full-day"} | day, *months])


if __name__ == "__main__":
    main()
