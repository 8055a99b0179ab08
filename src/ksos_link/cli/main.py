"""The root of `ksos`: names and one-line helps; each command's module is imported when called."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

from ksos_link.cli.invocation import Invocation

# name: (what it does, so that help needs no import; the module is ksos_link.cli.<name>_command)
COMMANDS: Final = {
    "doctor": "Name what is missing for Bluetooth and the store, and how to mend it.",
    "watch": "Find, pair, list, rename and forget watches.",
    "sync": "Fetch what a watch has stored into the encrypted store.",
    "show": "Show stored samples of one metric.",
    "export": "Write stored samples to files in open formats.",
    "store": "Look after the encrypted store: check, backup, restore, keys.",
    "decode": "Say what every packet of a capture is.",
    "capture": "Record the traffic with a watch, or play a recording.",
    "virtual": "Run a virtual watch for tests and development.",
    "demo": "Show the whole way of the data on a virtual watch.",
}


class LazyGroup(TyperGroup):
    """A group that imports a command only when it is called (a test guards the start-up cost)."""

    def list_commands(self, ctx: Any) -> list[str]:
        """See `TyperGroup.list_commands`."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # typer vendors an untyped click here
        """See `TyperGroup.get_command`."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module = import_module(f"ksos_link.cli.{cmd_name}_command")
        command = get_command(module.app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """See `TyperGroup.format_commands`; from the table above, without imports."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


app = typer.Typer(
    name="ksos",
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,  # rich's help costs as much start-up as all the rest
    pretty_exceptions_enable=False,
    help="The open companion for KS OS watches: bind, sync, keep encrypted, export. "
    "Nothing leaves this machine. The options below may stand anywhere in a command.",
    epilog="Start here: ksos demo; with a watch: ksos doctor, ksos watch scan.",
)


@app.callback()
def root(
    ctx: typer.Context,
    device: Annotated[
        str | None,
        typer.Option(
            envvar="KSOS_DEVICE",
            help="Alias or address of the watch; not needed where only one is known.",
        ),
    ] = None,
    home: Annotated[
        Path | None, typer.Option(envvar="KSOS_HOME", help="Where your data and keys lie.")
    ] = None,
    timeout_s: Annotated[
        float,
        typer.Option(
            "--timeout-s",
            envvar="KSOS_TIMEOUT_S",
            min=0.1,
            max=3600,
            help="How long to look for a watch.",
        ),
    ] = 20.0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print results and errors only.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Say more on stderr; never readings or keys.")
    ] = False,
    version: Annotated[bool, typer.Option("--version", "-V", help="Print the version.")] = False,
) -> None:
    """Take the options that every command shares."""
    if version:
        from ksos_link import __version__

        typer.echo(f"ksos {__version__}")
        raise typer.Exit
    ctx.obj = Invocation.from_options(
        device=device, home=home, timeout_s=timeout_s, quiet=quiet, verbose=verbose
    )
