"""Every command of the README runs, against a virtual watch where it needs one."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
REAL_ADDRESS = "F9:24:12:00:00:01"
WATCH = "virtual:ido?scenario=full-day"
NEEDS_AN_ADAPTER = {"doctor": {0, 4}}  # exit codes that an honest machine may give


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text("utf-8"), re.DOTALL)


def commands() -> list[list[str]]:
    lines = [
        line.partition("#")[0].strip() for block in blocks("sh") for line in block.splitlines()
    ]
    return [shlex.split(line) for line in lines if line]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readme")


def run(arguments: list[str], workplace: Path) -> subprocess.CompletedProcess[str]:
    env = os.environ | {
        "KSOS_HOME": str(workplace / "home"),
        "KSOS_KEY_FILE": str(workplace / "secret"),
    }
    return subprocess.run(
        arguments, cwd=workplace, env=env, capture_output=True, text=True, check=False, timeout=120
    )


def test_every_make_target_of_the_readme_exists() -> None:
    if not (ROOT / "Makefile").exists():
        pytest.skip("only the source tree has a Makefile")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {command[1] for command in commands() if command[0] == "make"}
    assert named == {"demo", "test"}
    assert named <= targets


def test_the_commands_of_the_readme_run_in_order(workplace: Path) -> None:
    ran = []
    for command in commands():
        if command[0] != "ksos":
            continue
        words = [WATCH if word == REAL_ADDRESS else word for word in command[1:]]
        if words[:2] == ["watch", "scan"]:
            words += ["--device", WATCH, "--timeout-s", "2"]
        done = run([sys.executable, "-m", "ksos_link", *words], workplace)
        assert done.returncode in NEEDS_AN_ADAPTER.get(words[0], {0}), (words, done.stderr)
        assert "Traceback" not in done.stderr
        ran.append(words[0])
    assert ran[:5] == ["doctor", "watch", "watch", "sync", "export"]
    assert (workplace / "heart_rate.csv").read_text("utf-8").count("\n") > 100


def test_the_library_example_runs(tmp_path: Path) -> None:
    (example,) = blocks("python")
    done = run([sys.executable, "-c", example], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "SyncReport" in done.stdout
    assert "'heart_rate':" in done.stdout


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/manual.md", "SECURITY.md"])
def test_links_of_the_documents_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    targets = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    missing = [link for link in targets if not ((ROOT / name).parent / link).exists()]
    assert not missing
