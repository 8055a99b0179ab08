"""What is to be written to a watch, what happens meanwhile, and what came of it."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from firmware_protocol.errors import DecodeError
from firmware_protocol.events import WatchInfo
from firmware_protocol.images import ImagePart
from firmware_protocol.versions import Version
from ksos_link.operations.file_facts import facts_of_firmware
from ksos_link.operations.firmware_file import FirmwareFile
from ksos_link.operations.link_events import Connected
from ksos_link.operations.preflight import Objection
from ksos_link.operations.release import OpenedRelease
from ksos_link.operations.release_manifest import Channel
from ksos_link.operations.uploading import Counts, UploadEvent


@dataclass(frozen=True, slots=True)
class FirmwareWish:
    """What to write, and what may be overlooked.

    `files` go in their order, as one update; `source` is what a person named: the file, or the
    manifest. `allow` lifts objections by name. `loader_key` is for
    loaders that want what they get encrypted.
    """

    files: tuple[FirmwareFile, ...]
    release: OpenedRelease | None = None
    source: Path = Path()
    channel: Channel = Channel.FORMAL
    region: str | None = None
    allow: frozenset[str] = frozenset()
    unsigned: bool = False
    experimental: bool = False
    dry_run: bool = False
    loader_key: bytes = field(default=b"", repr=False)

    @property
    def transport(self) -> str:
        """By which transport it goes, as the first file says."""
        return self.files[0].info.transport

    @property
    def source_sha256(self) -> str:
        """The digest of what was named, as it was when it was read."""
        if self.release is None:
            return self.files[0].sha256
        return hashlib.sha256(self.release.data).hexdigest()

    @property
    def parts(self) -> tuple[ImagePart, ...]:
        """Everything to be sent, in its order."""
        return tuple(part for file in self.files for part in file.info.parts)

    @property
    def version(self) -> str | None:
        """What the watch should then tell; None where nothing says it."""
        if self.release is not None:
            return str(self.release.release.version)
        return facts_of_firmware(self.files[-1]).version


@dataclass(frozen=True, slots=True)
class Preflighted:
    """Nothing stands against writing; `lifted` are objections that were allowed by name."""

    lifted: tuple[Objection, ...]


@dataclass(frozen=True, slots=True)
class LoaderMet:
    """The loader answered. `facts` are its own words about itself."""

    info: WatchInfo


@dataclass(frozen=True, slots=True)
class Restarting:
    """The watch starts what it got; now it is looked for."""


@dataclass(slots=True)
class FirmwareReport:
    """The end. `confirmed` tells that the watch says it runs what was written.

    It is None where nothing says which version that is; `written` is False after a dry run.
    """

    written: bool = False
    confirmed: bool | None = None
    version_before: str | None = None
    version_after: str | None = None
    battery_before_pct: int | None = None
    battery_after_pct: int | None = None
    rssi_dbm: int | None = None
    lifted: tuple[str, ...] = ()
    counts: Counts = field(default_factory=Counts)


FirmwareEvent = Connected | Preflighted | LoaderMet | Restarting | UploadEvent | FirmwareReport


class UploadNotes(Protocol):
    """Remembers that a watch may be half-way, so that it can be taken up again."""

    def begun(self, address: str, wish: FirmwareWish) -> None:
        """The watch at this address is about to get files."""

    def ended(self, address: str) -> None:
        """It runs an application again."""


def same_version(told: str | None, wanted: str | None) -> bool | None:
    """None where one of them is not known, or is no version that can be compared."""
    try:
        if told is None or wanted is None:
            return None
        return Version.parse(told) == Version.parse(wanted)
    except DecodeError:
        return None
