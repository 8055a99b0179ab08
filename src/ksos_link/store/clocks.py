"""The past of each watch's clock, and the clock by which each record was read."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from firmware_protocol.clock import ClockStretch
from ksos_link.store.part import StorePart


@dataclass(frozen=True, slots=True)
class ClockSnapshot:
    """What was known of a watch's clock when records were read by it."""

    stretches: tuple[ClockStretch, ...]
    now_utc_s: int
    zone_name: str | None


class ClockPart(StorePart):
    """Keeps stretches and snapshots."""

    def clock_stretches(self, device_id: int) -> tuple[ClockStretch, ...]:
        """Return what is known of a watch's clock, oldest first."""
        rows = self.database.rows(
            "SELECT from_utc_s, utc_offset_s, sure FROM clock_stretch WHERE device_id = ?"
            " ORDER BY from_utc_s, stretch_id",
            (device_id,),
        )
        return tuple(ClockStretch(start, offset, bool(sure)) for start, offset, sure in rows)

    def add_clock_stretch(self, device_id: int, stretch: ClockStretch) -> None:
        """Remember that a watch's clock was set, or was found changed."""
        with self._writing():
            self.database.change(
                "INSERT INTO clock_stretch (device_id, from_utc_s, utc_offset_s, sure)"
                " VALUES (?, ?, ?, ?)",
                (device_id, stretch.from_utc_s, stretch.utc_offset_s, int(stretch.sure)),
            )

    def add_clock(
        self,
        device_id: int,
        stretches: Sequence[ClockStretch],
        now_utc_s: int,
        zone_name: str | None,
    ) -> int:
        """Keep the clock that records are about to be read by; return its `clock_id`."""
        snapshot = ClockSnapshot(tuple(stretches), now_utc_s, zone_name)
        text = json.dumps(asdict(snapshot), sort_keys=True)
        with self._writing():
            self.database.change(
                "INSERT INTO clock (device_id, snapshot) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (device_id, text),
            )
            rows = self.database.rows(
                "SELECT clock_id FROM clock WHERE device_id = ? AND snapshot = ?", (device_id, text)
            )
        return int(rows[0][0])

    def clock(self, clock_id: int) -> ClockSnapshot:
        """Return a clock as it was kept."""
        rows = self.database.rows("SELECT snapshot FROM clock WHERE clock_id = ?", (clock_id,))
        return snapshot_from(rows[0][0])

    def clocks(self, device_id: int) -> list[ClockSnapshot]:
        """Return all clocks by which records of a watch were read, in the order of their times."""
        rows = self.database.rows("SELECT snapshot FROM clock WHERE device_id = ?", (device_id,))
        return sorted((snapshot_from(text) for (text,) in rows), key=lambda clock: clock.now_utc_s)


def snapshot_from(text: str) -> ClockSnapshot:
    """A clock from its text in the store."""
    fields = json.loads(text)
    stretches = tuple(ClockStretch(**stretch) for stretch in fields["stretches"])
    return ClockSnapshot(stretches, fields["now_utc_s"], fields["zone_name"])
