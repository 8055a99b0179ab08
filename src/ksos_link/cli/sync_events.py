"""What a sync says: as JSON, to a person, and to the log."""

from typing import TYPE_CHECKING, Final

from ksos_link.cli import render
from ksos_link.cli.invocation import Invocation

if TYPE_CHECKING:
    from ksos_link.operations.sync import SyncEvent, SyncReport

DRIFT_WORTH_TELLING_S: Final = 60


def event_json(event: "SyncEvent") -> dict[str, object]:
    """One event of a sync as a JSON object; `event` names its kind."""
    from ksos_link.operations import link_events
    from ksos_link.operations import sync as operation

    match event:
        case link_events.Connected(info):
            return {"event": "connected", "product": info.product, "battery_pct": info.battery_pct}
        case operation.Planned(total_bytes):
            return {"event": "planned", "total_bytes": total_bytes}
        case operation.Stored(kind, key, samples, received_bytes):
            return {
                "event": "stored",
                "kind": kind,
                "key": key,
                "samples": dict(samples),
                "received_bytes": received_bytes,
            }
        case operation.Remarked(text):
            return {"event": "remarked", "text": text}
        case link_events.Reconnecting(attempt, wait_s):
            return {"event": "reconnecting", "attempt": attempt, "wait_s": wait_s}
        case operation.SyncReport():
            return {
                "event": "done",
                "device": event.device,
                "records": event.records,
                "samples": in_order(event.samples),
                "links": event.links,
                "drift_s": event.drift_s,
                "skipped": list(event.skipped),
                "remarks": event.remarks,
            }


def tell(event: "SyncEvent", bar: render.Bar, call: Invocation) -> None:
    """Tell a person, beside the result."""
    from ksos_link.operations import link_events
    from ksos_link.operations import sync as operation

    match event:
        case link_events.Connected(info):
            battery = "" if info.battery_pct is None else f", battery {info.battery_pct} %"
            render.note(f"connected  {info.product}{battery}", quiet=call.quiet)
        case operation.Planned(total_bytes):
            bar.show(total=total_bytes)
        case operation.Stored(received_bytes=received_bytes):
            bar.show(done=received_bytes)
        case operation.Remarked(text):
            render.note(f"remark     {text}", quiet=call.quiet)
        case link_events.Reconnecting(attempt, wait_s):
            render.note(
                f"link lost  trying again in {wait_s:g} s (attempt {attempt + 1})", quiet=call.quiet
            )
        case _:
            pass


def log_event(event: "SyncEvent", call: Invocation) -> None:
    """Note in the log what happened; kinds and counts, no readings and no names."""
    from ksos_link.operations import link_events
    from ksos_link.operations import sync as operation

    match event:
        case link_events.Connected():
            call.log("sync", "connected")
        case operation.Stored(kind, _, samples, _):
            count = render.counted(sum(samples.values()), "new sample")
            call.log("sync", f"stored a record of {kind}, {count}")
        case operation.Remarked(text):
            call.log("sync", f"remark: {text}")
        case link_events.Reconnecting(attempt):
            call.log("sync", f"link lost, attempt {attempt}")
        case operation.SyncReport():
            count = render.counted(event.samples.total(), "new sample")
            records = render.counted(event.records, "record")
            call.log("sync", f"done, {records}, {count}, {render.counted(event.links, 'link')}")
        case _:
            pass


def print_report(report: "SyncReport", call: Invocation) -> None:
    """Print what a sync brought."""
    samples = in_order(report.samples)
    if samples:
        render.print_table(("metric", "new_samples"), list(samples.items()))
    elif report.records:
        render.print_line("Nothing new: everything that the watch offered was here already.")
    else:
        render.print_line("Nothing was stored: the watch offered no record.")
    if report.drift_s is not None and abs(report.drift_s) > DRIFT_WORTH_TELLING_S:
        render.note(
            f"clock      the watch was off by {report.drift_s} s; now it is set", quiet=call.quiet
        )
    if report.skipped:
        call.log("sync", f"this watch does not keep {', '.join(report.skipped)}")


def in_order(samples: "dict[str, int]") -> dict[str, int]:
    """Counts of samples in the order in which metrics are always shown, without empty ones."""
    from firmware_protocol.samples import METRICS

    return {name: samples[name] for name in METRICS if samples.get(name)}
