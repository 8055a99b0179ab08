"""What a watch tells, as a line for a person."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from ksos_link.cli import render

if TYPE_CHECKING:
    from firmware_protocol.told import Told


def told_line(event: "Told") -> str:
    """The name of an event and what it says, in one line."""
    from firmware_protocol.told import EVENT_NAMES

    words = []
    for name, value in asdict(event).items():
        if isinstance(value, dict):
            words += [f"{key} {each}" for key, each in value.items()]
        elif value is not None:
            words.append(f"{name} {_word(value)}")
    text = ", ".join(words).replace("what ", "", 1) if words else ""
    return render.cell_text(f"{EVENT_NAMES[type(event)]:<14}  {text}".rstrip())


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
