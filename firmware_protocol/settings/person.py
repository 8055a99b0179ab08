"""Settings about the wearer: body, goals, units, language, cycle."""

from dataclasses import dataclass
from datetime import date, time
from typing import ClassVar

from firmware_protocol.settings.kinds import Choice, Day, Number, Switch, TimeOfDay, described
from firmware_protocol.settings.setting import Setting

LANGUAGES = (
    *("chinese", "english", "french", "german", "italian", "spanish", "japanese", "polish"),
    *("czech", "romanian", "lithuanian", "dutch", "slovenian", "hungarian", "russian"),
    *("ukrainian", "slovak", "danish", "croatian", "indonesian", "korean", "hindi"),
    *("portuguese", "turkish", "thai", "vietnamese", "burmese", "filipino"),
    *("traditional_chinese", "greek", "arabic", "swedish", "finnish", "persian", "norwegian"),
    *("malay", "brazilian_portuguese", "bengali", "khmer"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wearer(Setting):
    """Who wears the watch; its algorithms for energy, distance and zones need it."""

    NAME: ClassVar = "wearer"
    MEANING: ClassVar = "height, weight, birth date, sex and stride of who wears the watch"

    height_cm: int = described(Number(50, 250), 175, "body height")
    weight_kg: float = described(Number(10, 300, digits=2), 70.0, "body weight")
    birth_date: date = described(
        Day(date(1900, 1, 1), date(2099, 12, 31)), date(1990, 1, 1), "day of birth"
    )
    sex: str = described(Choice(("male", "female")), "male", "as the watch's formulas take it")
    walk_stride_cm: int | None = described(
        Number(20, 200, optional=True),
        None,
        "length of a walking stride; none lets the watch guess",
    )
    run_stride_cm: int | None = described(
        Number(20, 250, optional=True),
        None,
        "length of a running stride; none lets the watch guess",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal(Setting):
    """What the wearer wants to reach."""

    NAME: ClassVar = "goal"
    MEANING: ClassVar = "daily goals: steps, energy, distance, sleep, active time"

    steps: int = described(Number(100, 200_000), 10_000, "steps a day")
    energy_kcal: int = described(Number(0, 20_000), 500, "active energy a day")
    distance_m: int = described(Number(0, 300_000), 5000, "distance a day")
    active_min: int = described(Number(0, 1092), 30, "minutes of medium or hard activity a day")
    sleep_min: int = described(Number(0, 1439), 0, "sleep a night; 0 for no goal")
    hourly_steps: int = described(Number(0, 10_000), 100, "steps in each hour")


@dataclass(frozen=True, slots=True, kw_only=True)
class Units(Setting):
    """How the watch writes numbers."""

    NAME: ClassVar = "unit"
    MEANING: ClassVar = "metric or imperial, temperature, first weekday, 12 or 24 hours"

    distance: str = described(Choice(("km", "mile")), "km", "distances")
    weight: str = described(Choice(("kg", "lb")), "kg", "weights")
    height: str = described(Choice(("cm", "inch")), "cm", "body heights")
    stride: str = described(Choice(("cm", "inch")), "cm", "strides")
    temperature: str = described(Choice(("celsius", "fahrenheit")), "celsius", "temperatures")
    energy: str = described(Choice(("kcal", "cal", "kj")), "kcal", "energy")
    pool: str = described(Choice(("m", "yard")), "m", "length of a pool")
    cycling: str = described(Choice(("km", "mile")), "km", "distances by bicycle")
    walk_and_run: str = described(Choice(("km", "mile")), "km", "distances on foot")
    clock: str = described(Choice(("24_h", "12_h")), "24_h", "how the time is written")
    week_start: str = described(
        Choice(("monday", "sunday", "saturday")), "monday", "first day of the week"
    )
    stride_by_gps: bool = described(Switch(), False, "the watch corrects the stride by GPS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Language(Setting):
    """The language of the watch."""

    NAME: ClassVar = "language"
    MEANING: ClassVar = "the language that the watch shows"

    language: str = described(Choice(LANGUAGES), "english", "name of the language")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle(Setting):
    """Menstrual cycle and its reminders: data of special protection, off unless asked for."""

    NAME: ClassVar = "cycle"
    MEANING: ClassVar = "menstrual cycle and its reminders"

    on: bool = described(Switch(), False, "whether the watch follows the cycle")
    period_days: int = described(Number(1, 20), 5, "length of a period")
    cycle_days: int = described(Number(15, 100), 28, "from one period's first day to the next")
    last_start: date | None = described(
        Day(date(2000, 1, 1), optional=True), None, "first day of the last period"
    )
    ovulation_days: int = described(Number(1, 50), 14, "from ovulation to the next period")
    fertile_before_days: int = described(Number(0, 20), 5, "fertile days before ovulation")
    fertile_after_days: int = described(Number(0, 20), 5, "fertile days after ovulation")
    remind: bool = described(Switch(), False, "whether the watch reminds")
    remind_at: time = described(TimeOfDay(), time(8), "when it reminds")
    period_start_ahead_days: int = described(Number(0, 20), 3, "days before a period begins")
    period_end_ahead_days: int = described(Number(0, 20), 3, "days before a period ends")
    ovulation_ahead_days: int = described(Number(0, 20), 3, "days before ovulation")
    fertile_start_ahead_days: int = described(Number(0, 20), 3, "days before the fertile days")
    fertile_end_ahead_days: int = described(Number(0, 20), 3, "days before their end")

    def check_together(self) -> None:
        """A cycle that is followed needs a beginning, and room for its parts."""
        if self.on and self.last_start is None:
            raise self.refuse("last_start is needed while it is on")
        if self.period_days >= self.cycle_days or self.ovulation_days >= self.cycle_days:
            raise self.refuse("cycle_days must be longer than period_days and ovulation_days")
