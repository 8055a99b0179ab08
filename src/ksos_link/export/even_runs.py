"""Dense series: stretches of samples at even steps, which some formats write as one."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from ksos_link.export.source import Row

LEAST_RUN: Final = 10  # below that a reading is easier to find by itself
MOST_RUN: Final = 4096  # bounded memory, and what a reader still takes in one piece
_MOST_STEP_S: Final = 3600


def even_runs(rows: Iterable[Row], alike: Sequence[int]) -> Iterator[list[Row]]:
    """Cut the samples of one device into even runs of `LEAST_RUN` and more, and single ones.

    The fields at the places `alike` are the same in all of a run; `rows` are in order of time.
    """
    run: list[Any] = []
    step_s = 0
    for row in rows:
        if len(run) == 1:
            step_s = row[1] - run[0][1]
        if run and not (
            row[1] - run[-1][1] == step_s
            and step_s <= _MOST_STEP_S
            and len(run) < MOST_RUN
            and all(row[place] == run[0][place] for place in alike)
        ):
            if len(run) < LEAST_RUN:  # its last one may begin the next run
                yield from ([each] for each in run[:-1])
                run = run[-1:]
                step_s = row[1] - run[0][1]
                if step_s > _MOST_STEP_S or any(row[at] != run[0][at] for at in alike):
                    yield run
                    run = []
            else:
                yield run
                run = []
        run.append(row)
    if len(run) < LEAST_RUN:
        yield from ([each] for each in run)
    else:
        yield run
