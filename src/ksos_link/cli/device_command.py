"""`ksos device`: a watch as a device."""

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ksos_link.cli import render
from ksos_link.cli.at_watch import Experimental, at_watch, watch_and_book
from ksos_link.cli.command import OneJson, epilog, open_app
from ksos_link.cli.invocation import Invocation, can_ask, invocation
from ksos_link.errors import NotFoundError, PolicyError, UsageError

if TYPE_CHECKING:
    from firmware_protocol.events import ErrorLogRead
    from ksos_link.operations.device_care import Act, DeviceInfo
    from ksos_link.operations.open_watch import OpenWatch

app = open_app("The watch as a device: info, log, reboot, shutdown, factory-reset, unbind.")
Yes = Annotated[
    str | None,
    typer.Option(
        "--yes",
        metavar="NAME",
        help="The watch's name, in place of being asked for it.",
        show_default=False,
    ),
]
_DONE: Final = {
    "restart": "The watch restarts.",
    "power_off": "The watch switches itself off.",
    "factory": "The watch erases itself.",
    "unbind": "The watch is unbound; what it had stored is gone.",
}
# what K027 wants told even where a watch does not say it
_ASKED: Final = ("serial_number", "language")


@app.command(epilog=epilog("ksos device info --device wrist", "ksos device info --redact --json"))
def info(
    ctx: typer.Context,
    redact: Annotated[
        bool, typer.Option("--redact", help="Mask the address, for sharing.")
    ] = False,
    json: OneJson = False,
) -> None:
    """Connect to a watch and show all that it says of itself, and what it can do.

    A watch that is not paired is asked too.
    """
    from ksos_link.operations.device_care import describe

    call = invocation(ctx)
    call.open_log("device")

    async def job(watch: "OpenWatch") -> "DeviceInfo":
        return await describe(watch)

    said = at_watch(call, job, bound=False)
    facts = info_facts(said, redact=redact)
    capabilities = sorted(said.info.capabilities)
    if json:
        render.print_json({**facts, "capabilities": capabilities})
        return
    shown = {
        name: "not collected" if value is None and name in _ASKED else value
        for name, value in facts.items()
    }
    known = {name: value for name, value in shown.items() if value is not None}
    render.print_facts(known)
    render.print_facts({"capabilities": capabilities})  # a paragraph needs the room


def info_facts(said: "DeviceInfo", *, redact: bool) -> dict[str, object]:
    """What a watch said, by name; what it did not say is None."""
    info = said.info
    address = "masked" if redact and info.address else info.address
    facts: dict[str, object] = {
        "family": info.family,
        "product": info.product,
        "model_code": info.model_code,
        "firmware_version": info.firmware_version,
        "address": address,
        "serial_number": None,
        "language": None,
        "bound": info.bound,
        "battery_pct": info.battery_pct,
        "charging": info.charging,
        "restarted": info.restarted,
    }
    further: Mapping[str, object] = {**(info.facts or {}), **said.details}
    return {**facts, **{name: value for name, value in further.items() if name not in facts}}


@app.command(epilog=epilog("ksos device log", "ksos device log --clear"))
def log(
    ctx: typer.Context,
    clear: Annotated[bool, typer.Option("--clear", help="Let the watch forget it.")] = False,
    json: OneJson = False,
) -> None:
    """Show what went wrong inside the watch: why it restarted last, and which part fails."""
    from ksos_link.operations.device_care import read_log

    call = invocation(ctx)
    call.open_log("device")

    async def job(watch: "OpenWatch") -> "ErrorLogRead":
        return await read_log(watch, clear=clear)

    found = at_watch(call, job)
    facts = {
        "reset_reason": found.reset_reason,
        "hardware_fault": found.hardware_fault,
        "cleared": clear,
    }
    if json:
        render.print_json(facts)
    else:
        render.print_facts(facts)


@app.command(epilog=epilog("ksos device reboot --yes wrist --experimental"))
def reboot(
    ctx: typer.Context, yes: Yes = None, experimental: Experimental = False, json: OneJson = False
) -> None:
    """Restart the watch. What it has stored stays."""
    _carry_out(ctx, "restart", yes, experimental=experimental, json=json)


@app.command(epilog=epilog("ksos device shutdown --yes wrist --experimental"))
def shutdown(
    ctx: typer.Context, yes: Yes = None, experimental: Experimental = False, json: OneJson = False
) -> None:
    """Switch the watch off. Only its own key or its charger wakes it again."""
    _carry_out(ctx, "power_off", yes, experimental=experimental, json=json)


@app.command(
    name="factory-reset", epilog=epilog("ksos device factory-reset --yes wrist --experimental")
)
def factory_reset(
    ctx: typer.Context, yes: Yes = None, experimental: Experimental = False, json: OneJson = False
) -> None:
    """Erase the watch: bind, settings, and all that it has stored."""
    _carry_out(ctx, "factory", yes, experimental=experimental, json=json)


@app.command(epilog=epilog("ksos device unbind --yes wrist --experimental"))
def unbind(
    ctx: typer.Context, yes: Yes = None, experimental: Experimental = False, json: OneJson = False
) -> None:
    """Give the watch free for another phone. It erases what it has stored by this.

    What was synced before stays in your store.
    """
    _carry_out(ctx, "unbind", yes, experimental=experimental, json=json)


def _carry_out(
    ctx: typer.Context, act: "Act", yes: str | None, *, experimental: bool, json: bool
) -> None:
    from ksos_link.operations.device_care import ERASES, carry_out, check_act

    call = invocation(ctx)
    check_act(act, experimental=experimental)
    name = _name(call)
    if act in ERASES:
        render.note("What the watch has not given yet is lost. To fetch it first: ksos sync")
    _confirm(name, yes)
    call.open_log("device")
    call.log("device", f"{act} was asked for and confirmed")

    async def job(watch: "OpenWatch") -> None:
        await carry_out(watch, act)

    at_watch(call, job)
    if json:
        render.print_json({"done": act})
    else:
        render.print_line(_DONE[act])


def _name(call: Invocation) -> str:
    """What the watch is called: its alias, or the address that was given."""
    from ksos_link.operations.setting_book import StoreBook

    with contextlib.suppress(NotFoundError), watch_and_book(call) as (_, book):
        if isinstance(book, StoreBook):
            return book.device.alias
    return call.device_name or ""


def _confirm(name: str, yes: str | None) -> None:
    """Let the name be typed, so that no other watch is hit by mistake."""
    if yes is None:
        if not can_ask():
            raise UsageError("This cannot be undone.", f"Say --yes {name or 'NAME'}.")
        yes = typer.prompt(f"Type the watch's name ({name}) to go on", err=True)
    if not name or yes.strip().casefold() != name.casefold():
        raise PolicyError("That is not its name; nothing was sent.", f"The watch is {name}.")
