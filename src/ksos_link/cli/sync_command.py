"""`ksos sync`."""

import contextlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.at_watch import alone_with
from ksos_link.cli.command import MetricOption, epilog, open_app
from ksos_link.cli.days import METAVAR, day_from
from ksos_link.cli.invocation import Invocation, invocation
from ksos_link.cli.run import run
from ksos_link.cli.sync_events import event_json, log_event, print_report, tell
from ksos_link.operations.local_time import local_now

if TYPE_CHECKING:
    from ksos_link.operations.sync import SyncChoice, SyncEvent, SyncReport
    from ksos_link.operations.target import Target
    from ksos_link.store.database import Store
    from ksos_link.store.devices import Device

app = open_app()


@app.command(
    epilog=epilog("ksos sync --device wrist", "ksos sync --metric sleep --since yesterday")
)
def sync(
    ctx: typer.Context,
    since: Annotated[
        str | None,
        typer.Option(metavar=METAVAR, help="Leave days before this one on the watch."),
    ] = None,
    metric: MetricOption = None,
    full: Annotated[
        bool, typer.Option("--full", help="Ask for everything again, not only for what is new.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines, one per event.")] = False,
) -> None:
    """Fetch what the watch has stored into the encrypted store.

    Safe to interrupt and to repeat: the watch forgets a record only after it is stored, and
    storing twice changes nothing.
    """
    from ksos_link.operations.sync import SyncChoice

    call = invocation(ctx)
    choice = SyncChoice(frozenset(metric or ()), day_from(since, "--since"), full)
    named = call.named_target()
    call.open_log("sync", makes_home=named is not None)
    with call.open_store(create=named is not None) as store:
        device, target = _watch(call, store, named)
        with alone_with(target, store):
            report = run(_show(call, _events(store, device, target, choice, call), json=json))
    if not json:
        print_report(report, call)


def _watch(call: Invocation, store: "Store", named: "Target | None") -> "tuple[Device, Target]":
    """The watch to sync and the way to it; a virtual or replayed one is remembered on the spot."""
    from ksos_link.operations.pair import adopt
    from ksos_link.operations.target import target_of

    if named is None or call.device_name is None:
        device = call.chosen_device(store)
        return device, target_of(device.address)
    return adopt(store, call.device_name, local_now()), named


def _events(
    store: "Store", device: "Device", target: "Target", choice: "SyncChoice", call: Invocation
) -> "AsyncGenerator[SyncEvent, None]":
    from ksos_link.operations.capture import sync_capture
    from ksos_link.operations.sync import sync as sync_watch
    from ksos_link.operations.target import ReplayTarget

    if isinstance(target, ReplayTarget):
        return sync_capture(store, device, target, choice, call.link_options())
    return sync_watch(store, device, target, choice, call.link_options())


async def _show(
    call: Invocation, events: "AsyncGenerator[SyncEvent, None]", *, json: bool
) -> "SyncReport":
    from ksos_link.operations.sync import SyncReport

    report = SyncReport("")
    with render.Bar("syncing", quiet=call.quiet or json) as bar:
        async with contextlib.aclosing(events):
            async for event in events:
                log_event(event, call)
                if json:
                    render.print_json(event_json(event))
                    render.flush()
                else:
                    tell(event, bar, call)
                if isinstance(event, SyncReport):
                    report = event
    return report
