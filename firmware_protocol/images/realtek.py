"""Realtek images: single ones by chip family, and packs of several (dfu.md 5.5, 5.7, 5.8; V).

No whole transfer was ever published, so much here is *provisional*: the span of the SHA-256 of a
pack is believed, not known (a mismatch is advice); over which bytes an image's CRC-16 and SHA-256
go is not in the reference (they are shown, not checked); the ids 0200, 0300 and 0800 (ido.md 11.3)
are taken for those of BBPro and Bee1, whose headers have no other mark; the control header of
87x2G may stand deeper (5.5).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from construct import Bytes, Construct, Int8ul, Int16ul, Int32ul, Padding, Struct

from firmware_protocol.errors import DecodeError
from firmware_protocol.images.image import (
    Check,
    ImageInfo,
    ImagePart,
    Result,
    field_text,
    hex_id,
    length_check,
    unsigned_check,
    verdict,
)
from firmware_protocol.images.signatures import PublicKey

FORMAT: Final = "realtek-image"
TRANSPORT: Final = "realtek"
MP_HEAD_BYTES: Final = 512  # a block of TLVs before the image in `*_MP.bin` (5.8)
MP_ENDING: Final = "_mp.bin"

# 5.5: the first 12 bytes, by family
BEE2_HEAD: Final = Struct(
    "ic" / Int8ul,
    "secure_version" / Int8ul,
    "flags" / Int16ul,
    "image_id" / Int16ul,
    "crc16" / Int16ul,
    "payload_bytes" / Int32ul,
)
RTL87X2G_HEAD: Final = Struct(
    "crc16" / Int16ul,
    "ic" / Int8ul,
    "secure_version" / Int8ul,
    "flags" / Int16ul,
    "image_id" / Int16ul,
    "payload_bytes" / Int32ul,
)
BBPRO_HEAD: Final = Struct(
    "ic" / Int8ul,
    "flags" / Int8ul,
    "image_id" / Int16ul,
    "version" / Int16ul,
    "crc16" / Int16ul,
    "payload_bytes" / Int32ul,
)
BEE1_HEAD: Final = Struct(
    "flash_offset" / Int16ul,
    "image_id" / Int16ul,
    "version" / Int16ul,
    "crc16" / Int16ul,
    "payload_words" / Int16ul,
    "flags" / Int8ul,
    "reserved" / Int8ul,
)
# the whole header of Bee2 behind the control header (5.5)
BEE2_REST: Final = Struct(
    "uuid" / Bytes(16),
    "exe_base" / Int32ul,
    "load_base" / Int32ul,
    "load_bytes" / Int32ul,
    "image_base" / Int32ul,
    Padding(4),
    "magic" / Int32ul,
    Padding(16 + 28),  # the decryption key is nobody's business
    "version" / Int32ul,
    "commit" / Int32ul,
    "name" / Bytes(8),
    Padding(260),
    "sha256" / Bytes(32),
)

HEAD_BYTES: Final = 12
_BEE2_HEADER_BYTES: Final = 1024
_RTL87X2G_HEADER_BYTES: Final = 1280
_WORD_BYTES: Final = 4
_RTL87X2G_OFFSETS: Final = (0, 196, 372)  # before it, an authentication header (5.5)
_BEE2_CHIPS: Final = (0x05, 0x09, 0x0C)
_RTL87X2G_CHIP: Final = 0x0F
BEE2_IDS: Final[Mapping[int, str]] = {
    0x278D: "system_config",
    0x278E: "occd",
    0x278F: "factory",
    0x2790: "ota_header",
    0x2791: "secure_boot",
    0x2792: "rom_patch",
    0x2793: "application",
    **{0x2793 + number: f"app_data_{number}" for number in range(1, 7)},
    0xFFFE: "user_data",
}
RTL87X2G_IDS: Final[Mapping[int, str]] = {
    0x379D: "sccd",
    0x379E: "occd",
    0x379F: "boot_patch",
    0x37A0: "ota_header",
    0x37A2: "secure_app",
    0x37A3: "secure_app_data",
    0x37A6: "stack_patch",
    0x37A7: "mcu_patch",
    0x37A8: "upper_stack",
    0x37A9: "mcu_application",
    0x37AA: "mcu_config",
    **{0x37AD + number: f"app_data_{number}" for number in range(1, 7)},
    0x37B4: "zigbee",
    **dict.fromkeys(range(0xFFF7, 0xFFFF), "user_data"),
}
OLD_IDS: Final[Mapping[int, str]] = {0x0200: "patch", 0x0300: "application", 0x0800: "ota_header"}
# 9: written in place, or the way back would be gone; denied unless somebody insists
UNSAFE_IDS: Final = frozenset({0x2791, 0x379F, *range(0x278D, 0x2790), *range(0xFFF7, 0xFFFF)})
_FLAGS: Final = (
    *("xip", "encrypted", "load_at_boot", "encrypted_load", "key_0", "key_1", "key_2"),
    *("not_ready", "not_obsolete", "integrity_check", "compressed_not_ready"),
    "compressed_not_obsolete",
)


@dataclass(frozen=True, slots=True)
class _Family:
    """How one chip family writes its control header, and where it may stand."""

    name: str
    layout: "Construct[Any, Any]"  # construct is generic for checkers, over whatever it parses
    ids: Mapping[int, str]
    chips: tuple[int, ...]
    offsets: tuple[int, ...]
    header_bytes: int
    by_size: bool = False  # marks too weak to believe without the right size


_FAMILIES: Final = (
    _Family("bee2", BEE2_HEAD, BEE2_IDS, _BEE2_CHIPS, (0,), _BEE2_HEADER_BYTES),
    _Family(
        "87x2g",
        RTL87X2G_HEAD,
        RTL87X2G_IDS,
        (_RTL87X2G_CHIP,),
        _RTL87X2G_OFFSETS,
        _RTL87X2G_HEADER_BYTES,
    ),
    _Family("bbpro", BBPRO_HEAD, OLD_IDS, (), (0,), _BEE2_HEADER_BYTES, by_size=True),
    _Family("bee1", BEE1_HEAD, OLD_IDS, (), (0,), _BEE2_HEADER_BYTES, by_size=True),
)


@dataclass(frozen=True, slots=True)
class RealtekImage:
    """One image: its family, the fields of its control header, and how long it should be.

    `crc16` is 0 where the watch goes by the SHA-256 (5.5).
    """

    family: str
    image_id: int
    kind: str
    expected_bytes: int
    crc16: int
    version: str | None
    digests: Mapping[str, str]
    facts: Mapping[str, object]


def recognises(data: bytes, name: str) -> bool:
    """Whether a known image id stands where some chip family has it."""
    return find(data) is not None or _is_mp(data, name)


def read(data: bytes, name: str, key: PublicKey | None = None) -> ImageInfo:
    """Read and check a file that is one image.

    Raises:
        DecodeError: no family knows its header.
    """
    facts: dict[str, object] = {}
    if find(data) is None and _is_mp(data, name):
        data = data[MP_HEAD_BYTES:]
        facts["stripped_bytes"] = MP_HEAD_BYTES
    part, checks = read_part(data, name)
    signature = unsigned_check(key, "a Realtek image of a known layout")
    return ImageInfo(FORMAT, TRANSPORT, (part,), facts, (*checks, signature))


def read_part(data: bytes, name: str, label: str = "") -> tuple[ImagePart, list[Check]]:
    """Read one image, of a file of its own or of a pack.

    Raises:
        DecodeError: no family knows its header.
    """
    image = find(data)
    if image is None:
        raise DecodeError("no header of a Realtek image")
    part = ImagePart(name, image.kind, data, b"", image.version, image.digests, image.facts)
    safe = image.image_id not in UNSAFE_IDS
    which = f"{image.kind} ({hex_id(image.image_id)})"
    unsafe = f"{which} is written in place or cannot be undone: an update must not hold it"
    checks = [
        length_check(data, image.expected_bytes, label),
        verdict("unsafe", safe, which, unsafe, label),
        _digest_check(image, label),
    ]
    return part, checks


def find(data: bytes) -> RealtekImage | None:
    """Look for a control header; families with strong marks come first."""
    for family in _FAMILIES:
        for offset in family.offsets:
            if len(data) < offset + HEAD_BYTES:
                continue
            head = family.layout.parse(data[offset : offset + HEAD_BYTES])
            size_bytes = _payload_bytes(head) + family.header_bytes
            chips_fit = not family.chips or head.ic in family.chips
            size_fits = not family.by_size or size_bytes == len(data)
            if head.image_id in family.ids and chips_fit and size_fits:
                return _image(data, family, head, offset, size_bytes)
    return None


def _is_mp(data: bytes, name: str) -> bool:
    """Whether a file is an image behind the block of a production tool."""
    return name.lower().endswith(MP_ENDING) and find(data[MP_HEAD_BYTES:]) is not None


def _payload_bytes(head: Any) -> int:  # construct's containers are untyped
    words = head.get("payload_words")
    return int(head.payload_bytes if words is None else _WORD_BYTES * words)


def _image(data: bytes, family: _Family, head: Any, offset: int, size_bytes: int) -> RealtekImage:
    facts: dict[str, object] = {
        "family": family.name,
        "image_id": hex_id(head.image_id),
        "payload_bytes": _payload_bytes(head),
        "crc16": hex_id(head.crc16),
    }
    if "ic" in head:
        facts["ic_type"] = hex_id(head.ic, 2)
    if "secure_version" in head:
        facts["secure_version"] = head.secure_version
        facts["flags"] = _flag_names(head.flags)
        facts["encrypted"] = bool(head.flags & 0b1010)
    if offset:
        facts["control_header_offset"] = offset
    version, digests = None, {}
    if "version" in head:
        version = str(head.version)
    elif family.layout is BEE2_HEAD and len(data) >= HEAD_BYTES + BEE2_REST.sizeof():
        rest = BEE2_REST.parse(data[HEAD_BYTES:_BEE2_HEADER_BYTES])
        version = version_text(rest.version)
        digests = {"sha256": rest.sha256.hex()}
        facts["image_name"] = field_text(rest.name)
        facts["ido_device_id"] = ido_device_id(rest.version)
    return RealtekImage(
        family.name,
        head.image_id,
        family.ids[head.image_id],
        size_bytes,
        head.crc16,
        version,
        digests,
        facts,
    )


def version_text(word: int) -> str:
    """A version word (5.7): major 4 bits, minor 8, revision 15, build 5."""
    return f"{word & 0xF}.{word >> 4 & 0xFF}.{word >> 12 & 0x7FFF}.{word >> 27}"


def ido_device_id(word: int) -> int:
    """The device id that an IDO watch asks for before this update, from a version word.

    It is the word's bits 12 to 26, and bit 15 where any above is set (ido.md 11.3).
    """
    return (word >> 12 & 0x7FFF) | (0x8000 if word >> 27 else 0)


def _digest_check(image: RealtekImage, label: str) -> Check:
    """Which sum the watch will look at (5.5); its span is not in the reference."""
    which = "CRC-16" if image.crc16 else "SHA-256"
    text = f"the watch will check a {which}; over which bytes is not known"
    return Check("digest", Result.SKIPPED, text, label)


def _flag_names(flags: int) -> list[str]:
    names = [name for bit, name in enumerate(_FLAGS) if flags >> bit & 1]
    if flags >> 13:
        names.append(f"image_type_{flags >> 13}")
    return names


def sha256_advice(data: memoryview, expected: bytes) -> Check:
    """Compare the digest of a pack, whose span is believed and not known."""
    if hashlib.sha256(data).digest() == expected:
        return Check("digest", Result.PASSED, f"sha256 {expected.hex()}")
    text = "the SHA-256 differs; over which bytes it goes is believed, not known"
    return Check("digest", Result.ADVICE, text)
