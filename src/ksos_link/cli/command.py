"""What all commands share: help with examples, and values that are read without pydantic."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, get_args

import typer
from typer.core import TyperGroup

from ksos_link.errors import UsageError

OneJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
JsonLines = Annotated[bool, typer.Option("--json", help="Print JSON lines.")]
GLOBAL_OPTIONS: Final = "Global: --device --home --timeout-s --record --quiet --verbose (ksos -h)."

SWITCH_WORDS: Final = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("", "0", "false", "no", "off"), False),
}


def epilog(*examples: str) -> str:
    r"""The end of a command's help; `\b` keeps typer from joining the lines."""
    lines = "\n".join(f"  {example}" for example in examples)
    noun = "Example" if len(examples) == 1 else "Examples"
    return f"\b\n{noun}:\n{lines}\n\n{GLOBAL_OPTIONS}"


class Noun(TyperGroup):
    """A group of verbs whose list shows each verb's whole first sentence."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # typer's click is not exported
        """See `TyperGroup.format_commands`, which cuts at 45 letters."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, command.get_short_help_str(limit=200))
                    for name, command in self.commands.items()
                ]
            )


HELP_NAMES: Final[dict[str, Any]] = {"help_option_names": ["-h", "--help"]}


def open_app(noun_help: str | None = None) -> typer.Typer:
    """An empty typer application: of one command, or of a noun's verbs."""
    if noun_help is None:
        return typer.Typer(rich_markup_mode=None, add_completion=False)
    return typer.Typer(
        cls=Noun,
        rich_markup_mode=None,  # rich's help costs as much start-up as all the rest
        add_completion=False,  # the root has it
        no_args_is_help=True,
        help=noun_help,
        epilog=GLOBAL_OPTIONS,
    )


class _PlainValue:
    """Reads one parameter's text. See `typer._coercion.RuntimeParam`."""

    def __init__(self, descriptor: Any) -> None:
        self._type: Any = descriptor.annotation
        info = descriptor.parameter_info
        self._least, self._most = info.min, info.max

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value in the parameter's type."""
        if value is None:
            return value
        if isinstance(value, (list, tuple)):
            return [Path(one) for one in value] if Path in get_args(self._type) else value
        if self._type is Path:
            return Path(value)
        if self._type is bool:
            return self._switch(value, param, ctx)
        return self._number(value, param, ctx) if self._type in (int, float) else value

    @staticmethod
    def _switch(value: Any, param: Any, ctx: Any) -> bool:
        """A switch that an environment variable sets."""
        if isinstance(value, bool):
            return value
        if value.lower() not in SWITCH_WORDS:
            raise typer.BadParameter("give 1 or 0.", ctx, param)
        return SWITCH_WORDS[value.lower()]

    def _number(self, value: Any, param: Any, ctx: Any) -> float:
        noun = "a number" if self._type is float else "a whole number"
        message = f"give {noun} from {self._least:.12g} to {self._most:.12g}."
        try:
            number: float = self._type(value)
        except ValueError as error:
            raise typer.BadParameter(message, ctx, param) from error
        if not self._least <= number <= self._most:
            raise typer.BadParameter(message, ctx, param)
        return number


def read_values_plainly(command: Any) -> None:
    """Keep typer from building a pydantic adapter for each parameter of a command and its verbs.

    Importing pydantic and building them takes longer than all else that a command on the store
    does. A typer that no longer looks at the attribute falls back to its own way.
    """
    for param in command.get_params(typer.Context(command, **HELP_NAMES)):  # --help too
        param._runtime_param = _PlainValue(param.type_descriptor)  # noqa: SLF001 there is no public way
        if param.param_type_name == "argument":
            param.display_type_rich = _no_type  # its help says it in words
    for verb in getattr(command, "commands", {}).values():
        read_values_plainly(verb)


def _no_type(ctx: object) -> None:
    """What help shows of an argument's type in Python."""


def metric_names() -> list[str]:
    """What a shell completes where a metric is wanted."""
    from firmware_protocol.samples import METRICS

    return list(METRICS)


MetricOption = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        metavar="METRIC",
        help="Only this metric; may be given again.",
        autocompletion=metric_names,
    ),
]


def check_metrics(names: Iterable[str]) -> None:
    """Refuse a metric that does not exist, before anybody is asked for a passphrase.

    Raises:
        UsageError: there is none of that name.
    """
    known = metric_names()
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Choose from: {', '.join(known)}."
            raise UsageError(f"There is no metric named {name}.", hint)
