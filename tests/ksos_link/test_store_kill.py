"""`kill -9` while a program writes: what it said was stored is stored, nothing is half there."""

import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from ksos_link.store.database import open_store

if TYPE_CHECKING:
    from tests.ksos_link.conftest import StoreBench

PER_RECORD = 50

COMMITTER = """
import sys
from firmware_protocol.clock import ClockStretch
from firmware_protocol.records import RawRecord, Watermark
from firmware_protocol.samples import Decoded, Series
from ksos_link.config import open_home
from ksos_link.store.database import open_store
from ksos_link.store.keys import SecretSource

home, secret, first, most = sys.argv[1:]
with open_store(open_home({"KSOS_HOME": home}), SecretSource({"KSOS_KEY_FILE": secret})) as store:
    device_id = store.device("wrist").device_id
    clock_id = store.add_clock(device_id, (ClockStretch(0, 0),), 0, None)
    for number in range(int(first), 10**9):
        # each record is stored, then replaced by a longer one, as the record of today is
        for part in (int(most) // 2, int(most)):
            starts = range(number * 1000, number * 1000 + part)
            series = Series("heart_rate", starts, {"bpm": [60] * part})
            record = RawRecord("ido", "hr", str(number), bytes(part), 1)
            mark = Watermark("hr", f"{number} {part}")
            store.commit_record(device_id, record, Decoded((series,)), (mark,), clock_id, 0)
            print(number, part, flush=True)
"""

REKEYER = """
import sys
from ksos_link.config import open_home
from ksos_link.store.backups import rekey
from ksos_link.store.keys import SecretSource

home, secret = sys.argv[1:]
secrets = SecretSource({"KSOS_KEY_FILE": secret})
while True:
    print("again", flush=True)
    rekey(open_home({"KSOS_HOME": home}), secrets)
"""


def start(script: str, bench: "StoreBench", *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, str(bench.home.folder), str(bench.secret_file)]
    return subprocess.Popen(
        [*command, *map(str, arguments)], stdout=subprocess.PIPE, text=True, bufsize=1
    )


def kill_after(program: subprocess.Popen[str], lines: int, delay_s: float) -> list[str]:
    """Let it say some lines, wait a moment, kill it, and return everything that it said."""
    assert program.stdout
    said = [program.stdout.readline() for _ in range(lines)]
    time.sleep(delay_s)  # the moment of the kill is the point of the test
    program.kill()
    rest = program.stdout.read().rpartition("\n")[0]  # the last line may be cut
    program.stdout.close()
    program.wait()
    return ("".join(said) + rest).splitlines()


@pytest.mark.slow
def test_a_killed_writer_loses_nothing_that_it_acknowledged(bench: "StoreBench") -> None:
    moments = random.Random(7)  # noqa: S311 moments are no secrets
    with bench.open() as store:
        bench.add_watch(store, "wrist")
    first = 0
    for _ in range(8):
        program = start(COMMITTER, bench, first, PER_RECORD)
        said = kill_after(program, moments.randrange(1, 30), moments.random() * 0.004)
        number, part = map(int, said[-1].split())
        with bench.open(busy_wait_s=0.0) as store:
            store.claim_writer()  # the dead hold no lock
            assert store.check() == []
            mark = store.watermarks(store.device("wrist").device_id)["hr"].position
            stored_number, stored_part = map(int, mark.split())
            assert (stored_number, stored_part) >= (number, part)
            assert stored_number <= number + 1
            assert store.counts() == {"heart_rate": stored_number * PER_RECORD + stored_part}
            assert store.info().raw_records == stored_number + 1
        first = stored_number


@pytest.mark.slow
def test_a_killed_rekey_leaves_a_store_that_opens(bench: "StoreBench") -> None:
    moments = random.Random(8)  # noqa: S311 moments are no secrets
    with bench.open() as store:
        device = bench.add_watch(store, "wrist")
        bench.commit(store, device, "day", dict.fromkeys(range(5000), 60))
    for _ in range(8):
        program = start(REKEYER, bench)
        kill_after(program, moments.randrange(1, 4), moments.random() * 0.03)
        with open_store(bench.home, bench.secrets(), create=False, busy_wait_s=0.0) as store:
            assert store.check() == []
            assert store.counts() == {"heart_rate": 5000}
