"""1,000 uploads with random faults over all kinds of watches: is each verdict true, does each end?

Each case is one watch with the old firmware, an image, and one to four faults at random packets,
each third among the last ones; the number of a case and `--seed` decide it, whatever ran before.
Faults are those of `virtual_watch/faults.py`; `corrupt` flips any one bit of a notification. In the
first 12 % of the cases the host's process is killed (`kill -9`) at a random packet and moment, once
or twice, and there may be no other fault: this process serves the watch in real time, `ksos
firmware write` and `ksos firmware resume` are processes of their own with a store. All others run
by a clock that jumps.

After each command its words are compared with the watch's flash:

- Success is said only where the flash holds just this image, and still starts it after a power cut.
- A failure is said only where that is not so, or with the words that the watch was told to start
  the image, or runs it on trial. What a failure says of the watch is so.
- `resume` follows until it succeeds; it must, soon after the last fault.

Known limit: Nordic's wires, Realtek's, SMP's and IDO's D1 protect the image by sums, but not the
answers about it. A flipped bit can turn a no into a yes. Such a verdict is told apart by running
the case again without the flipped bits, and shown in a row of its own.

Run: .venv/bin/python bench/bench_upload_faults.py [--quick] [--count N] [--seed N] [--only NUMBER]
It exits with 1 where a number is not what it must be.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from report import Row, finish
from upload_cases import SIZES_BYTES, Outcome, Packets, case_of, packets_of, run_case
from upload_kills import run_killed
from virtual_uploads import KINDS, JumpingLoop, hushed

COUNT, QUICK_COUNT = 1000, 60
KILLED_PCT = 12
Job = TypeVar("Job")


def jumping(job: Coroutine[Any, Any, Job]) -> Job:
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(job)


def all_packets(folder: Path) -> Packets:
    return {
        (name, size_bytes): jumping(packets_of(name, size_bytes, folder))
        for name in KINDS
        for size_bytes in SIZES_BYTES
    }


@dataclass
class Tally:
    """All outcomes of a kind of watch, counted."""

    outcomes: list[Outcome] = field(default_factory=list)
    wrong: int = 0
    misled: int = 0  # by flipped bits
    unfinished: int = 0
    bricked: int = 0

    def add(self, outcome: Outcome, folder: Path) -> None:
        self.outcomes.append(outcome)
        self.bricked += not outcome.boots
        self.unfinished += not outcome.succeeded
        if not outcome.wrong:
            return
        misled = bool(outcome.flipped) and not outcome.case.kills
        if misled:
            misled = not jumping(run_case(outcome.case, folder, corrupts=False)).wrong
        self.misled += misled
        self.wrong += not misled

    def row(self, what: str) -> Row:
        every = self.outcomes
        failed = sum(each.failed_first for each in every)
        killed = sum(each.killed for each in every)
        most = max((each.attempts for each in every), default=0)
        figure = f"{len(every)}, {failed} failed first, {killed} kills, {most} commands at most"
        return Row(what, figure)


def rows_of(tallies: dict[str, Tally]) -> list[Row]:
    def total(of: Callable[[Tally], int]) -> int:
        return sum(of(tally) for tally in tallies.values())

    def zero(what: str, count: int) -> Row:
        return Row(what, str(count), None, "0", count == 0)

    rows = [tally.row(f"uploads, {name}") for name, tally in tallies.items()]
    misled = total(lambda tally: tally.misled)
    return [
        *rows,
        zero("watches without a bootable image", total(lambda tally: tally.bricked)),
        zero("wrong verdicts", total(lambda tally: tally.wrong)),
        zero("not resumed to success", total(lambda tally: tally.unfinished)),
        Row("known limit: answers without a check value", f"{misled} verdicts falsified by a bit"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_COUNT} uploads")
    parser.add_argument("--count", type=int, default=0, help=f"so many instead of {COUNT}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, action="append", help="this case of them; may repeat")
    choice = parser.parse_args()
    count = choice.count or (QUICK_COUNT if choice.quick else COUNT)
    tallies = {name: Tally() for name in KINDS}
    began_s = time.perf_counter()
    with hushed(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        packets = all_packets(folder)
        cases = [
            case_of(number, choice.seed, packets, killed=number < count * KILLED_PCT // 100)
            for number in choice.only or range(count)
        ]
        killed = [case for case in cases if case.kills]
        virtual = (jumping(run_case(case, folder)) for case in cases if not case.kills)
        for outcome in chain(run_killed(killed, folder) if killed else [], virtual):
            tallies[outcome.case.name].add(outcome, folder)
            if choice.only or outcome.wrong or not (outcome.succeeded and outcome.boots):
                print(f"{outcome.case.words}: {outcome.words}", file=sys.stderr, flush=True)
    rows = rows_of(tallies)
    finish("upload_faults", rows, seed=choice.seed, took_s=round(time.perf_counter() - began_s))
    sys.exit(any(row.ok is False for row in rows))


if __name__ == "__main__":
    main()
