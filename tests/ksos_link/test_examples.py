"""The examples run as they stand, each as a program of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SET_UP = '[goal]\nsteps = 8000\n\n[heart-rate]\nmode = "interval"\ninterval_s = 300\n'
EXPECTED = {
    "notify.py": ["Band 8 shows it."],
    "set_up_morning.py": ["alarm 1: 06:45 on monday", "quiet at night: as asked"],
    "lab_set_up.py": [
        "F9:24:12:00:00:01: goal sent",
        "F9:24:12:00:00:02: heart-rate changed",
    ],
    "follow.py": ["steps,", "music: next", "the watch looks for this machine"],
    "weather_now.py": ["Band 8 has the weather of Garden."],
}


def run(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("KSOS_")}
    return subprocess.run(
        [sys.executable, *words],
        env={**env, "KSOS_HOME": str(tmp_path / "home")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_every_example_is_tried() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_runs(tmp_path: Path, name: str) -> None:
    (tmp_path / "lab.toml").write_text(SET_UP)
    further = ["lab.toml"] if name == "lab_set_up.py" else []
    done = run(tmp_path, str(EXAMPLES / name), *further)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for line in EXPECTED[name]:
        assert line in done.stdout
    assert not (tmp_path / "home").exists()  # nothing is kept


def test_a_long_text_is_told_to_be_cut(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        str(EXAMPLES / "notify.py"),
        "virtual:ido?scenario=empty&bound=yes",
        "x" * 400,
    )
    assert "The text was cut to 234 bytes." in done.stdout


def test_a_watch_that_is_not_there_is_counted(tmp_path: Path) -> None:
    (tmp_path / "lab.toml").write_text(SET_UP)
    watches = ("virtual:ido?scenario=empty&bound=yes", "virtual:ido?fault=silent")
    done = run(tmp_path, str(EXAMPLES / "lab_set_up.py"), "lab.toml", *watches)
    assert done.returncode == 1
    assert "did not answer" in done.stdout
