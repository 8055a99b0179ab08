"""The kinds of export formats: what each is called, and what it is written by.

A writer gets a target that it opens with `target.open_target`; it never opens files by itself.
Libraries that are slow to load are imported inside the writers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firmware_protocol.samples import Metric
from ksos_link.export.archive_source import ArchiveSource
from ksos_link.export.source import ColumnSource, Source, Workout
from ksos_link.export.target import Target, sealed

if TYPE_CHECKING:
    from ksos_link.age.sealed import Sealing


@dataclass(frozen=True, slots=True)
class TableFormat:
    """One file per metric. `write` returns how many samples it wrote.

    With `streams` several metrics may follow one another on standard output.
    """

    name: str
    title: str
    suffix: str
    write: Callable[[ColumnSource, Metric, Target], int]
    streams: bool = False


@dataclass(frozen=True, slots=True)
class DocumentFormat:
    """One file for everything. `write` returns samples by metric; what it has no place for is 0.

    `warning` is what a person must know of such a file.
    """

    name: str
    title: str
    suffix: str
    write: Callable[[ColumnSource, Target], Mapping[str, int]]
    warning: str = ""


@dataclass(frozen=True, slots=True)
class FolderFormat:
    """A folder of files. `write` gets one that is there, empty, and not yet of its final name."""

    name: str
    title: str
    write: Callable[[ColumnSource, Path], Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class WorkoutFormat:
    """One file per workout. `lacks` says why one has no place in the format, None where it has."""

    name: str
    title: str
    suffix: str
    write: Callable[[Source, Workout, Target], None]
    lacks: Callable[[Workout], str | None] = lambda _: None


@dataclass(frozen=True, slots=True)
class ArchiveFormat:
    """One file of all that is kept, never of a part. `write` returns samples by metric."""

    name: str
    title: str
    suffix: str
    write: Callable[[ArchiveSource, Target], Mapping[str, int]]


Format = TableFormat | DocumentFormat | FolderFormat | WorkoutFormat | ArchiveFormat


def under_seal(form: Format, sealing: "Sealing") -> Format:
    """The same format, all of whose files are encrypted on their way."""

    def write(*arguments: Any) -> Any:  # as each kind of format has them
        with sealed(sealing):
            return form.write(*arguments)

    changes: dict[str, Any] = {"write": write}
    if isinstance(form, TableFormat):
        changes["streams"] = False  # encrypted files cannot follow one another
    return replace(form, **changes)
