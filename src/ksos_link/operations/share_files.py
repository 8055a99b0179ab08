"""Exports as files: in memory for a letter, or into a folder that a person chose."""

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ksos_link.errors import NotFoundError, UsageError
from ksos_link.export.format import (
    ArchiveFormat,
    DocumentFormat,
    FolderFormat,
    Format,
    TableFormat,
    WorkoutFormat,
    under_seal,
)
from ksos_link.export.source import ColumnSource
from ksos_link.export.target import sealed_path
from ksos_link.operations.exporting import Exported, workout_name, write_out
from ksos_link.operations.share_ledger import BEGUN, SENT, UNKNOWN
from ksos_link.store.database import Store
from ksos_link.store.sharing import ShareConsent

if TYPE_CHECKING:
    from ksos_link.age.sealed import Sealing


@dataclass(frozen=True, slots=True)
class SharedFile:
    """One file, whole, and how many samples are in it."""

    name: str
    content: bytes
    samples: int


def files_of(
    source: ColumnSource, form: Format, most_bytes: int, sealing: "Sealing | None" = None
) -> list[SharedFile]:
    """The files of an export, in memory: what is shared never lies on the disk for it.

    With `sealing` each is encrypted.

    Raises:
        NotFoundError: there is nothing to share in that time.
        UsageError: the format makes a folder, or the files are larger together than `most_bytes`.
    """
    room = most_bytes
    files = []
    written = form if sealing is None else under_seal(form, sealing)
    for file in _files(source, written, most_bytes):
        room -= len(file.content)
        if room < 0:
            raise _too_much()
        if file.samples:
            name = file.name if sealing is None else sealed_path(Path(file.name)).name
            files.append(replace(file, name=name))
    if not files:
        raise _nothing()
    return files


def share_folder(
    store: Store,
    consent: ShareConsent,
    source: ColumnSource,
    form: Format,
    folder: Path,
    sealing: "Sealing | None" = None,
) -> Iterator[Exported]:
    """Write an export into a folder that is there, with a line in the ledger before and after.

    With `sealing` each file is encrypted.

    Raises:
        NotFoundError: no such folder, or nothing to share.
        UsageError, StoreError: it cannot be written; what was told before is there.
    """
    if not folder.is_dir():
        raise NotFoundError("There is no such folder.", "Make it first.")
    if not source.metrics:
        raise _nothing()
    number = store.begin_share(consent.receiver, consent.data, form.name, int(time.time()), BEGUN)
    samples, outcome = 0, UNKNOWN
    try:
        sealed_form = form if sealing is None else under_seal(form, sealing)
        for written in write_out(source, sealed_form, folder):
            samples += written.rows
            if sealing is None or written.path is None or isinstance(form, FolderFormat):
                yield written
            else:
                yield replace(written, path=sealed_path(written.path))
        outcome = SENT
    finally:
        store.end_share(number, outcome, samples)


def _files(source: ColumnSource, form: Format, most_bytes: int) -> Iterator[SharedFile]:
    match form:
        case TableFormat():
            for metric in source.metrics:
                memory = _Memory(most_bytes)
                rows = form.write(source, metric, memory.text)
                yield SharedFile(f"{metric.name}{form.suffix}", memory.content(), rows)
        case DocumentFormat():
            memory = _Memory(most_bytes)
            counts = form.write(source, memory.text)
            yield SharedFile(f"ksos{form.suffix}", memory.content(), sum(counts.values()))
        case WorkoutFormat():
            for workout in source.workouts():
                if form.lacks(workout) is None:
                    memory = _Memory(most_bytes)
                    form.write(source, workout, memory.text)
                    name = f"{workout_name(workout)}{form.suffix}"
                    yield SharedFile(name, memory.content(), 1)
        case FolderFormat() | ArchiveFormat():
            raise UsageError(
                f"No letter holds what {form.name} makes.",
                "Choose a format of single files: ksos export --formats",
            )


class _Memory(io.BytesIO):
    """A file in memory with an end."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__()
        self._most_bytes = most_bytes
        self.text = io.TextIOWrapper(self, "utf-8", newline="", write_through=True)

    def write(self, data: "io.ReadableBuffer") -> int:  # type: ignore[name-defined]
        """See `io.BytesIO.write`.

        Raises:
            UsageError: there is no room.
        """
        if self.tell() + len(memoryview(data)) > self._most_bytes:
            raise _too_much()
        return super().write(data)

    def content(self) -> bytes:
        """All that was written."""
        self.text.flush()
        return self.getvalue()


def _nothing() -> NotFoundError:
    return NotFoundError(
        "There is nothing in that time that you let out in this format.",
        "See `ksos share consents`; fetch: ksos sync",
    )


def _too_much() -> UsageError:
    return UsageError(
        "The files are too large for a letter; nothing was sent.",
        "Choose fewer days with --from and --to, or fewer data.",
    )
