"""The ledger of sharing: consents given and withdrawn, and what went to whom (K083, K125, K129)."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from ksos_link.store.part import StorePart


@dataclass(frozen=True, slots=True)
class ShareConsent:
    """What one receiver may get. `region` is its country, `home_region` the wearer's."""

    receiver: str
    data: tuple[str, ...]
    region: str | None
    home_region: str | None
    given_utc_s: int
    withdrawn_utc_s: int | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """One item that went to a receiver, or was about to. `outcome` is the word for how it ended."""

    receiver: str
    began_utc_s: int
    data: tuple[str, ...]
    item: str
    samples: int
    outcome: str


class SharePart(StorePart):
    """Keeps consents to share, and a log of shares. Each write lets other writers in again."""

    def share_consents(self) -> list[ShareConsent]:
        """Every consent that was ever given, in the order in which they were."""
        rows = self.database.rows(
            "SELECT receiver, data, region, home_region, given_utc_s, withdrawn_utc_s"
            " FROM share_consent ORDER BY consent_id"
        )
        return [ShareConsent(row[0], tuple(json.loads(row[1])), *row[2:]) for row in rows]

    def share_consent(self, receiver: str) -> ShareConsent | None:
        """The consent that holds now, None where there is none."""
        held = (one for one in self.share_consents() if one.withdrawn_utc_s is None)
        return next((one for one in held if one.receiver == receiver), None)

    def give_share_consent(self, consent: ShareConsent) -> None:
        """Note a consent; the one before, of the same receiver, ends with it."""
        with self._writing_briefly():
            self._withdraw(consent.receiver, consent.given_utc_s)
            self.database.change(
                "INSERT INTO share_consent (receiver, data, region, home_region, given_utc_s)"
                " VALUES (?, ?, ?, ?, ?)",
                (
                    consent.receiver,
                    json.dumps(consent.data),
                    consent.region,
                    consent.home_region,
                    consent.given_utc_s,
                ),
            )

    def withdraw_share_consent(self, receiver: str, utc_s: int) -> None:
        """Take a consent back; that it was given stays in the ledger."""
        with self._writing_briefly():
            self._withdraw(receiver, utc_s)

    def begin_share(
        self, receiver: str, data: Iterable[str], item: str, utc_s: int, outcome: str
    ) -> int:
        """Note what is about to leave; returns the number for `end_share`."""
        with self._writing_briefly():
            row = self.database.row(
                "INSERT INTO share (receiver, began_utc_s, data, item, samples, outcome)"
                " VALUES (?, ?, ?, ?, 0, ?) RETURNING share_id",
                (receiver, utc_s, json.dumps(list(data)), item, outcome),
            )
        return 0 if row is None else int(row[0])

    def end_share(self, share_id: int, outcome: str, samples: int) -> None:
        """Note how it ended, and how many samples went."""
        with self._writing_briefly():
            self.database.change(
                "UPDATE share SET outcome = ?, samples = ? WHERE share_id = ?",
                (outcome, samples, share_id),
            )

    def shares(self, start_utc_s: int = 0, end_utc_s: int | None = None) -> list[Share]:
        """What was shared from one instant to another, the end exclusive."""
        rows = self.database.rows(
            "SELECT receiver, began_utc_s, data, item, samples, outcome FROM share"
            " WHERE began_utc_s >= ?1 AND (?2 IS NULL OR began_utc_s < ?2) ORDER BY share_id",
            (start_utc_s, end_utc_s),
        )
        return [Share(row[0], row[1], tuple(json.loads(row[2])), *row[3:]) for row in rows]

    def share_outcomes(self, receiver: str, item: str) -> list[str]:
        """How each attempt to send an item to a receiver ended."""
        rows = self.database.rows(
            "SELECT outcome FROM share WHERE receiver = ? AND item = ? ORDER BY share_id",
            (receiver, item),
        )
        return [str(row[0]) for row in rows]

    def _withdraw(self, receiver: str, utc_s: int) -> None:
        self.database.change(
            "UPDATE share_consent SET withdrawn_utc_s = ?"
            " WHERE receiver = ? AND withdrawn_utc_s IS NULL",
            (utc_s, receiver),
        )
