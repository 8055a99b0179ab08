"""Start-up: whole processes against the least that Python itself needs, in turn.

Run: .venv/bin/python bench/bench_startup.py [--quick]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BARE_STORE = """
import sys
from sqlcipher3 import dbapi2
connection = dbapi2.connect(sys.argv[1])
connection.set_key(b"x'" + bytes.fromhex(sys.argv[2]).hex().encode() + b"'")
connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
"""
OPEN_STORE = """
import os, sys
from ksos_link.config import open_home
from ksos_link.store.database import open_store
from ksos_link.store.keys import SecretSource
open_store(open_home(os.environ), SecretSource(os.environ), create=False).close()
"""


def took_s(command: list[str], env: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=env, check=False, capture_output=True)
    return time.perf_counter() - began


def compare(
    name: str, command: list[str], floor: list[str], env: dict[str, str], runs: int, target: float
) -> dict[str, object]:
    """Pairs of runs in turn; the median of their ratios."""
    pairs = [(took_s(command, env), took_s(floor, env)) for _ in range(runs + 1)][1:]
    ratio = statistics.median(mine / bare for mine, bare in pairs)
    return {
        "name": name,
        "ms": round(statistics.median(mine for mine, _ in pairs) * 1000, 1),
        "floor_ms": round(statistics.median(bare for _, bare in pairs) * 1000, 1),
        "ratio": round(ratio, 2),
        "target": target,
        "ok": ratio <= target,
    }


def bare_database(folder: Path) -> list[str]:
    """A database as SQLCipher makes it, and the command that only opens it."""
    from sqlcipher3 import dbapi2

    key = "ab" * 32
    connection = dbapi2.connect(str(folder / "bare.db"))
    connection.set_key(b"x'" + key.encode() + b"'")
    connection.execute("CREATE TABLE t (x)")
    connection.commit()
    connection.close()
    return [sys.executable, "-c", BARE_STORE, str(folder / "bare.db"), key]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs")
    runs = 7 if parser.parse_args().quick else 21
    ksos = str(Path(sys.executable).with_name("ksos"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = {
            **{k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
            "KSOS_HOME": str(folder / "home"),
            "KSOS_KEY_FILE": str(folder / "secret"),
        }
        sync = [ksos, "sync", "--device", "virtual:ido?scenario=short", "--quiet"]
        subprocess.run(sync, env=env, check=True, capture_output=True)
        typer = [sys.executable, "-c", "import typer"]
        bare = bare_database(folder)
        python = [sys.executable, "-c"]
        rows = [
            compare("ksos --help", [ksos, "--help"], typer, env, runs, 2.0),
            compare("ksos --version", [ksos, "--version"], typer, env, runs, 1.3),
            compare("open the store (library)", [*python, OPEN_STORE], bare, env, runs, 2.5),
            compare("ksos show battery", [ksos, "show", "battery"], bare, env, runs, 2.5),
        ]
    for row in rows:
        verdict = "reached" if row["ok"] else "MISSED"
        print(
            f"  {row['name']:26} {row['ms']:7} ms, floor {row['floor_ms']:6} ms:"
            f" {row['ratio']:5} x, target {row['target']} x: {verdict}"
        )
    print(json.dumps({"bench": "startup", "rows": rows}))


if __name__ == "__main__":
    main()
