"""Charts of a report as inline SVG, each with its values as a table.

Own and not a library's: a chart is 2 to 8 kB where matplotlib's SVG has 20 to 60, its letters are
text and not paths, its colours are the page's own and follow light and dark, and nothing has to be
imported or run. It draws five shapes, which is all that a report needs.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from math import ceil, floor, log10
from typing import Final

from ksos_link.operations.report.markup import Markup, tag, together
from ksos_link.operations.report.model import Bars, Chart, Curve, Grid, Stack, Stages
from ksos_link.operations.report.words import Words

_WIDTH: Final = 440
_HEIGHT: Final = 150
_LEFT: Final = 46  # room for the numbers of the axis
_TOP, _BOTTOM, _RIGHT = 8, 128, 436
_LETTER: Final = 6.6  # how wide a letter is, about
_LANES: Final = ("awake", "REM", "light", "deep")
_LANE: Final = 28
_ROUND_MIN: Final = (1, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440)
_IN_TENTHS: Final = ("°C", "kg")
_SHADES: Final = 4


def figure(chart: Chart, words: Words) -> Markup:
    """A chart with its title, its picture, and its values for those who cannot see it."""
    drawn: Markup
    match chart:
        case Bars():
            drawn = _bars(chart, words)
        case Curve():
            drawn = _curve(chart, words)
        case Stack():
            drawn = _stack(chart, words)
        case Stages():
            drawn = _stages(chart, words)
        case Grid():
            drawn = _grid(chart, words)
    return tag(
        "figure",
        None,
        tag("figcaption", None, chart.title),
        drawn,
        _legend(chart, words),
        tag(
            "details",
            None,
            tag("summary", None, "Values", tag("span", {"class": "unseen"}, f" of {chart.title}")),
            tag(
                "div",
                {
                    "class": "scroll",
                    "tabindex": "0",
                    "role": "region",
                    "aria-label": f"Values of {chart.title}",
                },
                _table(chart, words),
            ),
        ),
    )


def ring(percent: float, label: str) -> Markup:
    """A part of a goal as an arc; more than all closes it."""
    length = 2 * 3.14159265 * 42
    shown = min(max(percent, 0), 100) / 100 * length
    circle: dict[str, str | float] = {"cx": 50, "cy": 50, "r": 42}
    return tag(
        "svg",
        {"viewBox": "0 0 100 100", "role": "img", "aria-label": label, "class": "ring"},
        tag("circle", circle | {"class": "track"}),
        tag(
            "circle",
            circle
            | {
                "class": "reached",
                "stroke-dasharray": f"{shown:.1f} {length:.1f}",
                "transform": "rotate(-90 50 50)",
            },
        ),
        tag("text", {"x": 50, "y": 57, "text-anchor": "middle"}, f"{percent:.0f} %"),
    )


def _svg(title: str, said: str, height: float, *inside: Markup) -> Markup:
    box = f"0 0 {_WIDTH} {height:g}"
    label = f"{title}: {said}"
    return tag("svg", {"viewBox": box, "role": "img", "aria-label": label}, *inside)


def _bars(chart: Bars, words: Words) -> Markup:
    known = [value for value in chart.values if value is not None]
    most = max([*known, chart.goal or 0])
    scale = _Scale(0, most, chart.unit)
    step = (_RIGHT - _LEFT) / len(chart.values)
    shapes = [scale.axis(chart.unit, words)]
    for place, value in enumerate(chart.values):
        if value:
            y = scale.y(value)
            shapes.append(
                tag(
                    "rect",
                    {
                        "x": _LEFT + (place + 0.12) * step,
                        "y": y,
                        "width": 0.76 * step,
                        "height": max(_BOTTOM - y, 0.5),
                        "class": "bar",
                    },
                )
            )
    if chart.goal:
        y = scale.y(chart.goal)
        shapes.append(tag("line", {"x1": _LEFT, "x2": _RIGHT, "y1": y, "y2": y, "class": "goal"}))
    shapes.append(_labels(chart.labels))
    said = f"{len(known)} values up to {words.value(max(known), chart.unit)}"
    return _svg(chart.title, said, _HEIGHT, *shapes)


def _curve(chart: Curve, words: Words) -> Markup:
    ends = [value for value in (*chart.values, *chart.low, *chart.high) if value is not None]
    scale = _Scale(min(ends), max(ends), chart.unit)
    step = (_RIGHT - _LEFT) / len(chart.values)
    at = [_LEFT + (place + 0.5) * step for place in range(len(chart.values))]
    shapes = [scale.axis(chart.unit, words)]
    low, high = chart.low or chart.values, chart.high or chart.values
    for places in _runs(chart.values):
        upper = [(at[place], scale.y(_or(high[place], chart.values[place]))) for place in places]
        lower = [(at[place], scale.y(_or(low[place], chart.values[place]))) for place in places]
        line = [(at[place], scale.y(_or(chart.values[place], 0))) for place in places]
        if chart.low or chart.high:
            shapes.append(_band(upper, lower, step))
        if len(line) > 1:
            shapes.append(tag("polyline", {"points": _points(line), "class": "curve"}))
        else:
            shapes.append(
                tag("circle", {"cx": line[0][0], "cy": line[0][1], "r": 2.2, "class": "dot"})
            )
    shapes.append(_labels(chart.labels))
    least, most = words.value(min(ends), chart.unit), words.value(max(ends), chart.unit)
    return _svg(chart.title, f"from {least} to {most}", _HEIGHT, *shapes)


def _band(
    upper: Sequence[tuple[float, float]], lower: Sequence[tuple[float, float]], step: float
) -> Markup:
    if len(upper) == 1:
        (x, top), (_, bottom) = upper[0], lower[0]
        width = min(step * 0.5, 6)
        box = {"x": x - width / 2, "y": top, "width": width, "height": max(bottom - top, 0.5)}
        return tag("rect", {**box, "class": "band"})
    return tag("polygon", {"points": _points([*upper, *reversed(lower)]), "class": "band"})


def _stack(chart: Stack, words: Words) -> Markup:
    sums = [sum(value or 0 for value in column) for column in zip(*chart.values, strict=True)]
    if len(sums) == 1:
        return _parts_alone(chart, words)
    scale = _Scale(0, max(sums), chart.unit)
    step = (_RIGHT - _LEFT) / len(sums)
    shapes = [scale.axis(chart.unit, words)]
    for place, column in enumerate(zip(*chart.values, strict=True)):
        below = 0.0
        for part, value in enumerate(column):
            if value:
                top, bottom = scale.y(below + value), scale.y(below)
                box = {"x": _LEFT + (place + 0.12) * step, "y": top, "width": 0.76 * step}
                kind = f"{_family(chart)}{part + 1}"
                shapes.append(tag("rect", {**box, "height": bottom - top, "class": kind}))
                below += value
    shapes.append(_labels(chart.labels))
    return _svg(chart.title, f"up to {words.value(max(sums), chart.unit)}", _HEIGHT, *shapes)


def _parts_alone(chart: Stack, words: Words) -> Markup:
    """Of one label: a bar for each part, its name before and its value behind it."""
    values = [row[0] or 0 for row in chart.values]
    most = max(values) or 1
    shapes = []
    for place, (name, value) in enumerate(zip(chart.parts, values, strict=True)):
        y = 8 + place * 26
        shapes.append(tag("text", {"x": 0, "y": y + 13}, name))
        width = value / most * 250
        box = {"x": 90, "y": y, "width": max(width, 0.5), "height": 17}
        shapes.append(tag("rect", {**box, "class": f"{_family(chart)}{place + 1}"}))
        shapes.append(tag("text", {"x": 96 + width, "y": y + 13}, words.value(value, chart.unit)))
    said = ", ".join(
        f"{name} {words.value(value, chart.unit)}"
        for name, value in zip(chart.parts, values, strict=True)
    )
    return _svg(chart.title, said, 12 + 26 * len(values), *shapes)


def _stages(chart: Stages, words: Words) -> Markup:
    start = min(piece.start_min for piece in chart.pieces)
    end = max(piece.end_min for piece in chart.pieces)
    wide = (_RIGHT - _LEFT) / (end - start)
    shapes = []
    lanes = [lane for lane in _LANES if any(piece.stage == lane for piece in chart.pieces)]
    bottom = 6 + _LANE * len(lanes)
    for place, lane in enumerate(lanes):
        shapes.append(tag("text", {"x": 0, "y": 6 + place * _LANE + 17}, lane))
    for piece, after in pairwise([*chart.pieces, None]):
        if piece is None:
            continue
        y = 6 + lanes.index(piece.stage) * _LANE
        x = _LEFT + (piece.start_min - start) * wide
        width = max((piece.end_min - piece.start_min) * wide, 0.5)
        kind = f"stage{4 - _LANES.index(piece.stage)}"
        shapes.append(
            tag("rect", {"x": x, "y": y + 3, "width": width, "height": _LANE - 6, "class": kind})
        )
        if after is not None and after.start_min - piece.end_min < 1:
            other = 6 + lanes.index(after.stage) * _LANE
            ys = {"y1": y + _LANE / 2, "y2": other + _LANE / 2}
            shapes.append(tag("line", {"x1": x + width, "x2": x + width, **ys, "class": "rule"}))
    for hour in range(ceil(start / 60), floor(end / 60) + 1):
        x = _LEFT + (hour * 60 - start) * wide
        if hour % (2 if end - start > 420 else 1) == 0 and x < _RIGHT - 14:
            middle: dict[str, str | float] = {"x": x, "y": bottom + 15, "text-anchor": "middle"}
            shapes.append(tag("text", middle, words.clock(hour * 60)))
    said = f"{words.clock(start)} to {words.clock(end)}"
    return _svg(chart.title, said, bottom + 20, *shapes)


def _grid(chart: Grid, words: Words) -> Markup:
    most = max((value for row in chart.values for value in row if value), default=0)
    wide = (_RIGHT - 34) / len(chart.columns)
    tall = min(wide, 17)
    shapes = []
    for y, (name, row) in enumerate(zip(chart.rows, chart.values, strict=True)):
        shapes.append(
            tag("text", {"x": 0, "y": 4 + (y + 0.78) * tall + (tall < 10)}, name)
            if tall >= 10 or y % 2 == 0
            else Markup()
        )
        for x, value in enumerate(row):
            box = {"x": 34 + x * wide, "y": 4 + y * tall, "width": wide - 1, "height": tall - 1}
            shapes.append(tag("rect", {**box, "class": _shade(value, most)}))
    bottom = 4 + tall * len(chart.rows)
    free_from = 0.0
    for x, name in enumerate(chart.columns):
        at = 34 + x * wide
        if name and at >= free_from and not (name.isdigit() and int(name) % 3):
            shapes.append(tag("text", {"x": at, "y": bottom + 13}, name))
            free_from = at + _LETTER * (len(name) + 1)
    said = f"up to {words.value(most, chart.unit)}"
    return _svg(chart.title, said, bottom + 18, *shapes)


def _shade(value: float | None, most: float) -> str:
    if value is None:
        return "none"
    if not value or not most:
        return "shade0"
    return f"shade{min(int(value / most * _SHADES), _SHADES - 1) + 1}"


class _Scale:
    """The vertical axis, with round numbers that hold all values."""

    def __init__(self, least: float, most: float, unit: str) -> None:
        rough = ((most - least) or abs(most) or 1) / 3
        if unit not in _IN_TENTHS:
            rough = max(rough, 1)
        base = 10.0 ** floor(log10(rough))
        steps = [base * part for part in (1, 2, 2.5, 5, 10)]
        if unit == "min":  # round on a clock
            steps = [step for step in _ROUND_MIN if step >= rough] or steps
        self._step = next(step for step in steps if step >= rough)
        self._low = floor(least / self._step) * self._step
        self._high = max(ceil(most / self._step) * self._step, self._low + self._step)

    def y(self, value: float) -> float:
        """Where a value lies."""
        return _BOTTOM - (value - self._low) / (self._high - self._low) * (_BOTTOM - _TOP)

    def axis(self, unit: str, words: Words) -> Markup:
        """Lines across, with their numbers."""
        shapes = []
        for count in range(round((self._high - self._low) / self._step) + 1):
            value = self._low + count * self._step
            y = self.y(value)
            shapes.append(
                tag("line", {"x1": _LEFT, "x2": _RIGHT, "y1": y, "y2": y, "class": "rule"})
            )
            text: dict[str, str | float] = {"x": _LEFT - 5, "y": y + 4, "text-anchor": "end"}
            shapes.append(tag("text", text, words.axis(value, unit)))
        return together(shapes)


def _labels(labels: Sequence[str]) -> Markup:
    """Labels under the axis, as many as have room, hours at round ones."""
    step = (_RIGHT - _LEFT) / len(labels)
    every = max(1, ceil((max(map(len, labels)) + 1.5) * _LETTER / step))
    if ":" in labels[0]:
        every = next((n for n in (1, 2, 3, 4, 6, 8, 12) if n >= every), every)
    texts = []
    for place in range(0, len(labels), every):
        x = _LEFT + (place + 0.5) * step
        texts.append(
            tag("text", {"x": x, "y": _BOTTOM + 16, "text-anchor": "middle"}, labels[place])
        )
    return together(texts)


def _legend(chart: Chart, words: Words) -> Markup | None:
    if isinstance(chart, Bars) and chart.goal:
        said = f"goal {words.value(chart.goal, chart.unit)}"
        return tag("p", {"class": "legend"}, tag("span", {"class": "key goal"}), said)
    if isinstance(chart, Curve) and (chart.low or chart.high):
        between = "lowest to highest" if chart.low and chart.high else "up to the highest"
        if not chart.high:
            between = "down to the lowest"
        return tag("p", {"class": "legend"}, f"line: mean; band: {between}")
    if isinstance(chart, Stack) and len(chart.labels) > 1:
        keys = [
            tag(
                "span",
                {"class": "item"},
                tag("span", {"class": f"key {_family(chart)}{place}"}),
                part,
            )
            for place, part in enumerate(chart.parts, 1)
        ]
        return tag("p", {"class": "legend"}, *keys)
    if isinstance(chart, Grid):
        most = max((value for row in chart.values for value in row if value), default=0)
        keys = [tag("span", {"class": f"key shade{shade}"}) for shade in range(_SHADES + 1)]
        said = f" to {words.value(most, chart.unit)}; "
        none = tag("span", {"class": "key none"})
        return tag("p", {"class": "legend"}, "0 ", *keys, said, none, "no reading")
    return None


def _family(chart: Stack) -> str:
    return "stage" if len(chart.parts) == len(_LANES) else "zone"


def _table(chart: Chart, words: Words) -> Markup:
    rows = list(_rows(chart, words))
    head = tag("tr", None, *(tag("th", {"scope": "col"}, name) for name in rows[0]))
    body = [
        tag(
            "tr",
            None,
            tag("th", {"scope": "row"}, first),
            *(tag("td", None, cell) for cell in cells),
        )
        for first, *cells in rows[1:]
    ]
    return tag("table", {"class": "values"}, tag("thead", None, head), tag("tbody", None, *body))


def _rows(chart: Chart, words: Words) -> Iterator[list[str]]:
    if isinstance(chart, Stages):
        yield ["from", "to", "stage"]
        for piece in chart.pieces:
            yield [words.clock(piece.start_min), words.clock(piece.end_min), piece.stage]
    elif isinstance(chart, Grid):
        yield ["", *chart.columns]
        for name, row in zip(chart.rows, chart.values, strict=True):
            yield [name, *(_cell(value, chart.unit, words) for value in row)]
    else:
        columns = {"value": chart.values} if not isinstance(chart, Stack) else {}
        if isinstance(chart, Stack):
            columns = dict(zip(chart.parts, chart.values, strict=True))
        if isinstance(chart, Curve):
            columns |= {"lowest": chart.low} if chart.low else {}
            columns |= {"highest": chart.high} if chart.high else {}
        yield ["", *columns]
        for label, *cells in zip(chart.labels, *columns.values(), strict=True):
            yield [label, *(_cell(cell, chart.unit, words) for cell in cells)]


def _cell(value: float | None, unit: str, words: Words) -> str:
    return "–" if value is None else words.value(value, unit)


def _runs(values: Sequence[float | None]) -> Iterator[list[int]]:
    """Places in a row that have a value."""
    for known, group in groupby(range(len(values)), key=lambda place: values[place] is not None):
        if known:
            yield list(group)


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _or(value: float | None, other: float | None) -> float:
    return value if value is not None else other or 0.0
