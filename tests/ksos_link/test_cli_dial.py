"""`ksos dial`: a folder becomes a dial, a dial a folder and a picture; bad files harm nothing."""

import inspect
import io
import json
import re
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from firmware_protocol.families.ido.dial_file import objections
from ksos_link.config import Home
from ksos_link.errors import KsosError
from ksos_link.operations.dial_file import open_dial_file
from ksos_link.operations.dial_folder import unpack

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, Said, SizeLimit

MANUAL = Path(__file__).parents[2] / "docs" / "manual.md"
RED, GREEN, WHITE = (255, 0, 0, 255), (0, 255, 0, 255), (255, 255, 255, 255)
HOUR = {"widget": "custom", "type": "hour", "x": 1, "y": 2, "w": 8, "h": 2, "font": "num"}
DOT = {"widget": "custom", "type": "icon", "x": -1, "y": 7, "bg": "dot.png"}
SCREEN = ("--screen", "10x10", "--largest-kb", "8")


def png(width: int, height: int, colour: tuple[int, ...] = RED, mode: str = "RGBA") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height), colour).save(out, "PNG")
    return out.getvalue()


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, body in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)
    return folder


def layout(*items: Mapping[str, object], **values: object) -> bytes:
    head = {"name": "made", "preview": "small.bmp", "bkground": "back.png"}
    return json.dumps({**head, **values, "item": items}).encode()


LAYOUT = layout(HOUR, DOT, {"type": "bluetooth"})
# head, table, layout, then pictures of 100, 16, 4 (with a mask) and ten times 4 pixels
SIZE = 8 + 14 * 40 + len(LAYOUT) + 13 * 16 + 200 + 32 + (8 + 2) + 10 * 8


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small dial as a designer has it, without an index."""
    digits = {f"num_{digit}.png": png(2, 2, WHITE) for digit in range(9)}
    return write(
        tmp_path / "design",
        {
            "iwf.json": LAYOUT,
            "back.png": png(10, 10),
            "small.bmp.png": png(4, 4, GREEN),
            "dot.png": png(2, 2, (0, 0, 255, 128)),
            **digits,
            "num/9.png": png(2, 2, WHITE),
        },
    )


@pytest.fixture
def dial(ksos: "CommandLine", folder: Path, tmp_path: Path) -> Path:
    return built(ksos, folder, tmp_path / "made.iwf.lz")


def built(ksos: "CommandLine", folder: Path, out: Path) -> Path:
    said = ksos("dial", "build", folder, "--out", out, *SCREEN)
    assert (said.code, said.err) == (0, "")
    return out


def refused(said: "Said", code: int, *words: str) -> None:
    """One plain message, a hint, and the exit code."""
    assert said.code == code
    error, *hint = said.err.splitlines()
    assert error.startswith("error: ")
    assert len(hint) <= 1
    assert "Traceback" not in said.err
    for word in words:
        assert word in said.err


def test_a_folder_becomes_a_dial_that_info_reads(
    ksos: "CommandLine", folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "made.iwf.lz"
    said = ksos("dial", "build", folder, "--out", out, *SCREEN)
    assert said.out.startswith(f"The dial is written: {out} (14 files, {SIZE} bytes, compressed ")
    found = json.loads(ksos("dial", "info", out, "--json").out)
    assert {key: found[key] for key in found if key != "files"} == {
        "file": str(out),
        "format": "iwf",
        "title": "made",
        "width_px": 10,
        "height_px": 10,
        "file_bytes": out.stat().st_size,
        "dial_bytes": SIZE,
        "block_bytes": 1024,
        "remarks": [],
    }
    files = {file.pop("name"): file for file in found["files"]}
    assert list(files)[:2] == ["iwf.json", "back.png"]
    assert files["back.png"] == {
        "kind": "picture",
        "size_bytes": 216,
        "size": "10x10",
        "encoding": "rgb565a",
    }
    assert files["num_9"]["kind"] == "glyph"
    assert files["dot.png"]["encoding"] == "rgb565a+mask4"
    assert files["small.bmp"]["size"] == "4x4"


def test_info_in_words(ksos: "CommandLine", dial: Path) -> None:
    said = ksos("dial", "info", dial)
    assert (said.code, said.err) == (0, "")
    assert "title        made\nwidth px     10\n" in said.out
    assert "\nback.png\tpicture\t216\t10x10\trgb565a\n" in said.out


def test_unpacked_and_built_again_is_the_same(
    ksos: "CommandLine", dial: Path, tmp_path: Path
) -> None:
    first = ksos("dial", "unpack", dial, "--out", tmp_path / "one")
    assert first.out == f"14 files in {tmp_path / 'one'}\n"
    again = built(ksos, tmp_path / "one", tmp_path / "again.iwf.lz")
    assert again.read_bytes() == dial.read_bytes()
    assert (tmp_path / "one" / "small.bmp.png").exists()
    plain = built(ksos, tmp_path / "one", tmp_path / "plain.iwf")
    assert plain.read_bytes()[:4] == b"iwf\0"
    ksos("dial", "unpack", plain, "--out", tmp_path / "two")
    names = sorted(file.name for file in (tmp_path / "two").iterdir())
    assert names == sorted(file.name for file in (tmp_path / "one").iterdir())
    for name in names:
        assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


def test_a_changed_picture_changes_the_dial(
    ksos: "CommandLine", dial: Path, tmp_path: Path
) -> None:
    ksos("dial", "unpack", dial, "--out", tmp_path / "one")
    write(tmp_path / "one", {"back.png": png(10, 10, GREEN[:3], "RGB"), "notes.txt": b"mine"})
    said = ksos("dial", "build", tmp_path / "one", "--out", tmp_path / "green.iwf")
    assert (said.code, said.err) == (0, "left out: notes.txt\n")
    ksos("dial", "preview", tmp_path / "green.iwf", "--compose", "--out", tmp_path / "p.png")
    with Image.open(tmp_path / "p.png") as image:
        assert image.getpixel((5, 9)) == GREEN


def test_larger_blocks_where_the_watch_has_them(
    ksos: "CommandLine", folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "made.iwf.lz"
    write(folder, {"back.png": png(64, 64)})
    assert ksos("dial", "build", folder, "--out", out, "--block-bytes", "4096").code == 0
    assert json.loads(ksos("dial", "info", out, "--json").out)["block_bytes"] == 4096
    said = ksos("dial", "build", folder, "--out", out, "--block-bytes", "1000", "--force")
    refused(said, 5, "blocks have 1024 or 4096 bytes")


def test_the_examples_of_the_manual_run(
    ksos: "CommandLine", folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, {"back.png": png(120, 240)})
    for name in ("witch.iwf", "witch.iwf.lz"):
        assert ksos("dial", "build", folder, "--out", tmp_path / name).code == 0
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"`ksos (dial \w+ witch.*)`", MANUAL.read_text("utf-8"))
    assert len(examples) == 9
    for example in examples:
        words = [*example.split(), *(["--force"] if " build " in example else [])]
        said = ksos(*words)
        assert (said.code, "Traceback" in said.err) == (0, False), (example, said.err)


def test_the_manual_names_every_field_and_objection(ksos: "CommandLine", dial: Path) -> None:
    text = MANUAL.read_text("utf-8").partition("## ksos dial info")[2]
    found = json.loads(ksos("dial", "info", dial, "--json").out)
    assert {key for key in (*found, *found["files"][1]) if f"`{key}`" not in text} == set()
    source = Path(inspect.getfile(objections)).read_text("utf-8")
    names = re.findall(r'DialObjection\(\s*"([a-z-]+)"', source)
    table = text.partition("| Objection |")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"`([a-z][a-z-]+)`", table)) == sorted(names)


# ---- check


def test_a_sound_dial_passes(ksos: "CommandLine", dial: Path) -> None:
    assert ksos("dial", "check", dial, *SCREEN).out == "Nothing speaks against it.\n"
    said = ksos("dial", "check", dial, "--json")
    assert json.loads(said.out) == {"file": str(dial), "objections": []}


def test_all_objections_are_named_at_once(ksos: "CommandLine", dial: Path) -> None:
    strict = ("--screen", "3x3", "--largest-kb", "1")
    said = ksos("dial", "check", dial, *strict)
    refused(said, 7, "There are 3 objections.")
    assert said.out.splitlines() == [
        "objection\twhat it is",
        "wrong-screen\tthe background is 10x10, the screen 3x3",
        "picture-size\t'small.bmp' is 4x4, larger than the screen 3x3",
        f"too-large\tthe dial has {SIZE} bytes, the watch takes 1024",
    ]
    accepted = ("--accept", "wrong-screen", "--accept", "too-large")
    said = ksos("dial", "check", dial, *strict, *accepted, "--json")
    refused(said, 7, "There is 1 objection.")
    assert [one["name"] for one in json.loads(said.out)["objections"]] == ["picture-size"]
    assert ksos("dial", "check", dial, *strict, *accepted, "--accept", "picture-size").code == 0


@pytest.mark.parametrize("screen", ["120", "0x0x0", "axb", "-1x5", "120x99999"])
def test_a_screen_is_width_and_height(ksos: "CommandLine", dial: Path, screen: str) -> None:
    refused(ksos("dial", "check", dial, f"--screen={screen}"), 2, "120x240")


def test_objections_keep_a_dial_from_being_built(
    ksos: "CommandLine", folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "made.iwf"
    (folder / "num_3.png").unlink()
    said = ksos("dial", "build", folder, "--out", out, *SCREEN)
    refused(said, 7, "There is 1 objection", "Nothing was written")
    assert "missing-glyph\tthe font 'num' lacks the digits 3" in said.out
    assert not out.exists()
    said = ksos("dial", "build", folder, "--out", out, *SCREEN, "--accept", "missing-glyph")
    assert (said.code, out.exists()) == (0, True)


# ---- preview


def test_the_picture_that_a_dial_brings(ksos: "CommandLine", dial: Path, tmp_path: Path) -> None:
    out = tmp_path / "own.png"
    said = ksos("dial", "preview", dial, "--out", out)
    assert (said.out, said.err) == (f"The picture is written: {out} (4x4 pixels)\n", "")
    with Image.open(out) as image:
        assert (image.format, image.size, image.getpixel((0, 0))) == ("PNG", (4, 4), GREEN)


def test_a_drawn_dial(ksos: "CommandLine", dial: Path, tmp_path: Path) -> None:
    out = tmp_path / "drawn.png"
    said = ksos("dial", "preview", dial, "--compose", "--out", out)
    assert (said.code, said.err) == (0, "bluetooth: not drawn\n")
    assert ksos("dial", "preview", dial, "--compose", "--out", out, "--force", "--quiet").err == ""
    with Image.open(out) as image:
        seen = {(x, y): image.getpixel((x, y)) for x in range(10) for y in range(10)}
    white = {place for place, colour in seen.items() if colour == WHITE}
    assert white == {(x, y) for x in range(1, 5) for y in (2, 3)}  # 1 and 0, two pixels wide each
    blue = {place: colour for place, colour in seen.items() if colour not in (WHITE, RED)}
    assert list(blue) == [(0, 7), (0, 8)]  # the rest lies outside
    assert all(colour[2] == pytest.approx(136, abs=2) for colour in blue.values())  # type: ignore[index]


def test_hands_are_turned(ksos: "CommandLine", folder: Path, tmp_path: Path) -> None:
    hand = {"hour": "hand.png", "hourcenterx": 0, "hourcentery": 8}
    watch = {"widget": "watch", "type": "time", **hand, "houranchorx": 10, "houranchory": 10}
    away = {"type": "icon", "bg": "dot.png", "x": -50, "y": 3}
    write(
        folder,
        {
            "iwf.json": layout(watch, away),
            "back.png": png(20, 20),
            "hand.png": png(1, 8, WHITE),
        },
    )
    out = tmp_path / "watch.iwf"
    assert ksos("dial", "build", folder, "--out", out).code == 0
    assert ksos("dial", "preview", out, "--compose", "--out", tmp_path / "p.png").code == 0
    with Image.open(tmp_path / "p.png") as image:
        points = {(10, 3): WHITE, (5, 6): WHITE, (6, 7): WHITE}
        bright = {place for place in points if max(_near(image, place)) > 128}
    assert bright == {(5, 6), (6, 7)}  # ten past ten points to the upper left


def _near(image: Image.Image, place: tuple[int, int]) -> list[int]:
    """How green the pixels around a place are: the ground is red, the hand white."""
    pixels = image.crop((place[0] - 1, place[1] - 1, place[0] + 2, place[1] + 2))
    return list(pixels.getchannel("G").tobytes())


def test_a_dial_without_its_picture_or_ground(
    ksos: "CommandLine", folder: Path, tmp_path: Path
) -> None:
    write(folder, {"iwf.json": layout(preview="", bkground="")})
    out = tmp_path / "bare.iwf"
    assert ksos("dial", "build", folder, "--out", out, "--accept", "no-background").code == 0
    said = ksos("dial", "preview", out, "--out", tmp_path / "p.png")
    refused(said, 3, "brings no picture of itself", "--compose")
    said = ksos("dial", "preview", out, "--compose", "--out", tmp_path / "p.png")
    refused(said, 5, "no background picture")
    assert not (tmp_path / "p.png").exists()
    assert json.loads(ksos("dial", "info", out, "--json").out)["width_px"] is None


# ---- what must not be written


def test_nothing_is_overwritten_unless_forced(
    ksos: "CommandLine", dial: Path, folder: Path, tmp_path: Path
) -> None:
    there = write(tmp_path, {"there.png": b"mine"}) / "there.png"
    refused(ksos("dial", "preview", dial, "--out", there), 2, "is there already", "--force")
    before = dial.read_bytes()
    refused(ksos("dial", "build", folder, "--out", dial), 2, "is there already")
    taken = write(tmp_path / "taken", {"iwf.json": b"mine"})
    refused(ksos("dial", "unpack", dial, "--out", taken), 2, "iwf.json is there already")
    assert [file.name for file in taken.iterdir()] == ["iwf.json"]
    assert (there.read_bytes(), dial.read_bytes()) == (b"mine", before)
    assert (taken / "iwf.json").read_bytes() == b"mine"
    assert ksos("dial", "preview", dial, "--out", there, "--force").code == 0
    assert ksos("dial", "unpack", dial, "--out", taken, "--force").code == 0
    assert (taken / "iwf.json").read_bytes() == (folder / "iwf.json").read_bytes()


def test_targets_that_are_none(ksos: "CommandLine", dial: Path, tmp_path: Path) -> None:
    refused(ksos("dial", "preview", dial, "--out", tmp_path), 2, "is a folder")
    refused(ksos("dial", "preview", dial, "--out", tmp_path / "no/x.png"), 3, "does not exist")
    refused(ksos("dial", "unpack", dial, "--out", dial), 8, "cannot be made")
    (tmp_path / "odd" / "dial.json").mkdir(parents=True)
    said = ksos("dial", "unpack", dial, "--out", tmp_path / "odd", "--force")
    refused(said, 2, "dial.json is a folder")
    refused(ksos("dial", "build", tmp_path, "--out", tmp_path / "x.zip"), 2, ".iwf, .iwf.lz")
    refused(ksos("dial", "build", tmp_path / "no", "--out", tmp_path / "x.iwf"), 3, "no folder")
    assert ksos("sync", "--device", "virtual:ido?scenario=short").code == 0
    key_file = Home(ksos.home, ksos.home, ksos.home).key_file
    before = key_file.read_bytes()
    said = ksos("dial", "preview", dial, "--out", key_file, "--force")
    refused(said, 2, "belongs to the store")
    assert key_file.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of sizes there")
def test_a_full_disk_leaves_no_half_file(
    ksos: "CommandLine", dial: Path, tmp_path: Path, file_size_limit: "SizeLimit"
) -> None:
    with file_size_limit(10):
        said = ksos("dial", "preview", dial, "--out", tmp_path / "p.png")
    refused(said, 8, "cannot be written")
    assert not [file for file in tmp_path.iterdir() if file.name.startswith("p.png")]


# ---- bad input


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "is no dial"),
        (b"#!/bin/sh\n", "is no dial"),
        (b"PK\x03\x04rest", "is a zip"),
        (b"iwf\0\1\0\x09\0", "the table of files is cut"),
        (bytes((16 << 20) + 1), "larger than any dial"),
    ],
)
@pytest.mark.parametrize(
    "verb", [("info",), ("check",), ("preview", "--out", "p.png"), ("unpack", "--out", "f")]
)
def test_what_is_no_dial_is_refused(
    ksos: "CommandLine",
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    body: bytes,
    words: str,
    verb: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.iwf").write_bytes(body)
    refused(ksos("dial", verb[0], "bad.iwf", *verb[1:]), 5, words)
    assert [file.name for file in tmp_path.iterdir()] == ["bad.iwf"]


def test_a_cut_or_doubled_file_is_refused(ksos: "CommandLine", dial: Path, tmp_path: Path) -> None:
    data = dial.read_bytes()
    cut = tmp_path / "cut.iwf.lz"
    cut.write_bytes(data[:-1])
    refused(ksos("dial", "info", cut), 5, "is damaged: the last block is cut")
    cut.write_bytes(data + data)
    assert "blocks of different sizes" in ksos("dial", "check", cut).err


def test_a_file_that_is_not_there(ksos: "CommandLine", tmp_path: Path) -> None:
    refused(ksos("dial", "info", tmp_path / "no.iwf"), 3, "cannot be read")
    refused(ksos("dial", "info", tmp_path), 3, "cannot be read")


@pytest.mark.parametrize(
    ("files", "code", "words"),
    [
        ({"back.png": b"GIF89a" + bytes(40)}, 5, "back.png is no PNG"),
        ({"back.png": b"short"}, 5, "back.png is no PNG"),
        ({"back.png": png(10, 10)[:40]}, 5, "or a damaged one"),
        ({"back.png": png(4097, 1)}, 5, "too large: 4097x1 pixels"),
        ({"back.png": png(1, 1)[:16] + struct.pack(">II", 4000, 4000)}, 5, "4000x4000"),
        ({"iwf.json": b"{"}, 5, "iwf.json is no JSON"),
        ({"iwf.json": b"[]"}, 5, "iwf.json is no JSON object"),
        ({"x" * 33 + ".png": png(1, 1)}, 5, "1 to 32 bytes"),
        ({"dial.json": b"[]"}, 5, "has no list of files"),
        ({"dial.json": b'{"files": [1]}'}, 5, "File 1"),
        ({"dial.json": b'{"files": [{"name": "a"}]}'}, 5, "File 1"),
        ({"dial.json": b'{"files": [{"name": "a", "file": "b", "x": 1}]}'}, 5, "File 1"),
        ({"dial.json": b'{"files": [{"name": "a", "file": "../b"}]}'}, 5, "no plain file name"),
        ({"dial.json": b'{"files": [{"name": "a", "file": "b"}]}'}, 3, "cannot be read"),
        (
            {"dial.json": b'{"files": [{"name":"a","file":"back.png","encoding":"png"}]}'},
            5,
            "'png' is no format",
        ),
        (
            {"dial.json": b'{"files": [{"name":"a","file":"back.png","encoding":"mask4"}]}'},
            5,
            "it has colours",
        ),
        (
            {"dial.json": b'{"files": [{"name":"a","file":"dot.png","encoding":"rgb565"}]}'},
            5,
            "transparent pixels",
        ),
    ],
)
def test_a_folder_that_gives_no_dial(
    ksos: "CommandLine",
    folder: Path,
    tmp_path: Path,
    files: dict[str, bytes],
    code: int,
    words: str,
) -> None:
    write(folder, files)
    refused(ksos("dial", "build", folder, "--out", tmp_path / "x.iwf"), code, words)
    assert not (tmp_path / "x.iwf").exists()


def test_an_index_that_names_a_large_file_again_and_again(
    ksos: "CommandLine", folder: Path, tmp_path: Path
) -> None:
    rows = [{"name": str(number), "file": "large"} for number in range(1000)]
    write(folder, {"large": bytes(9 << 20), "dial.json": json.dumps({"files": rows}).encode()})
    said = ksos("dial", "build", folder, "--out", tmp_path / "x.iwf")
    refused(said, 5, "larger than any dial")


def test_a_folder_without_a_layout(ksos: "CommandLine", tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = ksos("dial", "build", tmp_path / "empty", "--out", tmp_path / "x.iwf")
    refused(said, 3, "There is no iwf.json")


def test_hidden_and_other_files_are_left_out(
    ksos: "CommandLine", folder: Path, tmp_path: Path
) -> None:
    write(folder, {".DS_Store": b"x", "readme.txt": b"x", "font.json": b"{}"})
    said = ksos("dial", "build", folder, "--out", tmp_path / "x.iwf")
    assert (said.code, said.err) == (0, "left out: readme.txt\n")
    names = [row["name"] for row in json.loads(
        ksos("dial", "info", tmp_path / "x.iwf", "--json").out
    )["files"]]  # fmt: skip
    assert names[:2] == ["iwf.json", "font.json"]


def container(files: list[tuple[bytes, bytes]]) -> bytes:
    table, bodies = b"", b""
    for name, body in files:
        table += struct.pack("<32sII", name, 8 + 40 * len(files) + len(bodies), len(body))
        bodies += body
    return struct.pack("<4sHH", b"iwf", 1, len(files)) + table + bodies


def test_names_with_paths_stay_in_the_folder(ksos: "CommandLine", tmp_path: Path) -> None:
    names = [
        *(b"../../up", b"/etc/x", b"c:\\y", b"..", b".", b"", b"a", b"A", b"a", b"con.png"),
        *(b"dial.json", b"x\x1b[2J", b"\xff", b"iwf.json"),
    ]
    bad = tmp_path / "in" / "bad.iwf"
    write(tmp_path / "in", {"bad.iwf": container([(name, b"1") for name in names])})
    inside = tmp_path / "in" / "out"
    said = ksos("dial", "unpack", bad, "--out", inside)
    assert (said.code, said.out) == (0, f"14 files in {inside}\n")
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == ["bad.iwf", "out"]
    files = [file.name for file in inside.iterdir()]
    assert len({name.lower() for name in files}) == 15
    assert all(name.isascii() and name.isprintable() and "/" not in name for name in files)
    checked = ksos("dial", "check", bad)
    assert checked.code == 7
    assert "\x1b" not in checked.out + checked.err
    shown = ksos("dial", "info", bad)
    assert "\x1b" not in shown.out + shown.err
    assert "remark: iwf.json cannot be read: no JSON object" in shown.err
    # the index kept the names; those that no container may hold twice or empty are refused
    said = ksos("dial", "build", inside, "--out", tmp_path / "x.iwf")
    refused(said, 5, "must have 1 to 32 bytes")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.binary(max_size=32), st.binary(max_size=40)), max_size=6), st.data())
def test_no_container_writes_outside_its_folder(
    tmp_path_factory: pytest.TempPathFactory, files: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    body = bytearray(container(files))
    if data.draw(st.booleans()):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    room = tmp_path_factory.mktemp("room")
    (room / "x.iwf").write_bytes(body)
    try:
        count = unpack(open_dial_file(room / "x.iwf"), room / "out", force=False)
    except KsosError:
        assert [file.name for file in room.iterdir()] == ["x.iwf"]
        return
    assert sorted(file.name for file in room.iterdir()) == ["out", "x.iwf"]
    assert len(list((room / "out").iterdir())) == count + 1
