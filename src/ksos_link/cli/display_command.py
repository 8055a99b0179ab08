"""`ksos display`: the screen, the wrist, and the key."""

from typing import Final

from firmware_protocol.settings import (
    Brightness,
    Orientation,
    RaiseToWake,
    Setting,
    Shortcut,
    Wrist,
)
from ksos_link.cli.command import open_app
from ksos_link.cli.setting_verbs import add_set_several, add_show_several

_EXAMPLES: Final[dict[type[Setting], str]] = {
    Brightness: "--level-pct 60 --screen-on-s 8",
    RaiseToWake: "--on on --start 7:00 --end 22:00",
    Orientation: "--orientation upside-down",
    Wrist: "--wrist right",
    Shortcut: "--shortcut camera",
}
DISPLAY: Final[dict[str, type[Setting]]] = {kind.NAME: kind for kind in _EXAMPLES}

app = open_app("Screen and wrist: show, set.")
add_show_several(
    app,
    DISPLAY,
    "brightness, raise to wake, orientation, wrist and shortcut",
    "ksos display show",
    "ksos display show brightness",
)
add_set_several(
    app,
    DISPLAY,
    "Set brightness, raise to wake, orientation, wrist, shortcut.",
    "ksos display set",
    {kind.NAME: example for kind, example in _EXAMPLES.items()},
)
