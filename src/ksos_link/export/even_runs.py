"""Dense series: stretches of samples at even steps, which some formats write as one."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from ksos_link.export.source import Row

LEAST_RUN: Final = 10  # below that a reading is easier to find by itself
MOST_RUN: Final = 4096  # bounded memory, and what a reader still takes in one piece
_MOST_STEP_S: Final = 3600


def even_runs(rows: Iterable[Row], alike_from: int) -> Iterator[list[Row]]:
    """Cut the samples of one device into even runs of `LEAST_RUN` and more, and single ones.

    The fields from the place `alike_from` on are the same in all of a run; `rows` are in order of
    time.
    """
    run: list[Any] = []
    step_s = 0
    for row in rows:
        if run:
            apart_s = row[1] - run[-1][1]
            fits = apart_s <= _MOST_STEP_S and row[alike_from:] == run[0][alike_from:]
            if not fits or (len(run) > 1 and apart_s != step_s) or len(run) == MOST_RUN:
                if len(run) >= LEAST_RUN:
                    yield run
                    run = []
                else:
                    kept = run[-1:] if fits else []  # its last one may begin the next run
                    yield from ([each] for each in run[: len(run) - len(kept)])
                    run = kept
            step_s = apart_s
        run.append(row)
    if len(run) >= LEAST_RUN:
        yield run
    else:
        yield from ([each] for each in run)
