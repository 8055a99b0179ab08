"""What was reached of the goals one set, and of what the WHO advises."""

from typing import Final

from ksos_link.insights.figure import Figure, absent

_ADVISED_MIN: Final = 150
MINUTE: Final = "min"


def goal_share(reached: Figure, goal: float | None) -> Figure:
    """What part of a goal was reached, in percent; it may be more than all."""
    if not goal:
        return absent("%", "no goal is set", reached.readings)
    if reached.value is None:
        return absent("%", str(reached.reason), reached.readings)
    return Figure(100 * reached.value / goal, "%", reached.readings, method=f"goal {goal:g}")


def active_minutes(moderate: Figure, vigorous: Figure) -> Figure:
    """Minutes of activity as the WHO adds them up: a vigorous one counts as two.

    Source: Bull et al., "World Health Organization 2020 guidelines on physical activity and
    sedentary behaviour", Br J Sports Med 54(24), 2020.
    """
    if moderate.value is None or vigorous.value is None:
        reason = moderate.reason or vigorous.reason
        return absent(MINUTE, str(reason), moderate.readings)
    value = moderate.value + 2 * vigorous.value
    return Figure(value, MINUTE, moderate.readings, method="a vigorous minute is two, WHO 2020")


def advised_share(active: Figure) -> Figure:
    """What part of the 150 minutes a week that the WHO advises (see `active_minutes`)."""
    return goal_share(active, _ADVISED_MIN)
