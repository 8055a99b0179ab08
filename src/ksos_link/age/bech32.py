"""Bech32 (BIP 173) without its limit of 90 letters, as age writes its keys."""

from collections.abc import Iterable
from typing import Final

_LETTERS: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECK_LETTERS: Final = 6


def encode(prefix: str, data: bytes) -> str:
    """The text of some bytes, in small letters."""
    words = _regroup(data, 8, 5, pad=True)
    check = _polymod([*_expanded(prefix), *words, *[0] * _CHECK_LETTERS]) ^ 1
    words += [check >> 5 * (_CHECK_LETTERS - 1 - place) & 31 for place in range(_CHECK_LETTERS)]
    return f"{prefix}1{''.join(_LETTERS[word] for word in words)}"


def decode(text: str) -> tuple[str, bytes]:
    """Prefix and bytes of a text.

    Raises:
        ValueError: it is none, or was mistyped.
    """
    if text not in (text.lower(), text.upper()):
        raise ValueError("mixed case")
    prefix, _, letters = text.lower().rpartition("1")
    words = [_LETTERS.index(letter) for letter in letters]  # ValueError for any other
    if not prefix or len(words) < _CHECK_LETTERS or not prefix.isascii():
        raise ValueError("too short")
    if _polymod([*_expanded(prefix), *words]) != 1:
        raise ValueError("its check letters do not fit")
    return prefix, bytes(_regroup(words[:-_CHECK_LETTERS], 5, 8, pad=False))


def _polymod(words: Iterable[int]) -> int:
    check = 1
    for word in words:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ word
        for place, value in enumerate(_GENERATOR):
            check ^= value if top >> place & 1 else 0
    return check


def _expanded(prefix: str) -> list[int]:
    return [*(ord(letter) >> 5 for letter in prefix), 0, *(ord(letter) & 31 for letter in prefix)]


def _regroup(words: Iterable[int], before: int, after: int, *, pad: bool) -> list[int]:
    """The same bits in words of another width."""
    held = bits = 0
    found: list[int] = []
    for word in words:
        held = held << before | word
        bits += before
        while bits >= after:
            bits -= after
            found.append(held >> bits & ((1 << after) - 1))
    rest = held & ((1 << bits) - 1)
    if pad and bits:
        found.append(rest << (after - bits))
    elif not pad and (rest or bits >= before):
        raise ValueError("bits are left over")
    return found
