"""Pictures of a night and a day for the terminal; the day is drawn by plotext."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from firmware_protocol.samples import METRICS, SleepStage, Value
from ksos_link.cli.render import terminal_columns

MAX_COLUMNS: Final = 100  # wider lines are hard to read
DAY_LINES: Final = 13
HOUR_S: Final = 3600
STAGES_FROM_ABOVE: Final = (SleepStage.AWAKE, SleepStage.REM, SleepStage.LIGHT, SleepStage.DEEP)
_LABEL: Final = "  {:<5} ┤"  # a name at most as long as `awake`, then the axis
_INDENT: Final = len(_LABEL.format(""))


def print_night(rows: Sequence[tuple[Value, ...]]) -> None:
    """Draw the stages of a night over its hours; rows of metric `sleep`, at least one."""
    names = METRICS["sleep"].row_names
    places = [names.index(name) for name in ("start_utc_s", "duration_s", "stage")]
    pieces = [tuple(int(str(row[place])) for place in places) for row in rows]
    first_s = pieces[0][0] // HOUR_S * HOUR_S
    last_s = max(start + length for start, length, _ in pieces)
    columns = min(MAX_COLUMNS, terminal_columns()) - _INDENT - 1
    step_s = -(-(last_s - first_s) // columns)
    asleep_min = sum(length for _, length, stage in pieces if stage != SleepStage.AWAKE) // 60
    _write(
        f"\nThe night to {local(last_s):%Y-%m-%d}: {local(pieces[0][0]):%H:%M} to "
        f"{local(last_s):%H:%M}, asleep for {asleep_min // 60} h {asleep_min % 60:02d} min\n"
    )
    for stage in STAGES_FROM_ABOVE:
        line = [" "] * columns
        for start, length, what in pieces:
            if what == stage:
                begin, end = (start - first_s) // step_s, -(-(start + length - first_s) // step_s)
                line[begin:end] = "█" * (end - begin)
        _write((_LABEL.format(stage.name.lower()) + "".join(line)).rstrip())
    _write(" " * (_INDENT - 1) + "└" + "─" * columns)
    _write(_hour_marks(first_s, step_s, columns))


def print_day(rows: Sequence[tuple[Value, ...]]) -> None:
    """Draw heart rate over the newest local day; rows of metric `heart_rate`, at least one."""
    import plotext

    names = METRICS["heart_rate"].row_names
    starts = [int(str(row[names.index("start_utc_s")])) for row in rows]
    beats = [int(str(row[names.index("bpm")])) for row in rows]
    day = local(starts[-1]).date()
    shown = [
        (_hours(local(start)), bpm)
        for start, bpm in zip(starts, beats, strict=True)
        if local(start).date() == day
    ]
    lowest, highest = min(bpm for _, bpm in shown), max(bpm for _, bpm in shown)
    _write(f"\nHeart rate on {day}: {lowest} to {highest} bpm\n")
    plotext.clear_figure()
    plotext.plot_size(min(MAX_COLUMNS, terminal_columns()), DAY_LINES)
    plotext.plot(*map(list, zip(*shown, strict=True)), marker="braille")
    plotext.frame(False)
    plotext.xaxes(lower=True, upper=False)
    plotext.yaxes(left=True, right=False)
    plotext.xlim(0, 24)
    plotext.xticks(range(0, 25, 3), [f"{hour:02d}:00" for hour in range(0, 25, 3)])
    marks = range(lowest // 20 * 20, highest + 20, 20)
    plotext.ylim(marks[0], marks[-1])
    plotext.yticks(marks, [f"  {mark:>5}" for mark in marks])
    # plotext ends each line in a colour code, also where there is no terminal
    lines = plotext.uncolorize(plotext.build()).splitlines()
    _write("\n".join(line.rstrip() for line in lines))


def local(utc_s: int) -> datetime:
    """A stored instant on this machine's clock."""
    return datetime.fromtimestamp(utc_s, UTC).astimezone()


def _hour_marks(first_s: int, step_s: int, columns: int) -> str:
    """Hours under the axis, as many as have room."""
    every_s = HOUR_S
    while every_s // step_s < len("00:00") + 2:
        every_s += HOUR_S
    line = [" "] * (columns + len("00:00"))
    for at_s in range(0, columns * step_s, every_s):
        place = at_s // step_s
        line[place : place + len("00:00")] = f"{local(first_s + at_s):%H:%M}"
    return (" " * _INDENT + "".join(line)).rstrip()


def _hours(moment: datetime) -> float:
    return moment.hour + moment.minute / 60 + moment.second / HOUR_S


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n")
