"""Tables of files that people write: unknown fields refused, all faults at once, with places."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

from firmware_protocol.errors import DecodeError
from firmware_protocol.images.image import shown
from firmware_protocol.versions import Version

_MOST_LETTERS: Final = 200

Kept = TypeVar("Kept", bound=StrEnum)
Kind = TypeVar("Kind")


class StrictTable:
    """A table of a file whose faults are all collected, with their places.

    A field that is wrong or missing reads as something harmless: use nothing of the file where
    there was a fault. `place` stands before the names of this table's fields.
    """

    def __init__(self, values: Mapping[str, Any], place: str, faults: list[str]) -> None:
        self._values = values
        self._place = place
        self._known: dict[str, None] = {}  # in the order in which they were asked for
        self.faults = faults

    def fault(self, name: str, text: str) -> None:
        """Note what is wrong with a field."""
        self.faults.append(f"{self._place}{name}: {text}")

    def has(self, name: str) -> bool:
        """Whether a field is there; either way it is known from now on."""
        self._known[name] = None
        return name in self._values

    def is_list(self, name: str) -> bool:
        """Whether a field is there and is a list."""
        return isinstance(self._values.get(name), list)

    def text(self, name: str, *, needed: bool = False, letters: int = _MOST_LETTERS) -> str:
        """A text; empty where there is none."""
        value = self._get(name, str, "a text", needed=needed) or ""
        if needed and name in self._values and not value.strip():
            self.fault(name, "is empty")
        if len(value) > letters:
            self.fault(name, f"is longer than {letters} letters")
        return value

    def number(self, name: str, least: int, most: int, *, needed: bool = False) -> int | None:
        """A whole number of a range; None where there is none."""
        value = self._get(name, int, "a whole number", needed=needed)
        if value is not None and not least <= value <= most:
            self.fault(name, f"is not from {least} to {most}")
        return value

    def seconds(self, name: str, least: float, most: float) -> float | None:
        """A number of seconds, whole or not; None where there is none."""
        value = self._values.get(name)
        kind = int if isinstance(value, int) else float
        seconds = self._get(name, kind, "a number of seconds")
        if seconds is not None and not least <= seconds <= most:
            self.fault(name, f"is not from {least:g} to {most:g} s")
        return seconds

    def flag(self, name: str) -> bool:
        """A switch; off where there is none."""
        return self._get(name, bool, "true or false") or False

    def choice(self, name: str, kind: type[Kept]) -> Kept:
        """One of the words of `kind`; it must be there."""
        value = self._get(name, str, "a text", needed=True)
        if value is not None and value not in set(kind):
            self.fault(name, f"{shown(value)!r} is none of {', '.join(kind)}")
        return kind(value) if value in set(kind) else next(iter(kind))

    def version(self, name: str, *, needed: bool = False) -> Version | None:
        """A version in numbers; None where there is none."""
        text = self.text(name, needed=needed)
        return self.read_version(name, text) if text else None

    def read_version(self, name: str, text: object) -> Version | None:
        """Read a text, found at `name`, as a version."""
        try:
            return Version.parse(text if isinstance(text, str) else "")
        except DecodeError as error:
            self.fault(name, str(error) if isinstance(text, str) else "is no text")
            return None

    def items(self, name: str, *, needed: bool = False) -> list[Any]:
        """A list; empty where there is none."""
        value: list[Any] | None = self._get(name, list, "a list", needed=needed)
        if value is not None and needed and not value:
            self.fault(name, "is empty")
        return value or []

    def table(self, name: str) -> "StrictTable | None":
        """A table in this one; None where there is none."""
        value: dict[str, Any] | None = self._get(name, dict, "a table")
        return None if value is None else StrictTable(value, f"{self._place}{name}.", self.faults)

    def tables(self, name: str, *, needed: bool = False) -> "list[StrictTable]":
        """The tables of a list, counted from 1 in their places; none where there is none."""
        found: list[StrictTable] = []
        for number, values in enumerate(self.items(name, needed=needed), start=1):
            place = f"{name}[{number}]"
            if isinstance(values, dict):
                found.append(StrictTable(values, f"{self._place}{place}.", self.faults))
            else:
                self.fault(place, "is not a table")
        return found

    def finish(self) -> None:
        """Refuse what nobody asked for."""
        for name in self._values:
            if name not in self._known:
                self.fault(shown(name), f"is no field (known: {', '.join(self._known)})")

    def _get(self, name: str, kind: type[Kind], words: str, *, needed: bool = False) -> Kind | None:
        if not self.has(name):
            if needed:
                self.fault(name, "is missing")
            return None
        value = self._values[name]
        if isinstance(value, kind) and type(value) is kind:  # true is no number here
            return value
        self.fault(name, f"is not {words}")
        return None
