"""`ksos capture`: record the traffic with a watch, play a recording."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.command import JsonLines, OneJson, epilog, open_app
from ksos_link.cli.invocation import Invocation, invocation
from ksos_link.cli.run import run
from ksos_link.cli.sync_events import event_json, print_report, tell

if TYPE_CHECKING:
    from ksos_link.operations.sync import SyncReport

app = open_app("Recorded traffic: record it, replay it.")


@app.command(epilog=epilog("ksos capture record wrist.txt --device wrist"))
def record(
    ctx: typer.Context,
    out: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
    with_private: Annotated[
        bool,
        typer.Option("--with-private", help="Keep address, names and birth date unmasked."),
    ] = False,
    json: OneJson = False,
) -> None:
    """Read from a watch, letting it forget nothing, and write what passed to a file.

    Your readings are in that file: it is what a capture is for. Address, names and birth date
    are masked. Most watches give the first record of each kind only, until they may forget it.
    """
    from ksos_link.operations import capture

    call = invocation(ctx)
    call.open_log("capture")
    options = call.link_options()
    recorded = run(capture.record_to(out, call.target(), options, with_private=with_private))
    packets = render.counted(recorded.packets, "packet")
    records = render.counted(recorded.records, "record")
    call.log("capture", f"{packets}, {records}")
    if json:
        render.print_json(
            {"path": str(out), "packets": recorded.packets, "records": recorded.records}
        )
        return
    render.print_line(f"{out}: {packets}, {records}.")
    render.note("It holds readings: mind whom you give it to.", quiet=call.quiet)


@app.command(epilog=epilog("ksos capture replay wrist.txt"))
def replay(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A capture file.")],
    json: JsonLines = False,
) -> None:
    """Play a capture as a watch into a throw-away store, and show what a sync would keep."""
    call = invocation(ctx)
    call.open_log("replay", keeps=False)
    report = run(_replayed(call, file, json=json))
    if not json:
        print_report(report, call)


async def _replayed(call: Invocation, file: Path, *, json: bool) -> "SyncReport":
    from ksos_link.operations import capture
    from ksos_link.operations.sync import SyncReport

    report = SyncReport("")
    with render.Bar("syncing", quiet=True) as bar:
        async with contextlib.aclosing(capture.replay(file, call.link_options())) as events:
            async for event in events:
                if json:
                    render.print_json(event_json(event))
                else:
                    tell(event, bar, call)
                if isinstance(event, SyncReport):
                    report = event
    return report
