"""`ksos sport`: sports by name, and those that the watch lists and finds out by itself."""

from collections.abc import Iterator
from typing import Annotated

import typer

from firmware_protocol.settings import SportDetection, SportOrder
from firmware_protocol.settings.kinds import is_code
from ksos_link.cli import render
from ksos_link.cli.at_watch import Experimental, Strict
from ksos_link.cli.command import JsonLines, OneJson, epilog, open_app
from ksos_link.cli.invocation import invocation
from ksos_link.cli.setting_options import words_of
from ksos_link.cli.setting_verbs import add_set, add_show, change_setting
from ksos_link.cli.wrapped_table import print_wrapped_table
from ksos_link.errors import UsageError

app = open_app("Sports: list, the watch's order of them, and those it recognises.")


@app.command(name="list", epilog=epilog("ksos sport list"))
def list_sports(json: JsonLines = False) -> None:
    """List all sports: number and title of KS OS, the name used here, codes of the watches."""
    rows = list(_sports())
    if json:
        for facts, codes in rows:
            render.print_json({**facts, "codes": codes})
        return
    print_wrapped_table(
        ("ksos_id", "name", "title", "group", "codes"),
        [(*facts.values(), _codes_text(codes)) for facts, codes in rows],
    )


def _codes_text(codes: dict[str, list[int]]) -> str:
    return ", ".join(f"{family} {code}" for family, each in codes.items() for code in each)


def _sports() -> Iterator[tuple[dict[str, object], dict[str, list[int]]]]:
    """Facts of each sport, and its codes by family."""
    from firmware_protocol.registry import FAMILIES
    from firmware_protocol.sports import SPORT_NAMES, ksos_sport

    for name in SPORT_NAMES:
        sport = ksos_sport(name)
        facts: dict[str, object] = {
            "ksos_id": sport.ksos_id if sport else None,
            "name": name,
            "title": sport.title if sport else None,
            "group": sport.group if sport else None,
        }
        yield (
            facts,
            {
                family.name: [code for code, each in family.sports.items() if each == name]
                for family in FAMILIES
            },
        )


_detection = open_app("Sports that the watch recognises by itself: show, set.")
add_show(_detection, SportDetection, "ksos sport autodetect show")
add_set(_detection, SportDetection, "ksos sport autodetect set --walk on --run on")
app.add_typer(_detection, name="autodetect")

_order = open_app("The sports in the watch's list: show, set.")
add_show(_order, SportOrder, "ksos sport order show")


@_order.command(name="set", epilog=epilog("ksos sport order set outdoor_run pool_swim yoga"))
def set_order(
    ctx: typer.Context,
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAMES",
            help="Names of `ksos sport list`, first to last.",
            autocompletion=lambda: list(words_of(SportOrder, "sports")),
        ),
    ],
    json: OneJson = False,
    experimental: Experimental = False,
    strict: Strict = False,
) -> None:
    """Set the sports in the watch's list, first to last; others leave it."""
    wanted = [name.lower().replace("-", "_") for each in names for name in each.split(",")]
    known = words_of(SportOrder, "sports")
    for name in wanted:
        if name not in known and not is_code(name):
            raise UsageError(f"There is no sport {name[:40]}.", "See: ksos sport list")
    call = invocation(ctx)
    call.open_log("sport")
    values = {"sports": wanted}
    change_setting(call, SportOrder, values, json=json, experimental=experimental, strict=strict)


app.add_typer(_order, name="order")
