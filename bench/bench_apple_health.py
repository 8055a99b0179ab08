"""Apple Health: a whole import into an encrypted store against lxml iterparse over the same file.

Times are those of the processor: the ratio holds on a machine that has other work, too.

Run: .venv/bin/python bench/bench_apple_health.py [--quick]
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

from report import Row, at_most, below, finish

from ksos_link.config import open_home
from ksos_link.operations.importing import import_file
from ksos_link.store.database import open_store
from ksos_link.store.keys import SecretSource

FULL_BYTES = 100_000_000
MOST_GROWTH_MB = 25  # from a quarter of the file to all of it; the file is 75 MB larger
RUNS = 3
FIRST = datetime(2021, 1, 1, tzinfo=timezone(timedelta(hours=1)))
DEVICE = (
    "&lt;&lt;HKDevice: 0x301abcdef&gt;, name:Apple Watch, manufacturer:Apple Inc., model:Watch,"
    " hardware:Watch6,2, software:10.1&gt;"
)
HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!ELEMENT HealthData (ExportDate,Me,(Record|Workout)*)>
<!ATTLIST HealthData locale CDATA #REQUIRED>
]>
<HealthData locale="en_GB">
 <ExportDate value="2026-01-01 00:00:00 +0100"/>
"""
# a phone's export holds a type after the other; how much of the file each has, and what it says
KINDS = (
    ("HeartRate", "count/min", 0.5),
    ("StepCount", "count", 0.2),
    ("DistanceWalkingRunning", "km", 0.15),
    ("ActiveEnergyBurned", "kcal", 0.15),
)


ATTRIBUTES = ("type", "sourceName", "unit", "startDate", "endDate", "value")


def write_export(target: Path, size_bytes: int) -> None:
    dice = random.Random(1)  # noqa: S311 made-up readings
    with target.open("w", encoding="utf-8") as file:
        file.write(HEAD)
        for kind, unit, part in KINDS:
            written = 0
            for line in lines(kind, unit, dice):
                written += file.write(line)
                if written > part * size_bytes:
                    break
        file.write("</HealthData>\n")


def lines(kind: str, unit: str, dice: random.Random) -> Iterator[str]:
    at = FIRST
    moves = '<MetadataEntry key="HKMetadataKeyHeartRateMotionContext" value="1"/>'
    inside = f">\n  {moves}\n </Record" if kind == "HeartRate" else "/"
    while True:
        at += timedelta(seconds=dice.randrange(240, 600))
        end = at + timedelta(seconds=0 if kind == "HeartRate" else dice.randrange(60, 240))
        value = dice.randrange(50, 150) if kind in ("HeartRate", "StepCount") else dice.random()
        yield (
            f' <Record type="HKQuantityTypeIdentifier{kind}" sourceName="Watch"'
            f' sourceVersion="10.1" device="{DEVICE}" unit="{unit}"'
            f' creationDate="{end:%Y-%m-%d %H:%M:%S} +0100"'
            f' startDate="{at:%Y-%m-%d %H:%M:%S} +0100" endDate="{end:%Y-%m-%d %H:%M:%S} +0100"'
            f' value="{value}"{inside}>\n'
        )


def child(job: str, file: Path) -> None:
    """One run in a process of its own, then its time and peak memory as JSON."""
    import resource

    samples = 0
    if job != "import":
        from lxml import etree

        wanted = ATTRIBUTES if job == "attributes" else ()
        began = time.process_time()
        for _, element in etree.iterparse(file):
            samples += 1
            for name in wanted:
                element.get(name)
            element.clear()
    else:
        with tempfile.TemporaryDirectory() as name:
            home = open_home({"KSOS_HOME": f"{name}/home"})
            secrets = SecretSource({"KSOS_KEY_FILE": f"{name}/secret"})
            with open_store(home, secrets) as store:
                began = time.process_time()
                samples = sum(import_file(store, file, 1_800_000_000).gained.values())
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    took_s = time.process_time() - began
    print(json.dumps({"s": took_s, "peak_mb": peak_mb, "samples": samples}))


def run(job: str, file: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", job, str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a quarter of the file")
    parser.add_argument("--child", nargs=2, metavar=("JOB", "FILE"))
    choice = parser.parse_args()
    if choice.child:
        child(choice.child[0], Path(choice.child[1]))
        return
    size_bytes = FULL_BYTES // 4 if choice.quick else FULL_BYTES
    with tempfile.TemporaryDirectory() as name:
        file, quarter = Path(name) / "export.xml", Path(name) / "quarter.xml"
        write_export(file, size_bytes)
        write_export(quarter, size_bytes // 4)
        floors = [run("floor", file) for _ in range(RUNS)]
        reading = [run("attributes", file) for _ in range(RUNS)]
        imports = [run("import", file) for _ in range(RUNS)]
        small = run("import", quarter)
    floor_s, reading_s, import_s = (
        min(one["s"] for one in runs) for runs in (floors, reading, imports)
    )
    growth_mb = max(one["peak_mb"] for one in imports) - small["peak_mb"]
    figure = f"{import_s:.2f} s against {floor_s:.2f} s, {imports[0]['samples']:,} samples"
    what = f"import of {size_bytes // 1_000_000} MB of Apple Health"
    finish(
        "apple_health",
        [
            at_most(what, figure, import_s / floor_s, 2),
            Row(
                "the same against one that reads six attributes",
                f"{reading_s:.2f} s",
                round(import_s / reading_s, 2),
            ),
            below(
                "memory that it grows by, 4 times the file",
                f"{growth_mb:.0f} MB",
                growth_mb,
                MOST_GROWTH_MB,
                "MB",
            ),
        ],
        floors=floors,
        imports=imports,
        small=small,
    )


if __name__ == "__main__":
    main()
