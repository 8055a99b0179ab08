"""What writing firmware says: as JSON, to a person, and to the log."""

import contextlib
from collections.abc import Iterator
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
from ksos_link.errors import KsosError

if TYPE_CHECKING:
    from ksos_link.operations.firmware_state import FirmwareState
    from ksos_link.operations.firmware_wish import FirmwareEvent, FirmwareReport


@contextlib.contextmanager
def telling_failures(*, json: bool) -> Iterator[None]:
    """A reader of JSON lines hears of a failure as of everything else."""
    try:
        yield
    except KsosError as error:
        if json:
            render.print_json(
                {
                    "event": "failed",
                    "error": str(error),
                    "hint": error.hint,
                    "exit_code": error.exit_code,
                }
            )
        raise


def firmware_json(event: "FirmwareEvent") -> dict[str, object]:
    """One event as a JSON object; `event` names its kind."""
    from ksos_link.operations import firmware_wish

    match event:
        case firmware_wish.Preflighted(lifted):
            return {"event": "preflight", "lifted": [one.name for one in lifted]}
        case firmware_wish.LoaderMet(info):
            return {"event": "loader", "transport": info.family, "facts": dict(info.facts or {})}
        case firmware_wish.Restarting():
            return {"event": "restarting"}
        case firmware_wish.FirmwareReport():
            return {"event": "done", **_report_json(event)}
        case _:
            return upload_json(event)


def _report_json(report: "FirmwareReport") -> dict[str, object]:
    return {
        "written": report.written,
        "confirmed": report.confirmed,
        "version_before": report.version_before,
        "version_after": report.version_after,
        "battery_before_pct": report.battery_before_pct,
        "battery_after_pct": report.battery_after_pct,
        "rssi_dbm": report.rssi_dbm,
        "lifted": list(report.lifted),
        **counts_json(report.counts),
    }


def tell_firmware(event: "FirmwareEvent", bar: render.Bar, call: Invocation) -> None:
    """Tell a person."""
    from ksos_link.operations import firmware_wish

    match event:
        case firmware_wish.Preflighted(lifted):
            for one in lifted:
                render.note(f"lifted     {one.name}: {one.text}", quiet=call.quiet)
        case firmware_wish.LoaderMet(info):
            render.note(f"loader     {info.family}", quiet=call.quiet)
        case firmware_wish.Restarting():
            render.note("restarting the watch starts what it got", quiet=call.quiet)
        case firmware_wish.FirmwareReport():
            pass
        case _:
            tell_upload(event, bar, call)


def log_firmware(event: "FirmwareEvent", call: Invocation) -> None:
    """Note in the log what happened; kinds and counts."""
    from ksos_link.operations import firmware_wish

    match event:
        case firmware_wish.Preflighted(lifted):
            call.log("firmware", f"preflight passed, lifted {len(lifted)}")
        case firmware_wish.LoaderMet(info):
            call.log("firmware", f"loader {info.family}")
        case firmware_wish.Restarting():
            call.log("firmware", "told to start it")
        case firmware_wish.FirmwareReport():
            call.log("firmware", f"done, written {event.written}, confirmed {event.confirmed}")
        case _:
            log_upload(event, call, "firmware")


def print_report(report: "FirmwareReport", call: Invocation, *, json: bool) -> None:
    """Print what came of it; the JSON lines have said so already."""
    if json:
        return
    if not report.written:
        done = "The watch runs it already" if report.confirmed else "Nothing stands against it"
        render.print_line(f"{done}; nothing was written.")
        return
    before, after = report.version_before or "unknown", report.version_after or "unknown"
    render.print_line(f"Firmware written: {before} before, {after} now.")
    render.print_line(f"{counts_text(report.counts)}.")
    if report.confirmed is None:
        same = "; the watch tells the same as before" if before == after else ""
        render.note(
            f"remark     nothing says which version that file is{same}; a release manifest does",
            quiet=call.quiet,
        )


def print_state(state: "FirmwareState", *, json: bool) -> None:
    """Print which firmware a watch has, and how a new one gets in."""
    info, path = state.info, state.path
    facts = {
        "product": info.product,
        "model_code": info.model_code,
        "firmware_version": info.firmware_version,
        "platform": (info.facts or {}).get("platform"),
        "battery_pct": info.battery_pct,
        "transports": list(path.transports),
        "refusal": path.refusal or None,
    }
    images = [
        {
            "slot": image.slot,
            "version": image.version,
            "digest": image.digest,
            "state": list(image.state),
        }
        for image in state.images
    ]
    if json:
        render.print_json({**facts, "images": images})
        return
    render.print_facts(
        {name.replace("_", " "): value for name, value in facts.items() if value is not None}
    )
    for image in images:
        render.print_line()
        render.print_facts({name: value for name, value in image.items() if value})
