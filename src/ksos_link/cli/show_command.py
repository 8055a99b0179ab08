"""`ksos show`."""

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.invocation import invocation

if TYPE_CHECKING:
    from firmware_protocol.samples import Metric, Value

app = typer.Typer(rich_markup_mode=None)


@app.command()
def show(
    ctx: typer.Context,
    metric: Annotated[str, typer.Argument(help="heart_rate, steps, sleep, spo2, battery ...")],
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="One local day.")
    ] = None,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First local day.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last local day.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines, times in UTC.")] = False,
) -> None:
    """Show stored samples of one metric; without days, the newest local day that has any."""
    from ksos_link.errors import NotFoundError, UsageError
    from ksos_link.operations import read_out

    if day and (first or last):
        raise UsageError("--day excludes --from and --to.", "Choose one of the two ways.")
    call = invocation(ctx)
    with call.open_store() as store:
        device = call.chosen_device(store) if call.device_name else None
        start, end = (day or first), (day or last)
        days = (start.date() if start else None, end.date() if end else None)
        if not (day or first or last):
            newest = read_out.newest_day(store, metric, device)
            days = (newest, newest)
        known, rows = read_out.read(store, metric, device, read_out.span_of_days(*days))
        if json:
            from ksos_link.export.json_lines import write_json_lines

            write_json_lines(rows, known, sys.stdout)
            return
        table = [row for chunk in rows for row in chunk]
    if not table:
        raise NotFoundError(f"There is no {metric} in that time.", "Fetch data first: ksos sync")
    _print(known, table)
    render.note(f"{len(table)} samples, local time", quiet=call.quiet)


def _print(metric: "Metric", rows: "list[tuple[Value, ...]]") -> None:
    from ksos_link.export.cells import exported_columns, exported_names

    names = [name for name in exported_names(metric) if name != "quality"]
    places = [exported_names(metric).index(name) for name in names]
    columns = exported_columns(metric, rows)
    shown = [columns[place] for place in places]
    start = names.index("start_utc")
    names[start] = "local time"
    at = metric.row_names.index("start_utc_s")
    shown[start] = [render.local_text(int(str(row[at]))) for row in rows]
    several = len({row[metric.row_names.index("device")] for row in rows}) > 1
    keep = [
        place
        for place, name in enumerate(names)
        if (name != "device" or several) and any(cell not in (None, "") for cell in shown[place])
    ]
    render.print_table(
        [names[place] for place in keep], list(zip(*(shown[place] for place in keep), strict=True))
    )
