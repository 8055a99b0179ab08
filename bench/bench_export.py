"""Export: rate against the least that each format takes, peak memory, and whether it grows.

The floors write the same samples from memory: `csv.writer` over rows in a list, and pyarrow over a
table, into the same files by month, with its own settings.

Run: .venv/bin/python bench/bench_export.py [--quick]
"""

import argparse
import csv
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from bench_store import DAY_S, FIRST_UTC_S, SAMPLES_A_DAY, fill, new_store
from report import Row, at_most, below, finish

from firmware_protocol.samples import METRICS, Metric
from ksos_link.config import open_home
from ksos_link.export.csv_table import write_csv
from ksos_link.export.json_lines import write_json_lines
from ksos_link.export.line_protocol import write_line_protocol
from ksos_link.export.parquet import write_parquet
from ksos_link.export.source import ColumnSource
from ksos_link.operations.export_source import StoreSource
from ksos_link.operations.read_out import Span
from ksos_link.store.database import open_store
from ksos_link.store.keys import SecretSource

HEART_RATE = METRICS["heart_rate"]
MOST_MB = {"csv": 150, "jsonl": 150, "influx": 150, "parquet": 300}
MOST_RATIO = 2.5
LIST_ROWS = 1_000_000  # the list of the floor is written again and again: ten million take 4 GB
EVERY_S = DAY_S // SAMPLES_A_DAY


def table(write: Callable[[ColumnSource, Metric, Path], int]) -> Callable[..., int]:
    return lambda source, folder: write(source, HEART_RATE, folder / "heart_rate")


def parquet(source: ColumnSource, folder: Path) -> int:
    return sum(write_parquet(source, folder).values())


WRITERS: dict[str, Callable[..., int]] = {
    "csv": table(write_csv),
    "jsonl": table(write_json_lines),
    "influx": table(write_line_protocol),
    "parquet": parquet,
}


def export(folder: Path, name: str, samples: int) -> None:
    """The child: one export of the first `samples`, then its own peak memory as JSON."""
    import resource

    home = open_home({"KSOS_HOME": str(folder / "home")})
    target = folder / "export"
    target.mkdir()
    began = time.perf_counter()
    with open_store(home, SecretSource({"KSOS_KEY_FILE": str(folder / "secret")})) as store:
        span = Span(None, FIRST_UTC_S + samples // SAMPLES_A_DAY * DAY_S)
        rows = WRITERS[name](StoreSource(store, [HEART_RATE], None, span), target)
    took = time.perf_counter() - began
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size_mb = sum(path.stat().st_size for path in target.rglob("*") if path.is_file()) / 1e6
    shutil.rmtree(target)
    print(
        json.dumps(
            {
                "format": name,
                "rows": rows,
                "s": round(took, 2),
                "rows_per_s": round(rows / took),
                "peak_mb": round(peak_mb, 1),
                "file_mb": round(size_mb, 1),
            }
        )
    )


def floor_csv(folder: Path, samples: int) -> float:
    def row(number: int) -> tuple[str, str, str, int, str]:
        start = datetime.fromtimestamp(FIRST_UTC_S + number * EVERY_S, UTC).isoformat()
        return "watch", f"{start[:19]}Z", f"{start[:19]}+01:00", 55 + number % 90, "proven"

    rows = [row(number) for number in range(min(samples, LIST_ROWS))]
    began = time.perf_counter()
    with (folder / "floor.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for first in range(0, samples, LIST_ROWS):
            writer.writerows(rows[: samples - first])
    return time.perf_counter() - began


def floor_parquet(folder: Path, samples: int) -> float:
    import pyarrow as pa
    import pyarrow.parquet as pq

    starts = range(FIRST_UTC_S, FIRST_UTC_S + samples * EVERY_S, EVERY_S)
    word = pa.dictionary(pa.int32(), pa.string())
    names = ("metric", "device", "start_utc", "utc_offset_s", "bpm", "quality")
    columns = [
        *(pa.repeat(pa.scalar(text), samples).cast(word) for text in ("heart_rate", "watch")),
        pa.array((start * 1_000_000 for start in starts), pa.timestamp("us", "UTC"), size=samples),
        pa.repeat(pa.scalar(3600, pa.int32()), samples),
        pa.array((55 + number % 90 for number in range(samples)), pa.int64(), size=samples),
        pa.repeat(pa.scalar("proven"), samples).cast(word),
    ]
    whole = pa.Table.from_arrays(columns, names)
    months = groupby(starts, key=lambda start: datetime.fromtimestamp(start, UTC).strftime("%Y-%m"))
    sizes = [(month, sum(1 for _ in of_month)) for month, of_month in months]
    began = time.perf_counter()
    at = 0
    for month, size in sizes:
        pq.write_table(whole.slice(at, size), folder / f"{month}.parquet", compression="zstd")
        at += size
    return time.perf_counter() - began


FLOORS = {"csv": floor_csv, "parquet": floor_parquet}


def child(*arguments: str) -> str:
    command = [sys.executable, __file__, "--child", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def measured(folder: str, name: str, samples: int, repeats: int) -> tuple[dict[str, float], Row]:
    """The middle one of some exports, each with its own floor so that a slow moment hits both."""
    runs = []
    for _ in range(repeats):
        run = json.loads(child(folder, name, str(samples)))
        if name in FLOORS:
            run["floor_s"] = float(child(folder, f"floor-{name}", str(samples)))
        runs.append(run)
    if name not in FLOORS:
        run = runs[0]
        return run, Row(f"export {name} of {run['rows']:,} samples", f"{run['s']:.1f} s")
    ratio = statistics.median(run["s"] / run["floor_s"] for run in runs)
    run = min(runs, key=lambda run: abs(run["s"] / run["floor_s"] - ratio))
    figure = f"{run['s']:.1f} s, floor {run['floor_s']:.1f} s"
    return run, at_most(f"export {name} of {run['rows']:,} samples", figure, ratio, MOST_RATIO)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples")
    parser.add_argument("--child", nargs=3, metavar=("FOLDER", "WHAT", "SAMPLES"))
    choice = parser.parse_args()
    if choice.child:
        folder, what, samples = Path(choice.child[0]), choice.child[1], int(choice.child[2])
        if what in WRITERS:
            export(folder, what, samples)
        else:
            with tempfile.TemporaryDirectory(dir=folder) as name:
                print(FLOORS[what.removeprefix("floor-")](Path(name), samples))
        return
    most = 1_000_000 if choice.quick else 10_000_000
    results = []
    rows = []
    with tempfile.TemporaryDirectory() as name:
        store, device_id, clock_id = new_store(Path(name))
        fill(store, device_id, clock_id, range(most // SAMPLES_A_DAY + 1))
        store.close()
        for form in WRITERS:
            small = json.loads(child(name, form, str(most // 10)))
            run, speed = measured(name, form, most, 3)
            results += [small, run]
            figure = f"{run['peak_mb']:.0f} MB, {small['peak_mb']:.0f} MB for a tenth"
            rows += [
                speed,
                below("  peak memory", figure, run["peak_mb"], MOST_MB[form], "MB"),
            ]
    finish("export", rows, runs=results)


if __name__ == "__main__":
    main()
