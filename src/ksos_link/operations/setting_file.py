"""The whole set-up of a watch as one TOML file: written, compared, applied.

A table holds one setting, under the name that commands have for it; alarms are `[[alarm]]`. What a
table leaves out stays as it is on the watch. Nothing is sent before all of a file was found good.
"""

import tomllib
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from firmware_protocol.settings import SETTINGS, Alarms, Cycle, Setting, SettingValueError
from firmware_protocol.settings.kinds import Plain
from ksos_link.errors import UsageError
from ksos_link.operations.open_watch import OpenWatch
from ksos_link.operations.setting_noun import Shown

_ALARM: Final = "alarm"
_SOURCES: Final = {"watch": "as the watch reads it back", "sent": "as it was sent"}


Tables = Mapping[str, Any]  # of a file, by their names


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that a file wants otherwise; `now` is None where nobody knows."""

    setting: str
    field: str
    now: Plain
    wanted: Plain


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one setting; `held` has what the watch made otherwise, as (asked, held)."""

    setting: str
    outcome: Literal["unchanged", "changed", "sent", "held_otherwise", "skipped"]
    held: Mapping[str, tuple[Plain, Plain]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


async def dump(watch: OpenWatch, *, cycle: bool = False) -> str:
    """Write down what a watch is set to; what nobody knows is left out.

    Raises:
        RefusedError, BluetoothError: see `OpenWatch.read`.
    """
    import tomli_w

    info = watch.info
    firmware = f", firmware {info.firmware_version}" if info.firmware_version else ""
    parts = [
        f"# Settings of a {info.product} ({watch.family.name}{firmware}), "
        f"{watch.now():%Y-%m-%d %H:%M}.\n"
        "# Apply them to a watch: ksos setting apply FILE\n"
    ]
    for kind in watch.supported:
        if kind is Cycle and not cycle:
            continue
        shown = await watch.read(kind)
        if shown.source == "default":
            continue
        table = _as_table(shown.setting)
        comment = f"# {kind.NAME}: {_SOURCES[shown.source]}\n"
        text = tomli_w.dumps(table)
        # a list of no alarms is a key of the file itself, which must come before all tables
        parts.insert(1, comment + text) if table == {_ALARM: []} else parts.append(comment + text)
    return "\n".join(parts)


def parse(text: str) -> Tables:
    """Read a file's tables, before anybody connects.

    Raises:
        UsageError: it is no TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"The file is no TOML: {error}.", "Nothing was sent.") from error


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The settings that a file gives, as plain values by kind, and those that a watch lacks."""

    values: Mapping[type[Setting], Any]
    missing: Sequence[type[Setting]]


def _wanted(watch: OpenWatch, tables: Tables, *, skip_missing: bool) -> _Wanted:
    """Check what a file gives; everything wrong is told at once.

    Raises:
        UsageError: an unknown name, a value out of range, or a setting that this watch lacks
            (unless `skip_missing`).
    """
    found: dict[type[Setting], Any] = {}
    missing: list[type[Setting]] = []
    problems: list[str] = []
    for name, values in tables.items():
        kind = Alarms if name == _ALARM else SETTINGS.get(name)
        if kind is None:
            problems.append(f"there is no setting {name}")
            continue
        plain = {"alarms": values} if name == _ALARM else values
        if not isinstance(plain, dict):
            problems.append(f"{name} must be a table")
            continue
        if kind not in watch.supported:
            missing.append(kind)
            if not skip_missing:
                problems.append(f"this watch has no setting {name}")
            continue
        problems += _problems(kind, plain)
        found[kind] = plain
    if problems:
        raise UsageError(
            f"The file cannot be applied: {'; '.join(problems)}.",
            "Nothing was sent. `ksos setting list` shows all settings with their ranges.",
        )
    return _Wanted(found, missing)


async def diff(watch: OpenWatch, tables: Tables, *, skip_missing: bool = False) -> list[Difference]:
    """What a file would change on a watch; `tables` are what `parse` read.

    Raises:
        UsageError: an unknown name, a value out of range, or a setting that this watch lacks
            (unless `skip_missing`); all of them at once.
        RefusedError, BluetoothError: see `OpenWatch.read`.
    """
    wanted = _wanted(watch, tables, skip_missing=skip_missing)
    plan = await _plan(watch, wanted.values)
    return [difference for shown, setting in plan for difference in _differences(shown, setting)]


async def apply(
    watch: OpenWatch, tables: Tables, *, skip_missing: bool = False
) -> AsyncGenerator[Applied, None]:
    """Change what a file wants otherwise, one `Applied` per setting of it; see `diff`.

    Everything is read and checked before the first change. A lost link is made again.

    Raises:
        UsageError: see `diff`.
        RefusedError, BluetoothError: see `OpenWatch.write`.
    """
    wanted = _wanted(watch, tables, skip_missing=skip_missing)
    plan = await _plan(watch, wanted.values)
    todo = {type(new): new for shown, new in plan if _differences(shown, new)}
    carried: set[type[Setting]] = set()
    for shown, setting in plan:
        kind = type(setting)
        if kind not in todo:
            yield Applied(kind.NAME, "unchanged")
            continue
        if kind in carried:
            yield Applied(kind.NAME, "sent")
            continue
        support = watch.family.settings[kind]
        others = {other: todo[other] for other in support.shares if other in todo}
        change = await watch.write(setting, before=shown.setting, others=others)
        # one message carried them all: what travels in no other one need not be sent again
        for other in others.values():
            if watch.family.settings[type(other)].rows == support.rows:
                watch.note_sent(other)
                carried.add(type(other))
        readable = support.reads_back(watch.info.capabilities)
        yield _outcome(kind, change.differences, change.remarks, readable=readable)
    for kind in wanted.missing:
        yield Applied(kind.NAME, "skipped")


def _outcome(
    kind: type[Setting],
    differences: Mapping[str, tuple[Plain, Plain]],
    remarks: tuple[str, ...],
    *,
    readable: bool,
) -> Applied:
    if differences:
        return Applied(kind.NAME, "held_otherwise", differences, remarks)
    return Applied(kind.NAME, "changed" if readable else "sent", remarks=remarks)


async def _plan(
    watch: OpenWatch, wanted: Mapping[type[Setting], Any]
) -> list[tuple[Shown[Setting], Setting]]:
    """Each setting as it is and as it shall be.

    Raises:
        UsageError: what a file says does not go together with what is set.
    """
    plan: list[tuple[Shown[Setting], Setting]] = []
    problems: list[str] = []
    for kind, values in wanted.items():
        shown: Shown[Setting] = await watch.read(kind)
        try:
            plan.append((shown, kind.read(values, shown.setting)))
        except SettingValueError as error:
            problems.append(str(error))
    if problems:
        raise UsageError(f"The file cannot be applied: {'; '.join(problems)}.", "Nothing was sent.")
    return plan


def _differences(shown: Shown[Setting], wanted: Setting) -> list[Difference]:
    now = {} if shown.source == "default" else shown.setting.plain()
    return [
        Difference(wanted.NAME, name, now.get(name), value)
        for name, value in wanted.plain().items()
        if name not in now or now[name] != value
    ]


def _problems(kind: type[Setting], values: dict[str, Any]) -> list[str]:
    """What is wrong with a table, each field by itself."""
    problems = []
    for name, value in values.items():
        try:
            kind.read({name: value})
        except SettingValueError as error:
            problems.append(str(error))
    return problems


def _as_table(setting: Setting) -> dict[str, Any]:
    plain = setting.plain()
    return {_ALARM: plain["alarms"]} if isinstance(setting, Alarms) else {setting.NAME: plain}
