"""`ksos doctor`."""

from typing import Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.invocation import invocation
from ksos_link.cli.run import run

app = typer.Typer(rich_markup_mode=None)


@app.command()
def doctor(
    ctx: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """Name what is missing for Bluetooth and the store, and the command that mends it."""
    from ksos_link.operations.doctor import examine, verdict

    call = invocation(ctx)
    findings = run(examine(call.home, call.env))
    for finding in findings:
        if json:
            render.print_json(
                {
                    "name": finding.name,
                    "ok": finding.ok,
                    "required": finding.required,
                    "says": finding.says,
                    "mend": finding.mend,
                }
            )
        else:
            mark = "ok     " if finding.ok else "MISSING" if finding.required else "absent "
            render.print_line(f"{mark}  {finding.name:<13}  {finding.says}")
            if finding.mend:
                render.print_line(f"{'':24}mend: {finding.mend}")
    error = verdict(findings)
    if error is not None:
        raise error
