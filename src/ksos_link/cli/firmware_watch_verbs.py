"""The verbs of `ksos firmware` that talk to a watch: show, write, resume, verify."""

import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.at_watch import alone_with
from ksos_link.cli.command import JsonLines, OneJson, epilog
from ksos_link.cli.firmware_events import (
    firmware_json,
    log_firmware,
    print_report,
    print_state,
    tell_firmware,
    telling_failures,
)
from ksos_link.cli.invocation import Invocation, agree, can_ask, invocation
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
from ksos_link.errors import NotFoundError, PolicyError, UsageError

if TYPE_CHECKING:
    from ksos_link.operations.firmware_source import StoreNotes
    from ksos_link.operations.firmware_wish import FirmwareEvent, FirmwareReport, FirmwareWish
    from ksos_link.operations.route import LinkOptions
    from ksos_link.operations.target import Target
    from ksos_link.store.database import Store
    from ksos_link.store.uploads import BegunUpload

Source = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="A firmware file, or a release manifest (.toml, .json)."),
]
Experimental = Annotated[
    bool, typer.Option("--experimental", help="Use a transport that nobody has shown to work.")
]
LoaderKey = Annotated[
    Path | None,
    typer.Option(
        "--loader-key", metavar="FILE", help="The key of a loader that wants encrypted images."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before writing.")]
_LOADER_KEY_BYTES = (16, 32)


def add_watch_verbs(app: typer.Typer) -> None:
    """Add the verbs to the noun."""
    app.command(epilog=epilog("ksos firmware show --device wrist"))(show)
    app.command(
        epilog=epilog(
            "ksos firmware write watch-1.2.toml --public-key release.pem.pub",
            "ksos firmware write app.zip --unsigned --yes --device F9:24:12:00:00:01",
            "ksos firmware write app.zip --unsigned --dry-run",
        )
    )(write)
    app.command(
        epilog=epilog(
            "ksos firmware resume --device wrist",
            "ksos firmware resume app.zip --unsigned --yes --device F9:24:12:00:00:01",
        )
    )(resume)
    app.command(epilog=epilog("ksos firmware verify release.toml --device wrist"))(verify)


def show(ctx: typer.Context, json: OneJson = False) -> None:
    """Connect to a watch and show its firmware, how a new one would get in, and what it holds."""
    from ksos_link.operations.firmware_state import read_firmware_state

    call = invocation(ctx)
    call.open_log("firmware")
    state = run(read_firmware_state(call.target(), call.link_options()))
    print_state(state, json=json)


def verify(
    ctx: typer.Context, file: Source, public_key: PublicKeys = None, json: OneJson = False
) -> None:
    """Compare what a watch runs with a file or a release; exit 7 where it is something else.

    By the digest of the running image where the watch tells it, else by the version.
    """
    from ksos_link.operations.firmware_source import open_source
    from ksos_link.operations.firmware_state import verify_firmware

    call = invocation(ctx)
    wish = open_source(file, keys_from(public_key))
    call.open_log("firmware")
    state = run(verify_firmware(call.target(), wish, call.link_options()))
    print_state(state, json=json)
    render.flush()
    render.note("The watch runs it.", quiet=call.quiet)


def write(  # noqa: PLR0913, PLR0917 each is an option
    ctx: typer.Context,
    file: Source,
    public_key: PublicKeys = None,
    unsigned: Unsigned = False,
    allow: Allow = None,
    channel: Channel = "formal",
    region: Region = None,
    loader_key: LoaderKey = None,
    experimental: Experimental = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    json: JsonLines = False,
) -> None:
    """Write firmware to a watch, verify it, and see the watch come back with it.

    All objections are told before the first byte (exit 7). A lost link is taken up again where the
    watch allows it. Whatever breaks, the error says how the watch is and what to do next.
    """
    from ksos_link.operations.firmware_source import open_source
    from ksos_link.operations.firmware_write import write_firmware

    call = invocation(ctx)
    wish = _wished(
        open_source(file, keys_from(public_key)),
        (unsigned, experimental, dry_run),
        allow,
        channel,
        region,
        loader_key,
    )
    with call.store_if_any() as store:
        target = _target(call, store)
        _ask_first(wish, yes=yes)
        call.open_log("firmware")
        events = write_firmware(target, wish, _options(call, store, target), _notes(store))
        with alone_with(target, store):
            report = _follow(call, wish, events, json=json)
    print_report(report, call, json=json)


def resume(  # noqa: PLR0913, PLR0917 each is an option
    ctx: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="What was being written; the store may know it."),
    ] = None,
    public_key: PublicKeys = None,
    unsigned: Unsigned = False,
    allow: Allow = None,
    channel: Channel = "formal",
    region: Region = None,
    loader_key: LoaderKey = None,
    experimental: Experimental = False,
    yes: Yes = False,
    json: JsonLines = False,
) -> None:
    """Finish an update that was cut: finds the watch by its loader, and goes on where it is.

    A watch whose application runs gets the update from its beginning, as by write.
    """
    from ksos_link.operations.firmware_source import open_source, reopen
    from ksos_link.operations.firmware_write import resume_firmware
    from ksos_link.operations.target import address_of

    call = invocation(ctx)
    keys = keys_from(public_key)
    with call.store_if_any() as store:
        target = _target(call, store)
        address = address_of(target)
        opened = open_source(file, keys) if file else reopen(_begun(store, address), keys)
        wish = _wished(opened, (unsigned, experimental, False), allow, channel, region, loader_key)
        _ask_first(wish, yes=yes)
        call.open_log("firmware")
        events = resume_firmware(
            target, wish, _options(call, store, target), address, _notes(store)
        )
        with alone_with(target, store):
            report = _follow(call, wish, events, json=json)
    print_report(report, call, json=json)


def _wished(
    opened: "FirmwareWish",
    switches: tuple[bool, bool, bool],
    allow: Sequence[str] | None,
    channel: str,
    region: str | None,
    loader_key: Path | None,
) -> "FirmwareWish":
    """What was opened, with what the options say."""
    unsigned, experimental, dry_run = switches
    return replace(
        opened,
        channel=channel_from(channel),
        region=region_from(region),
        allow=allowed_from(allow),
        unsigned=unsigned,
        experimental=experimental,
        dry_run=dry_run,
        loader_key=_loader_key(loader_key),
    )


def _loader_key(path: Path | None) -> bytes:
    """The key in hex digits; it is read from a file so that it stays out of the shell's history."""
    from ksos_link.operations.firmware_file import read_limited

    if path is None:
        return b""
    text = read_limited(path, 1024).decode("ascii", "replace")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) not in _LOADER_KEY_BYTES:
        raise UsageError(f"{path} holds no key.", "Write 32 bytes into it as hex digits.")
    return key


def _target(call: Invocation, store: "Store | None") -> "Target":
    """The watch that was named, or the only one that is paired."""
    from ksos_link.operations.target import target_of

    named = call.named_target()
    if named is not None:
        return named
    if store is None:
        raise NotFoundError("No watch is paired yet.", "Name one: --device ADDRESS")
    return target_of(call.chosen_device(store).address)


def _options(call: Invocation, store: "Store | None", target: "Target") -> "LinkOptions":
    """A loader at the address of another paired watch is that watch's."""
    from ksos_link.operations.target import address_of

    known = () if store is None else store.devices(forgotten=True)
    others = frozenset(device.address for device in known) - {address_of(target)}
    return replace(call.link_options(), others=others)


def _notes(store: "Store | None") -> "StoreNotes | None":
    from ksos_link.operations.firmware_source import StoreNotes
    from ksos_link.operations.local_time import local_now

    return None if store is None else StoreNotes(store, local_now())


def _begun(store: "Store | None", address: str) -> "BegunUpload":
    """What this watch was about to get."""
    known = () if store is None else store.begun_uploads()
    for begun in known:
        if not address or begun.address.upper() == address.upper():
            return begun
    raise NotFoundError(
        "No update of this watch is known to have been cut.",
        "Name the file: ksos firmware resume FILE",
    )


def _ask_first(wish: "FirmwareWish", *, yes: bool) -> None:
    """Firmware is never written by accident (ido.md 11.4).

    Raises:
        PolicyError: the person says no, or nobody can be asked and `--yes` was not said.
    """
    if yes or wish.dry_run:
        return
    if not can_ask():
        raise PolicyError("Firmware is written only where somebody says so.", "Say --yes.")
    version = f" (firmware {wish.version})" if wish.version else ""
    agree(f"Write {wish.source.name}{version} to the watch?")


def _follow(
    call: Invocation,
    wish: "FirmwareWish",
    events: "AsyncGenerator[FirmwareEvent, None]",
    *,
    json: bool,
) -> "FirmwareReport":
    """Show an update to its end.

    Raises:
        KeyboardInterrupt: Ctrl-C, or nobody reads on; it says what is so with the watch.
    """
    from ksos_link.operations.firmware_wish import FirmwareReport, LoaderMet, Preflighted

    seen: list[FirmwareEvent] = []
    try:
        run(_show(call, events, seen, json=json))
    except (KeyboardInterrupt, BrokenPipeError) as error:
        begun = any(isinstance(event, Preflighted | LoaderMet) for event in seen)
        if wish.dry_run or not begun:
            raise
        raise KeyboardInterrupt(
            "The watch may be half-way, and in its loader if it has one. Finish the update: "
            f"ksos firmware resume {render.cell_text(wish.source)}"
        ) from error
    last = seen[-1] if seen else None
    return last if isinstance(last, FirmwareReport) else FirmwareReport()


async def _show(
    call: Invocation,
    events: "AsyncGenerator[FirmwareEvent, None]",
    seen: "list[FirmwareEvent]",
    *,
    json: bool,
) -> None:
    with telling_failures(json=json), render.Bar("writing", quiet=call.quiet or json) as bar:
        async with contextlib.aclosing(events):
            async for event in events:
                seen.append(event)
                log_firmware(event, call)
                if json:
                    render.print_json(firmware_json(event))
                    render.flush()
                else:
                    tell_firmware(event, bar, call)
