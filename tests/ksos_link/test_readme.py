"""Every command of the README runs, against a virtual watch where it needs one."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REAL_ADDRESS = "F9:24:12:00:00:01"
WATCH = "virtual:ido?scenario=full-day"
NEEDS_AN_ADAPTER = {"doctor": {0, 4}}  # exit codes that an honest machine may give


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / name).read_text("utf-8"), re.DOTALL)


def commands(name: str) -> list[list[str]]:
    lines = [
        line.partition("#")[0].strip()
        for block in blocks(name, "sh")
        for line in block.splitlines()
    ]
    return [shlex.split(line) for line in lines if line]


def run(arguments: list[str], workplace: Path) -> subprocess.CompletedProcess[str]:
    env = os.environ | {
        "KSOS_HOME": str(workplace / "home"),
        "KSOS_KEY_FILE": str(workplace / "secret"),
    }
    return subprocess.run(
        arguments, cwd=workplace, env=env, capture_output=True, text=True, check=False, timeout=120
    )


def run_all(name: str, workplace: Path) -> list[str]:
    """Run the `ksos` commands of a document in order; give their first words."""
    ran = []
    text = (ROOT / name).read_text("utf-8")
    for file, content in re.findall(r"`(\w+\.toml)`:\n\n```toml\n(.*?)```", text, re.DOTALL):
        (workplace / file).write_text(content, "utf-8")
    for command in commands(name):
        if command[0] != "ksos":
            continue
        words = [WATCH if word == REAL_ADDRESS else word for word in command[1:]]
        if words[:2] == ["watch", "scan"]:
            words += ["--device", WATCH, "--timeout-s", "1"]
        done = run([sys.executable, "-m", "ksos_link", *words], workplace)
        assert done.returncode in NEEDS_AN_ADAPTER.get(words[0], {0}), (words, done.stderr)
        assert "Traceback" not in done.stderr
        ran.append(words[0])
    return ran


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_that_is_named_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {command[1] for command in commands(name) if command[0] == "make"}
    named |= set(re.findall(r"`make ([a-z-]+)`", (ROOT / name).read_text("utf-8")))
    assert named >= {"test"}
    assert named <= targets


def test_the_readme_begins_with_two_commands() -> None:
    assert commands("README.md")[:2] == [["make", "demo"], ["make", "test"]]


def test_the_commands_of_the_readme_run_in_order(tmp_path: Path) -> None:
    ran = run_all("README.md", tmp_path)
    assert ran[:5] == ["doctor", "watch", "watch", "sync", "export"]
    assert (tmp_path / "heart_rate.csv").read_text("utf-8").count("\n") > 100


def test_a_capture_is_recorded_as_contributors_are_told(tmp_path: Path) -> None:
    assert run_all("CONTRIBUTING.md", tmp_path) == ["watch", "capture", "decode"]
    assert (tmp_path / "band.txt").read_text("utf-8").count("0af7") > 10


def test_the_library_example_runs(tmp_path: Path) -> None:
    (example,) = blocks("README.md", "python")
    done = run([sys.executable, "-c", example], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "SyncReport" in done.stdout
    assert "'heart_rate':" in done.stdout
