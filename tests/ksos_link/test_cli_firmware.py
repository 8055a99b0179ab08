"""`ksos firmware info` and `check`: what people see, exit codes, and that nothing is written."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.firmware_protocol import image_builders as build

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, Said

KEY = ec.generate_private_key(ec.SECP256R1())
MANUAL = (Path(__file__).parents[2] / "docs" / "manual.md").read_text("utf-8")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with a key and files of some formats."""
    folder = tmp_path / "release"
    folder.mkdir()
    monkeypatch.chdir(folder)
    files: Mapping[str, bytes] = {
        "release.pem": build.pem_of(KEY),
        "app.zip": build.secure_zip(key=KEY),
        "bad.zip": build.secure_zip(said=build.InitFields(app_size=250, type=2)),
        "signed.bin": build.mcuboot_image(key=KEY),
        "845.fw": build.ido_fw(),
        "537.bin": build.aota(),
        "pine.zip": build.infinitime_zip(),
        "pack.bin": build.realtek_pack({5: build.realtek_bee2()}),
        "watch.ufw": b"JieLi",
        "plain.bin": b"abc",
        "plain.bin.toml": build.sidecar_toml(b"abc", transport="smp"),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def object_of(said: "Said") -> dict[str, Any]:  # one JSON object
    (line,) = said.out.splitlines()
    value: dict[str, Any] = json.loads(line)
    return value


def told(said: "Said", code: int, message: str) -> None:
    assert said.code == code
    assert said.err.startswith("error: ")
    assert message in said.err
    assert "\nhint: " in said.err
    assert "Traceback" not in said.err


def test_info_shows_the_file_and_each_part(ksos: "CommandLine", place: Path) -> None:
    said = ksos("firmware", "info", "app.zip")
    assert (said.code, said.err) == (0, "")
    head, part = said.out.split("\n\n")
    assert "format      nordic-secure-zip\ntransport   nordic-secure" in head
    assert "part               application\n" in part
    assert "init packet bytes  134\n" in part
    assert "softdevices        0100\n" in part
    assert not ksos.home.exists()  # a look at a file leaves no trace
    assert len(list(place.iterdir())) == 11


def test_info_as_json(ksos: "CommandLine", place: Path) -> None:
    told_as = object_of(ksos("firmware", "info", "app.zip", "--json"))
    assert told_as["size_bytes"] == (place / "app.zip").stat().st_size
    assert told_as["objections"] == []
    (part,) = told_as["parts"]
    assert (part["kind"], part["size_bytes"], part["head_bytes"]) == ("application", 256, 134)
    assert part["digests"].keys() == {"sha256"}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("537.bin", "files 2     name TEMP.bin, offset 1030, size bytes 256, crc32 29058c73"),
        ("pine.zip", "mcuboot tlvs          sha256"),
        ("pack.bin", "pack version  2"),
        ("signed.bin", "version       1.2.3+4"),
        ("plain.bin", "product     Example Watch 2"),
        ("plain.bin", "sidecar     plain.bin.toml"),
        ("watch.ufw", "format      jieli-ufw"),
        ("845.fw", "transport   ido-d1"),
    ],
)
def test_info_knows_every_format(ksos: "CommandLine", place: Path, name: str, line: str) -> None:
    assert place.exists()
    said = ksos("firmware", "info", name)
    assert said.code == 0
    assert line in said.out.splitlines()


def test_info_of_a_bad_file_points_to_its_check(ksos: "CommandLine", place: Path) -> None:
    assert place.exists()
    said = ksos("firmware", "info", "bad.zip")
    assert (said.code, said.err) == (0, "2 objections; see: ksos firmware check FILE\n")
    assert ksos("firmware", "info", "bad.zip", "--quiet").err == ""


def test_check_of_a_sound_file(ksos: "CommandLine", place: Path) -> None:
    assert place.exists()
    said = ksos("firmware", "check", "app.zip", "--public-key", "release.pem")
    assert said.code == 0
    rows = [line.split("\t") for line in said.out.splitlines()]
    assert rows[0] == ["check", "part", "result", "what was found"]
    assert {row[2] for row in rows[1:]} == {"passed"}
    assert ["signature", "application", "passed", "ECDSA P-256 verified"] in rows
    assert said.err == "Nothing speaks against it: 9 passed.\n"
    without = ksos("firmware", "check", "app.zip")
    assert without.err == "Nothing speaks against it: 8 passed, 1 skipped.\n"
    assert ksos("firmware", "check", "app.zip", "--quiet").err == ""


def test_check_names_all_objections_at_once(ksos: "CommandLine", place: Path) -> None:
    assert place.exists()
    said = ksos("firmware", "check", "bad.zip", "--public-key", "release.pem")
    told(said, 7, "3 objections: kind, size, signature.")
    rows = [line.split("\t") for line in said.out.splitlines()]
    assert [row[0] for row in rows if row[2] == "failed"] == ["kind", "size", "signature"]
    as_json = ksos("firmware", "check", "bad.zip", "--json")
    told(as_json, 7, "2 objections: kind, size.")
    made = object_of(as_json)
    assert (made["sound"], made["objections"]) == (False, ["kind", "size"])
    assert {"check", "part", "result", "text"} == set(made["checks"][0])


def test_check_with_a_key_objects_to_what_is_not_signed(ksos: "CommandLine", place: Path) -> None:
    assert place.exists()
    for name in ("845.fw", "537.bin", "pine.zip", "pack.bin", "plain.bin"):
        assert ksos("firmware", "check", name).code == 0
        said = ksos("firmware", "check", name, "--public-key", "release.pem")
        told(said, 7, "1 objection: unsigned.")


def test_check_of_a_foreign_file_says_why_not(ksos: "CommandLine", place: Path) -> None:
    assert place.exists()
    said = ksos("firmware", "check", "watch.ufw")
    told(said, 7, "1 objection: unsupported.")
    assert "bound to the key of one chip" in said.out
    assert "its maker's own program" in said.err


def test_what_is_no_firmware_is_malformed(ksos: "CommandLine", place: Path) -> None:
    told(ksos("firmware", "info", "release.pem"), 5, "of no known format; tried: ")
    (place / "cut.zip").write_bytes((place / "app.zip").read_bytes()[:-40])
    told(ksos("firmware", "check", "cut.zip"), 5, "the archive is cut short")
    (place / "evil.zip").write_bytes(build.zip_of({"../../evil": b"x"}))
    told(ksos("firmware", "check", "evil.zip"), 5, "leads out of its folder")


def test_a_sidecar_that_is_wrong_is_named(ksos: "CommandLine", place: Path) -> None:
    (place / "plain.bin").write_bytes(b"abX")
    told(ksos("firmware", "check", "plain.bin"), 7, "1 objection: digest.")
    (place / "plain.bin.toml").write_text("colour = 1")
    told(ksos("firmware", "check", "plain.bin"), 5, "colour is no field of a sidecar manifest")
    (place / "plain.bin.toml").write_bytes(bytes(70_000))
    told(ksos("firmware", "check", "plain.bin"), 5, "plain.bin.toml is larger than 64 KiB")


def test_a_file_that_is_none(ksos: "CommandLine", place: Path) -> None:
    told(ksos("firmware", "info", "nothing.zip"), 3, "nothing.zip cannot be read: No such file")
    told(ksos("firmware", "info", place), 3, "is no file")
    told(ksos("firmware", "info", "a\0b"), 3, "cannot be read")
    told(ksos("firmware", "check", "app.zip", "--public-key", "no.pem"), 3, "no.pem cannot be read")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(ksos: "CommandLine", place: Path) -> None:
    os.mkfifo(place / "pipe")
    told(ksos("firmware", "info", "pipe"), 3, "pipe is no file")


def test_a_file_beyond_the_limit_is_not_read(ksos: "CommandLine", place: Path) -> None:
    with (place / "huge.bin").open("wb") as file:
        file.truncate((256 << 20) + 1)
    told(ksos("firmware", "info", "huge.bin"), 5, "huge.bin is larger than 256 MiB")


def test_a_key_that_is_none_is_wrong_usage(ksos: "CommandLine", place: Path) -> None:
    assert place.exists()
    said = ksos("firmware", "check", "app.zip", "--public-key", "845.fw")
    told(said, 2, "no public key in PEM form")
    told(ksos("firmware", "check"), 2, "")
    told(ksos("firmware", "check", "app.zip", "--bogus"), 2, "No such option")


@pytest.mark.parametrize("verb", ["info", "check"])
def test_every_field_and_name_stands_in_the_manual(
    ksos: "CommandLine", place: Path, verb: str
) -> None:
    text = MANUAL.partition(f"\n## ksos firmware {verb}\n")[2].partition("\n## ")[0]
    for path in sorted(place.iterdir()):
        if path.suffix in (".pem", ".toml"):
            continue
        made = object_of(ksos("firmware", verb, path.name, "--json"))
        nested = [*made.get("parts", ()), *made.get("checks", ())]
        keys = {*made, *(key for each in nested for key in each)}
        assert {key for key in keys if f"`{key}`" not in text} == set()
        names = {each["check"] for each in made.get("checks", ())}
        assert {name for name in names if f"`{name}`" not in text} == set()
