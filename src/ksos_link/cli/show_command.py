"""`ksos show`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.command import check_metrics, epilog, metric_names, open_app
from ksos_link.cli.days import Day, FirstDay, LastDay, day_from
from ksos_link.cli.invocation import invocation

if TYPE_CHECKING:
    from firmware_protocol.samples import Metric, Value

app = open_app()


@app.command(epilog=epilog("ksos show heart_rate --day yesterday"))
def show(
    ctx: typer.Context,
    metric: Annotated[
        str,
        typer.Argument(
            metavar="METRIC",
            help="heart_rate, steps, sleep, spo2, stress, workout, battery ...",
            autocompletion=metric_names,
        ),
    ],
    day: Day = None,
    first: FirstDay = None,
    last: LastDay = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines, times in UTC.")] = False,
) -> None:
    """Show stored samples of one metric; without days, the newest local day that has any."""
    from ksos_link.errors import NotFoundError, UsageError
    from ksos_link.operations import read_out

    if day and (first or last):
        raise UsageError("--day excludes --from and --to.", "Choose one of the two ways.")
    start, end = day_from(day or first, "--day" if day else "--from"), day_from(day or last, "--to")
    check_metrics([metric])
    span = read_out.span_of_days(start, end)
    call = invocation(ctx)
    with call.open_store(create=False) as store:
        device = call.chosen_device(store) if call.device_name else None
        if start is None and end is None:
            newest = read_out.newest_day(store, metric, device)
            span = read_out.span_of_days(newest, newest)
        known, chunks = read_out.read(store, metric, device, span)
        if json:
            from ksos_link.export.json_lines import write_json_lines
            from ksos_link.operations.export_source import StoreSource

            count = write_json_lines(StoreSource(store, [known], device, span), known, sys.stdout)
        else:
            rows = [row for chunk in chunks for row in chunk]
            count = len(rows)
    if not count:
        when = "yet" if not (day or first or last) else "in that time"
        raise NotFoundError(
            f"There are no samples of {metric} {when}.", "Fetch what the watch has: ksos sync"
        )
    if not json:
        hint = _print(known, rows)
        render.note(f"{render.counted(count, 'sample')}, local time{hint}", quiet=call.quiet)


def _print(metric: "Metric", rows: "list[tuple[Value, ...]]") -> str:
    """Print the table; return what must be said of its quality."""
    from ksos_link.export.cells import with_names

    columns = {
        name: with_names(name, values)
        for name, values in zip(metric.row_names, zip(*rows, strict=True), strict=True)
    }
    starts = columns["start_utc_s"]
    columns["start_utc_s"] = [render.local_text(int(str(start))) for start in starts]
    doubts = sorted({str(quality) for quality in columns.pop("quality")} - {"proven"})
    if len(set(columns["device"])) == 1:
        del columns["device"]
    shown = {
        "local_time" if name == "start_utc_s" else name: values
        for name, values in columns.items()
        if any(value not in (None, "") for value in values)
    }
    render.print_table(list(shown), list(zip(*shown.values(), strict=True)))
    return f"; some are {' and '.join(doubts)}" if doubts else ""
