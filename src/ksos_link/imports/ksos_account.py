"""The vendor account's health and sport files (domain note 4), each layout, joined in any order.

A day group or an activity is one piece. The vendor finds the parts of an account by the beginning
of its number, so that parts of others may stand in between (note 4.3): they are set aside. In this
protobuf 0 is absent.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import isfinite
from typing import Any, BinaryIO, Final

from firmware_protocol import account
from firmware_protocol.account import Layout
from firmware_protocol.errors import DecodeError
from firmware_protocol.samples import METRICS, Decoded, Quality, SleepStage, Value
from firmware_protocol.sports import sport_of_ksos
from ksos_link.errors import MalformedError
from ksos_link.imports.gather import Gathered, checked_instant
from ksos_link.imports.importer import ImportedRecord, SourceFile

MAX_GROUP_BYTES: Final = 32 * 1024 * 1024  # a whole file of the vendor's ends at 20 MiB
MAX_ACCOUNTS: Final = 1000
_LONGEST_SLEEP_S: Final = 2 * 86_400
_NO_BPM: Final = (0, 255)
_STAGES: Final[Mapping[int, int]] = {
    1: SleepStage.DEEP,
    2: SleepStage.LIGHT,
    3: SleepStage.AWAKE,
    4: SleepStage.REM,
}
_FOREIGN: Final = "Parts that belong to other accounts were set aside."
_NO_LENGTH: Final = "The file does not say over how long steps were counted: each has length 0."
_NO_PERFUSION: Final = "The perfusion index has no place here and was left out."
_NO_UNIT: Final = "A night whose stages do not fit its length was left out."
_NO_TIME: Final = "Records without a time were left out."
_NO_LAPS: Final = "Laps have no place here and were left out."
_NO_PLACE: Final = "Distances without a position have no place here and were left out."


def recognise(head: bytes, file_name: str) -> bool:
    """Whether a file begins like one, or is called as the vendor calls it."""
    if file_name.casefold().endswith(".kieslect"):
        return True
    try:
        tag, place = account.varint(head, 0)
        if tag == account.USER_ID << 3:
            _, place = account.varint(head, place)
            tag, place = account.varint(head, place)
        size, place = account.varint(head, place)
        group = head[place : place + size]
        whole = len(group) == size and account.layout_of(group) is not None
    except DecodeError:
        return False
    cut = len(group) < size <= MAX_GROUP_BYTES and group[:1] == b"\x08"  # longer than the head
    return tag == account.GROUP << 3 | account.DELIMITED and (whole or cut)


def read(source: SourceFile) -> Iterator[ImportedRecord]:
    """The pieces of a file.

    Raises:
        MalformedError: it is no such file, or of whose account is not clear.
    """
    if not source.stream.seekable():
        raise MalformedError("An account file is read twice.", "Name a file rather than a pipe.")
    try:
        owner, has_foreign = _owner(source.stream)
        source.stream.seek(0)
        remarks = [_FOREIGN] if has_foreign else []
        for group in _groups(source.stream, owner):
            record = _record(group, remarks)
            if record is not None:
                remarks = []
                yield record
    except DecodeError as error:
        raise MalformedError("That is no health or sport file of KS OS.", str(error)) from error


def _owner(stream: BinaryIO) -> tuple[int, bool]:
    """The number with which all others begin, and whether there are others; 0 for no number."""
    numbers: set[int] = set()
    for number, value in _top_level(stream, with_groups=False):
        if number == account.USER_ID and value:
            numbers.add(int(value))
        if len(numbers) > MAX_ACCOUNTS:
            raise DecodeError("it holds the data of very many accounts")
    owner = min(numbers, key=lambda each: len(str(each)), default=0)
    if not all(str(number).startswith(str(owner)) for number in numbers if owner):
        raise MalformedError(
            "The file holds the data of several accounts.", "Whose they are cannot be told."
        )
    return owner, len(numbers) > 1


def _groups(stream: BinaryIO, owner: int) -> Iterator[bytes]:
    current = owner
    for number, value in _top_level(stream):
        if isinstance(value, bytes) and current == owner:
            yield value
        elif number == account.USER_ID and isinstance(value, int):
            current = value or owner


def _top_level(stream: BinaryIO, *, with_groups: bool = True) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers and values; groups are empty without `with_groups`."""
    while (tag := _number(stream, ends=True)) is not None:
        number, kind = tag >> 3, tag & 7
        if (number, kind) == (account.USER_ID, account.VARINT):
            yield number, _number(stream) or 0
        elif (number, kind) == (account.GROUP, account.DELIMITED):
            size = _number(stream) or 0
            if size > MAX_GROUP_BYTES:
                raise DecodeError("a part of it is too large")
            group = stream.read(size)
            if len(group) != size:
                raise DecodeError("it is cut off")
            yield number, group if with_groups else b""
        else:
            raise DecodeError("it has a field that such files do not have")


def _number(stream: BinaryIO, *, ends: bool = False) -> int | None:
    """The next number; None at the end of the file where it may end."""
    data = b""
    while byte := stream.read(1):
        data += byte
        if byte[0] < 0x80 or len(data) == 10:
            return account.varint(data, 0)[0]
    if data or not ends:
        raise DecodeError("it is cut off")
    return None


def _record(group: bytes, remarks: Sequence[str]) -> ImportedRecord | None:
    layout = account.layout_of(group)
    if layout is None:
        return None
    digest = hashlib.sha256(group).hexdigest()[:16]
    found: _Found
    if layout is Layout.HEALTH:
        message = account.read("DayGroup", group)
        found = _Health(message)
        kind, key, quality = "ksos.health", f"{message.date}-{digest}", Quality.PROVISIONAL
    else:
        message = account.read("DetailSport" if layout is Layout.SPORT else "OldDetailSport", group)
        found = _Activity(message)
        kind, key, quality = "ksos.sport", str(message.only or digest), Quality.PROVEN
    series = tuple(each.series(quality) for each in found.gathered.values() if each.rows)
    if not series:
        return None
    until_utc_s = max(max(each.start_utc_s) for each in series)
    decoded = Decoded(series, (*remarks, *found.remarks))
    return ImportedRecord(kind, key, decoded, until_utc_s)


class _Found:
    """Samples of one piece by metric, and remarks, each once."""

    def __init__(self) -> None:
        self.gathered: dict[str, Gathered] = {}
        self.remarks: dict[str, None] = {}

    def add(self, metric: str, utc_s: int, *values: Value) -> None:
        """Take a sample, unless it has no time."""
        if utc_s == 0:
            self.remark(_NO_TIME)
            return
        gathered = self.gathered.setdefault(metric, Gathered(metric))
        gathered.add(checked_instant(utc_s), *values)

    def remark(self, text: str) -> None:
        """Say what could not be used."""
        self.remarks[text] = None


class _Health(_Found):
    """A day group."""

    def __init__(self, group: Any) -> None:
        super().__init__()
        for data in group.detail_steps:
            self._steps(account.read_steps(data))
        for plain in _PLAIN:
            self._plain(group, *plain)
        if any(detail.pi for detail in group.detail_spo2):
            self.remark(_NO_PERFUSION)
        for detail in group.detail_sleep:
            self._sleep(detail)
        for night in group.detail_sleep_analyze:
            self._night(night)

    def _plain(
        self, group: Any, name: str, field: str, metric: str, fits: Callable[[Any], bool]
    ) -> None:
        for detail in getattr(group, name):
            value = getattr(detail, field)
            if fits(value):
                self.add(metric, detail.date, value)

    def _sleep(self, detail: Any) -> None:
        length_s = detail.end_time - detail.start_time
        if detail.code in _STAGES and 0 < length_s <= _LONGEST_SLEEP_S:
            self.add("sleep", detail.start_time, length_s, int(_STAGES[detail.code]))

    def _steps(self, detail: Any) -> None:
        if detail.steps > 0:
            self.add("steps", detail.date, 0, detail.steps)
            self.remark(_NO_LENGTH)
        distance_m, kcal = _positive(detail.distance), _positive(detail.calories)
        if distance_m is not None or kcal is not None:
            whole_kcal = None if kcal is None else round(kcal)
            self.add(
                "activity", detail.date, 0, None, None, whole_kcal, None, round(distance_m or 0)
            )
            self.remark(_NO_LENGTH)

    def _night(self, night: Any) -> None:
        """The note leaves the unit of stages open; the length of the night tells it."""
        length_s = night.end_time - night.start_time
        stages = (night.wake_time, night.light_time, night.rem_time, night.deep_time)
        if not 0 < length_s <= _LONGEST_SLEEP_S or min(stages) < 0:
            self.remark(_NO_UNIT)
            return
        seconds = [unit_s for unit_s in (1, 60) if 0.5 < sum(stages) * unit_s / length_s < 1.1]
        if not seconds:
            self.remark(_NO_UNIT)
            return
        awake, light, rem, deep = (round(each * seconds[0] / 60) for each in stages)
        score = night.sleep_score or None
        self.add(
            "sleep_summary", night.start_time, length_s, awake, light, rem or None, deep, score
        )


class _Activity(_Found):
    """A workout, in either layout."""

    def __init__(self, message: Any) -> None:
        super().__init__()
        is_old = message.DESCRIPTOR.name == "OldDetailSport"
        info = message if is_old else message.info
        if info.start_time < account.LEAST_INSTANT_S:
            self.remark(_NO_TIME)
            return
        start_utc_s = checked_instant(info.start_time)
        length_s = info.end_time - start_utc_s
        values: dict[str, Value] = dict.fromkeys(METRICS["workout"].column_names)
        sport = sport_of_ksos(info.type)
        values |= {
            "duration_s": length_s if 0 < length_s < 2**31 else max(0, info.time),
            "sport": f"sport_{info.type}" if sport is None else sport.name,
            "sport_code": info.type,
            "steps": info.steps if info.steps > 0 else None,
            "distance_m": _rounded(info.distance),
            "speed_max_mps": _positive(info.max_speed),
            "bpm_avg": _rounded(info.avg_hr),
        }
        if not is_old:
            values |= {
                "energy_kcal": _rounded(info.calories),
                "bpm_max": _rounded(info.max_hr),
                "bpm_min": _rounded(info.min_hr),
            }
        self.add("workout", start_utc_s, *values.values())
        if is_old:
            self._old_samples(start_utc_s, message.samples)
        else:
            self._series(start_utc_s, message)

    def _series(self, start_utc_s: int, message: Any) -> None:
        timers = sorted((row.total_time, row.time) for row in message.timers)
        timers.sort(key=lambda row: row[1])

        def utc_s(row: Any) -> int:
            return start_utc_s + account.wall_s(timers, row.time)

        ways = {row.time: row for row in message.distance_data}
        paces = {row.time: row.cadence for row in message.activity_data}
        for row in message.activity_data:
            self._beat(utc_s(row), row.hr)
        for row in message.locations:
            way = ways.pop(row.time, None)
            distance_m, speed = (None, None) if way is None else (way.distance, way.speed)
            self._point(utc_s(row), row, distance_m, speed, paces.get(row.time, 0))
        if ways:
            self.remark(_NO_PLACE)
        if any(row.lap for row in message.distance_data) or message.info.lap:
            self.remark(_NO_LAPS)

    def _old_samples(self, start_utc_s: int, samples: Iterable[Any]) -> None:
        for row in samples:
            utc_s = start_utc_s + (row.total_time or row.time)
            self._beat(utc_s, row.hr)
            if row.latitude or row.longitude:
                self._point(utc_s, row, row.distance, row.speed, row.cadence)
            elif row.distance:
                self.remark(_NO_PLACE)
            if row.lap:
                self.remark(_NO_LAPS)

    def _beat(self, utc_s: int, bpm: int) -> None:
        if _is_bpm(bpm):
            self.add("workout_heart_rate", utc_s, bpm)

    def _point(
        self, utc_s: int, at: Any, distance_m: float | None, speed_mps: float | None, cadence: int
    ) -> None:
        if not (abs(at.latitude) <= 90 and abs(at.longitude) <= 180):
            return
        if at.latitude == 0 and at.longitude == 0:
            return
        distance = None if distance_m is None or not isfinite(distance_m) else distance_m
        self.add(
            "workout_point",
            utc_s,
            at.latitude,
            at.longitude,
            None,
            distance,
            _positive(speed_mps),
            cadence if cadence > 0 else None,
        )


def _is_bpm(value: int) -> bool:
    return value not in _NO_BPM and 0 < value < 255


def _positive(value: float | None) -> float | None:
    """A number above 0; None for 0, which is absent, and for what is none."""
    return value if value is not None and isfinite(value) and value > 0 else None


def _rounded(value: float) -> int | None:
    positive = _positive(value)
    return None if positive is None else round(positive)


_PLAIN: Final[tuple[tuple[str, str, str, Callable[[Any], bool]], ...]] = (
    ("detail_hr", "hr", "heart_rate", _is_bpm),
    ("detail_silent_hr", "silent_hr", "resting_heart_rate", _is_bpm),
    ("detail_spo2", "spo2", "spo2", lambda value: 0 < value <= 100),
    ("detail_stress", "stress", "stress", lambda value: 0 < value <= 100),
    ("detail_weight", "weight", "weight", lambda value: _positive(value) is not None),
)
