"""What `iwf.json` says: the background, and what is drawn where on it (ido.md 9.2; C, V from S10).

Whatever stands there is only believed where it has the right type; a layout is a stranger's text.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from firmware_protocol.dials import MOST_SIDE_PX
from firmware_protocol.errors import DecodeError

LAYOUT_FILE: Final = "iwf.json"
FONT_FILE: Final = "font.json"
MOST_JSON_BYTES: Final = 256 << 10
MOST_WIDGETS: Final = 256
HANDS: Final = ("hour", "minute", "second")  # of a `watch` widget, lowest first
DIGITS: Final = "0123456789"
NUMBER_TYPES: Final = ("hour", "min", "sec", "second", "day", "date", "step", "battery")
HEART_RATE: Final = "heartrate"


@dataclass(frozen=True, slots=True)
class Hand:
    """A hand of a clock: its `pivot` pixel turns on the dial's `anchor`."""

    name: str
    picture: str
    pivot_x_px: int
    pivot_y_px: int
    anchor_x_px: int
    anchor_y_px: int


@dataclass(frozen=True, slots=True)
class Widget:
    """One thing drawn on the dial. `kind` is its type without blanks; colours are 0xAARRGGBB."""

    widget: str
    kind: str
    left_px: int
    top_px: int
    width_px: int
    height_px: int
    font: str
    align: str
    picture: str
    ink_argb: int | None
    ground_argb: int | None
    hands: tuple[Hand, ...] = ()

    @property
    def wants_digits(self) -> bool:
        """Whether it writes a number, in glyphs called by their digits."""
        return bool(self.font) and (self.kind in NUMBER_TYPES or self.kind == HEART_RATE)


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout, read. `source` is the JSON as it stands."""

    title: str = ""
    preview: str = ""
    background: str = ""
    widgets: tuple[Widget, ...] = ()
    source: Mapping[str, object] = field(default_factory=dict)

    def pictures(self) -> Iterator[tuple[str, str]]:
        """Every picture that is named, and what for."""
        if self.preview:
            yield "preview", self.preview
        if self.background:
            yield "background", self.background
        for widget in self.widgets:
            if widget.picture:
                yield widget.kind, widget.picture
            for hand in widget.hands:
                yield f"{hand.name} hand", hand.picture

    def fonts(self) -> tuple[str, ...]:
        """The fonts that widgets write in, each once."""
        return tuple(dict.fromkeys(widget.font for widget in self.widgets if widget.font))


def read_json(body: bytes) -> Mapping[str, object]:
    """Read a JSON object of a dial.

    Raises:
        DecodeError: it is none, or larger than any layout.
    """
    if len(body) > MOST_JSON_BYTES:
        raise DecodeError(f"more than {MOST_JSON_BYTES >> 10} KiB of JSON")
    try:
        value = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DecodeError("no JSON") from error
    if not isinstance(value, dict):
        raise DecodeError("no JSON object")
    return value


def read_layout(source: Mapping[str, object]) -> Layout:
    """Take what can be understood out of a layout."""
    items = source.get("item")
    widgets = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return Layout(
        _text(source, "name"),
        _text(source, "preview"),
        _text(source, "bkground"),
        tuple(_widget(item) for item in widgets[:MOST_WIDGETS]),
        source,
    )


def _widget(item: Mapping[str, object]) -> Widget:
    widget = _text(item, "widget")
    return Widget(
        widget=widget,
        kind="".join(_text(item, "type").lower().replace("_", " ").split()),
        left_px=_pixels(item, "x"),
        top_px=_pixels(item, "y"),
        width_px=_pixels(item, "w"),
        height_px=_pixels(item, "h"),
        font=_text(item, "font"),
        align=_text(item, "align"),
        picture=_text(item, "bg"),
        ink_argb=_colour(item, "fgcolor"),
        ground_argb=_colour(item, "bgcolor"),
        hands=tuple(_hands(item)) if widget == "watch" else (),
    )


def _hands(item: Mapping[str, object]) -> Iterator[Hand]:
    for name in HANDS:
        if picture := _text(item, name):
            ends = ("centerx", "centery", "anchorx", "anchory")
            yield Hand(name, picture, *(_pixels(item, f"{name}{end}") for end in ends))


def _text(item: Mapping[str, object], key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""


def _pixels(item: Mapping[str, object], key: str) -> int:
    """A number of pixels, as near as it can be: a captured one is ten times the screen."""
    value = item.get(key)
    if not isinstance(value, (int, float)):
        return 0
    return int(max(-MOST_SIDE_PX, min(MOST_SIDE_PX, value)))


def _colour(item: Mapping[str, object], key: str) -> int | None:
    """A colour as "0xAARRGGBB"; a plain number stands in the captured dial where none is meant."""
    text = _text(item, key)
    digits = text[2:] if text[:2] in ("0x", "0X") else ""
    if len(digits) != 8 or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
        return None
    return int(digits, 16)
