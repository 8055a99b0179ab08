"""Elements of HTML and SVG as text: all that is not an element itself is escaped."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Final

_EMPTY: Final = frozenset({"meta", "rect", "line", "circle", "path", "polyline", "polygon"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def tag(
    name: str, attributes: Mapping[str, str | float] | None = None, *inside: str | None
) -> Markup:
    """An element. Numbers of attributes have at most one decimal; None inside is nothing."""
    said = "".join(f' {key}="{escape(_text(value))}"' for key, value in (attributes or {}).items())
    if name in _EMPTY and not inside:
        return Markup(f"<{name}{said}/>" if name != "meta" else f"<{name}{said}>")
    return Markup(f"<{name}{said}>{together(inside)}</{name}>")


def together(parts: Iterable[str | None]) -> Markup:
    """Elements and texts one after the other."""
    return Markup(
        "".join(
            part if isinstance(part, Markup) else escape(part) for part in parts if part is not None
        )
    )


def _text(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.1f}".removesuffix(".0")
