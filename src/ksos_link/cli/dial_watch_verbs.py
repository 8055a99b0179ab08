"""The verbs of `ksos dial` that talk to a watch: list, show, set, push, remove."""

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.at_watch import at_watch, watch_and_book
from ksos_link.cli.command import JsonLines, OneJson, epilog
from ksos_link.cli.dial_events import dial_json, log_dial, print_report, tell_dial
from ksos_link.cli.firmware_events import telling_failures
from ksos_link.cli.invocation import Invocation, invocation
from ksos_link.cli.run import run
from ksos_link.cli.write_options import (
    Allow,
    Channel,
    DryRun,
    PublicKeys,
    Region,
    Unsigned,
    allowed_from,
    channel_from,
    keys_from,
    region_from,
)

if TYPE_CHECKING:
    from firmware_protocol.events import DialsRead
    from ksos_link.operations.dial_wish import DialEvent, DialReport
    from ksos_link.operations.open_watch import OpenWatch

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="As `ksos dial list` has it; .iwf may be left out.")
]


def add_watch_verbs(app: typer.Typer) -> None:
    """Add the verbs to the noun."""
    app.command(name="list", epilog=epilog("ksos dial list --device wrist"))(list_)
    app.command(epilog=epilog("ksos dial show --device wrist"))(show)
    app.command(name="set", epilog=epilog("ksos dial set local_2"))(set_)
    app.command(
        epilog=epilog(
            "ksos dial push witch.iwf.lz --unsigned --device wrist",
            "ksos dial push dial.toml --public-key release.pem.pub --replace --json",
            "ksos dial push witch.iwf --unsigned --dry-run",
        )
    )(push)
    app.command(epilog=epilog("ksos dial remove witch"))(remove)


def list_(ctx: typer.Context, json: OneJson = False) -> None:
    """List the dials of a watch: which is shown, which came with it, what has room."""
    held = _read(invocation(ctx))
    rows = [(name, name == held.shown, name in held.builtin) for name in held.dials]
    if json:
        keys = ("name", "shown", "builtin")
        dials = [dict(zip(keys, row, strict=True)) for row in rows]
        render.print_json({"dials": dials, **_limits(held)})
        return
    render.print_table(
        ("dial", "shown", "origin"),
        [
            (name, "yes" if shown else "", "came with the watch" if builtin else "loaded")
            for name, shown, builtin in rows
        ],
    )
    render.flush()
    places = "" if held.free is None else f"{render.counted(held.free, 'free place')}"
    largest = f"a dial may have {held.largest_bytes} bytes" if held.largest_bytes else ""
    told = ", ".join(part for part in (places, largest) if part)
    if told:
        render.note(told, quiet=invocation(ctx).quiet)


def show(ctx: typer.Context, json: OneJson = False) -> None:
    """Show which dial is on the screen, and what the watch says of its screen and room."""
    held = _read(invocation(ctx))
    facts = {"shown": held.shown, **_limits(held)}
    if json:
        render.print_json(facts)
    else:
        known = {name.replace("_", " "): each for name, each in facts.items() if each is not None}
        render.print_facts(known)


def set_(ctx: typer.Context, name: Name, json: OneJson = False) -> None:
    """Put a dial that the watch has on its screen."""
    from ksos_link.operations.dials import show_dial

    call = invocation(ctx)
    call.open_log("dial")

    async def job(watch: "OpenWatch") -> str:
        return await show_dial(watch, name)

    found = at_watch(call, job)
    if json:
        render.print_json({"shown": found})
    else:
        render.print_line(f"The watch shows {render.cell_text(found)}.")


def remove(ctx: typer.Context, name: Name, json: OneJson = False) -> None:
    """Remove a dial from the watch; those that it came with stay."""
    from ksos_link.operations.dials import remove_dial

    call = invocation(ctx)
    call.open_log("dial")

    async def job(watch: "OpenWatch") -> str:
        return await remove_dial(watch, name)

    found = at_watch(call, job)
    if json:
        render.print_json({"removed": found})
    else:
        render.print_line(f"The watch has {render.cell_text(found)} no more.")


def push(  # noqa: PLR0913, PLR0917 each is an option
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A dial (.iwf, .iwf.lz), or a release manifest (.toml, .json)."
        ),
    ],
    name: Annotated[
        str, typer.Option(metavar="NAME", help="What the watch calls it. [default: the file's]")
    ] = "",
    replace_older: Annotated[
        bool, typer.Option("--replace", help="Remove the dial of the same name first.")
    ] = False,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            "--accept", metavar="NAME", help="Let this fault of the file pass; may be given again."
        ),
    ] = None,
    public_key: PublicKeys = None,
    unsigned: Unsigned = False,
    allow: Allow = None,
    channel: Channel = "formal",
    region: Region = None,
    dry_run: DryRun = False,
    json: JsonLines = False,
) -> None:
    """Push a dial to the watch, see that it has it, and show it.

    All objections are told before the first byte (exit 7). Where the link is lost the file begins
    anew, for this wire cannot resume; whatever breaks, the error says what the watch has now.
    """
    from ksos_link.operations.dial_push import push_dial
    from ksos_link.operations.dial_wish import open_dial_source

    call = invocation(ctx)
    wish = replace(
        open_dial_source(file, keys_from(public_key)),
        name=name,
        channel=channel_from(channel),
        region=region_from(region),
        allow=allowed_from(allow),
        accept=frozenset(accept or ()),
        unsigned=unsigned,
        replace=replace_older,
        dry_run=dry_run,
    )
    with watch_and_book(call) as (target, _):
        call.open_log("dial")
        try:
            report = run(_show(call, push_dial(target, wish, call.link_options()), json=json))
        except (KeyboardInterrupt, BrokenPipeError) as error:
            raise KeyboardInterrupt("What the watch has now: ksos dial list") from error
    if not json:
        print_report(report, call)


async def _show(
    call: Invocation, events: "AsyncGenerator[DialEvent, None]", *, json: bool
) -> "DialReport":
    from ksos_link.operations.dial_wish import DialReport

    report = DialReport("")
    with telling_failures(json=json), render.Bar("pushing", quiet=call.quiet or json) as bar:
        async with contextlib.aclosing(events):
            async for event in events:
                log_dial(event, call)
                if json:
                    render.print_json(dial_json(event))
                    render.flush()
                else:
                    tell_dial(event, bar, call)
                if isinstance(event, DialReport):
                    report = event
    return report


def _read(call: Invocation) -> "DialsRead":
    from ksos_link.operations.dials import read_dials

    call.open_log("dial")
    return at_watch(call, read_dials)


def _limits(held: "DialsRead") -> dict[str, object]:
    return {
        "free": held.free,
        "largest_bytes": held.largest_bytes,
        "width_px": held.width_px,
        "height_px": held.height_px,
        "colour": held.colour,
        "block_bytes": held.block_bytes,
    }
