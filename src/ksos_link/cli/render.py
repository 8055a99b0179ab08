"""How results look: results to stdout, all else to stderr; bars only on a terminal."""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from ksos_link.operations.local_time import utc_text as utc_text  # noqa: PLC0414 in reach of all commands

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

GAP: Final = "  "
LEAST_COLUMNS: Final = 40  # a narrower terminal wraps by itself


def print_json(value: object) -> None:
    """Print one JSON object on one line."""
    sys.stdout.write(json.dumps(value, separators=(",", ":")) + "\n")


def print_line(text: str = "") -> None:
    """Print one line of a result."""
    sys.stdout.write(f"{text}\n")


def flush() -> None:
    """Hand the result out now; a reader may wait for it."""
    sys.stdout.flush()


def note(text: str, *, quiet: bool = False) -> None:
    """Tell something beside the result."""
    if not quiet:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 packet`, `2 packets`."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def terminal_columns() -> int:
    """How wide the terminal is; 80 where there is none."""
    return max(LEAST_COLUMNS, shutil.get_terminal_size((80, 24)).columns)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table: aligned on a terminal, tab-separated in a pipe.

    Rows that do not fit the terminal's width are printed one below the other, name by name.
    """
    texts = [[cell_text(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in (list(columns), *texts):
            print_line("\t".join(row))
        return
    lines = table_lines(columns, texts)
    if max(map(len, lines)) <= terminal_columns():
        print_line("\n".join(lines))
        return
    for number, row in enumerate(texts):
        if number:
            print_line()
        print_facts(dict(zip(columns, row, strict=True)))


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """A table in aligned columns, numbers to the right, under a rule."""
    texts = [[cell_text(cell) for cell in row] for row in rows]
    cells = [list(column) for column in zip(columns, *texts, strict=True)]
    widths = [max(map(len, column)) for column in cells]
    right = [len(column) > 1 and all(map(_is_number, column[1:])) for column in cells]
    rule = ["─" * width for width in widths]
    return [
        GAP.join(
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in (columns, rule, *texts)
    ]


def print_facts(facts: Mapping[str, object]) -> None:
    """Print names and values in two columns; a list as a paragraph."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        if isinstance(value, (list, tuple)):
            text = ", ".join(map(cell_text, value))
            if sys.stdout.isatty():
                import textwrap

                room = terminal_columns() - width - len(GAP)
                text = f"\n{' ' * (width + len(GAP))}".join(textwrap.wrap(text, room))
        else:
            text = cell_text(value)
        print_line(f"{name:<{width}}{GAP}{text}".rstrip())


def local_text(utc_s: int) -> str:
    """A stored instant as this machine's local time."""
    return datetime.fromtimestamp(utc_s, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


class Bar:
    """Progress of a long job: a bar on a terminal, a line at each quarter in a pipe."""

    def __init__(self, title: str, *, quiet: bool) -> None:
        self._title = title
        self._quiet = quiet
        self._drawn = not quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._total: int | None = None
        self._quarter = 0
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if self._drawn:
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                DownloadColumn(),
                console=Console(file=sys.stderr, highlight=False),
                transient=True,
            )
            self._progress.start()
            self._task = self._progress.add_task(self._title, total=None)
        return self

    def show(self, done: int | None = None, total: int | None = None) -> None:
        """Move on; None leaves a number as it is."""
        self._total = total or self._total
        if self._progress is not None and self._task is not None:
            changes: dict[str, Any] = {}  # rich takes None as "unknown", so absent must be absent
            if done is not None:
                changes["completed"] = done
            if total is not None:
                changes["total"] = total
            self._progress.update(self._task, **changes)
        elif done and self._total:
            quarter = min(4, 4 * done // self._total)
            if quarter > self._quarter:
                self._quarter = quarter
                note(f"progress   {25 * quarter} % of {self._total} bytes", quiet=self._quiet)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress is not None:
            self._progress.stop()


def cell_text(value: object) -> str:
    """A value as text that moves no cursor: names come over the air."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _is_number(text: str) -> bool:
    return not text or text.lstrip("-").replace(".", "", 1).isdigit()
