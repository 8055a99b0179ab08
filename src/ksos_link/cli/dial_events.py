"""What pushing a dial says: as JSON, to a person, and to the log."""

from typing import TYPE_CHECKING

from ksos_link.cli import render
from ksos_link.cli.invocation import Invocation
from ksos_link.cli.upload_events import (
    counts_json,
    counts_text,
    log_upload,
    tell_upload,
    upload_json,
)
from ksos_link.cli.wrapped_table import print_wrapped_table

if TYPE_CHECKING:
    from ksos_link.operations.dial_wish import DialEvent, DialReport


def dial_json(event: "DialEvent") -> dict[str, object]:
    """One event as a JSON object; `event` names its kind."""
    from firmware_protocol.events import DialShown
    from ksos_link.operations import dial_wish

    match event:
        case dial_wish.DialJudged(standing, lifted):
            return {
                "event": "preflight",
                "objections": [{"name": one.name, "text": one.text} for one in standing],
                "lifted": [one.name for one in lifted],
            }
        case dial_wish.DialReplaced(name):
            return {"event": "replaced", "name": name}
        case DialShown(name):
            return {"event": "shown", "name": name}
        case dial_wish.DialReport():
            return {
                "event": "done",
                "name": event.name,
                "pushed": event.pushed,
                "replaced": event.replaced,
                "size_bytes": event.size_bytes,
                "battery_pct": event.battery_pct,
                "rssi_dbm": event.rssi_dbm,
                "lifted": list(event.lifted),
                **counts_json(event.counts),
            }
        case _:
            return upload_json(event)


def tell_dial(event: "DialEvent", bar: render.Bar, call: Invocation) -> None:
    """Tell a person; objections that stand are the result."""
    from firmware_protocol.events import DialShown
    from ksos_link.operations import dial_wish

    match event:
        case dial_wish.DialJudged(standing, lifted):
            for one in lifted:
                render.note(f"lifted     {one.name}: {one.text}", quiet=call.quiet)
            if standing:
                rows = [(one.name, one.text) for one in standing]
                print_wrapped_table(("objection", "what it is"), rows)
                render.flush()
        case dial_wish.DialReplaced(name):
            render.note(f"removed    the older {name}", quiet=call.quiet)
        case DialShown(name):
            render.note(f"shown      {name}", quiet=call.quiet)
        case dial_wish.DialReport():
            pass
        case _:
            tell_upload(event, bar, call)


def log_dial(event: "DialEvent", call: Invocation) -> None:
    """Note in the log what happened; kinds and counts, no names."""
    from firmware_protocol.events import DialShown
    from ksos_link.operations import dial_wish

    match event:
        case dial_wish.DialJudged(standing, lifted):
            call.log("dial", f"preflight, {len(standing)} stand, {len(lifted)} lifted")
        case dial_wish.DialReplaced():
            call.log("dial", "removed the older one")
        case DialShown():
            call.log("dial", "shown")
        case dial_wish.DialReport():
            call.log("dial", f"done, pushed {event.pushed}")
        case _:
            log_upload(event, call, "dial")


def print_report(report: "DialReport", call: Invocation) -> None:
    """Say what came of it."""
    if not report.pushed:
        render.print_line("Nothing speaks against it. Nothing was written.")
        return
    render.print_line(f"The watch shows {render.cell_text(report.name)}.")
    render.flush()
    render.note(f"pushed     {counts_text(report.counts)}", quiet=call.quiet)
