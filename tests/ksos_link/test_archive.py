"""A person's full copy: the same bytes from an empty home; merged into another; forged ones."""

import hashlib
import html.parser
import io
import json
import os
import re
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from firmware_protocol.clock import ClockStretch
from firmware_protocol.errors import DecodeError
from firmware_protocol.records import RawRecord, Watermark
from firmware_protocol.samples import METRICS, Decoded, Quality, Series
from ksos_link.config import open_home
from ksos_link.errors import MalformedError, StoreError, UsageError
from ksos_link.export.archive import write_archive
from ksos_link.imports import body
from ksos_link.imports.archive import Archive
from ksos_link.operations.archive_fields import MOST_SAMPLES_AT_ONCE
from ksos_link.operations.archive_restore import Restored, look_into_archive, restore_archive
from ksos_link.operations.archive_source import StoreArchive
from ksos_link.operations.consents import CYCLE, OPEN_METEO
from ksos_link.store.database import Store
from ksos_link.store.sharing import ShareConsent
from tests.ksos_link.command_results import done, objects
from tests.ksos_link.conftest import StoreBench, heart_rate_record

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, SizeLimit

NOW = 1_790_000_000
LEFT_OUT = ("campaign", "lock", "upload", "sqlite_")


def archived(store: Store, target: Path) -> bytes:
    with store.reading():
        write_archive(StoreArchive(store), target)
    return target.read_bytes()


def restored(store: Store, data: bytes) -> Restored:
    return restore_archive(store, Archive(io.BytesIO(data)))


@pytest.fixture
def empty(tmp_path: Path) -> StoreBench:
    return StoreBench(open_home({"KSOS_HOME": str(tmp_path / "empty")}), tmp_path / "secret")


def fill(bench: StoreBench, store: Store) -> None:
    """All that a store can hold of a person."""
    gone, watch = bench.add_watch(store, "gone"), bench.add_watch(store, "wrist")
    bench.commit(store, gone, "day", {NOW: 60, NOW + 60: 61})
    bench.commit(store, watch, "first", {NOW: 70, NOW + 60: 71})
    bench.commit(store, watch, "second", {NOW + 60: 81, NOW + 120: 82})  # overrules one of them
    bench.commit(store, gone, "empty", {})
    clock_id = store.add_clock(watch.device_id, (), NOW, None)
    store.commit_record(
        watch.device_id,
        RawRecord("ido", "health.workout", "w", b"\x00\xff", 3),
        Decoded(
            (
                Series("workout_heart_rate", [NOW, NOW + 1], {"bpm": [90, 91]}),
                Series("workout_heart_rate", [NOW + 2], {"bpm": [92]}, Quality.PROVISIONAL),
                Series("sleep", [-60, NOW], {"duration_s": [60, 60], "stage": [2, 9]}),
                Series(
                    "workout_point",
                    [NOW],
                    {
                        "latitude_deg": [48.1],
                        "longitude_deg": [11.0],
                        "elevation_m": [None],
                        "distance_m": [0.1],
                        "speed_mps": [2.0],
                        "cadence_spm": [80],
                    },
                ),
                Series("temperature", [NOW], {"temperature_c": [36.5], "site": ["wrist"]}),
            )
        ),
        (Watermark("health.workout", "3"),),
        clock_id,
        NOW,
        verified=False,
    )
    store.add_clock_stretch(watch.device_id, ClockStretch(NOW, 7200, sure=False))
    store.note_sync(watch.device_id, NOW)
    store.forget_device(gone.device_id, keep_data=True)
    store.remember_setting(watch.device_id, "goal", {"steps": 9000}, NOW)
    store.remember_setting(watch.device_id, CYCLE, {"on": True}, NOW)
    store.set_wearer({"height_cm": 171, "birth_date": "1990-01-01"}, NOW)
    store.give_consent(CYCLE, NOW)
    store.give_consent(OPEN_METEO, NOW + 1)
    for utc_s, data in ((NOW, ("workout",)), (NOW + 5, ("workout", "sleep"))):
        store.give_share_consent(ShareConsent("strava", data, "US", "DE", utc_s))
    store.give_share_consent(ShareConsent("mqtt", ("steps",), None, None, NOW))
    store.withdraw_share_consent("mqtt", NOW + 9)
    number = store.begin_share("strava", ("workout",), "a run", NOW, "begun")
    store.end_share(number, "sent", 12)


def tables(store: Store) -> dict[str, list[Any]]:
    """Every row of every table that is of a person, without the numbers that a database gives."""
    names = [
        row[0]
        for row in store.database.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")
        if not row[0].startswith(LEFT_OUT)
    ]
    found = {}
    for name in names:
        columns = [row[1] for row in store.database.rows(f"PRAGMA table_info({name})")]
        own = f"{name.replace('raw_record', 'raw').replace('clock_stretch', 'stretch')}_id"
        kept = ", ".join(f"quote({each})" for each in columns if each != own)
        found[name] = sorted(store.database.rows(f"SELECT {kept} FROM {name}"))  # noqa: S608
    return found


def test_all_that_is_kept_of_a_person_comes_back(
    bench: StoreBench, empty: StoreBench, tmp_path: Path
) -> None:
    with bench.open() as store, empty.open() as other:
        fill(bench, store)
        first = archived(store, tmp_path / "first.zip")
        result = restored(other, first)
        assert tables(other) == tables(store)
        assert archived(other, tmp_path / "second.zip") == first
        assert other.check() == []
        assert result.samples == result.gained
        assert result.records == 5
        assert any("hold again: cycle" in remark for remark in result.remarks)
        assert look_into_archive(Archive(io.BytesIO(first))).samples == result.samples


def test_a_store_gains_nothing_from_its_own_archive(bench: StoreBench, tmp_path: Path) -> None:
    with bench.open() as store:
        fill(bench, store)
        first = archived(store, tmp_path / "first.zip")
        before = tables(store)
        assert restored(store, first).gained == {}
        assert tables(store) == before


def test_an_archive_of_a_month_gives_the_same_bytes_again(
    ksos: "CommandLine", tmp_path: Path
) -> None:
    assert ksos("watch", "pair", "virtual:ido?scenario=month", "--alias", "wrist").code == 0
    done(ksos("sync"))
    out = tmp_path / "first.zip"
    done(ksos("export", "--format", "archive", "--out", out))
    second_home = str(tmp_path / "second-home")
    (said,) = objects(ksos("import", out, "--json", KSOS_HOME=second_home))
    assert (said["format"], said["device"], said["samples"]) == ("archive", None, said["stored"])
    assert said["samples"]["heart_rate"] > 10_000
    done(ksos("export", "--format", "archive", "--out", tmp_path, KSOS_HOME=second_home))
    assert (tmp_path / "ksos-archive.zip").read_bytes() == out.read_bytes()
    done(ksos("store", "redecode", KSOS_HOME=second_home))  # the raw records mean the same
    done(ksos("export", "--format", "archive", "--out", tmp_path, KSOS_HOME=second_home))
    assert (tmp_path / "ksos-archive.zip").read_bytes() == out.read_bytes()
    assert "was taken" not in ksos("import", out, KSOS_HOME=second_home).err


def test_a_look_into_an_archive_makes_no_home(
    ksos: "CommandLine", bench: StoreBench, tmp_path: Path
) -> None:
    with bench.open() as store:
        fill(bench, store)
        archived(store, tmp_path / "a.zip")
    home = tmp_path / "none"
    (said,) = objects(
        ksos("import", tmp_path / "a.zip", "--dry-run", "--json", KSOS_HOME=str(home))
    )
    assert (said["records"], said["stored"]) == (5, None)
    assert not home.exists()
    assert ksos("import", tmp_path / "a.zip", "--as", "other").code == 2


def test_an_archive_is_of_everything(ksos: "CommandLine", bench: StoreBench) -> None:
    with bench.open() as store:
        fill(bench, store)
    for choice in (("--metric", "steps"), ("--from", "2026-01-01"), ("--device", "wrist")):
        assert ksos("export", "--format", "archive", *choice).code == 2


# ---- into a home that has something


def test_what_a_store_has_stays(bench: StoreBench, empty: StoreBench, tmp_path: Path) -> None:
    with bench.open() as store, empty.open() as other:
        fill(bench, store)
        data = archived(store, tmp_path / "a.zip")
        stranger = other.add_device(
            alias="WRIST", address="AA:BB:CC:DD:EE:FF", family="ido", product="x", bound_utc_s=1
        )
        known = other.add_device(
            alias="mine", address="c0:ff:ee:00:00:01", family="ido", product="y", bound_utc_s=2
        )
        empty.commit(other, known, "own", {NOW + 500: 99})
        newer = heart_rate_record("first", {NOW: 55})
        other.commit_record(
            known.device_id,
            newer,
            Decoded((Series("heart_rate", [NOW], {"bpm": [55]}),)),
            (Watermark("health.heart_rate", "9"),),
            empty.clock(other, known),
            NOW + 10**6,
        )
        other.set_wearer({"height_cm": 150}, 1)
        other.remember_setting(known.device_id, "goal", {"steps": 1}, NOW + 1)
        result = restored(other, data)
        aliases = {one.alias: one for one in other.devices(forgotten=True)}
        assert set(aliases) == {"WRIST", "mine", "gone"}
        assert aliases["gone"].forgotten
        assert aliases["WRIST"] == stranger
        wearer = other.wearer()
        assert wearer is not None
        assert wearer.values == {"height_cm": 150}
        assert other.consents() == {}
        assert other.share_consents() == []
        assert other.remembered_settings(known.device_id)["goal"].values == {"steps": 1}
        assert CYCLE not in other.remembered_settings(known.device_id)
        assert other.watermarks(known.device_id)["health.heart_rate"].position == "9"
        mine = [row for row in empty.rows(other) if row[0] == "mine"]
        assert [row[1:3] for row in mine] == [
            (NOW, 55),
            (NOW + 60, 81),
            (NOW + 120, 82),
            (NOW + 500, 99),
        ]
        assert len(result.remarks) == 2  # consents and the cycle
        before = tables(other)
        assert restored(other, data).gained == {}
        assert tables(other) == before
        assert other.check() == []


def test_a_name_that_is_taken_gets_a_number(
    bench: StoreBench, empty: StoreBench, tmp_path: Path
) -> None:
    with bench.open() as store, empty.open() as other:
        bench.add_watch(store, "wrist")
        data = archived(store, tmp_path / "a.zip")
        for number, alias in enumerate(("Wrist", "wrist-2")):
            other.add_device(
                alias=alias, address=f"A{number}:00", family="ido", product="", bound_utc_s=1
            )
        result = restored(other, data)
        assert result.remarks == ("wrist is called wrist-3 here: the name was taken.",)


def test_newer_settings_of_an_archive_count(
    bench: StoreBench, empty: StoreBench, tmp_path: Path
) -> None:
    with bench.open() as store, empty.open() as other:
        watch = bench.add_watch(store, "wrist")
        store.remember_setting(watch.device_id, "goal", {"steps": 9}, NOW)
        data = archived(store, tmp_path / "a.zip")
        own = empty.add_watch(other, "own")
        other.remember_setting(own.device_id, "goal", {"steps": 1}, NOW - 1)
        other.give_consent(CYCLE, 1)
        assert restored(other, data).remarks == ()
        assert other.remembered_settings(own.device_id)["goal"].values == {"steps": 9}


# ---- what is in it


def test_the_manifest_has_the_digest_of_every_file(bench: StoreBench, tmp_path: Path) -> None:
    with bench.open() as store:
        fill(bench, store)
        archived(store, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("manifest.json"))
        digests = {
            name: {
                "bytes": len(archive.read(name)),
                "sha256": hashlib.sha256(archive.read(name)).hexdigest(),
            }
            for name in archive.namelist()
            if name != "manifest.json"
        }
        assert manifest["files"] == digests
        lines = [json.loads(line) for line in archive.read("data/heart_rate.jsonl").splitlines()]
    assert lines[0] == {
        "record": 1,
        "device": "gone",
        "start_utc": "2026-09-21T14:13:20Z",
        "bpm": 60,
        "quality": "proven",
    }
    assert (tmp_path / "a.zip").stat().st_mode & 0o777 == 0o600


class Page(html.parser.HTMLParser):
    """What a browser would show, and what it would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)
        self.fetched += [value or "" for name, value in attributes if name in {"src", "href"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_says_what_is_in_it_and_loads_nothing(bench: StoreBench, tmp_path: Path) -> None:
    with bench.open() as store:
        fill(bench, store)
        store.database.change("UPDATE device SET product = ?", ("<script>alert(1)</script>",))
        archived(store, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        text = archive.read("index.html").decode()
    page = Page()
    page.feed(text)
    assert page.open == []
    assert page.fetched == []
    assert "<script>" not in text
    assert "color-scheme: light dark" in text
    for words in ("ksos import", "heart_rate", "campaigns", "<script>alert(1)</script>", "wrist"):
        assert words in page.text


def test_an_empty_store_has_an_archive_too(
    bench: StoreBench, empty: StoreBench, tmp_path: Path
) -> None:
    with bench.open() as store, empty.open() as other:
        data = archived(store, tmp_path / "a.zip")
        assert restored(other, data) == Restored(0, {}, {}, ())


def test_a_full_disk_leaves_no_half_archive(
    bench: StoreBench, file_size_limit: "SizeLimit", tmp_path: Path
) -> None:
    with bench.open() as store:
        watch = bench.add_watch(store)
        for day in range(40):
            beats = {NOW + day * 86_400 + 61 * at: 60 + at * day % 97 for at in range(500)}
            bench.commit(store, watch, str(day), beats)
        with store.reading(), file_size_limit(20_000), pytest.raises(StoreError, match="disk"):
            write_archive(StoreArchive(store), tmp_path / "a.zip")
    assert not list(tmp_path.glob("a.zip*"))


def test_what_others_write_meanwhile_is_not_in_it(bench: StoreBench, tmp_path: Path) -> None:
    with bench.open() as store, bench.open() as writer:
        fill(bench, writer)
        before = archived(store, tmp_path / "before.zip")
        with store.reading():
            source = StoreArchive(store)
            bench.commit(writer, writer.device("wrist"), "later", {NOW + 900: 90})
            write_archive(source, tmp_path / "during.zip")
        assert (tmp_path / "during.zip").read_bytes() == before


def test_memory_does_not_grow_with_the_data(bench: StoreBench, tmp_path: Path) -> None:
    peaks = []
    with bench.open() as store:
        watch = bench.add_watch(store)
        for first, last in ((0, 70), (70, 350)):
            with store.together():
                for day in range(first, last):
                    beats = {NOW + day * 86_400 + 300 * at: 60 + at % 90 for at in range(288)}
                    bench.commit(store, watch, str(day), beats)
            tracemalloc.start()
            with store.reading():
                write_archive(StoreArchive(store), tmp_path / "a.zip")
            with (tmp_path / "a.zip").open("rb") as file:
                assert look_into_archive(Archive(file)).records == last
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.25


# ---- forged ones

Files = dict[str, bytes]


def unzipped(data: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def signed(files: Files) -> Files:
    """With a manifest that fits: the forger can do that too."""
    manifest = json.loads(files["manifest.json"])
    manifest["files"] = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in files.items()
        if name != "manifest.json"
    }
    return {**files, "manifest.json": json.dumps(manifest).encode()}


def replaced(name: str, old: bytes, new: bytes) -> Callable[[Files], bytes]:
    def forge(files: Files) -> bytes:
        assert old in files[name], files[name]
        return zipped(signed({**files, name: files[name].replace(old, new)}))

    return forge


def without(name: str) -> Callable[[Files], bytes]:
    return lambda files: zipped(signed({key: files[key] for key in files if key != name}))


def with_file(name: str, data: bytes = b"{}\n") -> Callable[[Files], bytes]:
    return lambda files: zipped(signed({**files, name: data}))


def manifest_with(**changes: Any) -> Callable[[Files], bytes]:
    def forge(files: Files) -> bytes:
        manifest = json.loads(files["manifest.json"]) | changes
        return zipped({**files, "manifest.json": json.dumps(manifest).encode()})

    return forge


def twice(files: Files) -> bytes:
    out = io.BytesIO(zipped(files))
    with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("wearer.json", b"null")
    return out.getvalue()


def locked(files: Files) -> bytes:
    data = bytearray(zipped(files))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for found in re.finditer(re.escape(mark), bytes(data)):
            data[found.start() + place] |= 1
    return bytes(data)


BEAT = b'"bpm":60,'
HEARTS = "data/heart_rate.jsonl"
FORGERIES: dict[str, Callable[[Files], bytes]] = {
    "no zip": lambda files: b"PK\x03\x04" + bytes(26) + b"devices.json" + bytes(100),
    "cut off": lambda files: zipped(files)[:-40],
    "a name that climbs": with_file("../evil.json"),
    "a name from the root": with_file("/etc/evil.json"),
    "a name of Windows": with_file("data\\evil.jsonl"),
    "a name that is known nowhere": with_file("evil.exe"),
    "an unknown metric": with_file("data/evil.jsonl"),
    "a name twice": twice,
    "a file more": lambda files: zipped({**files, "more.json": b""}),
    "a file less": lambda files: zipped({name: files[name] for name in files if name != HEARTS}),
    "another digest": lambda files: zipped({**files, "wearer.json": b"null\n"}),
    "no manifest": lambda files: zipped({"devices.json": files["devices.json"]}),
    "a manifest that is a list": lambda files: zipped({**files, "manifest.json": b"[]"}),
    "a manifest of numbers": manifest_with(files={"devices.json": 1}),
    "a manifest that is no JSON": lambda files: zipped({**files, "manifest.json": b"{"}),
    "a manifest without end": lambda files: zipped({**files, "manifest.json": os.urandom(2 << 20)}),
    "a newer version": manifest_with(version=2),
    "a version that is a text": manifest_with(version="1"),
    "another format": manifest_with(format="other"),
    "a bomb": with_file("data/noise.jsonl", b"\n" * (64 << 20)),
    "many files": lambda files: zipped(
        signed({**files, **{f"data/m{number}.jsonl": b"" for number in range(300)}})
    ),
    "another compression": lambda files: zipped(files, zipfile.ZIP_LZMA),
    "a password": locked,
    "no devices": without("devices.json"),
    "devices that are none": replaced("devices.json", b'"address"', b'"other"'),
    "deep nesting": with_file("wearer.json", b"[" * 20_000),
    "an alias that is none": replaced("devices.json", b'"alias": "wrist"', b'"alias": "=1+1"'),
    "an instant that is none": replaced("devices.json", b"2023-11-14T22:13:20Z", b"soon"),
    "an instant without zone": replaced("devices.json", b"2023-11-14T22:13:20Z", b"2023-11-14"),
    "a switch that is none": replaced("devices.json", b'"forgotten": false', b'"forgotten": 0'),
    "a record of nobody": replaced("records.jsonl", b'"device":"gone"', b'"device":"nobody"'),
    "a record by no clock": replaced("records.jsonl", b'"clock":1,', b'"clock":77,'),
    "a body that is none": replaced("records.jsonl", b'"body":"', b'"body":"*'),
    "a number that is a text": replaced("records.jsonl", b'"clock":1,', b'"clock":"1",'),
    "a number that is too large": replaced("clocks.jsonl", b'"clock":1,', b'"clock":1e400,'),
    "a document that is no JSON": with_file("consents.json", b"{"),
    "a line that is no JSON": replaced(HEARTS, BEAT, b'"bpm":60'),
    "a list in a list": replaced("records.jsonl", b'{"record":1,', b'[1]\n{"record":1,'),
    "samples without a record": replaced(HEARTS, b'{"record":1,', b'{"record":9,'),
    "a sample without its value": replaced(HEARTS, BEAT, b""),
    "a value of another kind": replaced(HEARTS, BEAT, b'"bpm":"60",'),
    "a value that is too large": replaced(HEARTS, BEAT, b'"bpm":99999999999999999999,'),
    "a quality that is unknown": replaced(HEARTS, b'"proven"', b'"sure"'),
    "a text that is a number": replaced("data/temperature.jsonl", b'"wrist","q', b'7,"q'),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("archive")
    bench = StoreBench(open_home({"KSOS_HOME": str(folder / "home")}), folder / "secret")
    with bench.open() as store:
        fill(bench, store)
        return unzipped(archived(store, folder / "a.zip"))


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_archive_is_refused_and_nothing_is_stored(
    name: str, files: Files, empty: StoreBench
) -> None:
    data = FORGERIES[name](files)
    with empty.open() as store:
        before = tables(store)
        with pytest.raises(MalformedError):
            restored(store, data)
        assert tables(store) == before
        assert not store.database.in_transaction


def test_a_bomb_is_not_unpacked(files: Files) -> None:
    bomb = with_file("data/noise.jsonl", b"\n" * (64 << 20))(files)
    assert len(bomb) < 200_000
    with pytest.raises(MalformedError, match="far more"):
        Archive(io.BytesIO(bomb))


def test_files_that_share_their_bytes_are_refused(files: Files) -> None:
    data = bytearray(zipped(files))
    sizes = [found.start() + 20 for found in re.finditer(re.escape(b"PK\x01\x02"), bytes(data))]
    for place in sizes:
        data[place : place + 4] = (len(data)).to_bytes(4, "little")
    with pytest.raises(MalformedError):
        Archive(io.BytesIO(bytes(data)))


@pytest.mark.parametrize("command", [(), ("--dry-run",)])
def test_a_refused_archive_is_told_in_plain_words(
    command: tuple[str, ...], ksos: "CommandLine", files: Files, tmp_path: Path
) -> None:
    for name in ("a newer version", "another digest", "a name that climbs", "a password"):
        (tmp_path / "a.zip").write_bytes(FORGERIES[name](files))
        said = ksos("import", tmp_path / "a.zip", *command)
        assert said.code == 5
        assert said.err.startswith("error: ")
        assert "Traceback" not in said.err
    assert not list(tmp_path.glob("**/evil*"))


def test_one_record_cannot_fill_the_memory(
    files: Files, empty: StoreBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_SAMPLES_AT_ONCE > 10**6
    monkeypatch.setattr("ksos_link.operations.archive_fields.MOST_SAMPLES_AT_ONCE", 1)
    with empty.open() as store, pytest.raises(MalformedError):
        restored(store, zipped(files))


def test_a_list_that_an_archive_has_not_is_empty(files: Files) -> None:
    archive = Archive(io.BytesIO(zipped(files)))
    assert list(archive.lines("data/spo2.jsonl")) == []
    assert set(archive.names) == set(files) - {"manifest.json"}
    with pytest.raises(MalformedError):
        archive.document("nothing.json")
    assert {name.removeprefix("data/").removesuffix(".jsonl") for name in archive.names} & set(
        METRICS
    )


def test_reading_ends_whatever_happens(bench: StoreBench) -> None:
    with bench.open() as store:
        with pytest.raises(UsageError), store.reading():
            raise UsageError("stop")
        assert not store.database.in_transaction
        with store.reading():
            assert list(store.all_records()) == []


def test_the_body_of_an_imported_record_is_no_bomb_either() -> None:
    whole = b"KSI\x01" + zlib.compress(b'{"series":[]}')
    assert body.decode(RawRecord("import", "x", "y", whole, 1)) == Decoded(())
    for packed in (zlib.compress(bytes(257 << 20), 1), whole[4:-9], b"noise"):
        with pytest.raises(DecodeError):
            body.decode(RawRecord("import", "x", "y", b"KSI\x01" + packed, 1))
