"""Scenarios: what a virtual watch has lived through, and opening one by its address.

`virtual:ido?scenario=full-day&seed=1&fault=lose@12` names a family and, in its query:

    scenario  a file of the folder `scenarios` (default `full-day`)
    seed      a whole number; the same seed and dates give the same readings (default 1)
    fault     see `faults.py`
    option    a family's own switches, joined by commas (such as `record_crc`)
    now       what the watch's wall clock shows at the start (ISO, default the wearer's time)
    today     its date only
    bound     yes or no (default: the scenario's)
    battery   percent
    platform  whose chip it has, as a number of the family (ido.md 11.1); it decides how firmware
              gets in
    loader    the transport of its loader, where a platform may have several
    firmware  the version of its firmware, a whole number
    do        what the wearer does, and when: `next@2,find_phone@5` (seconds after the companion
              first listened; see `ksos virtual list --gestures`)
    address   a random static address
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from importlib.resources import files
from typing import Any, Final, TypeVar

from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.family import Family
from firmware_protocol.registry import FAMILIES, family_named
from firmware_protocol.watch_session import OnAir, WatchTraits
from ksos_link.errors import NotFoundError, UsageError
from ksos_link.virtual_watch.faults import FaultySession, parse_faults, traits_with
from ksos_link.virtual_watch.scenario import DAY_MIN, PlannedGesture, Scenario, WorkoutPlan
from ksos_link.virtual_watch.sensors import memory_for
from ksos_link.virtual_watch.updatable import updatable_watch
from ksos_link.virtual_watch.workouts import LATEST_START_MIN

DEFAULT_SCENARIO: Final = "full-day"
DEFAULT_ADDRESS: Final = "F9:24:12:00:00:01"
_YEARS: Final = range(1971, 2101)  # all that a watch remembers fits 32 bits of seconds since 1970
_ADDRESS: Final = re.compile(r"(?:[0-9A-F]{2}:){5}[0-9A-F]{2}")
_QUERY_KEYS: Final = (
    *("scenario", "seed", "fault", "option", "now", "today", "bound", "battery", "address"),
    *("do", "platform", "loader", "firmware"),
)
_BYTE_HINT: Final = "a whole number from 0 to 255"
_YES_NO: Final = {"yes": True, "no": False}
Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class VirtualIdentity:
    """What a virtual watch shows on the air before anybody connects.

    `manufacturer_data` is the whole element after its AD type (ido.md 2.1).
    """

    address: str
    name: str
    service_uuids: tuple[str, ...]
    manufacturer_data: bytes
    gestures: tuple[PlannedGesture, ...] = ()

    @property
    def on_air(self) -> OnAir:
        """The same for a watch that may change what it shows."""
        return OnAir(self.address, self.name, self.service_uuids, self.manufacturer_data)


def scenario_names() -> tuple[str, ...]:
    """Every scenario there is, in alphabetical order."""
    folder = files("ksos_link.virtual_watch") / "scenarios"
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def load_scenario(name: str) -> Scenario:
    """Read one of the scenarios that come with the program.

    Raises:
        NotFoundError: there is none of that name.
    """
    if name not in scenario_names():
        raise NotFoundError(
            f"There is no scenario {name!r}.", f"Choose one of {', '.join(scenario_names())}."
        )
    file = files("ksos_link.virtual_watch") / "scenarios" / f"{name}.toml"
    return parse_scenario(name, file.read_text("utf-8"))


def parse_scenario(name: str, text: str) -> Scenario:
    """Read a scenario file; what it leaves out takes a common value.

    Raises:
        UsageError: it is no TOML, or holds an unknown name or an impossible value.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"Scenario {name} is no TOML: {error}.") from error
    plans, doings = _tables(name, table, "workouts"), _tables(name, table, "gestures")
    workouts = tuple(
        WorkoutPlan(**_read_table(f"{name}, workout {index}", plan, _WORKOUT_FIELDS))
        for index, plan in enumerate(plans, 1)
    )
    for plan in workouts:
        if plan.phase >= plan.every_days:
            raise UsageError(f"Scenario {name}: a workout's `phase` must be below `every_days`.")
        if plan.start_min + LATEST_START_MIN + plan.duration_min > DAY_MIN:
            raise UsageError(f"Scenario {name}: a workout must end before midnight (`start`).")
    gestures = tuple(
        PlannedGesture(**_read_table(f"{name}, gesture {index}", doing, _GESTURE_FIELDS))
        for index, doing in enumerate(doings, 1)
    )
    fields = _read_table(name, table, _SCENARIO_FIELDS)
    return Scenario(name=name, workouts=workouts, gestures=gestures, **fields)


def _tables(name: str, table: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Take an array of tables out of a scenario; its values are checked where they are read."""
    found = table.pop(key, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise UsageError(f"Scenario {name}: `{key}` must be tables [[{key}]].")
    return found


def numbered_address(number: int) -> str:
    """The address of the n-th of several watches: every second one, loaders take the other ones."""
    first = int(DEFAULT_ADDRESS.replace(":", ""), 16)
    return (first + 2 * number).to_bytes(6).hex(":").upper()


def open_virtual_watch(
    family: str, query: Mapping[str, str], *, now: datetime, now_s: float | None = None
) -> tuple[FaultySession, VirtualIdentity]:
    """Open the watch that `virtual:<family>?<query>` names.

    `now` (aware) is the wearer's time: its wall time is what the watch's clock shows, unless the
    query says otherwise. `now_s` is what the session's callers' own clock shows at that moment;
    without it the watch's clock stands still until the first call.

    Raises:
        NotFoundError: no such family or scenario.
        UsageError: a key or a value of the query makes no sense.
    """
    chosen = _family(family)
    _check_keys(query)
    scenario = load_scenario(query.get("scenario", DEFAULT_SCENARIO))
    seed = _parsed(query, "seed", "1", int, "a whole number")
    wall = _wall_time(query, now)
    identity = _IDENTITIES[chosen.name](
        _parsed(query, "address", DEFAULT_ADDRESS, _address, "an address as AA:BB:CC:DD:EE:FF")
    )
    faults = parse_faults(query.get("fault", ""))
    traits = traits_with(
        faults,
        WatchTraits(
            address=identity.address,
            wall_offset_s=int(wall.timestamp()),
            bound=_parsed(
                query, "bound", "yes" if scenario.bound else "no", _YES_NO.__getitem__, "yes or no"
            ),
            battery_pct=_parsed(query, "battery", "64", _percent, "a whole number from 0 to 100"),
            options=frozenset(filter(None, query.get("option", "").split(","))),
            platform=_parsed(query, "platform", "40", _byte, _BYTE_HINT),
            firmware_version=_parsed(query, "firmware", "17", _byte, _BYTE_HINT),
        ),
    )
    memory = memory_for(scenario, today=wall.date(), seed=seed)
    try:
        session = chosen.open_watch(memory, traits)
    except LocalProtocolError as error:
        raise UsageError(f"The option cannot be used: {error}.") from error
    gestures = _gestures(query, scenario, session.gestures)
    updatable = updatable_watch(session, identity.on_air, traits, query.get("loader"))
    faulty = FaultySession(updatable, faults, seed=seed, started_s=now_s)
    return faulty, replace(identity, gestures=gestures)


def _gestures(
    query: Mapping[str, str], scenario: Scenario, known: tuple[str, ...]
) -> tuple[PlannedGesture, ...]:
    parts = [part.partition("@") for part in query.get("do", "").split(",") if part]
    if not all(after.isdecimal() and len(after) <= 5 for _, _, after in parts):
        raise UsageError("The value of `do` makes no sense.", "Give for example next@2,photo@5.")
    planned = tuple(PlannedGesture(what.strip(), int(after)) for what, _, after in parts)
    for gesture in (*scenario.gestures, *planned):
        if gesture.what not in known:
            raise UsageError(
                f"This watch knows no gesture {gesture.what!r}.", f"There are {', '.join(known)}."
            )
    return (*scenario.gestures, *planned)


def _family(name: str) -> Family:
    family = family_named(name)
    names = [known.name for known in FAMILIES if known.name in _IDENTITIES]
    if family is None or name not in names:
        raise NotFoundError(
            f"There is no virtual watch of a family {name!r}.", f"Choose one of {', '.join(names)}."
        )
    return family


def _check_keys(query: Mapping[str, str]) -> None:
    for key in query:
        if key not in _QUERY_KEYS:
            raise UsageError(
                f"A virtual watch has no setting {key!r}.", f"There are {', '.join(_QUERY_KEYS)}."
            )


def _parsed(
    query: Mapping[str, str], key: str, default: str, parse: Callable[[str], Parsed], what: str
) -> Parsed:
    text = query.get(key, default)
    try:
        return parse(text)
    except (ValueError, LookupError):
        raise UsageError(f"The value of `{key}` makes no sense.", f"Give {what}.") from None


def _wall_time(query: Mapping[str, str], now: datetime) -> datetime:
    """The wall time at the start, as if it were UTC."""
    if "now" in query and "today" in query:
        raise UsageError("Give `now` or `today`, not both.")
    wall = now.replace(tzinfo=UTC)
    if "now" in query:
        example = "a time such as 2026-11-20T15:30"
        return _parsed(query, "now", "", _time, example).replace(tzinfo=UTC)
    today = _parsed(query, "today", wall.date().isoformat(), _date, "a date such as 2026-11-20")
    return wall.replace(year=today.year, month=today.month, day=today.day)


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    _YEARS.index(time.year)
    return time


def _date(text: str) -> date:
    day = date.fromisoformat(text)
    _YEARS.index(day.year)
    return day


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text.upper()):
        raise ValueError
    return text.upper()


def _percent(text: str) -> int:
    return range(101)[_whole_number(text)]


def _byte(text: str) -> int:
    return range(256)[_whole_number(text)]


def _whole_number(text: str) -> int:
    if not text.isdecimal():
        raise ValueError
    return int(text)


def _ido_identity(address: str) -> VirtualIdentity:
    """As an A200 advertises (ido.md 2.1, C)."""
    on_air = bytes.fromhex(address.replace(":", ""))
    return VirtualIdentity(
        address=address,
        name="Band 8",
        service_uuids=("00000af0-0000-1000-8000-00805f9b34fb",),
        manufacturer_data=bytes.fromhex("1402") + on_air + bytes.fromhex("020211000100"),
    )


_IDENTITIES: Final[Mapping[str, Callable[[str], VirtualIdentity]]] = {"ido": _ido_identity}


@dataclass(frozen=True, slots=True)
class _Field:
    """One name of a scenario file: where it goes, how it is read, what it is when left out."""

    target: str
    read: Callable[[object], Any]  # what it gives is the target's type
    default: Any = None  # None: it must be there


def _whole(low: int, high: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return value

    return read


def _minute(value: object) -> int:
    match = re.fullmatch(r"(\d\d):([0-5]\d)", value) if isinstance(value, str) else None
    minute = int(match[1]) * 60 + int(match[2]) if match else DAY_MIN + 1
    if minute > DAY_MIN:
        raise ValueError('must be a time such as "23:15"')
    return minute


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")  # noqa: TRY004  all of them mean a wrong value
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004  all of them mean a wrong value
    return value


_SCENARIO_FIELDS: Final = {
    "title": _Field("title", _text),
    "bound": _Field("bound", _flag),
    "days": _Field("days", _whole(0, 366)),
    "resting_bpm": _Field("resting_bpm", _whole(35, 100), 60),
    "bedtime": _Field("bedtime_min", _minute, 23 * 60),
    "sleep_min": _Field("sleep_min", _whole(20, 720), 450),
    "steps_per_day": _Field("steps_per_day", _whole(0, 40_000), 6000),
    "heart_rate_interval_s": _Field("heart_rate_interval_s", _whole(0, 3600), 300),
    "spo2_interval_min": _Field("spo2_interval_min", _whole(0, 720), 0),
    "stress_interval_min": _Field("stress_interval_min", _whole(0, 720), 0),
    "stress_from": _Field("stress_from_min", _minute, 9 * 60),
    "stress_until": _Field("stress_until_min", _minute, 21 * 60),
    "recorded_until": _Field("recorded_until_min", _minute, DAY_MIN),
}
_GESTURE_FIELDS: Final = {
    "what": _Field("what", _text),
    "after_s": _Field("after_s", _whole(0, 86_400), 0),
}
_WORKOUT_FIELDS: Final = {
    "sport_code": _Field("sport_code", _whole(0, 255)),
    "start": _Field("start_min", _minute),
    "duration_min": _Field("duration_min", _whole(1, 600)),
    "every_days": _Field("every_days", _whole(1, 366), 1),
    "phase": _Field("phase", _whole(0, 365), 0),
    "steps_per_min": _Field("steps_per_min", _whole(0, 240)),
    "metres_per_min": _Field("metres_per_min", _whole(0, 1000)),
    "bpm": _Field("bpm", _whole(60, 200)),
}


def _read_table(
    name: str, table: Mapping[str, object], fields: Mapping[str, _Field]
) -> dict[str, Any]:
    """Values by the names that the dataclass gives them; Any because their types differ."""
    for key in table:
        if key not in fields:
            raise UsageError(
                f"Scenario {name} has no setting {key!r}.", f"There are {', '.join(fields)}."
            )
    values: dict[str, Any] = {}
    for key, field in fields.items():
        if key not in table and field.default is None:
            raise UsageError(f"Scenario {name}: `{key}` is missing.")
        try:
            values[field.target] = field.read(table[key]) if key in table else field.default
        except ValueError as error:
            raise UsageError(f"Scenario {name}: `{key}` {error}.") from None
    return values
