"""`ksos share mqtt`."""

from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.command import OneJson
from ksos_link.cli.invocation import invocation
from ksos_link.cli.share_options import (
    CaFile,
    KeepPassword,
    User,
    password_of,
    path_or_none,
    print_result,
)

if TYPE_CHECKING:
    from ksos_link.store.database import Store


def mqtt(  # noqa: PLR0913, PLR0917 each is an option
    ctx: typer.Context,
    host: Annotated[str, typer.Argument(metavar="HOST", help="The broker's name or address.")],
    port: Annotated[
        int | None,
        typer.Option(
            "--port", metavar="N", min=1, max=65_535, help="Else 8883, or 1883 with --no-tls."
        ),
    ] = None,
    no_tls: Annotated[
        bool, typer.Option("--no-tls", help="Unencrypted, to this machine only.")
    ] = False,
    ca_file: CaFile = None,
    user: User = None,
    keep_password: KeepPassword = False,
    every_min: Annotated[
        float | None,
        typer.Option(
            "--every-min",
            metavar="MINUTES",
            min=1,
            max=1440,
            help="Stay connected and do it again and again.",
            show_default=False,
        ),
    ] = None,
    remove: Annotated[
        bool, typer.Option("--remove", help="Make the broker forget all; send nothing.")
    ] = False,
    json: OneJson = False,
) -> None:
    """Tell the newest readings to a broker, for Home Assistant. Needs your consent."""
    from ksos_link.operations import share_mqtt
    from ksos_link.operations.share_consent import check_share, receiver_named
    from ksos_link.operations.share_secrets import Login

    call = invocation(ctx)
    receiver = receiver_named(f"mqtt:{host}")
    chosen = port or (share_mqtt.PLAIN_PORT if no_tls else share_mqtt.TLS_PORT)
    share_mqtt.Broker(receiver.address, chosen, not no_tls)  # refused before a password is asked
    call.open_log("share")
    with call.store_if_any() as opened:
        consent = check_share(opened, receiver)
    login = None if user is None else Login(receiver.name, receiver.address, user)
    password, keep = password_of(call, login, keep=keep_password)
    broker = share_mqtt.Broker(
        receiver.address, chosen, not no_tls, path_or_none(ca_file), user, password
    )

    def open_store() -> "Store":
        return call.open_store(create=False)

    if remove:
        topics = share_mqtt.remove(open_store, broker)
        print_result("The broker has forgotten it.", {"topics": topics}, json=json)
        return
    told = ", ".join(consent.data)
    render.note(f"shares     the newest {told}, with {receiver.name}", quiet=call.quiet)

    def tell(readings: int) -> None:
        keep()
        print_result("The broker has the newest readings.", {"readings": readings}, json=json)
        render.flush()

    every_s = None if every_min is None else every_min * 60
    share_mqtt.publish(open_store, broker, call.device_name, every_s=every_s, tell=tell)
