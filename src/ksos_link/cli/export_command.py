"""`ksos export`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.command import MetricOption, check_metrics, epilog, open_app
from ksos_link.cli.days import FirstDay, LastDay, day_from
from ksos_link.cli.invocation import invocation

app = open_app()


@app.command(
    epilog=epilog(
        "ksos export --format csv --out my-data",
        "ksos export --format jsonl --metric sleep --out -",
    )
)
def export(
    ctx: typer.Context,
    form: Annotated[str, typer.Option("--format", metavar="FORMAT", help="csv or jsonl.")] = "csv",
    metric: MetricOption = None,
    first: FirstDay = None,
    last: LastDay = None,
    out: Annotated[
        Path,
        typer.Option(metavar="PATH", help="A folder, a file, or - for standard output."),
    ] = Path(),
    json: Annotated[bool, typer.Option("--json", help="List the files as JSON lines.")] = False,
) -> None:
    """Write stored samples to files: times in UTC, units in the names.

    One file per metric, in this folder unless --out names another. A file of the same name is
    replaced. The files leave the encrypted store: whoever can open them can read them.
    """
    from ksos_link.operations import read_out

    check_metrics(metric or ())
    call = invocation(ctx)
    known = read_out.format_named(form)
    span = read_out.span_of_days(day_from(first, "--from"), day_from(last, "--to"))
    rows: list[tuple[str, int]] = []
    with call.open_store(create=False) as store:
        device = call.chosen_device(store) if call.device_name else None
        target = sys.stdout if str(out) == "-" else out
        for written in read_out.export(store, known, metric or (), device, span, target):
            if json:
                path = None if written.path is None else str(written.path)
                entry = {"metric": written.metric, "rows": written.rows, "path": path}
                render.print_json(entry)
            elif written.path is None:
                count = render.counted(written.rows, "sample")
                render.note(f"{written.metric}: {count}", quiet=call.quiet)
            else:
                rows.append((str(written.path), written.rows))
    if rows:
        render.print_table(("file", "samples"), rows)
