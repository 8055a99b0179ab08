"""Whom an encrypted export is for, and what opens one."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from ksos_link.age.keys import Identity, Passphrase, Recipient, read_identities
from ksos_link.age.sealed import Sealing
from ksos_link.errors import NotFoundError, UsageError

PASSPHRASE: Final = "passphrase"  # noqa: S105 a word of the command line
_MOST_IDENTITY_BYTES: Final = 1 << 20


def sealing_for(words: Sequence[str], passphrase: Callable[[], str]) -> Sealing | None:
    """For whom an export is encrypted: `passphrase`, or `age1...` of any number; None for none.

    Raises:
        UsageError: a word that is neither, or both kinds at once.
    """
    if not words:
        return None
    if PASSPHRASE not in words:
        return Sealing([Recipient.read(word) for word in words])
    if len(words) > 1:
        raise UsageError("A file has either a passphrase or recipients.", "Choose one kind.")
    return Sealing([Passphrase(passphrase())])


def identities_from(path: Path) -> list[Identity]:
    """The keys in a file that age-keygen wrote.

    Raises:
        NotFoundError: there is no such file.
        UsageError: it cannot be read, or holds none.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_IDENTITY_BYTES).decode("utf-8", "replace")
    except FileNotFoundError as error:
        raise NotFoundError("There is no such file of identities.", "Check its name.") from error
    except OSError as error:
        raise UsageError("The file of identities cannot be read.", "Check who owns it.") from error
    return read_identities(text)
