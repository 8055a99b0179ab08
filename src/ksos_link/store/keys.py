"""Finding the secret that wraps the database key: environment, file, keyring, or a person.

| When | Order |
|---|---|
| a store or backup is made | `KSOS_PASSPHRASE`, `KSOS_KEY_FILE`, a working keyring, a question |
| a store is opened | whatever its key file says; a passphrase from the same places |

`KSOS_KEY_FILE` names a file that holds 64 hex digits (32 random bytes; made if it is not there) or
else a passphrase. A backup never leans on a keyring, because it must open on another machine.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

from ksos_link.config import create_folder, path_from
from ksos_link.errors import StoreError
from ksos_link.store.dbapi import KEY_BYTES
from ksos_link.store.key_file import (
    Holder,
    KeyFile,
    create_owner_only,
    keyring_note,
    passphrase_bytes,
    unwrap,
    wrap,
)

KEYRING_SERVICE: Final = "ksos-link"
ASK_ATTEMPTS: Final = 3  # as login and ssh do
MAX_SECRET_FILE_BYTES: Final = 4096
Ask = Callable[[str], str]


class Keyring(Protocol):
    """What we use of the `keyring` package's backends."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return what is held, or None."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Hold a password."""

    def delete_password(self, service: str, username: str) -> None:
        """Drop it."""


def working_keyring() -> Keyring | None:
    """Return the operating system's key store, or None where there is none worth the name."""
    import keyring

    try:
        backend = keyring.get_keyring()
        # a chain falls back from its best link to worse ones, down to plain text
        backend = next(iter(getattr(backend, "backends", ())), backend)
        priority = backend.priority
    except Exception:  # noqa: BLE001 a backend that fails in any way is not working
        return None
    # below 1 are the backends that fail, that keep nothing, and that keep plain text
    return backend if priority >= 1 else None


class SecretSource:
    """Wraps and unwraps database keys with what this person and machine can give.

    `ask` shows a prompt and returns what was typed; give it only where stdin is a terminal.
    """

    def __init__(
        self,
        env: Mapping[str, str],
        *,
        ask: Ask | None = None,
        keyring: Callable[[], Keyring | None] = working_keyring,
    ) -> None:
        self._passphrase = env.get("KSOS_PASSPHRASE") or None
        named = env.get("KSOS_KEY_FILE")
        self._secret_file = path_from(named).absolute() if named else None
        self._ask = ask
        self._keyring = keyring

    def wrap_new(self, key: bytes, *, portable: bool = False) -> KeyFile:
        """Wrap a key with the first secret there is; `portable` leaves the keyring out.

        Raises:
            StoreError: there is none.
        """
        if self._passphrase is None and self._secret_file is not None:
            create_folder(self._secret_file.parent)
            create_owner_only(self._secret_file, os.urandom(KEY_BYTES).hex().encode() + b"\n")
            return self._wrap_by_file(key, self._secret_file)
        if self._passphrase is None and not portable:
            note = self._into_keyring(key)
            if note is not None:
                return note
        if self._passphrase is None:
            self._passphrase = self._new_passphrase()
        return wrap(key, Holder.PASSPHRASE, passphrase_bytes(self._passphrase))

    def wrap_like(self, known: KeyFile, key: bytes) -> KeyFile:
        """Wrap another key with the secret that opened `known`.

        Raises:
            StoreError: the secret is no longer there.
        """
        if known.holder is Holder.KEYRING:
            note = self._into_keyring(key)
            if note is None:
                raise _no_keyring()
            return note
        if known.holder is Holder.SECRET_FILE:
            return wrap(key, Holder.SECRET_FILE, self._file_secret())
        if self._passphrase is None:
            raise StoreError("The passphrase is not known any more.", "Open the store first.")
        return wrap(key, Holder.PASSPHRASE, passphrase_bytes(self._passphrase))

    def unwrap(self, key_file: KeyFile) -> bytes:
        """Return the database key.

        Raises:
            StoreError: the secret is wrong, or there is none.
        """
        if key_file.holder is Holder.KEYRING:
            return self._from_keyring(key_file)
        if key_file.holder is Holder.SECRET_FILE:
            key = unwrap(key_file, self._file_secret())
            if key is None:
                raise StoreError(
                    "The file named by KSOS_KEY_FILE does not open this store.",
                    "Name the file that the store was made with.",
                )
            return key
        return self._unwrap_by_passphrase(key_file)

    def forget(self, key_file: KeyFile) -> None:
        """Drop what the keyring holds for a key that is no longer used."""
        backend = self._keyring() if key_file.holder is Holder.KEYRING else None
        if backend is not None:
            try:
                backend.delete_password(KEYRING_SERVICE, key_file.key_id)
            except Exception:  # noqa: BLE001 the entry opens nothing any more
                return

    def _unwrap_by_passphrase(self, key_file: KeyFile) -> bytes:
        given = self._passphrase
        if given is None and self._secret_file is not None:
            secret = _read_secret_file(self._secret_file)
            given = secret if isinstance(secret, str) else None
        attempts = 1 if given is not None else ASK_ATTEMPTS
        for _ in range(attempts):
            passphrase = given if given is not None else self._asked("Passphrase of the store: ")
            key = unwrap(key_file, passphrase_bytes(passphrase))
            if key is not None:
                self._passphrase = passphrase
                return key
        raise StoreError(
            "The passphrase does not open this store.",
            "Nothing was changed. Check KSOS_PASSPHRASE, capitals and the keyboard layout.",
        )

    def _wrap_by_file(self, key: bytes, path: Path) -> KeyFile:
        secret = _read_secret_file(path)
        if isinstance(secret, str):
            self._passphrase = secret
            return wrap(key, Holder.PASSPHRASE, passphrase_bytes(secret))
        return wrap(key, Holder.SECRET_FILE, secret)

    def _file_secret(self) -> bytes:
        if self._secret_file is None:
            raise StoreError(
                "This store opens with a secret file.", "Name that file in KSOS_KEY_FILE."
            )
        secret = _read_secret_file(self._secret_file)
        if isinstance(secret, str):
            raise StoreError(
                "The file named by KSOS_KEY_FILE does not hold the secret of this store.",
                "It must hold the 64 hex digits that it held when the store was made.",
            )
        return secret

    def _into_keyring(self, key: bytes) -> KeyFile | None:
        backend = self._keyring()
        if backend is None:
            return None
        note = keyring_note()
        try:
            backend.set_password(KEYRING_SERVICE, note.key_id, key.hex())
            kept = backend.get_password(KEYRING_SERVICE, note.key_id) == key.hex()
        except Exception:  # noqa: BLE001 a keyring that fails in any way is none
            return None
        return note if kept else None

    def _from_keyring(self, key_file: KeyFile) -> bytes:
        backend = self._keyring()
        if backend is None:
            raise _no_keyring()
        try:
            held = backend.get_password(KEYRING_SERVICE, key_file.key_id)
        except Exception as error:
            raise _no_keyring() from error
        try:
            key = bytes.fromhex(held or "")
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise StoreError(
                "The keyring does not hold the key of this store.",
                "Open the store as the user and on the machine that made it, or restore a backup.",
            )
        return key

    def _new_passphrase(self) -> str:
        passphrase = self._asked("New passphrase for the store: ")
        if not passphrase:
            raise StoreError("An empty passphrase protects nothing.", "Choose another one.")
        if self._asked("The same once more: ") != passphrase:
            raise StoreError("The two passphrases differ.", "Nothing was changed; try again.")
        return passphrase

    def _asked(self, prompt: str) -> str:
        if self._ask is None:
            raise StoreError(
                "There is no passphrase for the store.",
                "Set KSOS_PASSPHRASE, or KSOS_KEY_FILE to the path of a secret file.",
            )
        return self._ask(prompt)


def _read_secret_file(path: Path) -> str | bytes:
    """Return 32 bytes, or a passphrase where the file does not hold 64 hex digits."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SECRET_FILE_BYTES + 1)
        text = data.decode("utf-8-sig").rstrip("\r\n")
    except OSError as error:
        raise StoreError(
            f"The file named by KSOS_KEY_FILE cannot be read: {os.strerror(error.errno or 0)}.",
            "Name the file that the store was made with.",
        ) from error
    except UnicodeDecodeError as error:
        raise StoreError(
            "The file named by KSOS_KEY_FILE holds no text.",
            "It must hold 64 hex digits or a passphrase.",
        ) from error
    if not text or len(data) > MAX_SECRET_FILE_BYTES:
        raise StoreError(
            "The file named by KSOS_KEY_FILE is empty or too long.",
            "It must hold 64 hex digits or a passphrase.",
        )
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        return text
    return secret if len(secret) == KEY_BYTES and len(text) == 2 * KEY_BYTES else text


def _no_keyring() -> StoreError:
    return StoreError(
        "The keyring that holds the key of the store does not answer.",
        "Unlock it (log in to the desktop), then run this again; `ksos doctor` checks it.",
    )
