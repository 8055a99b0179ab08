"""Tokens and passwords of receivers: in the keyring of the operating system, and nowhere else."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from ksos_link.config import Home
from ksos_link.errors import StoreError
from ksos_link.store.keys import KEYRING_SERVICE, Keyring, working_keyring


def home_id(home: Home) -> str:
    """What tells two homes of one machine apart, and says nothing of either."""
    return hashlib.sha256(str(home.folder.absolute()).encode()).hexdigest()[:16]


class ShareSecrets:
    """The secrets of one home: two homes on one machine belong to two people."""

    def __init__(self, home: Home, keyring: Callable[[], Keyring | None] = working_keyring) -> None:
        self._stem = home_id(home)
        self._keyring = keyring

    def get(self, receiver: str) -> str | None:
        """What is kept for a receiver; None where nothing is, or where there is no keyring."""
        backend = self._keyring()
        if backend is None:
            return None
        try:
            return backend.get_password(KEYRING_SERVICE, self._entry(receiver))
        except Exception as error:
            raise _failed() from error

    def put(self, receiver: str, secret: str) -> None:
        """Keep a secret.

        Raises:
            StoreError: there is no keyring, or it does not take it; it is kept nowhere else.
        """
        backend = self.needed()
        try:
            backend.set_password(KEYRING_SERVICE, self._entry(receiver), secret)
            kept = backend.get_password(KEYRING_SERVICE, self._entry(receiver)) == secret
        except Exception as error:
            raise _failed() from error
        if not kept:
            raise _failed()

    def drop(self, receiver: str) -> None:
        """Forget what is kept for a receiver; where nothing is, that is well.

        Raises:
            StoreError: the keyring still has it.
        """
        if self.get(receiver) is None:
            return
        try:
            self.needed().delete_password(KEYRING_SERVICE, self._entry(receiver))
        except Exception as error:
            raise _failed() from error

    def needed(self) -> Keyring:
        """The keyring.

        Raises:
            StoreError: there is none.
        """
        backend = self._keyring()
        if backend is None:
            raise StoreError(
                "There is no keyring here, and tokens and passwords are kept nowhere else.",
                "Log in to a desktop that has one (`ksos doctor` looks for it), and try again.",
            )
        return backend

    def _entry(self, receiver: str) -> str:
        """The receiver's name may be an address: the keyring shows a digest of it."""
        return f"share-{self._stem}-{hashlib.sha256(receiver.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Login:
    """Who a server knows, and their password. `entry` names it in the keyring."""

    entry: str
    host: str
    user: str

    def kept(self, shelf: ShareSecrets) -> str | None:
        """The password that was kept for exactly this server and user."""
        try:
            kept = json.loads(shelf.get(self.entry) or "null")
        except ValueError:
            return None
        if not isinstance(kept, dict) or (kept.get("host"), kept.get("user")) != (
            self.host,
            self.user,
        ):
            return None
        return str(kept.get("password"))

    def keep(self, shelf: ShareSecrets, password: str) -> None:
        """Keep it, in place of another one.

        Raises:
            StoreError: see `ShareSecrets.put`.
        """
        kept = {"host": self.host, "user": self.user, "password": password}
        shelf.put(self.entry, json.dumps(kept))


def _failed() -> StoreError:
    return StoreError(
        "The keyring does not answer, or does not keep what it gets.",
        "Unlock it (log in to the desktop), then run this again; nothing was changed.",
    )
