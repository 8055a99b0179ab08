"""A report as plain data, the same for a terminal, a page and a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from firmware_protocol.settings import Units
from ksos_link.insights.calendar import Period
from ksos_link.insights.figure import Figure
from ksos_link.insights.medals import Award
from ksos_link.insights.period import Change
from ksos_link.insights.workout import WorkoutSummary
from ksos_link.operations.cycle import CycleDays

# user agreement of KS OS, sections 8 and 15 (domain note K062, K139)
NOTICE: Final = (
    "Not a diagnosis: these are readings of a wearable, not for the diagnosis, treatment or"
    " prevention of any disease. With a health problem, ask a doctor; in an emergency, call one."
)
# user agreement, section 15 (domain note K142)
RISK: Final = "Physical activity carries risk: ask a doctor before you begin to train."
# of the calendar method (`operations.cycle`)
RECKONING: Final = "A reckoning by the calendar, not a diagnosis and no means of contraception."


@dataclass(frozen=True, slots=True)
class Line:
    """One measure. `figure` is the day's, or the mean of a period's days.

    What a single day does not have is None: `total`, `least`, `most` and their days. `days` counts
    those with a value. `whole` marks what is of the period and not of a day of it, `clock` minutes
    of local time.
    """

    name: str
    title: str
    figure: Figure
    change: Change | None = None
    total: Figure | None = None
    least: Figure | None = None
    most: Figure | None = None
    least_on: date | None = None
    most_on: date | None = None
    days: int | None = None
    adds: bool = False
    whole: bool = False
    clock: bool = False


@dataclass(frozen=True, slots=True)
class Ring:
    """A goal of a day. `share` is what part was reached, of a period the mean of its days.

    `reached_days` of `days` reached it; both count only days that have the figure.
    """

    name: str
    title: str
    reached: Figure
    goal: float
    share: Figure
    reached_days: int
    days: int


@dataclass(frozen=True, slots=True)
class Bars:
    """A value for each label; None where there is none. `goal` is a line across."""

    title: str
    unit: str
    labels: tuple[str, ...]
    values: tuple[float | None, ...]
    goal: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A value for each label, with the least and the most around it where there are several."""

    title: str
    unit: str
    labels: tuple[str, ...]
    values: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Stack:
    """Parts of a whole for each label: `values` has a row for each of `parts`."""

    title: str
    unit: str
    labels: tuple[str, ...]
    parts: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stage of sleep, in minutes of local time from the day's midnight; before it negative."""

    start_min: float
    end_min: float
    stage: str


@dataclass(frozen=True, slots=True)
class Stages:
    """A night by its stages, in order of time."""

    title: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Values by row and column; None where there is none."""

    title: str
    unit: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]


Chart = Bars | Curve | Stack | Stages | Grid


@dataclass(frozen=True, slots=True)
class Section:
    """Measures that belong together, and pictures of them."""

    name: str
    title: str
    lines: tuple[Line, ...]
    charts: tuple[Chart, ...] = ()

    @property
    def absent(self) -> dict[str, list[str]]:
        """The titles of lines without a value, by the reason."""
        found: dict[str, list[str]] = {}
        for line in self.lines:
            if line.figure.reason is not None:
                found.setdefault(line.figure.reason, []).append(line.title)
        return found


@dataclass(frozen=True, slots=True)
class WorkoutLine:
    """One workout, with its sport in words and when it began on the wearer's clock."""

    title: str
    start: datetime
    summary: WorkoutSummary


@dataclass(frozen=True, slots=True)
class Missing:
    """A stretch without readings, on the wearer's clock, and why; of a period, whole days."""

    start: datetime
    end: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """A period, with what was measured in it and what is missing.

    `devices` name what the store has samples of; `read_until` is when a watch was last read, on
    the wearer's clock. `medals` are those earned in the period, None where the report is of a day.
    """

    period: Period
    devices: tuple[str, ...]
    read_until: datetime | None
    units: Units
    rings: tuple[Ring, ...]
    sections: tuple[Section, ...]
    workouts: tuple[WorkoutLine, ...]
    medals: tuple[Award, ...] | None
    cycle: CycleDays | None
    missing: tuple[Missing, ...]

    @property
    def lines(self) -> Sequence[Line]:
        """The lines of all sections."""
        return [line for section in self.sections for line in section.lines]


def notices(of: Report) -> tuple[str, ...]:
    """What every report says of itself; with goals or workouts also that training has risks."""
    return (NOTICE, RISK) if of.rings or of.workouts else (NOTICE,)
