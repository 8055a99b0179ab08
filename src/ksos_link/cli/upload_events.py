"""What an upload says, to a dial's place or a loader: as JSON, to a person, and to the log."""

from typing import TYPE_CHECKING

from ksos_link.cli import render
from ksos_link.cli.invocation import Invocation

if TYPE_CHECKING:
    from ksos_link.operations.link_events import Connected
    from ksos_link.operations.uploading import Counts, UploadEvent


def upload_json(event: "UploadEvent | Connected") -> dict[str, object]:
    """One event as a JSON object; `event` names its kind."""
    from firmware_protocol import events
    from ksos_link.operations import link_events

    match event:
        case link_events.Connected(info):
            return {
                "event": "connected",
                "product": info.product,
                "firmware_version": info.firmware_version,
                "battery_pct": info.battery_pct,
            }
        case events.UploadStarted(file, total_bytes, held_bytes):
            return {
                "event": "started",
                "file": file,
                "total_bytes": total_bytes,
                "held_bytes": held_bytes,
            }
        case events.UploadProgress():
            return {
                "event": "progress",
                "file": event.file,
                "acknowledged_bytes": event.acknowledged_bytes,
                "total_bytes": event.total_bytes,
                "sent_bytes": event.sent_bytes,
                "repeated_bytes": event.repeated_bytes,
            }
        case events.UploadVerified(file):
            return {"event": "verified", "file": file}
        case events.UploadActivated(file):
            return {"event": "activated", "file": file}
        case link_events.Reconnecting(attempt, wait_s):
            return {"event": "reconnecting", "attempt": attempt, "wait_s": wait_s}


def counts_json(counts: "Counts") -> dict[str, object]:
    """What the uploads of a command took, for its last JSON object."""
    return {
        "links": counts.links,
        "sent_bytes": counts.sent_bytes,
        "repeated_bytes": counts.repeated_bytes,
        "took_s": round(counts.took_s, 3),
        "rate_bytes_per_s": round(counts.rate_bytes_per_s, 1),
    }


def counts_text(counts: "Counts") -> str:
    """The same in a few words."""
    arrived = render.counted(counts.sent_bytes - counts.repeated_bytes, "byte")
    text = f"{arrived} in {counts.took_s:.1f} s, {counts.rate_bytes_per_s / 1000:.1f} kB/s"
    return f"{text}, {counts.repeated_bytes} sent again" if counts.repeated_bytes else text


def tell_upload(event: "UploadEvent | Connected", bar: render.Bar, call: Invocation) -> None:
    """Tell a person; only what the watch acknowledged moves the bar."""
    from firmware_protocol import events
    from ksos_link.operations import link_events

    match event:
        case link_events.Connected(info):
            parts = [info.product]
            parts += [f"firmware {info.firmware_version}"] if info.firmware_version else []
            parts += [] if info.battery_pct is None else [f"battery {info.battery_pct} %"]
            render.note(f"connected  {', '.join(parts)}", quiet=call.quiet)
        case events.UploadStarted(file, total_bytes, held_bytes):
            held = f", {held_bytes} of them there already" if held_bytes else ""
            render.note(f"sending    {file}, {total_bytes} bytes{held}", quiet=call.quiet)
            bar.show(done=held_bytes, total=total_bytes)
        case events.UploadProgress():
            bar.show(done=event.acknowledged_bytes)
        case events.UploadVerified(file):
            render.note(f"verified   {file}", quiet=call.quiet)
        case events.UploadActivated(file):
            render.note(f"activated  {file}", quiet=call.quiet)
        case link_events.Reconnecting(attempt, wait_s):
            render.note(
                f"link lost  trying again in {wait_s:g} s (attempt {attempt + 1})", quiet=call.quiet
            )


def log_upload(event: "UploadEvent | Connected", call: Invocation, category: str) -> None:
    """Note in the log what happened; kinds and counts."""
    from firmware_protocol import events
    from ksos_link.operations import link_events

    match event:
        case link_events.Connected():
            call.log(category, "connected")
        case events.UploadStarted(_, total_bytes, held_bytes):
            call.log(category, f"offered {total_bytes} bytes, {held_bytes} were there")
        case events.UploadVerified():
            call.log(category, "verified")
        case events.UploadActivated():
            call.log(category, "activated")
        case link_events.Reconnecting(attempt):
            call.log(category, f"link lost, attempt {attempt}")
        case _:
            pass
