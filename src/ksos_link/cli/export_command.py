"""`ksos export`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.command import MetricOption, check_metrics, epilog, open_app
from ksos_link.cli.days import FirstDay, LastDay, day_from
from ksos_link.cli.invocation import invocation
from ksos_link.cli.passphrase import EncryptOption, sealing_from

app = open_app()


@app.command(
    epilog=epilog(
        "ksos export --format csv --out my-data",
        "ksos export --format jsonl --metric sleep --out -",
    )
)
def export(  # noqa: PLR0913, PLR0917 each is an option
    ctx: typer.Context,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="One that `--formats` lists.")
    ] = "csv",
    metric: MetricOption = None,
    first: FirstDay = None,
    last: LastDay = None,
    out: Annotated[
        Path,
        typer.Option(metavar="PATH", help="A folder, a file, or - for standard output."),
    ] = Path(),
    encrypt: EncryptOption = None,
    formats: Annotated[
        bool, typer.Option("--formats", help="List the formats, and write nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="List the files as JSON lines.")] = False,
) -> None:
    """Write stored samples to files: times in UTC, units in the names.

    Tables have one file per metric, workouts one each, others one for all, in this folder unless
    --out names another. A file of the same name is replaced. The files leave the encrypted store:
    whoever can open them can read them.
    """
    from ksos_link.export import DocumentFormat
    from ksos_link.operations import exporting, read_out

    if formats:
        _list_formats(json=json)
        return
    check_metrics(metric or ())
    call = invocation(ctx)
    known = exporting.format_named(form)
    sealing = sealing_from(call, encrypt or ())
    span = read_out.span_of_days(day_from(first, "--from"), day_from(last, "--to"))
    rows: list[tuple[str, int]] = []
    with call.open_store(create=False) as store:
        device = call.chosen_device(store) if call.device_name else None
        target = sys.stdout if str(out) == "-" else out
        for written in exporting.export(store, known, metric or (), device, span, target, sealing):
            if written.left_out:
                render.note(f"note       {written.left_out}", quiet=call.quiet)
            elif json:
                path = None if written.path is None else str(written.path)
                entry = {"metric": written.metric, "rows": written.rows, "path": path}
                render.print_json(entry)
            elif written.path is None:
                count = render.counted(written.rows, "sample")
                render.note(f"{written.metric or known.name}: {count}", quiet=call.quiet)
            else:
                rows.append((str(written.path), written.rows))
    if isinstance(known, DocumentFormat) and known.warning:
        render.note(f"warning    {known.warning}")
    if rows:
        render.print_table(("file", "samples"), rows)


def _list_formats(*, json: bool) -> None:
    from ksos_link.export import FORMATS

    if json:
        for each in FORMATS:
            render.print_json({"format": each.name, "title": each.title})
    else:
        render.print_table(("format", "what it is"), [(each.name, each.title) for each in FORMATS])
