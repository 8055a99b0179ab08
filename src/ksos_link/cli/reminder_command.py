"""`ksos reminder`: sitting, walking, drinking, and the cycle."""

import contextlib
from typing import TYPE_CHECKING, Final

import typer

from firmware_protocol.settings import (
    Cycle,
    DrinkReminder,
    Setting,
    SittingReminder,
    WalkReminder,
)
from ksos_link.cli import render
from ksos_link.cli.at_watch import at_watch
from ksos_link.cli.command import JsonLines, OneJson, epilog, open_app
from ksos_link.cli.invocation import Invocation, invocation
from ksos_link.cli.setting_pages import fields_of, shown_object, source_word, tell_missing
from ksos_link.cli.setting_verbs import add_set_several, add_show_several, reading_several
from ksos_link.errors import NotFoundError
from ksos_link.operations.local_time import local_now

if TYPE_CHECKING:
    from ksos_link.operations.open_watch import OpenWatch

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
        rows.append((each.setting.NAME, *cells, source_word(each)))
    if not json:
        render.print_table(("reminder", *_COLUMNS, "source"), rows)
    tell_missing(shown, missing, call, json=json)


def _days_to_come(setting: Setting) -> dict[str, object]:
    """When the next period is due, of a cycle that is followed."""
    if not isinstance(setting, Cycle):
        return {}
    from ksos_link.operations.cycle import predict

    days = predict(setting, local_now().date())
    if days is None:
        return {}
    return {
        "next_period_start": str(days.period_start),
        "next_period_end": str(days.period_end),
        "next_ovulation": str(days.ovulation),
        "next_fertile_start": str(days.fertile_start),
        "next_fertile_end": str(days.fertile_end),
    }


add_show_several(
    app,
    REMINDERS,
    "the reminders with all their fields; of the cycle also the days to come",
    "ksos reminder show sitting",
    "ksos reminder show cycle",
    further=_days_to_come,
)
_EXAMPLES: Final = {
    "sitting": "--on on --interval-min 45 --days workdays",
    "walking": "--on on --hourly-steps 250",
    "drinking": "--on on --interval-min 90 --quiet on",
    "cycle": "--on on --last-start 2026-03-01",
}


def _check_cycle_consent(call: Invocation) -> None:
    """Stop without the consent, before anybody connects.

    Raises:
        PolicyError: there is none.
    """
    from ksos_link.operations.consents import CYCLE, check_consent

    with call.store_if_any() as store:
        check_consent(store, CYCLE)


add_set_several(
    app,
    REMINDERS,
    "Set one of the reminders.",
    "ksos reminder set",
    _EXAMPLES,
    before={"cycle": _check_cycle_consent},
)
_remove = open_app("Remove what a reminder knows of you.")


@_remove.callback()
def _removes() -> None:
    """Remove what a reminder knows of you."""


@_remove.command(name="cycle", epilog=epilog("ksos reminder remove cycle"))
def remove_cycle(ctx: typer.Context, json: OneJson = False) -> None:
    """Switch the cycle off on the watch, and forget it here.

    Withdrawing the consent forgets it for all watches: ksos privacy deny cycle
    """
    call = invocation(ctx)
    call.open_log("reminder")
    at_watch(call, _switch_cycle_off)
    with contextlib.suppress(NotFoundError), call.open_store(create=False) as store:
        store.forget_settings(call.chosen_device(store).device_id, Cycle.NAME)
    if json:
        render.print_json({"setting": Cycle.NAME, "removed": True})
        return
    render.print_line("The cycle is off on the watch, and forgotten here.")


async def _switch_cycle_off(watch: "OpenWatch") -> None:
    await watch.cycle.write(Cycle(on=False))


app.add_typer(_remove, name="remove")
