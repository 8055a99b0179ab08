"""Verbs that are made from a setting: its fields become options, its ranges their help.

    app = open_app("Daily goals: show, set.")
    add_show(app, Goal, "ksos goal show")
    add_set(app, Goal, "ksos goal set --steps 8000")

Values arrive as text and are read by the field's kind before anybody connects.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
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
)
from ksos_link.cli.at_watch import Experimental, Strict, at_watch
from ksos_link.cli.command import JsonLines, OneJson, epilog, open_app
from ksos_link.cli.invocation import Invocation, invocation
from ksos_link.cli.setting_options import takes_fields, values_to_set
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
Before = Callable[[Invocation], None]  # what must hold before a command connects, such as consent
_NOTHING_BEFORE: Final[Mapping[str, Before]] = {}
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


def add_show(
    app: typer.Typer,
    kind: type[Setting],
    *examples: str,
    name: str = "show",
    before: Before | None = None,
) -> None:
    """Add a verb that shows one setting."""

    def show(ctx: typer.Context, json: OneJson = False, experimental: Experimental = False) -> None:
        call = _begin(ctx, before)
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
        values = values_to_set(kind, given)
        call = _begin(ctx, before)
        change_setting(call, kind, values, json=json, experimental=experimental, strict=strict)

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
        call = _begin(ctx)
        if name is not None:
            job = _reading(wanted[0], experimental=experimental)
            print_shown(at_watch(call, job), call, json=json, further=further)
            return
        shown, missing = at_watch(call, reading_several(wanted, experimental=experimental))
        print_many_shown(shown, missing, call, json=json, further=further)

    show.__doc__ = f"Show {what}.\n\nWithout a name all of them, as far as the watch has them."
    app.command(epilog=epilog(*examples))(show)


def add_set_several(
    app: typer.Typer,
    kinds: Mapping[str, type[Setting]],
    set_help: str,
    command: str,
    examples: Mapping[str, str],
    *,
    before: Mapping[str, Before] = _NOTHING_BEFORE,
) -> None:
    """Add `set` with a verb for each setting of a noun.

    `examples` are the options of one call of each, behind `command` and its name.
    """
    verbs = open_app(set_help)
    for name, kind in kinds.items():
        example = f"{command} {name} {examples[name]}"
        add_set(verbs, kind, example, name=name, before=before.get(name))
    app.add_typer(verbs, name="set")


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


def change_setting(
    call: Invocation,
    kind: type[Setting],
    values: Mapping[str, object],
    *,
    json: bool,
    experimental: bool,
    strict: bool = False,
) -> None:
    """Change some fields of a setting of the watch of this run, and show what it came to.

    Raises:
        UsageError, RefusedError, BluetoothError: see `OpenWatch.write` and `print_change`.
    """
    was, change = at_watch(call, _changing(kind, values, experimental=experimental))
    print_change(change, call, was=was, given=values, json=json, strict=strict)


def _changing(
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


def _object(kind: type[Setting]) -> str:
    return _OBJECTS.get(kind, kind.MEANING)


def _reading(
    kind: type[SettingType], *, experimental: bool
) -> "Callable[[OpenWatch], Awaitable[Shown[SettingType]]]":
    async def job(watch: "OpenWatch") -> "Shown[SettingType]":
        return await watch.read(kind, experimental=experimental)

    return job


def _begin(ctx: typer.Context, before: Before | None = None) -> Invocation:
    call = invocation(ctx)
    if before is not None:
        before(call)
    call.open_log("setting")  # not which: that alone can say much of a person
    return call
