"""Run every bench and keep what they measured in build/bench.json.

Run: .venv/bin/python bench/run_all.py [--full]; --full takes some ten minutes.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BENCHES = ("decode", "store", "export", "startup", "sync")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="all the data of the issue's table")
    quick = [] if parser.parse_args().full else ["--quick"]
    results = {}
    for name in BENCHES:
        print(f"{name}:", flush=True)
        command = [sys.executable, str(HERE / f"bench_{name}.py"), *quick]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        *table, last = done.stdout.splitlines()
        print("\n".join(table), flush=True)
        results[name] = json.loads(last)
    target = HERE.parent / "build" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(results, indent=1), encoding="utf-8")
    print(f"kept in {target.relative_to(HERE.parent)}")


if __name__ == "__main__":
    main()
