"""Nordic packages: a zip with `manifest.json`, images and init packets (dfu.md 3.8, 4.5; V2).

Whether a package is for Secure or Legacy DFU is told by its init packets: the one is a protobuf
message (3.7), the other a fixed layout (4.4).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from firmware_protocol.errors import DecodeError
from firmware_protocol.images import legacy_init, mcuboot, nordic_init, strict_json
from firmware_protocol.images.archive import Archive
from firmware_protocol.images.image import (
    Check,
    ImageInfo,
    ImagePart,
    Result,
    shown,
    unsigned_check,
    verdict,
)
from firmware_protocol.images.signatures import PublicKey

SECURE_FORMAT: Final = "nordic-secure-zip"
LEGACY_FORMAT: Final = "nordic-legacy-zip"
SECURE_TRANSPORT: Final = "nordic-secure"
LEGACY_TRANSPORT: Final = "nordic-legacy"
MANIFEST: Final = "manifest.json"
# in sending order (3.8): SoftDevice and bootloader first, the application last
KINDS: Final = ("softdevice_bootloader", "softdevice", "bootloader", "application")
INFINITIME_DEVICE_TYPE: Final = 0x0052  # 4.5
INFINITIME_MAX_BYTES: Final = 475136  # 4.5

_MAX_MANIFEST_BYTES: Final = 64 * 1024
_NO_VERSION: Final = 0xFFFFFFFF
_KNOWN_BESIDE: Final = ("dfu_version",)
_METADATA: Final = "info_read_only_metadata"
_PACKET_DATA: Final = "init_packet_data"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One kind of a manifest, with the two files it names."""

    kind: str
    image_name: str
    image: bytes
    init: bytes
    fields: Mapping[str, object]


def recognises(archive: Archive) -> bool:
    """Whether an archive holds a manifest, and is none of another scheme."""
    return MANIFEST in archive.names


def read(archive: Archive, key: PublicKey | None = None) -> ImageInfo:
    """Read and check a package.

    Raises:
        DecodeError: the manifest, a file that it names, or an init packet cannot be read.
    """
    manifest = _manifest(archive.read(MANIFEST, _MAX_MANIFEST_BYTES))
    entries = [_entry(archive, kind, manifest[kind]) for kind in KINDS if kind in manifest]
    if not entries:
        raise DecodeError("the manifest names no image")
    checks = [archive.tail_check(), _manifest_check(manifest), _members_check(archive, entries)]
    secure = [_secure_init(entry.init) for entry in entries]
    parts: list[ImagePart] = []
    if None not in secure:
        for entry, init in zip(entries, cast("list[nordic_init.SecureInit]", secure), strict=True):
            parts.append(_secure_part(entry, init))
            checks += nordic_init.checks_of(init, entry.kind, entry.image, key)
            checks += _metadata_checks(entry, init)
        checks += _order_checks(entries)
        return ImageInfo(SECURE_FORMAT, SECURE_TRANSPORT, tuple(parts), {}, tuple(checks))
    for entry in entries:
        legacy = legacy_init.decode(entry.init)
        part, made = _legacy_part(entry, legacy, key)
        parts.append(part)
        checks += made
    checks += _order_checks(entries)
    facts = {name: manifest[name] for name in _KNOWN_BESIDE if name in manifest}
    return ImageInfo(LEGACY_FORMAT, LEGACY_TRANSPORT, tuple(parts), facts, tuple(checks))


def _manifest(data: bytes) -> dict[str, object]:
    whole = strict_json.read(data, MANIFEST)
    manifest = whole.get("manifest") if isinstance(whole, dict) else None
    if not isinstance(manifest, dict):
        raise DecodeError(f"{MANIFEST} is not that of a Nordic package")
    return manifest


def _entry(archive: Archive, kind: str, fields: object) -> _Entry:
    if not isinstance(fields, dict):
        raise DecodeError(f"{kind} in the manifest is no object")
    names = fields.get("bin_file"), fields.get("dat_file")
    image_name, init_name = (name if isinstance(name, str) else "" for name in names)
    if not image_name or not init_name:
        raise DecodeError(f"{kind} in the manifest lacks bin_file or dat_file")
    return _Entry(
        kind,
        image_name,
        archive.read(image_name),
        archive.read(init_name, nordic_init.MAX_INIT_BYTES),
        fields,
    )


def _secure_init(data: bytes) -> nordic_init.SecureInit | None:
    try:
        return nordic_init.decode(data)
    except DecodeError:
        return None


def _secure_part(entry: _Entry, init: nordic_init.SecureInit) -> ImagePart:
    digests = {init.hash_type: init.digest.hex()} if init.digest else {}
    version = _version_text(init.fw_version)
    return ImagePart(
        entry.image_name, entry.kind, entry.image, entry.init, version, digests, init.facts
    )


def _legacy_part(
    entry: _Entry, init: legacy_init.LegacyInit, key: PublicKey | None
) -> tuple[ImagePart, list[Check]]:
    """A part and its checks; with the MCUboot image that InfiniTime has inside (4.5)."""
    checks = legacy_init.checks_of(init, entry.kind, entry.image)
    said = entry.fields.get(_PACKET_DATA)
    if isinstance(said, dict):
        checks.append(legacy_init.manifest_check(init, said, entry.kind))
    digests = {"sha256": init.sha256.hex()} if init.sha256 else {}
    if init.crc16 is not None:
        digests["crc16"] = f"{init.crc16:04x}"
    facts, version = init.facts, _version_text(init.application_version)
    if init.device_type == INFINITIME_DEVICE_TYPE:
        text = f"InfiniTime takes {INFINITIME_MAX_BYTES} bytes, the image has {len(entry.image)}"
        fits = len(entry.image) <= INFINITIME_MAX_BYTES
        checks.append(verdict("size", fits, text, text, entry.kind))
    if mcuboot.recognises(entry.image):
        inner = mcuboot.decode(entry.image)
        found = mcuboot.part_of(inner, entry.image, entry.image_name)
        facts, version = {**facts, "mcuboot": dict(found.facts)}, inner.version
        digests |= found.digests
        checks += mcuboot.checks_of(inner, entry.image, key, unsigned_is_bad=False, part=entry.kind)
    elif init.is_signed:
        text = "ECDSA, not verified: the reference does not say what it is of"
        checks.append(Check("signature", Result.SKIPPED, text, entry.kind))
    else:
        checks.append(unsigned_check(key, "this form of legacy DFU", entry.kind))
    part = ImagePart(entry.image_name, entry.kind, entry.image, entry.init, version, digests, facts)
    return part, checks


def _version_text(number: int | None) -> str | None:
    """A version number as text; one that was not given is all ones (3.7, example 9)."""
    return None if number in (None, _NO_VERSION) else str(number)


def _manifest_check(manifest: Mapping[str, object]) -> Check:
    strange = sorted(set(manifest) - {*KINDS, *_KNOWN_BESIDE})
    names = ", ".join(shown(name) for name in strange)
    return verdict("manifest", not strange, "every entry is known", f"strange entries: {names}")


def _members_check(archive: Archive, entries: Sequence[_Entry]) -> Check:
    named: set[object] = {MANIFEST}
    for entry in entries:
        named |= {entry.fields["bin_file"], entry.fields["dat_file"]}
    extra = [name for name in archive.names if name not in named]
    if extra:
        text = f"files that the manifest does not name: {', '.join(extra)[:200]}"
        return Check("members", Result.ADVICE, text)
    return Check("members", Result.PASSED, "no file that the manifest does not name")


def _metadata_checks(entry: _Entry, init: nordic_init.SecureInit) -> Iterable[Check]:
    """The sizes that a manifest repeats beside the init packet (3.8)."""
    said = entry.fields.get(_METADATA)
    if isinstance(said, dict):
        wrong = [name for name, size in init.sizes.items() if said.get(name, size) != size]
        text = f"{_METADATA} and the init packet differ in {', '.join(wrong)}"
        yield verdict("manifest", not wrong, "sizes as in the init packet", text, entry.kind)


def _order_checks(entries: Sequence[_Entry]) -> Iterable[Check]:
    """3.8 and the gates of 9: no two images for one place; an application follows a SoftDevice."""
    kinds = [entry.kind for entry in entries]
    if "softdevice_bootloader" in kinds and {"softdevice", "bootloader"} & set(kinds):
        text = "a SoftDevice or bootloader comes twice, alone and in one"
        yield Check("order", Result.FAILED, text)
    elif "application" in kinds:
        yield Check("order", Result.PASSED, ", then ".join(kinds))
    else:
        text = f"{', then '.join(kinds)}; no application follows: have one ready"
        yield Check("order", Result.ADVICE, text)
