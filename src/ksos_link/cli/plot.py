"""Pictures of a night and a day for the terminal, drawn by plotext."""

import shutil
import sys
from collections.abc import Sequence
from typing import Final

from firmware_protocol.samples import METRICS, SleepStage, Value

HEIGHT: Final = 14  # lines
MAX_WIDTH: Final = 100  # columns; wider lines are hard to read
STAGES_FROM_BELOW: Final = (SleepStage.DEEP, SleepStage.LIGHT, SleepStage.REM, SleepStage.AWAKE)


def print_night(rows: Sequence[tuple[Value, ...]]) -> None:
    """Draw sleep stages over the night; rows of metric `sleep`."""
    if not rows:
        return
    names = METRICS["sleep"].row_names
    start, length, stage = (names.index(n) for n in ("start_utc_s", "duration_s", "stage"))
    hours: list[float] = []
    levels: list[int] = []
    for row in rows:
        level = STAGES_FROM_BELOW.index(SleepStage(int(str(row[stage])))) + 1
        begin = int(str(row[start]))
        for at in (begin, begin + int(str(row[length]))):
            hours.append(_local_hour(at, of=int(str(rows[0][start]))))
            levels.append(level)
    ticks = [stage.name.lower() for stage in STAGES_FROM_BELOW]
    _draw("The night, hours", hours, levels, y_ticks=(list(range(1, 5)), ticks))


def print_day(rows: Sequence[tuple[Value, ...]]) -> None:
    """Draw heart rate over the newest local day; rows of metric `heart_rate`."""
    from ksos_link.operations.read_out import local_day

    names = METRICS["heart_rate"].row_names
    start, bpm = names.index("start_utc_s"), names.index("bpm")
    if not rows:
        return
    newest = local_day(int(str(rows[-1][start])))
    day = [row for row in rows if local_day(int(str(row[start]))) == newest]
    hours = [_local_hour(int(str(row[start])), of=int(str(day[0][start]))) for row in day]
    _draw(f"Heart rate on {newest}, bpm over hours", hours, [int(str(row[bpm])) for row in day])


def _draw(
    title: str,
    hours: list[float],
    values: Sequence[int],
    y_ticks: tuple[list[int], list[str]] | None = None,
) -> None:
    import plotext

    plotext.clear_figure()
    plotext.theme("clear")
    width = min(MAX_WIDTH, shutil.get_terminal_size((80, 24)).columns)
    plotext.plot_size(width, HEIGHT)
    plotext.title(title)
    plotext.plot(hours, list(values), marker="braille")
    if y_ticks is not None:
        plotext.yticks(*y_ticks)
        plotext.ylim(0.5, 4.5)
    first, last = int(min(hours)), int(max(hours)) + 1
    marks = list(range(first, last + 1, max(1, (last - first) // 8)))
    plotext.xticks(marks, [f"{mark % 24:02d}:00" for mark in marks])
    sys.stdout.write(f"\n{plotext.build()}\n")


def _local_hour(utc_s: int, *, of: int) -> float:
    """Hours since the local midnight of the day of `of`, so that a night runs past 24."""
    from datetime import UTC, datetime

    first = datetime.fromtimestamp(of, UTC).astimezone()
    midnight = first.replace(hour=0, minute=0, second=0)
    return (utc_s - midnight.timestamp()) / 3600
