"""FHIR: a Bundle of readings against json.dumps of the same objects that are there already.

Run: .venv/bin/python bench/bench_fhir.py [--quick]
"""

import argparse
import json
import random
import tempfile
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path

from report import at_most, below, finish

from firmware_protocol.samples import METRICS, Metric
from firmware_protocol.settings import Wearer
from ksos_link.export.fhir import write_fhir
from ksos_link.export.source import ExportDevice, Row, Workout

FIRST_UTC_S = 1_760_000_000
ROWS_A_CHUNK = 4096
MOST_MB = 8
RUNS = 5


class Readings:
    """Heart rates at uneven steps: each is an Observation of its own."""

    devices = (ExportDevice("wrist", "KS Watch", "ido"),)
    wearer: Wearer | None = None
    metrics: Sequence[Metric] = (METRICS["heart_rate"],)

    def __init__(self, count: int) -> None:
        dice = random.Random(1)  # noqa: S311 made-up readings
        at = FIRST_UTC_S
        rows: list[Row] = []
        for _ in range(count):
            at += dice.randrange(250, 350)
            rows.append(("wrist", at, dice.randrange(50, 150), 0))
        self._chunks = list(chunks_of(rows))

    def rows(self, metric: str) -> Iterator[Sequence[Row]]:
        return iter(self._chunks if metric == "heart_rate" else [])

    def workouts(self) -> Iterator[Workout]:
        return iter(())

    def utc_offset_s(self, alias: str, utc_s: int) -> int:
        return 3600


def chunks_of(rows: list[Row]) -> Iterator[list[Row]]:
    for at in range(0, len(rows), ROWS_A_CHUNK):
        yield rows[at : at + ROWS_A_CHUNK]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer runs")
    runs = 2 if parser.parse_args().quick else RUNS
    source = Readings(100_000)
    with tempfile.TemporaryDirectory() as name:
        target = Path(name) / "ksos.fhir.json"
        export_s, dumps_s = [], []
        for _ in range(runs):
            began = time.process_time()
            write_fhir(source, target)
            export_s.append(time.process_time() - began)
            bundle = json.loads(target.read_bytes())
            began = time.process_time()
            (Path(name) / "floor.json").write_text(json.dumps(bundle), encoding="utf-8")
            dumps_s.append(time.process_time() - began)
        fewer = Readings(20_000)  # tracing makes everything slow
        tracemalloc.start()
        write_fhir(fewer, target)
        peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
    took, floor = min(export_s), min(dumps_s)
    figure = f"{took:.2f} s against {floor:.2f} s"
    finish(
        "fhir",
        [
            at_most("FHIR of 100,000 readings", figure, took / floor, 2),
            below("memory that it allocates", f"{peak_mb:.1f} MB", peak_mb, MOST_MB, "MB"),
        ],
        export_s=export_s,
        dumps_s=dumps_s,
    )


if __name__ == "__main__":
    main()
