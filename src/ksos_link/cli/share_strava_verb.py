"""`ksos share strava`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ksos_link.cli import render
from ksos_link.cli.command import JsonLines
from ksos_link.cli.days import FirstDay, LastDay, day_from
from ksos_link.cli.invocation import Invocation, ask_secret, can_ask, invocation
from ksos_link.cli.share_options import FormatOption, source_for
from ksos_link.errors import RefusedError, UsageError
from ksos_link.operations.local_time import local_now

if TYPE_CHECKING:
    from ksos_link.operations.share_strava import Uploaded
    from ksos_link.operations.share_strava_link import StravaLink

SECRET_VARIABLE: Final = "KSOS_STRAVA_SECRET"  # noqa: S105 the name of a variable
_CONNECT_WAIT_S: Final = 300.0


def strava(  # noqa: PLR0913, PLR0917 each is an option
    ctx: typer.Context,
    first: FirstDay = None,
    last: LastDay = None,
    form: FormatOption = "fit",
    again: Annotated[bool, typer.Option("--again", help="Send even what went before.")] = False,
    connect: Annotated[
        bool, typer.Option("--connect", help="Agree at Strava, in the browser; send nothing.")
    ] = False,
    disconnect: Annotated[
        bool, typer.Option("--disconnect", help="Give the permission back; send nothing.")
    ] = False,
    client_id: Annotated[
        int | None,
        typer.Option(
            "--client-id",
            metavar="N",
            min=1,
            max=10**15,
            help="Of your own API application: www.strava.com/settings/api",
        ),
    ] = None,
    json: JsonLines = False,
) -> None:
    """Send the workouts of some days to Strava, each once. Needs your consent."""
    from ksos_link.operations import share_strava, share_strava_link
    from ksos_link.operations.read_out import span_of_days
    from ksos_link.operations.share_consent import STRAVA, Receiver, check_data, check_share
    from ksos_link.operations.share_secrets import ShareSecrets

    call = invocation(ctx)
    taken = share_strava.strava_format(form)
    span = span_of_days(day_from(first, "--from"), day_from(last, "--to"))
    if first is None and not (connect or disconnect):
        raise UsageError("Which days?", "Say --from DAY, such as --from yesterday.")
    call.open_log("share")
    with call.store_if_any() as opened:  # before the keyring, and long before the network
        check_data(check_share(opened, Receiver(STRAVA)), ["workout"])
    shelf = ShareSecrets(call.home)
    with share_strava_link.StravaLink(shelf, share_strava_link.PLACE) as link:
        if connect:
            _connect(call, link, client_id)
            return
        link.renew(share_strava_link.kept_tokens(shelf), local_now().timestamp())
        if disconnect:
            link.disconnect()
            shelf.drop(STRAVA)
            render.print_line("Strava is not connected any more.")
            return
        with call.open_store(create=False) as store:
            consent = check_share(store, Receiver(STRAVA))
            source = source_for(call, store, consent, span)
            _tell(
                share_strava.upload_workouts(store, consent, source, taken, link, again=again),
                json=json,
            )


def _connect(call: Invocation, link: "StravaLink", client_id: int | None) -> None:
    if client_id is None:
        raise UsageError(
            "Which API application is yours?",
            "Make one at www.strava.com/settings/api (callback domain 127.0.0.1) and say"
            " --client-id N.",
        )
    secret = call.env.get(SECRET_VARIABLE)
    if not secret:
        if not can_ask():
            raise UsageError(
                "There is no client secret.", f"Set {SECRET_VARIABLE}, or use a terminal."
            )
        secret = ask_secret("Client secret: ")

    def browse(url: str) -> None:
        import webbrowser

        render.note(f"agree at   {url}")
        webbrowser.open(url)

    link.connect(client_id, secret, browse, _CONNECT_WAIT_S)
    render.print_line("Strava is connected. Nothing was sent yet.")


def _tell(uploads: "Iterator[Uploaded]", *, json: bool) -> None:
    """Each as it comes: what stands there is true even where the next one fails.

    Raises:
        RefusedError: some were not taken.
    """
    from ksos_link.operations.share_ledger import ALREADY_THERE, SENT

    columns = ("item", "sport_type", "outcome", "activity_id", "remark")
    failed = 0
    for one in uploads:
        failed += one.outcome not in (SENT, ALREADY_THERE)
        row = (one.item, one.sport_type, one.outcome, one.activity_id, one.remark)
        if json:
            render.print_json(dict(zip(columns, row, strict=True)))
        else:
            shown = [render.cell_text(cell) for cell in row]
            number = f", activity {shown[3]}" if shown[3] else ""
            remark = f" ({shown[4]})" if shown[4] else ""
            render.print_line(f"{shown[0]}: {shown[2]}, {shown[1]}{number}{remark}")
        render.flush()
    if failed:
        raise RefusedError(
            f"{render.counted(failed, 'workout')} did not become an activity.",
            "What is listed as sent is there; repeating is safe.",
        )
