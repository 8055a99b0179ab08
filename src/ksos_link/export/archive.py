"""A person's full copy: one zip of JSON, with a page that says what is in it.

The same store gives the same bytes: members in a fixed order and of one date, numbers that
count from 1 in place of those of the database. Samples stand as they were read from each
record, so that nothing has to be decoded anew to have them back.
"""

import contextlib
import hashlib
import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final, cast

from firmware_protocol.samples import METRICS, Metric, Quality, SleepStage, Value
from ksos_link.export.archive_page import MetricFacts, index_page
from ksos_link.export.archive_source import ArchiveSource, SampleRow
from ksos_link.export.instants import utc_text
from ksos_link.export.target import Target, open_binary_target

FORMAT: Final = "ksos-link archive"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"
_DATE: Final = (1980, 1, 1, 0, 0, 0)  # the first that a zip can say
_OWNER_ONLY: Final = 0o100600 << 16
_WORDS: Final[Mapping[str, Mapping[Value, Value]]] = {
    "stage": {int(stage): stage.name.lower() for stage in SleepStage},
    "quality": {int(quality): quality.name.lower() for quality in Quality},
}
_ENCODE: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def write_archive(source: ArchiveSource, target: Target) -> Mapping[str, int]:
    """Write all; return how many samples of each metric are in it.

    Raises:
        KsosError: the target cannot be written; see `open_binary_target`.
    """
    facts: dict[str, MetricFacts] = {}
    with open_binary_target(target) as file, _Zip(file) as archive:
        documents = source.documents()
        for name, document in documents.items():
            archive.put(name, _pretty(document))
        counts: Counter[str] = Counter()
        for name, entries in source.lists():
            with archive.member(name) as member:
                for entry in entries:
                    member.write(f"{_ENCODE(entry)}\n".encode())
                    counts[name] += 1
        for metric in METRICS.values():
            found = _write_samples(archive, source, metric)
            if found is not None:
                facts[metric.name] = found
        archive.put("index.html", index_page(documents, counts, facts).encode())
        archive.put(MANIFEST, _pretty(_manifest(archive.files, facts)))
    return {name: found.samples for name, found in facts.items()}


def _write_samples(archive: "_Zip", source: ArchiveSource, metric: Metric) -> MetricFacts | None:
    pieces = source.samples(metric.name)
    piece = next(pieces, None)
    if piece is None:
        return None
    facts = MetricFacts()
    names = (*metric.column_names, "quality")
    with archive.member(f"data/{metric.name}.jsonl") as member:
        while piece is not None:
            record, alias, rows = piece
            for row in rows:
                facts.note(int(row[0] or 0))
                entry = {"record": record, "device": alias, **_fields(names, row)}
                member.write(f"{_ENCODE(entry)}\n".encode())
            piece = next(pieces, None)
    return facts


def _fields(names: Sequence[str], row: SampleRow) -> dict[str, object]:
    """What a sample has, in the words of a reader; what is absent has no key."""
    start_utc_s, *values = row
    fields: dict[str, object] = {"start_utc": utc_text(int(start_utc_s or 0))}
    for name, value in zip(names, values, strict=True):
        if value is not None:
            fields[name] = _WORDS[name].get(value, value) if name in _WORDS else value
    return fields


def _manifest(
    files: Mapping[str, tuple[int, str]], facts: Mapping[str, MetricFacts]
) -> dict[str, object]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "files": {
            name: {"bytes": size, "sha256": digest} for name, (size, digest) in files.items()
        },
        "metrics": {
            name: {
                "samples": found.samples,
                "columns": {column.name: column.meaning for column in METRICS[name].columns},
            }
            for name, found in facts.items()
        },
    }


def _pretty(document: object) -> bytes:
    text = json.dumps(document, indent=1, allow_nan=False)
    return f"{text}\n".encode()


class _Zip:
    """A zip that is written from its beginning to its end, and notes what is in it."""

    def __init__(self, file: BinaryIO) -> None:
        # never sought in: the bytes are the same on a disk, encrypted, and in a pipe
        self._out = _OneWay(file)
        self._zip = zipfile.ZipFile(cast("BinaryIO", self._out), "w", zipfile.ZIP_DEFLATED)
        self.files: dict[str, tuple[int, str]] = {}

    def __enter__(self) -> "_Zip":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._out.stop()  # the library would write an end to it, sooner or later
        self._zip.close()

    def put(self, name: str, data: bytes) -> None:
        """Add a small file."""
        with self.member(name) as member:
            member.write(data)

    @contextlib.contextmanager
    def member(self, name: str) -> Iterator["_Member"]:
        """Add a file of any size."""
        info = zipfile.ZipInfo(name, _DATE)
        info.create_system = 3  # rights are those of Unix, wherever it is written
        info.external_attr = _OWNER_ONLY
        info.compress_type = zipfile.ZIP_DEFLATED
        with self._zip.open(info, "w", force_zip64=True) as stream:
            member = _Member(stream)
            yield member
        self.files[name] = (member.size, member.digest.hexdigest())


class _Member:
    """A file in a zip, counted and digested."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.size = 0
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self._stream.write(data)
        self.digest.update(data)
        self.size += len(data)


class _OneWay(io.RawIOBase):
    """A stream that can only be written to."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream: BinaryIO | None = stream

    def stop(self) -> None:
        """Drop whatever comes after this."""
        self._stream = None

    def writable(self) -> bool:
        """See `io.IOBase.writable`."""
        return True

    def write(self, data: Any, /) -> int:
        """See `io.RawIOBase.write`."""
        return len(data) if self._stream is None else self._stream.write(data)

    def flush(self) -> None:
        """Whoever opened the stream flushes it."""
