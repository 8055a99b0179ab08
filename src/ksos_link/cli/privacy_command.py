"""`ksos privacy`: what is kept and why, and what you agreed to."""

from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.command import OneJson, epilog, open_app
from ksos_link.cli.invocation import invocation
from ksos_link.cli.wrapped_table import print_wrapped_table
from ksos_link.operations.local_time import local_now

if TYPE_CHECKING:
    from ksos_link.store.sharing import ShareConsent

app = open_app("Your privacy: show what is kept and why; allow and deny.")


def consent_names() -> list[str]:
    """What a shell completes where a consent is wanted."""
    from ksos_link.operations.consents import CONSENTS

    return [consent.name for consent in CONSENTS]


Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="Its name in `ksos privacy show`.", autocompletion=consent_names
    ),
]


@app.command(epilog=epilog("ksos privacy show"))
def show(ctx: typer.Context, json: OneJson = False) -> None:
    """Show each kind of item that is kept, what for and where, and your consents."""
    from ksos_link.operations.consents import CONSENTS, PURPOSES

    call = invocation(ctx)
    with call.store_if_any() as store:  # where nothing is kept, nothing was consented to
        given = {} if store is None else store.consents()
        shared = [] if store is None else store.share_consents()
    consents = [
        {
            "consent": each.name,
            "given_utc": render.utc_text(given[each.name]) if each.name in given else None,
            "meaning": each.meaning,
            "leaves_machine": each.leaves_machine or None,
        }
        for each in CONSENTS
    ]
    consents += [_shared(each) for each in shared if each.withdrawn_utc_s is None]
    items = [(each.item, each.purpose, each.place) for each in PURPOSES]
    if json:
        names = ("item", "purpose", "place")
        render.print_json(
            {
                "items": [dict(zip(names, item, strict=True)) for item in items],
                "consents": consents,
            }
        )
        return
    print_wrapped_table(("item", "purpose", "place"), items)
    render.print_line()
    print_wrapped_table(
        ("consent", "given", "meaning", "what leaves this machine"),
        [
            (
                each["consent"],
                "no" if each["given_utc"] is None else each["given_utc"],
                each["meaning"],
                each["leaves_machine"] or "nothing",
            )
            for each in consents
        ],
    )


@app.command(epilog=epilog("ksos privacy allow weather:open-meteo"))
def allow(ctx: typer.Context, name: Name) -> None:
    """Consent to something; `ksos privacy deny` takes it back. To share: `ksos share allow`."""
    from ksos_link.operations import consents

    call = invocation(ctx)
    consents.consent_named(name)  # before anybody is asked for a passphrase
    call.open_log("privacy", makes_home=True)
    with call.open_store() as store:
        consents.allow(store, name, int(local_now().timestamp()))
    render.print_line(f"{name} is allowed.")


@app.command(epilog=epilog("ksos privacy deny cycle"))
def deny(ctx: typer.Context, name: Name) -> None:
    """Withdraw a consent; what was kept because of it is erased here."""
    from ksos_link.operations import consents

    call = invocation(ctx)
    consents.consent_named(name)
    call.open_log("privacy")
    with call.open_store(create=False) as store:
        consents.deny(store, name)
    render.print_line(f"{name} is denied.")
    if name == consents.CYCLE:
        render.note("What a watch was told of it: ksos reminder remove cycle", quiet=call.quiet)


def _shared(consent: "ShareConsent") -> dict[str, str | None]:
    from ksos_link.operations.share_consent import receiver_named, what_leaves

    return {
        "consent": f"share:{consent.receiver}",
        "given_utc": render.utc_text(consent.given_utc_s),
        "meaning": "share with that receiver; back with `ksos share consents --withdraw`",
        "leaves_machine": what_leaves(receiver_named(consent.receiver), consent.data),
    }
