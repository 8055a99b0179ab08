"""How results look: results to stdout, all else to stderr; bars only on a terminal."""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID


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


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table: drawn on a terminal, tab-separated in a pipe."""
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in (list(columns), *texts):
            print_line("\t".join(row))
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(columns):
        numeric = bool(texts) and all(_is_number(row[number]) for row in texts)
        table.add_column(name, justify="right" if numeric else "left")
    for row in texts:
        table.add_row(*(Text(cell) for cell in row))
    console(sys.stdout).print(table)


def print_facts(facts: Mapping[str, object]) -> None:
    """Print names and values in two columns."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        print_line(f"{name:<{width}}  {value}")


def console(stream: Any) -> "Console":  # a text stream of any kind
    """A console that obeys NO_COLOR and TERM=dumb."""
    from rich.console import Console

    return Console(file=stream, highlight=False)


def local_text(utc_s: int) -> str:
    """A stored instant as this machine's local time."""
    return datetime.fromtimestamp(utc_s, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def utc_text(utc_s: int) -> str:
    """A stored instant as UTC in ISO 8601."""
    return datetime.fromtimestamp(utc_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Bar:
    """Progress of a long job: a bar on a terminal, silence in a pipe."""

    def __init__(self, title: str, *, quiet: bool) -> None:
        self._title = title
        self._shown = not quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if self._shown:
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                DownloadColumn(),
                console=console(sys.stderr),
                transient=True,
            )
            self._progress.start()
            self._task = self._progress.add_task(self._title, total=None)
        return self

    def show(self, done: int | None = None, total: int | None = None) -> None:
        """Move the bar; None leaves a number as it is."""
        if self._progress is not None and self._task is not None:
            changes: dict[str, Any] = {}  # rich takes None as "unknown", so absent must be absent
            if done is not None:
                changes["completed"] = done
            if total is not None:
                changes["total"] = total
            self._progress.update(self._task, **changes)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress is not None:
            self._progress.stop()


def _is_number(text: str) -> bool:
    return not text or text.lstrip("-").replace(".", "", 1).isdigit()
