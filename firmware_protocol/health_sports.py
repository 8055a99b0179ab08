"""What Apple Health and Health Connect call our sports.

The names are those of `HKWorkoutActivityType`, the numbers those of `ExerciseSessionRecord`'s
`EXERCISE_TYPE_*` (androidx.health.connect.client.records). A sport that has neither there is
`Other` and 0; its own name is written beside it. The first of the sports that share a name of
Apple's is what that name means when it comes in.
"""

from typing import Final

from firmware_protocol.sports import ksos_sport

APPLE_OTHER: Final = "Other"
HEALTH_CONNECT_OTHER: Final = 0
_WORDS: Final = """
Running 56: run outdoor_run trail_run marathon athletics
Running 57: indoor_run treadmill
Walking 79: walk outdoor_walk outdoor_walking indoor_walk walking_machine race_walking
Cycling 8: cycle outdoor_cycle bmx mountain_bike unicycle
Cycling 9: indoor_cycle spinning roller_trainer
HandCycling 0: handcycling
Hiking 37: hike
Climbing 51: rock_climbing
Climbing 0: climb
Swimming 0: swim
Swimming 74: pool_swim
Swimming 73: open_water
WaterPolo 80: water_polo
UnderwaterDiving 59: diving
WaterSports 0: snorkeling drift boating motorboat rafting
SurfingSports 72: surfing windsurfing
PaddleSports 46: canoeing kayaking paddleboard dragon_boat
Rowing 53: rowing rowing_double
Rowing 54: rower
Sailing 58: sailing
Elliptical 25: elliptical
JumpRope 0: rope_skipping smart_rope
StairClimbing 69: stepper stair_machine
Stairs 68: stair_climbing
StepTraining 0: step_training
Yoga 83: yoga
Pilates 48: pilates
Flexibility 71: stretching flexibility
TraditionalStrengthTraining 70: strength dumbbell barbell kettlebell lower_body upper_body gym
TraditionalStrengthTraining 81: weightlifting
FunctionalStrengthTraining 70: functional_strength
FunctionalStrengthTraining 13: push_ups pull_ups sit_ups plank squats burpees horizontal_bar
CoreTraining 13: core core_abs ab_roller crunches waist_training
HighIntensityIntervalTraining 36: hiit
CrossTraining 0: cross_training cross_fit
MixedCardio 0: aerobic_fitness aerobic_combo aerobics mixed_aerobics jumping_jacks
Cooldown 0: cooldown
PreparationAndRecovery 0: foam_roller relax
MindAndBody 0: mindful_sports
FitnessGaming 0: fitness_gaming
SkatingSports 39: ice_skating
SkatingSports 60: roller_skating skating blading
Snowboarding 62: snowboard
CrossCountrySkiing 61: cross_country_ski
DownhillSkiing 61: alpine_ski
SnowSports 61: ski
SnowSports 0: snow_sports sledding bobsleigh biathlon
Badminton 2: badminton
Baseball 4: baseball
Basketball 5: basketball
Bowling 0: bowling
Cricket 14: cricket
Curling 0: curling
Golf 32: golf
Handball 35: handball
Hockey 0: hockey
Hockey 38: ice_hockey
Lacrosse 0: lacrosse
Pickleball 0: pickleball
Rugby 55: rugby
Soccer 64: football
Softball 65: softball
Squash 66: squash
TableTennis 75: table_tennis
Tennis 76: tennis
Volleyball 78: volleyball volleyball_327
AmericanFootball 28: american_football
AustralianFootball 29: australian_football
Gymnastics 34: gymnastics group_gymnastics
CardioDance 16: dance square_dance hip_hop zumba jazz_dance belly_dance street_dance
SocialDance 16: social_dance latin_dance waltz tango rumba samba jive cha_cha quickstep paso_doble
SocialDance 16: ballet folk_dance pole_dance tap_dance modern_dance other_dance
Fencing 27: fencing
Boxing 11: boxing
Kickboxing 44: kickboxing muay_thai
MartialArts 44: martial_arts karate taekwondo judo aikido jeet_kune_do jiu_jitsu kendo mma sanda
TaiChi 44: tai_chi
Wrestling 0: wrestling sambo sumo
Archery 0: archery
Fishing 0: fishing
Hunting 0: hunting
EquestrianSports 0: riding horse_race
DiscSports 31: frisbee
Other 47: paragliding
Other 82: wheelchair
"""


def _words() -> dict[str, tuple[str, int]]:
    words: dict[str, tuple[str, int]] = {}
    for line in _WORDS.strip().splitlines():
        foreign, names = line.split(": ")
        apple, health_connect = foreign.split()
        words |= dict.fromkeys(names.split(), (apple, int(health_connect)))
    return words


FOREIGN_SPORTS: Final = _words()
_OURS: Final = {apple: name for name, (apple, _) in reversed(FOREIGN_SPORTS.items())}


def foreign_sport(name: str) -> tuple[str, int]:
    """Apple's name and Health Connect's number of a sport."""
    known = ksos_sport(name)
    own = name if known is None else known.name
    return FOREIGN_SPORTS.get(own, (APPLE_OTHER, HEALTH_CONNECT_OTHER))


def apple_sport(apple_name: str) -> str:
    """Our name of a sport by Apple's, `other` where it is none of ours."""
    return "other" if apple_name == APPLE_OTHER else _OURS.get(apple_name, "other")


def sport_title(name: str) -> str:
    """What a person reads: KS OS's title of a sport, or its name where it has none."""
    known = ksos_sport(name)
    return name if known is None else known.title
