"""What the exchange formats call the sports that samples name.

The numbers are those of the FIT profile's `sport` and `sub_sport`, the words those of GPX files. A
sport for which a format has no word gets the general one. Where several of our sports share a
number, the first is what the number means when it comes in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from firmware_protocol.sports import SPORT_NAMES


@dataclass(frozen=True, slots=True)
class FitSport:
    """A sport as FIT numbers it; both 0 mean any."""

    sport: int
    sub_sport: int = 0


ANY_SPORT: Final = FitSport(0)
_DANCES: Final = (
    "dance square_dance hip_hop ballet belly_dance cha_cha rumba jazz_dance paso_doble quickstep"
    " pole_dance waltz jive samba tango social_dance latin_dance folk_dance street_dance tap_dance"
    " other_dance breakdance modern_dance zumba"
)
_STRENGTH: Final = (
    "strength weightlifting functional_strength dumbbell barbell kettlebell horizontal_bar"
    " parallel_bars pull_ups push_ups sit_ups crunches squats lunge plank core core_abs ab_roller"
    " waist_training lower_body upper_body back_training battle_rope"
)
_NUMBERED: Final[Mapping[tuple[int, int], str]] = {
    (0, 0): "other",
    (1, 0): "run outdoor_run marathon",
    (1, 1): "treadmill",
    (1, 3): "trail_run",
    (1, 45): "indoor_run",
    (1, 59): "obstacle_race",
    (2, 0): "cycle outdoor_cycle",
    (2, 5): "spinning",
    (2, 6): "indoor_cycle roller_trainer",
    (2, 8): "mountain_bike",
    (2, 12): "handcycling",
    (2, 29): "bmx",
    (4, 14): "rower",
    (4, 15): "elliptical elliptical_machine",
    (4, 16): "stair_climbing stair_machine stepper step_training",
    (5, 0): "swim",
    (5, 17): "pool_swim",
    (5, 18): "open_water",
    (6, 0): "basketball",
    (7, 0): "football beach_soccer",
    (8, 0): "tennis beach_tennis",
    (9, 0): "american_football",
    (10, 0): "workout fitness gym free_training physical_training cross_training cross_fit",
    (10, 19): "flexibility stretching",
    (10, 20): _STRENGTH,
    (10, 26): "aerobic_fitness aerobics mixed_aerobics aerobic_combo kickboxing_aerobics",
    (10, 43): "yoga",
    (10, 44): "pilates",
    (11, 0): "walk outdoor_walk outdoor_walking",
    (11, 27): "indoor_walk walking_machine",
    (11, 31): "race_walking",
    (12, 0): "cross_country_ski",
    (13, 0): "alpine_ski ski",
    (14, 0): "snowboard",
    (15, 0): "rowing rowing_double",
    (16, 0): "climb",
    (17, 0): "hike",
    (19, 0): "dragon_boat",
    (20, 111): "paragliding",
    (22, 0): "motorcycle_race",
    (23, 0): "boating motorboat",
    (25, 0): "golf",
    (26, 0): "hang_glider",
    (27, 0): "riding equestrian horse_race",
    (28, 0): "hunting",
    (29, 0): "fishing",
    (30, 0): "roller_skating skating blading",
    (31, 0): "rock_climbing",
    (32, 0): "sailing",
    (33, 0): "ice_skating",
    (34, 0): "parachuting skydiving",
    (36, 0): "snowmobile",
    (37, 0): "paddleboard",
    (38, 0): "surfing",
    (40, 0): "stand_up_water_ski",
    (41, 0): "kayaking kayak",
    (42, 0): "rafting",
    (43, 0): "windsurfing",
    (47, 0): "boxing",
    (49, 0): "baseball",
    (53, 0): "diving",
    (56, 0): "shooting",
    (58, 0): "snow_sports",
    (62, 0): "hiit",
    (64, 84): "pickleball",
    (64, 94): "squash",
    (64, 95): "badminton",
    (64, 97): "table_tennis",
    (65, 0): "wheelchair",
    (71, 0): "cricket",
    (72, 0): "rugby",
    (73, 0): "hockey",
    (73, 91): "ice_hockey",
    (74, 0): "lacrosse",
    (75, 0): "volleyball volleyball_327 beach_volleyball",
    (79, 0): "archery",
    (80, 0): "mma",
    (81, 0): "racing",
    (82, 0): "snorkeling",
    (83, 0): _DANCES,
    (84, 0): "rope_skipping smart_rope",
    (88, 0): "canoeing",
}
_FIT_BY_NAME: Final = {
    name: FitSport(*number) for number, names in _NUMBERED.items() for name in names.split()
}
_NAME_BY_FIT: Final = {FitSport(*number): names.split()[0] for number, names in _NUMBERED.items()}
_ON_FOOT: Final = frozenset({1, 11, 17})
_WORDS: Final[Mapping[str, int]] = {
    "running": 1,
    "cycling": 2,
    "swimming": 5,
    "basketball": 6,
    "soccer": 7,
    "tennis": 8,
    "training": 10,
    "walking": 11,
    "cross_country_skiing": 12,
    "alpine_skiing": 13,
    "snowboarding": 14,
    "rowing": 15,
    "mountaineering": 16,
    "hiking": 17,
    "paddling": 19,
    "golf": 25,
    "horseback_riding": 27,
    "inline_skating": 30,
    "rock_climbing": 31,
    "sailing": 32,
    "ice_skating": 33,
    "stand_up_paddleboarding": 37,
    "surfing": 38,
    "kayaking": 41,
    "rafting": 42,
    "windsurfing": 43,
}
_OTHER_WORDS: Final[Mapping[str, str]] = {
    "biking": "cycling",
    "bike": "cycling",
    "ride": "cycling",
    "road_biking": "cycling",
    "skiing": "alpine_skiing",
    "walkrun": "walking",
}
_WORD_BY_FIT: Final = {number: word for word, number in _WORDS.items()}


def fit_sport(name: str) -> FitSport:
    """The numbers of a sport; those of any sport where FIT has none for it."""
    return _FIT_BY_NAME.get(name, ANY_SPORT)


def sport_of_fit(number: FitSport) -> str:
    """The name of a numbered sport, `sport_N` where it has none."""
    known = _NAME_BY_FIT.get(number) or _NAME_BY_FIT.get(FitSport(number.sport))
    return known or f"sport_{number.sport}"


def counts_steps(name: str) -> bool:
    """Whether a cadence is of steps, of which FIT and TCX count every second one."""
    return fit_sport(name).sport in _ON_FOOT


def sport_word(name: str) -> str | None:
    """The word that GPX files use for a sport, None where there is none."""
    return _WORD_BY_FIT.get(fit_sport(name).sport)


def sport_of_word(word: str) -> str:
    """The name of a sport that a file calls by a word of its own: ours, or a common one."""
    plain = "_".join(word.casefold().replace("-", " ").replace("_", " ").split())
    if plain in SPORT_NAMES:
        return plain
    return sport_of_fit(FitSport(_WORDS.get(plain, _WORDS.get(_OTHER_WORDS.get(plain, ""), 0))))
