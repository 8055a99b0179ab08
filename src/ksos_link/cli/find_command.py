"""`ksos find`: make the watch ring, and let it make this machine ring."""

import typer

from firmware_protocol.settings import FindPhone
from ksos_link.cli.acting import act, print_done
from ksos_link.cli.command import OneJson, epilog, open_app
from ksos_link.cli.invocation import invocation
from ksos_link.cli.setting_verbs import add_set, add_show

app = open_app("Find the watch: watch, stop; and the watch's search for this machine.")
phone = open_app("The watch's search for this machine: show, set. Answer it: ksos listen --ring")
app.add_typer(phone, name="phone")
add_show(phone, FindPhone, "ksos find phone show")
add_set(phone, FindPhone, "ksos find phone set --on on --ring-s 20")


@app.command(epilog=epilog("ksos find watch"))
def watch(ctx: typer.Context, json: OneJson = False) -> None:
    """Make the watch ring and shake, until `ksos find stop` or its wearer's hand."""
    from firmware_protocol.actions import FindWatch

    call = invocation(ctx)
    call.open_log("find")
    print_done("The watch rings.", act(call, FindWatch(on=True)), call, json=json)


@app.command(epilog=epilog("ksos find stop"))
def stop(ctx: typer.Context, json: OneJson = False) -> None:
    """Make the watch silent again."""
    from firmware_protocol.actions import FindWatch

    call = invocation(ctx)
    call.open_log("find")
    print_done("The watch is silent.", act(call, FindWatch(on=False)), call, json=json)
