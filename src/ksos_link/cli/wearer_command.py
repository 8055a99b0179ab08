"""`ksos wearer`: who wears the watches; kept once, told to each watch."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firmware_protocol.settings import Wearer
from ksos_link.cli import render
from ksos_link.cli.at_watch import Experimental, Strict, at_watch
from ksos_link.cli.command import OneJson, epilog, open_app
from ksos_link.cli.invocation import Invocation, invocation
from ksos_link.cli.setting_options import takes_fields, values_to_set
from ksos_link.cli.setting_pages import (
    all_plain,
    changed_fields,
    fields_of,
    print_change,
    print_differences,
    print_fields,
)
from ksos_link.errors import NotFoundError
from ksos_link.operations.local_time import local_now

if TYPE_CHECKING:
    from ksos_link.operations.open_watch import OpenWatch
    from ksos_link.operations.setting_noun import Change, Shown

app = open_app("Height, weight, birth date, sex, stride: show, set, push to the watch.")


@app.command(epilog=epilog("ksos wearer show"))
def show(ctx: typer.Context, json: OneJson = False) -> None:
    """Show who wears the watches, as kept in the encrypted store."""
    wearer = _kept(invocation(ctx))
    if json:
        render.print_json(all_plain(wearer))
        return
    print_fields(fields_of(wearer))


@app.command(
    name="set",
    epilog=epilog(
        "ksos wearer set --height-cm 168 --weight-kg 61.5 --sex female",
        "ksos wearer set --birth-date 1988-04-02 --no-push",
    ),
)
@takes_fields(
    Wearer,
    no_push=Annotated[bool, typer.Option("--no-push", help="Keep it only; tell no watch now.")],
    json=OneJson,
)
def set_wearer(ctx: typer.Context, **given: Any) -> None:  # texts of fields, and two switches
    """Keep who wears the watches, and tell the watch; what is not named stays as it is.

    A watch that is not in reach hears of it at the next `ksos sync`.
    """
    from ksos_link.operations.wearer import keep_wearer, kept_wearer

    no_push, json = given.pop("no_push"), given.pop("json")
    values = values_to_set(Wearer, given)
    call = invocation(ctx)
    call.open_log("wearer", makes_home=True)
    with call.open_store() as store:
        pushes = not no_push and _has_one_watch(call, len(store.devices()))
        before = kept_wearer(store)
        wearer, _ = keep_wearer(store, values, int(local_now().timestamp()))
    if not json:
        print_differences(changed_fields(before, wearer))
        render.print_line("The wearer is kept.")
    if not pushes:
        if json:
            render.print_json({**all_plain(wearer), "pushed": False})
        else:
            hint = "`ksos sync` tells each watch; `ksos wearer push` does it now"
            render.note(f"next       {hint}", quiet=call.quiet)
        return
    _, change = at_watch(call, _telling(wearer, experimental=False))
    if json:
        render.print_json({**all_plain(wearer), "pushed": True})
    else:
        render.print_line(_told(change))


@app.command(epilog=epilog("ksos wearer push --device wrist"))
def push(
    ctx: typer.Context,
    json: OneJson = False,
    experimental: Experimental = False,
    strict: Strict = False,
) -> None:
    """Tell the watch who wears it. Binding and syncing do it too, where it changed."""
    call = invocation(ctx)
    wearer = _kept(call)
    call.open_log("wearer")
    was, change = at_watch(call, _telling(wearer, experimental=experimental))
    given = all_plain(wearer)
    print_change(change, call, was=was, given=given, json=json, strict=strict)


def _telling(
    wearer: Wearer, *, experimental: bool
) -> "Callable[[OpenWatch], Awaitable[tuple[Shown[Wearer], Change[Wearer]]]]":
    """The job that tells a watch its wearer."""

    async def job(watch: "OpenWatch") -> "tuple[Shown[Wearer], Change[Wearer]]":
        was = await watch.read(Wearer, experimental=experimental)
        return was, await watch.write(wearer, before=was.setting, experimental=experimental)

    return job


def _told(change: "Change[Wearer]") -> str:
    parts = ", ".join(
        f"{name} {render.cell_text(value)}" for name, (_, value) in change.differences.items()
    )
    return f"The watch took it with {parts}." if parts else "The watch took it."


def _has_one_watch(call: Invocation, known: int) -> bool:
    """Whether it is clear which watch is meant; of several the next sync tells each."""
    return call.device_name is not None or known == 1


def _kept(call: Invocation) -> Wearer:
    from ksos_link.operations.wearer import kept_wearer

    with call.open_store(create=False) as store:
        wearer = kept_wearer(store)
    if wearer is None:
        raise NotFoundError("Nobody said yet who wears the watch.", "Say it: ksos wearer set")
    return wearer
