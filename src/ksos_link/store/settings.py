"""What cannot be asked of a watch: settings sent to it, who wears it, and what was consented to."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ksos_link.store.part import StorePart


@dataclass(frozen=True, slots=True)
class Remembered:
    """Plain values as they were sent, and when."""

    values: Mapping[str, Any]  # what JSON has
    utc_s: int


class SettingPart(StorePart):
    """Keeps settings by watch, the wearer, and consents."""

    def remember_setting(
        self, device_id: int, name: str, values: Mapping[str, Any], utc_s: int
    ) -> None:
        """Keep what a watch was sent, in place of what it was sent before."""
        with self._writing():
            self.database.change(
                "INSERT INTO setting (device_id, name, fields, sent_utc_s) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (device_id, name) DO UPDATE SET"
                " fields = excluded.fields, sent_utc_s = excluded.sent_utc_s",
                (device_id, name, json.dumps(values), utc_s),
            )

    def remembered_settings(self, device_id: int) -> dict[str, Remembered]:
        """What a watch was sent, by the name of the setting."""
        rows = self.database.rows(
            "SELECT name, fields, sent_utc_s FROM setting WHERE device_id = ? ORDER BY name",
            (device_id,),
        )
        return {name: Remembered(json.loads(fields), utc_s) for name, fields, utc_s in rows}

    def forget_settings(self, device_id: int | None = None, name: str | None = None) -> None:
        """Forget what was sent: of one watch or all, one setting or all."""
        with self._writing():
            self.database.change(
                "DELETE FROM setting WHERE (?1 IS NULL OR device_id = ?1)"
                " AND (?2 IS NULL OR name = ?2)",
                (device_id, name),
            )

    def wearer(self) -> Remembered | None:
        """Who wears the watches; None where nobody said."""
        row = self.database.row("SELECT fields, set_utc_s FROM wearer")
        return None if row is None else Remembered(json.loads(row[0]), row[1])

    def set_wearer(self, values: Mapping[str, Any], utc_s: int) -> None:
        """Keep who wears the watches."""
        with self._writing():
            self.database.change(
                "INSERT OR REPLACE INTO wearer (wearer_id, fields, set_utc_s) VALUES (1, ?, ?)",
                (json.dumps(values), utc_s),
            )

    def consents(self) -> dict[str, int]:
        """What was consented to, and when."""
        return dict(self.database.rows("SELECT name, given_utc_s FROM consent ORDER BY name"))

    def give_consent(self, name: str, utc_s: int) -> None:
        """Note a consent; one that is there keeps its date."""
        with self._writing():
            self.database.change(
                "INSERT OR IGNORE INTO consent (name, given_utc_s) VALUES (?, ?)", (name, utc_s)
            )

    def withdraw_consent(self, name: str) -> None:
        """Take a consent back."""
        with self._writing():
            self.database.change("DELETE FROM consent WHERE name = ?", (name,))
