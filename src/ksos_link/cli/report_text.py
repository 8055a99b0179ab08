"""A report for the terminal: tables and pictures in letters, from forty columns on."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ksos_link.cli.render import cell_text
from ksos_link.cli.report_plots import chart_lines, share_bar
from ksos_link.insights.calendar import Kind
from ksos_link.operations.report.facts import (
    by_sport,
    cycle_facts,
    missing_text,
    not_measured,
    workout_facts,
)
from ksos_link.operations.report.model import (
    RECKONING,
    Line,
    Report,
    Ring,
    Section,
    WorkoutLine,
    notices,
)
from ksos_link.operations.report.words import (
    BEFORE,
    NBSP,
    Words,
    award_text,
    counted,
    day_text,
    period_title,
)

_NARROW: Final = 72
_BOLD, _DIM, _BLUE = "1", "2", "34"
_INDENT: Final = "  "
_GAP: Final = "  "
_MOST_COLUMNS: Final = 100
_SPLITS: Final = (Kind.DAY, Kind.WEEK)


@dataclass(frozen=True, slots=True)
class TextReport:
    """Writes a report as text: so many columns wide, with colours or without any."""

    columns: int
    colours: bool

    def lines(self, of: Report) -> Iterator[str]:
        """The whole report, line by line."""
        return (line.replace(NBSP, " ") for line in self._lines(of))

    def _lines(self, of: Report) -> Iterator[str]:
        words = Words(of.units)
        for line in self._wrapped(period_title(of.period)):
            yield self._paint(line, _BOLD)
        yield from self._wrapped(self._about(of, words))
        yield from self._goals(of, words)
        for section in of.sections:
            if any(line.figure.value is not None for line in section.lines):
                yield from self._section(section, of, words)
                if section.name == "workouts":
                    yield from self._workouts(of, words)
        yield from self._rest(of, words)
        yield ""
        for notice in notices(of):
            yield from self._wrapped(notice)

    def _about(self, of: Report, words: Words) -> str:
        names = ", ".join(map(cell_text, of.devices)) or "no watch with samples"
        if of.read_until is None:
            return f"{names}; never read"
        until = f"{day_text(of.read_until.date())}, {words.time(of.read_until)}"
        return f"{names}; read until {until}; changes are to the {BEFORE[of.period.kind]}"

    def _goals(self, of: Report, words: Words) -> Iterator[str]:
        yield from self._title("Goals")
        if not of.rings:
            yield from self._wrapped("No goal is set: ksos goal set --help", _INDENT)
        for ring in of.rings:
            yield from self._ring(ring, of, words)

    def _ring(self, ring: Ring, of: Report, words: Words) -> Iterator[str]:
        goal = words.value(ring.goal, ring.reached.unit)
        if ring.share.value is None:
            yield from self._wrapped(f"{ring.title}: {ring.share.reason}", _INDENT)
            return
        bar = share_bar(ring.share.value, 14)
        said = f"{words.figure(ring.reached)} of {goal}"
        if of.period.kind is not Kind.DAY:
            said += f" a day; {ring.reached_days} of {ring.days} days"
        percent = f"{ring.share.value:.0f} %"
        line = f"{_INDENT}{ring.title:<13} {self._paint(bar, _BLUE)} {percent:>6}"
        if len(line) + len(_GAP) + len(said) <= self.columns:
            yield f"{line}{_GAP}{said}"
        else:
            yield line
            yield from self._wrapped(said, _INDENT * 2)

    def _section(self, section: Section, of: Report, words: Words) -> Iterator[str]:
        yield from self._title(section.title)
        known = [line for line in section.lines if line.figure.value is not None]
        yield from (
            self._narrow_rows(known, of, words) if self._is_narrow else self._rows(known, of, words)
        )
        for reason, titles in section.absent.items():
            yield from self._wrapped(f"not known: {'; '.join(titles)} - {reason}", _INDENT)
        for chart in section.charts:
            drawn = chart_lines(chart, words, self.columns - len(_INDENT))
            if drawn:
                title, *picture = drawn
                yield ""
                yield from self._wrapped(title, _INDENT)
                yield from (_INDENT + self._paint(line, _BLUE) for line in picture)

    def _rows(self, lines: Sequence[Line], of: Report, words: Words) -> Iterator[str]:
        everywhere = [self._cells(line, of, words) for line in of.lines]
        heads = _heads(of)
        widths = [max(map(len, column)) for column in zip(heads, *everywhere, strict=True)]
        taken = len(_INDENT) + sum(widths[1:]) + len(_GAP) * (len(widths) - 1)
        widths[0] = min(widths[0], self.columns - taken)
        yield self._paint(_row("", heads[1:], widths), _DIM)
        for line in lines:
            title, *values = self._cells(line, of, words)
            first, *rest = textwrap.wrap(title, widths[0])
            yield _row(first, values, widths)
            yield from (_INDENT + one for one in rest)

    def _cells(self, line: Line, of: Report, words: Words) -> tuple[str, ...]:
        value = words.figure(line.figure, clock=line.clock)
        change = words.change(line)
        if of.period.kind is Kind.DAY:
            return (line.title, value, f"{line.figure.readings:,}", change)
        total = "" if line.total is None else words.figure(line.total)
        parts = ("", value) if line.whole else (value, total)
        return (line.title, *parts, f"{line.figure.readings:,}", change)

    def _narrow_rows(self, lines: Sequence[Line], of: Report, words: Words) -> Iterator[str]:
        for line in lines:
            value = words.figure(line.figure, clock=line.clock)
            room = self.columns - len(_INDENT) - len(value) - 1
            first, *rest = textwrap.wrap(line.title, room)
            yield f"{_INDENT}{first:<{room}} {value}"
            yield from (_INDENT + one for one in rest)
            said = [counted(line.figure.readings, "reading")]
            if line.total is not None:
                said.insert(0, f"{words.figure(line.total)} in all")
            if change := words.change(line):
                said.append(change)
            for one in textwrap.wrap(", ".join(said), self.columns - 4):
                yield self._paint(_INDENT * 2 + one, _DIM)

    def _workouts(self, of: Report, words: Words) -> Iterator[str]:
        if of.workouts:
            yield ""
        if of.period.kind is Kind.YEAR:
            for title, count, minutes, metres in by_sport(of):
                way = f", {words.value(metres, 'm')}" if metres else ""
                said = f"{cell_text(title)}: {count:,} times, {words.value(minutes, 'min')}{way}"
                yield from self._wrapped(said, _INDENT)
            return
        for one in of.workouts:
            yield from self._workout(one, of, words)

    def _workout(self, one: WorkoutLine, of: Report, words: Words) -> Iterator[str]:
        begin = words.time(one.start)
        if of.period.kind is not Kind.DAY:
            begin = f"{day_text(one.start.date())}, {begin}"
        facts = [words.value(one.summary.duration_s / 60, "min"), *workout_facts(one, words)]
        said = f"{begin}  {cell_text(one.title)}, {', '.join(facts)}"
        yield from self._wrapped(said, _INDENT)
        if of.period.kind in _SPLITS and one.summary.splits:
            paces = [words.figure(split.pace) for split in one.summary.splits]
            yield from self._wrapped(f"splits: {', '.join(paces)}", _INDENT * 2)

    def _rest(self, of: Report, words: Words) -> Iterator[str]:
        if of.medals:
            yield from self._title("Medals")
            for award in of.medals:
                yield from self._wrapped(award_text(award), _INDENT)
        if of.cycle is not None:
            yield from self._title("Cycle")
            for name, when in cycle_facts(of):
                yield from self._wrapped(f"{name}: {when}", _INDENT)
            yield from self._wrapped(RECKONING, _INDENT)
        yield from self._not_measured(of)
        if of.missing:
            yield from self._title("Without readings")
            for one in of.missing:
                yield from self._wrapped(f"{missing_text(one, of, words)}: {one.reason}", _INDENT)

    def _not_measured(self, of: Report) -> Iterator[str]:
        absent = not_measured(of)
        if absent:
            yield from self._title("Not measured")
            for reason, titles in absent.items():
                yield from self._wrapped(f"{', '.join(titles)}: {reason}", _INDENT)

    @property
    def _is_narrow(self) -> bool:
        return self.columns < _NARROW

    def _title(self, text: str) -> Iterator[str]:
        yield ""
        yield self._paint(text, _BOLD)

    def _wrapped(self, text: str, indent: str = "") -> Iterator[str]:
        room = min(self.columns, _MOST_COLUMNS)
        yield from textwrap.wrap(
            text, room, initial_indent=indent, subsequent_indent=indent + _INDENT * bool(indent)
        )

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colours and text else text


def _heads(of: Report) -> tuple[str, ...]:
    if of.period.kind is Kind.DAY:
        return ("", "", "readings", "change")
    return ("", "a day", "in all", "readings", "change")


def _row(title: str, values: Sequence[str], widths: Sequence[int]) -> str:
    cells = [f"{title:<{widths[0]}}"]
    cells += [f"{value:>{width}}" for value, width in zip(values, widths[1:], strict=True)]
    return (_INDENT + _GAP.join(cells)).rstrip()
