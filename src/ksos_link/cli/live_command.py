"""`ksos live`."""

import contextlib
import sys
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ksos_link.cli import render
from ksos_link.cli.at_watch import at_watch
from ksos_link.cli.command import JsonLines, epilog, open_app
from ksos_link.cli.invocation import Invocation, invocation
from ksos_link.cli.listen_command import ForSeconds
from ksos_link.cli.told_lines import told_line
from ksos_link.operations.local_time import local_now

if TYPE_CHECKING:
    from ksos_link.operations.live import LiveEvent
    from ksos_link.operations.open_watch import OpenWatch

app = open_app()
_BARS: Final = "▁▂▃▄▅▆▇█"
_MOST_BEATS: Final = 60
_LEAST_SPAN_BPM: Final = 10  # so that a calm heart draws a calm line


@app.command(epilog=epilog("ksos live", "ksos live --json --for-s 60"))
def live(
    ctx: typer.Context,
    interval_s: Annotated[
        float,
        typer.Option(
            "--interval-s", metavar="SECONDS", min=0.5, max=3600, help="How often to ask."
        ),
    ] = 5.0,
    for_s: ForSeconds = None,
    json: JsonLines = False,
) -> None:
    """Show steps, heart rate and battery as they come; nothing is stored.

    The watch pushes none of them: they are asked again and again. The heart rate is the last one
    that the watch measured.
    """
    from ksos_link.operations.live import live as live_values

    call = invocation(ctx)
    call.open_log("live")

    async def job(watch: "OpenWatch") -> None:
        page = Page(render.cell_text(watch.info.product))
        with _screen(page, call, json=json) as show:
            values = live_values(watch, interval_s=interval_s, for_s=for_s)
            async with contextlib.aclosing(values) as events:
                async for event in events:
                    page.take(event)
                    show(event)

    at_watch(call, job)


@dataclass(slots=True)
class Page:
    """What is known at the moment."""

    product: str
    values: dict[str, object] = field(default_factory=dict)
    beats: deque[int] = field(default_factory=lambda: deque(maxlen=_MOST_BEATS))
    last: str = ""

    def take(self, event: "LiveEvent") -> None:
        """Take what came in."""
        facts = event_facts(event)
        if facts["event"] in ("live", "battery"):
            self.values.update(facts)
            bpm = facts.get("bpm")
            if isinstance(bpm, int):
                self.beats.append(bpm)
        elif facts["event"] != "link_lost":
            self.last = told_line(event)  # type: ignore[arg-type]  # the others were taken above
        else:
            self.last = "link lost, trying again"

    def lines(self, columns: int) -> list[str]:
        """The page for a terminal of so many columns."""
        value = self.values.get
        rows = [
            ("steps", value("steps")),
            ("distance", _unit(value("distance_m"), "m")),
            ("energy", _unit(value("energy_kcal"), "kcal")),
            ("active", _unit(value("active_min"), "min")),
            ("heart rate", _unit(value("bpm"), "bpm") or "no reading"),
            ("battery", _unit(value("battery_pct"), "%")),
        ]
        lines = [f"{self.product}  {local_now():%H:%M:%S}", ""]
        lines += [f"{name:<10}  {'' if shown is None else shown}" for name, shown in rows]
        if len(self.beats) > 1:
            lines += ["", sparkline(list(self.beats)[-max(10, columns - 2) :])]
        return [line[: columns - 1] for line in (*lines, "", self.last)]


def sparkline(values: list[int]) -> str:
    """A line of bars, low to high."""
    low, high = min(values), max(values)
    span = max(_LEAST_SPAN_BPM, high - low)
    return "".join(_BARS[(value - low) * (len(_BARS) - 1) // span] for value in values)


def event_facts(event: "LiveEvent") -> dict[str, Any]:
    """An event as JSON has it."""
    from firmware_protocol.events import BatteryRead, LiveRead
    from ksos_link.operations.hooks import event_json
    from ksos_link.operations.listen import LinkGone

    at_utc = render.utc_text(int(local_now().timestamp()))
    match event:
        case LiveRead():
            return {"event": "live", "at_utc": at_utc, **asdict(event)}
        case BatteryRead(battery_pct, voltage_mv, charging):
            return {
                "event": "battery",
                "at_utc": at_utc,
                "battery_pct": battery_pct,
                "voltage_mv": voltage_mv,
                "charging": charging,
            }
        case LinkGone(wait_s):
            return {"event": "link_lost", "at_utc": at_utc, "wait_s": wait_s}
        case _:
            return event_json(event, at_utc)


def _unit(value: object, unit: str) -> str | None:
    return None if value is None else f"{value} {unit}"


@contextlib.contextmanager
def _screen(page: Page, call: Invocation, *, json: bool) -> "Any":  # a function that shows an event
    if json or not sys.stdout.isatty() or call.quiet:
        yield lambda event: _line(event, json=json)
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(highlight=False)
    with Live(console=console, screen=True, auto_refresh=False) as screen:
        yield lambda _: screen.update(Text("\n".join(page.lines(console.width))), refresh=True)
    for line in page.lines(render.terminal_columns()):
        render.print_line(line)


def _line(event: "LiveEvent", *, json: bool) -> None:
    facts = event_facts(event)
    if json:
        render.print_json(facts)
    else:
        words = [
            f"{name} {render.cell_text(value)}"
            for name, value in facts.items()
            if name not in ("event", "at_utc") and value is not None
        ]
        render.print_line(f"{local_now():%H:%M:%S}  {facts['event']:<12}  {', '.join(words)}")
    render.flush()
