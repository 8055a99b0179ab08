"""Reports: a year against a bare SQL aggregate of the same samples; a day against `ksos show`.

The floor is the least, the most and the mean of each day by SQLite alone, from the same encrypted
store. The year has heart rates only: they are what there are millions of.

Run: .venv/bin/python bench/bench_report.py [--quick]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

from bench_store import DAY_S, FIRST_UTC_S, day_record, new_store
from report import at_most, below, finish

from ksos_link.insights.calendar import Kind
from ksos_link.operations.report.make import make_report
from ksos_link.operations.report.page import report_page
from ksos_link.store.database import Store

DAYS = 366
DAYS_AT_ONCE = 20
PAGE_BYTES = 1_000_000
MOST_S = 3.0
FLOOR = "SELECT start_utc_s / 86400, min(bpm), max(bpm), avg(bpm) FROM heart_rate GROUP BY 1"


def filled(folder: Path, per_day: int) -> Store:
    store, device_id, clock_id = new_store(folder)
    until_utc_s = FIRST_UTC_S + DAYS * DAY_S
    for first in range(0, DAYS, DAYS_AT_ONCE):
        days = range(first, min(first + DAYS_AT_ONCE, DAYS))
        records = [day_record(day, per_day) for day in days]
        store.commit_records(device_id, records, (), clock_id, until_utc_s)
    store.note_sync(device_id, until_utc_s)
    return store


def year(store: Store) -> dict[str, float]:
    """The year with most of the samples, with the year before and all days for medals."""
    of = datetime.fromtimestamp(FIRST_UTC_S + DAYS // 2 * DAY_S, UTC).date()
    began = time.perf_counter()
    report = make_report(store, Kind.YEAR, date(of.year, 6, 1), None, FIRST_UTC_S + DAYS * DAY_S)
    page = report_page(report)
    took_s = time.perf_counter() - began
    began = time.perf_counter()
    assert len(store.database.rows(FLOOR)) == DAYS
    floor_s = time.perf_counter() - began
    samples = store.counts()["heart_rate"]
    return {"s": took_s, "floor_s": floor_s, "page": len(page.encode()), "samples": samples}


def command_s(folder: Path, *words: str) -> float:
    """The best of some calls, from start to end."""
    env = {"KSOS_HOME": str(folder / "home"), "KSOS_KEY_FILE": str(folder / "secret")}
    times = []
    for _ in range(7):
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "ksos_link", *words],
            check=True,
            capture_output=True,
            env={**os.environ, **env},
        )
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with filled(folder, 2740 if quick else 27_400) as store:
            of_year = year(store)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        filled(folder, 288).close()
        day_s, show_s = command_s(folder, "report", "day"), command_s(folder, "show", "heart_rate")
    samples, took_s = of_year["samples"], of_year["s"]
    finish(
        "report",
        [
            at_most(
                f"report a year of {samples:,} samples, of SQL",
                f"{took_s:.2f} s, floor {of_year['floor_s']:.2f} s",
                took_s / of_year["floor_s"],
                3.0,
            ),
            below("  by the clock", f"{took_s:.2f} s", took_s, MOST_S, "s"),
            below("  its page", f"{of_year['page']:,} bytes", of_year["page"], PAGE_BYTES, "bytes"),
            at_most(
                "report a day, of `ksos show`",
                f"{day_s:.2f} s, show {show_s:.2f} s",
                day_s / show_s,
                2.0,
            ),
        ],
        figures=of_year | {"day_s": day_s, "show_s": show_s},
    )


if __name__ == "__main__":
    main()
