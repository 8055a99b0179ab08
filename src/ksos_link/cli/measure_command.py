"""`ksos measure`: what the watch measures by itself, and one reading now."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from firmware_protocol.settings import (
    HeartRateAlarm,
    HeartRateMeasuring,
    HeartRateZones,
    Setting,
    Spo2Measuring,
    StressMeasuring,
)
from ksos_link.cli import render
from ksos_link.cli.at_watch import Experimental, at_watch
from ksos_link.cli.command import OneJson, epilog, open_app
from ksos_link.cli.invocation import invocation
from ksos_link.cli.setting_verbs import add_set_several, add_show_several
from ksos_link.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from ksos_link.operations.open_watch import OpenWatch

MEASURES: Final[dict[str, type[Setting]]] = {
    "heart-rate": HeartRateMeasuring,
    "zones": HeartRateZones,
    "heart-rate-alarm": HeartRateAlarm,
    "spo2": Spo2Measuring,
    "stress": StressMeasuring,
}
_EXAMPLES: Final = {
    "heart-rate": "--mode interval --interval-s 300",
    "zones": "--maximum-bpm 190 --high-alert on",
    "heart-rate-alarm": "--on on --high on --high-bpm 150",
    "spo2": "--on on --start 22:00 --end 8:00",
    "stress": "--on on --interval-min 30 --days workdays",
}
_NOW: Final = ("heart-rate", "spo2", "stress")

app = open_app("Heart rate, oxygen saturation, stress: show, set, now.")
add_show_several(
    app,
    MEASURES,
    "what the watch measures by itself, and when it warns",
    "ksos measure show",
    "ksos measure show heart-rate",
)
add_set_several(
    app,
    MEASURES,
    "Set what the watch measures by itself, and when it warns.",
    "ksos measure set",
    _EXAMPLES,
)


@app.command(epilog=epilog("ksos measure now", "ksos measure now spo2"))
def now(
    ctx: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            metavar="[heart-rate|spo2|stress]",
            help="What to measure.",
            autocompletion=lambda: list(_NOW),
        ),
    ] = "heart-rate",
    json: OneJson = False,
    experimental: Experimental = False,
) -> None:
    """Show the watch's last heart rate, or let it measure oxygen saturation or stress.

    What it measures then comes with the next `ksos sync`. How IDO watches are asked to measure
    these two is not known yet: they exit 6.
    """
    call = invocation(ctx)
    match what:
        case "heart-rate":
            call.open_log("measure")
            bpm = at_watch(call, _last_bpm)
            if bpm is None:
                raise NotFoundError(
                    "The watch has no heart rate yet.", "Wear it snugly for a minute; try again."
                )
            if json:
                render.print_json({"metric": "heart_rate", "bpm": bpm, "started": False})
                return
            render.print_line(f"{bpm} bpm, the watch's last reading")
        case "spo2" | "stress":
            call.open_log("measure")
            at_watch(call, _starting(what, experimental=experimental))
            if json:
                render.print_json({"metric": what, "bpm": None, "started": True})
                return
            render.print_line(f"The watch measures {what} now; `ksos sync` fetches the reading.")
        case _:
            raise UsageError(f"Nothing measures {what[:40]}.", f"Choose one of: {', '.join(_NOW)}.")


async def _last_bpm(watch: "OpenWatch") -> int | None:
    from firmware_protocol.events import LiveRead
    from firmware_protocol.jobs import ReadLive

    return (await watch.ask(ReadLive(), LiveRead)).bpm


def _starting(
    metric: Literal["spo2", "stress"], *, experimental: bool
) -> "Callable[[OpenWatch], Awaitable[None]]":
    async def job(watch: "OpenWatch") -> None:
        from firmware_protocol.actions import MeasureNow

        await watch.do(MeasureNow(metric), experimental=experimental)

    return job
