"""`ksos decode`: one object a packet, a table of sums, every real capture."""

import io
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ksos_link.transports.capture_file import read_capture

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

CAPTURES = Path(os.environ.get("KSOS_CAPTURES") or Path(__file__).parents[3] / "shared/captures")
FILES = sorted(path for path in CAPTURES.glob("ido/*") if path.suffix in (".txt", ".rec"))
KEYS = (
    *("line", "dir", "char", "hex", "family", "message", "fields", "part_of", "padding"),
    *("roundtrip", "error"),
)
needs_captures = pytest.mark.skipif(not FILES, reason="no captures here; set KSOS_CAPTURES")

CLEAN = """\
# made up
0.000 TX 0af6 0201
 RX - 0201140211010040010001002802010303
"""


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    file = tmp_path / "capture.txt"
    file.write_text(CLEAN, "utf-8")
    return file


def test_a_packet_as_json(ksos: "CommandLine", capture: Path) -> None:
    said = ksos("decode", capture, "--json")
    assert said.code == 0
    asked, answered = map(json.loads, said.out.splitlines())
    assert tuple(asked) == KEYS
    assert asked == {
        "line": 2,
        "dir": "TX",
        "char": "0af6",
        "hex": "0201",
        "family": "ido",
        "message": "ido.get.device_info",
        "fields": {},
        "part_of": None,
        "padding": 0,
        "roundtrip": True,
        "error": None,
    }
    assert (answered["line"], answered["char"]) == (3, "-")
    assert answered["fields"]["battery_pct"] == 64


def test_the_sums_go_to_stderr_in_each_form(ksos: "CommandLine", capture: Path) -> None:
    table = ksos("decode", capture, "--json").err
    assert table == ksos("decode", capture).err
    lines = table.splitlines()
    assert lines[1].split() == ["message", "packets", "messages", "decoded", "trips", "bytes"]
    assert lines[2].split() == ["ido.get.device_info", "1", "1", "1", "1", "0"]
    assert lines[-1].split() == ["total", "2", "2", "2", "2", "0"]
    assert ksos("decode", capture, "--quiet").err == ""


def test_words_for_people(ksos: "CommandLine", capture: Path) -> None:
    lines = ksos("decode", capture).out.splitlines()
    assert lines[0] == "    2 TX ido.get.device_info"
    assert lines[1].startswith("    3 RX ido.get.device_info.reply device_id=532 ")


def test_strict(ksos: "CommandLine", capture: Path) -> None:
    assert ksos("decode", capture, "--strict").code == 0
    with capture.open("a", encoding="utf-8") as file:
        file.write(" TX 0af6 c0ffee\n")
    assert ksos("decode", capture).code == 0
    said = ksos("decode", capture, "--strict")
    assert said.code == 5
    assert "Not everything in the capture is known" in said.err
    assert "ido.get.device_info" in said.out


def test_the_family_can_be_named(ksos: "CommandLine", capture: Path) -> None:
    assert ksos("decode", capture, "--family", "ido").code == 0
    said = ksos("decode", capture, "--family", "sundial")
    assert said.code == 2
    assert "Choose from: ido" in said.err


def test_a_capture_through_a_pipe(
    ksos: "CommandLine", capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(capture.read_bytes())))
    assert ksos("decode", "-", "--json").out == ksos("decode", capture, "--json").out


def test_a_file_without_packets(ksos: "CommandLine", tmp_path: Path) -> None:
    file = tmp_path / "bodies.rec"
    file.write_text("REC 04 data 01\nREC 04 data 02\n", "utf-8")
    said = ksos("decode", file, "--json")
    assert (said.code, said.out) == (0, "")
    assert "2 REC lines hold record bodies" in said.err


@needs_captures
@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_every_capture_has_one_object_per_packet(ksos: "CommandLine", file: Path) -> None:
    said = ksos("decode", file, "--json")
    assert said.code == 0
    found = [json.loads(line) for line in said.out.splitlines()]
    packets = read_capture(file).packets
    assert [(one["line"], one["dir"], one["hex"]) for one in found] == [
        (packet.line, packet.direction, packet.data.hex()) for packet in packets
    ]
    for one in found:
        begun = one["part_of"]
        assert (
            begun is None
            or found[[other["line"] for other in found].index(begun)]["message"] == one["message"]
        )


@needs_captures
def test_the_coverage_of_the_captures(ksos: "CommandLine") -> None:
    packets, unknown = 0, Counter[str]()
    for file in FILES:
        for line in ksos("decode", file, "--json").out.splitlines():
            one = json.loads(line)
            packets += 1
            unknown[one["message"] or "unknown"] += not (one["roundtrip"] and not one["error"])
    missing = {name: count for name, count in unknown.items() if count}
    share = 1 - unknown.total() / packets
    with ksos.capsys.disabled():
        sys.stdout.write(f"\n{packets} packets of {len(FILES)} captures: {share:.2%} ")
        sys.stdout.write(f"decode with a true round trip; the rest: {missing or 'none'}\n")
    assert share >= 0.95
