"""`ksos reminder`: sitting, walking, drinking, and the cycle."""

from typing import Final

import typer

from firmware_protocol.settings import (
    Cycle,
    DrinkReminder,
    Setting,
    SittingReminder,
    WalkReminder,
)
from ksos_link.cli import render
from ksos_link.cli.at_watch import JsonLines, at_watch
from ksos_link.cli.command import epilog, open_app
from ksos_link.cli.invocation import invocation
from ksos_link.cli.setting_pages import fields_of, shown_object, source_text, tell_missing
from ksos_link.cli.setting_verbs import add_set, reading_several

REMINDERS: Final[dict[str, type[Setting]]] = {
    "sitting": SittingReminder,
    "walking": WalkReminder,
    "drinking": DrinkReminder,
    "cycle": Cycle,
}
_COLUMNS: Final = ("on", "start", "end", "interval_min", "hourly_steps", "days")
app = open_app("Reminders of sitting, walking, drinking, the cycle: list, show, set, remove.")


@app.command(name="list", epilog=epilog("ksos reminder list"))
def list_reminders(ctx: typer.Context, json: JsonLines = False) -> None:
    """List all reminders, each in one line."""
    call = invocation(ctx)
    call.open_log("reminder")
    shown, missing = at_watch(call, reading_several(list(REMINDERS.values())))
    rows = []
    for each in shown:
        if json:
            render.print_json(shown_object(each))
        fields = fields_of(each.setting)
        cells = (fields.get(name) for name in _COLUMNS)
        rows.append((each.setting.NAME, *cells, source_text(each)))
    if not json:
        render.print_table(("reminder", *_COLUMNS, "source"), rows)
    tell_missing(shown, missing, call, json=json)


_EXAMPLES: Final = {
    "sitting": "--on on --interval-min 45 --days workdays",
    "walking": "--on on --hourly-steps 250",
    "drinking": "--on on --interval-min 90 --quiet on",
}
_set = open_app("Set one of the reminders.")
for _name, _example in _EXAMPLES.items():
    add_set(_set, REMINDERS[_name], f"ksos reminder set {_name} {_example}", name=_name)
app.add_typer(_set, name="set")
