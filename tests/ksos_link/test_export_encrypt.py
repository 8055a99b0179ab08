"""Exports that leave encrypted: every format, opened by another program; nothing plain on disk."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyrage
import pytest

from ksos_link.age.header import SUFFIX
from ksos_link.export import FORMATS, FolderFormat
from tests.ksos_link.command_results import done, objects

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, SizeLimit

IDENTITY = pyrage.x25519.Identity.generate()
READER = str(IDENTITY.to_public())
HEAD = b"age-encryption.org/v1\n"
NEEDS_A_PLACE = (
    "sqlite",
    "gpx",
)  # a database is not written in order; a virtual watch has no route
DATED = ("apple-health", "fhir", "health-connect", "openmhealth")
SEALED = [each.name for each in FORMATS if each.name not in NEEDS_A_PLACE]


@pytest.fixture
def synced(ksos: "CommandLine") -> "CommandLine":
    assert ksos("watch", "pair", "virtual:ido?scenario=runner", "--alias", "wrist").code == 0
    done(ksos("sync"))
    return ksos


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    file = tmp_path / "key.txt"
    file.write_text(f"# public key: {READER}\n{IDENTITY}\n")
    return file


def files_below(folder: Path) -> dict[str, Path]:
    return {
        str(file.relative_to(folder)): file for file in sorted(folder.rglob("*")) if file.is_file()
    }


def test_every_format_can_be_encrypted_and_holds_the_same(
    synced: "CommandLine", tmp_path: Path
) -> None:
    pytest.importorskip("pyarrow")
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    for name in SEALED:
        for out, more in ((plain / name, ()), (sealed / name, ("--encrypt", READER))):
            out.mkdir(parents=True)
            done(synced("export", "--format", name, "--out", out, *more))
        ours, theirs = files_below(plain / name), files_below(sealed / name)
        assert list(theirs) == [f"{file}{SUFFIX}" for file in ours] != []
        for file, path in ours.items():
            opened = pyrage.decrypt(theirs[f"{file}{SUFFIX}"].read_bytes(), [IDENTITY])
            assert timeless(name, opened) == timeless(name, path.read_bytes()), f"{name}: {file}"


def timeless(name: str, data: bytes) -> bytes:
    """A file without its numbers where the second of the export is one of them."""
    return re.sub(rb"\d+", b"", data) if name in DATED else data


def test_the_files_that_are_told_are_there(synced: "CommandLine", tmp_path: Path) -> None:
    for form in FORMATS:
        if form.name not in NEEDS_A_PLACE:
            out = tmp_path / form.name
            out.mkdir()
            said = synced(
                "export", "--format", form.name, "--out", out, "--encrypt", READER, "--json"
            )
            told = [Path(each["path"]) for each in objects(said)]
            assert all(path.exists() for path in told)
            if not isinstance(form, FolderFormat):
                assert sorted(told) == sorted(files_below(out).values())


class Opened:
    """Every file that this program opens for writing, as the interpreter tells it."""

    def __init__(self) -> None:
        self.paths: list[Path] | None = None
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.paths is not None and event == "open" and isinstance(arguments[0], str):
            path, _, flags = arguments
            if isinstance(flags, int) and flags & 0b11:
                self.paths.append(Path(path))


OPENED = Opened()


@pytest.mark.parametrize("name", ["csv", "apple-health", "fit", "archive"])
def test_nothing_else_is_written_anywhere(name: str, synced: "CommandLine", tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    OPENED.paths = []
    try:
        done(synced("export", "--format", name, "--out", out, "--encrypt", READER))
    finally:
        written, OPENED.paths = OPENED.paths, None
    strange = [
        path for path in written if not path.is_relative_to(out) and path.parent != synced.home
    ]
    inside = [path for path in written if path not in strange and path.parent != synced.home]
    assert [path for path in strange if path.parent != Path("/dev")] == []
    files = files_below(out).values()
    assert len(inside) == len(files) > 0  # each file was opened once, under the name of its part
    assert all(file.read_bytes().startswith(HEAD) for file in files)


def test_a_format_that_cannot_be_encrypted_says_so(synced: "CommandLine", tmp_path: Path) -> None:
    said = synced("export", "--format", "sqlite", "--out", tmp_path, "--encrypt", READER)
    assert said.code == 2
    assert "cannot be encrypted" in said.err
    assert not list(tmp_path.glob("*.sqlite*"))


def test_a_name_gets_the_suffix_once(synced: "CommandLine", tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv.age"):
        out = ("--out", tmp_path / name, "--encrypt", READER)
        done(synced("export", "--metric", "steps", *out))
    assert {file.name for file in tmp_path.glob("?.csv*")} == {"a.csv.age", "b.csv.age"}


def test_standard_output_is_encrypted_too(synced: "CommandLine") -> None:
    def output(*more: str) -> bytes:
        command = [sys.executable, "-m", "ksos_link", "export", "--metric", "steps", "--out", "-"]
        return subprocess.run([*command, *more], capture_output=True, check=True, timeout=60).stdout

    plain = output()
    assert plain.startswith(b"device,start_utc")
    assert pyrage.decrypt(output("--encrypt", READER), [IDENTITY]) == plain
    # files of age cannot follow one another
    assert synced("export", "--format", "jsonl", "--out", "-", "--encrypt", READER).code == 2


def test_a_passphrase_from_the_environment(synced: "CommandLine", tmp_path: Path) -> None:
    out = ("--metric", "steps", "--out", tmp_path / "s.csv", "--encrypt", "passphrase")
    done(synced("export", *out, KSOS_EXPORT_PASSPHRASE="offen gesagt"))
    opened = pyrage.passphrase.decrypt((tmp_path / "s.csv.age").read_bytes(), "offen gesagt")
    assert opened.startswith(b"device,start_utc")
    assert synced("export", *out, KSOS_EXPORT_PASSPHRASE="").code == 2
    assert "KSOS_EXPORT_PASSPHRASE" in synced("export", *out).err


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A person at the terminal who types some secrets."""

    def types(*secrets: str) -> None:
        left = list(secrets)
        monkeypatch.setattr("ksos_link.cli.passphrase.can_ask", lambda: True)
        monkeypatch.setattr("getpass.getpass", lambda *_: left.pop(0))

    return types


def test_a_passphrase_that_is_asked_for(
    synced: "CommandLine", typed: Callable[..., None], tmp_path: Path
) -> None:
    command = (
        "export",
        "--metric",
        "steps",
        "--out",
        tmp_path / "s.csv",
        "--encrypt",
        "passphrase",
    )
    typed("one", "two")
    assert "differ" in synced(*command).err
    typed("")
    assert synced(*command).code == 2
    assert not list(tmp_path.glob("s.csv*"))
    typed("one", "one")
    done(synced(*command))
    assert pyrage.passphrase.decrypt((tmp_path / "s.csv.age").read_bytes(), "one")


@pytest.mark.parametrize(
    "words", [("age1nobody",), ("passphrase", READER), ("ssh-ed25519 AAAA",), ("",)]
)
def test_readers_that_are_none_are_refused_before_anything_is_written(
    words: tuple[str, ...], synced: "CommandLine", tmp_path: Path
) -> None:
    options = [part for word in words for part in ("--encrypt", word)]
    assert synced("export", "--out", tmp_path, *options).code == 2
    assert not list(tmp_path.glob("*.csv*"))


def test_a_full_disk_leaves_no_half_file(
    synced: "CommandLine", file_size_limit: "SizeLimit", tmp_path: Path
) -> None:
    with file_size_limit(3000):
        said = synced("export", "--out", tmp_path, "--encrypt", READER, "--metric", "heart_rate")
    assert said.code == 8
    assert not list(tmp_path.glob("heart_rate*"))


def test_encrypted_files_come_back(synced: "CommandLine", identity: Path, tmp_path: Path) -> None:
    for name in ("archive", "ksos", "fit"):
        done(synced("export", "--format", name, "--out", tmp_path, "--encrypt", READER))
    fit = sorted(tmp_path.glob("*.fit.age"))
    health = tmp_path / "ksos" / "health.kieslect.age"
    other = {"KSOS_HOME": str(tmp_path / "other")}
    said = objects(
        synced(
            "import",
            *(tmp_path / "ksos-archive.zip.age", health, fit[0]),
            *("--identity", identity, "--json"),
            **other,
        )
    )
    assert [each["format"] for each in said] == ["archive", "ksos", "fit"]
    assert all(sum(each["samples"].values()) for each in said)
    stored = set(map(str, files_below(tmp_path / "other")))
    assert not {name for name in stored if not name.startswith(("store", "logs"))}


def test_an_encrypted_archive_gives_the_same_bytes_again(
    synced: "CommandLine", identity: Path, tmp_path: Path
) -> None:
    done(synced("export", "--format", "archive", "--out", tmp_path))
    done(synced("export", "--format", "archive", "--out", tmp_path, "--encrypt", READER))
    other = {"KSOS_HOME": str(tmp_path / "other")}
    file = tmp_path / "ksos-archive.zip.age"
    done(synced("import", file, "--identity", identity, **other))
    again = tmp_path / "again.zip"
    done(synced("export", "--format", "archive", "--out", again, **other))
    assert again.read_bytes() == (tmp_path / "ksos-archive.zip").read_bytes()


def test_what_does_not_open_is_told(synced: "CommandLine", identity: Path, tmp_path: Path) -> None:
    file = tmp_path / "s.csv.age"
    done(synced("export", "--metric", "steps", "--out", file, "--encrypt", READER))
    assert "KSOS_EXPORT_PASSPHRASE" in synced("import", file).err
    assert synced("import", file, KSOS_EXPORT_PASSPHRASE="x").code == 2
    assert synced("import", file, "--identity", tmp_path / "none").code == 3
    assert synced("import", file, "--identity", tmp_path).code == 2
    (tmp_path / "empty").write_text("# nothing\n")
    assert synced("import", file, "--identity", tmp_path / "empty").code == 2
    assert "no format" in synced("import", file, "--identity", identity).err  # a table is none
    file.write_bytes(file.read_bytes()[:-5])
    assert synced("import", file, "--identity", identity).code == 5


def test_an_encrypted_file_is_told_where_nobody_can_be_asked(tmp_path: Path) -> None:
    from ksos_link.errors import UsageError
    from ksos_link.operations.importing import look_into

    file = tmp_path / "x.age"
    file.write_bytes(pyrage.encrypt(b"x", [IDENTITY.to_public()]))
    with pytest.raises(UsageError, match="encrypted"):
        look_into(file)
