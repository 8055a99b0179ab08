"""`ksos virtual`: a virtual watch for tests and development."""

from typing import Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.command import epilog, open_app
from ksos_link.cli.invocation import invocation
from ksos_link.cli.run import run
from ksos_link.operations.local_time import local_now

app = open_app("A virtual watch for tests and development.")


@app.command(
    name="run",
    epilog=epilog(
        "ksos virtual run 'virtual:ido?scenario=runner' --listen tcp:127.0.0.1:9000",
        "ksos watch pair virtual:tcp:127.0.0.1:9000    (in another terminal)",
    ),
)
def run_watch(
    ctx: typer.Context,
    watch: Annotated[
        str,
        typer.Argument(
            metavar="WATCH", help="virtual:ido, with ?scenario=, &seed=, &fault= and more."
        ),
    ] = "virtual:ido",
    listen: Annotated[
        str,
        typer.Option(
            metavar="tcp:HOST:PORT", help="Where the radio is served; port 0 for a free one."
        ),
    ] = "tcp:127.0.0.1:0",
    interval_ms: Annotated[
        float,
        typer.Option(
            "--interval-ms",
            metavar="MS",
            min=0,
            max=4000,
            help="Connection interval of the radio; 0 is no wait.",
        ),
    ] = 30.0,
) -> None:
    """Run a virtual watch until Ctrl-C; others reach it as virtual:tcp:127.0.0.1:PORT."""
    from ksos_link.operations.virtual import serve

    call = invocation(ctx)
    call.open_log("virtual", keeps=False)

    def up(address: str) -> None:
        render.print_line(address)
        render.flush()
        render.note("The virtual watch is up; stop it with Ctrl-C.", quiet=call.quiet)

    run(serve(watch, listen, interval_s=interval_ms / 1000, now=local_now, when_up=up))


@app.command(name="list", epilog=epilog("ksos virtual list"))
def list_scenarios(
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """List the scenarios that a virtual watch can play, for ?scenario=NAME."""
    from ksos_link.operations.virtual import scenario_lines

    lines = scenario_lines()
    if json:
        for name, title in lines:
            render.print_json({"scenario": name, "title": title})
        return
    render.print_table(("scenario", "title"), lines)
