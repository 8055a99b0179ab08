"""The options that are made from the fields of a setting, and their texts read by its kinds."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Final, TypeVar

import typer

from firmware_protocol.settings import Setting, setting_fields
from firmware_protocol.settings.kinds import (
    ABSENT,
    WEEKDAYS,
    Choice,
    Day,
    Days,
    Kind,
    Names,
    Number,
    Switch,
    TimeOfDay,
    Words,
)
from firmware_protocol.settings.setting import SettingField
from ksos_link.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., None])
_SHORT: Final = 20  # letters: names that fit stand in the place of a value
_LONG: Final = 6  # so many stand in a help; all are in `ksos setting list`
# where an option of every command has the name
_OTHER_NAMES: Final = {"timeout_s": "--ring-s", "quiet": "--quiet-time"}
_METAVARS: Final[Mapping[type[Kind], str]] = {
    Number: "N",
    TimeOfDay: "HH:MM",
    Day: "DAY",
    Days: "DAYS",
    Words: "TEXT",
    Choice: "NAME",
    Names: "NAMES",
}


def takes_fields(kind: type[Setting], **further: Any) -> Callable[[Command], Command]:
    """Give a command the fields of a setting as options, and `further` ones by annotation.

    What the command itself declares before its `**given` comes first.
    """

    def declared(command: Command) -> Command:
        own = inspect.signature(command).parameters.values()
        first = [each for each in own if each.kind is not inspect.Parameter.VAR_KEYWORD]
        options = [
            _parameter(each.name, Annotated[str | None, _option(each)], None)
            for each in setting_fields(kind)
        ]
        rest = [_parameter(name, annotation, False) for name, annotation in further.items()]
        signature = inspect.Signature([*first, *options, *rest])
        command.__signature__ = signature  # type: ignore[attr-defined]  # typer reads it
        return command

    return declared


def checked_values(kind: type[Setting], given: Mapping[str, object]) -> dict[str, object]:
    """The values of those fields that were given, each within its range.

    Raises:
        UsageError: one is not; it names the option and the range.
    """
    return {
        each.name: _checked(each, str(text))
        for each in setting_fields(kind)
        if (text := given.get(each.name)) is not None
    }


def values_to_set(kind: type[Setting], given: Mapping[str, object]) -> dict[str, object]:
    """See `checked_values`; of at least one field.

    Raises:
        UsageError: none was given, or one is out of range.
    """
    values = checked_values(kind, given)
    if not values:
        fields = ", ".join(option_of(each.name) for each in setting_fields(kind))
        raise UsageError("There is nothing to set.", f"Give at least one of {fields}.")
    return values


def option_of(field: str) -> str:
    """The option that sets a field."""
    return _OTHER_NAMES.get(field, f"--{field.replace('_', '-')}")


def meaning_of(each: SettingField) -> str:
    """What a field means and, where its metavar does not tell, takes."""
    meaning = f"{each.meaning[:1].upper()}{each.meaning[1:]}"
    match each.kind:
        case Number(least, most):
            return f"{meaning} ({least:g} to {most:.10g})."
        case Words(most_bytes):
            return f"{meaning} (at most {most_bytes} bytes)."
        case Choice(names) if len("|".join(names)) > _SHORT:
            return f"{meaning}: {_listed(names)}."
        case Names(names):
            return f"{meaning}: {_listed(names)}."
        case Days():
            return f"{meaning}: daily, workdays, weekend, once, or such as monday,friday."
        case _:
            return f"{meaning}."


def takes(kind: Kind) -> str:
    """The values of a kind, as the end of `must be ...`."""
    return f"{kind.describes}, or {ABSENT}" if kind.optional else kind.describes


def words_of(kind: type[Setting], field: str) -> tuple[str, ...]:
    """The names that a field takes, as far as it takes names."""
    return next((_words(each.kind) for each in setting_fields(kind) if each.name == field), ())


def _listed(names: tuple[str, ...]) -> str:
    if len(names) <= _LONG + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_LONG])} and {len(names) - _LONG} others"


def _checked(each: SettingField, text: str) -> object:
    if each.kind.optional and text == ABSENT:
        return None
    try:
        value = each.kind.read(text)
        each.kind.check(value)
    except (ValueError, TypeError, OverflowError):
        option = option_of(each.name)
        raise UsageError(
            f"{option} must be {takes(each.kind)}.", f"What was given: {text[:40]}"
        ) from None
    return value


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def _option(each: SettingField) -> Any:  # typer's OptionInfo, which it does not export
    return typer.Option(
        option_of(each.name),
        metavar=_metavar(each.kind),
        help=meaning_of(each),
        autocompletion=_completion(each.kind),
        show_default=False,
    )


def _metavar(kind: Kind) -> str:
    match kind:
        case Switch():
            text = "on|off"
        case Choice(names) if len("|".join(names)) <= _SHORT:
            text = "|".join(names)
        case _:
            text = _METAVARS.get(type(kind), "VALUE")
    return f"{text}|{ABSENT}" if kind.optional else text


def _completion(kind: Kind) -> Callable[[str], Iterator[str]] | None:
    """What a shell completes: the last of several names, or the one."""
    words = _words(kind)
    if not words:
        return None

    def complete(incomplete: str) -> Iterator[str]:
        several = isinstance(kind, Names | Days)
        done, _, begun = incomplete.rpartition(",") if several else ("", "", incomplete)
        return (f"{done},{word}" if done else word for word in words if word.startswith(begun))

    return complete


def _words(kind: Kind) -> tuple[str, ...]:
    absent = (ABSENT,) if kind.optional else ()
    match kind:
        case Switch():
            return ("on", "off", *absent)
        case Choice() | Names():
            return (*kind.names, *absent)
        case Days():
            return ("daily", "workdays", "weekend", "once", *WEEKDAYS)
        case _:
            return absent
