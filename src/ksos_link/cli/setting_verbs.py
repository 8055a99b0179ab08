"""Verbs that are made from a setting: its fields become options, its ranges their help.

    app = open_app("Daily goals: show, set.")
    add_show(app, Goal, "ksos goal show")
    add_set(app, Goal, "ksos goal set --steps 8000")

Values arrive as text and are read by the field's kind before anybody connects.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer

from firmware_protocol.settings import (
    Brightness,
    Cycle,
    Dnd,
    DrinkReminder,
    Goal,
    HeartRateAlarm,
    HeartRateZones,
    RaiseToWake,
    Setting,
    SittingReminder,
    SportDetection,
    Units,
    WalkReminder,
    setting_fields,
)
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
from ksos_link.cli.at_watch import Experimental, JsonLines, OneJson, Strict, at_watch
from ksos_link.cli.command import epilog
from ksos_link.cli.invocation import Invocation, invocation
from ksos_link.cli.setting_pages import (
    Further,
    nothing_further,
    print_change,
    print_many_shown,
    print_shown,
)
from ksos_link.errors import UsageError

if TYPE_CHECKING:
    from ksos_link.operations.open_watch import OpenWatch
    from ksos_link.operations.setting_noun import Change, Shown

SettingType = TypeVar("SettingType", bound=Setting)
Command = TypeVar("Command", bound=Callable[..., None])
Before = Callable[[Invocation], None]  # what must hold before a command connects, such as consent
_SHORT: Final = 20  # letters: names that fit stand in the place of a value
_LONG: Final = 6  # so many stand in a help; all are in `ksos setting list`
# where an option of every command has the name
_OTHER_NAMES: Final = {"timeout_s": "--ring-s", "quiet": "--quiet-time"}
_OBJECTS: Final[Mapping[type[Setting], str]] = {  # what stands behind "Show" and "Set"
    Brightness: "how bright the screen is, by day and by night, and how long it stays on",
    Cycle: "the menstrual cycle and its reminders",
    Dnd: "when the watch stays quiet: at night, at noon, all day",
    DrinkReminder: "the reminder to drink",
    Goal: "the daily goals: steps, energy, distance, sleep, active time",
    HeartRateAlarm: "the warnings of a high or low heart rate",
    HeartRateZones: "the zones of effort, and the warnings beyond the limits",
    RaiseToWake: "whether raising the wrist lights the screen",
    SittingReminder: "the reminder to stand up",
    SportDetection: "which sports the watch recognises by itself",
    Units: "how the watch writes numbers, dates and times",
    WalkReminder: "the reminder to walk",
}
_METAVARS: Final[Mapping[type[Kind], str]] = {
    Number: "N",
    TimeOfDay: "HH:MM",
    Day: "DAY",
    Days: "DAYS",
    Words: "TEXT",
    Choice: "NAME",
    Names: "NAMES",
}


def add_show(
    app: typer.Typer,
    kind: type[Setting],
    *examples: str,
    name: str = "show",
    before: Before | None = None,
) -> None:
    """Add a verb that shows one setting."""

    def show(ctx: typer.Context, json: OneJson = False, experimental: Experimental = False) -> None:
        call = _begin(ctx, kind, before)
        print_shown(at_watch(call, _reading(kind, experimental=experimental)), call, json=json)

    show.__doc__ = (
        f"Show {_object(kind)}.\n\n"
        "Says where it comes from: asked of the watch, or as it was sent, or as it usually is."
    )
    app.command(name=name, epilog=epilog(*examples))(show)


def add_set(
    app: typer.Typer,
    kind: type[Setting],
    *examples: str,
    name: str = "set",
    before: Before | None = None,
) -> None:
    """Add a verb that changes one setting: an option for each field, at least one of them given."""

    def change(ctx: typer.Context, **given: Any) -> None:  # texts of fields, and three switches
        json, experimental, strict = (
            given.pop(each) for each in ("json", "experimental", "strict")
        )
        values = checked_values(kind, given)
        if not values:
            fields = ", ".join(option_of(each.name) for each in setting_fields(kind))
            raise UsageError("There is nothing to set.", f"Give at least one of {fields}.")
        call = _begin(ctx, kind, before)
        was, done = at_watch(call, changing(kind, values, experimental=experimental))
        print_change(done, call, was=was, given=values, json=json, strict=strict)

    change.__doc__ = f"Set {_object(kind)}.\n\nWhat is not named stays as it is."
    takes_fields(kind, json=OneJson, experimental=Experimental, strict=Strict)(change)
    app.command(name=name, epilog=epilog(*examples))(change)


def add_show_several(
    app: typer.Typer,
    kinds: Mapping[str, type[Setting]],
    what: str,
    *examples: str,
    further: Further = nothing_further,
) -> None:
    """Add a verb that shows the settings of a noun, or the one that is named."""
    names = ", ".join(kinds)

    def show(
        ctx: typer.Context,
        name: Annotated[
            str | None,
            typer.Argument(
                metavar="[NAME]",
                help=f"Only this one: {names}.",
                autocompletion=lambda: list(kinds),
                show_default=False,
            ),
        ] = None,
        json: JsonLines = False,
        experimental: Experimental = False,
    ) -> None:
        wanted = list(kinds.values()) if name is None else [one_of(kinds, name)]
        call = _begin(ctx, wanted[0], None)
        if name is not None:
            job = _reading(wanted[0], experimental=experimental)
            print_shown(at_watch(call, job), call, json=json, further=further)
            return
        shown, missing = at_watch(call, reading_several(wanted, experimental=experimental))
        print_many_shown(shown, missing, call, json=json, further=further)

    show.__doc__ = f"Show {what}.\n\nWithout a name all of them, as far as the watch has them."
    app.command(epilog=epilog(*examples))(show)


def one_of(kinds: Mapping[str, type[Setting]], name: str) -> type[Setting]:
    """The setting that a noun calls so.

    Raises:
        UsageError: there is none; the message names those that there are.
    """
    if name not in kinds:
        raise UsageError(f"There is no {name} here.", f"Choose one of: {', '.join(kinds)}.")
    return kinds[name]


def reading_several(
    kinds: Sequence[type[Setting]], *, experimental: bool = False
) -> "Callable[[OpenWatch], Awaitable[tuple[list[Shown[Any]], list[str]]]]":
    """The job that reads those of some settings that the watch has; and why not the others.

    What the watch does not list is asked of it only with `experimental`.
    """

    async def job(watch: "OpenWatch") -> "tuple[list[Shown[Any]], list[str]]":
        here = watch.family.settings if experimental else watch.supported
        shown = [
            await watch.read(kind, experimental=experimental) for kind in kinds if kind in here
        ]
        return shown, [_absent(watch, kind) for kind in kinds if kind not in here]

    return job


def _absent(watch: "OpenWatch", kind: type[Setting]) -> str:
    """Why a watch has no such setting."""
    support = watch.family.settings.get(kind)
    if support is None:
        return f"{kind.NAME}: watches of family {watch.family.name} have no such setting"
    return f"{kind.NAME}: this watch does not list {' or '.join(support.needs)}"


def takes_fields(
    kind: type[Setting], *, without: Sequence[str] = (), **further: Any
) -> Callable[[Command], Command]:
    """Give a command the fields of a setting as options, and `further` ones by annotation.

    What the command itself declares before its `**given` comes first.
    """

    def declared(command: Command) -> Command:
        own = inspect.signature(command).parameters.values()
        first = [each for each in own if each.kind is not inspect.Parameter.VAR_KEYWORD]
        options = field_options(kind, without=without)
        rest = [_parameter(name, annotation, False) for name, annotation in further.items()]
        signature = inspect.Signature([*first, *options, *rest])
        command.__signature__ = signature  # type: ignore[attr-defined]  # typer reads it
        return command

    return declared


def field_options(kind: type[Setting], *, without: Sequence[str] = ()) -> list[inspect.Parameter]:
    """The parameters of a command that takes the fields of a setting as texts."""
    return [
        _parameter(each.name, Annotated[str | None, _option(each)], None)
        for each in setting_fields(kind)
        if each.name not in without
    ]


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


def changing(
    kind: type[SettingType], values: Mapping[str, object], *, experimental: bool
) -> "Callable[[OpenWatch], Awaitable[tuple[Shown[SettingType], Change[SettingType]]]]":
    """The job that changes some fields of a setting and leaves the others as they are."""

    async def job(
        watch: "OpenWatch",
    ) -> "tuple[Shown[SettingType], Change[SettingType]]":
        from ksos_link.operations.setting_noun import read_values

        was = await watch.read(kind, experimental=experimental)
        wanted = read_values(kind, values, was.setting)
        done = await watch.write(wanted, before=was.setting, experimental=experimental)
        return was, done

    return job


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


def _object(kind: type[Setting]) -> str:
    return _OBJECTS.get(kind, kind.MEANING)


def _listed(names: tuple[str, ...]) -> str:
    if len(names) <= _LONG + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_LONG])} and {len(names) - _LONG} others"


def takes(kind: Kind) -> str:
    """The values of a kind, as the end of `must be ...`."""
    return f"{kind.describes}, or {ABSENT}" if kind.optional else kind.describes


def _reading(
    kind: type[SettingType], *, experimental: bool
) -> "Callable[[OpenWatch], Awaitable[Shown[SettingType]]]":
    async def job(watch: "OpenWatch") -> "Shown[SettingType]":
        return await watch.read(kind, experimental=experimental)

    return job


def _begin(ctx: typer.Context, kind: type[Setting], before: Before | None) -> Invocation:
    call = invocation(ctx)
    if before is not None:
        before(call)
    call.open_log(kind.NAME)
    return call


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


def words_of(kind: type[Setting], field: str) -> tuple[str, ...]:
    """The names that a field takes, as far as it takes names."""
    return next((_words(each.kind) for each in setting_fields(kind) if each.name == field), ())
