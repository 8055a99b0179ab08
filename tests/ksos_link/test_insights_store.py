"""Insights over a real store: what they say is what is stored, and the same after a redecode."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ksos_link.config import Home
from ksos_link.insights.about import About, LocalDay, Reader, local_days
from ksos_link.insights.day import DaySummary, day_summary
from ksos_link.insights.medals import awards, medals
from ksos_link.store.database import Store, open_store
from ksos_link.store.keys import SecretSource
from tests.ksos_link.made_up_samples import UTC_CLOCK

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

CAPTURES = Path(os.environ.get("KSOS_CAPTURES") or Path(__file__).parents[3] / "shared/captures")
SYNCS = sorted(CAPTURES.glob("ido/*sync*.txt"))
TODAY = date(2026, 11, 28)
NOON = int(datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp())
MONTH = "virtual:ido?scenario=month&now=2026-11-28T12:00"
SUMS = {
    "steps": ("steps", "steps"),
    "distance_m": ("activity", "distance_m"),
    "active_energy_kcal": ("activity", "active_energy_kcal"),
    "workout_energy_kcal": ("workout", "energy_kcal"),
}


@contextmanager
def opened(ksos: "CommandLine") -> Iterator[Store]:
    key_file = ksos.home.parent / "secret"
    home = Home(ksos.home, ksos.home / "settings.toml", ksos.home / "logs")
    with open_store(home, SecretSource({"KSOS_KEY_FILE": str(key_file)}), create=False) as store:
        yield store


def reader_of(store: Store) -> Reader:
    def read(metric: str, start_utc_s: int, end_utc_s: int) -> Any:
        return store.read(metric, start_utc_s=start_utc_s, end_utc_s=end_utc_s)

    return read


def thirty_days(store: Store) -> list[DaySummary]:
    about = About(UTC_CLOCK, NOON, None, None, NOON, frozenset(store.counts()))
    days = local_days(TODAY - timedelta(days=29), TODAY, UTC_CLOCK)
    return [day_summary(day, reader_of(store), about) for day in days]


def shown(ksos: "CommandLine", metric: str, day: LocalDay) -> list[dict[str, Any]]:
    said = ksos("show", metric, "--from", str(day.date), "--to", str(day.date), "--json")
    assert said.code == 0
    return [json.loads(line) for line in said.out.splitlines()]


def before(day: LocalDay) -> LocalDay:
    return LocalDay(day.date - timedelta(days=1), 0, day.start_utc_s)


@pytest.fixture
def month(ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch) -> "CommandLine":
    monkeypatch.setenv("TZ", "UTC")
    assert ksos("sync", "--device", MONTH).code == 0
    return ksos


def test_a_month_adds_up_to_what_is_stored(month: "CommandLine") -> None:
    with opened(month) as store:
        days = thirty_days(store)
    for summary in (days[20], days[25]):
        for name, (metric, column) in SUMS.items():
            figure = summary.figures[name]
            rows = shown(month, metric, summary.day)
            known = [row[column] for row in rows if row.get(column) is not None]
            assert figure.value == (sum(known) if known else None)
            assert figure.readings == len(known)
        beats = [row["bpm"] for row in shown(month, "heart_rate", summary.day)]
        assert summary.figures["bpm_most"].value == max(beats)
        assert summary.figures["bpm_most"].readings == len(beats)
        score = summary.figures["sleep_score"].value
        told = shown(month, "sleep_summary", before(summary.day)) + shown(
            month, "sleep_summary", summary.day
        )
        assert score in [row["sleep_score"] for row in told]


def test_medals_are_the_same_after_a_redecode(month: "CommandLine") -> None:
    def earned() -> set[tuple[str, date, float]]:
        with opened(month) as store:
            days = [(one.day.date, one.figures) for one in thirty_days(store)]
        return {(one.medal.medal_id, one.on, one.value) for one in awards(days, medals())}

    before = earned()
    assert {"steps-5k", "workout-first", "sleep-7h"} <= {medal_id for medal_id, *_ in before}
    assert month("store", "redecode").code == 0
    assert earned() == before


def test_what_is_read_is_what_is_shown(month: "CommandLine") -> None:
    """A day reads itself and the nights around it: never the whole of a metric."""
    asked: list[tuple[int, int]] = []
    with opened(month) as store:
        read = reader_of(store)

        def noted(metric: str, start_utc_s: int, end_utc_s: int) -> Any:
            asked.append((start_utc_s, end_utc_s))
            return read(metric, start_utc_s, end_utc_s)

        (day,) = local_days(TODAY, TODAY, UTC_CLOCK)
        day_summary(day, noted, About(UTC_CLOCK, NOON, None, None, NOON, frozenset(store.counts())))
    assert min(start for start, _ in asked) >= day.start_utc_s - 86_400
    assert max(end for _, end in asked) <= day.end_utc_s + 43_200


def test_the_shipped_tables_are_in_the_package() -> None:
    from importlib.resources import files

    names = {Path(str(entry)).name for entry in files("ksos_link.insights").iterdir()}
    assert {"compendium.toml", "medals.toml", "norms.toml"} <= names


@pytest.mark.skipif(not SYNCS, reason="no captures here; set KSOS_CAPTURES")
@pytest.mark.parametrize("file", SYNCS, ids=[file.stem for file in SYNCS])
def test_the_days_of_a_real_capture_add_up_to_what_is_stored(
    ksos: "CommandLine", file: Path
) -> None:
    assert ksos("sync", "--device", f"replay:{file}").code == 0
    with opened(ksos) as store:
        steps = [row for rows in store.read("steps") for row in rows]
        beats = [row for rows in store.read("heart_rate") for row in rows]
        times = [int(str(row[1])) for row in (*steps, *beats)]
        days = [datetime.fromtimestamp(at, UTC).date() for at in times]
        about = About(UTC_CLOCK, NOON, None, None, NOON, frozenset(store.counts()))
        summaries = [
            day_summary(day, reader_of(store), about)
            for date_ in sorted(set(days))
            for day in local_days(date_, date_, UTC_CLOCK)
        ]
    counted = [one.figures["steps"] for one in summaries]
    assert sum(one.value or 0 for one in counted) == sum(int(str(row[3])) for row in steps)
    assert sum(one.readings for one in counted) == len(steps)
    assert sum(one.figures["bpm_mean"].readings for one in summaries) == len(beats)
    most = max((one.figures["bpm_most"].value or 0 for one in summaries), default=0)
    assert most == max((int(str(row[2])) for row in beats), default=0)
