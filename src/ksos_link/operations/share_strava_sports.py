"""What Strava calls the sports that samples name: its `sport_type`, and whether it was indoors.

The words are those of Strava's reference (SportType). The vendor's cloud sends every outdoor sport
that it has no word for as Run, walking among them, and skiing as RollerSki (domain 2.2, 9); here a
sport without a word is a Workout, and a run on a treadmill is a Run that is marked as indoors:
Strava's Virtual sports are those of a simulated world.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from firmware_protocol.sports import ksos_sport


@dataclass(frozen=True, slots=True)
class StravaSport:
    """A kind of activity at Strava, and the name that a new one gets."""

    sport_type: str
    title: str
    trainer: bool


_STRENGTH: Final = (
    "strength weightlifting functional_strength dumbbell barbell kettlebell horizontal_bar"
    " parallel_bars pull_ups push_ups sit_ups crunches squats lunge plank core core_abs ab_roller"
    " waist_training lower_body upper_body back_training battle_rope"
)
_DANCES: Final = (
    "dance square_dance hip_hop ballet belly_dance cha_cha rumba jazz_dance paso_doble quickstep"
    " pole_dance waltz jive samba tango social_dance latin_dance folk_dance street_dance tap_dance"
    " other_dance breakdance modern_dance zumba"
)
_NAMES: Final[Mapping[str, str]] = {
    "AlpineSki": "alpine_ski ski",
    "Badminton": "badminton",
    "Basketball": "basketball",
    "Canoeing": "canoeing",
    "Cricket": "cricket",
    "Crossfit": "cross_fit",
    "Dance": _DANCES,
    "Elliptical": "elliptical elliptical_machine",
    "Golf": "golf",
    "Handcycle": "handcycling",
    "HighIntensityIntervalTraining": "hiit",
    "Hike": "hike climb",
    "IceSkate": "ice_skating",
    "InlineSkate": "roller_skating blading skating",
    "Kayaking": "kayaking kayak",
    "MountainBikeRide": "mountain_bike",
    "NordicSki": "cross_country_ski",
    "Pickleball": "pickleball",
    "Pilates": "pilates",
    "Ride": "cycle outdoor_cycle bmx indoor_cycle spinning roller_trainer",
    "RockClimbing": "rock_climbing",
    "Rowing": "rowing rowing_double boating rower",
    "Run": "run outdoor_run marathon indoor_run treadmill obstacle_race",
    "Sail": "sailing",
    "Skateboard": "skateboard",
    "Snowboard": "snowboard",
    "Soccer": "football beach_soccer",
    "Squash": "squash",
    "StairStepper": "stepper stair_climbing stair_machine step_training",
    "StandUpPaddling": "paddleboard",
    "Surfing": "surfing",
    "Swim": "swim pool_swim open_water",
    "TableTennis": "table_tennis",
    "Tennis": "tennis beach_tennis",
    "TrailRun": "trail_run",
    "Volleyball": "volleyball volleyball_327 beach_volleyball",
    "Walk": "walk outdoor_walk outdoor_walking indoor_walk walking_machine race_walking walk_run",
    "WeightTraining": _STRENGTH,
    "Wheelchair": "wheelchair",
    "Windsurf": "windsurfing",
    "Yoga": "yoga",
}
_TYPES: Final = {name: kind for kind, names in _NAMES.items() for name in names.split()}
_ON_A_MACHINE: Final = (
    *("indoor_run", "treadmill", "indoor_walk", "walking_machine"),
    *("indoor_cycle", "spinning", "roller_trainer", "rower"),
)


def strava_sport(name: str) -> StravaSport:
    """What Strava calls a sport; a Workout where it has no word for it."""
    known = ksos_sport(name)
    title = known.title if known else name.replace("_", " ").capitalize()
    return StravaSport(_TYPES.get(name, "Workout"), title, name in _ON_A_MACHINE)
