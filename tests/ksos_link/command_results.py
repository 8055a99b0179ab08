"""What a command said, taken apart; it must have gone well."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.ksos_link.conftest import Said


def done(said: "Said") -> "Said":
    assert said.code == 0, said.err
    return said


def objects(said: "Said") -> list[dict[str, Any]]:
    """Its JSON lines."""
    return [json.loads(line) for line in done(said).out.splitlines()]


def cells(said: "Said") -> list[list[str]]:
    """A table in a pipe."""
    return [line.split("\t") for line in done(said).out.splitlines()]
