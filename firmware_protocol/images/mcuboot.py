"""MCUboot images: header, TLVs, digest, signature (dfu.md 6.4; V, example 23)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from construct import Bytes, Int8ul, Int16ul, Int32ul, Struct

from firmware_protocol.errors import DecodeError
from firmware_protocol.images import signatures
from firmware_protocol.images.image import (
    Check,
    ImageInfo,
    ImagePart,
    Result,
    digest_check,
    length_check,
    verdict,
)
from firmware_protocol.images.signatures import PublicKey

FORMAT: Final = "mcuboot"
TRANSPORT: Final = "smp"
MAGIC: Final = bytes.fromhex("3db8f396")
TRAILER_MAGIC: Final = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")
HEADER: Final = Struct(
    "magic" / Bytes(4),
    "load_address" / Int32ul,
    "header_bytes" / Int16ul,
    "protected_bytes" / Int16ul,
    "image_bytes" / Int32ul,
    "flags" / Int32ul,
    "major" / Int8ul,
    "minor" / Int8ul,
    "revision" / Int16ul,
    "build" / Int32ul,
    "pad" / Int32ul,
)
TLV_INFO: Final = Struct("magic" / Int16ul, "total_bytes" / Int16ul)
TLV_ENTRY: Final = Struct("type" / Int8ul, "pad" / Int8ul, "length" / Int16ul)

HEADER_BYTES: Final = 32
_PROTECTED_MAGIC, _UNPROTECTED_MAGIC = 0x6908, 0x6907
_MAX_TLVS: Final = 512  # an area of 65535 bytes could claim 16383 empty ones
_FLAGS: Final[Mapping[int, str]] = {
    0x01: "pic",
    0x04: "encrypted_aes_128",
    0x08: "encrypted_aes_256",
    0x10: "non_bootable",
    0x20: "ram_load",
}
_ENCRYPTED: Final = 0x0C
_KEY_HASH, _SHA256, _PURE = 0x01, 0x10, 0x25
_DIGESTS: Final[Mapping[int, str]] = {_SHA256: "sha256", 0x11: "sha384", 0x12: "sha512"}
_SIGNATURES: Final[Mapping[int, str]] = {
    0x20: signatures.RSA_2048,
    0x22: signatures.ECDSA_P256,
    0x23: signatures.RSA_3072,
    0x24: signatures.ED25519,
}
_TLV_NAMES: Final[Mapping[int, str]] = {
    _KEY_HASH: "key_hash",
    0x02: "public_key",
    **_DIGESTS,
    0x20: "rsa_2048",
    0x22: "ecdsa",
    0x23: "rsa_3072",
    0x24: "ed25519",
    _PURE: "signature_over_pure_image",
    0x30: "encryption_rsa",
    0x31: "encryption_aes_kw",
    0x32: "encryption_ec256",
    0x33: "encryption_x25519",
    0x40: "dependency",
    0x50: "security_counter",
    0x60: "boot_record",
    **{code: f"compression_{code:02x}" for code in range(0x70, 0x74)},
    0x80: "vendor_uuid",
    0x81: "class_uuid",
}


@dataclass(frozen=True, slots=True)
class Tlv:
    """One entry behind the image; `protected` ones are under the digest."""

    type: int
    value: bytes
    protected: bool


@dataclass(frozen=True, slots=True)
class McubootImage:
    """An image taken apart. `end` is where its last TLV ends, `hashed` what the digest covers."""

    version: str
    facts: Mapping[str, object]
    flags: int
    hashed: memoryview
    tlvs: tuple[Tlv, ...]
    end: int
    cut: str = ""

    def first(self, types: Mapping[int, str]) -> Tlv | None:
        """The first entry of one of these types."""
        return next((tlv for tlv in self.tlvs if tlv.type in types), None)


def recognises(data: bytes, name: str = "") -> bool:
    """Whether a file begins as an MCUboot image does, whatever its name."""
    return data.startswith(MAGIC)


def read(data: bytes, name: str, key: PublicKey | None = None) -> ImageInfo:
    """Read and check a file that is one image.

    Raises:
        DecodeError: it is too short for a header, or its header is nonsense.
    """
    image = decode(data)
    part = part_of(image, data, name)
    return ImageInfo(
        FORMAT, TRANSPORT, (part,), {}, tuple(checks_of(image, data, key, unsigned_is_bad=True))
    )


def decode(data: bytes) -> McubootImage:
    """Take an image apart as far as it goes.

    Raises:
        DecodeError: it is too short for a header, or its header is nonsense.
    """
    if len(data) < HEADER_BYTES or not recognises(data):
        raise DecodeError("no MCUboot header")
    head = HEADER.parse(data[:HEADER_BYTES])
    if head.header_bytes < HEADER_BYTES:
        raise DecodeError("an MCUboot header that says it is shorter than one")
    body_end = head.header_bytes + head.image_bytes
    facts: dict[str, object] = {
        "load_address": f"{head.load_address:08X}",
        "header_bytes": head.header_bytes,
        "image_bytes": head.image_bytes,
        "flags": [_FLAGS.get(1 << bit, f"bit_{bit}") for bit in range(32) if head.flags >> bit & 1],
    }
    version = f"{head.major}.{head.minor}.{head.revision}+{head.build}"
    tlvs, end, cut = _tlvs(data, body_end, head.protected_bytes)
    facts["tlvs"] = [_tlv_name(tlv.type) for tlv in tlvs]
    hashed = memoryview(data)[: body_end + head.protected_bytes]
    return McubootImage(version, facts, head.flags, hashed, tuple(tlvs), end, cut)


def part_of(image: McubootImage, data: bytes, name: str, kind: str = "application") -> ImagePart:
    """The neutral part of an image."""
    digests = {_DIGESTS[tlv.type]: tlv.value.hex() for tlv in image.tlvs if tlv.type in _DIGESTS}
    facts = dict(image.facts)
    if found := image.first({_KEY_HASH: ""}):
        facts["key_hash"] = found.value.hex()
    return ImagePart(name, kind, data, b"", image.version, digests, facts)


def checks_of(
    image: McubootImage,
    data: bytes,
    key: PublicKey | None,
    *,
    unsigned_is_bad: bool,
    part: str = "",
) -> list[Check]:
    """All checks of one image; an image that is cut short ends with the first."""
    if image.cut:
        return [Check("truncated", Result.FAILED, image.cut, part)]
    return [
        _tail_check(data, image.end, part),
        _digest_check(image, part),
        _signature_check(image, key, part, unsigned_is_bad=unsigned_is_bad),
    ]


def _tlvs(data: bytes, body_end: int, protected_bytes: int) -> tuple[list[Tlv], int, str]:
    """Both areas behind the image: their entries, where they end, and what is missing."""
    tlvs: list[Tlv] = []
    at = body_end
    for magic in (_PROTECTED_MAGIC, _UNPROTECTED_MAGIC)[not protected_bytes :]:
        if len(data) < at + 4:
            return tlvs, at, f"cut short: {len(data)} bytes, the image goes beyond {at + 4}"
        info = TLV_INFO.parse(data[at : at + 4])
        if info.magic != magic or info.total_bytes < 4:
            raise DecodeError(f"no MCUboot TLV area at {at}")
        if magic == _PROTECTED_MAGIC and info.total_bytes != protected_bytes:
            raise DecodeError("the header and the protected TLV area differ in its size")
        end = at + info.total_bytes
        if len(data) < end:
            return tlvs, at, f"cut short: {len(data)} bytes of {end}"
        _take_entries(data[at + 4 : end], magic == _PROTECTED_MAGIC, tlvs)
        at = end
    return tlvs, at, ""


def _take_entries(area: bytes, protected: bool, tlvs: list[Tlv]) -> None:
    at = 0
    while at < len(area):
        if len(area) < at + 4 or len(tlvs) == _MAX_TLVS:
            raise DecodeError("the MCUboot TLVs do not fill their area")
        entry = TLV_ENTRY.parse(area[at : at + 4])
        value = area[at + 4 : at + 4 + entry.length]
        if len(value) != entry.length:
            raise DecodeError("an MCUboot TLV goes beyond its area")
        tlvs.append(Tlv(entry.type, value, protected))
        at += 4 + entry.length


def _tail_check(data: bytes, end: int, part: str) -> Check:
    """Nothing may follow but a slot's padding with its trailer (6.4, last table)."""
    if data.endswith(TRAILER_MAGIC) and len(data) >= end + len(TRAILER_MAGIC):
        return Check("size", Result.PASSED, f"{end} bytes, padded to a slot with a trailer", part)
    return length_check(data, end, part)


def _digest_check(image: McubootImage, part: str) -> Check:
    if image.flags & _ENCRYPTED:
        text = "the image is encrypted: its digest is of what the watch decrypts"
        return Check("digest", Result.SKIPPED, text, part)
    found = image.first(_DIGESTS)
    if found is None:
        return Check("digest", Result.FAILED, "the image carries no digest", part)
    return digest_check(_DIGESTS[found.type], image.hashed, found.value, part)


def _signature_check(
    image: McubootImage, key: PublicKey | None, part: str, *, unsigned_is_bad: bool
) -> Check:
    """MCUboot signs the digest (its design document); with TLV 25 the whole.

    *Provisional:* that Ed25519 signs whichever digest the image carries; no golden shows it.
    """
    found = image.first(_SIGNATURES)
    if found is None:
        if unsigned_is_bad or key is not None:
            return Check("unsigned", Result.FAILED, "the image carries no signature", part)
        return Check("signature", Result.SKIPPED, "the image carries none", part)
    algorithm = _digest_algorithm(image)
    kind = _SIGNATURES[found.type]
    if kind == signatures.ECDSA_P256 and algorithm != "sha256":
        kind = f"ECDSA with {algorithm}"  # of a larger curve, which no watch of ours uses
    if image.flags & _ENCRYPTED or key is None:
        reason = "the image is encrypted" if image.flags & _ENCRYPTED else "no public key was given"
        return Check("signature", Result.SKIPPED, f"{kind}, not verified: {reason}", part)
    if signatures.kind_of_key(key) != kind:
        text = f"{kind}, but the key is of {signatures.kind_of_key(key)}"
        return Check("signature", Result.FAILED, text, part)
    digest = hashlib.sha256(image.hashed).digest()
    message = hashlib.new(algorithm, image.hashed).digest()
    if image.first({_PURE: ""}):
        message = bytes(image.hashed)
    signature = found.value
    if kind == signatures.ECDSA_P256:
        signature = signatures.unpadded_der(signature)
    good = signatures.verifies(key, signature, message=message, digest=digest)
    named = image.first({_KEY_HASH: ""})
    other = named is not None and named.value != signatures.key_digest(key)
    objection = f"{kind} does not fit{': made with another key' if other else ''}"
    return verdict("signature", good and not other, f"{kind} verified", objection, part)


def _digest_algorithm(image: McubootImage) -> str:
    found = image.first(_DIGESTS)
    return "sha256" if found is None else _DIGESTS[found.type]


def _tlv_name(code: int) -> str:
    return _TLV_NAMES.get(code, f"type_{code:02x}")
