"""Preflight: each rule with its objection, all at once, and what may be lifted."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from firmware_protocol.dials import DialLimits
from ksos_link.errors import PreflightError, UsageError
from ksos_link.operations import preflight as module
from ksos_link.operations.countries import read_country
from ksos_link.operations.dial_file import open_dial_file
from ksos_link.operations.dial_folder import build as build_dial
from ksos_link.operations.file_facts import (
    FileFacts,
    WatchFacts,
    facts_of_dial,
    facts_of_firmware,
)
from ksos_link.operations.firmware_file import open_firmware_file
from ksos_link.operations.preflight import (
    ALLOWABLE,
    NEVER_ALLOWED,
    Objection,
    check_allowed,
    preflight,
    refuse,
)
from ksos_link.operations.release_keys import Signature
from ksos_link.operations.release_manifest import Channel, Kind, Release, read_manifest
from tests.firmware_protocol import image_builders as build
from tests.ksos_link.release_files import IMAGE, entry, manifest_bytes

MANUAL = (Path(__file__).parents[2] / "docs" / "manual.md").read_text("utf-8")
WATCH = WatchFacts(
    family="ido",
    product="IDO 7890",
    model_code=7890,
    firmware_version="1.9",
    transport="smp",
    battery_pct=50,
    charging=False,
    free_bytes=100_000,
    width_px=240,
    height_px=280,
    rssi_dbm=-85,
    region="DE",
)
FILE = FileFacts(
    "app.bin",
    Kind.FIRMWARE,
    len(IMAGE),
    str(entry("", IMAGE)["sha256"]),
    len(IMAGE),
    "smp",
    product="IDO 7890",
    version="1.10",
)
DIAL = replace(FILE, kind=Kind.DIAL, form="iwf", product="", width_px=240, height_px=280)


def release(**changes: Any) -> Release:
    return read_manifest(manifest_bytes(**changes), "a.toml")


def names(
    watch: WatchFacts = WATCH,
    file: FileFacts = FILE,
    told: Release | None = None,
    signature: Signature = Signature.VERIFIED,
    channel: Channel = Channel.FORMAL,
) -> list[str]:
    found = preflight(watch, file, told, signature, channel=channel)
    assert all(each.text and each.text.isprintable() and each.text[-1] != "." for each in found)
    return [each.name for each in found]


def test_nothing_speaks_against_a_good_release() -> None:
    assert names(told=release()) == []
    assert names(file=DIAL, told=release(kind="dial")) == []
    assert names(told=release(region={"allow": ["DE"]}, from_versions=["1.9.0"])) == []


def test_a_file_without_a_release_is_unsigned_and_no_more() -> None:
    assert names() == ["unsigned"]
    assert names(file=DIAL) == ["unsigned"]


@pytest.mark.parametrize(
    ("signature", "found"),
    [
        (Signature.VERIFIED, []),
        (Signature.WRONG, ["signature"]),
        (Signature.ABSENT, ["unsigned"]),
        (Signature.UNCHECKED, ["unsigned"]),
    ],
)
def test_a_signature_counts_only_where_it_was_verified(
    signature: Signature, found: list[str]
) -> None:
    assert names(told=release(), signature=signature) == found


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"name": "other.bin"}, ["digest"]),
        ({"size_bytes": 1}, ["digest"]),
        ({"sha256": "0" * 64}, ["digest"]),
        ({"faults": ("crc: wrong", "size: wrong")}, ["file_unsound", "file_unsound"]),
        ({"kind": Kind.DIAL, "form": "iwf", "width_px": 240, "height_px": 280}, ["file_unsound"]),
        ({"form": "realtek"}, ["transport"]),
        ({"form": ""}, ["unknown_transport"]),
        ({"form": "", "refusal": "bound to one chip"}, ["transport"]),
        ({"needed_bytes": 100_000}, []),
        ({"needed_bytes": 100_001}, ["free_space"]),
    ],
)
def test_what_a_file_brings(changes: dict[str, Any], found: list[str]) -> None:
    assert names(file=replace(FILE, **changes), told=release()) == found


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"model_code": 7891}, ["product"]),
        ({"model_code": None}, ["unknown_product"]),
        ({"product": "a name of its own"}, []),  # the code decides
        ({"transport": "ido-d1"}, ["transport"]),
        ({"transport": ""}, ["transport"]),
        ({"transport": None}, ["unknown_transport"]),
        ({"firmware_version": "1.10.0"}, ["version_order"]),
        ({"firmware_version": "1.11"}, ["version_order"]),
        ({"firmware_version": None}, ["unknown_version"]),
        ({"firmware_version": "beta"}, ["unknown_version"]),
        ({"battery_pct": 49}, ["battery"]),
        ({"battery_pct": 49, "charging": True}, ["battery"]),
        ({"battery_pct": None}, ["unknown_battery"]),
        ({"free_bytes": None}, []),
        ({"rssi_dbm": -86}, ["link_quality"]),
        ({"rssi_dbm": None}, []),
        ({"width_px": 1}, []),  # a screen matters to dials only
    ],
)
def test_what_a_watch_brings(changes: dict[str, Any], found: list[str]) -> None:
    assert names(replace(WATCH, **changes), told=release()) == found


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"model_code": None}, []),
        ({"model_code": None, "product": "ido 7890"}, []),
        ({"model_code": None, "product": "IDO 789"}, ["product"]),
        ({"from_versions": {"most": "1.8"}}, ["from_version"]),
        ({"channel": "public"}, ["channel"]),
        ({"status": "withdrawn"}, ["status"]),
        ({"minimum_battery_pct": 51}, ["battery"]),
        ({"minimum_battery_pct": 10}, []),
        ({"region": {"allow": ["FR"]}}, ["region"]),
        ({"region": {"bar": ["DE"]}}, ["region"]),
        ({"region": {"bar": ["FR"]}}, []),
    ],
)
def test_what_a_release_brings(changes: dict[str, Any], found: list[str]) -> None:
    assert names(told=release(**changes)) == found


@pytest.mark.parametrize(
    ("watch", "file", "found"),
    [
        ({}, {"width_px": 239}, ["screen"]),
        ({"height_px": None}, {}, ["unknown_screen"]),
        ({}, {"width_px": None}, ["unknown_screen"]),
        ({"family": "another"}, {}, ["transport"]),
        ({"battery_pct": 29}, {}, ["battery"]),
        ({"firmware_version": "99"}, {}, []),
    ],
)
def test_what_a_dial_brings(watch: dict[str, Any], file: dict[str, Any], found: list[str]) -> None:
    told = release(kind="dial")
    assert names(replace(WATCH, **watch), replace(DIAL, **file), told) == found


def test_without_a_release_the_file_itself_tells() -> None:
    assert names(file=replace(FILE, product="")) == ["unsigned", "unknown_product"]
    assert names(file=replace(FILE, product="other")) == ["unsigned", "product"]
    assert names(replace(WATCH, product=None)) == ["unsigned", "unknown_product"]
    assert names(file=replace(FILE, version=None)) == ["unsigned", "unknown_version"]
    assert names(file=replace(FILE, version="1.9")) == ["unsigned", "version_order"]
    assert names(replace(WATCH, battery_pct=1), DIAL) == ["unsigned"]


def test_a_channel_that_was_asked_for_is_taken() -> None:
    told = release(channel="public")
    assert names(told=told, channel=Channel.PUBLIC) == []
    assert names(told=told, channel=Channel.INTERNAL) == []


def test_a_region_that_nobody_knows_is_no_region() -> None:
    watch = replace(WATCH, region=None)
    assert names(watch, told=release()) == []
    (found,) = preflight(watch, FILE, release(region={"bar": ["FR"]}), Signature.VERIFIED)
    assert (found.name, found.override) == ("unknown_region", False)


@pytest.mark.parametrize(
    ("form", "battery_pct", "objects", "liftable"),
    [
        *(("smp", 50, False, False), ("smp", 49, True, True), ("smp", 30, True, True)),
        *(("smp", 29, True, False), ("ido-d1", 31, False, False), ("ido-d1", 30, True, True)),
        ("ido-d1", 29, True, False),
    ],
)
def test_the_battery_has_a_floor_that_nothing_lifts(
    form: str, battery_pct: int, objects: bool, liftable: bool
) -> None:
    watch = replace(WATCH, battery_pct=battery_pct, transport=form)
    found = preflight(watch, replace(FILE, form=form), release(), Signature.VERIFIED)
    assert [each.name for each in found] == ["battery"] * objects
    assert [each.override for each in found] == [liftable] * objects
    if objects and not liftable:
        with pytest.raises(PreflightError, match="nothing lifts this"):
            refuse(found, ["battery"])
    else:
        assert refuse(found, ["battery"]) == found


def test_a_rule_of_versions_cannot_be_walked_around() -> None:
    watch = replace(WATCH, firmware_version=None)
    for told, liftable in ((release(), True), (release(from_versions=["1.9"]), False)):
        (found,) = preflight(watch, FILE, told, Signature.VERIFIED)
        assert (found.name, found.override) == ("unknown_version", liftable)


# ---- all at once, and lifting


WORST = preflight(
    replace(
        *(WATCH,),
        model_code=1,
        transport="realtek",
        firmware_version="2",
        battery_pct=31,
        free_bytes=1,
        rssi_dbm=-99,
    ),
    replace(FILE, faults=("crc: wrong",), sha256="0" * 64),
    release(from_versions=["1"], channel="internal", status="withdrawn", region={"allow": ["FR"]}),
    Signature.WRONG,
)


def test_all_objections_come_at_once() -> None:
    found = [each.name for each in WORST]
    assert found == [
        *("file_unsound", "digest", "signature", "product", "transport", "version_order"),
        *("from_version", "channel", "status", "region", "battery", "free_space", "link_quality"),
    ]
    with pytest.raises(PreflightError) as caught:
        refuse(WORST, ["version_order", "channel", "battery", "link_quality"])
    assert caught.value.exit_code == 7
    standing = [name for name in found if name in NEVER_ALLOWED]
    assert all(f"{name} (" in str(caught.value) for name in standing)
    assert "channel (" not in str(caught.value)
    assert caught.value.hint == f"Nothing lifts {', '.join(standing)}."


def test_what_is_allowed_by_name_is_lifted_and_told() -> None:
    found = preflight(replace(WATCH, firmware_version="1.10", rssi_dbm=-99), FILE)
    with pytest.raises(PreflightError) as caught:
        refuse(found, ["link_quality"])
    assert str(caught.value).startswith("Nothing was written. 2 objections: unsigned (")
    assert caught.value.hint == "To write it all the same: --unsigned --allow version_order"
    with pytest.raises(PreflightError, match="1 objection: version_order"):
        refuse(found, ["link_quality"], unsigned=True)
    assert refuse(found, ["link_quality", "version_order"], unsigned=True) == found
    assert refuse((), ALLOWABLE) == ()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        *((name, "cannot be lifted") for name in NEVER_ALLOWED),
        ("unsigned", "an option of its own"),
        ("sun", "no objection 'sun'"),
    ],
)
def test_a_name_that_cannot_be_lifted_is_wrong_usage(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        refuse((), [name])
    check_allowed(ALLOWABLE)


def test_no_refusal_tells_the_charge_or_the_country() -> None:
    for charge, country in ((41, "IT"), (42, "ES")):
        watch = replace(WATCH, battery_pct=charge, region=country)
        found = preflight(watch, FILE, release(region={"allow": ["FR"]}), Signature.VERIFIED)
        told = "".join(each.text for each in found)
        assert len(found) == 2
        assert str(charge) not in told
        assert country not in told


FACTS = st.builds(
    WatchFacts,
    family=st.sampled_from(["ido", ""]),
    product=st.sampled_from([None, "IDO 7890", "x"]),
    model_code=st.sampled_from([None, 7890, 1]),
    firmware_version=st.sampled_from([None, "1.9", "1.10", "b"]),
    transport=st.sampled_from([None, "", "smp", "ido-d1"]),
    battery_pct=st.none() | st.integers(0, 100),
    free_bytes=st.sampled_from([None, 1, 1 << 20]),
    width_px=st.sampled_from([None, 240]),
    height_px=st.sampled_from([None, 1]),
    rssi_dbm=st.none() | st.integers(-100, 0),
    region=st.sampled_from([None, "DE", "FR"]),
)
RELEASES = st.none() | st.sampled_from(
    [
        release(),
        release(kind="dial", region={"bar": ["FR"]}),
        release(channel="internal", from_versions=["1"], status="withdrawn", model_code=None),
    ]
)


@given(FACTS, st.sampled_from([FILE, DIAL]), RELEASES, st.sampled_from(Signature))
def test_what_may_be_lifted_never_depends_on_luck(
    watch: WatchFacts, file: FileFacts, told: Release | None, signature: Signature
) -> None:
    found = preflight(watch, file, told, signature)
    for each in found:
        assert each.name in (*ALLOWABLE, *NEVER_ALLOWED, "unsigned")
        if each.override:
            assert each.name not in NEVER_ALLOWED
        if each.name not in ("battery", "unknown_version"):
            assert each.override is (each.name not in NEVER_ALLOWED)
    final = [each for each in found if not each.override]
    if final:
        with pytest.raises(PreflightError):
            refuse(found, ALLOWABLE, unsigned=True)
    else:
        assert refuse(found, ALLOWABLE, unsigned=True) == found


def test_every_name_stands_in_the_manual_and_in_the_module() -> None:
    text = MANUAL.partition("\n## Preflight\n")[2].partition("\n## ")[0]
    for told in (text, module.__doc__ or ""):
        cells = re.findall(r"(?m)^\| (`.+?`) \|", told)
        named = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
        assert sorted(named) == sorted((*ALLOWABLE, *NEVER_ALLOWED, "unsigned"))
    assert Objection("a", "b").override is False


# ---- facts of real files


def test_facts_of_firmware(tmp_path: Path) -> None:
    plain = tmp_path / "plain.bin"
    plain.write_bytes(b"abc")
    (tmp_path / "plain.bin.toml").write_bytes(build.sidecar_toml(b"abc", transport="smp"))
    image = tmp_path / "app.bin"
    image.write_bytes(IMAGE)
    foreign = tmp_path / "watch.ufw"
    foreign.write_bytes(b"JieLi")
    nordic = tmp_path / "app.zip"
    nordic.write_bytes(build.secure_zip())

    told = facts_of_firmware(open_firmware_file(plain))
    assert (told.product, told.version, told.form) == ("Example Watch 2", "1.4.0", "smp")
    assert (told.name, told.kind, told.size_bytes) == ("plain.bin", Kind.FIRMWARE, 3)
    assert facts_of_firmware(open_firmware_file(image)).version == "1.2.3+4"
    assert facts_of_firmware(open_firmware_file(nordic)).version is None  # its own count
    told = facts_of_firmware(open_firmware_file(foreign))
    assert told.refusal
    assert told.faults == ()
    assert names(file=told)[:2] == ["unsigned", "unknown_product"]
    assert "transport" in names(file=told)
    plain.write_bytes(b"abX")
    (fault,) = facts_of_firmware(open_firmware_file(plain)).faults
    assert fault.startswith("digest: ")


def test_facts_of_a_dial(tmp_path: Path) -> None:
    folder = tmp_path / "design"
    folder.mkdir()
    head = {"name": "made", "preview": "small.bmp", "bkground": "back.png", "item": []}
    (folder / "iwf.json").write_text(json.dumps(head))
    for name, side in (("back.png", 10), ("small.bmp.png", 4)):
        Image.new("RGBA", (side, side)).save(folder / name)
    built = build_dial(folder, tmp_path / "made.iwf.lz", DialLimits())
    told = facts_of_dial(open_dial_file(tmp_path / "made.iwf.lz"), "0" * 64)
    assert (told.name, told.kind, told.form) == ("made.iwf.lz", Kind.DIAL, "iwf")
    assert (told.size_bytes, told.needed_bytes) == (built.packed_bytes, built.size_bytes)
    assert (told.width_px, told.height_px, told.faults) == (10, 10, ())
    fits = replace(WATCH, width_px=10, height_px=10)
    assert names(fits, told) == ["unsigned"]
    assert names(WATCH, told) == ["unsigned", "screen"]


def test_countries_are_those_of_iso_3166() -> None:
    assert read_country("gb") == "GB"
    for text in ("UK", "", "D", "DEU", "\u00df"):
        with pytest.raises(UsageError, match="is no country"):
            read_country(text)
