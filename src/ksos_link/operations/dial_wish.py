"""What dial is to be pushed, what happens meanwhile, and what came of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from firmware_protocol.events import DialShown
from ksos_link.errors import UsageError
from ksos_link.operations.dial_file import DialFile, open_dial_file
from ksos_link.operations.link_events import Connected, Reconnecting
from ksos_link.operations.preflight import Objection
from ksos_link.operations.release import OpenedRelease, open_release
from ksos_link.operations.release_keys import ReleaseKey
from ksos_link.operations.release_manifest import MANIFEST_ENDINGS, Channel, Kind
from ksos_link.operations.uploading import Counts, UploadEvent


@dataclass(frozen=True, slots=True)
class DialWish:
    """What to push, and what may be overlooked.

    `name` is what the watch shall call it, without suffix; empty takes the file's own. `allow`
    lifts objections of the preflight by name, `accept` faults of the file. With `replace` a dial
    of the same name is removed first.
    """

    dial: DialFile
    release: OpenedRelease | None = None
    name: str = ""
    channel: Channel = Channel.FORMAL
    region: str | None = None
    allow: frozenset[str] = frozenset()
    accept: frozenset[str] = frozenset()
    unsigned: bool = False
    replace: bool = False
    dry_run: bool = False

    @property
    def stem(self) -> str:
        """What it is called, without suffix."""
        form, file = self.dial.format, self.dial.path.name
        return self.name or file.removesuffix(form.packed_suffix).removesuffix(form.suffix)

    @property
    def shown_name(self) -> str:
        """What the watch will call it."""
        return f"{self.stem}{self.dial.format.suffix}"

    @property
    def sent_name(self) -> str:
        """Under which name it is sent."""
        return f"{self.stem}{self.dial.format.packed_suffix}"

    @property
    def sha256(self) -> str:
        """The digest of the file as it lies here."""
        return hashlib.sha256(self.dial.data).hexdigest()


@dataclass(frozen=True, slots=True)
class DialJudged:
    """What speaks against it: `standing` ends the push, `lifted` was allowed by name."""

    standing: tuple[Objection, ...]
    lifted: tuple[Objection, ...]


@dataclass(frozen=True, slots=True)
class DialReplaced:
    """The older dial of the same name was removed."""

    name: str


@dataclass(slots=True)
class DialReport:
    """The end. `pushed` is False after a dry run; `size_bytes` is what went over the link."""

    name: str
    pushed: bool = False
    replaced: bool = False
    size_bytes: int = 0
    battery_pct: int | None = None
    rssi_dbm: int | None = None
    lifted: tuple[str, ...] = ()
    counts: Counts = field(default_factory=Counts)


DialEvent = (
    Connected | DialJudged | DialReplaced | UploadEvent | Reconnecting | DialShown | DialReport
)


def open_dial_source(path: Path, keys: Sequence[ReleaseKey] = ()) -> DialWish:
    """Read a dial, or a release manifest with the one dial of it, ready to be pushed.

    Raises:
        NotFoundError, MalformedError: see `open_release` and `open_dial_file`.
        UsageError: the release is none of one dial.
    """
    if path.suffix.lower() not in MANIFEST_ENDINGS:
        return DialWish(open_dial_file(path))
    opened = open_release(path, keys)
    if opened.release.kind is not Kind.DIAL:
        raise UsageError(
            "That release is one of firmware.", "Write it with: ksos firmware write FILE"
        )
    if len(opened.release.files) != 1:
        raise UsageError("That release has several files; a dial is one.", "Make one for each.")
    return DialWish(open_dial_file(opened.path_of(opened.release.files[0])), opened)
