"""For whom a file is encrypted, and what opens it: X25519 keys and passphrases.

The layouts are those of age's specification: file key 16 bytes, wrapped with ChaCha20-Poly1305
under a key that is used once, hence the nonce of zeros.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ksos_link.age import bech32
from ksos_link.age.header import Stanza, decoded, encoded
from ksos_link.errors import MalformedError, UsageError

FILE_KEY_BYTES: Final = 16
WORK_LOG2: Final = 17  # what OWASP asks for: 128 MiB of memory, and half a second, for each guess
MOST_WORK_LOG2: Final = 20  # a forged file must not eat the machine: 1 GiB
_LABEL: Final = b"age-encryption.org/v1/"
_SALT_BYTES: Final = 16
_WRAPPED_BYTES: Final = FILE_KEY_BYTES + 16
_WORK: Final = re.compile("[1-9][0-9]?")
_ZERO_NONCE: Final = bytes(12)
_RECIPIENT: Final = "age"
_IDENTITY: Final = "age-secret-key-"


class Lock(Protocol):
    """Whoever shall be able to open a file."""

    def wrap(self, file_key: bytes) -> Stanza:
        """The file key, wrapped."""


class Key(Protocol):
    """What may open a file."""

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """The file key; None where the stanza is of another kind or for somebody else.

        Raises:
            MalformedError: the stanza is not what its kind says.
        """


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who keeps the secret half of a key."""

    public: bytes

    @classmethod
    def read(cls, text: str) -> Self:
        """From its text, `age1...`.

        Raises:
            UsageError: it is none, or was mistyped.
        """
        return cls(_key_bytes(text, _RECIPIENT, "recipient"))

    def __str__(self) -> str:
        return bech32.encode(_RECIPIENT, self.public)

    def wrap(self, file_key: bytes) -> Stanza:
        """See `Lock.wrap`.

        Raises:
            UsageError: the recipient is one that nobody can be.
        """
        once = X25519PrivateKey.generate()
        share = once.public_key().public_bytes_raw()
        try:
            shared = once.exchange(X25519PublicKey.from_public_bytes(self.public))
        except ValueError as error:  # a point of low order
            raise UsageError("That recipient is no safe key.", "Ask for another one.") from error
        body = _wrapping(shared, share, self.public).encrypt(_ZERO_NONCE, file_key, None)
        return Stanza("X25519", (encoded(share),), body)


@dataclass(frozen=True, slots=True)
class Identity:
    """The secret half of a key."""

    secret: bytes = field(repr=False)

    @classmethod
    def read(cls, text: str) -> Self:
        """From its text, `AGE-SECRET-KEY-1...`.

        Raises:
            UsageError: it is none.
        """
        return cls(_key_bytes(text, _IDENTITY, "identity"))

    @property
    def recipient(self) -> Recipient:
        """The half that may be known."""
        private = X25519PrivateKey.from_private_bytes(self.secret)
        return Recipient(private.public_key().public_bytes_raw())

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """See `Key.unwrap`."""
        if stanza.kind != "X25519":
            return None
        if len(stanza.arguments) != 1 or not _is_wrapped(stanza):
            raise _damaged()
        share = decoded(stanza.arguments[0])
        private = X25519PrivateKey.from_private_bytes(self.secret)
        try:
            shared = private.exchange(X25519PublicKey.from_public_bytes(share))
        except ValueError as error:
            raise _damaged() from error
        wrapping = _wrapping(shared, share, private.public_key().public_bytes_raw())
        return _opened(wrapping, stanza)


@dataclass(frozen=True, slots=True)
class Passphrase:
    """What somebody remembers. A file that has one has no other key."""

    text: str = field(repr=False)
    work_log2: int = WORK_LOG2

    def wrap(self, file_key: bytes) -> Stanza:
        """See `Lock.wrap`."""
        salt = os.urandom(_SALT_BYTES)
        body = self._wrapping(salt, self.work_log2).encrypt(_ZERO_NONCE, file_key, None)
        return Stanza("scrypt", (encoded(salt), str(self.work_log2)), body)

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """See `Key.unwrap`."""
        if stanza.kind != "scrypt":
            return None
        salt, work = b"", ""
        if len(stanza.arguments) == 2:
            salt, work = decoded(stanza.arguments[0]), stanza.arguments[1]
        if not _WORK.fullmatch(work) or len(salt) != _SALT_BYTES or not _is_wrapped(stanza):
            raise _damaged()
        if int(work) > MOST_WORK_LOG2:
            raise MalformedError(
                "The encrypted file asks for too much memory to try a passphrase.",
                "Decrypt it with age first, if you trust it.",
            )
        return _opened(self._wrapping(salt, int(work)), stanza)

    def _wrapping(self, salt: bytes, work_log2: int) -> ChaCha20Poly1305:
        scrypt = Scrypt(salt=_LABEL + b"scrypt" + salt, length=32, n=2**work_log2, r=8, p=1)
        return ChaCha20Poly1305(scrypt.derive(self.text.encode("utf-8", "surrogateescape")))


def read_identities(text: str) -> list[Identity]:
    """All of a file of identities, as age-keygen writes it.

    Raises:
        UsageError: there is none in it, or one that is not known.
    """
    lines = [line.strip() for line in text.splitlines()]
    found = [Identity.read(line) for line in lines if line and not line.startswith("#")]
    if not found:
        raise UsageError("There is no identity in that file.", "age-keygen makes one.")
    return found


def derived(file_key: bytes, salt: bytes, purpose: bytes) -> bytes:
    """A key of 32 bytes for one purpose."""
    return HKDF(SHA256(), 32, salt, purpose).derive(file_key)


def file_key_for(keys: Sequence[Key], stanzas: Sequence[Stanza]) -> bytes | None:
    """What the first fitting key unwraps.

    Raises:
        MalformedError: a stanza is damaged, or a passphrase stands beside others.
    """
    if len(stanzas) > 1 and any(stanza.kind == "scrypt" for stanza in stanzas):
        raise _damaged()
    for stanza in stanzas:
        for key in keys:
            found = key.unwrap(stanza)
            if found is not None:
                return found
    return None


def _wrapping(shared: bytes, share: bytes, public: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(derived(shared, share + public, _LABEL + b"X25519"))


def _is_wrapped(stanza: Stanza) -> bool:
    return len(stanza.body) == _WRAPPED_BYTES


def _opened(wrapping: ChaCha20Poly1305, stanza: Stanza) -> bytes | None:
    try:
        return wrapping.decrypt(_ZERO_NONCE, stanza.body, None)
    except InvalidTag:
        return None


def _key_bytes(text: str, prefix: str, noun: str) -> bytes:
    wrong = UsageError(
        f"That is no {noun} of age.", f"It begins with {prefix}1; check that all of it is there."
    )
    try:
        found, data = bech32.decode(text.strip())
    except ValueError:
        raise wrong from None  # the text may be a secret
    if found != prefix or len(data) != 32:
        raise wrong
    return data


def _damaged() -> MalformedError:
    return MalformedError("The encrypted file is damaged.", "Nothing was read.")
