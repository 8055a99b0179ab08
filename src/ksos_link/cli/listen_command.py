"""`ksos listen`."""

import contextlib
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.at_watch import at_watch
from ksos_link.cli.command import JsonLines, epilog, open_app
from ksos_link.cli.invocation import Invocation, invocation
from ksos_link.operations.local_time import local_now

if TYPE_CHECKING:
    from ksos_link.operations.hooks import HookRunner
    from ksos_link.operations.listen import Heard
    from ksos_link.operations.open_watch import OpenWatch
    from ksos_link.operations.ring import Ringer

app = open_app()
ForSeconds = Annotated[
    float | None,
    typer.Option(
        "--for-s",
        metavar="SECONDS",
        min=0.1,
        max=31_536_000,
        help="Stop after so long; without it, at Ctrl-C.",
        show_default=False,
    ),
]


@app.command(
    epilog=epilog(
        "ksos listen --ring",
        "ksos listen --on music_key:play='playerctl play'",
        "ksos listen --json --for-s 60",
    )
)
def listen(
    ctx: typer.Context,
    on: Annotated[
        list[str] | None,
        typer.Option(
            "--on",
            metavar="EVENT[:VALUE]=COMMAND",
            help="Run a program at an event, which it gets as JSON; may be given again.",
        ),
    ] = None,
    ring: Annotated[
        bool, typer.Option("--ring", help="Ring when the watch looks for this machine.")
    ] = False,
    for_s: ForSeconds = None,
    hook_timeout_s: Annotated[
        float,
        typer.Option(
            "--hook-timeout-s",
            metavar="SECONDS",
            min=0.1,
            max=3600,
            help="How long a program of --on may run.",
        ),
    ] = 10.0,
    keep_clock: Annotated[
        bool, typer.Option("--keep-clock", help="Do not set the clock of a watch that restarted.")
    ] = False,
    json: JsonLines = False,
) -> None:
    """Tell what the watch says by itself: keys, calls, changes, its search for this machine.

    Stays connected, over lost links too. The events: music_key, camera_key, call_key, find_phone,
    sos, key, quick_reply, volume, clock_wanted, weather_wanted, battery_low, update_wanted,
    changed; `any` stands for all.
    """
    from ksos_link.operations.hooks import HookRunner, parse_hook

    call = invocation(ctx)
    hooks = [parse_hook(text) for text in on or ()]  # before anybody connects
    call.open_log("listen")

    async def job(watch: "OpenWatch") -> None:
        ringer = _ringer(call) if ring else None
        async with HookRunner(hooks, _teller(call), timeout_s=hook_timeout_s) as runner:
            try:
                await _hear(call, watch, runner, ringer, for_s, json=json, keep_clock=keep_clock)
            finally:
                if ringer is not None:
                    await ringer.stop()

    at_watch(call, job)


async def _hear(
    call: Invocation,
    watch: "OpenWatch",
    runner: "HookRunner",
    ringer: "Ringer | None",
    for_s: float | None,
    *,
    json: bool,
    keep_clock: bool,
) -> None:
    from firmware_protocol.told import FindPhoneRequested
    from ksos_link.operations.hooks import event_json
    from ksos_link.operations.listen import LinkGone, Listening
    from ksos_link.operations.listen import listen as listen_to

    heard = listen_to(watch, for_s=for_s, sets_clock=not keep_clock)
    async with contextlib.aclosing(heard) as events:
        async for event in events:
            if isinstance(event, Listening | LinkGone):
                _tell_link(event, call)
                continue
            facts = event_json(event, render.utc_text(int(local_now().timestamp())))
            call.log("listen", str(facts["event"]))
            _print(event, facts, json=json)
            runner.run(facts)
            if ringer is not None and isinstance(event, FindPhoneRequested):
                await ringer.heard(event)


def _print(event: "Heard", facts: dict[str, object], *, json: bool) -> None:
    from ksos_link.cli.told_lines import told_line

    if json:
        render.print_json(facts)
    else:
        render.print_line(f"{local_now():%H:%M:%S}  {told_line(event)}")  # type: ignore[arg-type]  # links were told before
    render.flush()


def _tell_link(event: "Heard", call: Invocation) -> None:
    from ksos_link.operations.listen import LinkGone, Listening

    match event:
        case Listening(product):
            render.note(
                f"listening  {render.cell_text(product)}; stop with Ctrl-C", quiet=call.quiet
            )
        case LinkGone(wait_s, why):
            call.log("listen", "link lost")
            said = f"{why} " if why else ""
            render.note(f"link lost  {said}Trying again in {wait_s:g} s.", quiet=call.quiet)
        case _:
            pass


def _teller(call: Invocation) -> "Teller":
    def tell(text: str) -> None:
        call.log("listen", "a hook failed")
        render.note(f"hook       {text}")

    return tell


def _ringer(call: Invocation) -> "Ringer":
    from ksos_link.operations.ring import Ringer

    def bell() -> None:
        sys.stderr.write("\a")
        sys.stderr.flush()

    return Ringer(bell, lambda text: render.note(f"remark     {text}", quiet=call.quiet))


if TYPE_CHECKING:
    from collections.abc import Callable

    Teller = Callable[[str], None]
