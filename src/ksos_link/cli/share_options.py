"""What the verbs of `ksos share` share: options, passwords, and what is told before it goes."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ksos_link.cli import render
from ksos_link.cli.invocation import Invocation, ask_secret, can_ask
from ksos_link.config import path_from
from ksos_link.errors import UsageError

if TYPE_CHECKING:
    from ksos_link.operations.read_out import Span
    from ksos_link.operations.share_secrets import Login
    from ksos_link.operations.share_source import ConsentedSource
    from ksos_link.store.database import Store
    from ksos_link.store.sharing import ShareConsent

PASSWORD_VARIABLE: Final = "KSOS_SHARE_PASSWORD"  # noqa: S105 the name of a variable
FormatOption = Annotated[
    str, typer.Option("--format", metavar="FORMAT", help="One of `ksos export --formats`.")
]
CaFile = Annotated[
    Path | None,
    typer.Option("--ca-file", metavar="FILE", help="Who signs the server's certificate."),
]
User = Annotated[
    str | None, typer.Option("--user", metavar="NAME", help="As whom the server knows you.")
]
KeepPassword = Annotated[
    bool,
    typer.Option("--keep-password", help="Keep the password in the keyring, once it worked."),
]
Show = Annotated[bool, typer.Option("--show", help="Then let the desktop open it.")]


def path_or_none(path: Path | None) -> Path | None:
    """A path of an option, `~` resolved."""
    return None if path is None else path_from(path)


def source_for(
    call: Invocation,
    store: "Store",
    consent: "ShareConsent",
    span: "Span",
    metrics: "list[str] | None" = None,
) -> "ConsentedSource":
    """What the receiver may get of the chosen watch, days and metrics; told before it goes.

    Raises:
        PolicyError: a metric that the consent does not cover.
    """
    from ksos_link.operations.share_consent import check_data
    from ksos_link.operations.share_source import consented_source

    check_data(consent, metrics or ())
    chosen = [name for name in consent.data if name in (metrics or consent.data)]
    device = call.chosen_device(store) if call.device_name else None
    render.note(f"shares     {', '.join(chosen)}, with {consent.receiver}", quiet=call.quiet)
    return consented_source(store, consent, device, span, chosen)


def password_of(
    call: Invocation, login: "Login | None", *, keep: bool
) -> tuple[str | None, Callable[[], None]]:
    """A password from the environment, the keyring or a question; and what keeps it, if asked for.

    Raises:
        UsageError: there is none.
        StoreError: it is to be kept, and there is no keyring.
    """
    from ksos_link.operations.share_secrets import ShareSecrets

    if login is None:
        if keep:
            raise UsageError("Whose password?", "Say --user NAME.")
        return None, lambda: None
    shelf = ShareSecrets(call.home)
    if keep:
        shelf.needed()
    password = call.env.get(PASSWORD_VARIABLE) or login.kept(shelf)
    if password is None:
        if not can_ask():
            raise UsageError(
                "There is no password for that user.",
                f"Set {PASSWORD_VARIABLE}, or use a terminal.",
            )
        password = ask_secret("Password: ")
    worked = password
    return password, lambda: login.keep(shelf, worked) if keep else None


def print_result(words: str, facts: dict[str, object], *, json: bool) -> None:
    """One sentence, or one JSON object."""
    if json:
        render.print_json(facts)
    else:
        render.print_line(words)


def show_path(call: Invocation, path: Path) -> None:
    """Let the desktop open it; where there is none, say where it lies."""
    from ksos_link.operations.share_desktop import show_on_desktop

    if not show_on_desktop(path):
        render.note("note       no desktop took it; open it by yourself", quiet=call.quiet)
