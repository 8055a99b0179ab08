"""A virtual MCUboot: two slots, their trailers, and what happens at a restart (dfu.md 6.4).

It reads images with its own code. Each erase and each write of flash is one step of `Power`, which
can be cut before any of them; what was done stays, and `boot` goes on where it was.
"""

import hashlib
import struct
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

HEADER_BYTES: Final = 32
SECTOR_BYTES: Final = 4096
DEFAULT_SLOT_BYTES: Final = 320 * SECTOR_BYTES
_MAGIC: Final = 0x96F3B83D
_PROTECTED, _UNPROTECTED = 0x6908, 0x6907
_SHA256: Final = 0x10
_NON_BOOTABLE: Final = 0x10
_ERASED: Final = b"\xff"
_SWAP_STEPS: Final = 3  # of a sector: into the scratch area, across, and back out


class PowerCutError(Exception):
    """The power went before a step of the flash."""


@dataclass(slots=True)
class Power:
    """How many more steps the flash does before the power is cut, once; None: it is not cut."""

    steps_left: int | None = None

    def step(self) -> None:
        """Do one.

        Raises:
            PowerCutError: the power is cut before it.
        """
        if self.steps_left == 0:
            self.steps_left = None
            raise PowerCutError
        if self.steps_left is not None:
            self.steps_left -= 1


@dataclass(frozen=True, slots=True)
class Image:
    """What a slot holds: `end` is where the last TLV ends, `sha256` is what the TLV says."""

    version: tuple[int, int, int, int]
    flags: int
    hashed_bytes: int
    sha256: bytes
    end: int


def image_in(content: bytes | bytearray) -> Image | None:
    """Read header and TLVs; None where they are not whole or have no SHA-256."""
    if len(content) < HEADER_BYTES:
        return None
    magic, _, head, protected, size, flags = struct.unpack_from("<IIHHII", content)
    version = struct.unpack_from("<BBHI", content, 20)
    at = head + size
    if magic != _MAGIC or head < HEADER_BYTES:
        return None
    digest = b""
    for area in (_PROTECTED, _UNPROTECTED)[not protected :]:
        if len(content) < at + 4:
            return None
        found, total = struct.unpack_from("<HH", content, at)
        end = at + total
        if found != area or total < 4 or len(content) < end:
            return None
        if area == _PROTECTED and total != protected:
            return None
        digest = _sha256_among(content[at + 4 : end]) or digest
        at = end
    return Image(version, flags, head + size + protected, digest, at) if digest else None


def _sha256_among(entries: bytes | bytearray) -> bytes:
    at = 0
    while at + 4 <= len(entries):
        kind, _, size = struct.unpack_from("<BBH", entries, at)
        if kind == _SHA256 and size == 32:
            return bytes(entries[at + 4 : at + 4 + size])
        at += 4 + size
    return b""


def sound_image_in(content: bytes | bytearray) -> Image | None:
    """What MCUboot would start: whole, bootable, and its SHA-256 fits."""
    image = image_in(content)
    if image is None or image.flags & _NON_BOOTABLE:
        return None
    fits = hashlib.sha256(content[: image.hashed_bytes]).digest() == image.sha256
    return image if fits else None


def as_image(body: bytes, version: int) -> bytes:
    """Give bytes that are no image of MCUboot what it wants around them."""
    head = struct.pack(
        "<IIHHIIBBHII", _MAGIC, 0, HEADER_BYTES, 0, len(body), 0, version, 0, 0, 0, 0
    )
    digest = hashlib.sha256(head + body).digest()
    return head + body + struct.pack("<HHBBH", _UNPROTECTED, 40, _SHA256, 0, 32) + digest


@dataclass(slots=True)
class Trailer:
    """The flags at the end of a slot; False is what erased flash says."""

    magic: bool = False
    image_ok: bool = False
    copy_done: bool = False


class SwapKind(Enum):
    """What a restart does: the rows of the decision table."""

    NONE = auto()
    TEST = auto()
    PERMANENT = auto()
    REVERT = auto()


@dataclass(slots=True)
class _Journal:
    """The swap status in flash: what is swapped, and how far it got."""

    kind: SwapKind
    sectors: int
    step: int = 0


@dataclass(slots=True)
class Slot:
    """A slot without its trailer's sector, erased where nothing was written."""

    size_bytes: int
    content: bytearray = field(init=False)
    trailer: Trailer = field(default_factory=Trailer)

    def __post_init__(self) -> None:
        self.content = bytearray(_ERASED * self.size_bytes)


class Mcuboot:
    """The flash of a watch with MCUboot. With `overwrite` the primary slot is lost by an update."""

    def __init__(self, application: bytes, *, slot_bytes: int, overwrite: bool) -> None:
        """Begin with an image in the primary slot; empty: there is none."""
        self.power = Power()
        self.most_bytes = slot_bytes - SECTOR_BYTES  # the last one has the trailer
        self.primary = Slot(self.most_bytes)
        self.primary.content[: len(application)] = application
        self.secondary = Slot(self.most_bytes)
        self._scratch = b""
        self._overwrite = overwrite
        self._journal: _Journal | None = None

    def running(self) -> bytes | None:
        """The image that starts, None where none would."""
        image = None if self._journal else sound_image_in(self.primary.content)
        return None if image is None else bytes(self.primary.content[: image.end])

    def next_swap(self) -> SwapKind:
        """The decision table of dfu.md 6.4."""
        primary, secondary = self.primary.trailer, self.secondary.trailer
        if secondary.magic:
            return SwapKind.PERMANENT if secondary.image_ok else SwapKind.TEST
        if primary.magic and not primary.image_ok and primary.copy_done:
            return SwapKind.REVERT
        return SwapKind.NONE

    def erase(self) -> None:
        """Erase the secondary slot."""
        self.power.step()
        self.secondary.trailer = Trailer()
        self.secondary.content = bytearray(_ERASED * self.most_bytes)

    def write(self, offset: int, data: bytes) -> None:
        """Write into the secondary slot, which is erased there."""
        self.power.step()
        self.secondary.content[offset : offset + len(data)] = data

    def mark_pending(self, *, permanent: bool) -> None:
        """Ask for a swap at the next restart."""
        self.power.step()
        self.secondary.trailer = Trailer(magic=True, image_ok=permanent)

    def confirm(self) -> None:
        """Keep what runs."""
        self.power.step()
        self.primary.trailer.image_ok = True

    def boot(self) -> None:
        """Restart: go on with what was begun, or begin what the trailers say.

        Raises:
            PowerCutError: once more; the next `boot` goes on.
        """
        if self._journal is None:
            self._journal = self._begin()
        if self._journal is not None:
            self._move_sectors(self._journal)
            self._finish(self._journal.kind)
            self._journal = None

    def _begin(self) -> _Journal | None:
        kind = self.next_swap()
        if kind is SwapKind.NONE:
            return None
        if sound_image_in(self.secondary.content) is None:
            self.erase()
            self.confirm()
            return None
        used = max(len(slot.content.rstrip(_ERASED)) for slot in (self.primary, self.secondary))
        self.power.step()
        return _Journal(kind, -(-used // SECTOR_BYTES))

    def _move_sectors(self, journal: _Journal) -> None:
        """Each step can be done again: what it reads is still there."""
        steps = 1 if self._overwrite else _SWAP_STEPS
        while journal.step < journal.sectors * steps:
            sector, part = divmod(journal.step, steps)
            at = slice(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES)
            primary, secondary = self.primary.content, self.secondary.content
            if self._overwrite:
                self._rewrite(primary, at, bytes(secondary[at]))
            elif part == 0:
                self.power.step()
                self._scratch = bytes(secondary[at])
            elif part == 1:
                self._rewrite(secondary, at, bytes(primary[at]))
            else:
                self._rewrite(primary, at, self._scratch)
            journal.step += 1

    def _rewrite(self, content: bytearray, at: slice, data: bytes) -> None:
        self.power.step()
        content[at] = _ERASED * len(data)
        self.power.step()
        content[at] = data

    def _finish(self, kind: SwapKind) -> None:
        """Leave the trailers as they are after a swap; overwriting leaves none."""
        if self._overwrite:
            self.erase()
            return
        self.power.step()
        self.secondary.trailer = Trailer()
        self.primary.trailer = Trailer(True, kind is not SwapKind.TEST, True)
