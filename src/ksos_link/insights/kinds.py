"""Sports in the few kinds that figures tell apart, by the names of `firmware_protocol.sports`."""

from typing import Final

RUNS: Final = frozenset(
    {
        *("outdoor_run", "indoor_run", "run", "trail_run", "treadmill", "marathon"),
        "race_walking",
    }
)
WALKS: Final = frozenset(
    {"outdoor_walk", "indoor_walk", "walk", "outdoor_walking", "walking_machine", "hike"}
)
RIDES: Final = frozenset(
    {"outdoor_cycle", "cycle", "mountain_bike", "indoor_cycle", "spinning", "bmx"}
)
SWIMS: Final = frozenset({"pool_swim", "open_water", "swim"})
# runs and walks on the level, whose speed says what they cost
LEVEL: Final = frozenset(
    {"outdoor_run", "outdoor_walk", "run", "walk", "outdoor_walking", "race_walking"}
)
_ON_FOOT: Final = RUNS | WALKS | {"climb", "orienteering", "athletics"}
_BY_MOTOR: Final = frozenset(
    {
        *("racing", "motorcycle_race", "motorboat", "snowmobile", "parachuting", "skydiving"),
        *("gliding", "hang_glider", "paragliding", "hot_air_balloon", "bungee"),
    }
)
# own limits, generous: what nobody surpasses. The fastest sprint was 12.4 m/s (Graubner, Nixdorf,
# "Biomechanical analysis of the sprint and hurdles events at the 2009 IAAF World Championships",
# New Studies in Athletics 26, 2011)
_ON_FOOT_MPS: Final = 12.5
_ELSE_MPS: Final = 70.0
_BY_MOTOR_MPS: Final = 150.0


def fastest_mps(sport: str) -> float:
    """What nobody surpasses in a sport, in metres per second."""
    if sport in _ON_FOOT:
        return _ON_FOOT_MPS
    return _BY_MOTOR_MPS if sport in _BY_MOTOR else _ELSE_MPS
