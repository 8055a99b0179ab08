"""FIT activities: each session is a workout, with its laps and the records of its time.

Monitoring files of whole days are not read. A workout lasts from its start to its end, pauses
included.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from firmware_protocol.activity_types import FitSport, counts_steps, sport_of_fit
from firmware_protocol.samples import Value
from firmware_protocol.sports import SPORT_NAMES
from ksos_link.errors import MalformedError
from ksos_link.imports.fit_messages import UTC_OF_FIT, FitMessage, fit_messages
from ksos_link.imports.gather import Gathered, checked_instant
from ksos_link.imports.importer import ImportedRecord, Importer, SourceFile
from ksos_link.imports.track import (
    Instant,
    Track,
    bounded,
    heart_rate,
    whole_number,
    workout_key,
)

# numbers of the FIT profile
_SPORT, _SESSION, _LAP, _RECORD, _ACTIVITY = 12, 18, 19, 20, 34
_SEMICIRCLES: Final = 2**31 / 180
_SESSION_END: Final = 7  # why the last lap ends: it is what was left
_MOST_RECORDS: Final = 400_000  # four days of a record a second; all are in memory
_MOST_SESSIONS: Final = 100
_LONGEST_S: Final = 30 * 86_400


def _recognise(head: bytes, _file_name: str) -> bool:
    return head[8:12] == b".FIT"


@dataclass(slots=True)
class _Activity:
    """All that matters in a file; sessions come after the records that they tell of."""

    records: list[tuple[int, FitMessage]] = field(default_factory=list)
    laps: list[FitMessage] = field(default_factory=list)
    sessions: list[FitMessage] = field(default_factory=list)
    sport: FitMessage | None = None
    utc_offset_s: int | None = None
    timeless: int = 0

    def take(self, message: FitMessage) -> None:
        """Put a message where it belongs."""
        if message.number == _RECORD:
            self._take_record(message)
        elif message.number == _LAP:
            self.laps.append(message)
        elif message.number == _SESSION:
            self.sessions.append(message)
        elif message.number == _SPORT:
            self.sport = self.sport or message
        else:
            local, at = message.values.get(5), message.utc_s()
            if local is not None and at is not None:
                self.utc_offset_s = local + UTC_OF_FIT - at
        if (
            len(self.records) + len(self.laps) > _MOST_RECORDS
            or len(self.sessions) > _MOST_SESSIONS
        ):
            raise MalformedError("The FIT file holds more than workouts can have.")

    def _take_record(self, message: FitMessage) -> None:
        at = message.utc_s()
        if at is None:
            self.timeless += 1
            return
        self.records.append((at, message))


def _read(source: SourceFile) -> Iterator[ImportedRecord]:
    activity = _Activity()
    wanted = frozenset((_SPORT, _SESSION, _LAP, _RECORD, _ACTIVITY))
    for message in fit_messages(source.stream, wanted):
        activity.take(message)
    activity.records.sort(key=lambda record: record[0])
    taken: Counter[str] = Counter()
    if activity.sessions:
        for session in activity.sessions:
            yield from _workout(activity, session, taken)
    elif activity.records:
        # a recording that was cut: its records are worth keeping
        first, last = activity.records[0][0], activity.records[-1][0]
        session = FitMessage(_SESSION, {2: first - UTC_OF_FIT, 7: 1000 * (last - first)})
        yield from _workout(activity, session, taken)


def _workout(
    activity: _Activity, session: FitMessage, taken: Counter[str]
) -> Iterator[ImportedRecord]:
    start = session.utc_s(2)
    if start is None:
        raise MalformedError("A session of the FIT file has no start.", "Nothing of it was kept.")
    duration_s = round(bounded(session.scaled(7, 1000), 0, _LONGEST_S) or 0)
    end = checked_instant(start + duration_s)
    sport = _sport(activity, session)
    on_foot = counts_steps(sport)
    track = Track("fit", workout_key(start, taken), activity.utc_offset_s)
    inside = [message for at, message in activity.records if start <= at <= end]
    for message in inside:
        yield from track.add(_instant(message, steps=2 if on_foot else 1))
    yield from track.rest()
    track.remarks["Records without a time, left out"] += activity.timeless
    if len(activity.sessions) == 1:
        track.remarks["Records outside of the workout, left out"] += len(activity.records) - len(
            inside
        )
    yield track.summary(
        sport, start, duration_s, _values(session, on_foot=on_foot), _splits(activity, start, end)
    )


def _instant(message: FitMessage, *, steps: int) -> Instant:
    elevation = message.scaled(78, 5, 500)
    speed = message.scaled(73, 1000)
    cadence = _with_fraction(message, 4, 53)
    return Instant(
        message.utc_s() or 0,
        message.scaled(0, _SEMICIRCLES),
        message.scaled(1, _SEMICIRCLES),
        message.scaled(2, 5, 500) if elevation is None else elevation,
        message.scaled(5, 100),
        message.scaled(6, 1000) if speed is None else speed,
        None if cadence is None else steps * cadence,
        message.scaled(3, 1),
    )


def _values(session: FitMessage, *, on_foot: bool) -> dict[str, Value]:
    """The sums of a session as columns of metric `workout`."""
    steps = 2 if on_foot else 1
    speeds = {124: 14, 125: 15}  # the wide field, and the narrow one that old files have
    average, highest = (
        session.scaled(wide if wide in session.values else narrow, 1000)
        for wide, narrow in speeds.items()
    )
    strides = _with_fraction(session, 10, 94) if on_foot else None
    cadences = (_with_fraction(session, 18, 92), _with_fraction(session, 19, 93))
    average_spm, highest_spm = (
        whole_number(None if each is None else steps * each, 1000) for each in cadences
    )
    return {
        "steps": whole_number(None if strides is None else 2 * strides),
        "energy_kcal": whole_number(session.scaled(11, 1)),
        "distance_m": whole_number(session.scaled(9, 100)),
        "bpm_avg": heart_rate(session.scaled(16, 1)),
        "bpm_max": heart_rate(session.scaled(17, 1)),
        "bpm_min": heart_rate(session.scaled(64, 1)),
        "cadence_avg_spm": average_spm,
        "cadence_max_spm": highest_spm,
        "speed_avg_mps": bounded(average, 0, 2000),
        "speed_max_mps": bounded(highest, 0, 2000),
        "training_effect": bounded(session.scaled(24, 10), 0, 5),
    }


def _sport(activity: _Activity, session: FitMessage) -> str:
    """The sport by its name where it is one of ours, else by its numbers."""
    name = session.texts.get(110, "")
    if name in SPORT_NAMES:
        return name
    told = session if 5 in session.values else None
    if told is not None:
        return sport_of_fit(FitSport(told.values[5], told.values.get(6, 0)))
    if activity.sport is not None:
        values = activity.sport.values
        return sport_of_fit(FitSport(values.get(0, 0), values.get(1, 0)))
    return "other"


def _splits(activity: _Activity, start: int, end: int) -> Gathered:
    """The laps of a session where there are several, without what was left after the last."""
    splits = Gathered("workout_split")
    laps: Sequence[FitMessage] = [
        lap for lap in activity.laps if start <= (lap.utc_s(2) or 0) < max(end, start + 1)
    ]
    for lap in laps if len(laps) > 1 else ():
        metres = whole_number(lap.scaled(9, 100))
        lasted = whole_number(lap.scaled(7, 1000), _LONGEST_S)
        begun = lap.utc_s(2)
        if metres and lasted and begun and lap.values.get(24) != _SESSION_END:
            splits.add(begun, lasted, metres)
    return splits


def _with_fraction(message: FitMessage, number: int, fraction: int) -> float | None:
    """A count and its part of one, which has a field of its own."""
    count = message.scaled(number, 1)
    return None if count is None else count + (message.scaled(fraction, 128) or 0.0)


FIT_IMPORTER: Final = Importer("fit", "FIT", _recognise, _read)
