"""RAW pictures (ido.md 9.3): sixteen bytes of head, colours, then perhaps a mask of alpha.

| Format | Code | Evidence |
|---|---|---|
| `rgb565a` | 85 | C: big-endian pairs, as all 23 coloured pictures of the captured dial |
| `+mask4` | mask 66 | C: four bits a pixel, high nibble first |
| `mask4` | 66 alone | C: one picture of the captured dial |
| `rgb565` `rgb888` `bgr888a` ... | 5, 8, +40 BGR, +80 alpha | V names; P: order as in 85 |
| `mask1` `mask2` `mask8` | 64, 65, 67 | V names; P: highest bits first, as in 66 |
| `rgb111` `rgb222` ... | 1, 2 | V names; how pixels are packed is not known: not read |

The reference has the low nibble first. Read so, all 22 masks of the captured dial have torn edges;
the other way round they are smooth, and the small digits can be read: here the capture decides.

Pixels of a mask run on over the ends of rows (P for rows that do not fill a byte: all captured rows
do). The word at byte 10 is a background colour or unused; it is kept as it was.
"""

import struct
from dataclasses import dataclass
from functools import cache
from typing import Final

from firmware_protocol.dials import MOST_SIDE_PX, Picture
from firmware_protocol.errors import DecodeError, LocalProtocolError

MAGIC: Final = b"RAW\0"
HEAD: Final = struct.Struct("<4sHHBB2sI")
_MASKS: Final = {0x64: 1, 0x65: 2, 0x66: 4, 0x67: 8}  # bits a pixel
_DEPTHS: Final = {1: "111", 2: "222", 5: "565", 8: "888"}
_PIXEL_BYTES: Final = {5: 2, 8: 3}
_BGR: Final = 0x40
_ALPHA: Final = 0x80
FORMATS: Final = {
    **{
        depth | bgr | alpha: f"{'bgr' if bgr else 'rgb'}{name}{'a' if alpha else ''}"
        for depth, name in _DEPTHS.items()
        for bgr in (0, _BGR)
        for alpha in (0, _ALPHA)
    },
    **{code: f"mask{bits}" for code, bits in _MASKS.items()},
}
READ_FORMATS: Final = {
    name: code for code, name in FORMATS.items() if code in _MASKS or code & 0x3F in _PIXEL_BYTES
}


@dataclass(frozen=True, slots=True)
class PictureEncoding:
    """How a picture's pixels are kept. As text: `rgb565a`, `rgb565a+mask4`, `mask4/ffff`."""

    format_code: int
    mask_code: int = 0
    word: bytes = bytes(2)

    def __str__(self) -> str:
        mask = f"+{FORMATS[self.mask_code]}" if self.mask_code else ""
        word = f"/{self.word.hex()}" if any(self.word) else ""
        return f"{FORMATS[self.format_code]}{mask}{word}"


def encoding_from_text(text: str) -> PictureEncoding:
    """Return what a text names.

    Raises:
        LocalProtocolError: it names no format that can be written.
    """
    formats, _, word = text.partition("/")
    name, plus, mask = formats.partition("+")
    code = READ_FORMATS.get(name)
    mask_code = READ_FORMATS.get(mask, 0) if plus else 0
    wrong_mask = plus and (mask_code not in _MASKS or code in _MASKS)
    try:
        word_bytes = bytes.fromhex(word or "0000")
    except ValueError:
        word_bytes = b""
    if code is None or wrong_mask or len(word_bytes) != 2:
        names = ", ".join(READ_FORMATS)
        raise LocalProtocolError(f"{text!r} is no format; those are: {names}; +mask4 may follow")
    return PictureEncoding(code, mask_code, word_bytes)


def is_raw(body: bytes) -> bool:
    """Whether a file of the container claims to be a picture."""
    return body.startswith(MAGIC)


def read_encoding(head: bytes) -> PictureEncoding:
    """Read how pixels are kept, from a head.

    Raises:
        DecodeError: it is cut or names a format that the reference does not.
    """
    if len(head) < HEAD.size or not is_raw(head):
        raise DecodeError("its head is cut")
    _, _, _, code, mask_code, word, _ = HEAD.unpack_from(head)
    if code not in FORMATS:
        raise DecodeError(f"its format {code:02X} hex is unknown")
    if mask_code and (mask_code not in _MASKS or code in _MASKS):
        raise DecodeError(f"its mask {mask_code:02X} hex is unknown")
    return PictureEncoding(code, mask_code, word)


@dataclass(frozen=True, slots=True)
class PictureHead:
    """What a head says, found to agree with the length of the whole."""

    width_px: int
    height_px: int
    encoding: PictureEncoding
    colour_bytes: int
    mask_bits: int  # a pixel

    @property
    def pixels(self) -> int:
        """All pixels."""
        return self.width_px * self.height_px


def read_head(head: bytes, size_bytes: int) -> PictureHead:
    """Read the head of a picture that has `size_bytes` in all.

    Raises:
        DecodeError: head and length do not agree, or the format is not one that can be read.
    """
    encoding = read_encoding(head)
    if FORMATS[encoding.format_code] not in READ_FORMATS:
        raise DecodeError(f"how {FORMATS[encoding.format_code]} packs its pixels is not known")
    _, width, height, _, _, _, told_bytes = HEAD.unpack_from(head)
    if not _is_possible(width, height):
        raise DecodeError(f"its size {width}x{height} is impossible")
    count = width * height
    mask_bits = _mask_bits(encoding)
    colour_bytes = 0
    if encoding.format_code not in _MASKS:
        colour_bytes = count * _PIXEL_BYTES[encoding.format_code & 0x3F]
    wanted = HEAD.size + colour_bytes + (count * mask_bits + 7) // 8
    if size_bytes != wanted:
        raise DecodeError(f"it has {size_bytes} bytes where its head wants {wanted}")
    if told_bytes != (colour_bytes if encoding.mask_code else 0):
        raise DecodeError("its head is wrong about the bytes of its colours")
    return PictureHead(width, height, encoding, colour_bytes, mask_bits)


def decode_picture(body: bytes) -> Picture:
    """Read a picture. A mask alone becomes white of that alpha, for the layout to colour.

    Raises:
        DecodeError: see `read_head`.
    """
    head = read_head(body, len(body))
    rgba = bytearray(b"\xff" * (4 * head.pixels))
    mask_at = HEAD.size + head.colour_bytes
    if head.colour_bytes:
        colours = _read_colours(body[HEAD.size : mask_at], head.encoding.format_code)
        for place, channel in enumerate(colours):
            rgba[place::4] = channel
    if head.mask_bits:
        rgba[3::4] = _read_mask(body[mask_at:], head.mask_bits)[: head.pixels]
    return Picture(head.width_px, head.height_px, bytes(rgba))


def encode_picture(picture: Picture, encoding: PictureEncoding) -> bytes:
    """Write a picture; what a format cannot hold is refused, colours are rounded.

    Raises:
        LocalProtocolError: too large, or transparency or colours would be lost.
    """
    if not _is_possible(picture.width_px, picture.height_px):
        raise LocalProtocolError(f"a picture has at most {MOST_SIDE_PX} pixels a side")
    red, green, blue, alpha = (picture.rgba[place::4] for place in range(4))
    mask_bits = _mask_bits(encoding)
    if not mask_bits and alpha.count(0xFF) != len(alpha):
        raise LocalProtocolError(
            f"it has transparent pixels, and {encoding} keeps none; +mask4 keeps them"
        )
    colours = b""
    if encoding.format_code in _MASKS:
        if not _is_white(picture.rgba):
            raise LocalProtocolError(f"it has colours, and {encoding} keeps none: paint it white")
    else:
        colours = _write_colours(red, green, blue, encoding.format_code)
    told_bytes = len(colours) if encoding.mask_code else 0
    head = HEAD.pack(
        MAGIC,
        picture.width_px,
        picture.height_px,
        encoding.format_code,
        encoding.mask_code,
        encoding.word,
        told_bytes,
    )
    return head + colours + (_write_mask(alpha, mask_bits) if mask_bits else b"")


def fitting_encoding(picture: Picture) -> PictureEncoding:
    """What a picture without further words becomes: the captured formats."""
    opaque = picture.rgba[3::4].count(0xFF) * 4 == len(picture.rgba)
    return PictureEncoding(0x85, 0 if opaque else 0x66)


def is_mask(encoding: str) -> bool:
    """Whether a picture kept so has no colours of its own."""
    return encoding.startswith("mask")


def _is_possible(width_px: int, height_px: int) -> bool:
    return 0 < width_px <= MOST_SIDE_PX and 0 < height_px <= MOST_SIDE_PX


def _mask_bits(encoding: PictureEncoding) -> int:
    """Bits a pixel of the mask, be it all or what follows the colours; 0 without one."""
    return _MASKS.get(encoding.mask_code) or _MASKS.get(encoding.format_code, 0)


def _is_white(rgba: bytes) -> bool:
    """Whether every pixel that can be seen is white."""
    seen = rgba[3::4].translate(bytes(1) + b"\xff" * 255)
    return all(_both(rgba[place::4], seen) == seen for place in range(3))


# ---- bulk work on channels: tables for bytes, and one large number for all pixels at once


@cache
def _expanded(bits: int) -> bytes:
    """From `bits` bits to eight, so that the largest value is 255."""
    most = (1 << bits) - 1
    return bytes((255 * (value & most) + most // 2) // most for value in range(256))


@cache
def _rounded(bits: int, left: int = 0, right: int = 0) -> bytes:
    """From eight bits to `bits`, to the nearest, then shifted to its place in a byte."""
    most = (1 << bits) - 1
    return bytes((most * value + 127) // 255 << left >> right & 0xFF for value in range(256))


@cache
def _shifted(left: int, right: int, mask: int) -> bytes:
    return bytes(value << left >> right & mask for value in range(256))


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _either(one: bytes, other: bytes) -> bytes:
    return (_number(one) | _number(other)).to_bytes(len(one), "big")


def _both(one: bytes, other: bytes) -> bytes:
    return (_number(one) & _number(other)).to_bytes(len(one), "big")


def _read_colours(data: bytes, code: int) -> tuple[bytes, bytes, bytes]:
    if code & 0x3F == 8:
        first, green, last = data[0::3], data[1::3], data[2::3]
    else:
        high, low = data[0::2], data[1::2]
        first = high.translate(_shifted(0, 3, 0x1F)).translate(_expanded(5))
        green = _either(high.translate(_shifted(3, 0, 0x38)), low.translate(_shifted(0, 5, 0x07)))
        green = green.translate(_expanded(6))
        last = low.translate(_expanded(5))
    return (last, green, first) if code & _BGR else (first, green, last)


def _write_colours(red: bytes, green: bytes, blue: bytes, code: int) -> bytes:
    first, last = (blue, red) if code & _BGR else (red, blue)
    if code & 0x3F == 8:
        out = bytearray(3 * len(green))
        out[0::3], out[1::3], out[2::3] = first, green, last
        return bytes(out)
    out = bytearray(2 * len(green))
    out[0::2] = _either(first.translate(_rounded(5, left=3)), green.translate(_rounded(6, right=3)))
    out[1::2] = _either(green.translate(_rounded(6, left=5)), last.translate(_rounded(5)))
    return bytes(out)


def _read_mask(data: bytes, bits: int) -> bytes:
    per_byte = 8 // bits
    alpha = bytearray(len(data) * per_byte)
    for place in range(per_byte):
        alpha[place::per_byte] = data.translate(
            _shifted(0, 8 - bits * (place + 1), 0xFF)
        ).translate(_expanded(bits))
    return bytes(alpha)


def _write_mask(alpha: bytes, bits: int) -> bytes:
    per_byte = 8 // bits
    alpha = alpha.ljust(-(-len(alpha) // per_byte) * per_byte, b"\0")
    out = bytes(len(alpha) // per_byte)
    for place in range(per_byte):
        out = _either(
            out, alpha[place::per_byte].translate(_rounded(bits, left=8 - bits * (place + 1)))
        )
    return out
