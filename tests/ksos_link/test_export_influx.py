"""Line protocol, parsed back by a strict parser of its own."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.samples import METRICS, Quality, SleepStage
from ksos_link.export.line_protocol import write_line_protocol
from ksos_link.export.source import Row
from tests.ksos_link.command_results import done, objects
from tests.ksos_link.table_source import TableSource, sample

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

START = 1_793_000_000
NS = 10**9
Field = int | float | str


@dataclass(frozen=True)
class Point:
    measurement: str
    tags: dict[str, str]
    fields: dict[str, Field]
    at_ns: int


class Scanner:
    """One line; whatever the protocol does not allow is an error."""

    def __init__(self, line: str) -> None:
        assert line.isprintable(), line
        self._line = line
        self._at = 0

    def name(self, ends: str) -> str:
        """A measurement, a key or the value of a tag: not empty, and up to one of `ends`."""
        text = ""
        while (letter := self._line[self._at]) not in ends:
            assert letter not in " ,=", self._line
            after = self._line[self._at + 1]
            escaped = letter == "\\" and after in " ,="
            text += after if escaped else letter
            self._at += 2 if escaped else 1
        assert text, self._line
        return text

    def take(self, letters: str) -> str:
        letter = self._line[self._at]
        assert letter in letters, self._line
        self._at += 1
        return letter

    def value(self) -> Field:
        if self._line[self._at] != '"':
            text = self.name(", ")
            return int(text[:-1]) if text.endswith("i") else float(text)
        self._at += 1
        text = ""
        while (letter := self._line[self._at]) != '"':
            if letter == "\\":
                self._at += 1
                letter = self._line[self._at]
                assert letter in '"\\', self._line
            text += letter
            self._at += 1
        self._at += 1
        return text

    def rest(self) -> str:
        return self._line[self._at :]


def parsed(line: str) -> Point:
    scanner = Scanner(line)
    measurement = scanner.name(", ")
    tags: dict[str, str] = {}
    fields: dict[str, Field] = {}
    while scanner.take(", ") == ",":
        key = scanner.name("=")
        scanner.take("=")
        tags[key] = scanner.name(", ")
    while True:
        key = scanner.name("=")
        scanner.take("=")
        assert key not in fields
        fields[key] = scanner.value()
        if scanner.take(", ") == " ":
            return Point(measurement, tags, fields, int(scanner.rest()))


def points(text: str) -> list[Point]:
    assert not text or text.endswith("\n")
    return [parsed(line) for line in text.split("\n")[:-1]]


def written(metric: str, *rows: Row) -> list[Point]:
    file = io.StringIO()
    count = write_line_protocol(TableSource({metric: [rows]}), METRICS[metric], file)
    found = points(file.getvalue())
    assert len(found) == count
    return found


def test_the_line_that_the_reference_names() -> None:
    file = io.StringIO()
    beat = sample("heart_rate", "wrist", 1_750_000_000, bpm=71)
    write_line_protocol(TableSource({"heart_rate": [[beat]]}), METRICS["heart_rate"], file)
    line = "heart_rate,device=wrist,quality=proven bpm=71i 1750000000000000000\n"
    assert file.getvalue() == line


@pytest.fixture
def full(ksos: "CommandLine") -> "CommandLine":
    done(ksos("watch", "pair", "virtual:ido?scenario=runner", "--alias", "wrist"))
    done(ksos("sync"))
    return ksos


def test_every_point_of_a_watch_is_a_sample_of_its_store(full: "CommandLine") -> None:
    """All metrics in one stream, walked back to what `show` reads from the store."""
    said = done(full("export", "--format", "influx", "--out", "-"))
    found = points(said.out)
    assert len({point.measurement for point in found}) > 8
    for metric, rows in _by_metric(found):
        kept = objects(full("show", metric, "--from", "2000-01-01", "--json"))
        for point, one in zip(rows, kept, strict=True):
            about = {"device": point.tags["device"], "quality": point.tags["quality"]}
            told = {key: value for key, value in one.items() if not key.startswith("start_")}
            assert told == {"metric": metric} | about | point.fields
            assert _utc_text(point.at_ns) == one["start_utc"]


def _by_metric(found: list[Point]) -> Iterator[tuple[str, list[Point]]]:
    for metric in dict.fromkeys(point.measurement for point in found):
        yield metric, [point for point in found if point.measurement == metric]


def _utc_text(at_ns: int) -> str:
    at_s, rest = divmod(at_ns, NS)
    assert rest == 0
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%SZ}"


def test_absent_has_no_field_and_zero_is_zero() -> None:
    (point,) = written("activity", sample("activity", "w", START, duration_s=60, distance_m=0))
    assert point.fields == {"duration_s": 60, "distance_m": 0}


def test_a_sample_without_any_value_is_no_point() -> None:
    nothing = sample("heart_rate_variability", "w", START)
    something = sample("heart_rate_variability", "w", START + 1, sdnn_ms=0.0)
    (point,) = written("heart_rate_variability", nothing, something)
    assert point == Point(
        "heart_rate_variability",
        {"device": "w", "quality": "proven"},
        {"sdnn_ms": 0.0},
        (START + 1) * NS,
    )


def test_what_is_no_number_is_no_field() -> None:
    row = sample("workout_point", "w", START, latitude_deg=1.5, longitude_deg=-0.0)
    endless = sample("workout_point", "w", START, latitude_deg=1e999, longitude_deg=2.0)
    first, second = written("workout_point", row, endless)
    assert first.fields == {"latitude_deg": 1.5, "longitude_deg": -0.0}
    assert second.fields == {"longitude_deg": 2.0}


def test_stages_and_quality_are_named_and_an_unknown_stage_stays_a_number() -> None:
    rows = [
        sample("sleep", "w", START + n, duration_s=60, stage=int(stage), quality=int(quality))
        for n, (stage, quality) in enumerate((s, q) for s in (*SleepStage, 9) for q in Quality)
    ]
    found = written("sleep", *rows)
    assert {point.fields["stage"] for point in found} == {"awake", "light", "deep", "rem", 9}
    assert {point.tags["quality"] for point in found} == {one.name.lower() for one in Quality}


@pytest.mark.parametrize("start", [-1, 0, 1, 4_102_444_799])
def test_clocks_far_off_are_instants_like_any(start: int) -> None:
    (point,) = written("spo2", sample("spo2", "w", start, spo2_pct=97))
    assert point.at_ns == start * NS


NAMES = st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(" ,=\\\"'#"))


@given(NAMES, NAMES)
def test_any_name_is_read_back(device: str, site: str) -> None:
    row = sample("temperature", device, START, temperature_c=36.5, site=site)
    (point,) = written("temperature", row)
    shown = f"{device} " if device.endswith("\\") else device
    assert point.tags.get("device", "") == shown
    assert point.fields == {"temperature_c": 36.5, "site": site}


@given(st.text(max_size=9), st.text(max_size=9))
def test_no_name_makes_a_second_line_or_another_point(device: str, site: str) -> None:
    row = sample("temperature", device, START, temperature_c=36.5, site=site)
    file = io.StringIO()
    source = TableSource({"temperature": [[row]]})
    write_line_protocol(source, METRICS["temperature"], file)
    assert file.getvalue().count("\n") == 1
    assert file.getvalue().endswith(f" {START * NS}\n")
    assert not any(ord(letter) < 32 or ord(letter) == 127 for letter in file.getvalue()[:-1])
