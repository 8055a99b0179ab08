"""What commands share that make a watch do something: one action, and what it said of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ksos_link.cli import render
from ksos_link.cli.at_watch import at_watch, tell_remarks
from ksos_link.cli.invocation import Invocation

if TYPE_CHECKING:
    from firmware_protocol.actions import Action
    from firmware_protocol.events import Event
    from ksos_link.operations.open_watch import OpenWatch


def act(call: Invocation, action: "Action", *, experimental: bool = False) -> "list[Event]":
    """Do one action at the watch of this run.

    Raises:
        RefusedError, PolicyError, UsageError, BluetoothError: see `OpenWatch.do`.
    """

    async def job(watch: "OpenWatch") -> "list[Event]":
        return await watch.do(action, experimental=experimental)

    return at_watch(call, job)


def print_done(done: str, events: "Sequence[Event]", call: Invocation, *, json: bool) -> None:
    """Say that it was done, what was cut, and what else there is to know."""
    from firmware_protocol.events import Remarked, TextCut

    cut = [event for event in events if isinstance(event, TextCut)]
    remarks = [event.text for event in events if isinstance(event, Remarked)]
    if json:
        render.print_json(
            {"done": done, "cut": [cut_object(each) for each in cut], "remarks": remarks}
        )
        return
    render.print_line(done)
    for each in cut:
        kept = len(each.kept.encode())
        sent = f"{render.counted(kept, 'byte')} of it {'was' if kept == 1 else 'were'} sent"
        text = sent if kept else "this watch has no place for it"
        render.note(f"cut        {each.field}: {text}", quiet=call.quiet)
    tell_remarks(remarks, call)


def cut_object(cut: Any) -> dict[str, object]:  # a TextCut, imported only where one is needed
    """A cut text as JSON has it; the text itself stays with whoever sent it."""
    return {
        "field": cut.field,
        "sent_bytes": len(cut.kept.encode()),
        "limit_bytes": cut.limit_bytes,
    }
