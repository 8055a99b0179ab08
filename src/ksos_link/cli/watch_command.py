"""`ksos watch`: find, pair, list, rename and forget watches."""

import contextlib
from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.command import JsonLines, OneJson, epilog, open_app
from ksos_link.cli.invocation import Invocation, agree, can_ask, invocation
from ksos_link.cli.run import run
from ksos_link.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from ksos_link.operations.discover import WatchSeen

app = open_app("Your watches: scan, pair, list, rename, forget.")


@app.command(epilog=epilog("ksos watch scan --timeout-s 30"))
def scan(
    ctx: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Show devices of other kinds too.")
    ] = False,
    json: JsonLines = False,
) -> None:
    """Look for watches in range, for --timeout-s seconds. Nothing seen is stored."""
    call = invocation(ctx)
    call.open_log("scan", keeps=False)
    render.note(f"Looking for watches for {call.timeout_s:g} s ...", quiet=call.quiet or json)
    seen = run(_seen(call, everything=everything, json=json))
    if not seen:
        raise NotFoundError(
            "No watch was seen.",
            "Wake it, and disconnect it from its phone: a connected watch stays silent.",
        )
    if not json:
        columns = ("address", "name", "rssi_dbm", "family", "product")
        render.print_table(columns, [tuple(_scan_facts(watch).values()) for watch in seen])


async def _seen(call: Invocation, *, everything: bool, json: bool) -> "list[WatchSeen]":
    from ksos_link.operations.discover import discover

    seen = []
    found = discover(call.link_options(), call.named_target(), everything=everything)
    async with contextlib.aclosing(found) as watches:
        async for watch in watches:
            seen.append(watch)
            if json:
                render.print_json(_scan_facts(watch))
                render.flush()
            else:
                name = render.cell_text(watch.name or "a device without a name")
                render.note(f"seen       {name}, {watch.rssi_dbm} dBm", quiet=call.quiet)
    return seen


def _scan_facts(watch: "WatchSeen") -> dict[str, object]:
    kind = watch.recognised
    return {
        "address": watch.address,
        "name": watch.name,
        "rssi_dbm": watch.rssi_dbm,
        "family": kind.family if kind else None,
        "product": kind.product if kind else None,
    }


@app.command(epilog=epilog("ksos watch pair AA:BB:CC:DD:EE:FF --alias wrist"))
def pair(
    ctx: typer.Context,
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="AA:BB:CC:DD:EE:FF, or virtual:ido.")
    ],
    alias: Annotated[
        str | None,
        typer.Option(
            "--alias",
            metavar="NAME",
            help="The name that you give it. [default: watch, or the name that it has]",
        ),
    ] = None,
    bond: Annotated[
        bool, typer.Option("--bond", help="Also pair and bond on the Bluetooth level.")
    ] = False,
    json: OneJson = False,
) -> None:
    """Bind a watch, set its clock and remember it under a name.

    Unbind it from its phone first. Pairing again renews the bind and keeps the data.
    """
    from ksos_link.operations.pair import pair as pair_watch

    call = invocation(ctx)
    call.open_log("pair", makes_home=True)
    with call.open_store() as store:
        known = {device.address.casefold(): device.alias for device in store.devices()}
        name = alias or known.get(address.casefold(), "watch")
        paired = run(pair_watch(store, address, name, call.link_options(bond=bond)))
    device, info = paired.device, paired.info
    call.log("pair", f"a watch of family {device.family} is paired")
    if json:
        render.print_json(
            {
                "alias": device.alias,
                "address": device.address,
                "family": device.family,
                "product": info.product,
                "firmware_version": info.firmware_version,
                "battery_pct": info.battery_pct,
            }
        )
        return
    battery = "" if info.battery_pct is None else f", battery {info.battery_pct} %"
    render.print_line(f"{device.alias} is paired: {info.product} ({device.family}){battery}.")
    render.note(f"Next: ksos sync --device {device.alias}", quiet=call.quiet)


@app.command(name="list", epilog=epilog("ksos watch list --json"))
def list_watches(ctx: typer.Context, json: JsonLines = False) -> None:
    """List the watches that are paired."""
    call = invocation(ctx)
    with call.store_if_any() as store:
        devices = [] if store is None else store.devices()
    if json:
        for device in devices:
            synced = device.last_sync_utc_s
            render.print_json(
                {
                    "alias": device.alias,
                    "address": device.address,
                    "family": device.family,
                    "product": device.product,
                    "bound_utc": render.utc_text(device.bound_utc_s),
                    "last_sync_utc": None if synced is None else render.utc_text(synced),
                }
            )
        return
    if not devices:
        render.note("No watch is paired yet. Pair one: ksos watch pair ADDRESS", quiet=call.quiet)
        return
    rows = [
        (
            device.alias,
            device.product,
            device.family,
            render.local_text(device.last_sync_utc_s) if device.last_sync_utc_s else "never",
            device.address,
        )
        for device in devices
    ]
    render.print_table(("alias", "product", "family", "last_sync", "address"), rows)


@app.command(epilog=epilog("ksos watch rename right-wrist --device wrist"))
def rename(
    ctx: typer.Context,
    new_name: Annotated[str, typer.Argument(metavar="NAME", help="The new name.")],
) -> None:
    """Give a watch another name."""
    from ksos_link.operations.target import check_alias

    call = invocation(ctx)
    check_alias(new_name)
    call.open_log("rename")
    with call.open_store(create=False) as store:
        device = call.chosen_device(store)
        store.rename_device(device.device_id, new_name)
    render.print_line(f"{device.alias} is now {new_name}.")


@app.command(epilog=epilog("ksos watch forget --device wrist --keep-data"))
def forget(
    ctx: typer.Context,
    keep_data: Annotated[bool, typer.Option("--keep-data", help="Keep what it recorded.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Forget a watch and erase its data from the store. The watch itself is not touched."""
    call = invocation(ctx)
    call.open_log("forget")
    with call.open_store(create=False) as store:
        device = call.chosen_device(store)
        if not yes and not keep_data:
            _confirm(device.alias, sum(store.counts(device.device_id).values()))
        store.forget_device(device.device_id, keep_data=keep_data)
    kept = "its data are kept" if keep_data else "its data are erased"
    render.print_line(f"{device.alias} is forgotten; {kept}.")


def _confirm(alias: str, samples: int) -> None:
    if not can_ask():
        raise UsageError("This erases data.", "Say --yes, or keep the data with --keep-data.")
    agree(f"Erase {alias} and its {render.counted(samples, 'sample')}?")
