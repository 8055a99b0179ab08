"""Store: rate against bare sqlcipher3, bytes per sample, one day out of ten million samples.

Run: .venv/bin/python bench/bench_store.py [--quick]
"""

import argparse
import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from report import Row, at_most, below, finish
from sqlcipher3 import dbapi2

from firmware_protocol.clock import ClockStretch
from firmware_protocol.records import RawRecord, Watermark
from firmware_protocol.samples import Decoded, Series
from ksos_link.config import open_home
from ksos_link.store.database import Store, open_store
from ksos_link.store.keys import SecretSource

SAMPLES_A_DAY = 288  # one heart rate each five minutes, as the watches measure by themselves
DAY_S = 86400
FIRST_UTC_S = 1_700_006_400
HEAD = bytes(20)


def day_record(day: int, per_day: int = SAMPLES_A_DAY) -> tuple[RawRecord, Decoded]:
    """One record of a day: two bytes a sample and a head, as the wire has it."""
    start_utc_s = FIRST_UTC_S + day * DAY_S
    every_s = DAY_S // per_day
    bpm = [55 + (day + 7 * slot) % 90 for slot in range(per_day)]
    body = HEAD + bytes(byte for value in bpm for byte in (every_s % 256, value))
    starts = list(range(start_utc_s, start_utc_s + per_day * every_s, every_s))
    record = RawRecord("ido", "health.heart_rate", f"day-{day}", body, 1)
    return record, Decoded((Series("heart_rate", starts, {"bpm": bpm}),))


def new_store(folder: Path) -> tuple[Store, int, int]:
    home = open_home({"KSOS_HOME": str(folder / "home")})
    store = open_store(home, SecretSource({"KSOS_KEY_FILE": str(folder / "secret")}))
    device = store.add_device(
        alias="watch", address="virtual:ido", family="ido", product="bench", bound_utc_s=0
    )
    clock_id = store.add_clock(device.device_id, (ClockStretch(0, 3600),), FIRST_UTC_S, None)
    return store, device.device_id, clock_id


def fill(store: Store, device_id: int, clock_id: int, days: range) -> None:
    for first in range(days.start, days.stop, 5000):
        records = map(day_record, range(first, min(first + 5000, days.stop)))
        store.commit_records(device_id, records, (), clock_id, FIRST_UTC_S)


def floor_s(folder: Path, rows: list[tuple[int, ...]]) -> float:
    connection = dbapi2.connect(str(folder / "floor.db"), isolation_level=None)
    connection.set_key(b"x'" + secrets.token_hex(32).encode() + b"'")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE heart_rate (device_id INTEGER NOT NULL, start_utc_s INTEGER NOT NULL,"
        " raw_id INTEGER NOT NULL, bpm INTEGER NOT NULL, quality INTEGER NOT NULL,"
        " PRIMARY KEY (device_id, start_utc_s, raw_id)) WITHOUT ROWID"
    )
    began = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO heart_rate VALUES (?, ?, ?, ?, ?)", rows)
    connection.execute("COMMIT")
    took = time.perf_counter() - began
    connection.close()
    return took


def store_rate(samples: int, repeats: int) -> dict[str, float]:
    days = samples // SAMPLES_A_DAY + 1
    prepared = [day_record(day) for day in range(days)]
    rows = [
        (1, start, day + 1, bpm, 0)
        for day, (_, decoded) in enumerate(prepared)
        for start, bpm in zip(
            decoded.series[0].start_utc_s, decoded.series[0].columns["bpm"], strict=True
        )
    ][:samples]
    floors, bulk, single = [], [], []
    size = 0
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as name:
            floors.append(floor_s(Path(name), rows))
        with tempfile.TemporaryDirectory() as name:
            store, device_id, clock_id = new_store(Path(name))
            began = time.perf_counter()
            store.commit_records(device_id, prepared, (), clock_id, FIRST_UTC_S)
            bulk.append(time.perf_counter() - began)
            store.close()
            size = store.home.store_file.stat().st_size
        with tempfile.TemporaryDirectory() as name:
            store, device_id, clock_id = new_store(Path(name))
            began = time.perf_counter()
            for day, (record, decoded) in enumerate(prepared):
                mark = Watermark("health.heart_rate", str(day))
                store.commit_record(device_id, record, decoded, (mark,), clock_id, FIRST_UTC_S)
            single.append(time.perf_counter() - began)
            store.close()
    # each repeat is compared with its own floor, so that a drifting machine hits both
    bulk_ratio, each_ratio = (
        statistics.median(mine / bare for mine, bare in zip(ours, floors, strict=True))
        for ours in (bulk, single)
    )
    return {
        "samples": samples,
        "floor_s": round(statistics.median(floors), 3),
        "commit_records_s": round(statistics.median(bulk), 3),
        "commit_records_ratio": round(bulk_ratio, 2),
        "commit_record_each_s": round(statistics.median(single), 3),
        "commit_record_each_ratio": round(each_ratio, 2),
        "bytes_per_sample": round(size / samples, 1),
    }


def read_day(samples: int, reads: int) -> dict[str, float]:
    days = samples // SAMPLES_A_DAY + 1
    with tempfile.TemporaryDirectory() as name:
        store, device_id, clock_id = new_store(Path(name))
        fill(store, device_id, clock_id, range(days))
        took_ms = sorted(_day_reads(store, device_id, days, reads))
        store.close()
    return {
        "stored": days * SAMPLES_A_DAY,
        "day_p50_ms": round(took_ms[len(took_ms) // 2], 3),
        "day_p99_ms": round(took_ms[int(len(took_ms) * 0.99)], 3),
    }


def _day_reads(store: Store, device_id: int, days: int, reads: int) -> Iterator[float]:
    for number in range(reads):
        start_utc_s = FIRST_UTC_S + (number * 7919 % days) * DAY_S
        began = time.perf_counter()
        chunks = store.read(
            "heart_rate",
            device_id=device_id,
            start_utc_s=start_utc_s,
            end_utc_s=start_utc_s + DAY_S,
        )
        assert sum(map(len, chunks)) == SAMPLES_A_DAY
        yield (time.perf_counter() - began) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples")
    quick = parser.parse_args().quick
    scale = 10 if quick else 1
    result = store_rate(1_000_000 // scale, repeats=9 if quick else 5) | read_day(
        10_000_000 // scale, reads=2000
    )
    samples, floor = result["samples"], result["floor_s"]
    finish(
        "store",
        [
            at_most(
                f"store {samples:,} samples, of executemany",
                f"{result['commit_records_s']:.2f} s, floor {floor:.2f} s",
                result["commit_records_ratio"],
                1.5,
            ),
            Row(
                "  each record in a transaction of its own",
                f"{result['commit_record_each_s']:.2f} s, floor {floor:.2f} s",
                result["commit_record_each_ratio"],
            ),
            below(
                "disk for a sample with its raw record",
                f"{result['bytes_per_sample']:.1f} bytes",
                result["bytes_per_sample"],
                24,
                "bytes",
            ),
            Row(
                f"read one day out of {result['stored']:,} samples",
                f"p50 {result['day_p50_ms']:.2f} ms, p99 {result['day_p99_ms']:.2f} ms",
            ),
        ],
        figures=result,
    )


if __name__ == "__main__":
    main()
