"""A dial drawn at a moment, as far as its layout says how (ido.md 9.2; what is drawn is V and P).

Seen in the captured dial's own preview picture (C): pictures with colours keep them, whatever
`fgcolor` says; digits stand side by side at their own width; without `align`, from the left.
P: masks take the widget's colour, a battery fills its bar from the left, glyph 10 parts month
and day, and glyphs of weekdays end in `_en_mon` (V from S10) or count from `_0`, Sunday.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from firmware_protocol.dials import DialContents, DialMoment, DialScene, Picture, PlacedPicture
from firmware_protocol.errors import DecodeError
from firmware_protocol.families.ido.dial_file import raw_picture
from firmware_protocol.families.ido.dial_file.layout import (
    HEART_RATE,
    Hand,
    Widget,
    read_layout,
)

MOST_DRAWN_PIXELS: Final = 32 << 20
LONGEST_HAND_PX: Final = 2048
WHITE_ARGB: Final = 0xFFFFFFFF
_PARTING: Final = "10"
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def compose(contents: DialContents, moment: DialMoment) -> DialScene:
    """Place background, hands, digits and bars.

    Raises:
        DecodeError: there is no background to draw on.
    """
    layout = read_layout(contents.layout)
    background = contents.pictures.get(layout.background)
    if background is None:
        raise DecodeError("the dial has no background picture")
    masks = {entry.name for entry in contents.entries if raw_picture.is_mask(entry.encoding)}
    placed = [PlacedPicture(background, 0, 0)]
    remarks: list[str] = []
    room = MOST_DRAWN_PIXELS
    for widget in layout.widgets:
        drawn = list(_drawn(widget, contents.pictures, masks, moment))
        if not drawn:
            remarks.append(f"{widget.kind or 'a widget'}: not drawn")
        for one in drawn:
            room -= one.pixels
            if room < 0:
                raise DecodeError("the layout draws more than any dial")
            placed.append(one)
    return DialScene(background.width_px, background.height_px, tuple(placed), tuple(remarks))


def _drawn(
    widget: Widget, pictures: Mapping[str, Picture], masks: set[str], moment: DialMoment
) -> Iterator[PlacedPicture]:
    """What one widget draws, lowest first; nothing where the file does not say how."""
    if widget.picture in pictures:
        picture = pictures[widget.picture]
        if widget.picture in masks:
            picture = _inked(picture, _first(widget.ground_argb, widget.ink_argb))
        yield PlacedPicture(picture, widget.left_px, widget.top_px)
    for hand in widget.hands:
        if hand.picture in pictures:
            turned = _turned(hand, pictures[hand.picture], moment)
            if turned.reach_px <= LONGEST_HAND_PX:
                yield turned
    if widget.widget == "progressbar" and widget.kind == "battery":
        yield from _bar(widget, moment)
    elif widget.font:
        names = [name for name in _glyphs(widget, moment, pictures) if name in pictures]
        yield from _line(widget, names, pictures, masks)


def _line(
    widget: Widget, names: list[str], pictures: Mapping[str, Picture], masks: set[str]
) -> Iterator[PlacedPicture]:
    """Glyphs side by side, aligned in the widget's box."""
    spare = widget.width_px - sum(pictures[name].width_px for name in names)
    left = widget.left_px + {"center": spare // 2, "right": spare}.get(widget.align, 0)
    for name in names:
        picture = pictures[name]
        if name in masks:
            picture = _inked(picture, _first(widget.ink_argb, widget.ground_argb))
        yield PlacedPicture(picture, left, widget.top_px)
        left += pictures[name].width_px


def _glyphs(widget: Widget, moment: DialMoment, pictures: Mapping[str, Picture]) -> list[str]:
    font = widget.font
    if widget.kind == "week":
        english = f"{font}_en_{_DAYS[moment.weekday]}"
        return [english if english in pictures else f"{font}_{(moment.weekday + 1) % 7}"]
    texts = {
        "hour": f"{moment.hour:02d}",
        "min": f"{moment.minute:02d}",
        "sec": f"{moment.second:02d}",
        "second": f"{moment.second:02d}",
        "day": f"{moment.day:02d}",
        "step": str(moment.steps),
        "battery": str(moment.battery_pct),
        HEART_RATE: str(moment.heart_rate_bpm),
    }
    glyphs = list(texts.get(widget.kind, ""))
    if widget.kind == "date":
        glyphs = [*f"{moment.month:02d}", _PARTING, *f"{moment.day:02d}"]
    elif widget.kind == "time":
        glyphs = [*f"{moment.hour:02d}", _PARTING, *f"{moment.minute:02d}"]
    return [f"{font}_{glyph}" for glyph in glyphs]


def _turned(hand: Hand, picture: Picture, moment: DialMoment) -> PlacedPicture:
    minutes = moment.minute + moment.second / 60
    turn_deg = {
        "hour": 30 * (moment.hour % 12 + minutes / 60),
        "minute": 6 * minutes,
        "second": 6.0 * moment.second,
    }[hand.name]
    return PlacedPicture(
        picture,
        hand.anchor_x_px - hand.pivot_x_px,
        hand.anchor_y_px - hand.pivot_y_px,
        turn_deg,
        hand.anchor_x_px,
        hand.anchor_y_px,
    )


def _bar(widget: Widget, moment: DialMoment) -> Iterator[PlacedPicture]:
    width = widget.width_px * moment.battery_pct // 100
    if width > 0 and widget.height_px > 0:
        pixel = _rgba(_first(widget.ink_argb, None))
        picture = Picture(width, widget.height_px, pixel * (width * widget.height_px))
        yield PlacedPicture(picture, widget.left_px, widget.top_px)


def _first(one: int | None, other: int | None) -> int:
    return next((colour for colour in (one, other) if colour is not None), WHITE_ARGB)


def _rgba(argb: int) -> bytes:
    return (argb << 8 & 0xFFFFFFFF | argb >> 24).to_bytes(4, "big")


def _inked(mask: Picture, argb: int) -> Picture:
    """A mask in a colour."""
    red, green, blue, most_alpha = _rgba(argb)
    rgba = bytearray(bytes((red, green, blue, 0)) * (len(mask.rgba) // 4))
    rgba[3::4] = mask.rgba[3::4].translate(bytes(a * most_alpha // 255 for a in range(256)))
    return Picture(mask.width_px, mask.height_px, bytes(rgba))
