"""`ksos release`: keys, signatures, what verifies, and what a folder offers."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.firmware_protocol import image_builders as build
from tests.ksos_link.release_files import IMAGE, entry, put

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, Said, SizeLimit

MANUAL = (Path(__file__).parents[2] / "docs" / "manual.md").read_text("utf-8")
PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def place(ksos: "CommandLine", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with a pair of keys and a manifest that is not signed yet."""
    assert ksos("release", "key", tmp_path / "release.pem").code == 0
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "out", "a.toml")
    return tmp_path


@pytest.fixture
def signed(ksos: "CommandLine", place: Path) -> Path:
    """The folder of a release that verifies."""
    assert ksos("release", "sign", "out/a.toml", "--key", "release.pem").code == 0
    return place / "out"


def lines_of(said: "Said") -> list[dict[str, Any]]:
    assert said.code == 0, said.err
    return [json.loads(line) for line in said.out.splitlines()]


def told(said: "Said", code: int, message: str) -> None:
    assert said.code == code, said.err
    assert message in said.err
    assert said.err.startswith("error: ")
    assert "\nhint: " in said.err
    assert "Traceback" not in said.err


def verify(ksos: "CommandLine", *more: str, key: str = "release.pem.pub") -> "Said":
    return ksos("release", "verify", "out/a.toml", "--public-key", key, *more)


def objections(said: "Said") -> list[str]:
    assert said.code == 7, said.err
    found: list[str] = json.loads(said.out)["objections"]
    return found


# ---- keys


def test_a_pair_of_keys_is_made_and_only_its_owner_reads_the_private_one(
    ksos: "CommandLine", tmp_path: Path
) -> None:
    said = ksos("release", "key", tmp_path / "k.pem", "--json")
    (made,) = lines_of(said)
    assert made["encrypted"] is False
    assert re.fullmatch(r"[0-9a-f]{64}", made["fingerprint"])
    assert made["private_key"] == str(tmp_path / "k.pem")
    assert made["public_key"] == str(tmp_path / "k.pem.pub")
    assert "not encrypted" in said.err
    if os.name == "posix":
        assert (tmp_path / "k.pem").stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" not in (tmp_path / "k.pem.pub").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["k.pem", "k.pem.pub"]


@pytest.mark.parametrize("taken", ["k.pem", "k.pem.pub"])
def test_no_key_is_ever_overwritten(ksos: "CommandLine", tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_bytes(b"mine")
    told(ksos("release", "key", tmp_path / "k.pem"), 2, f"{taken} is there already")
    assert [path.name for path in tmp_path.iterdir()] == [taken]
    assert (tmp_path / taken).read_bytes() == b"mine"


def test_a_key_that_cannot_be_written_leaves_nothing(
    ksos: "CommandLine", tmp_path: Path, file_size_limit: "SizeLimit"
) -> None:
    told(ksos("release", "key", tmp_path / "no" / "k.pem"), 3, "does not exist")
    with file_size_limit(100):
        told(ksos("release", "key", tmp_path / "k.pem"), 8, "cannot be written")
    assert list(tmp_path.iterdir()) == []


def test_a_private_key_is_encrypted_with_a_passphrase(ksos: "CommandLine", place: Path) -> None:
    env = {"KSOS_RELEASE_PASSPHRASE": PASSPHRASE}
    assert ksos("release", "key", "locked.pem", **env).err == ""
    assert b"ENCRYPTED" in (place / "locked.pem").read_bytes()
    sign = ("release", "sign", "out/a.toml", "--key", "locked.pem")
    told(ksos(*sign), 2, "is encrypted")
    told(ksos(*sign, KSOS_RELEASE_PASSPHRASE="wrong"), 2, "does not open locked.pem")
    assert not (place / "out" / "a.toml.sig").exists()
    assert ksos(*sign, **env).code == 0
    assert verify(ksos, key="locked.pem.pub").code == 0
    long = ksos("release", "key", "long.pem", KSOS_RELEASE_PASSPHRASE="x" * 1001)
    told(long, 2, "passphrase is too long")


def test_a_person_at_a_terminal_is_asked(
    ksos: "CommandLine", place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = iter(["one", "two", PASSPHRASE, PASSPHRASE, PASSPHRASE, ""])
    monkeypatch.setattr("ksos_link.cli.release_command.can_ask", lambda: True)
    monkeypatch.setattr("ksos_link.cli.release_command.ask_secret", lambda _: next(typed))
    told(ksos("release", "key", "mine.pem"), 2, "passphrases differ")
    assert not (place / "mine.pem").exists()
    assert ksos("release", "key", "mine.pem").code == 0
    assert b"ENCRYPTED" in (place / "mine.pem").read_bytes()
    assert ksos("release", "sign", "out/a.toml", "--key", "mine.pem").code == 0
    assert ksos("release", "key", "plain.pem").code == 0
    assert b"ENCRYPTED" not in (place / "plain.pem").read_bytes()


def test_a_key_of_another_kind_is_refused(ksos: "CommandLine", place: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (place / "ec.pem").write_bytes(pem)
    (place / "ec.pub").write_bytes(build.pem_of(other))
    sign = ("release", "sign", "out/a.toml", "--key")
    told(ksos(*sign, "ec.pem"), 2, "no Ed25519 key")
    told(ksos(*sign, "release.pem.pub"), 2, "no private key in PEM form")
    told(ksos(*sign, "no.pem"), 3, "cannot be read")
    told(verify(ksos, key="ec.pub"), 2, "no Ed25519 key")
    told(verify(ksos, key="release.pem"), 2, "private key; only the public one is needed")


# ---- signatures


def test_a_signed_release_verifies(ksos: "CommandLine", signed: Path) -> None:
    said = verify(ksos)
    assert said.code == 0
    rows = [line.split("\t") for line in said.out.splitlines()]
    assert rows[0] == ["check", "part", "result", "what was found"]
    names = [row[0] for row in rows[1:]]
    assert names[:3] == ["signature", "size", "digest"]
    assert re.fullmatch(r"Nothing speaks against it: \d+ passed, 1 advice\.\n", said.err)
    (made,) = lines_of(verify(ksos, "--json"))
    assert (made["sound"], made["objections"], made["signature"]) == (True, [], "verified")
    assert len(list(signed.iterdir())) == 3


def test_the_signature_is_over_the_exact_bytes(ksos: "CommandLine", signed: Path) -> None:
    manifest = signed / "a.toml"
    private = load_pem_private_key((signed.parent / "release.pem").read_bytes(), None)
    signature = private.sign(manifest.read_bytes())  # type: ignore[union-attr, call-arg]
    assert (signed / "a.toml.sig").read_bytes() == signature
    manifest.write_bytes(manifest.read_bytes() + b"\n")  # the same fields, another file
    assert objections(verify(ksos, "--json")) == ["signature"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_another_program_verifies_it(signed: Path) -> None:
    words = "pkeyutl -verify -rawin -pubin -inkey ../release.pem.pub -in a.toml -sigfile a.toml.sig"
    done = subprocess.run(["openssl", *words.split()], cwd=signed, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("signature", [b"", b"\0" * 63, b"\0" * 64, b"\0" * 65])
def test_a_wrong_signature_is_refused(ksos: "CommandLine", signed: Path, signature: bytes) -> None:
    (signed / "a.toml.sig").write_bytes(signature)
    said = verify(ksos)
    told(said, 7, "1 objection: signature.")
    assert "not signed by a key that was given" in said.out


def test_without_a_signature_it_is_unsigned(ksos: "CommandLine", place: Path) -> None:
    assert place.exists()
    assert objections(verify(ksos, "--json")) == ["unsigned"]


def test_another_key_does_not_verify(ksos: "CommandLine", signed: Path) -> None:
    assert signed.exists()
    assert ksos("release", "key", "other.pem").code == 0
    assert objections(verify(ksos, "--json", key="other.pem.pub")) == ["signature"]


def test_a_signature_is_replaced_by_force_only(ksos: "CommandLine", signed: Path) -> None:
    put(signed, "a.toml", "1.11")
    sign = ("release", "sign", "out/a.toml", "--key", "release.pem")
    told(ksos(*sign), 2, "a.toml.sig is there already")
    assert objections(verify(ksos, "--json")) == ["signature"]
    (made,) = lines_of(ksos(*sign, "--force", "--json"))
    assert made == {"manifest": "out/a.toml", "signature": "out/a.toml.sig"}
    assert verify(ksos).code == 0


def test_what_would_not_verify_is_not_signed(ksos: "CommandLine", place: Path) -> None:
    sign = ("release", "sign", "out/a.toml", "--key", "release.pem")
    (place / "out" / "app.bin").write_bytes(IMAGE[:-1] + b"X")
    told(ksos(*sign), 7, "Nothing was signed")
    (place / "out" / "app.bin").unlink()
    told(ksos(*sign), 7, "missing of app.bin")
    (place / "out" / "a.toml").write_text("colour = 1")
    told(ksos(*sign), 5, "colour: is no field")
    told(ksos("release", "sign", "out/no.toml", "--key", "release.pem"), 3, "cannot be read")
    assert not list((place / "out").glob("*.sig"))


def test_a_full_disk_leaves_the_old_signature(
    ksos: "CommandLine", signed: Path, file_size_limit: "SizeLimit"
) -> None:
    before = (signed / "a.toml.sig").read_bytes()
    with file_size_limit(10):
        said = ksos("release", "sign", "out/a.toml", "--key", "release.pem", "--force")
    told(said, 8, "cannot be written")
    assert (signed / "a.toml.sig").read_bytes() == before
    assert len(list(signed.iterdir())) == 3


# ---- files


def test_each_file_is_held_against_the_manifest(ksos: "CommandLine", signed: Path) -> None:
    image = signed / "app.bin"
    image.write_bytes(IMAGE[:-1] + bytes((IMAGE[-1] ^ 1,)))
    assert objections(verify(ksos, "--json"))[0] == "digest"
    image.write_bytes(IMAGE + IMAGE)
    assert objections(verify(ksos, "--json")) == ["size", "digest", "doubled"]
    image.write_bytes(b"what is this?")
    assert objections(verify(ksos, "--json")) == ["size", "digest", "transport"]
    image.unlink()
    said = verify(ksos)
    told(said, 7, "1 objection: missing.")
    image.mkdir()
    assert objections(verify(ksos, "--json")) == ["missing"]


def test_a_plain_binary_needs_no_manifest_of_its_own(ksos: "CommandLine", place: Path) -> None:
    (place / "out" / "raw.img").write_bytes(b"plain")
    (place / "out" / "raw.img.toml").write_text("colour = 1")  # another's word does not count
    put(place / "out", "b.toml", files=[entry("raw.img", b"plain", transport="smp")])
    assert ksos("release", "sign", "out/b.toml", "--key", "release.pem").code == 0
    verify_b = ("release", "verify", "out/b.toml", "--public-key", "release.pem.pub")
    assert ksos(*verify_b).code == 0
    put(place / "out", "b.toml", files=[entry("raw.img", b"plain", transport="nordic-secure")])
    assert "unsupported" in objections(ksos(*verify_b, "--json"))
    put(place / "out", "b.toml", files=[entry("app.bin", IMAGE, transport="realtek")])
    assert "transport" in objections(ksos(*verify_b, "--json"))


def test_a_release_of_a_dial(ksos: "CommandLine", place: Path) -> None:
    design = place / "design"
    design.mkdir()
    head = {"name": "made", "preview": "small.bmp", "bkground": "back.png", "item": []}
    (design / "iwf.json").write_text(json.dumps(head))
    for name, side in (("back.png", 10), ("small.bmp.png", 4)):
        Image.new("RGBA", (side, side)).save(design / name)
    assert ksos("dial", "build", design, "--out", "out/made.iwf").code == 0
    data = (place / "out" / "made.iwf").read_bytes()
    put(place / "out", "d.toml", kind="dial", files=[entry("made.iwf", data)])
    assert ksos("release", "sign", "out/d.toml", "--key", "release.pem").code == 0
    verify_d = ("release", "verify", "out/d.toml", "--public-key", "release.pem.pub", "--json")
    (made,) = lines_of(ksos(*verify_d))
    assert [each["check"] for each in made["checks"]] == ["signature", "size", "digest", "dial"]
    longer = data + b"\0\0"
    (place / "out" / "made.iwf").write_bytes(longer)
    put(place / "out", "d.toml", kind="dial", files=[entry("made.iwf", longer)])
    found = objections(ksos(*verify_d))
    assert found[0] == "signature"
    assert len(found) > 1  # and what `ksos dial check` has against it
    put(place / "out", "d.toml", kind="dial", files=[entry("app.bin", IMAGE)])
    assert objections(ksos(*verify_d)) == ["signature", "unreadable"]


# ---- a folder


def chain(ksos: "CommandLine", installed: str, *more: str) -> list[tuple[int | None, str]]:
    said = ksos("release", "list", "out", "--installed", installed, "--json", *more)
    return [(each["step"], each["manifest"]) for each in lines_of(said)]


@pytest.fixture
def shelf(ksos: "CommandLine", place: Path) -> Path:
    """Releases of a watch, one of them forced, some not for everybody."""
    assert ksos.home.parent == place
    out = place / "out"
    (out / "a.toml").unlink()
    put(out, "v1.8.toml", "1.8", forced=True)
    put(out, "v1.9.json.toml", "V1.9")
    put(out, "v1.10.toml", "1.10.0")
    put(out, "v1.11.toml", "1.11", channel="public")
    put(out, "v1.12.toml", "1.12", channel="internal")
    put(out, "v1.13.toml", "1.13", status="withdrawn")
    return out


def test_the_way_to_the_newest(ksos: "CommandLine", shelf: Path) -> None:
    assert shelf.exists()
    assert chain(ksos, "1.7") == [(1, "v1.8.toml"), (2, "v1.10.toml")]
    assert chain(ksos, "v1.9") == [(1, "v1.10.toml")]
    assert chain(ksos, "1.10") == []
    assert chain(ksos, "1.9", "--channel", "public") == [(1, "v1.11.toml")]
    assert chain(ksos, "1.9", "--channel", "internal") == [(1, "v1.12.toml")]
    assert chain(ksos, "1.7", "--product", "7891") == []
    said = ksos("release", "list", "out", "--installed", "1.7")
    assert said.out.splitlines() == [
        "step\tmanifest\tversion\tchannel\tforced\tsigned by",
        "1\tv1.8.toml\t1.8\tformal\tyes\tabsent",
        "2\tv1.10.toml\t1.10\tformal\tno\tabsent",
    ]
    assert said.err == ""


def test_what_is_out_of_reach_is_told(ksos: "CommandLine", shelf: Path) -> None:
    put(shelf, "v2.0.toml", "2.0", forced=True, from_versions={"least": "1.11"})
    put(shelf, "v3.0.toml", "3.0")
    assert chain(ksos, "1.7") == [
        *((1, "v1.8.toml"), (2, "v1.10.toml"), (None, "v2.0.toml"), (None, "v3.0.toml")),
    ]
    assert chain(ksos, "1.7", "--channel", "public") == [
        *((1, "v1.8.toml"), (2, "v1.11.toml"), (3, "v2.0.toml"), (4, "v3.0.toml")),
    ]
    said = ksos("release", "list", "out", "--installed", "1.7")
    assert "left out: v2.0.toml: 2 is out of reach: it installs over from 1.11\n" in said.err
    assert "left out: v3.0.toml: 3 comes after one that is out of reach\n" in said.err
    assert ksos("release", "list", "out", "--installed", "1.7", "--quiet").err == ""


def test_a_version_with_letters_is_refused(ksos: "CommandLine", shelf: Path) -> None:
    assert shelf.exists()
    told(ksos("release", "list", "out", "--installed", "1.9b"), 2, "'1.9b' is no version")
    told(ksos("release", "list", "out", "--channel", "beta"), 2, "no channel 'beta'")


def test_several_products_need_a_name(ksos: "CommandLine", shelf: Path) -> None:
    put(shelf, "other.toml", "1.10", model_code=7891, product=None)
    said = ksos("release", "list", "out", "--installed", "1.7")
    told(said, 2, "for several products")
    assert "--product: 7891, IDO 7890." in said.err
    assert chain(ksos, "1.7", "--product", "7891") == [(1, "other.toml")]
    assert chain(ksos, "1.9", "--product", "ido 7890") == [(1, "v1.10.toml")]
    put(shelf, "dial.toml", "1.99", kind="dial")
    assert chain(ksos, "1.9", "--product", "7890") == [(1, "v1.10.toml")]  # firmware only


def test_what_is_broken_is_listed_with_its_reason(ksos: "CommandLine", signed: Path) -> None:
    put(signed, "twice.toml", "1.10.0")
    put(signed, "gone.toml", "1.11", files=[entry("gone.bin", b"x")])
    put(signed, "size.toml", "1.12", files=[entry("app.bin", b"x")])
    put(signed, "wrong.toml", "1.13")
    (signed / "wrong.toml.sig").write_bytes(bytes(64))
    (signed / "bad.json").write_text("{")
    (signed / "folder.toml").mkdir()
    (signed / "app.bin.toml").write_bytes(build.sidecar_toml(IMAGE))  # of one file: no release
    listed = lines_of(ksos("release", "list", "out", "--json", "--public-key", "release.pem.pub"))
    problems = {each["manifest"]: each["problem"] for each in listed}
    assert problems == {
        "a.toml": "another manifest has the same version",
        "bad.json": "no release manifest: it is no JSON, or names something twice",
        "folder.toml": "out/folder.toml is no file.",
        "gone.toml": "it is not signed",
        "size.toml": "it is not signed",
        "twice.toml": "it is not signed",
        "wrong.toml": "its signature does not fit",
    }
    without_key = {
        each["manifest"]: each["problem"]
        for each in lines_of(ksos("release", "list", "out", "--json"))
        if "problem" in each
    }
    assert without_key["gone.toml"] == "gone.bin is missing"
    assert without_key["size.toml"] == "app.bin has another size"
    assert "wrong.toml" not in without_key  # nobody gave a key
    table = ksos("release", "list", "out").out.splitlines()
    assert [row.split("\t")[0] for row in table[1:]] == sorted(problems)
    assert {number for number, _ in chain(ksos, "1.12.9")} == {1, None}
    assert chain(ksos, "1.12.9")[0] == (1, "wrong.toml")
    with_key = chain(ksos, "1.0", "--public-key", "release.pem.pub")
    assert {number for number, _ in with_key} == {None}  # nothing that is broken is offered


def test_a_list_says_who_signed(ksos: "CommandLine", signed: Path) -> None:
    assert signed.exists()
    assert ksos("release", "key", "other.pem").code == 0
    keys = ("--public-key", "other.pem.pub", "--public-key", "release.pem.pub")
    (made,) = lines_of(ksos("release", "list", "out", "--json", *keys))
    assert made["signature"] == "verified"
    said = ksos("release", "list", "out", *keys)
    signer = said.out.splitlines()[1].split("\t")[7]
    assert signer == f"release.pem.pub {made['signed_by'][:16]}"
    (made,) = lines_of(ksos("release", "list", "out", "--json"))
    assert made["signature"] == "unchecked"
    assert "signed_by" not in made


@pytest.mark.parametrize("size_bytes", [0, 63, 65])
def test_a_signature_of_another_size_needs_no_key_to_be_wrong(
    ksos: "CommandLine", signed: Path, size_bytes: int
) -> None:
    (signed / "a.toml.sig").write_bytes(bytes(size_bytes))
    (made,) = lines_of(ksos("release", "list", "out", "--json"))
    assert (made["signature"], made["problem"]) == ("wrong", "its signature does not fit")


def test_a_list_is_narrowed(ksos: "CommandLine", shelf: Path) -> None:
    assert shelf.exists()
    assert len(lines_of(ksos("release", "list", "out", "--json"))) == 6
    assert len(lines_of(ksos("release", "list", "out", "--json", "--channel", "public"))) == 5
    assert len(lines_of(ksos("release", "list", "out", "--json", "--channel", "formal"))) == 4
    assert lines_of(ksos("release", "list", "out", "--json", "--product", "KS2")) == []


def test_a_folder_that_is_none(ksos: "CommandLine", place: Path) -> None:
    assert place.exists()
    told(ksos("release", "list", "nothing"), 3, "There is no folder nothing")
    told(ksos("release", "list", "out/a.toml"), 3, "There is no folder")
    for number in range(1001):
        (place / "out" / f"{number}.toml").write_bytes(b"")
    told(ksos("release", "list", "out"), 2, "more than 1000 manifests")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes")
def test_a_pipe_is_not_waited_for(ksos: "CommandLine", place: Path) -> None:
    os.mkfifo(place / "out" / "pipe.toml")
    (place / "out" / "app.bin").unlink()
    os.mkfifo(place / "out" / "app.bin")
    assert objections(verify(ksos, "--json")) == ["unsigned", "missing"]
    assert len(lines_of(ksos("release", "list", "out", "--json"))) == 2


@given(st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_noise_ends_in_one_plain_message(ksos: "CommandLine", place: Path, data: bytes) -> None:
    (place / "noise.toml").write_bytes(data)
    said = ksos("release", "verify", place / "noise.toml", "--public-key", "release.pem.pub")
    told(said, 5, "is no release manifest")
    assert said.err.count("\n") == 2


# ---- the manual


def section(heading: str) -> str:
    return MANUAL.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_every_field_of_json_stands_in_the_manual(ksos: "CommandLine", signed: Path) -> None:
    assert signed.exists()
    listing = section("ksos release list")
    full = {
        "from_versions": ["1.9"],
        "region": {"bar": ["DE"]},
        "notes": "n",
    }
    put(signed, "b.toml", "1.12", **full)
    put(signed, "c.toml", "1.13", colour=1)
    key = ("--public-key", "release.pem.pub")
    found = lines_of(ksos("release", "list", "out", "--json", *key))
    found += lines_of(ksos("release", "list", "out", "--json", "--installed", "1.0", *key))
    assert {key for each in found for key in each if f"`{key}`" not in listing} == set()
    (made,) = lines_of(verify(ksos, "--json"))
    text = listing + section("ksos release verify")
    assert {key for key in made if f"`{key}`" not in text} == set()
    checks = {each["check"] for each in made["checks"]}
    known = text + section("ksos firmware check")
    assert {name for name in checks if f"`{name}`" not in known} == set()
    (made,) = lines_of(ksos("release", "key", "third.pem", "--json"))
    assert {key for key in made if f"`{key}`" not in section("ksos release key")} == set()
