"""No row of the reference is without codec, test and command, or it is a named exception."""

import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from firmware_protocol.families.ido.message_type import MessageType
from firmware_protocol.families.ido.messages import CATALOGUE
from ksos_link.cli.main import app

ROOT = Path(__file__).parents[2]
ROWS: dict[str, Any] = tomllib.loads((Path(__file__).parent / "ido_rows.toml").read_text("utf-8"))
COMMANDS: dict[str, str] = ROWS["commands"]
EXCEPTIONS: dict[str, str] = ROWS["exceptions"]
NAMED_ONLY: list[str] = ROWS["named_only"]["rows"]
REFERENCE = Path(os.environ.get("KSOS_REFERENCE", ROOT.parent / "shared/protocol/ido.md"))
GOLDEN = ROOT / "fixtures/golden/ido"
DIRECTORIES = {"Directory of the other GET keys": "02", "Further SET keys": "03"}


def row_of(kind: MessageType) -> str:
    """The row that declares a message: command and key, or the number of a V3 command."""
    if kind.command is None:
        return kind.prefix[:2].hex(" ").upper()
    return f"V3 {kind.command:02X}"


def messages_of(row: str) -> list[MessageType]:
    return [kind for kind in CATALOGUE if row_of(kind) == row]


def command_words(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    for name in command.list_commands(typer.Context(command)):
        found = command.get_command(typer.Context(command), name)
        if hasattr(found, "list_commands"):
            yield from command_words(found, (*path, name))
        else:
            yield " ".join((*path, name))


def rows_of_reference(text: str) -> set[str]:
    """Rows as the reference writes them: in headings, at the start of tables' rows, in lists."""
    classic = r"(?:0[1-9A]|F0|D1) [0-9A-F]{2}\b"
    found = set(re.findall(rf"(?m)^#+ ({classic})", text))
    for cell in re.findall(r"(?m)^\| (`[^|]*) \|", text):
        found |= set(re.findall(rf"`({classic})", cell))
    for title, group in DIRECTORIES.items():
        found |= {f"{group} {key}" for key in keys_of_list(text.partition(title)[2], every=2)}
    directory = text.partition("### 6.4 Command directory")[2].partition("### 6.5")[0]
    return found | {f"V3 {key}" for key in keys_of_list(directory, every=3)}


def keys_of_list(text: str, every: int) -> Iterator[str]:
    """The keys of the first table of a text, which stand in every so many columns."""
    table = re.search(r"(?m)(?:^\|.*\n)+", text)
    assert table
    for line in table[0].splitlines():
        for cell in line.strip("|").split("|")[::every]:
            yield from re.findall(r"\b(?:[0-9A-F]{2}|5000)\b", cell)


def test_each_row_stands_in_the_table_once() -> None:
    rows = [*COMMANDS, *EXCEPTIONS, *NAMED_ONLY]
    assert sorted(rows) == sorted(set(rows))
    assert {row_of(kind) for kind in CATALOGUE} == set(rows)


def test_each_command_of_the_table_exists() -> None:
    assert set(COMMANDS.values()) <= set(command_words(get_command(app)))


@pytest.mark.parametrize("row", COMMANDS)
def test_a_row_with_a_command_has_a_golden_or_is_known_to_have_no_bytes(row: str) -> None:
    goldens = {
        json.loads(line)["name"]
        for line in (GOLDEN / "messages.jsonl").read_text("utf-8").splitlines()
    }
    without = set((GOLDEN / "without_bytes.txt").read_text("utf-8").split())
    names = {kind.name for kind in messages_of(row)}
    assert names
    health = {name for name in names if name.startswith("ido.health.")}  # goldens of their own
    assert names <= goldens | without | health


@pytest.mark.parametrize("row", NAMED_ONLY)
def test_a_row_that_is_only_named_has_no_layout_of_ours(row: str) -> None:
    for kind in messages_of(row):
        fields = kind.layout.decode(bytes(range(1, 20))).fields
        assert all(name.startswith("unknown_") for name in fields), "give it a command"


def test_exceptions_say_why() -> None:
    assert all(len(reason) > 20 for reason in (*EXCEPTIONS.values(), ROWS["named_only"]["reason"]))


@pytest.mark.skipif(not REFERENCE.is_file(), reason="the reference is not here")
def test_no_row_of_the_reference_is_missing() -> None:
    rows = rows_of_reference(REFERENCE.read_text("utf-8"))
    assert len(rows) > 150
    assert rows - {*COMMANDS, *EXCEPTIONS, *NAMED_ONLY} == set()
