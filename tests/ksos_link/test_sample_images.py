"""Made-up images: sound to every reader, of the wished size, and known by virtual watches."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.images import Result, problems, public_key_from_pem, read_image
from firmware_protocol.updates.loader import Flash
from ksos_link.virtual_watch.sample_images import (
    SAMPLE_KINDS,
    sample_image,
    sample_public_key,
)

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

TRANSPORTS = {
    "nordic-secure": "nordic-secure",
    "nordic-legacy": "nordic-legacy",
    "mcuboot": "smp",
    "realtek-bee2": "realtek",
    "ido-fw": "ido-d1",
    "actions-aota": "ido-d1",
}
SIGNED = ("nordic-secure", "mcuboot")
KIND = pytest.mark.parametrize("kind", SAMPLE_KINDS)


@KIND
@given(version=st.integers(0, 255), size=st.integers(1200, 9000), seed=st.integers(0, 2**64))
def test_a_sample_is_sound_and_starts_as_its_version(
    kind: str, version: int, size: int, seed: int
) -> None:
    info = read_image(sample_image(kind, version, size, seed), f"sample.{kind[-2:]}")
    assert problems(info) == ()
    assert info.transport == TRANSPORTS[kind]
    (part,) = info.parts
    assert (part.kind, part.size_bytes) == ("application", size)
    flash = Flash(None, 0)
    flash.install(part.data)
    assert (flash.boots, flash.firmware_version) == (True, version)


@KIND
def test_the_same_call_gives_the_same_file_and_another_seed_another(kind: str) -> None:
    first, again, other = (sample_image(kind, 3, 6000, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_files_stay_the_same_over_releases_and_machines() -> None:
    """Reports name digests; they must not change with a library."""
    digest = hashlib.sha256()
    for kind in SAMPLE_KINDS:
        digest.update(sample_image(kind, 7, 20_000, 42))
    assert digest.hexdigest() == "5f530f2ddce30de7336441038e89af5236d1141d098c57960cc865b60d352136"


@pytest.mark.parametrize("kind", SIGNED)
def test_a_signature_fits_the_key_that_everybody_has(kind: str) -> None:
    info = read_image(sample_image(kind, 3, 5000), "a.bin", key=public_key_from_pem(KEY))
    (signature,) = [check for check in info.checks if check.name == "signature"]
    assert (signature.result, problems(info)) == (Result.PASSED, ())


KEY = sample_public_key()


@KIND
def test_a_size_without_room_for_the_mark_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="more are needed"):
        sample_image(kind, 3, 20)


@pytest.mark.parametrize("version", [-1, 256])
def test_a_version_beyond_a_byte_is_refused(version: int) -> None:
    with pytest.raises(ValueError, match="no version"):
        sample_image("mcuboot", version, 5000)


# ---- ksos virtual image


@KIND
def test_the_command_writes_a_file_that_the_checker_finds_sound(
    ksos: "CommandLine", kind: str, tmp_path: Path
) -> None:
    out = tmp_path / "app.bin"
    said = ksos("virtual", "image", kind, "--firmware", "9", "--size-kb", "8", out)
    assert (said.code, said.err) == (0, "")
    assert said.out == f"The image is written: {out} ({out.stat().st_size} bytes)\n"
    checked = ksos("firmware", "check", out)
    assert (checked.code, checked.err[:25]) == (0, "Nothing speaks against it")
    (told,) = [
        json.loads(line) for line in ksos("firmware", "info", out, "--json").out.splitlines()
    ]
    assert (told["transport"], told["parts"][0]["size_bytes"]) == (TRANSPORTS[kind], 8192)
    assert not ksos.home.exists()


def test_the_key_is_written_beside_and_verifies(ksos: "CommandLine", tmp_path: Path) -> None:
    out, key = tmp_path / "app.bin", tmp_path / "app.pem"
    arguments = ("virtual", "image", "mcuboot", "--firmware", "9", out, "--public-key", key)
    assert ksos(*arguments).code == 0
    assert key.read_bytes() == sample_public_key()
    assert ksos("firmware", "check", out, "--public-key", key).code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nrf", "--firmware", "9"), "No image is made of the kind 'nrf'"),
        (("mcuboot", "--firmware", "256"), "from 0 to 255"),
        (("mcuboot", "--firmware", "9", "--size-kb", "1"), "from 2 to 16384"),
        (("mcuboot",), "--firmware"),
    ],
)
def test_a_wish_that_no_image_can_be_is_refused(
    ksos: "CommandLine", tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    out = tmp_path / "app.bin"
    said = ksos("virtual", "image", *arguments, out)
    assert said.code == 2
    assert message in said.err
    assert not out.exists()


@pytest.mark.parametrize("which", ["image", "key"])
def test_nothing_that_is_there_is_replaced_unasked(
    ksos: "CommandLine", tmp_path: Path, which: str
) -> None:
    out, key = tmp_path / "app.bin", tmp_path / "app.pem"
    (out if which == "image" else key).write_bytes(b"old")
    arguments = ("virtual", "image", "ido-fw", "--firmware", "9", out, "--public-key", key)
    said = ksos(*arguments)
    assert said.code == 2
    assert "is there already" in said.err
    assert len(list(tmp_path.glob("app.*"))) == 1
    assert ksos(*arguments, "--force").code == 0
    assert out.read_bytes()[8:] == sample_image("ido-fw", 9, 65536)[8:]
