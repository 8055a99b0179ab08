"""Encrypted files: held against another program's, both ways, and against those who forge them."""

import base64
import io
import os
from collections.abc import Callable
from typing import Any

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ksos_link.age import bech32
from ksos_link.age.header import Stanza, encoded, header_text, read_header
from ksos_link.age.keys import Identity, Key, Lock, Passphrase, Recipient, read_identities
from ksos_link.age.sealed import PIECE_BYTES, Sealing, open_sealed
from ksos_link.errors import KsosError, MalformedError, UsageError

CHEAP = 4  # work that no real file should be content with
IDENTITY = pyrage.x25519.Identity.generate()
MINE = Identity.read(str(IDENTITY))
EDGES = [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES, 3 * PIECE_BYTES + 9]


def sealed(data: bytes, *locks: Lock, at_once: int = 10_000) -> bytes:
    out = io.BytesIO()
    writer = Sealing(locks).begin(out)
    for place in range(0, len(data), at_once):
        writer.write(data[place : place + at_once])
    assert writer.tell() == len(data)
    writer.finish()
    return out.getvalue()


def opened(data: bytes, *keys: Key) -> bytes:
    return open_sealed(io.BytesIO(data), keys).read()


@pytest.mark.parametrize("size", EDGES)
def test_what_is_written_here_is_read_by_rage(size: int) -> None:
    data = os.urandom(size)
    assert pyrage.decrypt(sealed(data, MINE.recipient), [IDENTITY]) == data
    assert pyrage.passphrase.decrypt(sealed(data, Passphrase("pä ss", CHEAP)), "pä ss") == data


@pytest.mark.parametrize("size", EDGES)
def test_what_rage_wrote_is_read_here(size: int) -> None:
    data = os.urandom(size)
    other = pyrage.x25519.Identity.generate().to_public()
    assert opened(pyrage.encrypt(data, [other, IDENTITY.to_public()]), MINE) == data


@pytest.mark.slow
def test_a_passphrase_of_rage_is_taken() -> None:
    assert opened(pyrage.passphrase.encrypt(b"mine", "geheim"), Passphrase("geheim")) == b"mine"


def test_each_of_several_recipients_opens_a_file() -> None:
    other = pyrage.x25519.Identity.generate()
    data = sealed(b"for two", MINE.recipient, Recipient.read(str(other.to_public())))
    assert pyrage.decrypt(data, [other]) == pyrage.decrypt(data, [IDENTITY]) == b"for two"
    assert opened(data, Identity.read(str(other))) == b"for two"


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_place_of_a_file_can_be_read(data: st.DataObject) -> None:
    plain = bytes(range(251)) * 900  # four pieces
    stream = open_sealed(io.BytesIO(SEALED_PLAIN), [MINE])
    for _ in range(5):
        place = data.draw(st.integers(0, len(plain) + 10))
        count = data.draw(st.integers(0, 3 * PIECE_BYTES))
        assert stream.seek(place) == place
        assert stream.read(count) == plain[place : place + count]
    assert stream.seek(0, io.SEEK_END) == len(plain)
    assert stream.seek(-3, io.SEEK_CUR) == len(plain) - 3
    assert stream.read() == plain[-3:]


SEALED_PLAIN = sealed(bytes(range(251)) * 900, MINE.recipient)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(SEALED_PLAIN) - 1), st.integers(1, 255))
def test_a_changed_byte_is_seen(place: int, change: int) -> None:
    forged = bytearray(SEALED_PLAIN)
    forged[place] ^= change
    with pytest.raises(KsosError):
        opened(bytes(forged), MINE)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(SEALED_PLAIN) - 1))
def test_a_file_that_was_cut_off_is_seen_before_anything_is_read(size: int) -> None:
    with pytest.raises(KsosError):
        open_sealed(io.BytesIO(SEALED_PLAIN[:size]), [MINE])


def test_bytes_behind_the_end_are_seen() -> None:
    for more in (b"x", bytes(100), bytes(PIECE_BYTES + 16)):
        with pytest.raises(MalformedError):
            opened(SEALED_PLAIN + more, MINE)


def test_pieces_that_changed_places_are_seen() -> None:
    begin = len(SEALED_PLAIN) - (len(bytes(range(251)) * 900) + 4 * 16)
    piece = PIECE_BYTES + 16
    first, second = SEALED_PLAIN[begin:][:piece], SEALED_PLAIN[begin + piece :][:piece]
    forged = SEALED_PLAIN[:begin] + second + first + SEALED_PLAIN[begin + 2 * piece :]
    with pytest.raises(MalformedError):
        opened(forged, MINE)


def test_the_wrong_key_opens_nothing() -> None:
    for key in (Identity.read(str(pyrage.x25519.Identity.generate())), Passphrase("x")):
        with pytest.raises(UsageError):
            open_sealed(io.BytesIO(SEALED_PLAIN), [key])
    with pytest.raises(UsageError):
        opened(sealed(b"", Passphrase("right", CHEAP)), Passphrase("wrong"))
    with pytest.raises(UsageError):
        opened(sealed(b"", Passphrase("right", CHEAP)), MINE)


def test_closing_a_writer_makes_no_whole_file() -> None:
    out = io.BytesIO()
    writer = Sealing([MINE.recipient]).begin(out)
    writer.write(b"half")
    writer.close()
    with pytest.raises(MalformedError):
        opened(out.getvalue(), MINE)


def test_an_empty_last_piece_behind_others_is_none() -> None:
    out = io.BytesIO()
    writer = Sealing([MINE.recipient]).begin(out)
    writer._write_piece(bytes(PIECE_BYTES), is_last=False)
    writer._write_piece(b"", is_last=True)
    with pytest.raises(MalformedError):
        opened(out.getvalue(), MINE)
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(out.getvalue(), [IDENTITY])


def forged_stanza(*stanzas: Stanza) -> bytes:
    """A file whose code was not made with its key."""
    return header_text(stanzas) + b" " + encoded(bytes(32)).encode() + b"\n" + bytes(32)


@pytest.mark.parametrize(
    "stanza",
    [
        Stanza("scrypt", (encoded(bytes(16)), "30"), bytes(32)),
        Stanza("scrypt", (encoded(bytes(16)), "21"), bytes(32)),
        Stanza("scrypt", (encoded(bytes(16)), "04"), bytes(32)),
        Stanza("scrypt", (encoded(bytes(16)), "-4"), bytes(32)),
        Stanza("scrypt", (encoded(bytes(16)), "4", "5"), bytes(32)),
        Stanza("scrypt", (encoded(bytes(15)), "4"), bytes(32)),
        Stanza("scrypt", (encoded(bytes(16)), "4"), bytes(33)),
        Stanza("scrypt", (), bytes(32)),
        Stanza("X25519", (encoded(bytes(32)),), bytes(32)),  # a point of low order
        Stanza("X25519", (encoded(bytes(31)),), bytes(32)),
        Stanza("X25519", (encoded(bytes(32)), "more"), bytes(32)),
        Stanza("X25519", (encoded(bytes(32)),), bytes(16)),
    ],
)
def test_forged_stanzas_are_refused_before_any_work(stanza: Stanza) -> None:
    with pytest.raises(MalformedError):
        opened(forged_stanza(stanza), MINE, Passphrase("x"))


def test_a_passphrase_stands_alone() -> None:
    file_key = bytes(16)
    stanzas = (Passphrase("x", CHEAP).wrap(file_key), MINE.recipient.wrap(file_key))
    with pytest.raises(MalformedError):
        opened(forged_stanza(*stanzas), MINE)


def test_stanzas_that_nobody_knows_are_passed() -> None:
    unknown = Stanza("-grease", ("a", "b"), os.urandom(96))
    header = read_header(io.BytesIO(forged_stanza(unknown, MINE.recipient.wrap(bytes(16)))))
    assert header.stanzas[0] == unknown
    with pytest.raises(MalformedError):  # the code of the header, which zeros are not
        opened(forged_stanza(unknown, MINE.recipient.wrap(bytes(16))), MINE)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"v1", b"v2"),
        lambda text: text.replace(b"-> X", b"=> X"),
        lambda text: text.replace(b"-> X25519 ", b"-> X25519  "),
        lambda text: text.replace(b"\n---", b"\n----"),
        lambda text: text.replace(b"--- ", b"---"),
        lambda text: text.replace(b"--- ", b"--- a "),
        lambda text: b"age-encryption.org/v1\n->\nAA\n--- AA\n",
        lambda text: text.replace(b"-> X25519", "-> X2551é".encode()),
        lambda text: text[:40],
        lambda text: text.replace(b"\n---", b"\n" + b"A" * 70 + b"\n---", 1),
        lambda text: b"age-encryption.org/v1\n" + b"-> a\n" + (b"A" * 64 + b"\n") * 2000,
        lambda text: b"age-encryption.org/v1\n" + b"-> a b\nAA\n" * 20_000,
        lambda text: b"age-encryption.org/v1\n-> " + b"a" * 5000,
    ],
)
def test_a_header_of_another_shape_is_refused(change: Callable[[bytes], bytes]) -> None:
    text = forged_stanza(MINE.recipient.wrap(bytes(16)))
    assert change(text) != text
    with pytest.raises(MalformedError):
        read_header(io.BytesIO(change(text)))


@pytest.mark.parametrize("text", ["QQ==", "Q", "QR", "Q Q", "Q\u00e9"])
def test_base64_is_written_in_one_way(text: str) -> None:
    data = f"age-encryption.org/v1\n-> a {text}\n{text}\n--- AA\n".encode()
    with pytest.raises(MalformedError):
        read_header(io.BytesIO(data))


def test_a_pipe_cannot_be_opened() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with pytest.raises(MalformedError):
        open_sealed(Pipe(SEALED_PLAIN), [MINE])


def test_a_stream_before_its_beginning_is_no_place() -> None:
    stream: Any = open_sealed(io.BytesIO(SEALED_PLAIN), [MINE])
    with pytest.raises(ValueError, match="before"):
        stream.raw.seek(-1)


def test_keys_are_read_as_age_keygen_writes_them() -> None:
    text = f"# created: 2026-11-28\n# public key: {IDENTITY.to_public()}\n\n{IDENTITY}\n"
    (identity,) = read_identities(text)
    assert str(identity.recipient) == str(IDENTITY.to_public())
    assert str(IDENTITY) not in repr(identity)
    with pytest.raises(UsageError):
        read_identities("# nothing\n")


def mistyped(text: str) -> str:
    return text[:-1] + ("q" if text[-1] != "q" else "p")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "age1",
        "age1é",
        "alice",
        mistyped(str(IDENTITY.to_public())),
        str(IDENTITY.to_public()).replace("age1", "AGE1"),
        str(IDENTITY),
        bech32.encode("age", bytes(31)),
        bech32.encode("", bytes(32)),
    ],
    ids=range(9),  # the key is another one in each process
)
def test_what_is_no_recipient_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as told:
        Recipient.read(text)
    assert len(text) < 10 or text not in f"{told.value} {told.value.hint}"  # it may be a secret


def test_a_recipient_that_nobody_can_be_is_refused() -> None:
    with pytest.raises(UsageError):
        Recipient(bytes(32)).wrap(bytes(16))


@given(st.binary(max_size=80))
def test_bech32_comes_back(data: bytes) -> None:
    assert bech32.decode(bech32.encode("age", data)) == ("age", data)
    assert bech32.decode(bech32.encode("age", data).upper()) == ("age", data)


@pytest.mark.parametrize("words", ["qqq", "qp"])
def test_bits_that_are_left_over_are_refused(words: str) -> None:
    letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    body = [letters.index(letter) for letter in words]
    check = bech32._polymod([*bech32._expanded("age"), *body, *[0] * 6]) ^ 1
    text = "age1" + words + "".join(letters[check >> 5 * (5 - at) & 31] for at in range(6))
    with pytest.raises(ValueError, match="left over"):
        bech32.decode(text)


@given(st.binary(max_size=300))
def test_noise_is_no_encrypted_file(data: bytes) -> None:
    for head in (b"", b"age-encryption.org/v1\n"):
        with pytest.raises(KsosError):
            opened(head + data, MINE)


def test_base64_of_python_is_what_age_has() -> None:
    assert encoded(b"\xfb\xff") == base64.b64encode(b"\xfb\xff").decode().rstrip("=") == "+/8"
