"""`ksos import`."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.command import JsonLines, epilog, open_app
from ksos_link.cli.invocation import invocation
from ksos_link.cli.passphrase import export_passphrase
from ksos_link.operations.local_time import local_now

if TYPE_CHECKING:
    from ksos_link.age.keys import Key
    from ksos_link.cli.invocation import Invocation
    from ksos_link.operations.importing import Imported

app = open_app()


@app.command(
    "import", epilog=epilog("ksos import ride.fit walk.gpx", "ksos import old.tcx --as bike")
)
def import_files(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="What to read.")],
    alias: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="ALIAS", help="The name of the source; without it imported-FORMAT."
        ),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="auto looks into the file.")
    ] = "auto",
    identity: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What opens encrypted files, as age-keygen writes it."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what is in the files; keep nothing.")
    ] = False,
    json: JsonLines = False,
) -> None:
    """Put what other programs recorded into the encrypted store.

    Each file comes in whole or not at all. Its samples name their source, and importing a file
    twice changes nothing.
    """
    from ksos_link.operations import importing

    call = invocation(ctx)

    @cache
    def unlock() -> "Sequence[Key]":
        """Asked for at most once."""
        from ksos_link.age.keys import Passphrase
        from ksos_link.operations.sealing import identities_from

        if identity is not None:
            return identities_from(identity)
        return [Passphrase(export_passphrase(call, new=False))]

    if dry_run:
        for path in files:
            done = importing.look_into(path, form=form, alias=alias, unlock=unlock)
            _tell(done, call, json=json, kept=False)
        return
    importing.check_there(files)
    call.open_log("import", makes_home=True)
    with call.open_store() as store:
        now_utc_s = int(local_now().timestamp())
        for path in files:
            done = importing.import_file(
                store, path, now_utc_s, form=form, alias=alias, unlock=unlock
            )
            _tell(done, call, json=json, kept=True)


def _tell(done: "Imported", call: "Invocation", *, json: bool, kept: bool) -> None:
    if json:
        render.print_json(
            {
                "path": str(done.path),
                "format": done.form,
                "device": done.alias or None,
                "records": done.records,
                "samples": dict(done.samples),
                "stored": dict(done.gained) if kept else None,
                "remarks": list(done.remarks),
            }
        )
        return
    columns = ("metric", "in the file", *(("new",) if kept else ()))
    rows = [
        (metric, count, *((done.gained.get(metric, 0),) if kept else ()))
        for metric, count in done.samples.items()
    ]
    source = f", as {done.alias}" if done.alias else ""
    render.print_line(f"{render.cell_text(str(done.path))}: {done.form}{source}")
    render.print_table(columns, rows)
    for remark in done.remarks:
        render.note(f"note       {remark}", quiet=call.quiet)
