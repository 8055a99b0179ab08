"""The root of `ksos`: names and one-line helps; each command's module is imported when called."""

import os
from contextlib import ExitStack
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

from ksos_link.cli.command import HELP_NAMES, read_values_plainly
from ksos_link.cli.invocation import Invocation
from ksos_link.config import open_home, path_from
from ksos_link.errors import UsageError

# sections of names: what each does, so that help needs no import; the module of a command is
# ksos_link.cli.<name>_command with underscores for dashes
SECTIONS: Final = {
    "Your data": {
        "sync": "Fetch what a watch has stored into the encrypted store.",
        "show": "Show stored samples of one metric.",
        "report": "A day, week, month or year at a glance: terminal, page, JSON.",
        "export": "Write stored samples to files in open formats.",
        "import": "Put what other programs recorded into the store.",
        "share": "Let data out, to whom you said: Strava, MQTT, mail, files.",
        "store": "Look after the encrypted store: check, backup, keys.",
        "privacy": "What is kept and why; what you allow.",
    },
    "Your watch": {
        "doctor": "Name what Bluetooth and the store lack, and what mends it.",
        "watch": "Scan for watches; pair, list, rename and forget them.",
        "clock": "The watch's clock: show how far it is off, set it.",
        "setting": "All settings: list; keep, compare, apply in one file.",
        "device": "What it is and can do; log, reboot, erase, unbind.",
        "firmware": "Firmware files: what is in them, whether they are whole.",
        "release": "Signed manifests of firmware and dials; what to install next.",
        "campaign": "Many watches, many steps, one night, one report.",
        "find": "Make the watch ring; let it find this machine.",
    },
    "You, and what it measures": {
        "wearer": "Height, weight, birth date, sex, stride of who wears it.",
        "goal": "Daily goals: steps, energy, distance, sleep, active time.",
        "measure": "Heart rate, oxygen saturation, stress: when, and one now.",
        "sport": "Sports by name; the watch's list, and those it recognises.",
        "sleep-time": "The hours in which the watch looks for sleep.",
    },
    "What it shows and tells you": {
        "alarm": "The alarms: list, add, edit, remove, switch on and off.",
        "reminder": "Reminders of sitting, walking, drinking, the cycle.",
        "dnd": "When the watch stays quiet.",
        "display": "Brightness, raise to wake, which way up, which wrist.",
        "dial": "Watch faces: list, show, push, remove; and as files.",
        "unit": "Units, first weekday, 12 or 24 hours.",
        "language": "The language that the watch shows.",
        "notice": "Notices and calls; whose the watch shows.",
        "weather": "The weather: from you, a file, or a provider.",
        "music": "Keys for music on the watch, and what plays.",
        "camera": "The watch as a shutter release.",
        "contact": "The watch's phone book, where it has one.",
        "listen": "What the watch tells by itself; run programs on it.",
        "live": "Steps, heart rate and battery as they come.",
    },
    "Lab and development": {
        "decode": "Say what every packet of a capture is.",
        "capture": "Record the traffic with a watch, or replay a recording.",
        "virtual": "Run a virtual watch for tests and development.",
        "demo": "Show the whole way of the data on a virtual watch.",
    },
}
COMMANDS: Final[dict[str, str]] = {
    name: text for commands in SECTIONS.values() for name, text in commands.items()
}


class Root(TyperGroup):
    """A group that imports a command only when it is called (a test guards the start-up cost)."""

    def list_commands(self, ctx: Any) -> list[str]:  # typer does not export its click
        """See `TyperGroup.list_commands`."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """See `TyperGroup.get_command`."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"ksos_link.cli.{cmd_name.replace('-', '_')}_command")
        command = get_command(module.app)
        command.name = cmd_name
        read_values_plainly(command)
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """See `TyperGroup.resolve_command`; with a word on what was perhaps meant.

        Raises:
            UsageError: there is no such command.
        """
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = get_close_matches(name, COMMANDS, n=1)
            near += [noun for noun, text in COMMANDS.items() if name.lower() in text.lower()]
            hint = f"Did you mean: ksos {near[0]} --help" if near else "See: ksos --help"
            raise UsageError(f"There is no command {name}.", hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """See `TyperGroup.format_commands`; from the table above, without imports."""
        width = max(map(len, COMMANDS))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                # padded, so that all sections have the same columns
                formatter.write_dl([(f"{name:<{width}}", text) for name, text in commands.items()])


app = typer.Typer(
    name="ksos",
    cls=Root,
    no_args_is_help=True,
    context_settings=HELP_NAMES,
    rich_markup_mode=None,  # rich's help costs as much start-up as all the rest
    pretty_exceptions_enable=False,
    help="The open companion for KS OS watches: bind, sync, keep encrypted, export. "
    "Nothing leaves this machine unless you say so. Options below may stand anywhere.",
    epilog="\b\nStart here:\n  ksos demo           without a watch\n"
    "  ksos doctor         with one; then: ksos watch scan",
)


@app.callback()
def root(  # noqa: PLR0913, PLR0917 each is an option
    ctx: typer.Context,
    device: Annotated[
        str | None,
        typer.Option(
            envvar="KSOS_DEVICE",
            metavar="WATCH",
            help="Alias or address of the watch; not needed where only one is known.",
        ),
    ] = None,
    home: Annotated[
        Path | None,
        typer.Option(envvar="KSOS_HOME", metavar="FOLDER", help="Where your data and keys lie."),
    ] = None,
    timeout_s: Annotated[
        float,
        typer.Option(
            "--timeout-s",
            envvar="KSOS_TIMEOUT_S",
            metavar="SECONDS",
            min=0.1,
            max=3600,
            help="How long to look for a watch.",
        ),
    ] = 20.0,
    record: Annotated[
        Path | None,
        typer.Option(
            envvar="KSOS_RECORD",
            metavar="FILE",
            help="Also write what passes with the watch to a capture, private parts masked.",
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", envvar="KSOS_QUIET", help="Print results and errors only.")
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", envvar="KSOS_VERBOSE", help="Say more on stderr; never readings or keys."
        ),
    ] = False,
    version: Annotated[bool, typer.Option("--version", "-V", help="Print the version.")] = False,
) -> None:
    """Take the options that every command shares."""
    if version:
        from ksos_link import __version__

        typer.echo(f"ksos {__version__}")
        raise typer.Exit
    at_end = ctx.find_object(ExitStack) or ExitStack()
    ctx.obj = Invocation(
        open_home(os.environ, home), device, timeout_s, quiet, verbose, at_end=at_end
    )
    if record is not None:
        ctx.obj.record_to(path_from(record))
