"""Streams that encrypt what is written to them, and decrypt what is read from them.

The payload is cut into pieces of 64 KiB, each with a code of its own; memory holds one. The nonce
of a piece is its number in 11 bytes, then 1 for the last one.
"""

import hmac
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from ksos_link.age.header import encoded, header_text, read_header
from ksos_link.age.keys import FILE_KEY_BYTES, Key, Lock, derived, file_key_for
from ksos_link.errors import MalformedError, UsageError

PIECE_BYTES: Final = 64 * 1024
_TAG_BYTES: Final = 16
_SEALED_PIECE_BYTES: Final = PIECE_BYTES + _TAG_BYTES
_NONCE_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Sealing:
    """For whom files are encrypted."""

    locks: Sequence[Lock]

    def begin(self, stream: BinaryIO) -> "SealedWriter":
        """Write the head of an encrypted file, and take what shall be in it."""
        file_key = os.urandom(FILE_KEY_BYTES)
        text = header_text([lock.wrap(file_key) for lock in self.locks])
        stream.write(text + f" {encoded(_mac(file_key, text))}\n".encode())
        nonce = os.urandom(_NONCE_BYTES)
        stream.write(nonce)
        return SealedWriter(stream, _payload_cipher(file_key, nonce))


class SealedWriter(io.BufferedIOBase):
    """Encrypts piece by piece. Only `finish` makes a whole file; to close it does not."""

    def __init__(self, stream: BinaryIO, cipher: ChaCha20Poly1305) -> None:
        self._stream = stream
        self._cipher = cipher
        self._held = bytearray()
        self._pieces = 0

    def writable(self) -> bool:
        """See `io.IOBase.writable`."""
        return True

    def tell(self) -> int:
        """How many bytes were taken."""
        return self._pieces * PIECE_BYTES + len(self._held)

    def write(self, data: "bytes | bytearray | memoryview", /) -> int:  # type: ignore[override]
        """Take bytes; a full piece is written once it is known not to be the last."""
        with memoryview(data).cast("B") as view:
            for place in range(0, len(view), PIECE_BYTES):
                self._held += view[place : place + PIECE_BYTES]
                while len(self._held) > PIECE_BYTES:
                    self._write_piece(bytes(self._held[:PIECE_BYTES]), is_last=False)
                    del self._held[:PIECE_BYTES]
            return len(view)

    def finish(self) -> None:
        """Write the last piece."""
        self._write_piece(bytes(self._held), is_last=True)
        self._stream.flush()

    def _write_piece(self, plain: bytes, *, is_last: bool) -> None:
        self._stream.write(self._cipher.encrypt(_piece_nonce(self._pieces, is_last), plain, None))
        self._pieces += 1


class _SealedReader(io.RawIOBase):
    """Decrypts the piece that is wanted. That the file is whole was seen at its last piece."""

    def __init__(self, stream: BinaryIO, cipher: ChaCha20Poly1305) -> None:
        self._stream = stream
        self._cipher = cipher
        self._begin = stream.tell()
        sealed_bytes = stream.seek(0, io.SEEK_END) - self._begin
        self._pieces = -(-sealed_bytes // _SEALED_PIECE_BYTES)
        if not self._pieces:  # an empty file has one, which is empty
            raise _damaged()
        self._at = 0
        self._piece, self._plain = -1, b""
        last = self._decrypted(self._pieces - 1)
        if not last and self._pieces > 1:
            raise _damaged()
        self._size = (self._pieces - 1) * PIECE_BYTES + len(last)

    def readable(self) -> bool:
        """See `io.IOBase.readable`."""
        return True

    def seekable(self) -> bool:
        """See `io.IOBase.seekable`."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """See `io.IOBase.seek`."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: "memoryview", /) -> int:  # type: ignore[override]
        """See `io.RawIOBase.readinto`: what is left of a piece."""
        if self._at >= self._size:
            return 0
        piece, offset = divmod(self._at, PIECE_BYTES)
        part = self._decrypted(piece)[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _decrypted(self, piece: int) -> bytes:
        if piece != self._piece:
            self._stream.seek(self._begin + piece * _SEALED_PIECE_BYTES)
            sealed = self._stream.read(_SEALED_PIECE_BYTES)
            nonce = _piece_nonce(piece, piece == self._pieces - 1)
            try:
                self._plain = self._cipher.decrypt(nonce, sealed, None)
            except (InvalidTag, ValueError) as error:
                raise _damaged() from error
            self._piece = piece
        return self._plain


def open_sealed(stream: BinaryIO, keys: Sequence[Key]) -> io.BufferedReader:
    """What is in an encrypted file, to be read and sought in; nothing of it touches the disk.

    Raises:
        UsageError: none of the keys opens it.
        MalformedError: it is damaged, cut off, no such file, or a pipe.
    """
    if not stream.seekable():
        raise MalformedError("An encrypted file cannot come from a pipe.", "Name a file.")
    stream.seek(0)
    header = read_header(stream)
    file_key = file_key_for(keys, header.stanzas)
    if file_key is None:
        raise UsageError(
            "The encrypted file does not open with that.",
            "Check the passphrase, or name the fitting key with --identity FILE.",
        )
    if not hmac.compare_digest(_mac(file_key, header.text), header.mac):
        raise _damaged()
    nonce = stream.read(_NONCE_BYTES)
    if len(nonce) != _NONCE_BYTES:
        raise _damaged()
    reader = _SealedReader(stream, _payload_cipher(file_key, nonce))
    return io.BufferedReader(reader, PIECE_BYTES)


def _mac(file_key: bytes, text: bytes) -> bytes:
    return hmac.digest(derived(file_key, b"", b"header"), text, sha256)


def _payload_cipher(file_key: bytes, nonce: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(derived(file_key, nonce, b"payload"))


def _piece_nonce(piece: int, is_last: bool) -> bytes:
    return piece.to_bytes(11, "big") + bytes((is_last,))


def _damaged() -> MalformedError:
    return MalformedError("The encrypted file is damaged or cut off.", "Nothing was kept of it.")
