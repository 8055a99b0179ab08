"""What must hold after a step, against what a watch said."""

from dataclasses import dataclass

from ksos_link.operations.campaign.model import Expect


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a watch after a step; None where it did not say."""

    firmware_version: str | None = None
    battery_pct: int | None = None
    dial: str | None = None
    samples: int | None = None


def unmet(expect: Expect, known: Known) -> list[str]:
    """Every expectation that does not hold, as a sentence; none where all do."""
    found = [
        _same("The firmware version", expect.firmware_version, known.firmware_version),
        _same("The dial that is shown", expect.dial, known.dial),
        _least("The battery", expect.battery_pct_at_least, known.battery_pct, " %"),
    ]
    if known.samples is not None:  # asked of a sync only
        found.append(_least("The count of new samples", expect.samples_at_least, known.samples, ""))
    return [text for text in found if text]


def _same(what: str, wanted: str | None, held: str | None) -> str:
    if wanted is None or wanted == held:
        return ""
    return f"{what} is {held or 'not told by the watch'}, not {wanted}."


def _least(what: str, wanted: int | None, held: int | None, unit: str) -> str:
    if wanted is None or (held is not None and held >= wanted):
        return ""
    said = "not told by the watch" if held is None else f"{held}{unit}"
    return f"{what} is {said}, not at least {wanted}{unit}."
