"""`ksos clock`: the watch's clock."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.at_watch import at_watch
from ksos_link.cli.command import OneJson, epilog, open_app
from ksos_link.cli.invocation import invocation
from ksos_link.errors import UsageError

if TYPE_CHECKING:
    from ksos_link.operations.open_watch import OpenWatch
    from ksos_link.operations.watch_time import ClockShown

app = open_app("The watch's clock: show, set.")


@app.command(epilog=epilog("ksos clock show"))
def show(ctx: typer.Context, json: OneJson = False) -> None:
    """Show the watch's clock, this machine's, and how far they are apart."""
    call = invocation(ctx)
    call.open_log("clock")

    async def job(watch: "OpenWatch") -> "ClockShown":
        from ksos_link.operations.watch_time import show_clock

        return await show_clock(watch)

    _print(at_watch(call, job), json=json)


@app.command(name="set", epilog=epilog("ksos clock set", "ksos clock set --hours 12"))
def set_clock(
    ctx: typer.Context,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="TIME",
            help="What it shall show: 2026-01-31T07:30. [default: this machine's local time]",
        ),
    ] = None,
    hours: Annotated[
        str | None,
        typer.Option(
            "--hours",
            metavar="12|24",
            help="Also how it writes the time.",
            autocompletion=lambda: ["12", "24"],
        ),
    ] = None,
    json: OneJson = False,
) -> None:
    """Set the watch's clock to this machine's local time. Each sync does it too."""
    wall = None if to is None else _wall_from(to)
    if hours not in (None, "12", "24"):
        raise UsageError("--hours must be 12 or 24.")
    call = invocation(ctx)
    call.open_log("clock")

    async def job(watch: "OpenWatch") -> "ClockShown":
        from ksos_link.operations import watch_time

        if hours is not None:
            await watch_time.set_hours(watch, f"{hours}_h")
        return await watch_time.set_clock(watch, wall)

    _print(at_watch(call, job), json=json)


def _wall_from(text: str) -> datetime:
    """Read a time as the watch shall show it.

    Raises:
        UsageError: it is none, or names a zone, which a watch does not know.
    """
    example = "Write it as 2026-01-31T07:30, without a zone."
    try:
        wall = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--to {text[:40]} is no time.", example) from error
    if wall.tzinfo is not None:
        raise UsageError("A watch has no zone.", example)
    if not 2000 <= wall.year <= 2099:
        raise UsageError("--to must be a time from 2000 to 2099.", example)
    return wall.replace(microsecond=0)


def _print(shown: "ClockShown", *, json: bool) -> None:
    host = shown.host.replace(microsecond=0)
    hours = None if shown.hours is None else int(shown.hours.removesuffix("_h"))
    if json:
        render.print_json(
            {
                "watch_local": shown.wall.isoformat(),
                "host_local": host.isoformat(),
                "drift_s": shown.drift_s,
                "zone": shown.zone,
                "hours": hours,
            }
        )
        return
    ahead = "ahead" if shown.drift_s > 0 else "behind"
    apart = f"{abs(shown.drift_s)} s {ahead}" if shown.drift_s else "0 s"
    render.print_facts(
        {
            "watch": str(shown.wall),
            "this machine": str(host.replace(tzinfo=None)),
            "drift": apart,
            "zone": shown.zone or f"{host:UTC%z}",
            "hours": hours or "not known",
        }
    )
