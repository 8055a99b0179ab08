"""`ksos contact`: the watch's phone book."""

import csv
from pathlib import Path
from typing import Annotated, Final

import typer

from ksos_link.cli.acting import act, print_done
from ksos_link.cli.at_watch import Experimental, at_watch
from ksos_link.cli.command import OneJson, epilog, open_app
from ksos_link.cli.invocation import invocation
from ksos_link.config import path_from
from ksos_link.errors import MalformedError, NotFoundError, RefusedError

app = open_app("The watch's phone book: list, set; where a watch has one.")
MOST_BYTES: Final = 1 << 20
MOST_CONTACTS: Final = 1000


@app.command(name="list", epilog=epilog("ksos contact list"))
def list_contacts(ctx: typer.Context) -> None:
    """List the contacts on the watch. How they are read was never published."""
    from ksos_link.operations.open_watch import OpenWatch

    call = invocation(ctx)
    call.open_log("contact")

    async def job(watch: OpenWatch) -> None:
        if "contacts" not in watch.info.capabilities:
            raise RefusedError(
                "This watch has no phone book (capability contacts).",
                "`ksos device info` lists what it can do.",
            )
        raise RefusedError(
            "How contacts are read from this kind of watch was never published.",
            "A capture of the vendor's app doing it would show it: see the manual, Captures.",
        )

    at_watch(call, job)


@app.command(name="set", epilog=epilog("ksos contact set contacts.csv    (columns: name,phone)"))
def set_contacts(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV with name and phone.")],
    experimental: Experimental = False,
    json: OneJson = False,
) -> None:
    """Put contacts into the watch, in place of those that it has. Nothing of them is kept here."""
    from firmware_protocol.actions import SetContacts

    call = invocation(ctx)
    contacts = read_contacts(path_from(file))
    call.open_log("contact")
    events = act(call, SetContacts(contacts), experimental=experimental)
    print_done("The watch has them.", events, call, json=json)


def read_contacts(path: Path) -> tuple[tuple[str, str], ...]:
    """Names and numbers of a CSV file.

    Raises:
        NotFoundError: there is no such file.
        MalformedError: it has no columns name and phone, or is far too long.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise NotFoundError(f"There is no file {path.name} that can be read.") from error
    except UnicodeDecodeError as error:
        raise MalformedError("The file is no text in UTF-8.") from error
    rows = csv.DictReader(text.splitlines())
    if not {"name", "phone"} <= set(rows.fieldnames or ()):
        raise MalformedError("The file needs the columns name and phone.", "name,phone")
    try:
        contacts = tuple((row["name"] or "", row["phone"] or "") for row in rows)
    except csv.Error as error:
        raise MalformedError(f"The file is no CSV: {error}.") from error
    if len(text) > MOST_BYTES or len(contacts) > MOST_CONTACTS:
        raise MalformedError(f"The file has more than {MOST_CONTACTS} contacts.")
    return contacts
