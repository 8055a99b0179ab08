"""`ksos demo`."""

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.invocation import Invocation, invocation
from ksos_link.cli.run import run

if TYPE_CHECKING:
    from ksos_link.operations.demo import DemoReport

app = typer.Typer(rich_markup_mode=None)


@app.command()
def demo(
    ctx: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Pair, sync, store, show and export on a virtual watch, in a home that is thrown away.

    Needs no adapter, no keyring and no network.
    """
    call = invocation(ctx)
    with tempfile.TemporaryDirectory(prefix="ksos-demo-") as folder:
        report = run(_play(call, Path(folder), json=json))
    if json:
        render.print_json(
            {
                "family": report.family,
                "watch": report.watch,
                "samples": report.samples,
                "store": report.store,
                "exports": report.exports,
                "elapsed_s": report.elapsed_s,
            }
        )
        return
    from ksos_link.cli import plot

    render.print_line()
    render.print_table(("metric", "samples"), list(report.samples.items()))
    plot.print_night(report.night)
    plot.print_day(report.day)
    render.note(
        f"Done in {report.elapsed_s:g} s: {report.store['raw_records']} raw records in an "
        f"encrypted store, {len(report.exports)} files exported. All of it is deleted again.",
        quiet=call.quiet,
    )


async def _play(call: Invocation, folder: Path, *, json: bool) -> "DemoReport":
    from ksos_link.operations import demo as operation
    from ksos_link.operations.pair import Paired
    from ksos_link.operations.read_out import Exported
    from ksos_link.operations.sync import Connected, Planned, Stored

    quiet = call.quiet or json
    report = operation.DemoReport()
    with render.Bar("syncing", quiet=quiet) as bar:
        async with contextlib.aclosing(operation.demo(folder)) as events:
            async for event in events:
                match event:
                    case Paired(device, info):
                        render.note(f"found      {info.product}, a virtual watch", quiet=quiet)
                        render.note(f"bound      as {device.alias}", quiet=quiet)
                    case Connected(info):
                        render.note(f"connected  battery {info.battery_pct} %", quiet=quiet)
                    case Planned(total_bytes):
                        bar.show(total=total_bytes)
                        render.note(f"syncing    {total_bytes} bytes of records", quiet=quiet)
                    case Stored():
                        bar.show(done=event.received_bytes)
                    case Exported(metric, rows, path) if path is not None:
                        render.note(f"exported   {path.name}: {rows} rows", quiet=quiet)
                        del metric
                    case operation.DemoReport():
                        report = event
                    case _:
                        pass
    return report
