"""Help that helps: for every command, in the terminal and in the manual; and quick to come."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.main import get_command

from ksos_link.cli.command import GLOBAL_OPTIONS
from ksos_link.cli.main import COMMANDS, SECTIONS, app

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

MANUAL = Path(__file__).parents[2] / "docs" / "manual.md"
HEAVY = (
    *("bleak", "construct", "cryptography", "sqlcipher3", "asyncio", "rich", "bumble"),
    *("pydantic", "keyring", "plotext"),
)


def leaves(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with its words."""
    context = typer.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        if hasattr(found, "list_commands"):
            yield from leaves(found, (*path, name))
        else:
            yield (*path, name), found


LEAVES = dict(leaves(get_command(app), ()))


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_a_command_says_what_it_does_with_an_example(
    ksos: "CommandLine", path: tuple[str, ...]
) -> None:
    said = ksos(*path, "--help")
    words = " ".join(["ksos", *path])
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"Usage: {words} ")
    assert ksos(*path, "-h") == said
    assert re.search(rf"(?m)^  Examples?:\n    {words}", said.out)
    assert said.out.rstrip().endswith(GLOBAL_OPTIONS)
    assert "completion" not in said.out
    assert not re.search(r"list\[|%Y", said.out)  # no notation of Python
    assert max(map(len, said.out.splitlines())) <= 80
    assert all(param.help for param in LEAVES[path].params)


def test_the_manual_has_every_command_and_no_other() -> None:
    headings = re.findall(r"(?m)^## ksos (.+)$", MANUAL.read_text("utf-8"))
    assert sorted(headings) == sorted(" ".join(path) for path in LEAVES)


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_the_manual_names_every_option(path: tuple[str, ...]) -> None:
    parts = re.split(r"(?m)^## ", MANUAL.read_text("utf-8"))
    part = next(part for part in parts if part.startswith(f"ksos {' '.join(path)}\n"))
    options = {name for param in LEAVES[path].params for name in param.opts if name[0] == "-"}
    options -= {"--json"} if "JSON" in part else set()
    assert {name for name in options if name not in part} == set()


def test_the_root_lists_every_command_with_its_own_words(ksos: "CommandLine") -> None:
    said = ksos("--help")
    for name, text in COMMANDS.items():
        assert re.search(rf"(?m)^  {name} +{re.escape(text)}$", said.out)
    for option in ("--device", "--home", "--timeout-s", "--quiet", "--verbose", "--version"):
        assert option in said.out


def test_the_root_lists_commands_in_sections(ksos: "CommandLine") -> None:
    lines = ksos("--help").out.splitlines()
    names = [name for commands in SECTIONS.values() for name in commands]
    assert len(set(names)) == len(names) == len(COMMANDS)
    for title, commands in SECTIONS.items():
        at = lines.index(f"{title}:") + 1
        assert [line.split()[0] for line in lines[at : at + len(commands)]] == list(commands)
    starts = {line.index(text) for text in COMMANDS.values() for line in lines if text in line}
    assert len(starts) == 1  # one column through all sections


@pytest.mark.parametrize("noun", sorted({path[0] for path in LEAVES if len(path) > 1}))
def test_a_noun_lists_its_verbs_with_whole_sentences(ksos: "CommandLine", noun: str) -> None:
    said = ksos(noun, "--help")
    assert "..." not in said.out.partition("Commands:")[2]
    for path in LEAVES:
        if path[0] == noun:
            assert re.search(rf"(?m)^  {path[1]} ", said.out)
    bare = ksos(noun)
    assert (bare.code, bare.out) == (2, "")
    assert bare.err.startswith(f"Usage: ksos {noun} ")


def test_global_options_stand_anywhere(ksos: "CommandLine", tmp_path: Path) -> None:
    other = tmp_path / "other"
    for arguments in (
        ["--home", other, "sync", "--device", "virtual:ido?scenario=short", "--quiet"],
        ["sync", f"--home={other}", "--quiet", "--device=virtual:ido?scenario=short"],
    ):
        said = ksos(*arguments)
        assert (said.code, said.err) == (0, "")
    assert other.exists()
    assert not ksos.home.exists()


def test_words_after_two_dashes_are_no_options(ksos: "CommandLine") -> None:
    assert "cannot be read" in ksos("decode", "--", "--quiet").err


# ---- start-up


def loaded_by(*arguments: str) -> set[str]:
    """The packages that a call of `ksos` had loaded at its end."""
    code = (
        "import sys\n"
        "from ksos_link.__main__ import main\n"
        f"main({list(arguments)!r})\n"
        "sys.stderr.write(' '.join({name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stderr.split("\n")[-1].split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["sync", "--help"],
        ["goal", "set", "--help"],
        ["alarm", "add", "--help"],
        ["reminder", "set", "cycle", "--help"],
        ["setting", "apply", "--help"],
        ["release", "list", "--help"],
    ],
)
def test_help_and_version_load_nothing_heavy(arguments: list[str]) -> None:
    assert loaded_by(*arguments).isdisjoint(HEAVY)


def test_the_version_does_not_even_load_typer() -> None:
    assert "typer" not in loaded_by("--version")


def test_reading_the_store_loads_no_radio(ksos: "CommandLine") -> None:
    assert ksos("sync", "--device", "virtual:ido?scenario=short").code == 0
    loaded = loaded_by("show", "battery")
    assert "sqlcipher3" in loaded
    assert loaded.isdisjoint(set(HEAVY) - {"sqlcipher3", "cryptography"})


def test_a_shell_can_complete(ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_KSOS_COMPLETE", "complete_bash")
    for words, wanted in (("ksos wa", "watch"), ("ksos show res", "resting_heart_rate")):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
        assert ksos().out.split() == [wanted]
