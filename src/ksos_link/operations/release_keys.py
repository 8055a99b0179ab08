"""Ed25519 keys of releases: made, read, and what they sign: exactly a manifest's bytes.

A signature lies beside its manifest as `NAME.sig`: 64 raw bytes, so that other programs verify it
too. Keys are PEM: PKCS #8, encrypted where there is a passphrase, and SubjectPublicKeyInfo.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from firmware_protocol.images.signatures import key_digest, verifies
from ksos_link.config import OWNER_ONLY_FILE, is_of_a_store, is_there
from ksos_link.errors import MalformedError, NotFoundError, StoreError, UsageError
from ksos_link.operations.firmware_file import MAX_KEY_BYTES, read_limited, read_public_key

SIGNATURE_BYTES: Final = 64
SIGNATURE_ENDING: Final = ".sig"
PUBLIC_ENDING: Final = ".pub"
_FOR_ALL: Final = 0o666  # less the umask: a public key and a signature are no secrets
_MOST_PASSPHRASE_BYTES: Final = 1000  # more than 1023 no PEM takes
_KEY_HINT: Final = "Make a pair: ksos release key FILE"


@unique
class Signature(StrEnum):
    """What is known of a manifest's signature."""

    VERIFIED = "verified"
    WRONG = "wrong"
    ABSENT = "absent"
    UNCHECKED = "unchecked"  # there is one, and no key was given


@dataclass(frozen=True, slots=True)
class ReleaseKey:
    """A public key that somebody trusts, with the file that it came from."""

    path: Path
    key: Ed25519PublicKey

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the key's DER bytes, in hex."""
        return key_digest(self.key).hex()


def make_pair(path: Path, passphrase: bytes = b"") -> ReleaseKey:
    """Make a private key at `path`, owner-only, and its public one beside it, `path.pub`.

    Raises:
        UsageError: one of them is there already, or belongs to a store; nothing is overwritten. Or
            the passphrase is too long.
        NotFoundError: there is no such folder.
        StoreError: it cannot be written.
    """
    public_path = path.with_name(path.name + PUBLIC_ENDING)
    for each in (path, public_path):
        if is_of_a_store(each) or is_there(each):
            raise _taken(each)
    if len(passphrase) > _MOST_PASSPHRASE_BYTES:
        raise UsageError("That passphrase is too long.", f"At most {_MOST_PASSPHRASE_BYTES} bytes.")
    key = Ed25519PrivateKey.generate()
    lock = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    public = key.public_key()
    public_pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _create(path, pem, OWNER_ONLY_FILE)
    try:
        _create(public_path, public_pem, _FOR_ALL)
    except BaseException:
        path.unlink()
        raise
    return ReleaseKey(public_path, public)


def read_release_key(path: Path) -> ReleaseKey:
    """Read the public key of who signs releases.

    Raises:
        NotFoundError: it cannot be read.
        UsageError: it is no Ed25519 public key.
    """
    key = read_public_key(path)
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{path} is no Ed25519 key; releases are signed with those.", _KEY_HINT)
    return ReleaseKey(path, key)


def read_private_key(path: Path, passphrase: Callable[[], bytes]) -> Ed25519PrivateKey:
    """Read a private key; `passphrase` is called only where it is encrypted.

    Raises:
        NotFoundError: it cannot be read.
        UsageError: it is no Ed25519 private key, or the passphrase is wrong.
    """
    pem = read_limited(path, MAX_KEY_BYTES)
    needs_passphrase = b"ENCRYPTED" in pem
    given = passphrase() if needs_passphrase else None
    try:
        key = load_pem_private_key(pem, given)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if needs_passphrase:
            raise UsageError(
                f"The passphrase does not open {path}.", "Check capitals and keyboard layout."
            ) from error
        raise UsageError(f"{path} is no private key in PEM form.", _KEY_HINT) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path} is no Ed25519 key; releases are signed with those.", _KEY_HINT)
    return key


def signature_path(manifest: Path) -> Path:
    """Where the signature of a manifest lies."""
    return manifest.with_name(manifest.name + SIGNATURE_ENDING)


def check_signature(
    manifest: Path, data: bytes, keys: Sequence[ReleaseKey]
) -> tuple[Signature, ReleaseKey | None]:
    """Verify the signature beside a manifest, whose bytes are `data`, with any of the keys.

    Raises:
        NotFoundError: the signature is there and cannot be read.
    """
    path = signature_path(manifest)
    if not is_there(path):
        return Signature.ABSENT, None
    try:
        signature = read_limited(path, SIGNATURE_BYTES)
    except MalformedError:  # longer than one
        return Signature.WRONG, None
    if len(signature) != SIGNATURE_BYTES:
        return Signature.WRONG, None
    if not keys:
        return Signature.UNCHECKED, None
    for each in keys:
        if verifies(each.key, signature, message=data, digest=b""):
            return Signature.VERIFIED, each
    return Signature.WRONG, None


def write_signature(manifest: Path, data: bytes, key: Ed25519PrivateKey) -> Path:
    """Sign a manifest's bytes; the signature takes its name only when it is whole.

    Raises:
        NotFoundError, StoreError: it cannot be written.
    """
    path = signature_path(manifest)
    part = path.with_name(path.name + ".part")
    try:
        part.unlink(missing_ok=True)
        _create(part, key.sign(data), _FOR_ALL)
        part.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    return path


def _create(path: Path, data: bytes, mode: int) -> None:
    """Make a file that was not there; it is there whole or not at all."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise _taken(path) from error
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise _unwritable(path, error) from error


def _taken(path: Path) -> UsageError:
    return UsageError(f"{path} is there already.", "A key is never overwritten; choose a new name.")


def _unwritable(path: Path, error: OSError) -> NotFoundError | StoreError:
    if isinstance(error, FileNotFoundError):
        return NotFoundError(f"The folder {path.parent} does not exist.", "Make it first.")
    return StoreError(
        f"{path} cannot be written: {os.strerror(error.errno or 0)}.",
        "Check the room on the disk and who owns the folder.",
    )
