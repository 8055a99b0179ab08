"""Samples of an Apple Health export, gathered into pieces of a month, with bounded memory."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from firmware_protocol.clock import ClockStretch
from firmware_protocol.samples import METRICS, Decoded, Quality, Series, Value
from ksos_link.errors import MalformedError
from ksos_link.imports.importer import ImportedRecord
from ksos_link.imports.track import told_offset

FORM: Final = "apple-health"
PIECE_ROWS: Final = 20_000
MOST_ROWS: Final = 100_000  # of all pieces together
MOST_SOURCES: Final = 100
PieceKey = tuple[str, str, int, str]  # source, metric, quality, month


@dataclass(slots=True)
class Piece:
    """The samples of one metric, source and month, by their instants; the first at one stays."""

    rows: dict[int, tuple[Value, ...]] = field(default_factory=dict)
    offsets: dict[int, int] = field(default_factory=dict)  # from an instant on
    last_offset_s: int | None = None
    repeated: int = 0

    def stretches(self) -> tuple[ClockStretch, ...]:
        """What local time was, where the samples told it."""
        return tuple(
            stretch
            for utc_s in sorted(self.offsets)
            for stretch in told_offset(self.offsets[utc_s], utc_s)
        )


class Pieces:
    """Takes samples, and gives pieces when there are too many."""

    def __init__(self) -> None:
        self.repeated = 0
        self._open: dict[PieceKey, Piece] = {}
        self._given: dict[PieceKey, int] = {}
        self._sources: set[str] = set()
        self._current: tuple[PieceKey | None, Piece] = (None, Piece())
        self._rows = 0

    def add(self, key: PieceKey, utc_s: int, offset_s: int, values: tuple[Value, ...]) -> bool:
        """Take a sample; whether it is time to take `full` pieces.

        Raises:
            MalformedError: more sources than anybody has.
        """
        known, piece = self._current
        if key != known:
            piece = self._change(key)
        rows = piece.rows
        if utc_s in rows:
            piece.repeated += 1
            return False
        rows[utc_s] = values
        if offset_s != piece.last_offset_s:
            piece.last_offset_s = piece.offsets[utc_s] = offset_s
        self._rows += 1
        return len(rows) >= PIECE_ROWS or self._rows >= MOST_ROWS

    def add_all(
        self, key: PieceKey, utc_s: Sequence[int], offset_s: int, rows: Iterable[tuple[Value, ...]]
    ) -> bool:
        """Take many samples of one piece; otherwise as `add`."""
        listed = list(rows)
        fresh = dict(zip(utc_s, listed, strict=True))
        known, piece = self._current
        if key != known:
            piece = self._change(key)
        if len(fresh) != len(utc_s) or not piece.rows.keys().isdisjoint(fresh):
            for at, row in zip(utc_s, listed, strict=True):  # the first at an instant stays
                self.add(key, at, offset_s, row)
        else:
            piece.rows.update(fresh)
            self._rows += len(fresh)
            if offset_s != piece.last_offset_s:
                piece.last_offset_s = piece.offsets[min(fresh)] = offset_s
        return len(piece.rows) >= PIECE_ROWS or self._rows >= MOST_ROWS

    def full(self) -> Iterator[ImportedRecord]:
        """The piece that was added to last where it is full, else those that waited longest."""
        key, piece = self._current
        if key is not None and len(piece.rows) >= PIECE_ROWS:
            yield self._record(key)
            return
        while self._rows > MOST_ROWS // 2:
            yield self._record(next(iter(self._open)))

    def rest(self) -> Iterator[ImportedRecord]:
        """All that is left."""
        while self._open:
            yield self._record(next(iter(self._open)))

    def _change(self, key: PieceKey) -> Piece:
        """Another piece; it goes to the end, so that the first is the one that waited longest."""
        self._sources.add(key[0])
        if len(self._sources) > MOST_SOURCES:
            raise MalformedError("The file names more sources than anybody has.")
        piece = self._open.pop(key, None) or Piece()
        self._open[key] = piece
        self._current = (key, piece)
        return piece

    def _record(self, key: PieceKey) -> ImportedRecord:
        piece = self._open.pop(key)
        if key == self._current[0]:
            self._current = (None, Piece())
        self._rows -= len(piece.rows)
        self.repeated += piece.repeated
        source, metric, quality, month = key
        number = self._given[key] = self._given.get(key, 0) + 1
        names = (month, *((Quality(quality).name.lower(),) if quality else ()))
        starts = sorted(piece.rows)
        columns = zip(*(piece.rows[start] for start in starts), strict=True)
        series = Series(
            metric,
            starts,
            dict(zip(METRICS[metric].column_names, columns, strict=True)),
            Quality(quality),
        )
        return ImportedRecord(
            f"{FORM}.{metric}",
            " ".join((*names, *((str(number),) if number > 1 else ()))),
            Decoded((series,)),
            starts[-1],
            piece.stretches(),
            origin=source,
        )
