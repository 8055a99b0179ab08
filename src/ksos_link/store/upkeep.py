"""What a store says of itself: its size, its schema, and whether it is sound."""

from dataclasses import dataclass
from pathlib import Path

from firmware_protocol.samples import METRICS
from ksos_link.errors import StoreError
from ksos_link.store.dbapi import Database
from ksos_link.store.key_file import Holder, read_key_file
from ksos_link.store.migrations import schema_version
from ksos_link.store.samples import SamplePart


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """The facts of a store; no secrets, no readings."""

    path: Path
    size_bytes: int
    schema_version: int
    cipher_version: str
    key_holder: Holder
    devices: int
    raw_records: int
    samples: dict[str, int]


class UpkeepPart(SamplePart):
    """Reports on the store."""

    def info(self) -> StoreInfo:
        """Return the facts of this store."""
        one = self.database.rows
        return StoreInfo(
            path=self.home.store_file,
            size_bytes=sum(
                file.stat().st_size
                for file in (self.home.store_file, Path(f"{self.home.store_file}-wal"))
                if file.exists()
            ),
            schema_version=schema_version(self.database),
            cipher_version=str(one("PRAGMA cipher_version")[0][0]),
            key_holder=read_key_file(self.home.key_file).holder,
            devices=one("SELECT count(*) FROM device WHERE NOT forgotten")[0][0],
            raw_records=one("SELECT count(*) FROM raw_record")[0][0],
            samples=self.counts(),
        )

    def check(self) -> list[str]:
        """Read every page and row; return what is wrong, nothing where all is sound."""
        return integrity_findings(self.database) or _stray_findings(self.database)


def integrity_findings(database: Database) -> list[str]:
    """Return what is wrong with the pages, indexes and references of a database."""
    try:
        findings = [str(row[0]) for row in database.rows("PRAGMA cipher_integrity_check")]
        if findings:
            return findings  # reading on would stop at the same pages
        findings = [row[0] for row in database.rows("PRAGMA quick_check") if row[0] != "ok"]
        strays = database.rows("PRAGMA foreign_key_check")
    except StoreError as error:
        return [str(error)]
    return findings + [f"a row of {row[0]} refers to nothing in {row[2]}" for row in strays]


def _stray_findings(database: Database) -> list[str]:
    findings = []
    for name in METRICS:
        strays = database.rows(
            f"SELECT count(*) FROM {name} AS sample WHERE NOT EXISTS ("  # noqa: S608 our own names
            "SELECT 1 FROM raw_span AS span WHERE span.raw_id = sample.raw_id AND span.metric = ?"
            " AND sample.start_utc_s BETWEEN span.first_utc_s AND span.last_utc_s)",
            (name,),
        )[0][0]
        if strays:
            findings.append(f"{strays} samples of {name} belong to no raw record")
    return findings
