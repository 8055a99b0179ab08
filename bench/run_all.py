"""Run every bench, show all their rows in one table, and keep them in build/bench.json.

Run: .venv/bin/python bench/run_all.py [--full]; --full takes half an hour.
"""

import argparse
import json
import platform
import subprocess
import sys
from pathlib import Path

from report import print_table, rows_from

HERE = Path(__file__).parent
BENCHES = (
    "decode",
    "store",
    "export",
    "fhir",
    "apple_health",
    "startup",
    "sync",
    "settings",
    "upload",
    "upload_faults",
    "smp",
    "campaign",
    "workouts",
    "report",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="all the data, more runs")
    quick = [] if parser.parse_args().full else ["--quick"]
    results = {}
    for name in BENCHES:
        print(f"measuring  {name}", file=sys.stderr, flush=True)
        command = [sys.executable, str(HERE / f"bench_{name}.py"), *quick]
        # a bench may exit with 1 for a measure that is missed: its last line is there all the same
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
        results[name] = json.loads(done.stdout.splitlines()[-1])
    for name, result in results.items():
        print(name)
        print_table(rows_from(result))
    target = HERE.parent / "build" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    about = {"python": platform.python_version(), "machine": platform.machine()}
    target.write_text(json.dumps(about | results, indent=1), encoding="utf-8")
    print(f"kept in {target.relative_to(HERE.parent)}", file=sys.stderr)


if __name__ == "__main__":
    main()
