"""The history of watches without V3: groups 08 and 09 on 0AF1 and 0AF2 (ido.md 7.11, V).

Beyond the reference, as the vendor's client expects it: the STOP of a key (status 02) is answered
by its own three bytes and confirms a history record; `08 02` and the STOP of 09 are answered by
themselves; a START of 09 with nothing stored gives its end packet alone. Which history record
comes first is provisional: the newest, as in V3.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal

from firmware_protocol.families.ido.watch.count_records import night_end_s, workout_end_s
from firmware_protocol.families.ido.watch.day_records import visible_slots
from firmware_protocol.families.ido.watch.legacy_packets import (
    activity_packets,
    heart_rate_packets,
    sleep_packets,
    sport_packets,
)
from firmware_protocol.families.ido.watch.wall_clock import civil_from_wall
from firmware_protocol.watch_session import DayMemory, SleepMemory, WatchMemory, WorkoutMemory

_Kind = Literal["movement", "heart_rate", "night"]
_Source = DayMemory | SleepMemory

_REQUEST, _FINISH = 0x01, 0x02
_TODAY: Final[dict[int, _Kind]] = {0x03: "movement", 0x04: "night", 0x07: "heart_rate"}
_HISTORY: Final[dict[int, _Kind]] = {0x05: "movement", 0x06: "night", 0x08: "heart_rate"}
_START, _STOP, _RESEND = 1, 2, 3
_DATA_END: Final = b"\x08\xee"
_ACTIVITIES, _ACTIVITY_COUNT = b"\x09\x06", b"\x09\x07"
_ACTIVITY_END, _ACTIVITY_STOP = b"\x00\x01\x00", b"\x00\x01\x01"


class LegacyShelf:
    """Answers groups 08 and 09 from a `WatchMemory`, which it empties as history is confirmed."""

    def __init__(self, memory: WatchMemory) -> None:
        self._memory = memory
        self._offered: dict[int, _Source] = {}
        self._activity: WorkoutMemory | None = None

    def link_lost(self) -> None:
        """What was offered must be asked for again."""
        self._offered.clear()
        self._activity = None

    def answer(self, frame: bytes, wall_s: int, zones_bpm: Sequence[int]) -> list[bytes]:
        """The packets that answer a frame; none for what is unknown."""
        head, rest = frame[:2], frame[2:]
        if len(head) == 2 and head[0] == 0x08:
            return self._answer_history(head, rest, wall_s, zones_bpm)
        if head == _ACTIVITY_COUNT:
            return [head + bytes([len(self._finished_workouts(wall_s))])]
        if head == _ACTIVITIES:
            return self._answer_activity(head, rest, wall_s, zones_bpm)
        return []

    def _answer_history(
        self, head: bytes, rest: bytes, wall_s: int, zones_bpm: Sequence[int]
    ) -> list[bytes]:
        key = head[1]
        if key == _REQUEST:
            kinds: tuple[_Kind, ...] = ("movement", "night", "heart_rate")
            days = (len(self._history(kind, wall_s)) for kind in kinds)
            return [head + bytes((0, 0, *(min(count, 0xFF) for count in days), 0))]
        if key == _FINISH:
            return [head]
        kind = _TODAY.get(key) or _HISTORY.get(key)
        if kind is None or not rest:
            return []
        if rest[0] == _STOP:
            self._confirm(key, kind)
            return [head + bytes([_STOP])]
        if rest[0] not in (_START, _RESEND):
            return []
        source = self._offer(key, kind, wall_s)
        payloads = self._payloads(kind, source, wall_s, zones_bpm) if source else []
        first = rest[1] if rest[0] == _RESEND and len(rest) > 1 else 1
        return [*_numbered(head, payloads)[max(0, first - 1) :], _DATA_END]

    def _answer_activity(
        self, head: bytes, rest: bytes, wall_s: int, zones_bpm: Sequence[int]
    ) -> list[bytes]:
        if rest == _ACTIVITY_STOP:
            if self._activity is not None:
                self._memory.workouts.remove(self._activity)
            self._activity = None
            return [head + rest]
        waiting = self._finished_workouts(wall_s)
        self._activity = waiting[0] if waiting else None
        payloads = activity_packets(waiting[0], zones_bpm) if waiting else []
        return [*_numbered(head, payloads), head + _ACTIVITY_END]

    def _finished_workouts(self, wall_s: int) -> list[WorkoutMemory]:
        return [done for done in self._memory.workouts if workout_end_s(done) <= wall_s]

    def _offer(self, key: int, kind: _Kind, wall_s: int) -> _Source | None:
        if key in _TODAY:
            return self._today(kind, wall_s)
        history = self._history(kind, wall_s)
        if history:
            self._offered[key] = history[-1]
        return history[-1] if history else None

    def _today(self, kind: _Kind, wall_s: int) -> _Source | None:
        today = civil_from_wall(wall_s).date()
        if kind == "night":
            nights = [
                night
                for night in self._ended_nights(wall_s)
                if civil_from_wall(night_end_s(night)).date() == today
            ]
            return nights[-1] if nights else None
        return next((day for day in self._memory.days if day.day == today), DayMemory(today))

    def _history(self, kind: _Kind, wall_s: int) -> Sequence[_Source]:
        """Unconfirmed records of days before today, oldest first."""
        today = civil_from_wall(wall_s).date()
        if kind == "night":
            return [
                night
                for night in self._ended_nights(wall_s)
                if civil_from_wall(night_end_s(night)).date() < today
            ]
        return [day for day in self._memory.days if day.day < today and getattr(day, kind)]

    def _ended_nights(self, wall_s: int) -> list[SleepMemory]:
        return [night for night in self._memory.nights if night_end_s(night) <= wall_s]

    def _confirm(self, key: int, kind: _Kind) -> None:
        """Forget a history record that was offered on this link."""
        match self._offered.pop(key, None):
            case SleepMemory() as night:
                self._memory.nights.remove(night)
            case DayMemory(day=day):
                days = self._memory.days
                index = next(at for at, stored in enumerate(days) if stored.day == day)
                days[index] = (
                    replace(days[index], movement=())
                    if kind == "movement"
                    else replace(days[index], heart_rate=())
                )

    @staticmethod
    def _payloads(
        kind: _Kind, source: _Source, wall_s: int, zones_bpm: Sequence[int]
    ) -> list[bytes]:
        if isinstance(source, SleepMemory):
            return sleep_packets(source)
        if kind == "movement":
            return sport_packets(source.day, visible_slots(source, wall_s))
        visible = [reading for reading in source.heart_rate if reading.wall_s <= wall_s]
        return heart_rate_packets(source.day, visible, source.resting_bpm or 0, zones_bpm)


def _numbered(head: bytes, payloads: Sequence[bytes]) -> list[bytes]:
    """Packets: command, key, serial from 1, length, payload."""
    return [
        head + bytes((serial, len(payload))) + payload for serial, payload in enumerate(payloads, 1)
    ]
