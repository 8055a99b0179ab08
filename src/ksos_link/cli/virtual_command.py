"""`ksos virtual`: a virtual watch for tests and development."""

from typing import Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.invocation import invocation, local_now
from ksos_link.cli.run import run

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="A virtual watch.")


@app.command(name="run")
def run_watch(
    ctx: typer.Context,
    watch: Annotated[
        str, typer.Argument(help="virtual:ido, with ?scenario=, &seed=, &fault= and more.")
    ] = "virtual:ido",
    listen: Annotated[
        str, typer.Option(help="Where the radio is served: tcp:127.0.0.1:PORT, 0 for a free one.")
    ] = "tcp:127.0.0.1:0",
    interval_ms: Annotated[
        float, typer.Option(min=0, max=4000, help="Connection interval of the radio; 0 is no wait.")
    ] = 30.0,
) -> None:
    """Run a virtual watch until Ctrl-C; others reach it as virtual:tcp:127.0.0.1:PORT."""
    from ksos_link.operations.virtual import serve

    call = invocation(ctx)

    def up(address: str) -> None:
        render.print_line(address)
        render.flush()
        render.note("The virtual watch is up; stop it with Ctrl-C.", quiet=call.quiet)

    run(serve(watch, listen, interval_s=interval_ms / 1000, now=local_now, when_up=up))


@app.command(name="list")
def list_scenarios() -> None:
    """List the scenarios that a virtual watch can play."""
    from ksos_link.operations.virtual import scenario_lines

    for name, title in scenario_lines():
        render.print_line(f"{name}\t{title}")
