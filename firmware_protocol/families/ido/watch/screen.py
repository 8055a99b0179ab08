"""What a virtual IDO watch shows its wearer, as plain lines; read with code of its own.

Only for people and tests: nothing here reaches the wire.
"""

from dataclasses import dataclass, field
from typing import Final

_APPS: Final = {  # 8.4, those that a person is likely to try; others by their number
    0x01: "sms",
    0x02: "email",
    0x03: "wechat",
    0x04: "qq",
    0x06: "facebook",
    0x07: "twitter",
    0x08: "whatsapp",
    0x09: "messenger",
    0x0A: "instagram",
    0x0C: "calendar",
    0x0D: "skype",
    0x16: "snapchat",
    0x17: "telegram",
    0x18: "other",
    0x21: "slack",
    0x50: "general",
}
_PICTURES: Final = {0: "other", 1: "sunny", 2: "cloudy", 3: "overcast", 4: "rain", 7: "snow"}
_LANGUAGES: Final = {1: "Chinese", 2: "English", 3: "French", 4: "German", 5: "Italian"}
_ON: Final = 0xAA
_PIECE_BYTES: Final = 16


@dataclass(slots=True)
class Screen:
    """Lines that appeared, and the notice that is being received."""

    lines: list[str] = field(default_factory=list)
    _pieces: list[bytes] = field(default_factory=list)
    _key: int = 0

    def show(self, line: str) -> None:
        """Something appears."""
        self.lines.append(line)

    def take(self) -> list[str]:
        """Take what appeared."""
        lines, self.lines = self.lines, []
        return lines

    def take_piece(self, frame: bytes) -> None:
        """A piece of a notice or a call; out of order it is forgotten (4.5)."""
        key, total, serial = frame[1], frame[2], frame[3]
        if serial == 1:
            self._pieces, self._key = [], key
        if key != self._key or serial != len(self._pieces) + 1:
            if not (self._pieces and frame[4:] == self._pieces[-1]):  # the same once more
                self._pieces = []
            return
        self._pieces.append(frame[4 : 4 + _PIECE_BYTES])
        if serial == total:
            block = b"".join(self._pieces)
            self.show(_notice(block) if key == 0x03 else _call(block))

    def show_set(self, key: int, body: bytes) -> None:
        """A setting arrived."""
        self.show(_set_line(key, body))

    def show_weather(self, body: bytes) -> None:
        """0A 01 (4.8)."""
        picture, now, high, low = body[:4]
        days = (len(body) - 7) // 3
        self.show(
            f"weather: {_PICTURES.get(picture, f'picture {picture:#04x}')}, {_degrees(now)},"
            f" {_degrees(low)} to {_degrees(high)}, {days} more days"
        )


def _notice(block: bytes) -> str:
    if len(block) < 4:
        return "notice: empty"
    kind, *sizes = block[:4]
    texts = _texts(block[4:], (sizes[1], sizes[2], sizes[0]))  # phone, title, text
    name = _APPS.get(kind, f"app {kind:#04x}")
    return f"notice {name}: " + " | ".join(text for text in texts if text)


def _call(block: bytes) -> str:
    texts = _texts(block[2:], (block[0], block[1]))
    return "call: " + " ".join(text for text in texts if text)


def _texts(data: bytes, sizes: tuple[int, ...]) -> list[str]:
    texts, at = [], 0
    for size in sizes:
        texts.append(data[at : at + size].decode("utf-8", "replace"))
        at += size
    return texts


def _set_line(key: int, body: bytes) -> str:
    match key:
        case 0x29:
            return f"do not disturb {_switch(body[0])}, {_time(body, 1)} to {_time(body, 3)}"
        case 0x32:
            return f"brightness {body[0]} %"
        case 0x28:
            return f"raise to wake {_switch(body[0])}"
        case 0x11:
            clock = "12 hours" if body[5] == 2 else "24 hours"
            return f"language {_LANGUAGES.get(body[4], f'number {body[4]}')}, {clock}"
        case 0x10:
            return "wearer set"
        case 0x03:
            return f"goal {int.from_bytes(body[1:5], 'little')}"
    return f"setting 03 {key:02X}"


def _switch(byte: int) -> str:
    return "on" if byte == _ON else "off"


def _time(body: bytes, at: int) -> str:
    return f"{body[at]:02d}:{body[at + 1]:02d}"


def _degrees(raw: int) -> str:
    return str(raw if raw <= 100 else 100 - raw)
