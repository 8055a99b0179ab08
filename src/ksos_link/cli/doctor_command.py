"""`ksos doctor`."""

import typer

from ksos_link.cli import render
from ksos_link.cli.command import JsonLines, epilog, open_app
from ksos_link.cli.invocation import can_ask, invocation
from ksos_link.cli.run import run

app = open_app()


@app.command(epilog=epilog("ksos doctor"))
def doctor(
    ctx: typer.Context,
    json: JsonLines = False,
) -> None:
    """Name what Bluetooth and the store lack, and the command that mends it.

    Nothing is changed. Exits 0 where a watch can be reached, 4 where Bluetooth is not ready.
    """
    from ksos_link.operations.doctor import examine, verdict

    call = invocation(ctx)
    call.open_log("doctor", keeps=False)
    findings = run(examine(call.home, call.env, can_ask=can_ask()))
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
            mark = "ok" if finding.ok else "MISSING" if finding.required else "absent"
            render.print_line(f"{mark:<7}  {finding.name:<13}  {finding.says}")
            if finding.mend:
                render.print_line(f"{'':9}mend: {finding.mend}")
    error = verdict(findings)
    if error is not None:
        raise error
