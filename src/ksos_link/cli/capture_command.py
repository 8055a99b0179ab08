"""`ksos capture`: record the traffic with a watch, play a recording."""

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.invocation import invocation
from ksos_link.cli.run import run
from ksos_link.cli.sync_command import event_json

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Recorded traffic.")


@app.command()
def record(
    ctx: typer.Context,
    out: Annotated[Path, typer.Argument(help="The file to write.")],
    with_private: Annotated[
        bool,
        typer.Option("--with-private", help="Keep address, names and birth date unmasked."),
    ] = False,
) -> None:
    """Read all that a watch has, letting it forget nothing, and write what passed to a file.

    Your readings are in that file: it is what a capture is for. Address, names and birth date
    are masked.
    """
    from ksos_link.operations import capture
    from ksos_link.operations.target import parse_target

    call = invocation(ctx)
    target = call.named_target()
    if target is None:
        with call.open_store() as store:
            target = parse_target(call.chosen_device(store).address)
    recorded = run(capture.record_to(out, target, call.link_options(), with_private=with_private))
    render.print_line(f"{out}\t{recorded.packets} packets\t{recorded.records} records")


@app.command()
def replay(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A capture file.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """Play a capture as a watch into a throw-away store, and show what a sync would keep."""
    from ksos_link.operations import capture
    from ksos_link.operations.sync import SyncReport

    call = invocation(ctx)

    async def job() -> SyncReport | None:
        report = None
        async with contextlib.aclosing(capture.replay(file, call.link_options())) as events:
            async for event in events:
                if json:
                    render.print_json(event_json(event))
                if isinstance(event, SyncReport):
                    report = event
        return report

    report = run(job())
    if report is None or json:
        return
    if report.samples:
        render.print_table(("metric", "samples"), sorted(report.samples.items()))
    else:
        render.print_line(f"{report.records} records, no samples.")
    for remark in report.remarks:
        render.note(f"remark     {remark}", quiet=call.quiet)
