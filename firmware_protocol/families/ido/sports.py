"""Sports by their code (ido.md 8.2, V; 30, 34 and 65 seen on the wire).

Some names stand for two codes of the vendor's list; the wire keeps the code.
"""

from collections.abc import Mapping
from typing import Final

from firmware_protocol.settings.kinds import code_number


def _numbered(first: int, names: str) -> dict[int, str]:
    return dict(enumerate(names.split(), first))


SPORTS: Final[Mapping[int, str]] = {
    **_numbered(
        0x01,
        "walk run cycle hike swim climb badminton other fitness spinning elliptical treadmill"
        " sit_ups push_ups dumbbell weightlifting aerobics yoga rope_skipping table_tennis"
        " basketball football volleyball tennis golf baseball skating roller_skating dance",
    ),
    **_numbered(
        0x1F,
        "roller_trainer pilates cross_training aerobics zumba square_dance plank gym"
        " aerobic_fitness core_abs",
    ),
    **_numbered(0x29, "lower_body"),
    **_numbered(
        0x2B,
        "diving step_training upper_body mixed_aerobics back_training outdoor_run indoor_run"
        " outdoor_cycle indoor_cycle outdoor_walk indoor_walk pool_swim open_water"
        " elliptical_machine rower hiit step_test game",
    ),
    **_numbered(0x4B, "cricket"),
    **_numbered(0x64, "free_training functional_strength core stepper relax"),
    **_numbered(0x6E, "strength"),
    **_numbered(0x70, "pull_ups"),
    **_numbered(
        0x72,
        "jumping_jacks squats high_knees boxing barbell martial_arts tai_chi taekwondo karate"
        " kickboxing fencing archery gymnastics horizontal_bar parallel_bars stroller"
        " stair_machine bowling billiards hockey rugby squash softball handball shuttlecock"
        " beach_soccer sepak_takraw dodgeball netball",
    ),
    **_numbered(
        0x95,
        "lunge bow_step stretching street_dance ballet social_dance frisbee darts riding"
        " stair_climbing kite fishing sledding bobsleigh snowboard snow_sports alpine_ski"
        " cross_country_ski curling ice_hockey biathlon surfing sailing windsurfing kayak"
        " motorboat rowing_double rowing",
    ),
    **_numbered(
        0xB1,
        "dragon_boat water_polo rafting skateboard rock_climbing bungee parkour bmx",
    ),
    **_numbered(
        0xBB,
        "footvolley stand_up_water_ski trail_run crunches burpees kabaddi outdoor_play"
        " other_kr01 trampoline hula_hoop racing battle_rope skydiving orienteering"
        " mountain_bike beach_tennis smart_rope pickleball wheelchair physical_training"
        " kettlebell group_gymnastics cross_fit obstacle_race scooter hang_glider ski snowboard"
        " kickboxing kendo tai_chi mma wrestling belly_dance jazz_dance latin_dance tap_dance"
        " other_dance beach_volleyball croquet polo lacrosse kayaking paddleboard battle_games"
        " tug_of_war swing equestrian athletics stair_machine flexibility chess draughts go"
        " bridge board_games folk_dance hip_hop pole_dance breakdance modern_dance muay_thai"
        " judo jiu_jitsu jai_alai snowmobile paragliding lacrosse american_football",
    ),
}


def sport_name(code: int) -> str:
    """Return the neutral name of a sport; `sport_<code>` in decimal where it has none."""
    return SPORTS.get(code, f"sport_{code}")


def codes_of_sport(name: str) -> tuple[int, ...]:
    """Return all codes of a sport's neutral name, or that of `code_N`; all are read as it.

    Empty where watches of this family have no such sport.
    """
    number = code_number(name)
    if number is not None:
        return (number,)
    return tuple(code for code, known in SPORTS.items() if known == name)


def code_of_sport(name: str) -> int | None:
    """Return the code that is written for a sport: the first where there are several."""
    return next(iter(codes_of_sport(name)), None)
