"""`ksos sync`."""

import contextlib
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.invocation import Invocation, invocation, local_now
from ksos_link.cli.run import run

if TYPE_CHECKING:
    from ksos_link.operations.sync import SyncChoice, SyncEvent, SyncReport
    from ksos_link.store.database import Store
    from ksos_link.store.devices import Device

app = typer.Typer(rich_markup_mode=None)


@app.command()
def sync(
    ctx: typer.Context,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Leave older days on the watch."),
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option(help="Only this metric; may be given again.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Ask for everything again, not only for what is new.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """Fetch what the watch has stored into the encrypted store.

    Safe to interrupt and to repeat: the watch forgets a record only after it is stored, and
    storing twice changes nothing.
    """
    from ksos_link.operations.sync import SyncChoice

    call = invocation(ctx)
    choice = SyncChoice(frozenset(metric or ()), since.date() if since else None, full)
    with call.open_store() as store:
        device = _device(call, store)
        report = run(_show(call, store, device, choice, json=json))
    if not json:
        _print_report(report, call)


def _device(call: Invocation, store: "Store") -> "Device":
    """The watch to sync; a virtual or replayed one is remembered at its first sync."""
    if call.named_target() is None or call.device_name is None:
        return call.chosen_device(store)
    from ksos_link.operations.pair import adopt

    return adopt(store, call.device_name, local_now())


async def _show(
    call: Invocation, store: "Store", device: "Device", choice: "SyncChoice", *, json: bool
) -> "SyncReport":
    from ksos_link.operations import sync as operation
    from ksos_link.operations.target import parse_target

    target = parse_target(device.address)
    report = operation.SyncReport(device.alias)
    with render.Bar(device.alias, quiet=call.quiet or json) as bar:
        events = operation.sync(store, device, target, choice, call.link_options())
        async with contextlib.aclosing(events):
            async for event in events:
                if json:
                    render.print_json(event_json(event))
                if isinstance(event, operation.SyncReport):
                    report = event
                elif not json:
                    _tell(event, bar, call)
    return report


def event_json(event: "SyncEvent") -> dict[str, object]:
    """One event of a sync as a JSON object; `event` names its kind."""
    from ksos_link.operations import sync as operation

    match event:
        case operation.Connected(info):
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
        case operation.Reconnecting(attempt, wait_s):
            return {"event": "reconnecting", "attempt": attempt, "wait_s": wait_s}
        case operation.SyncReport():
            return {
                "event": "done",
                "device": event.device,
                "records": event.records,
                "samples": dict(event.samples),
                "links": event.links,
                "drift_s": event.drift_s,
                "skipped": list(event.skipped),
                "remarks": event.remarks,
            }


def _tell(event: "SyncEvent", bar: render.Bar, call: Invocation) -> None:
    from ksos_link.operations import sync as operation

    match event:
        case operation.Connected(info):
            battery = "" if info.battery_pct is None else f", battery {info.battery_pct} %"
            render.note(f"connected  {info.product}{battery}", quiet=call.quiet)
        case operation.Planned(total_bytes):
            bar.show(total=total_bytes)
        case operation.Stored(kind, key, samples, received_bytes):
            bar.show(done=received_bytes)
            if call.verbose:
                render.note(f"stored     {kind} {key}: {sum(samples.values())} new samples")
        case operation.Remarked(text):
            render.note(f"remark     {text}", quiet=call.quiet)
        case operation.Reconnecting(attempt, wait_s):
            render.note(
                f"link lost  trying again in {wait_s:g} s (attempt {attempt + 1})", quiet=call.quiet
            )
        case _:
            pass


def _print_report(report: "SyncReport", call: Invocation) -> None:
    if report.samples:
        render.print_table(("metric", "new samples"), sorted(report.samples.items()))
    elif report.records:
        render.print_line("Nothing new: everything that the watch offered was here already.")
    else:
        render.print_line("Nothing was stored: the watch offered no record.")
    if report.drift_s is not None and abs(report.drift_s) > DRIFT_WORTH_TELLING_S:
        render.note(
            f"clock      the watch was off by {report.drift_s} s; now it is set", quiet=call.quiet
        )


DRIFT_WORTH_TELLING_S = 60
