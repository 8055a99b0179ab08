"""Manifests: what is read, and that all that is wrong is told at once, each with its place."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.errors import DecodeError
from firmware_protocol.versions import Version
from ksos_link.operations.release_manifest import (
    Channel,
    Kind,
    Release,
    ReleaseFile,
    Status,
    read_manifest,
)
from tests.ksos_link.release_files import IMAGE, entry, manifest, manifest_bytes

MANUAL = (Path(__file__).parents[2] / "docs" / "manual.md").read_text("utf-8")


def read(version: str = "1.10", **changes: object) -> Release:
    return read_manifest(manifest_bytes(version, **changes), "a.toml")


def faults(**changes: Any) -> list[str]:
    with pytest.raises(DecodeError) as caught:
        read(**changes)
    return str(caught.value).split("; ")


def test_a_manifest_says_what_it_says() -> None:
    release = read(
        "V1.10.0",
        from_versions=["1.8", "v1.9"],
        forced=True,
        region={"bar": ["DE"]},
        minimum_battery_pct=60,
        notes="n",
    )
    assert (release.product, release.model_code) == ("IDO 7890", 7890)
    assert (release.kind, release.channel, release.status) == (
        Kind.FIRMWARE,
        Channel.FORMAL,
        Status.ACTIVE,
    )
    assert release.version == Version.parse("1.10")
    assert release.from_versions.take(Version.parse("1.9.0"))
    assert not release.from_versions.take(Version.parse("1.7"))
    assert str(release.from_versions) == "1.8, 1.9"
    assert (release.forced, release.minimum_battery_pct, release.notes) == (True, 60, "n")
    assert [file.name for file in release.files] == ["app.bin"]
    assert release.watches == "IDO 7890 (model 7890)"


def test_what_is_left_out_has_defaults() -> None:
    release = read(product=None)
    assert release.from_versions.any
    assert release.from_versions.take(Version.parse("0"))
    assert (release.forced, release.region, release.minimum_battery_pct) == (False, None, 30)
    assert release.watches == "model 7890"
    assert read(from_versions=[]).from_versions.any
    assert read(model_code=None).watches == "IDO 7890"


def test_json_says_the_same() -> None:
    data = json.dumps(manifest(from_versions={"least": "1.8"})).encode()
    assert read_manifest(data, "a.JSON") == read(from_versions={"least": "1.8"})


def test_a_range_holds_both_of_its_ends() -> None:
    rule = read(from_versions={"least": "1.8", "most": "1.10"}).from_versions
    taken = [
        text for text in ("1.7", "1.8", "1.9", "1.10", "1.11") if rule.take(Version.parse(text))
    ]
    assert taken == ["1.8", "1.9", "1.10"]
    assert str(rule) == "from 1.8 to 1.10"
    assert str(read(from_versions={"most": "2"}).from_versions) == "to 2"


def test_an_allow_list_bars_all_others() -> None:
    allowed = read(region={"allow": ["DE", "FR"]}).region
    assert allowed is not None
    assert [allowed.admits(country) for country in ("DE", "FR", "GB", "D", "")] == [
        *(True, True, False, False, False)
    ]
    barred = read(region={"bar": ["DE"]}).region
    assert barred is not None
    assert [barred.admits(country) for country in ("DE", "FR")] == [False, True]
    assert (str(allowed), str(barred)) == ("only DE, FR", "all but DE")


def test_who_takes_a_channel_takes_those_behind_it() -> None:
    taken = {each: [other for other in Channel if each.takes(other)] for each in Channel}
    assert taken == {
        Channel.INTERNAL: list(Channel),
        Channel.PUBLIC: [Channel.PUBLIC, Channel.FORMAL],
        Channel.FORMAL: [Channel.FORMAL],
    }


def test_everything_wrong_is_told_at_once_with_its_place() -> None:
    bad = entry("../app.bin", IMAGE, sha256="12", colour="red")
    found = faults(
        product=7,
        model_code=-1,
        kind="app",
        version="1.2b",
        channel=None,
        status="on",
        from_versions=["1.0", "x", 3],
        region={"allow": ["UK", "DE"], "bars": []},
        forced="yes",
        minimum_battery_pct=101,
        files=[bad, 5, {"name": "b", "size_bytes": 0, "sha256": "0" * 64}],
        colour="red",
    )
    places = [fault.partition(":")[0] for fault in found]
    assert places == [
        *("product", "model_code", "kind", "version", "channel", "status"),
        *("files[2]", "files[1].name", "files[1].sha256", "files[1].colour", "files[3].size_bytes"),
        *("from_versions[2]", "from_versions[3]", "forced"),
        *("region.allow[1]", "region.bars", "minimum_battery_pct", "colour"),
    ]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"product": None, "model_code": None}, "product: is missing, and model_code with it"),
        ({"model_code": True}, "model_code: is not a whole number"),
        ({"version": None}, "version: is missing"),
        ({"version": ""}, "version: is empty"),
        ({"product": "x" * 201}, "product: is longer than 200 letters"),
        ({"files": None}, "files: is missing"),
        ({"files": []}, "files: is empty"),
        ({"files": [entry("a", b"a")] * 65}, "files: are more than 64"),
        ({"files": [entry("a", b"a"), entry("A", b"a")]}, "files[2].name: stands there twice"),
        ({"files": [entry("a.toml", b"a")]}, "files: the manifest itself cannot be one of them"),
        ({"files": [entry("", b"a")]}, "files[1].name: is empty"),
        ({"from_versions": "1.0"}, "from_versions: is not a table"),
        ({"from_versions": {"least": "2", "most": "1"}}, "from_versions.least: is above most"),
        ({"from_versions": {"lest": "2"}}, "from_versions.lest: is no field (known: least, most)"),
        ({"region": {"allow": ["DE"], "x": 1}}, "region.x: is no field (known: allow, bar)"),
        ({"region": {}}, "region.allow: and bar: give one of them"),
        ({"region": {"allow": ["DE"], "bar": ["FR"]}}, "region.allow: and bar: give one of them"),
        ({"region": {"allow": []}}, "region.allow: is empty"),
        ({"region": {"bar": ["de"]}}, "region.bar[1]: is no country code"),
        ({"region": ["DE"]}, "region: is not a table"),
        ({"kind": "dial", "from_versions": ["1"]}, "from_versions: is for firmware"),
        (
            {"kind": "dial", "files": [entry("a", b"a", transport="smp")]},
            "files[1].transport: is for firmware",
        ),
    ],
)
def test_a_fault_has_its_place(changes: dict[str, Any], fault: str) -> None:
    found = faults(**changes)
    assert len(found) == 1
    assert found[0].startswith(fault)


@pytest.mark.parametrize(
    "name",
    [
        "..",
        ".",
        "a/b",
        "/a",
        "..\\\\a",
        "c:a",
        "a ",
        "a.",
        "a*",
        "\\u0007",
        "x" * 201,
        "\\u00e4" * 101,
    ],
)
def test_a_name_that_is_no_plain_file_is_refused(name: str) -> None:
    (found,) = faults(files=[entry(name, b"a")])
    assert found.startswith("files[1].name: ")
    assert found.isprintable()


@pytest.mark.parametrize("name", ["app.bin", ".hidden", "a b.zip", "\u00e4.bin"])
def test_a_plain_name_is_taken(name: str) -> None:
    assert read(files=[entry(name, b"a")]).files == (
        ReleaseFile(name, 1, str(entry(name, b"a")["sha256"])),
    )


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (b"product = ", "a.toml", "it is no TOML: "),
        (b"product = 1\nproduct = 2", "a.toml", "it is no TOML: "),
        (b"a = " + b"[" * 30_000, "a.toml", "it is no TOML: "),
        (b"\xff", "a.toml", "no text in UTF-8"),
        (b"[1]", "a.json", "it is no table"),
        (b'{"kind": 1, "kind": 2}', "a.json", "names something twice"),
        (b"{" * 30_000, "a.json", "is no JSON"),
        (b"#" * 70_000, "a.toml", "larger than 64 KiB"),
    ],
)
def test_what_is_no_manifest_is_refused(data: bytes, name: str, reason: str) -> None:
    with pytest.raises(DecodeError, match=re.escape(reason)):
        read_manifest(data, name)


@given(st.binary(max_size=300), st.sampled_from(["a.toml", "a.json"]))
def test_noise_is_refused(data: bytes, name: str) -> None:
    with pytest.raises(DecodeError) as caught:
        read_manifest(data, name)
    assert str(caught.value).isprintable()


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("1.2"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.sampled_from([*manifest(), "from_versions", "region", "forced", "notes", "x"]), PLAIN)
def test_any_value_of_a_field_is_read_or_refused(field: str, value: object) -> None:
    data = json.dumps({**manifest(), field: value}).encode()
    try:
        release = read_manifest(data, "a.json")
    except DecodeError as error:
        told = str(error)
    else:
        assert isinstance(release, Release)
        return
    assert field in told


def test_the_example_of_the_manual_is_sound_and_its_tables_are_whole() -> None:
    text = MANUAL.partition("\n## Releases\n")[2].partition("\n## ")[0]
    example = text.partition("```toml\n")[2].partition("```")[0]
    release = read_manifest(example.encode(), "a.toml")
    assert release.region is not None
    fields = set(re.findall(r"(?m)^\| (`[^|]+`) \|", text))
    named = {name for cell in fields for name in re.findall(r"`(\w+)`", cell)}
    values = tomllib.loads(example)
    assert named == {*values, *values["files"][0], "transport"}
