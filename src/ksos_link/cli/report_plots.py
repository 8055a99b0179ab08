"""Pictures of a report in letters: sparklines, bars, a night's stages, a heat map."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from ksos_link.operations.report.model import Bars, Chart, Curve, Grid, Stack, Stages
from ksos_link.operations.report.words import Words

_LEVELS: Final = "▁▂▃▄▅▆▇█"
_SHADES: Final = "░▒▓█"
_PARTS: Final = "█▓▒░▚"
GAP: Final = "·"
_STAGES_FROM_ABOVE: Final = ("awake", "REM", "light", "deep")
_HOUR_MIN: Final = 60
_WIDEST: Final = 8  # columns for one value
_ROWS: Final = 14  # as many bars below one another; more are a sparkline
_LABEL_COLUMNS: Final = 7
_MOST_COLUMNS: Final = 96


def chart_lines(chart: Chart, words: Words, columns: int) -> list[str]:
    """A picture that is at most so many columns wide, under its title."""
    room = min(columns, _MOST_COLUMNS)
    match chart:
        case Bars():
            return _spark_lines(chart, words, room)
        case Curve():
            return _spark_lines(chart, words, room)
        case Stack():
            return _stack_lines(chart, words, room)
        case Stages():
            return _stage_lines(chart, words, room)
        case Grid():
            return _grid_lines(chart, words, room)


def share_bar(percent: float, columns: int) -> str:
    """A part of a whole; more than all fills it."""
    full = round(min(max(percent, 0), 100) / 100 * columns)
    return "█" * full + "░" * (columns - full)


def sparkline(values: Sequence[float | None], columns: int, *, from_zero: bool) -> str:
    """One letter a value, as many values to a letter as it takes; a dot where there is none."""
    shown = _fewer(values, columns)
    known = [value for value in shown if value is not None]
    if not known:
        return GAP * len(shown)
    low, high = (0.0 if from_zero else min(known)), max(known)
    reach = high - low or 1.0
    top = len(_LEVELS) - 1
    return "".join(
        GAP if value is None else _LEVELS[round((value - low) / reach * top)] for value in shown
    )


def _spark_lines(chart: Bars | Curve, words: Words, columns: int) -> list[str]:
    is_bars = isinstance(chart, Bars)
    indent = " " * 2
    room = columns - len(indent)
    spark = sparkline(chart.values, room, from_zero=is_bars)
    repeat = max(1, min(room // len(spark), _WIDEST))  # a week is seven letters: make them wider
    gap = " " if is_bars and repeat > 2 else ""
    drawn = "".join(letter * (repeat - len(gap)) + gap for letter in spark).rstrip()
    ends = (*chart.values, *getattr(chart, "low", ()), *getattr(chart, "high", ()))
    known = [value for value in ends if value is not None]
    least, most = words.value(min(known), chart.unit), words.value(max(known), chart.unit)
    span = f"up to {most}" if is_bars else f"{least} to {most}"
    marks = _marks(chart.labels, len(spark) * repeat)
    return [f"{chart.title}, {span}", indent + drawn, indent + marks]


def _marks(labels: Sequence[str], columns: int) -> str:
    """Labels under what they stand for, as many as have room."""
    widest = max(map(len, labels)) + 2
    every = max(1, -(-widest * len(labels) // columns))
    if every > 1 and len(labels) % 24 == 0:  # hours in threes and sixes
        every = next((n for n in (3, 6, 12) if n * len(labels) // 24 >= every), 12)
        every = every * len(labels) // 24
    line = [" "] * (columns + widest)
    for place in range(0, len(labels), every):
        at = place * columns // len(labels)
        label = labels[place]
        if at + len(label) <= columns:
            line[at : at + len(label)] = label
    return "".join(line).rstrip()


def _stack_lines(chart: Stack, words: Words, columns: int) -> list[str]:
    sums = [sum(value or 0 for value in column) for column in zip(*chart.values, strict=True)]
    most = max(sums, default=0)
    if not most:
        return []
    if len(sums) > _ROWS:
        known = zip(sums, zip(*chart.values, strict=True), strict=True)
        whole = tuple(None if all(part is None for part in parts) else one for one, parts in known)
        title = f"{chart.title}, together"
        return _spark_lines(Bars(title, chart.unit, chart.labels, whole), words, columns)
    value_columns = max(len(words.value(one, chart.unit)) for one in sums)
    label_columns = max(map(len, chart.labels)) + 1
    room = columns - 2 - label_columns - value_columns - 1
    legend = ", ".join(f"{mark} {part}" for mark, part in zip(_PARTS, chart.parts, strict=False))
    lines = [chart.title, f"  {legend}"]
    for label, whole, *parts in zip(chart.labels, sums, *chart.values, strict=True):
        edges = [0.0]
        for part in parts:
            edges.append(edges[-1] + (part or 0))
        cells = [round(edge / most * room) for edge in edges]
        bar = "".join(
            mark * (end - start)
            for mark, (start, end) in zip(_PARTS, pairwise(cells), strict=False)
        )
        value = words.value(whole, chart.unit) if any(p is not None for p in parts) else GAP
        lines.append(f"  {label:<{label_columns}}{bar:<{room}} {value:>{value_columns}}".rstrip())
    return lines


def _stage_lines(chart: Stages, words: Words, columns: int) -> list[str]:
    first = min(piece.start_min for piece in chart.pieces)
    last = max(piece.end_min for piece in chart.pieces)
    start = first // _HOUR_MIN * _HOUR_MIN
    room = columns - _LABEL_COLUMNS - 2
    step = max((last - start) / room, 1)
    lines = [f"{chart.title}, {words.clock(first)} to {words.clock(last)}"]
    names = {piece.stage for piece in chart.pieces}
    for stage in _STAGES_FROM_ABOVE:
        if stage not in names:
            continue
        line = [" "] * room
        for piece in chart.pieces:
            if piece.stage == stage:
                begin = int((piece.start_min - start) / step)
                end = max(begin + 1, int((piece.end_min - start) / step))
                line[begin : min(end, room)] = "█" * (min(end, room) - begin)
        lines.append(f"  {stage:<5} ┤{''.join(line)}".rstrip())
    lines.append(" " * (_LABEL_COLUMNS + 1) + "└" + "─" * (room - 1))
    hours = _hour_marks(start, last, step, room, words)
    lines.append(" " * (_LABEL_COLUMNS + 2) + hours)
    return lines


def _hour_marks(start: float, last: float, step: float, room: int, words: Words) -> str:
    every = _HOUR_MIN
    widest = len(words.clock(12 * _HOUR_MIN)) + 2
    while every / step < widest:
        every += _HOUR_MIN
    line = [" "] * (room + widest)
    at = start
    while at <= last:
        place, text = int((at - start) / step), words.clock(at)
        if place + len(text) <= room:
            line[place : place + len(text)] = text
        at += every
    return "".join(line).rstrip()


def _grid_lines(chart: Grid, words: Words, columns: int) -> list[str]:
    """Rows of shades; where they are too long, the first part above the second."""
    known = [value for row in chart.values for value in row if value]
    most = max(known, default=0)
    label_columns = max(map(len, chart.rows)) + 3
    room = columns - label_columns
    wide = 2 if 2 * len(chart.columns) <= room else 1
    fit = max(1, room // wide)
    parts = -(-len(chart.columns) // fit)
    size = -(-len(chart.columns) // parts)
    steps = ", ".join(
        f"{shade} to {words.value(most * (place + 1) / len(_SHADES), chart.unit)}"
        for place, shade in enumerate(_SHADES)
        if place in (0, len(_SHADES) - 1)
    )
    lines = [f"{chart.title}: {steps}"]
    for first in range(0, len(chart.columns), size):
        chosen = slice(first, first + size)
        for name, row in zip(chart.rows, chart.values, strict=True):
            cells = "".join(_shade(value, most) * wide for value in row[chosen])
            lines.append(f"  {name:<{label_columns - 2}}{cells}".rstrip())
        marks = _grid_marks(chart.columns[chosen], wide)
        lines.append(" " * label_columns + marks)
    return lines


def _grid_marks(names: Sequence[str], wide: int) -> str:
    """Names of columns; of hours every third, of weeks the months that begin in them."""
    line = [" "] * (len(names) * wide + 3)
    is_hours = all(name.isdigit() for name in names)
    free_from = 0
    for place, name in enumerate(names):
        at = place * wide
        if name and at >= free_from and not (is_hours and int(name) % 3):
            line[at : at + len(name)] = name
            free_from = at + len(name) + 1
    return "".join(line).rstrip()


def _shade(value: float | None, most: float) -> str:
    if value is None:
        return GAP
    if not value or not most:
        return " "
    return _SHADES[min(int(value / most * len(_SHADES)), len(_SHADES) - 1)]


def _fewer(values: Sequence[float | None], columns: int) -> list[float | None]:
    """At most as many values as there are columns: means of neighbours."""
    every = max(1, -(-len(values) // columns))
    found: list[float | None] = []
    for first in range(0, len(values), every):
        known = [value for value in values[first : first + every] if value is not None]
        found.append(sum(known) / len(known) if known else None)
    return found
