"""`ksos music`: the watch as a remote control."""

from typing import Annotated

import typer

from firmware_protocol.settings import MusicControl
from ksos_link.cli.acting import act, print_done
from ksos_link.cli.at_watch import Experimental
from ksos_link.cli.command import OneJson, epilog, open_app
from ksos_link.cli.invocation import invocation
from ksos_link.cli.setting_verbs import add_show, change_setting
from ksos_link.errors import UsageError

app = open_app("Music keys on the watch: on, off, show, now-playing.")
STATES = ("playing", "paused")


@app.command(name="now-playing", epilog=epilog("ksos music now-playing --state playing"))
def now_playing(
    ctx: typer.Context,
    state: Annotated[
        str,
        typer.Option(
            metavar="playing|paused",
            help="Whether it plays.",
            autocompletion=lambda: list(STATES),
        ),
    ] = "playing",
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="The song.")] = "",
    artist: Annotated[str, typer.Option("--artist", metavar="TEXT", help="Who plays it.")] = "",
    json: OneJson = False,
) -> None:
    """Tell the watch what plays. Title and artist are neither stored nor logged."""
    from firmware_protocol.actions import ShowMusic

    if state not in STATES:
        raise UsageError("--state must be playing or paused.")
    call = invocation(ctx)
    call.open_log("music")
    events = act(call, ShowMusic(state == "playing", title, artist))
    print_done(f"The watch knows: {state}.", events, call, json=json)


@app.command(epilog=epilog("ksos music on", "ksos listen --on music_key:play='playerctl play'"))
def on(ctx: typer.Context, json: OneJson = False, experimental: Experimental = False) -> None:
    """Give the watch keys for music; what its wearer presses comes with `ksos listen`."""
    _switch(ctx, on=True, json=json, experimental=experimental)


@app.command(epilog=epilog("ksos music off"))
def off(ctx: typer.Context, json: OneJson = False, experimental: Experimental = False) -> None:
    """Take the keys for music off the watch."""
    _switch(ctx, on=False, json=json, experimental=experimental)


def _switch(ctx: typer.Context, *, on: bool, json: bool, experimental: bool) -> None:
    call = invocation(ctx)
    call.open_log("music")
    change_setting(call, MusicControl, {"on": on}, json=json, experimental=experimental)


add_show(app, MusicControl, "ksos music show")
