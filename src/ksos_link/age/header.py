"""The text before an age file's payload: for whom its key is wrapped, and a code over all of it."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from ksos_link.errors import MalformedError

SUFFIX: Final = ".age"
VERSION_LINE: Final = b"age-encryption.org/v1\n"
_COLUMNS: Final = 64
_MOST_BYTES: Final = 64 * 1024
_MOST_LINE_BYTES: Final = 4096
_END: Final = b"---"


@dataclass(frozen=True, slots=True)
class Stanza:
    """The file key, wrapped for somebody."""

    kind: str
    arguments: tuple[str, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """A header that was read; `mac` is the code of `text`, which ends with `---`."""

    stanzas: tuple[Stanza, ...]
    text: bytes
    mac: bytes


def is_sealed(head: bytes) -> bool:
    """Whether a file that begins so is encrypted."""
    return head.startswith(VERSION_LINE)


def header_text(stanzas: Sequence[Stanza]) -> bytes:
    """A header up to and with `---`, of which the code is taken."""
    lines = [VERSION_LINE]
    for stanza in stanzas:
        lines.append(f"-> {' '.join((stanza.kind, *stanza.arguments))}\n".encode())
        body = encoded(stanza.body)
        # the last line is a short one, and be it an empty one
        lines += [
            body[place : place + _COLUMNS].encode() + b"\n"
            for place in range(0, len(body) + 1, _COLUMNS)
        ]
    return b"".join(lines) + _END


def read_header(stream: BinaryIO) -> Header:
    """Read a header; the stream then stands at the payload.

    Raises:
        MalformedError: it is none.
    """
    if stream.read(len(VERSION_LINE)) != VERSION_LINE:
        raise _malformed()
    text = VERSION_LINE
    stanzas: list[Stanza] = []
    while not (line := _line(stream)).startswith(_END):
        stanza, lines = _read_stanza(line, stream)
        stanzas.append(stanza)
        text += lines
        if len(text) > _MOST_BYTES:
            raise _malformed()
    mark, mac = _words(line, 2)
    if mark != _END.decode():
        raise _malformed()
    return Header(tuple(stanzas), text + _END, decoded(mac))


def _read_stanza(first: bytes, stream: BinaryIO) -> tuple[Stanza, bytes]:
    """The stanza that begins with a line, and all its lines."""
    arrow, kind, *arguments = _words(first, 2, more=True)
    if arrow != "->":
        raise _malformed()
    text, body = first, ""
    while True:
        line = _line(stream)
        text += line
        body += _ascii(line)
        width = len(line) - 1
        if width > _COLUMNS or len(text) > _MOST_BYTES:
            raise _malformed()
        if width < _COLUMNS:
            return Stanza(kind, tuple(arguments), decoded(body)), text


def encoded(data: bytes) -> str:
    """Base64 without padding."""
    return base64.b64encode(data).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """Undo `encoded`; there is one way to write each.

    Raises:
        MalformedError: the text is none.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _malformed() from error
    if encoded(data) != text:
        raise _malformed()
    return data


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline(_MOST_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise _malformed()
    return line


def _ascii(line: bytes) -> str:
    try:
        return line[:-1].decode("ascii")
    except UnicodeDecodeError as error:
        raise _malformed() from error


def _words(line: bytes, least: int, *, more: bool = False) -> list[str]:
    words = _ascii(line).split(" ")
    if not all(words) or len(words) < least or (len(words) > least and not more):
        raise _malformed()
    return words


def _malformed() -> MalformedError:
    return MalformedError("The encrypted file is damaged or of another kind.", "Nothing was read.")
