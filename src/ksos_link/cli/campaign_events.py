"""What a campaign says: as JSON, to a person, and to the log."""

import os
import sys
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from ksos_link.cli import render
from ksos_link.cli.invocation import Invocation

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from ksos_link.operations.campaign import events as told
    from ksos_link.operations.campaign.events import CampaignEvent

_HOUR_S: Final = 3600
_MINUTE_S: Final = 60


def event_json(event: "CampaignEvent") -> dict[str, object]:
    """One event as a JSON object; `event` names its kind."""
    from ksos_link.operations.campaign import events as told

    names = {
        told.CampaignBegan: "began",
        told.WindowAwaited: "window_awaited",
        told.WatchBusy: "watch_busy",
        told.AttemptBegan: "attempt_began",
        told.AttemptMoved: "progress",
        told.AttemptRemarked: "remarked",
        told.AttemptEnded: "attempt_ended",
        told.CampaignEnded: "done",
    }
    fields = asdict(event)
    measured = fields.pop("measured", {})
    return {"event": names[type(event)], **fields, **measured}


def log_event(event: "CampaignEvent", call: Invocation) -> None:
    """Note in the log what happened; verdicts and counts, no names."""
    from ksos_link.operations.campaign import events as told

    match event:
        case told.CampaignBegan(_, watches, steps):
            many = render.counted(watches, "watch", "watches")
            call.log("campaign", f"{many}, {render.counted(steps, 'step')}")
        case told.AttemptEnded(verdict=verdict, took_s=took_s):
            call.log("campaign", f"an attempt {verdict} after {took_s:.0f} s")
        case told.CampaignEnded(state):
            call.log("campaign", f"it is {state}")
        case _:
            pass


class Board:
    """One line a watch: bars of those at work on a terminal, plain lines in a pipe."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        drawn = not quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._progress: Progress | None = _progress() if drawn else None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def show(self, event: "CampaignEvent") -> None:
        """Show what happened."""
        from ksos_link.operations.campaign import events as told

        self._draw(event)
        match event:
            case told.CampaignBegan():
                self._say("campaign", _began_text(event))
            case told.WindowAwaited(wait_s):
                self._say("waiting", f"its hours begin in {_span(wait_s)}")
            case told.WatchBusy(watch):
                self._say("busy", f"{watch}  another ksos has a job with it; it is tried again")
            case told.AttemptBegan(watch, step, attempt, radio) if self._progress is None:
                nth = f", attempt {attempt}" if attempt > 1 else ""
                self._say("begins", f"{watch}  {step} ({radio}{nth})")
            case told.AttemptRemarked(watch, step, text):
                self._say("remark", f"{watch}  {step}: {text}")
            case told.AttemptEnded():
                self._say(event.verdict, _ended_text(event))
            case _:
                pass

    def _draw(self, event: "CampaignEvent") -> None:
        """Move the bars."""
        from ksos_link.operations.campaign import events as told

        if self._progress is None:
            return
        match event:
            case told.AttemptBegan(watch, step):
                title = render.cell_text(f"{watch}  {step}")
                self._tasks[watch] = self._progress.add_task(title, total=None)
            case told.AttemptMoved(watch, _, done_bytes, total_bytes) if watch in self._tasks:
                self._progress.update(self._tasks[watch], completed=done_bytes, total=total_bytes)
            case told.AttemptEnded(watch) if watch in self._tasks:
                self._progress.remove_task(self._tasks.pop(watch))
            case _:
                pass

    def _say(self, kind: str, text: str) -> None:
        line = f"{kind:<11}{render.cell_text(text)}"
        if self._progress is not None:
            self._progress.console.print(line, markup=False, highlight=False)
        else:
            render.note(line, quiet=self._quiet)


def _progress() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeElapsedColumn(),
        console=Console(file=sys.stderr, highlight=False),
        transient=True,
    )


def _began_text(event: "told.CampaignBegan") -> str:
    watches = render.counted(event.watches, "watch", "watches")
    done = f", {event.ended} done already" if event.ended else ""
    return f"{event.title}: {watches}, {render.counted(event.steps, 'step')}{done}"


def _ended_text(event: "told.AttemptEnded") -> str:
    text = f"{event.watch}  {event.step}, {event.took_s:.1f} s"
    if event.measured.rate_bytes_per_s:
        text += f", {event.measured.rate_bytes_per_s / 1000:.1f} kB/s"
    return f"{text}: {event.message}" if event.message else text


def _span(seconds: float) -> str:
    hours, left_s = divmod(int(seconds + 0.5), _HOUR_S)
    minutes, left_s = divmod(left_s, _MINUTE_S)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {left_s} s"
