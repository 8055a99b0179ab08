"""Setting: one thing of a watch that can be set, checked when it is made."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final, Self

from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.settings.kinds import ABSENT, Choice, Kind, Number, Plain


class SettingValueError(LocalProtocolError):
    """A value that no watch could take. The message names the field and its range."""


@dataclass(frozen=True, slots=True)
class SettingField:
    """One field of a setting, for whoever shows or asks for it."""

    name: str
    kind: Kind
    meaning: str
    default: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Base of all settings: frozen, complete, and within its ranges.

    Subclasses set `NAME` (as in TOML files and on the command line) and declare each field with
    `kinds.described`. Defaults are what a watch that nobody has set up was seen to hold, or what
    the vendor's app was seen to send.
    """

    NAME: ClassVar[str]
    MEANING: ClassVar[str]

    def __post_init__(self) -> None:
        """Check every field.

        Raises:
            SettingValueError: one is out of range.
        """
        for each in setting_fields(type(self)):
            _check(type(self), each, getattr(self, each.name))
        self.check_together()

    def check_together(self) -> None:
        """Check what fields say about each other; see `refuse`."""

    def refuse(self, reason: str) -> SettingValueError:
        """The error that says what is wrong with this setting."""
        return SettingValueError(f"{self.NAME}: {reason}")

    def plain(self) -> dict[str, Plain]:
        """The fields as JSON and TOML have them; those without a value are left out."""
        return {
            each.name: each.kind.plain(value)
            for each in setting_fields(type(self))
            if (value := getattr(self, each.name)) is not None
        }

    @classmethod
    def read(cls, values: Mapping[str, object], base: Self | None = None) -> Self:
        """Make one from plain values or a person's texts; what is not given comes from `base`.

        Raises:
            SettingValueError: an unknown field, or a value out of range.
        """
        known = {each.name: each for each in setting_fields(cls)}
        for name in values:
            if name not in known:
                raise SettingValueError(f"{cls.NAME} has no field {name}, but {', '.join(known)}")
        given = {name: _read(cls, known[name], value) for name, value in values.items()}
        kept = {} if base is None else {name: getattr(base, name) for name in known}
        return cls(**{**kept, **given})

    @classmethod
    def read_leniently(cls, values: Mapping[str, object]) -> "tuple[Self, tuple[str, ...]]":
        """Make one from what a watch says, and remarks on what no watch should say.

        A number out of range is taken to the nearer end of it, a code without a name is `code_N`
        where the field can keep it; anything else that cannot be is the usual value.
        """
        remarks: list[str] = []
        given: dict[str, Any] = {}
        for each in setting_fields(cls):
            value, remark = _leniently(each, values.get(each.name))
            given[each.name] = value
            if remark:
                remarks.append(f"{cls.NAME}: {each.name} {remark}")
        try:
            return cls(**given), tuple(remarks)
        except SettingValueError as error:
            return cls(), (*remarks, str(error))


def setting_fields(kind: type[Setting]) -> Iterator[SettingField]:
    """Yield the fields of a setting in order."""
    for each in fields(kind):
        yield SettingField(each.name, each.metadata["kind"], each.metadata["meaning"], each.default)


def _check(owner: type[Setting], each: SettingField, value: Any) -> None:
    if value is None and each.kind.optional:
        return
    try:
        each.kind.check(value)
    except (ValueError, TypeError):
        raise _out_of_range(owner, each) from None


def _leniently(each: SettingField, value: Any) -> tuple[Any, str]:
    """A value that the field can hold, and what is to be said about it."""
    kind = each.kind
    if value is None:  # an older watch says less
        return (None if kind.optional else each.default), ""
    if isinstance(kind, Choice) and kind.open_ended and type(value) is int:
        value = f"code_{value}"
    try:
        read = kind.read(value)
        kind.check(read)
    except (ValueError, TypeError, OverflowError):
        if isinstance(kind, Number) and isinstance(value, int | float):
            return kind.nearest(value), f"is {value} on the watch, which is out of range"
        return each.default, f"is {value!r} on the watch, which means nothing here"
    return read, ""


def _read(owner: type[Setting], each: SettingField, value: object) -> object:
    if each.kind.optional and value in (None, ABSENT):
        return None
    try:
        return each.kind.read(value)
    except (ValueError, TypeError, OverflowError, SettingValueError) as error:
        if isinstance(error, SettingValueError):
            raise
        raise _out_of_range(owner, each) from None


def _out_of_range(owner: type[Setting], each: SettingField) -> SettingValueError:
    absent: Final = f", or {ABSENT}" if each.kind.optional else ""
    return SettingValueError(f"{owner.NAME}: {each.name} must be {each.kind.describes}{absent}")


@dataclass(frozen=True, slots=True)
class Entries(Kind):
    """A list of settings of one type, such as alarms; in TOML an array of tables."""

    entry: type[Setting]
    most: int
    optional: bool = False

    @property
    def describes(self) -> str:
        """See `Kind.describes`."""
        return f"a list of at most {self.most} of {self.entry.NAME}"

    def check(self, value: object) -> None:
        """See `Kind.check`."""
        if not isinstance(value, tuple) or len(value) > self.most:
            raise ValueError
        if not all(isinstance(each, self.entry) for each in value):
            raise ValueError

    def read(self, plain: object) -> object:
        """See `Kind.read`."""
        if not isinstance(plain, list | tuple):
            raise ValueError
        return tuple(
            each if isinstance(each, self.entry) else self.entry.read(each) for each in plain
        )

    def plain(self, value: Any) -> Plain:
        """See `Kind.plain`."""
        return [each.plain() for each in value]
