"""When the next period is due, as calendars count it: a reckoning, not a diagnosis."""

from dataclasses import dataclass
from datetime import date, timedelta

from firmware_protocol.settings import Cycle


@dataclass(frozen=True, slots=True)
class CycleDays:
    """The next period and the days around ovulation, first and last day included."""

    period_start: date
    period_end: date
    ovulation: date
    fertile_start: date
    fertile_end: date


def predict(cycle: Cycle, today: date) -> CycleDays | None:
    """The first period that begins after `today`, and the fertile days before it.

    The calendar method: periods begin every `cycle_days` from `last_start`, ovulation lies
    `ovulation_days` before the next one, and the fertile days around it as set. None where the
    cycle is not followed.
    """
    if not cycle.on or cycle.last_start is None:
        return None
    passed = (today - cycle.last_start).days // cycle.cycle_days
    start = cycle.last_start + timedelta(days=cycle.cycle_days * (max(passed, -1) + 1))
    ovulation = start - timedelta(days=cycle.ovulation_days)
    return CycleDays(
        start,
        start + timedelta(days=cycle.period_days - 1),
        ovulation,
        ovulation - timedelta(days=cycle.fertile_before_days),
        ovulation + timedelta(days=cycle.fertile_after_days),
    )
