"""What a field of a setting may hold: one kind each, which checks, writes and reads its values.

Values have three faces. In code they are what Python has for them (`time`, `date`, a tuple of
names); in JSON and TOML they are plain (`"07:30"`, `"2026-11-27"`, a list); on a command line they
are text (`07:30`, `monday,friday`, `none`). A kind knows all three and the range that it takes.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any, Final

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
EVERY_DAY: Final = WEEKDAYS
WORKDAYS: Final = WEEKDAYS[:5]
ABSENT: Final = "none"  # what a person writes for no value
Plain = bool | int | float | str | list[Any] | dict[str, Any] | None  # JSON nests without end
_DAY_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "daily": EVERY_DAY,
    "workdays": WORKDAYS,
    "weekend": WEEKDAYS[5:],
    "once": (),
}
_ON: Final = ("on", "yes", "true", "1")
_OFF: Final = ("off", "no", "false", "0")
_CODE: Final = re.compile(r"code_([0-9]{1,9})")


class Kind(ABC):
    """What values a field takes. A value outside raises `ValueError`; `describes` says the range.

    With `optional` the field may be None: this watch or person has no such value.
    """

    optional: bool = False

    @property
    @abstractmethod
    def describes(self) -> str:
        """The values it takes, as the end of `must be ...`."""

    @abstractmethod
    def check(self, value: object) -> None:
        """Raise `ValueError` for a value of the wrong type or out of range."""

    @abstractmethod
    def read(self, plain: object) -> object:
        """Turn a plain value or a person's text into the field's value; not yet checked."""

    def plain(self, value: Any) -> Plain:  # each kind has its own type of value
        """Turn the field's value into what JSON and TOML have."""
        return value  # type: ignore[no-any-return]  # most values are plain already


@dataclass(frozen=True, slots=True)
class Switch(Kind):
    """On or off."""

    optional: bool = False

    @property
    def describes(self) -> str:
        """See `Kind.describes`."""
        return "on or off"

    def check(self, value: object) -> None:
        """See `Kind.check`."""
        if not isinstance(value, bool):
            raise ValueError

    def read(self, plain: object) -> object:
        """See `Kind.read`."""
        if isinstance(plain, str) and plain.lower() in (*_ON, *_OFF):
            return plain.lower() in _ON
        return plain


@dataclass(frozen=True, slots=True)
class Number(Kind):
    """A number from `least` to `most`; `digits` after the point, 0 for a whole one."""

    least: float
    most: float
    digits: int = 0
    optional: bool = False

    @property
    def describes(self) -> str:
        """See `Kind.describes`."""
        word = "number" if self.digits else "whole number"
        return f"a {word} from {self.least:g} to {self.most:.10g}"

    def check(self, value: object) -> None:
        """See `Kind.check`."""
        if isinstance(value, bool) or not isinstance(value, int | (float if self.digits else int)):
            raise ValueError
        if not self.least <= value <= self.most:  # not for NaN either
            raise ValueError

    def read(self, plain: object) -> object:
        """See `Kind.read`."""
        if isinstance(plain, str):
            number = float(plain)
            plain = int(number) if number.is_integer() and not self.digits else number
        if self.digits and isinstance(plain, int | float) and not isinstance(plain, bool):
            return round(float(plain), self.digits)
        return plain

    def nearest(self, value: float) -> float:
        """The number of the range that is nearest."""
        near = min(max(value, self.least), self.most)
        return round(near, self.digits) if self.digits else int(near)


@dataclass(frozen=True, slots=True)
class Choice(Kind):
    """One of some names; `open_ended` also takes `code_N`, which a newer firmware may give."""

    names: tuple[str, ...]
    optional: bool = False
    open_ended: bool = False

    @property
    def describes(self) -> str:
        """See `Kind.describes`."""
        return f"one of {', '.join(self.names)}"

    def check(self, value: object) -> None:
        """See `Kind.check`."""
        if value not in self.names and not (self.open_ended and is_code(value)):
            raise ValueError

    def read(self, plain: object) -> object:
        """See `Kind.read`."""
        return plain.lower().replace("-", "_") if isinstance(plain, str) else plain


@dataclass(frozen=True, slots=True)
class Names(Kind):
    """Any of some names, each once, in the order given; `ordered` keeps it, else it is theirs."""

    names: tuple[str, ...]
    optional: bool = False
    ordered: bool = False
    most: int = 255
    open_ended: bool = False

    @property
    def describes(self) -> str:
        """See `Kind.describes`."""
        shown = ", ".join(self.names[:12]) + (", ..." if len(self.names) > 12 else "")
        return f"up to {min(self.most, len(self.names))} of {shown}"

    def check(self, value: object) -> None:
        """See `Kind.check`."""
        if not isinstance(value, tuple) or len(set(value)) != len(value) or len(value) > self.most:
            raise ValueError
        for name in value:
            if name not in self.names and not (self.open_ended and is_code(name)):
                raise ValueError

    def read(self, plain: object) -> object:
        """See `Kind.read`."""
        names = _split(plain)
        if names is None:
            return plain
        words = tuple(dict.fromkeys(name.lower().replace("-", "_") for name in names))
        return words if self.ordered else tuple(sorted(words, key=self._place))

    def plain(self, value: Any) -> Plain:
        """See `Kind.plain`."""
        return list(value)

    def _place(self, name: str) -> tuple[int, str]:
        return (self.names.index(name) if name in self.names else len(self.names), name)


@dataclass(frozen=True, slots=True)
class Days(Kind):
    """Days of the week, Monday first; `daily`, `workdays`, `weekend` and `once` for short."""

    optional: bool = False

    @property
    def describes(self) -> str:
        """See `Kind.describes`."""
        return "days such as monday,friday, or daily, workdays, weekend, once"

    def check(self, value: object) -> None:
        """See `Kind.check`."""
        if not isinstance(value, tuple) or value != tuple(day for day in WEEKDAYS if day in value):
            raise ValueError

    def read(self, plain: object) -> object:
        """See `Kind.read`."""
        if isinstance(plain, str) and plain.lower() in _DAY_WORDS:
            return _DAY_WORDS[plain.lower()]
        names = _split(plain)
        if names is None:
            return plain
        days = [_whole_name(name.lower()) for name in names]
        return tuple(sorted(set(days), key=lambda day: (*WEEKDAYS, day).index(day)))

    def plain(self, value: Any) -> Plain:
        """See `Kind.plain`."""
        return list(value)


@dataclass(frozen=True, slots=True)
class TimeOfDay(Kind):
    """A minute of the day, `07:30`. A window may wrap midnight: it ends before it starts."""

    optional: bool = False

    @property
    def describes(self) -> str:
        """See `Kind.describes`."""
        return "a time from 00:00 to 23:59"

    def check(self, value: object) -> None:
        """See `Kind.check`."""
        if not isinstance(value, time) or value.second or value.microsecond or value.tzinfo:
            raise ValueError

    def read(self, plain: object) -> object:
        """See `Kind.read`."""
        if isinstance(plain, str):
            hours, _, minutes = plain.partition(":")
            return time(int(hours), int(minutes))
        return plain

    def plain(self, value: Any) -> Plain:
        """See `Kind.plain`."""
        return f"{value:%H:%M}"


@dataclass(frozen=True, slots=True)
class Day(Kind):
    """A day of the calendar from `first` to `last`, `2026-11-27`."""

    first: date = date(1900, 1, 1)
    last: date = date(2099, 12, 31)
    optional: bool = False

    @property
    def describes(self) -> str:
        """See `Kind.describes`."""
        return f"a day from {self.first} to {self.last}"

    def check(self, value: object) -> None:
        """See `Kind.check`."""
        if type(value) is not date or not self.first <= value <= self.last:
            raise ValueError

    def read(self, plain: object) -> object:
        """See `Kind.read`."""
        return date.fromisoformat(plain) if isinstance(plain, str) else plain

    def plain(self, value: Any) -> Plain:
        """See `Kind.plain`."""
        return str(value)


@dataclass(frozen=True, slots=True)
class Words(Kind):
    """A text of at most `most_bytes` in UTF-8, without control characters."""

    most_bytes: int
    optional: bool = False

    @property
    def describes(self) -> str:
        """See `Kind.describes`."""
        return f"a text of at most {self.most_bytes} bytes in UTF-8, without control characters"

    def check(self, value: object) -> None:
        """See `Kind.check`."""
        if not isinstance(value, str) or len(value.encode("utf-8", "strict")) > self.most_bytes:
            raise ValueError
        if any(ord(letter) < 0x20 or ord(letter) == 0x7F for letter in value):
            raise ValueError

    def read(self, plain: object) -> object:
        """See `Kind.read`."""
        return plain


def is_code(value: object) -> bool:
    """Whether a name stands for a code that has none: `code_66`."""
    return code_number(value) is not None


def code_number(value: object) -> int | None:
    """The code that a name such as `code_66` stands for; None where it is no such name."""
    found = _CODE.fullmatch(value) if isinstance(value, str) else None
    return int(found[1]) if found and int(found[1]) <= 0xFF else None


def cut_to_bytes(text: str, most_bytes: int) -> str:
    """The longest beginning of a text that fits, cut at a character and never inside one."""
    kept = text.encode("utf-8", "replace")[:most_bytes].decode("utf-8", "ignore")
    # nothing may end between a character and what belongs to it: marks, selectors, joiners
    while kept and len(kept) < len(text) and _belongs_to_the_last(text[len(kept)], kept[-1]):
        kept = kept[:-1]
    return kept


def described(kind: Kind, default: Any, meaning: str) -> Any:  # a field of any type of value
    """Declare a field of a setting: its kind, the value where nobody said, and its meaning."""
    return field(default=default, metadata={"kind": kind, "meaning": meaning})


def _belongs_to_the_last(following: str, last: str) -> bool:
    import unicodedata

    joiner = "\N{ZERO WIDTH JOINER}"
    return joiner in (following, last) or unicodedata.category(following) in ("Mn", "Me")


def _split(plain: object) -> list[str] | None:
    if isinstance(plain, str):
        return [] if plain in ("", ABSENT) else [name.strip() for name in plain.split(",")]
    if isinstance(plain, Sequence) and all(isinstance(name, str) for name in plain):
        return list(plain)
    return None


def _whole_name(day: str) -> str:
    """A day from its first letters, three or more."""
    found = [name for name in WEEKDAYS if len(day) >= 3 and name.startswith(day)]
    return found[0] if found else day
