"""`ksos notice`: what this machine tells the watch."""

import sys
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ksos_link.cli import render
from ksos_link.cli.acting import act, print_done
from ksos_link.cli.at_watch import Experimental, Strict, at_watch, tell_remarks
from ksos_link.cli.command import OneJson, epilog, open_app
from ksos_link.cli.invocation import invocation
from ksos_link.errors import MalformedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firmware_protocol.events import Event
    from ksos_link.operations.open_watch import OpenWatch

app = open_app("Notices and calls on the watch: send, call, end-call, apps, test, replies.")
MOST_TEXT = 65_536  # characters that are read from a pipe; a watch shows some hundred


def app_names() -> list[str]:
    """What a shell completes where an app is wanted."""
    from firmware_protocol.settings.alerts import NOTICE_APPS

    return list(NOTICE_APPS)


@app.command(
    epilog=epilog(
        "ksos notice send --app whatsapp --title Anna 'Back in ten minutes'",
        "uptime | ksos notice send --title Server -",
    )
)
def send(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The text; - reads it from a pipe.")],
    app_name: Annotated[
        str,
        typer.Option(
            "--app",
            metavar="APP",
            help="Whose icon the watch shows; `ksos notice apps --list` names them.",
            autocompletion=app_names,
        ),
    ] = "other",
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="The sender.")] = "",
    phone: Annotated[str, typer.Option("--phone", metavar="NUMBER", help="Their number.")] = "",
    strict: Strict = False,
    json: OneJson = False,
) -> None:
    """Show a notice on the watch. A text that is too long is cut, and that is told.

    Nothing of it is stored or logged.
    """
    from firmware_protocol.actions import ShowNotice

    call = invocation(ctx)
    words = _text(text)
    if not (words or title or phone):
        raise UsageError("There is nothing to show.", "Give a text, or a title.")
    _check_text({"The text": words, "--title": title, "--phone": phone})
    call.open_log("notice")

    async def job(watch: "OpenWatch") -> "list[Event]":
        from ksos_link.operations.notices import check_app

        check_app(watch, app_name)
        return await watch.do(ShowNotice(app_name, title, words, phone, strict))

    print_done("The watch shows it.", at_watch(call, job), call, json=json)


@app.command(epilog=epilog("ksos notice call --name Anna", "ksos notice end-call"))
def call(
    ctx: typer.Context,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="Who calls.")] = "",
    phone: Annotated[str, typer.Option("--phone", metavar="NUMBER", help="Their number.")] = "",
    strict: Strict = False,
    json: OneJson = False,
) -> None:
    """Show an incoming call. The wearer's answer comes with `ksos listen` (call_key)."""
    from firmware_protocol.actions import RingCall

    if not (name or phone):
        raise UsageError("Who calls?", "Say --name or --phone.")
    _check_text({"--name": name, "--phone": phone})
    run_call = invocation(ctx)
    run_call.open_log("notice")
    events = act(run_call, RingCall(name, phone, strict))
    print_done("The watch rings.", events, run_call, json=json)


@app.command(name="end-call", epilog=epilog("ksos notice end-call --missed"))
def end_call(
    ctx: typer.Context,
    missed: Annotated[
        bool, typer.Option("--missed", help="Leave a note of it on the watch.")
    ] = False,
    json: OneJson = False,
) -> None:
    """End the call that the watch shows."""
    from firmware_protocol.actions import EndCall

    run_call = invocation(ctx)
    run_call.open_log("notice")
    print_done("The call is over.", act(run_call, EndCall(missed)), run_call, json=json)


@app.command(epilog=epilog("ksos notice apps", "ksos notice apps --allow whatsapp --deny sms"))
def apps(
    ctx: typer.Context,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            "--allow",
            metavar="APP",
            help="Let notices of this app through; may be given again.",
            autocompletion=app_names,
        ),
    ] = None,
    deny: Annotated[
        list[str] | None,
        typer.Option(
            "--deny",
            metavar="APP",
            help="Keep notices of this app back; may be given again.",
            autocompletion=app_names,
        ),
    ] = None,
    calls: Annotated[
        str | None,
        typer.Option(metavar="on|off", help="Show calls or not.", show_default=False),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Let every app's notices through again.")
    ] = False,
    all_names: Annotated[bool, typer.Option("--list", help="List the names of all apps.")] = False,
    json: OneJson = False,
) -> None:
    """Show or change whose notices the watch gets; without a choice every app's pass.

    The list is kept in the encrypted store, and on the watch as far as it has switches.
    """
    run_call = invocation(ctx)
    if all_names:
        _print_names(json=json)
        return
    from ksos_link.operations.notices import Wish, change_apps, shown_apps

    wish = Wish(frozenset(allow or ()), frozenset(deny or ()), _switch(calls), every)
    run_call.open_log("notice")

    async def job(watch: "OpenWatch") -> "Any":  # the notices, and what was remarked
        if wish.is_empty:
            return await shown_apps(watch), ()
        return await change_apps(watch, wish)

    notices, remarks = at_watch(run_call, job)
    if json:
        render.print_json({**notices.plain(), "remarks": list(remarks)})
        return
    render.print_facts(
        {
            "calls": notices.calls,
            "call_delay_s": notices.call_delay_s,
            "apps": _apps_text(notices.apps),
        }
    )
    tell_remarks(remarks, run_call)


@app.command(name="test", epilog=epilog("ksos notice test", "ksos notice test --app telegram"))
def send_samples(
    ctx: typer.Context,
    app_name: Annotated[
        str | None,
        typer.Option(
            "--app",
            metavar="APP",
            help="Only this app; without it each that is allowed, or `other`.",
            autocompletion=app_names,
        ),
    ] = None,
    json: OneJson = False,
) -> None:
    """Send a harmless sample, to see what the watch makes of it."""
    from firmware_protocol.actions import ShowNotice

    run_call = invocation(ctx)
    run_call.open_log("notice")

    async def job(watch: "OpenWatch") -> "list[Event]":
        from ksos_link.operations.notices import check_app, shown_apps

        names = [app_name] if app_name else list((await shown_apps(watch)).apps) or ["other"]
        events: list[Event] = []
        for name in names:
            check_app(watch, name)
            events += await watch.do(ShowNotice(name, "ksos", f"A test of {name}"))
        return events

    print_done("The watch shows it.", at_watch(run_call, job), run_call, json=json)


@app.command(epilog=epilog("ksos notice replies 'On my way' 'Later'"))
def replies(
    ctx: typer.Context,
    texts: Annotated[list[str], typer.Argument(metavar="TEXT...", help="The texts, in order.")],
    experimental: Experimental = False,
    json: OneJson = False,
) -> None:
    """Put the texts into the watch with which its wearer may answer a notice.

    No watch of a known family takes them yet: how they travel was never published.
    """
    from firmware_protocol.actions import SetQuickReplies

    run_call = invocation(ctx)
    run_call.open_log("notice")
    events = act(run_call, SetQuickReplies(tuple(texts)), experimental=experimental)
    print_done("The watch has them.", events, run_call, json=json)


def _text(text: str) -> str:
    if text != "-":
        return text
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("- reads the text from a pipe.", "uptime | ksos notice send -")
    try:
        return sys.stdin.read(MOST_TEXT).strip()
    except UnicodeDecodeError as error:
        raise MalformedError("What came from the pipe is no text.") from error


def _check_text(texts: Mapping[str, str]) -> None:
    """Refuse what a watch could not show, before anybody connects.

    Raises:
        UsageError: a control character that is neither a newline nor a tab.
    """
    for where, text in texts.items():
        for letter in text:
            if unicodedata.category(letter) == "Cc" and letter not in "\n\t":
                raise UsageError(
                    f"{where} must not hold the control character U+{ord(letter):04X}.",
                    "Of those a watch takes newlines and tabs only.",
                )


def _switch(text: str | None) -> bool | None:
    if text is None:
        return None
    if text.lower() not in ("on", "off"):
        raise UsageError("--calls must be on or off.")
    return text.lower() == "on"


def _apps_text(chosen: "Sequence[str]") -> "list[str] | str":
    """The chosen apps, or the few that are not among them."""
    if not chosen:
        return "all: none was chosen"
    others = [name for name in app_names() if name not in chosen]
    return list(chosen) if len(others) >= len(chosen) else f"all but {', '.join(others) or 'none'}"


def _print_names(*, json: bool) -> None:
    names = app_names()
    if json:
        render.print_json({"apps": names})
        return
    for name in names:
        render.print_line(name)
