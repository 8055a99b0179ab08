"""Any command's traffic as a capture: whole, readable, and without the person in it."""

from pathlib import Path
from typing import TYPE_CHECKING

from ksos_link.operations.decode import decode_capture

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

WATCH = "virtual:ido?scenario=empty&bound=yes"


def test_a_setting_is_recorded_and_decodes(ksos: "CommandLine", tmp_path: Path) -> None:
    file = tmp_path / "dnd.txt"
    words = ("dnd", "set", "--night", "on", "--start", "22:00")
    assert ksos("--device", WATCH, *words, "--record", file).code == 0
    named = [report.message for report in decode_capture(file).reports]
    assert named.index("ido.set.dnd") < named.index("ido.event.changed")
    assert named[-1] == "ido.get.dnd.reply"
    assert None not in named


def test_what_is_private_is_masked(ksos: "CommandLine", tmp_path: Path) -> None:
    file = tmp_path / "notice.txt"
    said = ksos(
        "--device", WATCH, "notice", "send", "--title", "Anna", "secret", KSOS_RECORD=str(file)
    )
    assert said.code == 0
    text = file.read_text()
    assert b"Anna".hex() not in text
    assert b"secret".hex() not in text
    assert "F92412000001" not in text.upper()


def test_a_command_that_meets_nobody_writes_nothing(ksos: "CommandLine", tmp_path: Path) -> None:
    assert ksos("virtual", "list", "--record", tmp_path / "none.txt").code == 0
    assert not (tmp_path / "none.txt").exists()
    said = ksos("--device", WATCH, "find", "stop", "--record", tmp_path / "no" / "file.txt")
    assert said.code == 3
    assert ksos("--device", WATCH, "find", "stop", "--record", tmp_path).code == 3


def test_a_failure_is_recorded_too(ksos: "CommandLine", tmp_path: Path) -> None:
    file = tmp_path / "failed.txt"
    assert ksos("--device", WATCH, "camera", "on", "--record", file).code == 6
    assert file.exists()
