"""Decode: V3 heart-rate and step days into series with times, against bare struct; and the CRC.

Run: .venv/bin/python bench/bench_decode.py [--quick]
"""

import argparse
import binascii
import json
import statistics
import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from firmware_protocol.checksums import crc16_ccitt_false
from firmware_protocol.clock import ClockStretch, WatchClock
from firmware_protocol.records import RawRecord
from firmware_protocol.registry import family_named

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
NOW_UTC_S = int(datetime(2026, 12, 31, tzinfo=UTC).timestamp())
CLOCK = WatchClock((ClockStretch(0, 3600),), NOW_UTC_S)


def heart_rate_day(day: int, every_s: int) -> bytes:
    """The payload of a reply to START of type 03 (ido.md 7.2, 7.5)."""
    items = b"".join(
        b"\xff\x00" * (every_s // 255) + bytes((every_s % 255, 55 + (slot * 7 + day) % 90))
        for slot in range(86_000 // every_s)
    )
    date = FIRST_DAY + timedelta(days=day)
    head = struct.pack("<HBBiBB15xI", date.year, date.month, date.day, 0, 1, 58, len(items))
    return reply(3, head, items, 2)


def step_day(day: int) -> bytes:
    """The payload of a reply to START of type 08 with 96 slots (ido.md 7.9)."""
    slots = [(1, 40 + slot, 3, 5, 30 + slot, 20) for slot in range(96)]
    items = b"".join(struct.pack("<BHBHHH", *slot) for slot in slots)
    date = FIRST_DAY + timedelta(days=day)
    _, steps, _, active, distance, total = map(sum, zip(*slots, strict=True))
    head = struct.pack(
        "<BHBBHBIIIIHH2xB5x",
        *(0, date.year, date.month, date.day, 0, 15),
        *(steps, total, distance, 0, 96, active, 4),
    )
    return reply(8, head, items, 10)


def reply(record_type: int, head: bytes, items: bytes, item_bytes: int) -> bytes:
    count = len(items) // item_bytes
    return struct.pack("<BBBHHHIB", 0, record_type, 1, 0, count, len(head), len(items), 0) + (
        head + items
    )


def ours(kind: str, bodies: list[bytes]) -> Callable[[], None]:
    """The family's public `samples` over whole records."""
    family = family_named("ido")
    assert family is not None
    records = [RawRecord("ido", kind, str(day), body, 1) for day, body in enumerate(bodies)]

    def work() -> None:
        for record in records:
            assert family.samples(record, CLOCK).series

    return work


def floor(layout: str, head_bytes: int, bodies: list[bytes]) -> Callable[[], None]:
    """`struct.iter_unpack` over the same item bytes, into one list per value."""

    def work() -> None:
        for body in bodies:
            items = struct.iter_unpack(layout, body[head_bytes:])
            columns = [list(column) for column in zip(*items, strict=True)]
            assert columns

    return work


def took_s(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def compare(name: str, kind: str, layout: str, head: int, bodies: list[bytes]) -> dict[str, object]:
    """Both sides over the same bytes, in turn, so that a drifting machine hits both."""
    mine, bare = ours(kind, bodies), floor(layout, head, bodies)
    pairs = [(took_s(mine), took_s(bare)) for _ in range(25)]
    items = sum(len(body) - head for body in bodies) // struct.calcsize(layout)
    ratio = statistics.median(floor_s / ours_s for ours_s, floor_s in pairs)
    return {
        "name": name,
        "items_per_s": round(items / statistics.median(ours_s for ours_s, _ in pairs)),
        "floor_per_s": round(items / statistics.median(floor_s for _, floor_s in pairs)),
        "ratio": round(ratio, 2),
        "target": 0.5,
        "ok": ratio >= 0.5,
    }


def crc() -> dict[str, object]:
    data = bytes(range(256)) * 4096
    mine, bare = [], []
    for _ in range(15):
        began = time.perf_counter()
        crc16_ccitt_false(data)
        mine.append(time.perf_counter() - began)
        began = time.perf_counter()
        binascii.crc_hqx(data, 0xFFFF)
        bare.append(time.perf_counter() - began)
    ratio = statistics.median(mine) / statistics.median(bare)
    return {
        "name": "CRC over 1 MiB",
        "ms": round(statistics.median(mine) * 1000, 2),
        "ratio": round(ratio, 2),
        "target": 1.1,
        "ok": ratio <= 1.1,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer days")
    days = 30 if parser.parse_args().quick else 120
    dense = [heart_rate_day(day, 10) for day in range(days // 4)]
    usual = [heart_rate_day(day, 300) for day in range(days)]
    steps = [step_day(day) for day in range(days)]
    rows = [
        compare("heart rate each 10 s", "health.heart_rate", "<BB", 14 + 29, dense),
        compare("heart rate each 5 min", "health.heart_rate", "<BB", 14 + 29, usual),
        compare("step days of 96 slots", "health.steps", "<BHBHHH", 14 + 36, steps),
        crc(),
    ]
    for row in rows:
        sign = ">=" if row["name"] != "CRC over 1 MiB" else "<="
        verdict = "reached" if row["ok"] else "MISSED"
        print(f"  {row['name']:24} {row['ratio']:6} x the floor, {sign} {row['target']}: {verdict}")
    print(json.dumps({"bench": "decode", "rows": rows}))


if __name__ == "__main__":
    main()
