"""Formats that are recognised and named, and that no transport of ours takes."""

from typing import Final

from firmware_protocol.images.archive import Archive
from firmware_protocol.images.image import ImageInfo, ImagePart
from firmware_protocol.images.mcuboot import MAGIC as MCUBOOT_MAGIC
from firmware_protocol.images.nordic_zip import MANIFEST
from firmware_protocol.images.signatures import PublicKey

_STARMAX_MAGIC: Final = bytes.fromhex("faeeebde")  # dfu.md 8.2
_JIELI_ENDING: Final = ".ufw"  # dfu.md 7.5
_SIFLI_MEMBERS: Final = ("ctrl_packet.bin", "outER_IROM1.bin")  # ido.md 11.2
_SIFLI: Final = "SiFli chips take it through a vendor library whose protocol is not known"
_JIELI: Final = "JieLi files are bound to the key of one chip, and a wrong one leaves a dead watch"
_STARMAX: Final = "the transport of Starmax watches is not spoken"
_ZIPPED_MCUBOOT: Final = "a zip of MCUboot images; unpack it and give the image alone"


def recognises(data: bytes, name: str) -> bool:
    """Whether a file that is no zip has the mark of a foreign scheme."""
    return data.startswith(_STARMAX_MAGIC) or name.lower().endswith(_JIELI_ENDING)


def read(data: bytes, name: str, key: PublicKey | None = None) -> ImageInfo:
    """Name the scheme of a file that `recognises` knows."""
    part = ImagePart(name, "unknown", data)
    if data.startswith(_STARMAX_MAGIC):
        return ImageInfo("starmax", "", (part,), refusal=_STARMAX)
    return ImageInfo("jieli-ufw", "", (part,), refusal=_JIELI)


def read_zip(archive: Archive) -> ImageInfo | None:
    """Name the scheme of a foreign zip; None where it may be a Nordic package."""
    names = [name.rpartition("/")[2] for name in archive.names]
    if any(name in _SIFLI_MEMBERS for name in names):
        return _listed(archive, "sifli-zip", _SIFLI)
    if MANIFEST in archive.names and _is_nordic(archive):
        return None
    if any(archive.peek(name, len(MCUBOOT_MAGIC)) == MCUBOOT_MAGIC for name in archive.names):
        return _listed(archive, "mcuboot-zip", _ZIPPED_MCUBOOT)
    return None


def _is_nordic(archive: Archive) -> bool:
    """Whether the manifest speaks of init packets, as only Nordic's own does (dfu.md 3.8)."""
    return b"dat_file" in archive.read(MANIFEST, 64 * 1024)


def _listed(archive: Archive, format_name: str, refusal: str) -> ImageInfo:
    return ImageInfo(format_name, "", (), {"files": list(archive.names)}, (), refusal)
