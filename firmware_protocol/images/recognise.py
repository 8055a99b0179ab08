"""Which format a firmware file is of: by its marks first, by its size or name where it has none."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from firmware_protocol.errors import DecodeError
from firmware_protocol.images import (
    actions_aota,
    ido_fw,
    mcuboot,
    nordic_zip,
    plain,
    realtek,
    realtek_pack,
    strangers,
)
from firmware_protocol.images import archive as archives
from firmware_protocol.images.image import MAX_FILE_BYTES, Check, ImageInfo, Result
from firmware_protocol.images.plain import Sidecar
from firmware_protocol.images.signatures import PublicKey

TRIED: Final = (
    "a zip of Nordic or SiFli, MCUboot, AOTA, .fw, a Realtek image or pack, "
    "and a plain binary with a sidecar manifest"
)
_Knows = Callable[[bytes, str], bool]
_Reads = Callable[[bytes, str, PublicKey | None], ImageInfo]


def read_image(
    data: bytes, name: str, *, sidecar: Sidecar | None = None, key: PublicKey | None = None
) -> ImageInfo:
    """Read and check a firmware file of any format.

    Args:
        data: the whole file.
        name: its name without folders; some formats have no other mark.
        sidecar: what a manifest beside the file says; checked whatever the format is.
        key: verifies signatures. With a key, a file without a signature is objected to.

    Raises:
        DecodeError: it is of no known format, or too broken to be read.
    """
    if len(data) > MAX_FILE_BYTES:
        raise DecodeError(f"larger than {MAX_FILE_BYTES} bytes")
    if not data:
        raise DecodeError("the file is empty")
    reads = next((reads for knows, reads in _FORMATS if knows(data, name)), None)
    if reads is not None:
        info = reads(data, name, key)
    elif sidecar is not None:
        info = plain.read(data, name, sidecar, key)
    else:
        raise DecodeError(f"of no known format; tried: {TRIED}")
    checks = info.checks
    if info.refusal:
        checks = (Check("unsupported", Result.FAILED, info.refusal), *checks)
    if sidecar is not None:
        checks = (*checks, *plain.checks_of(data, sidecar, info.transport))
        info = replace(info, facts={**info.facts, **sidecar.facts})
    return replace(info, checks=checks)


def _read_zip(data: bytes, name: str, key: PublicKey | None) -> ImageInfo:
    archive = archives.Archive(data)
    if stranger := strangers.read_zip(archive):
        return stranger
    if nordic_zip.recognises(archive):
        return nordic_zip.read(archive, key)
    raise DecodeError(f"a zip of no known kind: it has no {nordic_zip.MANIFEST}")


# in this order: what has a mark of its own, then what only its size or name tells
_FORMATS: Final[tuple[tuple[_Knows, _Reads], ...]] = (
    (archives.recognises, _read_zip),
    (mcuboot.recognises, mcuboot.read),
    (actions_aota.recognises, actions_aota.read),
    (strangers.recognises, strangers.read),
    (ido_fw.recognises, ido_fw.read),
    (realtek_pack.recognises, realtek_pack.read),
    (realtek.recognises, realtek.read),
    (ido_fw.recognises_name, ido_fw.read),
)
