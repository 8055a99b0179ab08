"""The forms in which a watch is named."""

from pathlib import Path

import pytest

from ksos_link.errors import UsageError
from ksos_link.operations.target import (
    BluetoothTarget,
    NetworkTarget,
    ReplayTarget,
    Target,
    VirtualTarget,
    check_alias,
    is_address,
    parse_target,
    target_of,
)

MAC = "5A2F0B3C-11D2-4D64-9C0A-0123456789AB"


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("aa:bb:cc:dd:ee:0f", BluetoothTarget("AA:BB:CC:DD:EE:0F")),
        (MAC.lower(), BluetoothTarget(MAC)),
        ("virtual:ido", VirtualTarget("ido", {})),
        (
            "virtual:ido?scenario=month&fault=lose@3,drop@4",
            VirtualTarget("ido", {"scenario": "month", "fault": "lose@3,drop@4"}),
        ),
        ("virtual:ido?fault=", VirtualTarget("ido", {"fault": ""})),
        ("virtual:tcp:127.0.0.1:9000", NetworkTarget("tcp:127.0.0.1:9000")),
        ("replay:my captures/one.txt", ReplayTarget(Path("my captures/one.txt"))),
    ],
)
def test_an_address(text: str, target: Target) -> None:
    assert is_address(text)
    assert parse_target(text) == target


@pytest.mark.parametrize(
    "text",
    ["", "wrist", "virtual:", "replay:", "AA:BB:CC:DD:EE", "AA:BB:CC:DD:EE:FG", "aabbccddeeff"],
)
def test_no_address(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_target(text)
    assert text not in str(caught.value) or not text
    assert caught.value.hint


def test_a_virtual_watch_that_was_remembered_was_bound() -> None:
    again = target_of("virtual:ido?scenario=never-bound")
    assert again == VirtualTarget("ido", {"bound": "yes", "scenario": "never-bound"})
    assert target_of("virtual:ido?bound=no") == VirtualTarget("ido", {"bound": "no"})
    assert target_of("AA:BB:CC:DD:EE:FF") == BluetoothTarget("AA:BB:CC:DD:EE:FF")


@pytest.mark.parametrize("alias", ["wrist", "Annas.Uhr_2", "腕時計", "a" * 40])
def test_a_name_that_can_be_given(alias: str) -> None:
    assert check_alias(alias) == alias


@pytest.mark.parametrize(
    "alias", ["", "a" * 41, "two words", "x\ty", "../x", "AA:BB:CC:DD:EE:FF", MAC, "virtual:ido"]
)
def test_a_name_that_cannot(alias: str) -> None:
    with pytest.raises(UsageError):
        check_alias(alias)
