"""The documents say what the code does: tables, fields, examples and paths."""

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from firmware_protocol.families.ido.watch import options
from firmware_protocol.samples import METRICS, Quality, SleepStage
from ksos_link.errors import KsosError
from ksos_link.virtual_watch import faults, scenarios
from tests.firmware_protocol.ido_uploads import dial, packed
from tests.ksos_link.release_files import put as put_release

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

ROOT = Path(__file__).parents[2]
NAMES = (
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"),
    *("docs/manual.md", "docs/wire-ido.md"),
)
WATCH = "virtual:ido?scenario=full-day"
WALK = (
    '<gpx version="1.1"><trk><trkseg><trkpt lat="47.3" lon="8.5"><time>2026-11-21T07:00:00Z</time>'
    "</trkpt></trkseg></trk></gpx>"
)
REAL_ADDRESS = "F9:24:12:00:00:01"
CODE_FOLDERS = (".", "src/ksos_link", "firmware_protocol", "firmware_protocol/families/ido")


def document(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def section(heading: str) -> str:
    """The text of a section of the manual."""
    return re.split(r"(?m)^## ", document("docs/manual.md").partition(f"\n## {heading}\n")[2])[0]


def rows(text: str) -> list[list[str]]:
    """The rows of all tables of a text, cells without their marks."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def first_names(text: str) -> set[str]:
    """The names in code marks of the first cells of a text's tables."""
    return {name for row in rows(text) for name in re.findall(r"`([^`]+)`", row[0])}


def codes_of_errors() -> set[str]:
    kinds = KsosError.__subclasses__()
    deeper = [kind for one in kinds for kind in one.__subclasses__()]
    return {str(kind.exit_code) for kind in (*kinds, *deeper)} | {"0", "1", "130"}


@pytest.mark.parametrize("name", ["README.md", "docs/manual.md"])
def test_every_exit_code_stands_in_the_table(name: str) -> None:
    found = {row[0] for row in rows(document(name)) if row[0].isdecimal()}
    assert found == codes_of_errors()


def test_every_metric_stands_in_the_manual_with_its_fields() -> None:
    table = {row[0].strip("`"): row[2] for row in rows(section("Samples")) if len(row) == 3}
    del table["Metric"]
    assert list(table) == list(METRICS)
    for name, metric in METRICS.items():
        words = set(re.findall(r"\w+", table[name]))
        assert {column.name for column in metric.columns} <= words
        assert words - {column.name for column in metric.columns} <= PLAIN_WORDS
    assert first_names(section("Samples")) >= {quality.name.lower() for quality in Quality}


PLAIN_WORDS = {
    *("0", "1", "2", "3", "above", "and", "charging", "code", "has", "heart", "in", "index"),
    *("intense", "light", "moderate", "no", "name", "or", "rate", "rest", "seconds", "sport_N"),
    *("still", "the", "vendor", "s", "where", "while", "with", "zones"),
    *(stage.name.lower() for stage in SleepStage),
}


def test_the_virtual_watch_is_described_as_it_is() -> None:
    described = first_names(section("The virtual watch"))
    assert described == {
        *(f"{kind}@N" for kind in faults._COUNTED),
        *faults._PLAIN,
        *scenarios._QUERY_KEYS,
        *scenarios.scenario_names(),
        *options._NAMES,
    }


def test_the_environment_is_described_as_it_is() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    read = set(re.findall(r"\bKSOS_[A-Z_]+\b", source)) - {"KSOS_COMPLETE"}
    assert set(re.findall(r"KSOS_[A-Z_]+", section("For all commands"))) == read
    named = {name for each in NAMES for name in re.findall(r"KSOS_[A-Z_]+", document(each))}
    assert named - {"KSOS_CAPTURES"} == read  # that one is for tests


# ---- JSON and examples, by running them


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place where a watch is paired and synced, with a capture of it, a backup, and releases."""
    place = tmp_path_factory.mktemp("prepared")
    for version in ("1.8", "1.9", "1.10"):
        put_release(place / "releases", f"watch-{version}.toml", version)
    put_release(place, "band-17.toml", "17")  # what a virtual watch runs
    (place / "witch.iwf.lz").write_bytes(packed(dial("witch")))
    (place / "walk.gpx").write_text(WALK, "utf-8")
    night = re.search(r"(?s)```toml\n(.+?)```", section("Campaigns"))
    assert night is not None
    (place / "night.toml").write_text(night[1], "utf-8")
    env = os.environ | {
        "KSOS_HOME": str(place / "home"),
        "KSOS_KEY_FILE": str(place / "secret"),
    }
    for arguments in (
        f"watch pair {WATCH} --alias band",
        "sync",
        "capture record band.txt",
        "store backup band.ksosbackup",
        "release key release.pem",
        "release sign releases/watch-1.9.toml --key release.pem",
        "virtual image nordic-secure --firmware 18 app.zip --public-key app.pem",
        "virtual image ido-fw --firmware 18 app.fw",
    ):
        command = [sys.executable, "-m", "ksos_link", *arguments.split()]
        subprocess.run(command, env=env, cwd=place, check=True, capture_output=True, timeout=120)
    return place


@pytest.fixture
def place(
    ksos: "CommandLine", prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The same, for one test to spoil."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def keys_in(value: object) -> set[str]:
    """The keys of an object, but not of the objects in it: those are counts by name."""
    return set(value) if isinstance(value, dict) else set()


@pytest.mark.parametrize(
    "arguments",
    [
        "doctor",
        f"watch scan --timeout-s 2 --device {WATCH}",
        f"watch pair {WATCH} --alias band",
        "watch list",
        "device info",
        "device log",
        "dial list",
        "dial show",
        "dial set local_2",
        "dial push witch.iwf.lz --unsigned",
        "notice send hello",
        "notice apps",
        f"listen --for-s 3 --device {WATCH}&do=next@1",
        "live --for-s 6",
        "campaign run night.toml",
        "privacy show",
        "find watch",
        f"sync --device {WATCH}&fault=lose@40",
        "store info",
        "store check",
        "store backup other.ksosbackup",
        "store redecode",
        "decode band.txt",
        "capture record other.txt",
        "virtual list",
        "demo",
        "export --metric battery",
    ],
)
def test_every_field_of_json_stands_in_the_manual(
    ksos: "CommandLine", place: Path, arguments: str
) -> None:
    assert place.exists()
    said = ksos(*arguments.split(), "--json")
    assert said.code in ({0, 4} if arguments == "doctor" else {0}), said.err
    words = [word for word in arguments.split() if word.isalpha()]
    text = next(part for length in (2, 1) if (part := section(f"ksos {' '.join(words[:length])}")))
    objects = [json.loads(line) for line in said.out.splitlines()]
    assert objects
    missing = {key for each in objects for key in keys_in(each) if f"`{key}`" not in text}
    assert missing == set()
    if "`event`" in text:
        assert {each["event"] for each in objects} <= first_names(text)
    if arguments == "demo":
        assert keys_in(objects[0]["store"]) <= set(re.findall(r"`(\w+)`", text))


@pytest.mark.parametrize("metric", ["heart_rate", "sleep", "workout"])
def test_samples_as_json_have_the_fields_of_the_manual(
    ksos: "CommandLine", place: Path, metric: str
) -> None:
    assert place.exists()
    samples = [json.loads(line) for line in ksos("show", metric, "--json").out.splitlines()]
    assert samples
    text = section("Samples")
    assert {key for each in samples for key in each if f"`{key}`" not in text} == set()


def examples() -> list[tuple[str, list[str]]]:
    found = []
    for part in re.split(r"(?m)^## ", document("docs/manual.md")):
        heading = part.partition("\n")[0]
        lines = re.findall(r"(?m)^    (ksos .+)$", part)
        if lines and heading != "ksos virtual run":  # it runs until it is stopped
            found.append((heading, lines))
    return found


@pytest.mark.parametrize(("heading", "lines"), examples(), ids=lambda value: value[:20])
def test_the_examples_of_the_manual_run(
    ksos: "CommandLine",
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    heading: str,
    lines: list[str],
) -> None:
    if "sports-band" in "".join(lines) and heading == "ksos watch forget":
        assert ksos("watch", "rename", "sports-band", "--device", "band").code == 0
    for line in lines:
        command, _, redirected = line.partition(" < ")
        if redirected:
            stream = io.TextIOWrapper(io.BytesIO((place / redirected).read_bytes()))
            monkeypatch.setattr(sys, "stdin", stream)
        words = shlex.split(command.replace(REAL_ADDRESS, WATCH))[1:]
        said = ksos(*words)
        honest = {0, 4} if words[0] == "doctor" else {0, 5} if "--strict" in words else {0}
        assert said.code in honest, (line, said.err)
        assert "Traceback" not in said.err


# ---- what every document keeps to


@pytest.mark.parametrize("name", NAMES)
def test_a_document_is_plain_and_names_nothing_private(name: str) -> None:
    text = document(name)
    assert text.isascii()  # no pictures, no signs that a terminal lacks
    absolute = re.findall(r"(?<![\w./:<~-])/[a-z][\w-]*/[\w./-]*", text)
    assert absolute == []
    assert not re.search(r"\b(?:localhost|[\w-]+\.(?:local|internal|lan))\b", text)


@pytest.mark.parametrize("name", NAMES)
def test_links_and_paths_lead_somewhere(name: str) -> None:
    text = document(name)
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert [link for link in links if not ((ROOT / name).parent / link).exists()] == []
    named = re.findall(r"`([\w./-]+/[\w./-]*|[\w-]+\.(?:py|toml))`", text)
    made = ("night.toml",)  # the reader writes it
    files = [
        path
        for path in named
        if path.endswith((".py", ".toml", "/")) and "127.0" not in path and path not in made
    ]
    lost = [
        path
        for path in files
        if not any((ROOT / folder / path).exists() for folder in CODE_FOLDERS)
    ]
    assert lost == []


def test_headings_of_links_within_the_manual_exist() -> None:
    text = document("docs/manual.md")
    headings = {
        re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")
        for heading in re.findall(r"(?m)^## (.+)$", text)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


def test_the_changelog_keeps_its_form() -> None:
    text = document("CHANGELOG.md")
    versions = re.findall(r"(?m)^## (.+)$", text)
    assert versions[0] == "Unreleased"
    assert all(re.fullmatch(r"\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d", each) for each in versions[1:])
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"(?m)^### (.+)$", text)) <= kinds
