"""Hostile firmware files: they are refused or objected to, cost little, and write nothing."""

import io
import json
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from firmware_protocol.errors import DecodeError
from firmware_protocol.images import (
    ImageInfo,
    Result,
    Sidecar,
    nordic_init,
    problems,
    public_key_from_pem,
    read_image,
    read_sidecar,
)
from firmware_protocol.images.archive import Archive
from tests.firmware_protocol import image_builders as build
from tests.firmware_protocol.test_images import SOUND

KEY = public_key_from_pem(build.pem_of(ec.generate_private_key(ec.SECP256R1())))
LITTLE_BYTES = 8 << 20
MANIFEST = json.dumps(
    {"manifest": {"application": {"bin_file": "a.bin", "dat_file": "a.dat"}}}
).encode()


def refused(data: bytes, said: str, name: str = "x.zip") -> None:
    """It is refused with one printable line, and without much memory."""
    tracemalloc.start()
    try:
        with pytest.raises(DecodeError, match=said) as caught:
            read_image(data, name)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(caught.value).isprintable()
    assert peak_bytes < LITTLE_BYTES


def package(**members: bytes) -> dict[str, bytes]:
    """A manifest and what it names, changed."""
    return {"manifest.json": MANIFEST, "a.bin": build.BODY, "a.dat": build.secure_init()} | {
        name.replace("_", "."): data for name, data in members.items()
    }


# ---- zip archives


@pytest.mark.parametrize(
    "name",
    [
        "../evil.bin",
        "/etc/evil",
        "a/../../evil",
        "C:\\evil",
        "a\\..\\evil",
        "c:evil",
        "a//b",
        "\x1b[2J",
    ],
)
def test_a_name_that_leads_out_of_its_folder_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(build.zip_of({**package(), name: b"x"}), "leads out of its folder")
    assert list(tmp_path.iterdir()) == []


def test_a_member_without_a_name_is_refused() -> None:
    data = build.zip_of({**package(), "x": b""})
    at = data.rindex(b"PK\x01\x02")
    nameless = data[: at + 28] + b"\0\0" + data[at + 30 : at + 46] + data[at + 47 :]
    directory_bytes = data.rindex(b"PK\x05\x06") - data.index(b"PK\x01\x02") - 1
    refused(with_end(nameless, directory_bytes=directory_bytes), "leads out of its folder")


def test_folders_are_no_members() -> None:
    target = io.BytesIO(build.zip_of(package()))
    with zipfile.ZipFile(target, "a") as archive:
        archive.mkdir("folder")
    info = read_image(target.getvalue(), "x.zip")
    assert problems(info) == ()


def test_two_members_of_one_name_are_refused() -> None:
    pairs = [*package().items(), ("a.bin", b"another")]
    refused(build.zip_of(pairs), "two files of one name")


def test_a_bomb_is_not_inflated() -> None:
    size_bytes = (64 << 20) + 1
    data = build.zip_of(package(a_bin=bytes(size_bytes)))
    assert len(data) < 100_000
    refused(data, "a.bin in the archive is larger than 67108864 bytes")
    lying = data.replace(struct.pack("<I", size_bytes), struct.pack("<I", 100))
    assert lying != data
    refused(lying, "damaged")


def test_a_member_that_is_larger_than_it_says_is_refused() -> None:
    archive = Archive(build.zip_of({"a": bytes(1000)}))
    archive._members["a"].file_size = 10
    archive._members["a"].CRC = zlib.crc32(bytes(10))
    assert archive.read("a") == bytes(10)  # no more is inflated than was said
    archive = Archive(build.zip_of({"a": bytes(1000)}))
    with pytest.raises(DecodeError, match="larger than 999 bytes"):
        archive.read("a", 999)


def test_the_sum_of_all_members_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware_protocol.images.archive._MAX_TOTAL_BYTES", 1500)
    archive = Archive(build.zip_of({"a": bytes(1000), "b": bytes(1000)}))
    archive.read("a")
    with pytest.raises(DecodeError, match="b in the archive is larger than 500 bytes"):
        archive.read("b")


def test_too_many_members_are_refused() -> None:
    members = package() | {f"{number}.txt": b"" for number in range(126)}
    refused(build.zip_of(members), "more than 128 files")


def with_end(data: bytes, **fields: int) -> bytes:
    """Change fields of the end record."""
    at = data.rindex(b"PK\x05\x06")
    places = {"directory_bytes": (12, "<I"), "directory_at": (16, "<I"), "comment": (20, "<H")}
    for name, value in fields.items():
        place, form = places[name]
        data = (
            data[: at + place]
            + struct.pack(form, value)
            + data[at + place :][struct.calcsize(form) :]
        )
    return data


def test_an_end_record_that_lies_is_refused() -> None:
    data = build.zip_of(package())
    end = len(data) - 22
    refused(with_end(data, directory_bytes=0xFFFFFFFF), "far too large")
    refused(with_end(data, directory_at=7), "does not begin where its file begins")
    refused(data[:end] + b"PK\x06\x07" + bytes(16) + data[end:], "zip64")
    refused(data[:end], "its directory is missing")
    refused(data[: end + 8], "its directory is missing")
    refused(b"PK\x03\x04", "its directory is missing")
    refused(data[:end] + bytes(4) + data[end:], "or has gaps")
    directory_at = data.index(b"PK\x01\x02")
    refused(data[:directory_at] + b"XX" + data[directory_at + 2 :], "damaged")


def test_a_comment_belongs_to_the_archive() -> None:
    data = with_end(build.zip_of(package()), comment=5)
    info = read_image(data + b"hello", "x.zip")
    assert [check.result for check in info.checks][:1] == [Result.PASSED]
    more = read_image(data + b"hello and more", "x.zip")
    assert [check.name for check in problems(more)] == ["trailing"]


def test_encrypted_and_unusual_members_are_refused() -> None:
    data = build.zip_of(package())
    at = data.index(b"PK\x01\x02")
    refused(data[: at + 8] + b"\1\0" + data[at + 10 :], "encrypted or packed unusually")
    refused(data[: at + 10] + b"\x0e\0" + data[at + 12 :], "encrypted or packed unusually")


def test_a_damaged_member_is_refused() -> None:
    data = build.zip_of(package(), packed=False)
    at = data.index(build.BODY)
    refused(data[: at + 9] + b"\xee" + data[at + 10 :], "damaged")


# ---- large files


@pytest.mark.parametrize("form", ["ido-fw", "realtek-pack", "mcuboot", "actions-aota"])
def test_a_large_file_costs_little_more_than_its_own_size(form: str) -> None:
    size_bytes = 8 << 20
    large = {
        "ido-fw": lambda: build.ido_fw(bytes(size_bytes)),
        "realtek-pack": lambda: build.realtek_pack(dict.fromkeys(range(127), bytes(1 << 16))),
        "mcuboot": lambda: build.mcuboot_image(bytes(size_bytes)),
        "actions-aota": lambda: build.aota((("TEMP.bin", bytes(size_bytes)),)),
    }[form]()
    tracemalloc.start()
    try:
        assert read_image(large, "x.bin").format == form
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < size_bytes + LITTLE_BYTES


# ---- manifests of Nordic packages


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 50_000, "no JSON"),
        (b'{"dat_file": ' + b"9" * 5000 + b"}", "no JSON"),
        (b'{"manifest": {"dfu_version": NaN}, "dat_file": 0}', "no JSON"),
        (b'{"manifest": {}, "manifest": {}, "dat_file": 0}', "names something twice"),
        (b'["manifest", "dat_file"]', "not that of a Nordic package"),
        (b'{"manifest": "dat_file"}', "not that of a Nordic package"),
        (b'{"files": []}', "not that of a Nordic package"),
        (b'{"manifest": {"dat_file": {}}}', "names no image"),
        (b'{"manifest": {"application": ["dat_file"]}}', "is no object"),
        (b'{"manifest": {"application": {"dat_file": "a.dat"}}}', "lacks bin_file"),
        (b'{"manifest": {"application": {"bin_file": "a.bin", "dat_file": 1}}}', "or dat_file"),
        (
            b'{"manifest": {"application": {"bin_file": "\\u001b\\ud800", "dat_file": "a.dat"}}}',
            r"holds no \?\?$",
        ),
        (b" " * 70_000, "larger than 65536 bytes"),
    ],
)
def test_a_manifest_that_is_none_is_refused(manifest: bytes, said: str) -> None:
    refused(build.zip_of(package() | {"manifest.json": manifest}), said)


def test_a_zip_of_something_else_is_named() -> None:
    refused(build.zip_of({"readme.txt": b"hello"}), "a zip of no known kind")
    refused(build.zip_of({}), "of no known format")


def test_an_endless_init_packet_is_not_read() -> None:
    refused(build.zip_of(package(a_dat=bytes(70_000))), "a.dat in the archive is larger")


# ---- noise and mutations


def judged(data: bytes, name: str, sidecar: Sidecar | None = None) -> ImageInfo | None:
    """Only `DecodeError` may come out, and what comes back must be ready for JSON."""
    try:
        info = read_image(data, name, sidecar=sidecar, key=KEY)
    except DecodeError:
        return None
    json.dumps([dict(info.facts), *(dict(part.facts) for part in info.parts)], allow_nan=False)
    assert len(info.parts) <= 128
    return info


MAGICS = (b"", b"PK\x03\x04", b"\x3d\xb8\xf3\x96", b"AOTA", b"GM", b"\x05\0\0\0\x93\x27")
NAMES = ("x.bin", "x.zip", "x.fw", "x_MP.bin", "x")


@given(st.sampled_from(MAGICS), st.binary(max_size=2048), st.sampled_from(NAMES))
def test_noise_is_refused_or_objected_to(magic: bytes, noise: bytes, name: str) -> None:
    info = judged(magic + noise, name)
    assert info is None or problems(info) or info.format in ("ido-fw", "realtek-image")


@given(st.data())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_mutations_of_sound_files_never_crash(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(sorted(SOUND)))
    _, name, sound = SOUND[form]
    mutated = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(mutated)))
        cut = data.draw(st.integers(0, 8))
        mutated[at : at + cut] = data.draw(st.binary(max_size=8))
    judged(bytes(mutated), name)


@pytest.mark.parametrize("form", ["mcuboot", "nordic-secure-zip", "ido-fw", "actions-aota"])
@given(st.data())
def test_a_changed_byte_of_the_image_is_never_sound(form: str, data: st.DataObject) -> None:
    _, name, sound = SOUND[form]
    whole = build.BODY if form != "nordic-secure-zip" else b"\x00\x01\x02\x03"
    begin = sound.index(whole)
    at = begin + data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != sound[at]))
    info = judged(sound[:at] + bytes((other,)) + sound[at + 1 :], name)
    assert info is None or {"digest", "crc"} & {check.name for check in problems(info)}


@given(st.binary(max_size=300))
@example(b"\x0a\x00")
def test_an_init_packet_of_noise_is_refused(noise: bytes) -> None:
    try:
        init = nordic_init.decode(noise)
    except DecodeError:
        return
    assert init.signed_bytes in noise


@given(st.binary(max_size=300), st.sampled_from(["a.toml", "a.json"]))
def test_a_sidecar_of_noise_is_refused(noise: bytes, name: str) -> None:
    with pytest.raises(DecodeError):
        read_sidecar(noise, name)


@given(st.binary(min_size=1, max_size=64), st.text(max_size=40), st.text(min_size=1, max_size=9))
def test_any_bytes_with_their_sidecar_are_sound(data: bytes, product: str, version: str) -> None:
    said = build.sidecar_toml(data, product=product or "x", version=version)
    try:
        sidecar = read_sidecar(said, "a.toml")
    except DecodeError:
        return  # TOML has no form for some characters of JSON
    info = judged(b"\xf1" + data, "x", sidecar)
    assert info is not None
    assert {check.name for check in problems(info)} == {"trailing", "digest", "unsigned"}
