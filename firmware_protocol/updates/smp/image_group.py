"""The image group of the virtual SMP server: state, upload, erase (dfu.md 6.2, 6.3)."""

import hashlib
import struct
from dataclasses import dataclass
from typing import Any, Final

from firmware_protocol.updates.smp.bootloader import HEADER_BYTES, Mcuboot, SwapKind, image_in

# of the image group; the reference names some, the public list of the group the others
HASH_NOT_FOUND, NO_FREE_SLOT, NO_OFFSET, NO_LENGTH, TOO_SHORT = 8, 9, 20, 21, 22
NO_MAGIC, NO_HASH, RUNNING_IS_NEWER, TOO_LARGE, OVERRUN, TEST_OF_ACTIVE = 23, 24, 27, 30, 31, 33
INVALID: Final = 3  # of the older form, of any group
IMAGE_GROUP: Final = 1
_MAGIC: Final = bytes.fromhex("3db8f396")

Fields = dict[str, Any]  # what CBOR says, of any type until it was looked at


class RefusedError(Exception):
    """A request cannot be done; with `group` None any server says it in the older form."""

    def __init__(self, code: int, group: int | None = IMAGE_GROUP) -> None:
        super().__init__(code)
        self.code = code
        self.group = group


@dataclass(slots=True)
class _Upload:
    """An upload under way. It outlives a link, not a restart."""

    sha: bytes
    total_bytes: int
    offset: int = 0


class ImageGroup:
    """Does the requests of the group; `checks_whole` says `match` at the end of an upload."""

    def __init__(self, boot: Mcuboot, *, checks_whole: bool) -> None:
        self._boot = boot
        self._checks_whole = checks_whole
        self._upload: _Upload | None = None

    def forget(self) -> None:
        """What a restart does: nothing is known of an upload."""
        self._upload = None

    def state(self, _: Fields) -> Fields:
        """Say what is in the slots, by their headers and TLVs."""
        swap = self._boot.next_swap()
        on_trial = swap is SwapKind.REVERT
        waits = swap in (SwapKind.TEST, SwapKind.PERMANENT)
        flags = (
            {"active": True, "confirmed": not on_trial, "pending": False, "permanent": False},
            {
                "active": False,
                "confirmed": on_trial,  # it is what a restart goes back to
                "pending": waits,
                "permanent": swap is SwapKind.PERMANENT,
            },
        )
        images = []
        for number, slot in enumerate((self._boot.primary, self._boot.secondary)):
            if image := image_in(slot.content):
                version = ".".join(
                    str(part) for part in image.version[: 3 + bool(image.version[3])]
                )
                told = {"slot": number, "version": version, "hash": image.sha256, "bootable": True}
                images.append(told | flags[number])
        return {"images": images, "splitStatus": 0}

    def set_state(self, fields: Fields) -> Fields:
        """Keep what runs, or have the other image tried or kept at the next restart."""
        digest, confirm = fields.get("hash"), bool(fields.get("confirm", False))
        if digest is None and not confirm:
            raise RefusedError(NO_HASH)
        if digest is None or self._holds(0, digest):
            if not confirm:
                raise RefusedError(TEST_OF_ACTIVE)
            self._boot.confirm()
        elif not self._holds(1, digest):
            raise RefusedError(HASH_NOT_FOUND)
        elif self._boot.next_swap() is SwapKind.REVERT:
            raise RefusedError(NO_FREE_SLOT)
        else:
            self._boot.mark_pending(permanent=confirm)
        return self.state({})

    def erase(self, fields: Fields) -> Fields:
        """Erase the slot that nobody needs."""
        if fields.get("slot", 1) != 1 or self._boot.next_swap() is not SwapKind.NONE:
            raise RefusedError(NO_FREE_SLOT)
        self.forget()
        self._boot.erase()
        return {}

    def upload(self, fields: Fields) -> Fields:
        """Take a chunk that is the next one; answer any other with the offset of that."""
        offset, data = fields.get("off"), fields.get("data")
        if not isinstance(offset, int) or offset < 0:
            raise RefusedError(NO_OFFSET)
        if not isinstance(data, bytes):
            raise RefusedError(INVALID, None)
        upload = self._upload
        if not offset:
            upload = self._begin(fields, data)
        if upload is None or offset != upload.offset:
            return {"off": 0 if upload is None else upload.offset}
        if offset + len(data) > upload.total_bytes:
            raise RefusedError(OVERRUN)
        self._boot.write(offset, data)
        upload.offset += len(data)
        return {"off": upload.offset, **self._end(upload)}

    def _begin(self, fields: Fields, data: bytes) -> _Upload:
        """Look at a first chunk; go on with the upload that it names, or erase for a new one."""
        sha, total = fields.get("sha", b""), fields.get("len")
        if len(data) < HEADER_BYTES:
            raise RefusedError(TOO_SHORT)
        if not isinstance(total, int):
            raise RefusedError(NO_LENGTH)
        if not isinstance(sha, bytes):
            raise RefusedError(INVALID, None)
        if self._upload is not None and sha and sha == self._upload.sha:
            return self._upload
        self._look_at(data, total, upgrade=bool(fields.get("upgrade", False)))
        self.forget()
        self._boot.erase()
        self._upload = _Upload(sha, total)
        return self._upload

    def _look_at(self, data: bytes, total_bytes: int, *, upgrade: bool) -> None:
        """The rules before anything is erased."""
        if not data.startswith(_MAGIC):
            raise RefusedError(NO_MAGIC)
        if self._boot.next_swap() is not SwapKind.NONE:
            raise RefusedError(NO_FREE_SLOT)
        if total_bytes > self._boot.most_bytes:
            raise RefusedError(TOO_LARGE)
        if len(data) > total_bytes:
            raise RefusedError(OVERRUN)
        running = image_in(self._boot.primary.content)
        new_version = struct.unpack_from("<BBHI", data, 20)
        if upgrade and running is not None and running.version >= new_version:
            raise RefusedError(RUNNING_IS_NEWER)

    def _end(self, upload: _Upload) -> Fields:
        if upload.offset < upload.total_bytes:
            return {}
        self.forget()
        if not upload.sha or not self._checks_whole:
            return {}
        got = self._boot.secondary.content[: upload.total_bytes]
        return {"match": hashlib.sha256(got).digest() == upload.sha}

    def _holds(self, slot_number: int, digest: object) -> bool:
        slot = (self._boot.primary, self._boot.secondary)[slot_number]
        image = image_in(slot.content)
        return image is not None and image.sha256 == digest
