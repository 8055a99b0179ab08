"""`ksos share`: let data out, to whom you said, and nothing else."""

from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.command import JsonLines, epilog, open_app
from ksos_link.cli.invocation import Invocation, agree, can_ask, invocation
from ksos_link.cli.share_file_verbs import file, mail
from ksos_link.cli.share_mqtt_verb import mqtt
from ksos_link.cli.share_strava_verb import strava
from ksos_link.cli.wrapped_table import print_wrapped_table
from ksos_link.errors import PolicyError
from ksos_link.operations.local_time import local_now

if TYPE_CHECKING:
    from ksos_link.operations.share_consent import Receiver
    from ksos_link.store.sharing import ShareConsent

app = open_app("Share, only when told: consents; Strava, MQTT, mail, files; a log.")
ReceiverName = Annotated[
    str,
    typer.Argument(metavar="RECEIVER", help="strava, mqtt:HOST, mail:ADDRESS or file:FOLDER."),
]


@app.command(
    epilog=epilog(
        "ksos share allow strava --data workouts --country DE",
        "ksos share allow mqtt:127.0.0.1 --data heart_rate --data steps",
    )
)
def allow(
    ctx: typer.Context,
    receiver: ReceiverName,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data",
            metavar="NAME",
            help="A metric, workouts, or wearer; may be given again.",
        ),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            "--region", metavar="COUNTRY", help="Where the receiver keeps it, such as DE."
        ),
    ] = None,
    country: Annotated[
        str | None,
        typer.Option("--country", metavar="COUNTRY", help="Where you live; said once."),
    ] = None,
    abroad: Annotated[
        bool, typer.Option("--abroad", help="Yes, it may go to another country.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Consent to one receiver and one set of data; it is told what leaves, then asked.

    It replaces an earlier consent to the same receiver.
    """
    from ksos_link.operations import share_consent
    from ksos_link.operations.countries import read_country

    call = invocation(ctx)
    to = share_consent.receiver_named(receiver)
    chosen = share_consent.data_named(data or ())
    countries = tuple(None if one is None else read_country(one) for one in (region, country))
    call.open_log("share")
    with call.store_if_any() as store:
        consent = share_consent.proposed_consent(
            store, to, chosen, (countries[0], countries[1]), int(local_now().timestamp())
        )
    _tell_consent(call, to, consent)
    _agree(consent, abroad=abroad, yes=yes)
    with call.open_store(create=False) as kept:
        kept.give_share_consent(consent)
    render.print_line("You consent. Nothing was sent yet.")


@app.command(epilog=epilog("ksos share consents", "ksos share consents --withdraw strava"))
def consents(
    ctx: typer.Context,
    withdraw: Annotated[
        str | None,
        typer.Option(
            "--withdraw", metavar="RECEIVER", help="Take the consent to this receiver back."
        ),
    ] = None,
    json: JsonLines = False,
) -> None:
    """List what you consented to and took back, or take a consent back.

    What a receiver has already is not called back by that.
    """
    from ksos_link.operations import share_consent
    from ksos_link.operations.share_secrets import ShareSecrets

    call = invocation(ctx)
    if withdraw is not None:
        receiver = share_consent.receiver_named(withdraw)
        call.open_log("share")
        with call.open_store(create=False) as store:
            now_utc_s = int(local_now().timestamp())
            share_consent.withdraw(store, ShareSecrets(call.home), receiver, now_utc_s)
        render.note(f"note       {_what_stays(receiver)}", quiet=call.quiet)
    with call.store_if_any() as kept:
        given = [] if kept is None else kept.share_consents()
    if json:
        for one in given:
            render.print_json(_consent_json(one))
        return
    print_wrapped_table(
        ("receiver", "data", "country", "given", "withdrawn"),
        [
            (
                one.receiver,
                ", ".join(one.data),
                one.region,
                render.utc_text(one.given_utc_s),
                None if one.withdrawn_utc_s is None else render.utc_text(one.withdrawn_utc_s),
            )
            for one in given
        ],
    )


@app.command(epilog=epilog("ksos share log", "ksos share log --year 2026"))
def log(
    ctx: typer.Context,
    year: Annotated[
        int | None,
        typer.Option("--year", metavar="YEAR", min=1970, max=9998, help="Of this year only."),
    ] = None,
    json: JsonLines = False,
) -> None:
    """List what was shared: when, with whom, which data, how it ended."""
    from ksos_link.operations.share_ledger import shares_of_year

    with invocation(ctx).store_if_any() as store:
        shares = shares_of_year(store, year)
    columns = ("began_utc", "receiver", "data", "item", "samples", "outcome")
    rows = [
        (
            render.utc_text(one.began_utc_s),
            one.receiver,
            list(one.data),
            one.item,
            one.samples,
            one.outcome,
        )
        for one in shares
    ]
    if json:
        for row in rows:
            render.print_json(dict(zip(columns, row, strict=True)))
    elif rows:
        print_wrapped_table(columns, [(*row[:2], ", ".join(row[2]), *row[3:]) for row in rows])
    else:
        render.print_line("Nothing was shared.")


app.command(
    epilog=epilog(
        "ksos share strava --connect --client-id 12345", "ksos share strava --from yesterday"
    )
)(strava)
app.command(
    epilog=epilog(
        "ksos share mqtt broker.example.org --user home --every-min 15",
        "ksos share mqtt 127.0.0.1 --no-tls",
    )
)(mqtt)
app.command(
    epilog=epilog(
        "ksos share mail dr@example.org --metric spo2 --draft spo2.eml --show",
        "ksos share mail me@example.org --server smtp.example.org --user me",
    )
)(mail)
app.command(epilog=epilog("ksos share file my-folder --format csv --from 2026-01-01"))(file)


def _tell_consent(call: Invocation, receiver: "Receiver", consent: "ShareConsent") -> None:
    """What leaves and where, before anybody agrees."""
    from ksos_link.operations.share_consent import is_abroad, what_leaves

    render.note(f"leaves     {what_leaves(receiver, consent.data)}")
    if receiver.is_remote:
        render.note("note       the receiver has terms of its own; ksos does not answer for it")
    if is_abroad(consent):
        render.note(
            f"warning    it is kept in {consent.region}, you live in {consent.home_region}: other"
            " law holds there; ask the receiver how it keeps your data safe"
        )
    hint = f"ksos share consents --withdraw {receiver.name}"
    render.note(f"note       you can take it back: {hint}", quiet=call.quiet)


def _agree(consent: "ShareConsent", *, abroad: bool, yes: bool) -> None:
    """A yes from the person, and one of its own where the data go to another country.

    Raises:
        PolicyError: there is none.
    """
    from ksos_link.operations.share_consent import is_abroad

    if not yes:
        if not can_ask():
            raise PolicyError("A consent needs your yes; nothing was changed.", "Say --yes.")
        agree("Do you consent?")
    if is_abroad(consent) and not abroad:
        if yes or not can_ask():
            raise PolicyError(
                "The receiver is in another country; nothing was changed.",
                "If that is what you want, say --abroad too.",
            )
        agree(f"May it go from {consent.home_region} to {consent.region}?")


def _what_stays(receiver: "Receiver") -> str:
    match receiver.kind:
        case "strava":
            return "what is at Strava stays there; revoke ksos too: www.strava.com/settings/apps"
        case "mqtt":
            return (
                "the broker keeps the last readings; `ksos share mqtt HOST --remove`, with the"
                " consent given once more, makes it forget them"
            )
        case "mail":
            return "letters that were sent stay with their recipient"
        case _:
            return "files that were written stay in that folder"


def _consent_json(one: "ShareConsent") -> dict[str, object]:
    withdrawn = one.withdrawn_utc_s
    return {
        "receiver": one.receiver,
        "data": list(one.data),
        "region": one.region,
        "home_region": one.home_region,
        "given_utc": render.utc_text(one.given_utc_s),
        "withdrawn_utc": None if withdrawn is None else render.utc_text(withdrawn),
    }
