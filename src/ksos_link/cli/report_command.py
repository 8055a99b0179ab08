"""`ksos report`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.command import epilog, open_app
from ksos_link.cli.days import METAVAR, day_from
from ksos_link.cli.invocation import invocation
from ksos_link.errors import UsageError
from ksos_link.operations.local_time import local_now

if TYPE_CHECKING:
    from ksos_link.operations.report.model import Report

app = open_app("What your watches measured, at a glance: a day, a week, a month, a year.")
Date = Annotated[
    str | None,
    typer.Option(
        "--date", metavar=METAVAR, help="A day in it; without one, the newest with readings."
    ),
]
Form = Annotated[str, typer.Option("--format", metavar="FORMAT", help="terminal, json or html.")]
Out = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="A folder, a file, or - for standard output."),
]
_SUFFIXES = {"terminal": ".txt", "json": ".json", "html": ".html"}


@app.command(epilog=epilog("ksos report day", "ksos report day --date yesterday --format html"))
def day(ctx: typer.Context, date: Date = None, form: Form = "terminal", out: Out = None) -> None:
    """Report a local day: goals, movement, sleep, heart, workouts, and what is missing and why."""
    _report(ctx, "day", date, form, out)


@app.command(epilog=epilog("ksos report week --date 2026-11-28"))
def week(ctx: typer.Context, date: Date = None, form: Form = "terminal", out: Out = None) -> None:
    """Report a week, against the week before; it begins on the weekday of `ksos unit`."""
    _report(ctx, "week", date, form, out)


@app.command(epilog=epilog("ksos report month --format html --out november.html"))
def month(ctx: typer.Context, date: Date = None, form: Form = "terminal", out: Out = None) -> None:
    """Report a month of the calendar, against the month before."""
    _report(ctx, "month", date, form, out)


@app.command(epilog=epilog("ksos report year --format json"))
def year(ctx: typer.Context, date: Date = None, form: Form = "terminal", out: Out = None) -> None:
    """Report a year of the calendar, against the year before."""
    _report(ctx, "year", date, form, out)


def _report(ctx: typer.Context, kind: str, date: str | None, form: str, out: Path | None) -> None:
    from ksos_link.insights.calendar import Kind
    from ksos_link.operations.report.make import make_report

    if form not in _SUFFIXES:
        raise UsageError(
            f"There is no format {form[:40]} of reports.", f"Choose from: {', '.join(_SUFFIXES)}."
        )
    chosen = day_from(date, "--date")
    call = invocation(ctx)
    with call.open_store(create=False) as store, store.reading():
        device = call.chosen_device(store) if call.device_name else None
        now_utc_s = int(local_now().timestamp())
        report = make_report(store, Kind(kind), chosen, device, now_utc_s)
    target = _target(report, form, out)
    text = _written(report, form, to_terminal=target is None)
    if target is None:
        sys.stdout.write(text)
        return
    from ksos_link.export.target import open_target

    with open_target(target) as file:
        file.write(text)
    render.note(f"written    {target}; whoever can open it can read it", quiet=call.quiet)


def _target(report: "Report", form: str, out: Path | None) -> Path | None:
    """Where it goes; None is standard output. A page goes to a file unless - is said."""
    if out is None:
        if form != "html":
            return None
        out = Path()
    elif str(out) == "-":
        return None
    name = f"ksos-{report.period.kind}-{report.period.first}{_SUFFIXES[form]}"
    return out / name if out.is_dir() else out


def _written(report: "Report", form: str, *, to_terminal: bool) -> str:
    if form == "json":
        from ksos_link.operations.report.document import report_json

        return report_json(report)
    if form == "html":
        from ksos_link.operations.report.page import report_page

        return report_page(report)
    from ksos_link.cli.report_text import TextReport

    on_terminal = to_terminal and sys.stdout.isatty()
    plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    columns = render.terminal_columns() if to_terminal else 80
    text = TextReport(columns, colours=on_terminal and not plain)
    return "\n".join(text.lines(report)) + "\n"
