"""Realtek packs: several images in one file (dfu.md 5.8; V, the span of the SHA-256 P)."""

from dataclasses import dataclass
from typing import Final

from construct import Bytes, Int16ul, Int32ul, Int64ul, Padding, Struct

from firmware_protocol.errors import DecodeError
from firmware_protocol.images import realtek
from firmware_protocol.images.image import (
    MAX_PARTS,
    Check,
    ImageInfo,
    ImagePart,
    Result,
    hex_id,
    length_check,
    number_check,
    unsigned_check,
)
from firmware_protocol.images.signatures import PublicKey

FORMAT: Final = "realtek-pack"
MAGIC: Final = b"GM"
HEAD: Final = Struct(
    "magic" / Bytes(2), "total_bytes" / Int32ul, "sha256" / Bytes(32), "flags" / Int16ul
)
SHORT_ENTRY: Final = Struct("address" / Int32ul, "size_bytes" / Int32ul, Padding(4))
LONG_ENTRY: Final = Struct("address" / Int64ul, "size_bytes" / Int64ul, Padding(4))

_HEAD_BYTES: Final = 40
_HASHED_FROM: Final = 38  # behind the digest itself
_LONG_ADDRESS, _COMPRESSED, _FORCE, _DUAL_BANK = 1 << 4, 1 << 5, 1 << 6, 1 << 7


@dataclass(frozen=True, slots=True)
class _Slot:
    """One image of the directory: which bit stands for it, and where it lies."""

    bit: int
    bank: int
    address: int
    begin: int
    size_bytes: int


def recognises(data: bytes, name: str = "") -> bool:
    """Whether a file begins as a pack does; two letters are a weak mark."""
    return data.startswith(MAGIC) and len(data) >= _HEAD_BYTES


def read(data: bytes, name: str, key: PublicKey | None = None) -> ImageInfo:
    """Read and check a pack.

    Raises:
        DecodeError: the directory is cut short, or names too many images.
    """
    if not recognises(data):
        raise DecodeError("too short for the head of a Realtek pack")
    head = HEAD.parse(data[:_HEAD_BYTES])
    version = head.flags & 0xF
    slots = _slots(data, version, is_long=bool(head.flags & _LONG_ADDRESS))
    end = slots[-1].begin + slots[-1].size_bytes if slots else _HEAD_BYTES
    checks = [
        length_check(data, head.total_bytes),
        number_check("size", "end of the last image:", end, head.total_bytes),
        realtek.sha256_advice(memoryview(data)[_HASHED_FROM:], head.sha256),
    ]
    parts: list[ImagePart] = []
    for slot in slots:
        part, made = _part(data, slot, name)
        parts.append(part)
        checks += made
    checks.append(unsigned_check(key, "a Realtek pack"))
    facts: dict[str, object] = {
        "pack_version": version,
        "ic_type": hex_id(head.flags >> 8, 2),
        "compressed": bool(head.flags & _COMPRESSED),
        "force": bool(head.flags & _FORCE),
        "dual_bank": bool(head.flags & _DUAL_BANK),
        "pack_sha256": head.sha256.hex(),
    }
    return ImageInfo(FORMAT, realtek.TRANSPORT, tuple(parts), facts, tuple(checks))


def _slots(data: bytes, version: int, *, is_long: bool) -> list[_Slot]:
    at = _HEAD_BYTES + (32 if version > 4 else 0)
    bitmap_bytes = 4 if version <= 1 else 32
    layout = LONG_ENTRY if is_long else SHORT_ENTRY
    bitmap = int.from_bytes(data[at : at + bitmap_bytes], "little")
    at += bitmap_bytes
    count = bitmap.bit_count()
    begin = at + layout.sizeof() * count
    if count > MAX_PARTS or begin > len(data):
        raise DecodeError("the directory of a Realtek pack goes beyond the file")
    slots: list[_Slot] = []
    for bit in (bit for bit in range(8 * bitmap_bytes) if bitmap >> bit & 1):
        entry = layout.parse(data[at : at + layout.sizeof()])
        bank = int(bit >= 4 * bitmap_bytes)
        slots.append(_Slot(bit, bank, entry.address, begin, entry.size_bytes))
        at += layout.sizeof()
        begin += entry.size_bytes
    return slots


def _part(data: bytes, slot: _Slot, name: str) -> tuple[ImagePart, list[Check]]:
    label = f"image_{slot.bit}"
    body = data[slot.begin : slot.begin + slot.size_bytes]
    where: dict[str, object] = {
        "bit": slot.bit,
        "bank": slot.bank,
        "address": f"{slot.address:08X}",
    }
    if len(body) < slot.size_bytes:
        part = ImagePart(f"{name}:{label}", "unknown", body, facts=where)
        return part, [length_check(body, slot.size_bytes, label)]
    if realtek.find(body) is None:
        part = ImagePart(f"{name}:{label}", "unknown", body, facts=where)
        return part, [Check("header", Result.ADVICE, "no header of a known family", label)]
    found, checks = realtek.read_part(body, f"{name}:{label}", label)
    part = ImagePart(
        found.name, found.kind, body, b"", found.version, found.digests, {**where, **found.facts}
    )
    return part, checks
