"""Neutral values as the names that the IDO messages have for them, and back (ido.md 3.3, 3.4)."""

from collections.abc import Sequence
from datetime import time
from typing import Final, TypeVar

from firmware_protocol.families.ido.settings.way import Known
from firmware_protocol.settings import Setting
from firmware_protocol.settings.kinds import WEEKDAYS, code_number

SettingType = TypeVar("SettingType", bound=Setting)
MASTER: Final = "switch"  # bit 0 of a repeat mask, where it has one


def switch(on: bool) -> str:
    """A switch's name on the wire; which byte it is depends on the message (3.3)."""
    return "on" if on else "off"


def code(name: str) -> str | int:
    """A name as a message takes it: `code_N` is the number that has no name."""
    number = code_number(name)
    return name if number is None else number


def is_on(value: object) -> object:
    """A switch as a truth; what is neither stays as it is, for whoever reads it leniently."""
    return {"on": True, "off": False}.get(value, value) if isinstance(value, str) else value


def clock(at: time) -> str:
    """A time of the day as a message writes it."""
    return f"{at:%H:%M}"


def repeat(days: Sequence[str], *, master: bool = False) -> list[str]:
    """A repeat mask (3.4)."""
    return [*([MASTER] if master else []), *(day for day in WEEKDAYS if day in days)]


def days_of(mask: object) -> object:
    """The days of a repeat mask."""
    if not isinstance(mask, list):
        return mask
    return [day for day in WEEKDAYS if day in mask]


def master_of(mask: object) -> bool:
    """Bit 0 of a repeat mask."""
    return isinstance(mask, list) and MASTER in mask


def known_or_usual(known: Known, kind: type[SettingType]) -> SettingType:
    """Another setting of this watch as it was sent, or its usual value."""
    found = known.get(kind)
    return found if isinstance(found, kind) else kind()
