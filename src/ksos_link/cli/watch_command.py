"""`ksos watch`: find, pair, list, rename and forget watches."""

import contextlib
from typing import Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.invocation import can_ask, invocation
from ksos_link.cli.run import run
from ksos_link.errors import NotFoundError, UsageError

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Your watches.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def scan(
    ctx: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Show devices of other kinds too.")
    ] = False,
    json: Json = False,
) -> None:
    """Look for watches in range, for --timeout-s seconds. Nothing seen is stored."""
    from ksos_link.operations.discover import discover

    call = invocation(ctx)

    async def job() -> int:
        rows = []
        seen = discover(call.link_options(), call.named_target(), everything=everything)
        async with contextlib.aclosing(seen) as found:
            async for watch in found:
                kind = watch.recognised
                if json:
                    render.print_json(
                        {
                            "address": watch.address,
                            "name": watch.name,
                            "rssi_dbm": watch.rssi_dbm,
                            "family": kind.family if kind else None,
                            "product": kind.product if kind else None,
                        }
                    )
                rows.append(
                    (
                        watch.address,
                        watch.name or "",
                        watch.rssi_dbm,
                        kind.family if kind else "",
                        kind.product if kind else "",
                    )
                )
        if rows and not json:
            render.print_table(("address", "name", "rssi_dbm", "family", "product"), rows)
        return len(rows)

    render.note(f"Looking for watches for {call.timeout_s:g} s ...", quiet=call.quiet or json)
    if not run(job()):
        raise NotFoundError(
            "No watch was seen.",
            "Wake it, and disconnect it from its phone: a connected watch stays silent.",
        )


@app.command()
def pair(
    ctx: typer.Context,
    address: Annotated[str, typer.Argument(help="AA:BB:CC:DD:EE:FF, or virtual:ido.")],
    alias: Annotated[str, typer.Option("--alias", help="The name that you give it.")] = "watch",
    bond: Annotated[
        bool, typer.Option("--bond", help="Also pair and bond on the Bluetooth level.")
    ] = False,
    json: Json = False,
) -> None:
    """Bind a watch, set its clock and remember it under a name."""
    from ksos_link.operations.pair import pair as pair_watch

    call = invocation(ctx)
    with call.open_store() as store:
        paired = run(pair_watch(store, address, alias, call.link_options(bond=bond)))
    device, info = paired.device, paired.info
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


@app.command(name="list")
def list_watches(ctx: typer.Context, json: Json = False) -> None:
    """List the watches that are paired."""
    with invocation(ctx).open_store() as store:
        devices = store.devices()
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
    if not rows:
        render.note("No watch is paired yet. Pair one: ksos watch pair ADDRESS")
        return
    render.print_table(("alias", "product", "family", "last sync", "address"), rows)


@app.command()
def info(ctx: typer.Context, json: Json = False) -> None:
    """Connect to a watch and show what it says of itself."""
    from ksos_link.operations.meet import meet
    from ksos_link.operations.target import parse_target

    call = invocation(ctx)
    target = call.named_target()
    if target is None:
        with call.open_store() as store:
            target = parse_target(call.chosen_device(store).address)
    said = run(meet(target, call.link_options()))
    facts = {
        "family": said.family,
        "product": said.product,
        "model_code": said.model_code,
        "firmware_version": said.firmware_version,
        "address": said.address,
        "bound": said.bound,
        "battery_pct": said.battery_pct,
        "charging": said.charging,
        "restarted": said.restarted,
        **(said.facts or {}),
    }
    if json:
        render.print_json({**facts, "capabilities": sorted(said.capabilities)})
        return
    render.print_facts({name: value for name, value in facts.items() if value is not None})
    render.print_line("capabilities")
    for name in sorted(said.capabilities):
        render.print_line(f"  {name}")


@app.command()
def rename(
    ctx: typer.Context,
    new_name: Annotated[str, typer.Argument(help="The new name.")],
) -> None:
    """Give a watch another name."""
    from ksos_link.operations.target import check_alias

    call = invocation(ctx)
    check_alias(new_name)
    with call.open_store() as store:
        device = call.chosen_device(store)
        store.rename_device(device.device_id, new_name)
    render.print_line(f"{device.alias} is now {new_name}.")


@app.command()
def forget(
    ctx: typer.Context,
    keep_data: Annotated[bool, typer.Option("--keep-data", help="Keep what it recorded.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Forget a watch and erase its data from the store. The watch itself is not touched."""
    call = invocation(ctx)
    with call.open_store() as store:
        device = call.chosen_device(store)
        if not yes and not keep_data:
            if not can_ask():
                raise UsageError("This erases data.", "Say --yes, or keep it with --keep-data.")
            counts = sum(store.counts(device.device_id).values())
            typer.confirm(f"Erase {device.alias} and its {counts} samples?", abort=True, err=True)
        store.forget_device(device.device_id, keep_data=keep_data)
    kept = "its data are kept" if keep_data else "its data are erased"
    render.print_line(f"{device.alias} is forgotten; {kept}.")
