"""Settings about the screen, the wrist and the keys."""

from dataclasses import dataclass
from datetime import time
from typing import ClassVar

from firmware_protocol.settings.kinds import Choice, Number, Switch, TimeOfDay, described
from firmware_protocol.settings.setting import Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Brightness(Setting):
    """How bright the screen is, by day and by night, and how long it stays on."""

    NAME: ClassVar = "brightness"
    MEANING: ClassVar = "brightness by day and night, and how long the screen stays on"

    level_pct: int = described(Number(0, 100), 40, "brightness")
    mode: str = described(
        Choice(("level", "light_sensor", "ignore_level"), open_ended=True),
        "level",
        "by level_pct or by the light around",
    )
    night: str = described(
        Choice(("default", "off", "automatic", "window"), open_ended=True),
        "off",
        "darker at night: off, automatic, or in the window",
    )
    start: time = described(TimeOfDay(), time(19), "when the night begins")
    end: time = described(TimeOfDay(), time(6), "when it ends")
    night_level_pct: int = described(Number(0, 100), 0, "brightness at night; 0 leaves it")
    screen_on_s: int = described(
        Number(0, 255), 5, "seconds until the screen goes dark; 0 leaves it"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseToWake(Setting):
    """Whether raising the wrist lights the screen."""

    NAME: ClassVar = "raise-to-wake"
    MEANING: ClassVar = "raising the wrist lights the screen"

    on: bool = described(Switch(), True, "whether it does")
    show_s: int = described(Number(1, 255), 5, "seconds that the screen stays lit")
    start: time = described(TimeOfDay(), time(0), "from")
    end: time = described(TimeOfDay(), time(23, 59), "to; 23:59 from 00:00 is all day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Orientation(Setting):
    """Which way up the screen is."""

    NAME: ClassVar = "orientation"
    MEANING: ClassVar = "which way up the screen is"

    orientation: str = described(
        Choice(("default", "landscape", "portrait", "upside_down")), "default", "which way up"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrist(Setting):
    """Which wrist the watch is on."""

    NAME: ClassVar = "wrist"
    MEANING: ClassVar = "which wrist the watch is on"

    wrist: str = described(Choice(("left", "right")), "left", "left or right")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut(Setting):
    """What the watch's shortcut key opens."""

    NAME: ClassVar = "shortcut"
    MEANING: ClassVar = "what the watch's shortcut key opens"

    shortcut: str = described(Choice(("camera", "sport", "dnd")), "sport", "what it opens")


@dataclass(frozen=True, slots=True, kw_only=True)
class MusicControl(Setting):
    """Whether the watch controls this machine's music."""

    NAME: ClassVar = "music"
    MEANING: ClassVar = "whether the watch has keys for music"

    on: bool = described(Switch(), False, "whether it has them")
    song_info: bool = described(Switch(), False, "whether it shows title and artist")


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherDisplay(Setting):
    """Whether the watch shows the weather."""

    NAME: ClassVar = "weather"
    MEANING: ClassVar = "whether the watch shows the weather that it is sent"

    on: bool = described(Switch(), False, "whether it does")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sos(Setting):
    """Whether the watch can call for help."""

    NAME: ClassVar = "sos"
    MEANING: ClassVar = "one key that calls for help through this machine"

    on: bool = described(Switch(), False, "whether it does")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneVolume(Setting):
    """The volume that the watch shows for this machine."""

    NAME: ClassVar = "phone-volume"
    MEANING: ClassVar = "the volume of this machine, as the watch shows it"

    total: int = described(Number(1, 255), 16, "steps of volume that there are")
    current: int = described(Number(0, 255), 8, "the step it is at")

    def check_together(self) -> None:
        """The volume is within its steps."""
        if self.current > self.total:
            raise self.refuse("current must not be above total")
