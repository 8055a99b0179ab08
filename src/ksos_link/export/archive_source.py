"""What an archive reads from: all that is kept of a person, as JSON has it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from firmware_protocol.samples import Value

SampleRow = tuple[Value, ...]  # as `Metric.row_names` says, without the device


class ArchiveSource(Protocol):
    """`operations.archive_source` fills it from the store. All of it streams."""

    def documents(self) -> Mapping[str, object]:
        """Small things by the name of their file."""

    def lists(self) -> Iterable[tuple[str, Iterator[Mapping[str, object]]]]:
        """Long lists by the name of their file; to be read one after the other."""

    def samples(self, metric: str) -> Iterator[tuple[int, str, Sequence[SampleRow]]]:
        """Number of the record, alias of its source, and samples, in the order of the records."""
