"""`ksos export`."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.invocation import invocation

app = typer.Typer(rich_markup_mode=None)


@app.command()
def export(
    ctx: typer.Context,
    form: Annotated[str, typer.Option("--format", help="csv or jsonl.")] = "csv",
    metric: Annotated[
        list[str] | None, typer.Option(help="Only this metric; may be given again.")
    ] = None,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First local day.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last local day.")
    ] = None,
    out: Annotated[Path, typer.Option(help="A file, a folder, or - for standard output.")] = Path(),
) -> None:
    """Write stored samples to files: times in UTC, units in the names.

    The files are readable by everybody who can open them: they leave the encrypted store.
    """
    from ksos_link.operations import read_out

    call = invocation(ctx)
    known = read_out.format_named(form)
    span = read_out.span_of_days(first.date() if first else None, last.date() if last else None)
    with call.open_store() as store:
        device = call.chosen_device(store) if call.device_name else None
        target = sys.stdout if str(out) == "-" else out
        for written in read_out.export(store, known, metric or (), device, span, target):
            if written.path is not None:
                render.print_line(f"{written.path}\t{written.rows}")
            else:
                render.note(f"{written.metric}: {written.rows} rows", quiet=call.quiet)
