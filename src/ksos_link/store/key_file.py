"""The key file: the database key wrapped by a secret, or the note that the keyring holds it.

The database key is 32 random bytes. It is wrapped with AES-256-GCM; the wrapping key comes from a
passphrase through scrypt, or from a secret of 32 random bytes through HKDF-SHA256 (nothing to
stretch there). All that stands in the file beside the wrapped key is authenticated with it.
"""

import json
import os
import unicodedata
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path
from typing import Final

from ksos_link.config import OWNER_ONLY_FILE
from ksos_link.errors import StoreError

FORMAT: Final = "ksos-link store key"
VERSION: Final = 1
MAX_KEY_FILE_BYTES: Final = 4096
KEY_ID_BYTES: Final = 16
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12  # the size AES-GCM is made for
# OWASP's scrypt settings with 32 MiB: as costly to guess as 128 MiB at p = 1
SCRYPT_N: Final = 2**15
SCRYPT_R: Final = 8
SCRYPT_P: Final = 3
# a forged file must not eat the machine: eight times our memory, ten times our time
MAX_SCRYPT_BYTES: Final = 2**28
MAX_SCRYPT_WORK: Final = 2**30  # memory times p
_HKDF_INFO: Final = b"ksos-link store key v1"


@unique
class Holder(StrEnum):
    """What opens the store."""

    PASSPHRASE = "passphrase"  # noqa: S105 a name
    SECRET_FILE = "secret_file"  # noqa: S105 a name
    KEYRING = "keyring"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The content of a key file. `key_id` names the key, in the keyring too; it is no secret."""

    holder: Holder
    key_id: str
    salt: bytes = b""
    nonce: bytes = b""
    wrapped_key: bytes = b""
    scrypt: tuple[int, int, int] = (0, 0, 0)  # n, r, p

    def head(self) -> dict[str, object]:
        """Everything but the wrapped key, as it stands in the file."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "holder": self.holder.value,
            "key_id": self.key_id,
            "salt": self.salt.hex(),
            "scrypt": list(self.scrypt),
            "nonce": self.nonce.hex(),
        }


def keyring_note() -> KeyFile:
    """Return a fresh key file for a key that the keyring will hold."""
    return KeyFile(Holder.KEYRING, os.urandom(KEY_ID_BYTES).hex())


def wrap(key: bytes, holder: Holder, secret: bytes) -> KeyFile:
    """Wrap a database key with a passphrase (UTF-8) or with 32 random bytes."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    scrypt = (SCRYPT_N, SCRYPT_R, SCRYPT_P) if holder is Holder.PASSPHRASE else (0, 0, 0)
    head = KeyFile(
        holder,
        os.urandom(KEY_ID_BYTES).hex(),
        salt=os.urandom(SALT_BYTES),
        nonce=os.urandom(NONCE_BYTES),
        scrypt=scrypt,
    )
    wrapped = AESGCM(_wrapping_key(head, secret)).encrypt(head.nonce, key, _authenticated(head))
    return KeyFile(head.holder, head.key_id, head.salt, head.nonce, wrapped, head.scrypt)


def unwrap(key_file: KeyFile, secret: bytes) -> bytes | None:
    """Return the database key, or None where the secret is wrong (or the file was altered)."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher = AESGCM(_wrapping_key(key_file, secret))
    try:
        return cipher.decrypt(key_file.nonce, key_file.wrapped_key, _authenticated(key_file))
    except InvalidTag:
        return None


def passphrase_bytes(text: str) -> bytes:
    """Return the bytes of a passphrase, the same on every keyboard and system."""
    return unicodedata.normalize("NFC", text).encode("utf-8", "surrogateescape")


def read_key_file(path: Path) -> KeyFile:
    """Read a key file.

    Raises:
        StoreError: it is missing, unreadable or damaged.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_KEY_FILE_BYTES + 1)
    except FileNotFoundError as error:
        raise StoreError(
            "The key file of the store is missing; without it the store cannot be opened.",
            f"Put {path.name} back, or bring back a backup with `ksos store restore`.",
        ) from error
    except OSError as error:
        raise StoreError(
            f"The key file of the store cannot be read: {os.strerror(error.errno or 0)}.",
            "Check who owns it.",
        ) from error
    return key_file_from(data)


def key_file_from(data: bytes) -> KeyFile:
    """Read the content of a key file.

    Raises:
        StoreError: it is damaged or of a newer version.
    """
    try:
        fields = json.loads(data)
        if fields["format"] == FORMAT and fields["version"] > VERSION:
            raise StoreError("The key file is of a newer ksos.", "Install the newer ksos-link.")
        n, r, p = (int(number) for number in fields["scrypt"])
        key_file = KeyFile(
            Holder(fields["holder"]),
            str(fields["key_id"]),
            bytes.fromhex(fields["salt"]),
            bytes.fromhex(fields["nonce"]),
            bytes.fromhex(fields["wrapped_key"]),
            (n, r, p),
        )
        sound = (fields["format"], fields["version"]) == (FORMAT, VERSION) and _sound(key_file)
    except (ArithmeticError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise _damaged() from error
    if not sound:
        raise _damaged()
    return key_file


def key_file_bytes(key_file: KeyFile) -> bytes:
    """Return the content of a key file."""
    fields = {**key_file.head(), "wrapped_key": key_file.wrapped_key.hex()}
    return (json.dumps(fields, indent=2) + "\n").encode()


def write_key_file(path: Path, key_file: KeyFile) -> None:
    """Write a key file whole or not at all; a crash leaves the old one.

    Raises:
        StoreError: it cannot be written.
    """
    write_owner_only(path, key_file_bytes(key_file))


def write_owner_only(path: Path, data: bytes) -> None:
    """Put a small secret file in place by rename, readable to its owner only.

    Raises:
        StoreError: it cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY_FILE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error


def create_owner_only(path: Path, data: bytes) -> None:
    """Make a small secret file unless there is one; of several programs at once one makes it.

    Raises:
        StoreError: it cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY_FILE)
    except FileExistsError:
        return
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise _unwritable(path, error) from error


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power cut, where the system knows how."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _wrapping_key(key_file: KeyFile, secret: bytes) -> bytes:
    if key_file.holder is Holder.PASSPHRASE:
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        n, r, p = key_file.scrypt
        return Scrypt(salt=key_file.salt, length=32, n=n, r=r, p=p).derive(secret)
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), 32, key_file.salt, _HKDF_INFO).derive(secret)


def _authenticated(key_file: KeyFile) -> bytes:
    return json.dumps(key_file.head(), sort_keys=True).encode()


def _sound(key_file: KeyFile) -> bool:
    n, r, p = key_file.scrypt
    if key_file.holder is Holder.KEYRING:
        return bool(key_file.key_id)
    if key_file.holder is Holder.PASSPHRASE and not (
        min(n - 1, r, p) > 0
        and n & (n - 1) == 0
        and n.bit_length() <= 16 * r  # RFC 7914, section 6
        and 128 * n * r <= MAX_SCRYPT_BYTES
        and 128 * n * r * p <= MAX_SCRYPT_WORK
    ):
        return False
    return (
        len(key_file.salt) == SALT_BYTES
        and len(key_file.nonce) == NONCE_BYTES
        and len(key_file.wrapped_key) == 32 + 16
    )


def _unwritable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"The file {path.name} cannot be written: {os.strerror(error.errno or 0)}.",
        "Check the room on the disk and who owns the folder.",
    )


def _damaged() -> StoreError:
    return StoreError(
        "The key file of the store is damaged.", "`ksos store restore` brings back a backup."
    )
