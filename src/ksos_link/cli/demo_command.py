"""`ksos demo`."""

import contextlib
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ksos_link.cli import render
from ksos_link.cli.command import OneJson, epilog, open_app
from ksos_link.cli.invocation import Invocation, invocation
from ksos_link.cli.run import run

if TYPE_CHECKING:
    from ksos_link.operations.demo import DemoReport

app = open_app()


@app.command(epilog=epilog("ksos demo"))
def demo(
    ctx: typer.Context,
    json: OneJson = False,
) -> None:
    """Pair, sync, store, show and export on a virtual watch, in a home that is thrown away.

    Needs no adapter, no keyring and no network.
    """
    call = invocation(ctx)
    call.open_log("demo", keeps=False)
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
    _print(report)
    render.note(
        f"\nDone in {report.elapsed_s:.1f} s; all of it is deleted again. With a watch of your "
        "own: ksos doctor",
        quiet=call.quiet,
    )


def _print(report: "DemoReport") -> None:
    from ksos_link.cli import plot

    render.print_line()
    render.print_table(("metric", "samples"), list(report.samples.items()))
    if report.night:
        plot.print_night(report.night)
    if report.day:
        plot.print_day(report.day)


async def _play(call: Invocation, folder: Path, *, json: bool) -> "DemoReport":
    from ksos_link.operations import demo as operation
    from ksos_link.operations.exporting import Exported
    from ksos_link.operations.pair import Paired
    from ksos_link.operations.sync import Planned, Stored

    quiet = call.quiet or json
    report = operation.DemoReport()
    files: Counter[str] = Counter()
    with render.Bar("syncing", quiet=quiet) as bar:
        async with contextlib.aclosing(operation.demo(folder)) as events:
            async for event in events:
                match event:
                    case Paired(device, info):
                        render.note(f"found      {info.product}, a virtual watch", quiet=quiet)
                        render.note(
                            f"bound      as {device.alias}, battery {info.battery_pct} %",
                            quiet=quiet,
                        )
                    case Planned(total_bytes):
                        bar.show(total=total_bytes)
                        render.note(f"syncing    {total_bytes} bytes of records", quiet=quiet)
                    case Stored():
                        bar.show(done=event.received_bytes)
                    case Exported(_, _, path) if path is not None:
                        files[path.suffix.removeprefix(".")] += 1
                    case operation.DemoReport():
                        report = event
                    case _:
                        pass
    _tell_store(report, files, quiet=quiet)
    return report


def _tell_store(report: "DemoReport", files: Counter[str], *, quiet: bool) -> None:
    store = report.store
    render.note(
        f"stored     {store['raw_records']} records, {sum(report.samples.values())} samples, "
        f"encrypted by SQLCipher {store['cipher']}",
        quiet=quiet,
    )
    for form, count in files.items():
        render.note(f"exported   {render.counted(count, 'file')} as {form}", quiet=quiet)
