"""Export: rate and peak memory, and whether memory grows with the data.

Run: .venv/bin/python bench/bench_export.py [--quick]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench_store import DAY_S, FIRST_UTC_S, SAMPLES_A_DAY, fill, new_store
from report import below, finish

from firmware_protocol.samples import METRICS
from ksos_link.config import open_home
from ksos_link.export.csv_table import write_csv
from ksos_link.export.json_lines import write_json_lines
from ksos_link.store.database import open_store
from ksos_link.store.keys import SecretSource


class Table(NamedTuple):
    """A format that writes one metric into one text file."""

    name: str
    suffix: str
    write: Callable[..., int]


TABLES = (Table("csv", ".csv", write_csv), Table("jsonl", ".jsonl", write_json_lines))

MOST_MB = 150


def export(folder: Path, format_name: str, samples: int) -> None:
    """The child: one export of the first `samples`, then its own peak memory as JSON."""
    import resource

    home = open_home({"KSOS_HOME": str(folder / "home")})
    form = next(form for form in TABLES if form.name == format_name)
    target = folder / f"heart_rate{form.suffix}"
    began = time.perf_counter()
    with open_store(home, SecretSource({"KSOS_KEY_FILE": str(folder / "secret")})) as store:
        end_utc_s = FIRST_UTC_S + samples // SAMPLES_A_DAY * DAY_S
        rows = form.write(
            store.read("heart_rate", end_utc_s=end_utc_s), METRICS["heart_rate"], target
        )
    took = time.perf_counter() - began
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size_mb = target.stat().st_size / 1e6
    target.unlink()
    print(
        json.dumps(
            {
                "format": format_name,
                "rows": rows,
                "s": round(took, 2),
                "rows_per_s": round(rows / took),
                "peak_mb": round(peak_mb, 1),
                "file_mb": round(size_mb, 1),
            }
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples")
    parser.add_argument("--child", nargs=3, metavar=("FOLDER", "FORMAT", "SAMPLES"))
    choice = parser.parse_args()
    if choice.child:
        folder, format_name, samples = choice.child
        export(Path(folder), format_name, int(samples))
        return
    most = 1_000_000 if choice.quick else 10_000_000
    results = []
    rows = []
    with tempfile.TemporaryDirectory() as name:
        store, device_id, clock_id = new_store(Path(name))
        fill(store, device_id, clock_id, range(most // SAMPLES_A_DAY + 1))
        store.close()
        for form in TABLES:
            for samples in (most // 10, most):
                command = [sys.executable, __file__, "--child", name, form.name, str(samples)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                result = json.loads(done.stdout)
                results.append(result)
                figure = f"{result['peak_mb']:.0f} MB, {result['rows_per_s'] / 1000:,.0f} k rows/s"
                what = f"peak memory, {form.name} of {result['rows']:,} samples"
                rows.append(below(what, figure, result["peak_mb"], MOST_MB, "MB"))
    finish("export", rows, runs=results)


if __name__ == "__main__":
    main()
