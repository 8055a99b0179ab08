"""The passphrase of files that leave the store; the store's own is another one."""

from typing import Final

from ksos_link.cli.invocation import Invocation, ask_secret, can_ask
from ksos_link.errors import UsageError

VARIABLE: Final = "KSOS_EXPORT_PASSPHRASE"


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
