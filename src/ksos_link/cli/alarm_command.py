"""`ksos alarm`: list, add, edit, remove, enable, disable."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from firmware_protocol.settings import Alarm, Alarms, setting_fields
from firmware_protocol.settings.kinds import Words, cut_to_bytes
from ksos_link.cli import render
from ksos_link.cli.at_watch import Strict, at_watch, tell_remarks
from ksos_link.cli.command import JsonLines, OneJson, epilog, open_app
from ksos_link.cli.invocation import Invocation, invocation
from ksos_link.cli.setting_options import checked_values, takes_fields
from ksos_link.cli.setting_pages import (
    all_plain,
    cell,
    change_object,
    check_held,
    days_text,
    fields_of,
    source_object,
    source_text,
)
from ksos_link.errors import UsageError

if TYPE_CHECKING:
    from ksos_link.operations.open_watch import OpenWatch
    from ksos_link.operations.setting_noun import Change, Shown

app = open_app("The alarms: list, add, edit, remove, enable, disable.")
Number = Annotated[
    int, typer.Argument(metavar="N", min=1, max=10, help="Its number in `ksos alarm list`.")
]
_COLUMNS: Final = ("number", *(each.name for each in setting_fields(Alarm)))
AlarmJob = Callable[["OpenWatch"], Awaitable["Change[Alarms]"]]


@app.command(name="list", epilog=epilog("ksos alarm list"))
def list_alarms(ctx: typer.Context, json: JsonLines = False) -> None:
    """List the alarms with their numbers."""
    call = invocation(ctx)
    call.open_log("alarm")

    async def job(watch: "OpenWatch") -> "Shown[Alarms]":
        return await watch.alarms.show()

    shown = at_watch(call, job)
    if json:
        for number, alarm in enumerate(shown.setting.alarms, 1):
            render.print_json({"number": number, **all_plain(alarm), **source_object(shown)})
        return
    rows = [
        (number, *fields_of(alarm).values()) for number, alarm in enumerate(shown.setting.alarms, 1)
    ]
    if rows:
        render.print_table(_COLUMNS, rows)
    else:
        render.note("There is no alarm. Add one: ksos alarm add --at 7:30", quiet=call.quiet)
    render.note(f"source     {source_text(shown)}", quiet=call.quiet)
    tell_remarks(shown.remarks, call)


@app.command(
    epilog=epilog(
        "ksos alarm add --at 07:30 --days workdays --name Up",
        "ksos alarm add --at 23:15    (once)",
    )
)
@takes_fields(Alarm, json=OneJson, strict=Strict)
def add(ctx: typer.Context, **given: Any) -> None:  # texts of fields, and two switches
    """Add an alarm; without days it rings once."""
    json, strict = given.pop("json"), given.pop("strict")
    call = invocation(ctx)
    values = _values(given, call, strict=strict, quiet=json)
    if "at" not in values:
        raise UsageError("When does it ring?", "Say --at, such as --at 7:30.")
    alarm = Alarm.read(values)

    async def job(watch: "OpenWatch") -> "Change[Alarms]":
        return await watch.alarms.add(alarm)

    done = "is added" if alarm.on else "is added, off"
    _change(call, job, None, done, json=json, strict=strict)


@app.command(epilog=epilog("ksos alarm edit 2 --at 6:45 --days monday,friday"))
@takes_fields(Alarm, json=OneJson, strict=Strict)
def edit(ctx: typer.Context, number: Number, **given: Any) -> None:  # as `add`
    """Change an alarm; what is not named stays as it is."""
    json, strict = given.pop("json"), given.pop("strict")
    call = invocation(ctx)
    values = _values(given, call, strict=strict, quiet=json)
    if not values:
        raise UsageError("There is nothing to change.", "See: ksos alarm edit --help")

    async def job(watch: "OpenWatch") -> "Change[Alarms]":
        return await watch.alarms.adjust(number, lambda old: Alarm.read(values, old))

    _change(call, job, number, "is changed", json=json, strict=strict)


@app.command(epilog=epilog("ksos alarm remove 2"))
def remove(ctx: typer.Context, number: Number, json: OneJson = False) -> None:
    """Remove an alarm; those behind it move up."""

    async def job(watch: "OpenWatch") -> "Change[Alarms]":
        return await watch.alarms.remove(number)

    _change(invocation(ctx), job, number, "is removed", json=json, strict=False)


@app.command(epilog=epilog("ksos alarm enable 2"))
def enable(ctx: typer.Context, number: Number, json: OneJson = False) -> None:
    """Switch an alarm on."""

    async def job(watch: "OpenWatch") -> "Change[Alarms]":
        return await watch.alarms.enable(number)

    _change(invocation(ctx), job, number, "is on", json=json, strict=False)


@app.command(epilog=epilog("ksos alarm disable 2"))
def disable(ctx: typer.Context, number: Number, json: OneJson = False) -> None:
    """Switch an alarm off; it keeps its number."""

    async def job(watch: "OpenWatch") -> "Change[Alarms]":
        return await watch.alarms.disable(number)

    _change(invocation(ctx), job, number, "is off", json=json, strict=False)


def _values(
    given: dict[str, Any], call: Invocation, *, strict: bool, quiet: bool
) -> dict[str, object]:
    """The fields that were given, within their ranges; a name that is too long is cut."""
    most = next(each.kind for each in setting_fields(Alarm) if each.name == "name")
    name = given["name"]
    if name is not None and isinstance(most, Words):
        kept = cut_to_bytes(name, most.most_bytes)
        if kept != name and strict:
            raise UsageError(f"--name must be {most.describes}.", "Without --strict it is cut.")
        if kept != name:
            given["name"] = kept
            render.note(f"cut        the name to {kept}", quiet=call.quiet or quiet)
    return checked_values(Alarm, given)


def _change(
    call: Invocation, job: AlarmJob, number: int | None, done: str, *, json: bool, strict: bool
) -> None:
    call.open_log("alarm")
    change = at_watch(call, job)
    number = number or len(change.asked.alarms)
    differences = _differences(change)
    if json:
        render.print_json({"number": number, **change_object(change)})
    else:
        held = (change.held or change.sent).alarms
        shows = done != "is removed" and number <= len(held)
        words = f": {_words(held[number - 1])}" if shows else ""
        render.print_line(f"Alarm {number} {done}{words}.")
        for text in differences:
            render.print_line(text)
        if not differences and change.held is not None:
            render.print_line("The watch holds it so.")
        tell_remarks(change.remarks, call)
    check_held(differences, strict=strict)


def _words(alarm: Alarm) -> str:
    parts = (f"{alarm.at:%H:%M}", days_text(alarm.days), alarm.name)
    return ", ".join(render.cell_text(part) for part in parts if part)


def _differences(change: "Change[Alarms]") -> list[str]:
    """What the watch holds otherwise, in sentences."""
    asked, held = change.asked.alarms, (change.held or change.sent).alarms
    if len(asked) != len(held):
        return [f"The watch holds {render.counted(len(held), 'alarm')} instead of {len(asked)}."]
    return [
        f"The watch holds alarm {number} with {name} {cell(got[name])} instead of {cell(value)}."
        for number, (one, other) in enumerate(zip(asked, held, strict=True), 1)
        for got in (all_plain(other),)
        for name, value in all_plain(one).items()
        if got[name] != value
    ]
