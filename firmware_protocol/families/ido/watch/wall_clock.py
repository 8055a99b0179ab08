"""The watch's wall clock: the callers' seconds plus an offset that 03 01 changes (ido.md 4.3)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

DAY_S = 86_400


def civil_from_wall(wall_s: int) -> datetime:
    """What a clock shows at `wall_s`; the zone of the result means nothing."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=wall_s)


def wall_from_civil(civil: datetime) -> int:
    """Undo `civil_from_wall`."""
    return int((civil - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())


def midnight_of(day: date) -> int:
    """The first second of a day, in wall seconds."""
    return wall_from_civil(datetime(day.year, day.month, day.day, tzinfo=UTC))


@dataclass(slots=True)
class WallClock:
    """`utc_offset_s` is known only after a 03 01 that carried the UTC field."""

    wall_offset_s: float
    utc_offset_s: int = 0

    def wall_s(self, now_s: float) -> int:
        """What the clock shows, in whole seconds."""
        return int(now_s + self.wall_offset_s)

    def set(self, civil: datetime, utc_s: int, now_s: float) -> None:
        """Take the time of a 03 01; `utc_s` 0 means that the field was not used."""
        wall_s = wall_from_civil(civil)
        self.wall_offset_s = wall_s - now_s
        self.utc_offset_s = wall_s - utc_s if utc_s else 0
