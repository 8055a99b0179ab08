"""Start-up: whole processes against the least that Python itself needs, in turn.

`ksos show battery` does all that a command on the store does. Its floor by the target is a bare
Python that opens SQLCipher with a raw key; what typer alone adds to that is reported beside it.

Run: .venv/bin/python bench/bench_startup.py [--quick]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from report import Row, at_most, finish

KEY = "ab" * 32
BARE_STORE = """
import sys
from sqlcipher3 import dbapi2
connection = dbapi2.connect(sys.argv[1])
connection.set_key(b"x'" + sys.argv[2].encode() + b"'")
connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
"""
OPEN_STORE = """
import os
from ksos_link.config import open_home
from ksos_link.store.database import open_store
from ksos_link.store.keys import SecretSource
open_store(open_home(os.environ), SecretSource(os.environ), create=False).close()
"""


def took_s(command: list[str], env: Mapping[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=env, check=True, capture_output=True)
    return time.perf_counter() - began


def bare_database(path: Path) -> Path:
    from sqlcipher3 import dbapi2

    connection = dbapi2.connect(str(path))
    connection.set_key(b"x'" + KEY.encode() + b"'")
    connection.execute("CREATE TABLE t (x)")
    connection.commit()
    connection.close()
    return path


def commands(folder: Path) -> dict[str, list[str]]:
    """What is started, by name."""
    python, ksos = sys.executable, str(Path(sys.executable).with_name("ksos"))
    database = str(bare_database(folder / "bare.db"))
    return {
        "typer": [python, "-c", "import typer"],
        "sqlcipher": [python, "-c", BARE_STORE, database, KEY],
        "both": [python, "-c", f"import typer\n{BARE_STORE}", database, KEY],
        "library": [python, "-c", OPEN_STORE],
        "help": [ksos, "--help"],
        "version": [ksos, "--version"],
        "show": [ksos, "show", "battery"],
    }


def measure(folder: Path, runs: int) -> dict[str, list[float]]:
    """Milliseconds of every command, all of them in each round, the first round for the caches."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env |= {"KSOS_HOME": str(folder / "home"), "KSOS_KEY_FILE": str(folder / "secret")}
    started = commands(folder)
    fill = [*started["show"][:1], "sync", "--device", "virtual:ido?scenario=short", "--quiet"]
    subprocess.run(fill, env=env, check=True, capture_output=True)
    rounds = [
        {name: took_s(command, env) * 1000 for name, command in started.items()}
        for _ in range(runs + 1)
    ]
    return {name: [one[name] for one in rounds[1:]] for name in started}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer runs")
    runs = 9 if parser.parse_args().quick else 31
    with tempfile.TemporaryDirectory() as name:
        took_ms = measure(Path(name), runs)

    def compare(what: str, ours: str, floor: str, target: float | None) -> Row:
        pairs = zip(took_ms[ours], took_ms[floor], strict=True)
        ratio = statistics.median(mine / bare for mine, bare in pairs)
        mine_ms, floor_ms = (statistics.median(took_ms[side]) for side in (ours, floor))
        figure = f"{mine_ms:.0f} ms, floor {floor_ms:.0f} ms"
        if target is None:
            return Row(what, figure, round(ratio, 2))
        return at_most(what, figure, ratio, target)

    finish(
        "startup",
        [
            compare("ksos --help, of import typer", "help", "typer", 2.0),
            compare("ksos --version, of import typer", "version", "typer", 1.3),
            compare("ksos show battery, of bare SQLCipher", "show", "sqlcipher", 2.5),
            compare("  import typer alone, of bare SQLCipher", "typer", "sqlcipher", None),
            compare("  ksos show battery, of both together", "show", "both", None),
            compare("  open_store as a library, of SQLCipher", "library", "sqlcipher", None),
        ],
        median_ms={name: round(statistics.median(took), 1) for name, took in took_ms.items()},
    )


if __name__ == "__main__":
    main()
