"""`.iwf.lz`: FastLZ blocks come back the same, and nothing hostile gets out of bounds."""

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.dials import MOST_DIAL_BYTES
from firmware_protocol.errors import DecodeError, LocalProtocolError
from firmware_protocol.families.ido.dial_file.blocks import first_block, pack, unpack
from firmware_protocol.families.ido.dial_file.fastlz import FAR, decode_block, encode_block

MOST = 4096


def stream(*blocks: bytes) -> bytes:
    return b"".join(len(block).to_bytes(4, "big") + block for block in blocks)


@pytest.mark.parametrize(
    ("block", "wanted"),
    [
        ("21 61 62", "6162"),  # level 2, two literals
        ("01 61 62", "6162"),  # level 1
        ("21 61 62 20 01", "6162616261"),  # three bytes from two back, over what they write
        ("20 61 E0 00 00", "61" * 10),  # level 2: 6 + 0 + 3 more
        ("20 61 E0 FF 01 00", "61" * (1 + 6 + 255 + 1 + 3)),  # level 2: the count goes on after FF
        ("00 61 E0 FF 00", "61" * (1 + 6 + 255 + 3)),  # level 1: one byte
        ("21 61 62 40 01 00 63", "61626162616263"),
    ],
)
def test_a_block_expands_as_the_reference_says(block: str, wanted: str) -> None:
    assert decode_block(bytes.fromhex(block), MOST).hex() == wanted


def test_a_far_copy_has_two_more_bytes() -> None:
    head = b"abcd" + bytes(8191)
    literals = b"".join(
        bytes((len(run) - 1 | 0x20 * (at == 0),)) + run
        for at in range(0, len(head), 32)
        for run in [head[at : at + 32]]
    )
    far = literals + bytes.fromhex("3F FF 00 03")  # 8191 + 3 + 1 back
    assert decode_block(far, 10_000) == head + b"abc"
    near = literals + bytes.fromhex("3F FE")
    assert decode_block(near, 10_000) == head + head[-8191:-8188]
    level_1 = bytes((literals[0] & 0x1F,)) + literals[1:] + bytes.fromhex("3F FF")
    assert decode_block(level_1, 10_000) == head + head[-8192:-8189]


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ("", "an empty block"),
        ("40 61", "FastLZ level 3"),
        ("21 61", "inside a literal run"),
        ("20 61 20", "inside a copy"),
        ("20 61 E0", "inside a copy"),
        ("20 61 E0 FF", "inside a copy"),
        ("20 61 3F FF 00", "inside a copy"),
        ("20 61 20 01", "before its start"),
        ("20 61 E0" + "FF" * 20 + "00 00", "more than 4096 bytes"),
    ],
)
def test_a_malformed_block_is_refused(block: str, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        decode_block(bytes.fromhex(block), MOST)


def test_literals_are_bounded_too() -> None:
    with pytest.raises(DecodeError, match="more than 3 bytes"):
        decode_block(bytes.fromhex("23 61 62 63 64"), 3)


@given(
    st.one_of(
        st.binary(min_size=1, max_size=MOST),
        st.text("ab", min_size=1, max_size=1500).map(str.encode),
        st.lists(st.sampled_from([b"abc", b"abcd" * 9, bytes(600), b"x"]), min_size=1).map(
            b"".join
        ),
    )
)
def test_what_was_compressed_comes_back(data: bytes) -> None:
    block = encode_block(data)
    assert decode_block(block, len(data)) == data
    assert len(block) <= len(data) + -(-len(data) // 32)
    assert block[0] >> 5 == 1


def test_it_really_compresses() -> None:
    assert len(encode_block(bytes(1024))) < 20
    order = itertools.accumulate(range(150), lambda last, number: (7 * last + number) % 23)
    words = b" ".join([b"hour", b"minute", b"step"][place % 3] for place in order)
    assert len(encode_block(words)) < len(words) / 2
    assert len(encode_block(b"abcdefgh" * 1200)) < 80  # copies of more than 6 + 255 bytes


def test_a_distance_never_needs_the_far_form() -> None:
    numbers = b" ".join(b"%x" % number for number in range(3000))
    data = b"once" + numbers + b"once and then"
    assert len(numbers) > FAR
    assert decode_block(encode_block(data), len(data)) == data


def test_a_block_begins_and_ends_with_literals() -> None:
    block = encode_block(b"\1" * 100)
    assert (block[0], block[-4:]) == (0x21, b"\2\1\1\1")


@pytest.mark.parametrize("size_bytes", [1024, 4096])
def test_a_stream_of_blocks_comes_back(size_bytes: int) -> None:
    data = bytes(range(256)) * 37
    assert unpack(pack(data, size_bytes)) == (data, size_bytes)
    assert first_block(pack(data, size_bytes)) == data[:size_bytes]


@pytest.mark.parametrize(("data", "size_bytes"), [(b"x", 1000), (b"x", 0), (b"", 1024)])
def test_a_stream_that_no_watch_takes_is_not_made(data: bytes, size_bytes: int) -> None:
    with pytest.raises(LocalProtocolError):
        pack(data, size_bytes)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\0\0", "is cut"),
        (b"\0\0\0\5\x21ab", "is cut"),
        (b"\0\0\0\0", "empty block"),
        (stream(b"\x20a", b"\x21ab"), "different sizes"),
        (stream(b"\x21ab", b"\x20a", b"\x21ab"), "different sizes"),
    ],
)
def test_a_malformed_stream_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        unpack(data)


def test_a_bomb_is_refused_before_it_expands() -> None:
    bomb = encode_block(bytes(4096))
    count = MOST_DIAL_BYTES // 4096
    assert len(unpack(stream(bomb) * count)[0]) == MOST_DIAL_BYTES
    for blocks in (stream(bomb) * (count + 1), stream(b"\x20a") * 20_000):
        with pytest.raises(DecodeError, match="more than 16 MiB"):
            unpack(blocks)


@given(st.binary(max_size=200))
def test_noise_gives_bytes_or_an_error(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        assert len(decode_block(data, MOST)) <= MOST
