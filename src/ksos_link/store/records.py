"""Raw records with the samples they mean: written together, derived again together."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from firmware_protocol.errors import ProtocolError
from firmware_protocol.records import RawRecord, Watermark
from firmware_protocol.samples import Decoded
from ksos_link.store.clocks import ClockPart, ClockSnapshot
from ksos_link.store.samples import delete_samples, insert_series

_REDECODE_AT_ONCE: Final = 500  # raw records in memory; a large one has a few kB
Decode = Callable[[RawRecord, ClockSnapshot, bool], Decoded]


@dataclass(frozen=True, slots=True)
class Redecoded:
    """What a redecode did. `unreadable` records kept the samples that they had."""

    records: int
    unreadable: int


class RecordPart(ClockPart):
    """Commits raw records, samples and watermarks."""

    def commit_record(
        self,
        device_id: int,
        record: RawRecord,
        decoded: Decoded,
        watermarks: Iterable[Watermark],
        clock_id: int,
        fetched_utc_s: int,
        *,
        verified: bool = True,
    ) -> dict[str, int]:
        """Store one record with its samples and how far it got, all or nothing, on the disk.

        A record of the same family, kind and key is replaced with all its samples; one with the
        same body, read by the same clock and decoder, is left as it is. `verified` is kept for
        the next decode.

        Returns:
            How many samples each metric gained; a metric that gained none is absent.

        Raises:
            StoreError: nothing was stored.
        """
        with self._writing():
            gained = self._put(device_id, record, decoded, clock_id, fetched_utc_s, verified)
            self._put_watermarks(device_id, watermarks)
        return dict(gained)

    def commit_records(
        self,
        device_id: int,
        records: Iterable[tuple[RawRecord, Decoded]],
        watermarks: Iterable[Watermark],
        clock_id: int,
        fetched_utc_s: int,
    ) -> dict[str, int]:
        """Store many records in one transaction; otherwise as `commit_record`."""
        gained: Counter[str] = Counter()
        with self._writing():
            for record, decoded in records:
                gained += self._put(device_id, record, decoded, clock_id, fetched_utc_s, True)
            self._put_watermarks(device_id, watermarks)
        return dict(gained)

    def watermarks(self, device_id: int) -> dict[str, Watermark]:
        """Return how far each kind of record of a watch has been read."""
        rows = self.database.rows(
            "SELECT kind, position FROM watermark WHERE device_id = ? ORDER BY kind", (device_id,)
        )
        return {kind: Watermark(kind, position) for kind, position in rows}

    def set_watermarks(self, device_id: int, watermarks: Iterable[Watermark]) -> None:
        """Store how far some kinds have been read."""
        with self._writing():
            self._put_watermarks(device_id, watermarks)

    def clear_watermarks(self, device_id: int) -> None:
        """Make the next sync ask for everything again."""
        with self._writing():
            self.database.change("DELETE FROM watermark WHERE device_id = ?", (device_id,))

    def redecode(self, decode: Decode) -> Redecoded:
        """Derive all samples again from the raw records, in one transaction.

        `decode` gets a record, the clock it was first read by, and whether its own sums added up.
        A record that it cannot read any more keeps its samples.
        """
        records = unreadable = last_id = 0
        clocks: dict[int, ClockSnapshot] = {}
        with self._writing():
            while rows := self.database.rows(
                "SELECT raw_id, device_id, family, kind, key, body, decoder_version, clock_id,"
                " verified FROM raw_record WHERE raw_id > ? ORDER BY raw_id LIMIT ?",
                (last_id, _REDECODE_AT_ONCE),
            ):
                for raw_id, device_id, family, kind, key, body, version, clock_id, verified in rows:
                    if clock_id not in clocks:
                        clocks[clock_id] = self.clock(clock_id)
                    record = RawRecord(family, kind, key, body, version)
                    try:
                        decoded = decode(record, clocks[clock_id], bool(verified))
                    except ProtocolError:
                        unreadable += 1
                    else:
                        delete_samples(self.database, device_id, raw_id)
                        self._put_samples(device_id, raw_id, decoded)
                    records += 1
                last_id = rows[-1][0]
        return Redecoded(records, unreadable)

    def _put(
        self,
        device_id: int,
        record: RawRecord,
        decoded: Decoded,
        clock_id: int,
        fetched_utc_s: int,
        verified: bool,
    ) -> Counter[str]:
        database = self.database
        content = (record.body, record.decoder_version, clock_id, int(verified))
        identity = (device_id, record.family, record.kind, record.key)
        old = database.row(
            "SELECT body, decoder_version, clock_id, verified, raw_id FROM raw_record"
            " WHERE device_id = ? AND family = ? AND kind = ? AND key = ?",
            identity,
        )
        gained: Counter[str] = Counter()
        if old is not None:
            if old[:-1] == content:
                return gained
            gained.subtract(delete_samples(database, device_id, old[-1]))
            database.change("DELETE FROM raw_record WHERE raw_id = ?", (old[-1],))
        raw_id = database.insert(
            "INSERT INTO raw_record (device_id, family, kind, key, body, decoder_version, clock_id,"
            " verified, fetched_utc_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*identity, *content, fetched_utc_s),
        )
        gained.update(self._put_samples(device_id, raw_id, decoded))
        return +gained

    def _put_samples(self, device_id: int, raw_id: int, decoded: Decoded) -> Counter[str]:
        stored: Counter[str] = Counter()
        for series in decoded.series:
            if series:
                insert_series(self.database, device_id, raw_id, series)
                stored[series.metric] += len(series)
        return stored

    def _put_watermarks(self, device_id: int, watermarks: Iterable[Watermark]) -> None:
        for mark in watermarks:
            self.database.change(
                "INSERT INTO watermark VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET position = excluded.position",
                (device_id, mark.kind, mark.position),
            )
