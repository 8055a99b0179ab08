"""Turning the watch's wall clock into UTC.

A watch knows no zone: its clock is UTC plus an offset that changes only when somebody sets it.
So the clock's past is a list of stretches, each with one offset, and a wall time belongs to the
stretch in which it could have been lived. That keeps a daylight-saving night, a journey and a
wrong clock from losing or doubling anything: none of them changes the watch until a sync does.

Wall times are integers too: the seconds since 1970 that the wall clock would show as UTC.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from firmware_protocol.errors import LocalProtocolError

# no zone has changed its offset twice within a week since 2000 (tz database 2025)
_ZONE_LASTS_S: Final = 7 * 86_400 - 3600


@dataclass(frozen=True, slots=True)
class ClockStretch:
    """From `from_utc_s` on the watch's wall clock was UTC + `utc_offset_s`.

    `sure` is False where somebody else changed the clock at some moment after `from_utc_s`: until
    now the stretch before may have lasted on.
    """

    from_utc_s: int
    utc_offset_s: int
    sure: bool = True


@dataclass(frozen=True, slots=True)
class WatchClock:
    """What is known of a watch's clock when its records are read.

    `stretches` are in order of `from_utc_s`, oldest first. `zone_offset_s` gives the offset of
    wall times before the first stretch (the wearer's zone rules, wall seconds to offset seconds);
    without it the first stretch reaches back for ever. `now_utc_s` bounds what can have been lived.

    A clock that was set back shows some wall times twice. `prefers_first` chooses for them.
    """

    stretches: tuple[ClockStretch, ...]
    now_utc_s: int
    zone_offset_s: Callable[[int], int] | None = None
    prefers_first: bool = False
    # the wall times from and until which each stretch fits, the latest stretch first
    _spans: tuple[tuple[int, int, ClockStretch], ...] = field(
        init=False, repr=False, compare=False, default=()
    )

    def __post_init__(self) -> None:
        if not self.stretches:
            raise LocalProtocolError("a watch clock needs at least one stretch")
        spans = []
        until_utc_s = self.now_utc_s + 1
        for stretch in reversed(self.stretches):
            offset_s = stretch.utc_offset_s
            spans.append((stretch.from_utc_s + offset_s, until_utc_s + offset_s, stretch))
            if stretch.sure:
                until_utc_s = stretch.from_utc_s
        object.__setattr__(self, "_spans", tuple(spans))

    def preferring_first(self) -> "WatchClock":
        """The same clock for a record that comes whole again after the clock was set back.

        What it holds of the hour that came twice was read before, and so lived the first time.
        """
        return replace(self, prefers_first=True)

    def offset_s(self, wall_s: int) -> int:
        """The offset in force when the watch's clock showed `wall_s`.

        Where two fit, the latest, or by `prefers_first` the first; but only a change whose moment
        is known tells first from second. Where none fits, as in the seconds by which a clock was
        fast when it was set, the one that comes nearest.
        """
        fitting = [stretch for start, end, stretch in self._spans if start <= wall_s < end]
        if fitting and self.prefers_first:
            return next((each for each in fitting if not each.sure), fitting[-1]).utc_offset_s
        if fitting:
            return fitting[0].utc_offset_s
        first = self.stretches[0]
        if wall_s - first.utc_offset_s < first.from_utc_s:
            return self.zone_offset_s(wall_s) if self.zone_offset_s else first.utc_offset_s
        _, _, nearest = min(
            self._spans, key=lambda span: max(span[0] - wall_s, wall_s - span[1] + 1)
        )
        return nearest.utc_offset_s

    def utc_s(self, wall_s: int) -> int:
        """UTC seconds of one wall time."""
        return wall_s - self.offset_s(wall_s)

    def all_utc_s(self, wall_s: Sequence[int]) -> list[int]:
        """UTC seconds of wall times in ascending order; one addition each where the clock stood."""
        if not wall_s:
            return []
        steady = self.steady_offset_s(wall_s[0], wall_s[-1])
        if steady is not None:
            return [wall - steady for wall in wall_s]
        return [self.utc_s(wall) for wall in wall_s]

    def steady_offset_s(self, first_wall_s: int, last_wall_s: int) -> int | None:
        """The one offset of all wall times from the first to the last; None where it changed."""
        first, last = self.offset_s(first_wall_s), self.offset_s(last_wall_s)
        if first != last or self._meets_an_edge(first_wall_s, last_wall_s):
            return None
        by_zone = self.zone_offset_s and first_wall_s - first < self.stretches[0].from_utc_s
        if by_zone and last_wall_s - first_wall_s > _ZONE_LASTS_S:
            return None
        return first

    def _meets_an_edge(self, first_wall_s: int, last_wall_s: int) -> bool:
        """Tell whether between two wall times any stretch may begin or cease to fit."""
        return any(
            first_wall_s < start <= last_wall_s or first_wall_s < end <= last_wall_s
            for start, end, _ in self._spans
        )
