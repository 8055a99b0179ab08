"""The passphrase of files that leave the store; the store's own is another one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ksos_link.cli.invocation import Invocation, ask_secret, can_ask
from ksos_link.errors import UsageError

if TYPE_CHECKING:
    from ksos_link.age.sealed import Sealing

EncryptOption = Annotated[
    list[str] | None,
    typer.Option(
        "--encrypt",
        metavar="FOR",
        help="Encrypt with age: passphrase, or age1... of a reader; may be given again.",
    ),
]
VARIABLE: Final = "KSOS_EXPORT_PASSPHRASE"


def sealing_from(call: Invocation, words: Sequence[str]) -> "Sealing | None":
    """Whom it is encrypted for; without that, the slow libraries are not even imported.

    Raises:
        UsageError: no such reader, or no passphrase.
    """
    if not words:
        return None
    from ksos_link.operations.sealing import sealing_for

    return sealing_for(words, lambda: export_passphrase(call, new=True))


def export_passphrase(call: Invocation, *, new: bool) -> str:
    """From the environment, or asked for; a new one twice.

    Raises:
        UsageError: there is none, it is empty, or the two differ.
    """
    given = call.env.get(VARIABLE)
    if given is None and not can_ask():
        raise UsageError("There is no passphrase for the file.", f"Set {VARIABLE}.")
    passphrase = ask_secret("Passphrase for the file:") if given is None else given
    if not passphrase:
        raise UsageError("An empty passphrase protects nothing.", "Choose another one.")
    if new and given is None and ask_secret("The same once more:") != passphrase:
        raise UsageError("The two passphrases differ.", "Nothing was written; try again.")
    return passphrase
