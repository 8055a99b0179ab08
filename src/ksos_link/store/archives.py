"""What an archive needs of a store beyond what everything else does: all rows, in their order."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from firmware_protocol.records import RawRecord
from ksos_link.store.clocks import ClockPart, ClockSnapshot, snapshot_from
from ksos_link.store.samples import CHUNK_ROWS, SampleRow, known_metric

_RECORDS_AT_ONCE: Final = 20  # bodies of imported files may have some MB
_SPANS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A raw record with all that the store knows of it."""

    raw_id: int
    device_id: int
    record: RawRecord
    clock_id: int
    verified: bool
    fetched_utc_s: int


class ArchivePart(ClockPart):
    """Reads out whole tables. Numbers of rows mean nothing beyond one `reading`."""

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """All that is read meanwhile is one state, whatever others write."""
        self.database.rows("BEGIN")
        try:
            yield
        finally:
            if self.database.in_transaction:
                self.database.rows("ROLLBACK")

    def all_clocks(self) -> Iterator[tuple[int, int, ClockSnapshot]]:
        """Number, device and content of every clock, in the order in which they came."""
        chunks = self.database.chunks(
            "SELECT clock_id, device_id, snapshot FROM clock ORDER BY clock_id", (), _SPANS_AT_ONCE
        )
        for rows in chunks:
            for clock_id, device_id, text in rows:
                yield clock_id, device_id, snapshot_from(text)

    def all_records(self) -> Iterator[KeptRecord]:
        """Every raw record, in the order in which they came: of two samples the later counts."""
        chunks = self.database.chunks(
            "SELECT raw_id, device_id, family, kind, key, body, decoder_version, clock_id,"
            " verified, fetched_utc_s FROM raw_record ORDER BY raw_id",
            (),
            _RECORDS_AT_ONCE,
        )
        for rows in chunks:
            for raw_id, device_id, *record, clock_id, verified, fetched_utc_s in rows:
                yield KeptRecord(
                    raw_id, device_id, RawRecord(*record), clock_id, bool(verified), fetched_utc_s
                )

    def samples_of_records(self, metric: str) -> Iterator[tuple[int, list[SampleRow]]]:
        """The samples of each raw record in order of time, those too that a later one overrules.

        Rows are as `Metric.row_names` says, without the device. One record may come in several
        lists.

        Raises:
            NotFoundError: no such metric.
        """
        known = known_metric(metric)
        names = ", ".join(("start_utc_s", *known.column_names, "quality"))
        query = (
            f"SELECT {names} FROM {known.name} WHERE device_id = ?"  # noqa: S608 our own names
            " AND start_utc_s BETWEEN ? AND ? AND raw_id = ? ORDER BY start_utc_s"
        )
        spans = self.database.chunks(
            "SELECT raw_id, device_id, first_utc_s, last_utc_s FROM raw_span"
            " JOIN raw_record USING (raw_id) WHERE metric = ? ORDER BY raw_id",
            (known.name,),
            _SPANS_AT_ONCE,
        )
        for found in spans:
            for raw_id, device_id, first_utc_s, last_utc_s in found:
                bounds = (device_id, first_utc_s, last_utc_s, raw_id)
                for rows in self.database.chunks(query, bounds, CHUNK_ROWS):
                    yield raw_id, rows

    def fetched_utc_s(self, device_id: int, record: RawRecord) -> int | None:
        """When the record of that name was fetched; None where there is none."""
        row = self.database.row(
            "SELECT fetched_utc_s FROM raw_record"
            " WHERE device_id = ? AND family = ? AND kind = ? AND key = ?",
            (device_id, record.family, record.kind, record.key),
        )
        return None if row is None else int(row[0])
