"""The dials of a virtual watch: places, what lies in them, V3 06 and 08 (ido.md 6.5, 9.1).

Query, set and list are as captured; the refusals, and that a dial replaces one of its name, are
provisional. Reserving only tells whether there is a place.
"""

import struct
from dataclasses import dataclass, field
from typing import Final

BUILT_IN_STEM: Final = "local_"
BUILT_IN: Final = tuple(f"{BUILT_IN_STEM}{number}" for number in (1, 2, 3))
PLACES: Final = 4  # captured: three listed and one free, then four and none
LARGEST_KB: Final = 284
NAME_BYTES: Final = 30
_KB: Final = 1024
_QUERY, _SET, _DELETE, _RESERVE = range(4)
_OK, _NOT_FOUND, _NOT_SUPPORTED, _NO_SPACE = 0, 5, 6, 21


@dataclass(slots=True)
class DialShelf:
    """`loaded` holds expanded dials by the names under which they are shown."""

    loaded: dict[str, bytes] = field(default_factory=dict)
    shown: str = BUILT_IN[0]

    @property
    def names(self) -> tuple[str, ...]:
        """All there are, those that came with the watch first."""
        return (*BUILT_IN, *self.loaded)

    def has_place_for(self, name: str) -> bool:
        """Whether a dial would find a place, its own or a free one."""
        return name in self.loaded or len(self.names) < PLACES

    def has_room_for(self, size_bytes: int) -> bool:
        """Whether a dial of so many bytes is not too large."""
        return size_bytes <= LARGEST_KB * _KB

    def put(self, name: str, data: bytes) -> None:
        """Keep a dial and show it: the watch asked for its dial names it at once (C)."""
        self.loaded[name] = data
        self.shown = name

    def packed_list(self) -> bytes:
        """The payload of V3 06."""
        rows = b"".join(struct.pack("<BI", 1, len(name)) + name.encode() for name in self.names)
        count = len(self.names)
        return struct.pack("<BHHH", 1, count, PLACES - count, LARGEST_KB) + rows

    def answer(self, body: bytes) -> bytes | None:
        """V3 08; None for a payload of another length."""
        if len(body) != 1 + NAME_BYTES:
            return None
        operate, name = body[0], body[1:].rstrip(b"\x00").decode("ascii", "replace")
        status = self._carry_out(operate, name)
        return bytes((status, operate)) + self.shown.encode().ljust(NAME_BYTES, b"\x00")

    def _carry_out(self, operate: int, name: str) -> int:
        if operate == _QUERY:
            return _OK
        if operate == _RESERVE:
            return _OK if self.has_place_for(name) else _NO_SPACE
        if operate not in (_SET, _DELETE) or (operate == _DELETE and name in BUILT_IN):
            return _NOT_SUPPORTED
        if name not in self.names:
            return _NOT_FOUND
        if operate == _SET:
            self.shown = name
            return _OK
        del self.loaded[name]
        if self.shown == name:
            self.shown = BUILT_IN[0]
        return _OK
