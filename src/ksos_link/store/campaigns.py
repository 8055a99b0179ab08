"""Campaigns: what was asked of which watches, and what came of each attempt so far.

The state of a campaign is a function of its attempts alone. One that was begun and has no end was
cut, by a kill or a power cut; whoever goes on marks it so (`settle_campaign`).
"""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from ksos_link.config import create_folder
from ksos_link.errors import NotFoundError, StoreError
from ksos_link.store.locks import FileLock
from ksos_link.store.part import StorePart


class CampaignState(StrEnum):
    """How a campaign stands. `STOPPED` is by its own limit of failures."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"
    FINISHED = "finished"


class Verdict(StrEnum):
    """What came of one attempt. `RETRIED` failed, and another attempt was due."""

    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    RETRIED = "retried"
    INTERRUPTED = "interrupted"


ENDED: Final = (Verdict.PASSED, Verdict.FAILED)  # a step with one of these is not run again


@dataclass(frozen=True, slots=True)
class CampaignHead:
    """One campaign. `sha256` is that of its file; `files` those of what it sends, by path."""

    campaign_id: int
    path: str
    title: str
    sha256: str
    state: CampaignState
    began_utc_s: int
    ended_utc_s: int | None
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CampaignWatch:
    """A watch of a campaign: by what name, and where it is. `radio` empty means any."""

    number: int
    name: str
    address: str
    radio: str = ""


@dataclass(frozen=True, slots=True)
class CampaignStep:
    """A step in words. `only` has patterns of the names of those who get it; empty is all."""

    label: str
    only: tuple[str, ...] = ()

    def is_for(self, watch: CampaignWatch) -> bool:
        """Whether a watch gets this step."""
        return not self.only or any(fnmatchcase(watch.name, pattern) for pattern in self.only)


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known of an attempt besides its verdict; None where it was not learned.

    `sent_bytes` and `repeated_bytes` are of a transfer; `samples` counts new ones of a sync.
    """

    radio: str | None = None
    sent_bytes: int | None = None
    rate_bytes_per_s: float | None = None
    repeated_bytes: int | None = None
    links: int | None = None
    samples: int | None = None
    rssi_dbm: int | None = None
    battery_before_pct: int | None = None
    battery_after_pct: int | None = None
    firmware_version: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at one step of one watch. `took_s` is None while it runs, or where it was cut.

    `wrote` tells that it came as far as to change something on the watch.
    """

    watch: int
    step: int
    attempt: int
    verdict: Verdict
    began_utc_s: int
    took_s: float | None
    message: str
    measured: Measured
    wrote: bool = False


_MEASURED: Final = tuple(field.name for field in fields(Measured))


class CampaignPart(StorePart):
    """Keeps campaigns. Each write lets other programs write again at once: a night is long."""

    def open_campaign(
        self,
        path: Path,
        title: str,
        sha256: str,
        files: Mapping[str, str],
        watches: Sequence[CampaignWatch],
        steps: Sequence[CampaignStep],
        utc_s: int,
    ) -> CampaignHead:
        """Begin a campaign, in place of the one that the same file had."""
        with self._writing_briefly():
            self.database.change("DELETE FROM campaign WHERE path = ?", (str(path),))
            campaign_id = self.database.insert(
                "INSERT INTO campaign (path, title, sha256, state, began_utc_s)"
                " VALUES (?, ?, ?, ?, ?)",
                (str(path), title, sha256, CampaignState.RUNNING, utc_s),
            )
            self.database.change_many(
                "INSERT INTO campaign_file (campaign_id, path, sha256) VALUES (?, ?, ?)",
                [(campaign_id, name, digest) for name, digest in files.items()],
            )
            self.database.change_many(
                "INSERT INTO campaign_watch (campaign_id, watch_no, name, address, radio)"
                " VALUES (?, ?, ?, ?, ?)",
                [
                    (campaign_id, watch.number, watch.name, watch.address, watch.radio)
                    for watch in watches
                ],
            )
            self.database.change_many(
                "INSERT INTO campaign_step (campaign_id, step_no, label, patterns)"
                " VALUES (?, ?, ?, ?)",
                [
                    (campaign_id, number, step.label, json.dumps(step.only))
                    for number, step in enumerate(steps)
                ],
            )
        return self.campaign(path)

    def campaign(self, path: Path) -> CampaignHead:
        """The campaign of a file.

        Raises:
            NotFoundError: the file was never run here.
        """
        row = self.database.row(
            "SELECT campaign_id, path, title, sha256, state, began_utc_s, ended_utc_s"
            " FROM campaign WHERE path = ?",
            (str(path),),
        )
        if row is None:
            raise NotFoundError(
                "That campaign was never run here.", "Begin it: ksos campaign run FILE"
            )
        campaign_id, file, title, sha256, state, began, ended = row
        files = self.database.rows(
            "SELECT path, sha256 FROM campaign_file WHERE campaign_id = ? ORDER BY path",
            (campaign_id,),
        )
        return CampaignHead(
            campaign_id, file, title, sha256, CampaignState(state), began, ended, dict(files)
        )

    def campaign_watches(self, campaign_id: int) -> list[CampaignWatch]:
        """Its watches, in order."""
        rows = self.database.rows(
            "SELECT watch_no, name, address, radio FROM campaign_watch"
            " WHERE campaign_id = ? ORDER BY watch_no",
            (campaign_id,),
        )
        return [CampaignWatch(*row) for row in rows]

    def campaign_steps(self, campaign_id: int) -> list[CampaignStep]:
        """Its steps, in order."""
        rows = self.database.rows(
            "SELECT label, patterns FROM campaign_step WHERE campaign_id = ? ORDER BY step_no",
            (campaign_id,),
        )
        return [CampaignStep(label, tuple(json.loads(patterns))) for label, patterns in rows]

    def attempts(self, campaign_id: int) -> list[Attempt]:
        """All attempts, by watch, step and number."""
        rows = self.database.rows(
            "SELECT watch_no, step_no, attempt, verdict, began_utc_s, took_s, message,"  # noqa: S608 our own names
            f" wrote, {', '.join(_MEASURED)} FROM campaign_attempt WHERE campaign_id = ?"
            " ORDER BY watch_no, step_no, attempt",
            (campaign_id,),
        )
        return [
            Attempt(
                *(watch, step, attempt, Verdict(verdict), began, took_s, message),
                Measured(*known),
                bool(wrote),
            )
            for watch, step, attempt, verdict, began, took_s, message, wrote, *known in rows
        ]

    def begin_attempt(self, campaign_id: int, watch: int, step: int, radio: str, utc_s: int) -> int:
        """Note that an attempt starts now; return its number, from 1."""
        with self._writing_briefly():
            row = self.database.row(
                "SELECT coalesce(max(attempt), 0) + 1 FROM campaign_attempt"
                " WHERE campaign_id = ? AND watch_no = ? AND step_no = ?",
                (campaign_id, watch, step),
            )
            attempt = int(row[0]) if row else 1
            self.database.change(
                "INSERT INTO campaign_attempt (campaign_id, watch_no, step_no, attempt, verdict,"
                " began_utc_s, message, radio) VALUES (?, ?, ?, ?, ?, ?, '', ?)",
                (campaign_id, watch, step, attempt, Verdict.RUNNING, utc_s, radio),
            )
        return attempt

    def note_writing(self, campaign_id: int, watch: int, step: int, attempt: int) -> None:
        """Note that an attempt is about to change something on the watch."""
        with self._writing_briefly():
            self.database.change(
                "UPDATE campaign_attempt SET wrote = 1"
                " WHERE campaign_id = ? AND watch_no = ? AND step_no = ? AND attempt = ?",
                (campaign_id, watch, step, attempt),
            )

    def end_attempt(self, campaign_id: int, ended: Attempt) -> None:
        """Note what came of an attempt that `begin_attempt` noted."""
        known = asdict(ended.measured)
        with self._writing_briefly():
            self.database.change(
                "UPDATE campaign_attempt SET verdict = ?, took_s = ?, message = ?,"  # noqa: S608 our own names
                f" {', '.join(f'{name} = ?' for name in known)}"
                " WHERE campaign_id = ? AND watch_no = ? AND step_no = ? AND attempt = ?",
                (
                    *(ended.verdict, ended.took_s, ended.message, *known.values()),
                    *(campaign_id, ended.watch, ended.step, ended.attempt),
                ),
            )

    def end_campaign(self, campaign_id: int, state: CampaignState, utc_s: int) -> None:
        """Note how a campaign ended, or that it runs again (`RUNNING`)."""
        ended = None if state is CampaignState.RUNNING else utc_s
        with self._writing_briefly():
            self.database.change(
                "UPDATE campaign SET state = ?, ended_utc_s = ? WHERE campaign_id = ?",
                (state, ended, campaign_id),
            )

    def settle_campaign(self, campaign_id: int, message: str) -> None:
        """Mark what a kill has cut: attempts without an end are interrupted, never passed.

        Only who holds the campaign's lock may call this.
        """
        with self._writing_briefly():
            self.database.change(
                "UPDATE campaign_attempt SET verdict = ?, message = ?"
                " WHERE campaign_id = ? AND verdict = ?",
                (Verdict.INTERRUPTED, message, campaign_id, Verdict.RUNNING),
            )

    def campaign_lock(self, path: Path) -> FileLock:
        """The lock of whoever runs the campaign of a file, not taken yet."""
        return self._lock_of(f"campaign {path}")

    def watch_lock(self, address: str) -> FileLock:
        """The lock of whoever has a job with a watch, not taken yet."""
        return self._lock_of(f"watch {address.upper()}")

    @contextlib.contextmanager
    def watch_to_oneself(self, address: str) -> Iterator[None]:
        """Nobody else gets a job with a watch meanwhile, in this program or another.

        Raises:
            StoreError: somebody has one.
        """
        lock = self.watch_lock(address)
        if not lock.try_take():
            raise StoreError(
                "Another ksos has a job with this watch.", "Wait for its end, or stop it first."
            )
        try:
            yield
        finally:
            lock.release()

    def _lock_of(self, subject: str) -> FileLock:
        """A lock file that has a number for its name: addresses stay inside the store."""
        row = self.database.row("SELECT lock_id FROM lock WHERE subject = ?", (subject,))
        if row is None:
            with self._writing_briefly():
                self.database.change("INSERT OR IGNORE INTO lock (subject) VALUES (?)", (subject,))
            row = self.database.row("SELECT lock_id FROM lock WHERE subject = ?", (subject,))
        folder = self.home.folder / "locks"
        create_folder(folder)
        return FileLock(folder / f"{row[0] if row else 0}.lock")
