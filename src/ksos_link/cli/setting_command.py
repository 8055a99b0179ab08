"""`ksos setting`: all settings, and the whole set-up of a watch as one file."""

from typing import Annotated

import typer

from firmware_protocol.settings import SETTINGS, Setting, setting_fields
from ksos_link.cli import render
from ksos_link.cli.at_watch import JsonLines
from ksos_link.cli.command import epilog, open_app
from ksos_link.cli.setting_pages import all_plain, fields_of
from ksos_link.cli.setting_verbs import takes
from ksos_link.errors import NotFoundError

app = open_app("All settings of a watch: list; dump, diff and apply as one file.")


@app.command(name="list", epilog=epilog("ksos setting list", "ksos setting list goal"))
def list_settings(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="Show the fields of this one.",
            autocompletion=lambda: list(SETTINGS),
            show_default=False,
        ),
    ] = None,
    json: JsonLines = False,
) -> None:
    """List all settings, or the fields of one with what they take and usually hold.

    Says which families of watches have it, and whether they can be asked what they hold.
    """
    if name is not None and name not in SETTINGS:
        raise NotFoundError(f"There is no setting {name[:40]}.", "See: ksos setting list")
    kinds = list(SETTINGS.values()) if name is None else [SETTINGS[name]]
    if json:
        for kind in kinds:
            render.print_json(
                {
                    "setting": kind.NAME,
                    "meaning": kind.MEANING,
                    "families": _families(kind),
                    "fields": _fields(kind),
                }
            )
    elif name is None:
        render.print_table(
            ("setting", "meaning", "can be asked"),
            [(kind.NAME, kind.MEANING, _asked(kind)) for kind in kinds],
        )
    else:
        _print_one(kinds[0])


def _print_one(kind: type[Setting]) -> None:
    """Its fields, then how each family carries it."""
    usual = fields_of(kind())
    render.print_table(
        ("field", "meaning", "takes", "usual"),
        [
            (each.name, each.meaning, takes(each.kind), usual[each.name])
            for each in setting_fields(kind)
        ],
    )
    for family, facts in _families(kind).items():
        render.note(f"\nfamily {family}")
        for name, value in facts.items():
            text = ", ".join(value) if isinstance(value, list) else value
            if text not in ("", None):
                render.note(f"  {name:<13}{render.cell_text(text)}")


def _fields(kind: type[Setting]) -> list[dict[str, object]]:
    usual = all_plain(kind())
    return [
        {
            "name": each.name,
            "meaning": each.meaning,
            "takes": takes(each.kind),
            "usual": usual[each.name],
        }
        for each in setting_fields(kind)
    ]


def _families(kind: type[Setting]) -> dict[str, dict[str, object]]:
    from firmware_protocol.registry import FAMILIES

    return {
        family.name: {
            "readable": support.readable,
            "needs": list(support.needs),
            "rows": support.rows,
            "provisional": support.provisional,
            "shares": [each.NAME for each in support.shares],
        }
        for family in FAMILIES
        if (support := family.settings.get(kind)) is not None
    }


def _asked(kind: type[Setting]) -> str:
    """Families whose watches tell what they hold, and those that take it only."""
    return ", ".join(
        f"{family} {'yes' if facts['readable'] else 'no'}"
        for family, facts in _families(kind).items()
    )
