"""`ksos camera`: the watch as a shutter release."""

import typer

from ksos_link.cli import render
from ksos_link.cli.acting import act, print_done
from ksos_link.cli.at_watch import Experimental
from ksos_link.cli.command import OneJson, epilog, open_app
from ksos_link.cli.invocation import invocation

app = open_app("The watch as a shutter release: on, off.")


@app.command(epilog=epilog("ksos camera on", "ksos listen --on camera_key:photo=./shoot.sh"))
def on(ctx: typer.Context, experimental: Experimental = False, json: OneJson = False) -> None:
    """Show a shutter key on the watch."""
    from firmware_protocol.actions import UseCamera

    call = invocation(ctx)
    call.open_log("camera")
    events = act(call, UseCamera(on=True), experimental=experimental)
    print_done("The watch has a shutter key.", events, call, json=json)
    render.note("Its presses: ksos listen --on camera_key:photo=COMMAND", quiet=call.quiet or json)


@app.command(epilog=epilog("ksos camera off"))
def off(ctx: typer.Context, experimental: Experimental = False, json: OneJson = False) -> None:
    """Take the shutter key off the watch."""
    from firmware_protocol.actions import UseCamera

    call = invocation(ctx)
    call.open_log("camera")
    events = act(call, UseCamera(on=False), experimental=experimental)
    print_done("The shutter key is gone.", events, call, json=json)
