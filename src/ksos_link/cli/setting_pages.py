"""How settings look: fields and values, before and after, and where they come from."""

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from firmware_protocol.settings import Alarm, Setting
from firmware_protocol.settings.kinds import ABSENT, EVERY_DAY, WEEKDAYS, WORKDAYS, Plain
from ksos_link.cli import render
from ksos_link.cli.at_watch import tell_remarks
from ksos_link.cli.invocation import Invocation
from ksos_link.errors import RefusedError

if TYPE_CHECKING:
    from ksos_link.operations.setting_noun import Change, Shown

_DAY_WORDS: Final = {
    EVERY_DAY: "daily",
    WORKDAYS: "workdays",
    WEEKDAYS[5:]: "weekend",
}
_ARROW: Final = "->"


Further = Callable[[Setting], dict[str, object]]  # what can be reckoned from a setting


def nothing_further(setting: Setting) -> dict[str, object]:
    """Of most settings nothing can be reckoned."""
    del setting
    return {}


def print_shown(
    shown: "Shown[Any]", call: Invocation, *, json: bool, further: Further = nothing_further
) -> None:
    """Show one setting and where it comes from. The type of setting does not matter here."""
    more = further(shown.setting)
    if json:
        render.print_json({**shown_object(shown), **more})
        return
    print_fields({**fields_of(shown.setting), **more})
    render.note(f"source     {source_text(shown)}", quiet=call.quiet)
    tell_remarks(shown.remarks, call)


def print_many_shown(
    many: "Sequence[Shown[Any]]",
    missing: Sequence[str],
    call: Invocation,
    *,
    json: bool,
    further: Further = nothing_further,
) -> None:
    """Show several settings, each under its name."""
    pages = [(shown, {**fields_of(shown.setting), **further(shown.setting)}) for shown in many]
    if json:
        for shown in many:
            render.print_json({**shown_object(shown), **further(shown.setting)})
    elif sys.stdout.isatty():
        for number, (shown, fields) in enumerate(pages):
            head = f"{shown.setting.NAME}  ({source_text(shown)})"
            render.print_line(f"\n{head}" if number else head)
            render.print_facts({f"  {name}": value for name, value in fields.items()})
    else:
        render.print_table(
            ("setting", "field", "value", "source"),
            [
                (shown.setting.NAME, name, _one_cell(value), shown.source)
                for shown, fields in pages
                for name, value in fields.items()
            ],
        )
    tell_missing(many, missing, call, json=json)


def tell_missing(
    many: "Sequence[Shown[Any]]", missing: Sequence[str], call: Invocation, *, json: bool
) -> None:
    """Tell what came up while several settings were read, and which this watch has not."""
    for shown in many:
        tell_remarks(shown.remarks, call)
    for text in missing:
        render.note(f"absent     {text}", quiet=call.quiet or json)


def shown_object(shown: "Shown[Any]") -> dict[str, object]:
    """One setting as JSON."""
    return {
        "setting": shown.setting.NAME,
        **source_object(shown),
        **all_plain(shown.setting),
    }


def source_object(shown: "Shown[Any]") -> dict[str, object]:
    """Where a setting comes from, as JSON."""
    sent = shown.sent_utc_s
    return {
        "source": shown.source,
        "sent_utc": None if sent is None else render.utc_text(sent),
    }


def source_word(shown: "Shown[Any]") -> str:
    """Where a setting comes from, in one word of a table."""
    return "usual" if shown.source == "default" else shown.source


def source_text(shown: "Shown[Any]") -> str:
    """Where a setting comes from, in words."""
    if shown.source == "watch":
        return "the watch"
    if shown.source == "sent" and shown.sent_utc_s is not None:
        return f"as sent on {render.local_text(shown.sent_utc_s)[:16]}"
    return "usual values; what this watch holds is not known"


def print_change(
    change: "Change[Any]",
    call: Invocation,
    *,
    was: "Shown[Any]",
    given: Mapping[str, object],
    json: bool,
    strict: bool,
) -> None:
    """Show what a change came to: what it was, what it is, and what the watch made of it.

    `given` are the fields that were asked for; what else goes out is told.

    Raises:
        RefusedError: with `strict`, where the watch holds otherwise than asked.
    """
    if json:
        render.print_json(change_object(change, was))
    else:
        known = was.source != "default"
        print_differences(changed_fields(change.before, change.asked, known=known))
        render.print_line(outcome_text(change))
        if not known and len(given) < len(all_plain(change.asked)):
            render.note(
                "remark     what the watch held is not known; usual values went out with it",
                quiet=call.quiet,
            )
        tell_remarks(change.remarks, call)
    check_held(change.differences, strict=strict)


def check_held(differences: Collection[object], *, strict: bool) -> None:
    """With `strict`, let no difference pass.

    Raises:
        RefusedError: the watch holds otherwise than asked.
    """
    if strict and differences:
        raise RefusedError(
            "The watch holds otherwise than what was asked.", "Without --strict this is no error."
        )


def change_object(change: "Change[Any]", was: "Shown[Any] | None" = None) -> dict[str, object]:
    """A change as JSON."""
    before, held = change.before, change.held
    return {
        "setting": change.asked.NAME,
        "before": None if before is None else all_plain(before),
        "before_source": None if was is None else was.source,
        "asked": all_plain(change.asked),
        "sent": all_plain(change.sent),
        "held": None if held is None else held.plain(),
        "differences": {
            name: {"asked": asked, "held": value}
            for name, (asked, value) in change.differences.items()
        },
        "remarks": list(change.remarks),
    }


def outcome_text(change: "Change[Any]") -> str:
    """What the watch made of it, in one line."""
    if change.differences:
        parts = ", ".join(
            f"{name} {cell(value)} instead of {cell(asked)}"
            for name, (asked, value) in change.differences.items()
        )
        return f"The watch {'took' if change.held is None else 'holds'} {parts}."
    if change.held is None:
        return "The watch took it; it cannot be asked what it holds."
    untold = [name for name in change.asked.plain() if name not in change.held.plain()]
    if untold:
        return f"The watch holds the rest so; it does not tell {', '.join(untold)}."
    return "The watch holds it so."


def changed_fields(
    before: Setting | None, after: Setting, *, known: bool = True
) -> list[tuple[str, str, str]]:
    """Fields that change, with both values; where none was `known`, all that are set."""
    old = {} if before is None or not known else fields_of(before)
    return [
        (name, _one_cell(old[name]) if name in old else "not known", _one_cell(value))
        for name, value in fields_of(after).items()
        if name not in old or old[name] != value
    ]


def print_differences(rows: Sequence[tuple[str, str, str]]) -> None:
    """Print `field  before -> after`; as columns in a pipe."""
    if not sys.stdout.isatty():
        render.print_table(("field", "before", "after"), rows)
        return
    names = max((len(name) for name, _, _ in rows), default=0)
    olds = max((len(old) for _, old, _ in rows), default=0)
    for name, old, new in rows:
        line = f"{name:<{names}}  {old:<{olds}} {_ARROW} {new}"
        if len(line) <= render.terminal_columns():
            render.print_line(line)
        else:
            render.print_line(name)
            render.print_facts({"  before": old.split(","), "  after": new.split(",")})


def print_fields(fields: dict[str, object]) -> None:
    """Print fields and values: aligned on a terminal, a table in a pipe."""
    if sys.stdout.isatty():
        render.print_facts(fields)
    else:
        render.print_table(
            ("field", "value"), [(name, _one_cell(value)) for name, value in fields.items()]
        )


def fields_of(setting: Setting) -> dict[str, object]:
    """The fields of a setting by name, in the words that a command takes; lists stay lists."""
    fields = {name: _words(value) for name, value in all_plain(setting).items()}
    if isinstance(days := fields.get("days"), list | str):
        named = () if isinstance(days, str) else tuple(days)
        fields["days"] = days_text(named, none="once" if isinstance(setting, Alarm) else ABSENT)
    return fields


def all_plain(setting: Setting) -> dict[str, Plain]:
    """The fields as JSON has them, those without a value too."""
    from firmware_protocol.settings import setting_fields

    plain = setting.plain()
    return {each.name: plain.get(each.name) for each in setting_fields(type(setting))}


def cell(value: object) -> str:
    """A plain value in the words that a command takes."""
    return _one_cell(_words(value))


def _words(value: object) -> object:
    if value is None:
        return ABSENT
    if isinstance(value, bool):
        return "on" if value else "off"
    return ABSENT if value == [] else value


def days_text(days: tuple[str, ...], none: str = "once") -> str:
    """Days in as few letters as a command takes for them."""
    return _DAY_WORDS.get(days, ",".join(day[:3] for day in days)) or none


def _one_cell(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(render.cell_text, value))
    return render.cell_text(value)
