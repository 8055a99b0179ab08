"""`ksos setting`: all settings, and the whole set-up of a watch as one file."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from firmware_protocol.settings import SETTINGS, Setting, setting_fields
from ksos_link.cli import render
from ksos_link.cli.at_watch import Strict, at_watch, tell_remarks
from ksos_link.cli.command import JsonLines, epilog, open_app
from ksos_link.cli.invocation import Invocation, invocation
from ksos_link.cli.setting_options import takes
from ksos_link.cli.setting_pages import all_plain, cell, check_held, fields_of
from ksos_link.cli.wrapped_table import print_wrapped_table
from ksos_link.errors import NotFoundError, PreflightError, UsageError

if TYPE_CHECKING:
    from ksos_link.operations.open_watch import OpenWatch
    from ksos_link.operations.setting_file import Applied, Difference, Tables

File = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="What `ksos setting dump` wrote; - is standard input."),
]
SkipMissing = Annotated[
    bool, typer.Option("--skip-missing", help="Pass over settings that this watch does not have.")
]
_OUTCOMES: Final = {"sent": "sent; cannot be asked", "held_otherwise": "held otherwise"}
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
        print_wrapped_table(
            ("setting", "meaning", "can be asked"),
            [(kind.NAME, kind.MEANING, _asked(kind)) for kind in kinds],
        )
    else:
        _print_one(kinds[0])


def _print_one(kind: type[Setting]) -> None:
    """Its fields, then how each family carries it."""
    usual = fields_of(kind())
    print_wrapped_table(
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


@app.command(epilog=epilog("ksos setting dump --out lab.toml"))
def dump(
    ctx: typer.Context,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="The file to write. [default: stdout]"),
    ] = None,
    cycle: Annotated[
        bool, typer.Option("--cycle", help="With the menstrual cycle, which is left out else.")
    ] = False,
) -> None:
    """Write the whole set-up of a watch as one TOML file.

    What it cannot be asked stands there as it was sent, or not at all.
    """
    from ksos_link.export.target import open_target

    if out is not None and (out.is_dir() or not out.parent.is_dir()):
        raise UsageError(f"{out} cannot be written.", "Name a file in a folder that is there.")
    call = invocation(ctx)
    call.open_log("setting")

    async def job(watch: "OpenWatch") -> str:
        from ksos_link.operations.setting_file import dump

        return await dump(watch, cycle=cycle)

    text = at_watch(call, job)
    with open_target(sys.stdout if out is None else out) as target:
        target.write(text)
    if out is not None:
        render.print_line(f"The settings are written: {out}")


@app.command(epilog=epilog("ksos setting diff lab.toml", "ksos setting diff lab.toml --exit-code"))
def diff(
    ctx: typer.Context,
    file: File,
    skip_missing: SkipMissing = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit 7 where something differs.")
    ] = False,
    json: JsonLines = False,
) -> None:
    """Show what a file would change on the watch. Nothing is changed."""
    tables = _read(file)
    call = invocation(ctx)
    call.open_log("setting")
    found = _differences(call, tables, skip_missing=skip_missing)
    _print_differences(found, json=json)
    if found and exit_code:
        raise PreflightError(
            "The watch is set otherwise than the file.", f"Apply it: ksos setting apply {file}"
        )


@app.command(
    epilog=epilog("ksos setting apply lab.toml --dry-run", "ksos setting apply lab.toml --strict")
)
def apply(
    ctx: typer.Context,
    file: File,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")
    ] = False,
    skip_missing: SkipMissing = False,
    strict: Strict = False,
    json: JsonLines = False,
) -> None:
    """Change what a file wants otherwise, and only that.

    All of the file is checked first: one value out of range, and nothing is sent.
    """
    tables = _read(file)
    call = invocation(ctx)
    call.open_log("setting")
    if dry_run:
        _print_differences(_differences(call, tables, skip_missing=skip_missing), json=json)
        return
    done: list[Applied] = []

    async def job(watch: "OpenWatch") -> None:
        from ksos_link.operations.setting_file import apply

        async for applied in apply(watch, tables, skip_missing=skip_missing):
            done.append(applied)  # noqa: PERF401 those before a failure count too

    try:
        at_watch(call, job)
    finally:  # what was changed before a link was lost is changed
        _print_applied(done, call, json=json)
    check_held([each for each in done if each.held], strict=strict)


def _read(file: Path) -> "Tables":
    """The tables of a settings file, before anybody connects.

    Raises:
        NotFoundError: there is none.
        UsageError: it cannot be read, is no text, or no TOML.
    """
    from ksos_link.operations.setting_file import parse

    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        text = data.decode("utf-8")
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {file}.", "Write one: ksos setting dump") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{file} cannot be read as text.", "Write one: ksos setting dump"
        ) from error
    return parse(text)


def _differences(call: Invocation, tables: "Tables", *, skip_missing: bool) -> "list[Difference]":
    async def job(watch: "OpenWatch") -> "list[Difference]":
        from ksos_link.operations.setting_file import diff

        return await diff(watch, tables, skip_missing=skip_missing)

    return at_watch(call, job)


def _print_differences(found: "list[Difference]", *, json: bool) -> None:
    if json:
        for each in found:
            render.print_json(
                {
                    "setting": each.setting,
                    "field": each.field,
                    "now": each.now,
                    "wanted": each.wanted,
                }
            )
        return
    if not found:
        render.print_line("Nothing differs: the watch is set as the file says.")
        return
    print_wrapped_table(
        ("setting", "field", "now", "wanted"),
        [(each.setting, each.field, _known(each.now), _brief(each.wanted)) for each in found],
    )


def _known(value: object) -> str:
    return "not known" if value is None else _brief(value)


def _brief(value: object) -> str:
    """A value in a cell; of alarms how many."""
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return render.counted(len(value), "alarm")
    return cell(value)


def _print_applied(done: "list[Applied]", call: Invocation, *, json: bool) -> None:
    if json:
        for each in done:
            held = {
                name: {"asked": asked, "held": value} for name, (asked, value) in each.held.items()
            }
            render.print_json(
                {
                    "setting": each.setting,
                    "outcome": each.outcome,
                    "differences": held,
                    "remarks": list(each.remarks),
                }
            )
        return
    moved = [(each.setting, _outcome(each)) for each in done if each.outcome != "unchanged"]
    if moved:
        print_wrapped_table(("setting", "outcome"), moved)
    if same := len(done) - len(moved):
        render.note(f"unchanged  {render.counted(same, 'setting')}", quiet=call.quiet)
    for each in done:
        tell_remarks(each.remarks, call)


def _outcome(each: "Applied") -> str:
    words = _OUTCOMES.get(each.outcome, each.outcome)
    parts = ", ".join(
        f"{name} {_brief(value)} instead of {_brief(asked)}"
        for name, (asked, value) in each.held.items()
    )
    return f"{words}: {parts}" if parts else words
