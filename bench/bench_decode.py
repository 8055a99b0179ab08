"""Decode: V3 heart-rate and step days into series with times, against bare struct; and the CRC.

The floor reads the same item bytes with `struct.iter_unpack` into one list per value: no header, no
times, no checks. Both sides work on the same bytes, so the ratio of their times is that of their
speeds.

Run: .venv/bin/python bench/bench_decode.py [--quick]
"""

import argparse
import binascii
import gc
import statistics
import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from report import Row, at_least, at_most, finish

from firmware_protocol.checksums import crc16_ccitt_false
from firmware_protocol.clock import ClockStretch, WatchClock
from firmware_protocol.records import RawRecord
from firmware_protocol.registry import family_named

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
NOW_UTC_S = int(datetime(2026, 12, 31, tzinfo=UTC).timestamp())
CLOCK = WatchClock((ClockStretch(0, 3600),), NOW_UTC_S)
REPLY_HEAD_BYTES = 14
PAIRS = 25  # of runs, ours and the floor's in turn, so that a drifting machine hits both


def heart_rate_day(day: int, every_s: int) -> bytes:
    """The payload of a reply to START of type 03 (ido.md 7.2, 7.5)."""
    items = b"".join(
        b"\xff\x00" * (every_s // 255) + bytes((every_s % 255, 55 + (slot * 7 + day) % 90))
        for slot in range(86_000 // every_s)
    )
    date = FIRST_DAY + timedelta(days=day)
    head = struct.pack("<HBBiBB15xI", date.year, date.month, date.day, 0, 1, 58, len(items))
    return reply(3, head, items, 2)


def step_day(day: int, slot_min: int) -> bytes:
    """The payload of a reply to START of type 08, every slot with movement (ido.md 7.9)."""
    count = 24 * 60 // slot_min
    slots = [(1, 40 + slot % 96, 3, 5, 30 + slot % 96, 20) for slot in range(count)]
    items = b"".join(struct.pack("<BHBHHH", *slot) for slot in slots)
    date = FIRST_DAY + timedelta(days=day)
    _, steps, _, active, distance, total = map(sum, zip(*slots, strict=True))
    head = struct.pack(
        "<BHBBHBIIIIHH2xB5x",
        *(0, date.year, date.month, date.day, 0, slot_min),
        *(steps, total, distance, 0, count, active, 4),
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


def floor(layout: str, items_at: int, bodies: list[bytes]) -> Callable[[], None]:
    def work() -> None:
        for body in bodies:
            items = struct.iter_unpack(layout, body[items_at:])
            assert [list(column) for column in zip(*items, strict=True)]

    return work


def took_s(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def compare(name: str, kind: str, layout: str, head_bytes: int, bodies: list[bytes]) -> Row:
    items_at = REPLY_HEAD_BYTES + head_bytes
    mine, bare = ours(kind, bodies), floor(layout, items_at, bodies)
    items = sum(len(body) - items_at for body in bodies) // struct.calcsize(layout)
    pairs = [(took_s(mine), took_s(bare)) for _ in range(PAIRS)]
    ours_s, floor_s = (statistics.median(side) for side in zip(*pairs, strict=True))
    figure = f"{items / ours_s / 1e6:.1f} M items/s, floor {items / floor_s / 1e6:.1f} M"
    return at_least(name, figure, statistics.median(bare / mine for mine, bare in pairs), 0.5)


def crc() -> Row:
    data = bytes(range(256)) * 4096
    pairs = [
        (took_s(lambda: crc16_ccitt_false(data)), took_s(lambda: binascii.crc_hqx(data, 0xFFFF)))
        for _ in range(PAIRS)
    ]
    figure = f"{statistics.median(mine for mine, _ in pairs) * 1000:.2f} ms"
    ratio = statistics.median(mine / bare for mine, bare in pairs)
    return at_most("CRC over 1 MiB", figure, ratio, 1.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer days")
    days = range(30 if parser.parse_args().quick else 120)
    some = days[:: len(days) // 10]
    gc.disable()  # as timeit does: its pauses would fall on either side by chance
    heart_rate, steps = ("health.heart_rate", "<BB", 29), ("health.steps", "<BHBHHH", 36)
    rows = [
        compare("heart rate each 5 min", *heart_rate, [heart_rate_day(day, 300) for day in days]),
        compare("heart rate each 10 s", *heart_rate, [heart_rate_day(day, 10) for day in some]),
        compare("step days of 15-minute slots", *steps, [step_day(day, 15) for day in days]),
        compare("step days of 1-minute slots", *steps, [step_day(day, 1) for day in some]),
        crc(),
    ]
    finish("decode", rows)


if __name__ == "__main__":
    main()
