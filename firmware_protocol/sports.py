"""Sports by the names that samples, settings and exports use, and the 176 of KS OS.

Ids, titles, groups and the Strava types that the vendor names stand in the domain note, section 2,
and its `sports.csv`. A family maps its codes to the same names; a code without a name is `code_N`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Sport:
    """A sport of KS OS. `outdoor` tells whether a recorded route makes sense."""

    ksos_id: int
    name: str
    title: str
    group: str
    outdoor: bool
    strava_type: str | None = None


_KSOS: Final = (
    Sport(0, "other", "Others", "other", False),
    Sport(100, "indoor_run", "Indoor Run", "indoor", False, "VirtualRun"),
    Sport(101, "indoor_walk", "Indoor Walk", "indoor", False),
    Sport(102, "indoor_cycle", "Indoor Cycling", "indoor", False, "VirtualRide"),
    Sport(103, "rope_skipping", "Rope Skipping", "indoor", False),
    Sport(104, "stretching", "Stretching", "indoor", False),
    Sport(105, "elliptical", "Elliptical", "indoor", False),
    Sport(106, "rower", "Rowing Machine", "indoor", False),
    Sport(107, "ice_skating", "Ice Skating", "indoor", False),
    Sport(108, "ab_roller", "Ab Roller", "indoor", False),
    Sport(109, "darts", "Darts", "indoor", False),
    Sport(110, "weightlifting", "Weight Training", "indoor", False, "WeightTraining"),
    Sport(111, "walking_machine", "Walking Machine", "indoor", False),
    Sport(112, "stepper", "Stepper", "indoor", False),
    Sport(113, "sit_ups", "Sit-ups", "indoor", False),
    Sport(114, "pilates", "Pilates", "indoor", False, "Pilates"),
    Sport(115, "hula_hoop", "Hula Hoop", "indoor", False),
    Sport(116, "strength", "Strength Training", "indoor", False, "Workout"),
    Sport(117, "yoga", "Yoga", "indoor", False, "Yoga"),
    Sport(118, "archery", "Archery", "indoor", False),
    Sport(119, "core", "Core Training", "indoor", False),
    Sport(120, "dumbbell", "Dumbbell", "indoor", False),
    Sport(121, "workout", "Workout", "indoor", False),
    Sport(122, "hiit", "High-intensity Interval Training (HIIT)", "indoor", False),
    Sport(123, "horizontal_bar", "Horizontal bar", "indoor", False),
    Sport(124, "pool_swim", "Pool Swimming", "indoor", False, "Swim"),
    Sport(125, "parallel_bars", "Parallel bars", "indoor", False),
    Sport(126, "spinning", "Spinning", "indoor", False),
    Sport(127, "stair_climbing", "Stair Climbing", "indoor", False),
    Sport(128, "jumping_jacks", "Jumping jack", "indoor", False),
    Sport(129, "cross_training", "Cross Training", "indoor", False),
    Sport(130, "aerobic_fitness", "Aerobic Training", "indoor", False),
    Sport(131, "free_training", "Free Training", "indoor", False),
    Sport(132, "vo2_max_test", "VO2 max Test", "indoor", False),
    Sport(133, "waist_training", "Waist Training", "indoor", False),
    Sport(134, "cross_fit", "Cross Fit", "indoor", False),
    Sport(135, "functional_strength", "Functional Training", "indoor", False),
    Sport(136, "physical_training", "Physical Training", "indoor", False),
    Sport(137, "flexibility", "Flexibility", "indoor", False),
    Sport(138, "aerobic_combo", "Aerobic Combo", "indoor", False),
    Sport(139, "mindful_sports", "Mindful Sports", "indoor", False),
    Sport(140, "fitness_gaming", "Fitness Gaming", "indoor", False),
    Sport(141, "foam_roller", "Foam Roller", "indoor", False),
    Sport(142, "treadmill", "Treadmill", "indoor", False),
    Sport(143, "shooting", "Shooting", "indoor", False),
    Sport(144, "trampoline", "Trampolining", "indoor", False),
    Sport(145, "diving", "Diving", "indoor", False),
    Sport(146, "pull_ups", "Pull-up", "indoor", False),
    Sport(147, "push_ups", "Push-up", "indoor", False),
    Sport(148, "plank", "Planking", "indoor", False),
    Sport(149, "high_jump", "High Jump", "indoor", False),
    Sport(150, "long_jump", "Long Jump", "indoor", False),
    Sport(151, "cooldown", "Cooldown", "indoor", False),
    Sport(152, "leisure_sport", "Leisure Sport", "indoor", False),
    Sport(200, "outdoor_run", "Outdoor Run", "outdoor", True, "Run"),
    Sport(201, "outdoor_walk", "Outdoor Walk", "outdoor", True),
    Sport(202, "outdoor_cycle", "Outdoor Cycling", "outdoor", True, "Ride"),
    Sport(203, "climb", "Mountaineering", "outdoor", True),
    Sport(204, "hike", "Hiking", "outdoor", True, "Hike"),
    Sport(205, "canoeing", "Canoeing", "outdoor", True),
    Sport(206, "skateboard", "Skateboarding", "outdoor", True),
    Sport(207, "marathon", "Marathon", "outdoor", True),
    Sport(208, "bmx", "BMX", "outdoor", True),
    Sport(209, "surfing", "Surfing", "outdoor", True, "Surfing"),
    Sport(210, "race_walking", "Race Walking", "outdoor", True, "Run"),
    Sport(211, "unicycle", "Unicycle", "outdoor", True),
    Sport(212, "roller_skating", "Roller Skating", "outdoor", True),
    Sport(213, "fishing", "Fishing", "outdoor", True),
    Sport(214, "hunting", "Hunting", "outdoor", True),
    Sport(215, "rock_climbing", "Rock Climbing", "outdoor", True, "RockClimbing"),
    Sport(216, "trail_run", "Trail run", "outdoor", True),
    Sport(217, "open_water", "Open Water Swim", "outdoor", True),
    Sport(218, "riding", "Horse Riding", "outdoor", True),
    Sport(219, "outdoor_walking", "Outdoor Walking", "outdoor", True),
    Sport(220, "athletics", "Athletics", "outdoor", True),
    Sport(221, "snorkeling", "Snorkeling", "outdoor", True),
    Sport(300, "water_polo", "Water Polo", "ball", False),
    Sport(301, "badminton", "Badminton", "ball", False, "Badminton"),
    Sport(302, "football", "Soccer", "ball", True, "Soccer"),
    Sport(303, "table_tennis", "Table Tennis", "ball", False, "TableTennis"),
    Sport(304, "rugby", "Rugby", "ball", False),
    Sport(305, "tennis", "Tennis", "ball", True, "Tennis"),
    Sport(306, "volleyball", "Volleyball", "ball", False),
    Sport(307, "cricket", "Cricket", "ball", False),
    Sport(308, "golf", "Golf", "ball", True, "Golf"),
    Sport(309, "baseball", "Baseball", "ball", False),
    Sport(310, "billiards", "Billiard", "ball", False),
    Sport(311, "basketball", "Basketball", "ball", False),
    Sport(312, "shuttlecock", "Shuttlecock", "ball", False),
    Sport(313, "polo", "Polo", "ball", False),
    Sport(314, "squash", "Squash", "ball", False, "Squash"),
    Sport(315, "bowling", "Bowling", "ball", False),
    Sport(316, "gym_ball", "Gym Ball", "ball", False),
    Sport(317, "hockey", "Hockey", "ball", False),
    Sport(318, "beach_soccer", "Beach Football", "ball", False),
    Sport(319, "croquet", "Croquet", "ball", False),
    Sport(320, "curling", "Curling", "ball", False),
    Sport(321, "dodgeball", "Dodge Ball", "ball", False),
    Sport(322, "handball", "Handball", "ball", False),
    Sport(323, "ice_hockey", "Ice Hockey", "ball", False),
    Sport(324, "softball", "Softball", "ball", False),
    Sport(325, "australian_football", "Australian Football", "ball", False),
    Sport(326, "american_football", "American Football", "ball", False),
    # a second entry of the vendor's that reads as 306 does: its name tells them apart
    Sport(327, "volleyball_327", "Volleyball", "ball", False),
    Sport(328, "lacrosse", "Lacrosse", "ball", False),
    Sport(329, "pickleball", "Pickleball", "ball", False, "Pickleball"),
    Sport(400, "square_dance", "Square Dance", "dance", False),
    Sport(401, "dance", "Dance", "dance", False),
    Sport(402, "hip_hop", "Hip-hop", "dance", False),
    Sport(403, "setting_up_exercise", "Setting-up Exercise", "dance", False),
    Sport(404, "gymnastics", "Gymnastic", "dance", False),
    Sport(405, "ballet", "Ballet", "dance", False),
    Sport(406, "belly_dance", "Belly Dance", "dance", False),
    Sport(407, "cha_cha", "Cha-cha", "dance", False),
    Sport(408, "rumba", "Rumba", "dance", False),
    Sport(409, "jazz_dance", "Jazz", "dance", False),
    Sport(410, "paso_doble", "Paso Doble", "dance", False),
    Sport(411, "quickstep", "Quickstep", "dance", False),
    Sport(412, "shaping", "Shaping", "dance", False),
    Sport(413, "pole_dance", "Pole Dance", "dance", False),
    Sport(414, "waltz", "Waltz", "dance", False),
    Sport(415, "jive", "Jive", "dance", False),
    Sport(416, "samba", "Samba", "dance", False),
    Sport(417, "tango", "Tango", "dance", False),
    Sport(418, "social_dance", "Social Dance", "dance", False),
    Sport(419, "latin_dance", "Latin Dancing", "dance", False),
    Sport(420, "folk_dance", "Folk Dancing", "dance", False),
    Sport(421, "group_gymnastics", "Group Calisthenics", "dance", False),
    Sport(422, "kickboxing_aerobics", "Kickboxing Aerobics", "dance", False),
    Sport(500, "fencing", "Fencing", "combat", False),
    Sport(501, "martial_arts", "Martial Arts", "combat", False),
    Sport(502, "karate", "Karate", "combat", False),
    Sport(503, "boxing", "Boxing", "combat", False),
    Sport(504, "muay_thai", "Muay Thai", "combat", False),
    Sport(505, "taekwondo", "Taekwondo", "combat", False),
    Sport(506, "free_sparring", "Free Sparring", "combat", False),
    Sport(507, "sanda", "Sanda", "combat", False),
    Sport(508, "jeet_kune_do", "Jeet Kune Do", "combat", False),
    Sport(509, "tai_chi", "Tai Chi", "combat", False),
    Sport(510, "sambo", "Sambo", "combat", False),
    Sport(511, "sumo", "Sumo", "combat", False),
    Sport(512, "mulanquan", "Mulanquan", "combat", False),
    Sport(513, "judo", "Judo", "combat", False),
    Sport(514, "wrestling", "Wrestling", "combat", False),
    Sport(515, "mma", "MMA", "combat", False),
    Sport(516, "aikido", "Aikido", "combat", False),
    Sport(517, "kickboxing", "Kickboxing", "combat", False),
    Sport(600, "snowboard", "Snowboarding", "winter", True, "Snowboard"),
    Sport(601, "frisbee", "Frisbee", "leisure", False),
    Sport(602, "gliding", "Gliding", "air", True),
    Sport(603, "tug_of_war", "Tug of War", "leisure", False),
    Sport(604, "hot_air_balloon", "Hot-air Balloon", "air", True),
    Sport(605, "parkour", "Parkour", "leisure", True),
    Sport(606, "racing", "Auto Racing", "motor", True),
    Sport(607, "sailing", "Sailing", "water", True),
    Sport(608, "motorcycle_race", "Motorcycle Race", "motor", True),
    Sport(609, "motorboat", "Motorboat", "water", True),
    Sport(610, "rowing", "Rowing", "water", True, "Rowing"),
    Sport(611, "explore", "Explore", "leisure", True),
    Sport(612, "drift", "Drift", "water", True),
    Sport(613, "bungee", "Bungee", "air", False),
    Sport(614, "parachuting", "Parachuting", "air", True),
    Sport(615, "horse_race", "Horse Race", "leisure", True),
    Sport(616, "sledding", "Sledding", "winter", True),
    Sport(617, "cross_country_ski", "Cross-country Skiing", "winter", True),
    Sport(618, "dragon_boat", "Dragon Boat Racing", "water", True),
    Sport(619, "kayaking", "Kayaking", "water", True),
    Sport(620, "kite", "Kite Flying", "leisure", False),
    Sport(621, "orienteering", "Orienteering", "leisure", True),
    Sport(622, "ski", "Skiing", "winter", True, "RollerSki"),
    Sport(623, "handcycling", "Handcycling", "leisure", True),
    Sport(624, "alpine_ski", "Downhill Skiing", "winter", True),
    Sport(625, "snow_sports", "Snow Sports", "winter", True),
    Sport(626, "boating", "Boating", "water", True),
    Sport(627, "hoverboarding", "Hoverboarding", "leisure", True),
    Sport(628, "blading", "Blading", "leisure", True),
)
KSOS_SPORTS: Final[Mapping[int, Sport]] = {sport.ksos_id: sport for sport in _KSOS}
# sports that watches know and KS OS does not, or not by this word
_FURTHER: Final = (
    "walk run cycle swim fitness aerobics skating roller_trainer zumba gym core_abs"
    " lower_body step_training upper_body mixed_aerobics back_training elliptical_machine"
    " step_test game relax squats high_knees barbell stroller stair_machine sepak_takraw"
    " netball lunge bow_step street_dance bobsleigh biathlon windsurfing kayak rowing_double"
    " rafting footvolley stand_up_water_ski crunches burpees kabaddi outdoor_play other_kr01"
    " battle_rope skydiving mountain_bike beach_tennis beach_volleyball smart_rope"
    " wheelchair kettlebell obstacle_race scooter hang_glider kendo tap_dance other_dance"
    " paddleboard battle_games swing equestrian chess draughts go bridge board_games"
    " breakdance modern_dance jiu_jitsu jai_alai snowmobile paragliding"
)
# the same sport under the other word that KS OS has for it: stored samples keep the family's word
_KSOS_WORD: Final = {
    "elliptical_machine": "elliptical",
    "equestrian": "riding",
    "fitness": "workout",
    "kayak": "kayaking",
    "skydiving": "parachuting",
}
SPORT_NAMES: Final[tuple[str, ...]] = (*(sport.name for sport in _KSOS), *_FURTHER.split())
_BY_NAME: Final[Mapping[str, Sport]] = {sport.name: sport for sport in _KSOS}


def ksos_sport(name: str) -> Sport | None:
    """The sport of KS OS that a neutral name means, None where KS OS has none."""
    return _BY_NAME.get(_KSOS_WORD.get(name, name))


def sport_of_ksos(ksos_id: int) -> Sport | None:
    """The sport of that number in KS OS, None where it has none."""
    return KSOS_SPORTS.get(ksos_id)
