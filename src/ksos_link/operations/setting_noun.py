"""Shown, changed, listed: what can be done with one setting of an open watch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Generic, Literal, Protocol, TypeVar

from firmware_protocol.settings import Alarm, Alarms, Setting, SettingValueError
from firmware_protocol.settings.kinds import Plain
from ksos_link.errors import NotFoundError, UsageError

SettingType = TypeVar("SettingType", bound=Setting)
MOST_ALARMS: Final = 10
_ASSUMED: Final = (
    "this watch cannot tell what it holds, so what you did not give went out as usual values"
)


@dataclass(frozen=True, slots=True)
class Shown(Generic[SettingType]):
    """A setting and where it comes from: asked of the watch, sent to it, or merely usual."""

    setting: SettingType
    source: Literal["watch", "sent", "default"]
    sent_utc_s: int | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change(Generic[SettingType]):
    """What became of a setting. `held` is what the watch reads back, None where it cannot."""

    before: SettingType | None
    asked: SettingType
    sent: SettingType
    held: SettingType | None
    remarks: tuple[str, ...] = ()

    @property
    def differences(self) -> dict[str, tuple[Plain, Plain]]:
        """Fields that the watch holds otherwise than asked, as (asked, held)."""
        asked = self.asked.plain()
        held = (self.held or self.sent).plain()
        # a field that this watch does not give back is not another value
        return {
            name: (asked.get(name), value)
            for name, value in held.items()
            if asked.get(name) != value
        }


class SettingDesk(Protocol):
    """Reads and writes settings: an open watch."""

    async def read(
        self, kind: type[SettingType], *, experimental: bool = False
    ) -> Shown[SettingType]:
        """See `OpenWatch.read`."""

    async def write(
        self,
        setting: SettingType,
        *,
        before: SettingType | None = None,
        experimental: bool = False,
        others: Mapping[type[Setting], Setting] | None = None,
    ) -> Change[SettingType]:
        """See `OpenWatch.write`."""


def read_values(
    kind: type[SettingType], values: Mapping[str, object], base: SettingType | None = None
) -> SettingType:
    """Make a setting of plain values or a person's texts.

    Raises:
        UsageError: an unknown field, or a value out of range, with the range.
    """
    try:
        return kind.read(values, base)
    except SettingValueError as error:
        raise UsageError(
            f"{error}.", f"`ksos setting list {kind.NAME}` shows its fields."
        ) from error


class SettingNoun(Generic[SettingType]):
    """One setting of an open watch."""

    def __init__(self, watch: SettingDesk, kind: type[SettingType]) -> None:
        self._watch = watch
        self.kind = kind

    async def show(self) -> Shown[SettingType]:
        """See `OpenWatch.read`."""
        return await self._watch.read(self.kind)

    async def write(
        self, setting: SettingType, *, experimental: bool = False
    ) -> Change[SettingType]:
        """See `OpenWatch.write`."""
        return await self._watch.write(setting, experimental=experimental)

    async def change(
        self, values: Mapping[str, object], *, experimental: bool = False
    ) -> Change[SettingType]:
        """Change some fields, given as plain values or texts; the others stay as they are.

        Raises:
            UsageError: an unknown field, or a value out of range; nothing was sent.
            RefusedError, BluetoothError: see `OpenWatch.write`.
        """
        shown = await self._watch.read(self.kind, experimental=experimental)
        setting = read_values(self.kind, values, shown.setting)
        change = await self._watch.write(setting, before=shown.setting, experimental=experimental)
        if shown.source != "default":
            return change
        return replace(change, before=None, remarks=(*change.remarks, _ASSUMED))


class AlarmNoun(SettingNoun[Alarms]):
    """The alarms of an open watch. Numbers count from 1, in the order of the watch."""

    def __init__(self, watch: SettingDesk) -> None:
        super().__init__(watch, Alarms)

    async def list(self) -> tuple[Alarm, ...]:
        """All alarms."""
        return (await self.show()).setting.alarms

    async def add(self, alarm: Alarm) -> Change[Alarms]:
        """Add one behind the others.

        Raises:
            UsageError: there are ten already.
        """
        alarms = await self.list()
        if len(alarms) >= MOST_ALARMS:
            raise UsageError(
                f"There are {MOST_ALARMS} alarms already.", "Remove one: ksos alarm remove NUMBER"
            )
        return await self._write(alarms, (*alarms, alarm))

    async def edit(self, number: int, alarm: Alarm) -> Change[Alarms]:
        """Put another one in the place of alarm `number`.

        Raises:
            NotFoundError: there is none of that number.
        """
        return await self.adjust(number, lambda _: alarm)

    async def adjust(self, number: int, change: Callable[[Alarm], Alarm]) -> Change[Alarms]:
        """Make another alarm out of alarm `number`.

        Raises:
            NotFoundError: there is none of that number.
        """
        return await self._replace(number, lambda old: (change(old),))

    async def remove(self, number: int) -> Change[Alarms]:
        """Remove alarm `number`; those behind it move up.

        Raises:
            NotFoundError: there is none of that number.
        """
        return await self._replace(number, lambda _: ())

    async def enable(self, number: int, *, on: bool = True) -> Change[Alarms]:
        """Switch alarm `number` on, or off; it keeps its place.

        Raises:
            NotFoundError: there is none of that number.
        """
        return await self.adjust(number, lambda old: replace(old, on=on))

    async def disable(self, number: int) -> Change[Alarms]:
        """See `enable`."""
        return await self.enable(number, on=False)

    async def _replace(
        self, number: int, others: Callable[[Alarm], tuple[Alarm, ...]]
    ) -> Change[Alarms]:
        """Put what `others` makes of alarm `number` in its place."""
        alarms = await self.list()
        if not 1 <= number <= len(alarms):
            raise NotFoundError(
                f"There is no alarm {number}.", "`ksos alarm list` shows them with their numbers."
            )
        put = others(alarms[number - 1])
        return await self._write(alarms, (*alarms[: number - 1], *put, *alarms[number:]))

    async def _write(self, before: tuple[Alarm, ...], after: tuple[Alarm, ...]) -> Change[Alarms]:
        return await self._watch.write(Alarms(alarms=after), before=Alarms(alarms=before))
