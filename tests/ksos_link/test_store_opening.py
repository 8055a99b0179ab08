"""What can stand in the way of a store: each thing is said plainly, and nothing is touched."""

import contextlib
import errno
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ksos_link.config import open_home
from ksos_link.errors import NotFoundError, StoreError
from ksos_link.store import migrations
from ksos_link.store.backups import rekey
from ksos_link.store.database import open_store
from ksos_link.store.dbapi import Database
from ksos_link.store.keys import SecretSource

if TYPE_CHECKING:
    from tests.ksos_link.conftest import SizeLimit, StoreBench


def all_files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def filled(bench: "StoreBench") -> "StoreBench":
    with bench.open() as store:
        device = bench.add_watch(store, "wrist")
        for day in range(40):
            beats = {day * 1000 + n: 60 + n % 90 for n in range(500)}
            bench.commit(store, device, str(day), beats)
    return bench


def test_a_home_and_all_in_it_are_for_the_owner_only(bench: "StoreBench") -> None:
    with bench.open() as store:
        bench.add_watch(store)
        files = {path.name: path for path in bench.home.folder.iterdir()}
        assert {"store.db", "store.db-wal", "store.db-shm", "store.key"} <= files.keys()
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files.values())
        assert stat.S_IMODE(bench.home.folder.stat().st_mode) == 0o700


def test_a_store_that_is_not_there_is_made_only_when_allowed(bench: "StoreBench") -> None:
    with pytest.raises(NotFoundError, match="no store yet"):
        open_store(bench.home, bench.secrets(), create=False)
    assert not bench.home.folder.exists()
    bench.open().close()
    open_store(bench.home, bench.secrets(), create=False).close()


def test_a_creation_that_was_cut_goes_on(bench: "StoreBench") -> None:
    bench.open().close()
    bench.home.store_file.unlink()  # the key was written, the database not yet
    bench.open().close()
    bench.home.store_file.write_bytes(b"")
    with bench.open() as store:
        assert store.info().schema_version == migrations.SCHEMA_VERSION


def test_a_wrong_secret_touches_nothing(filled: "StoreBench", tmp_path: Path) -> None:
    before = all_files(filled.home.folder)
    other = tmp_path / "other"
    other.write_text("cd" * 32)
    with pytest.raises(StoreError, match="does not open this store"):
        open_store(filled.home, SecretSource({"KSOS_KEY_FILE": str(other)}))
    assert all_files(filled.home.folder) == before


def test_a_missing_key_file_is_no_reason_to_make_a_new_one(filled: "StoreBench") -> None:
    filled.home.key_file.unlink()
    with pytest.raises(StoreError, match="key file of the store is missing"):
        filled.open()
    assert not filled.home.key_file.exists()


def test_the_key_file_of_another_store_is_said_so(filled: "StoreBench", tmp_path: Path) -> None:
    other = open_home({"KSOS_HOME": str(tmp_path / "other")})
    open_store(other, filled.secrets()).close()
    filled.home.key_file.write_bytes(other.key_file.read_bytes())
    with pytest.raises(StoreError, match="belongs to another key file"):
        filled.open()


def test_a_plain_sqlite_file_is_not_taken_for_a_store(filled: "StoreBench") -> None:
    filled.home.store_file.unlink()
    with contextlib.closing(sqlite3.connect(filled.home.store_file)) as plain:
        plain.execute("CREATE TABLE other (x)")
    before = all_files(filled.home.folder)
    with pytest.raises(StoreError, match="plain SQLite"):
        filled.open()
    assert all_files(filled.home.folder) == before


@pytest.mark.parametrize("content", [b"x" * 100, bytes(8192), os.urandom(4096)])
def test_a_foreign_file_is_not_taken_for_a_store(filled: "StoreBench", content: bytes) -> None:
    filled.home.store_file.write_bytes(content)
    with pytest.raises(StoreError):
        filled.open()
    assert filled.home.store_file.read_bytes() == content


def test_a_newer_schema_is_left_alone(filled: "StoreBench") -> None:
    with filled.open() as store:
        store.database.rows(f"PRAGMA user_version = {migrations.SCHEMA_VERSION + 1}")
    before = all_files(filled.home.folder)
    with pytest.raises(StoreError, match="newer ksos"):
        filled.open()
    assert all_files(filled.home.folder) == before


def test_a_damaged_page_is_found_and_named(filled: "StoreBench") -> None:
    with filled.open() as store:
        assert store.check() == []
    content = bytearray(filled.home.store_file.read_bytes())
    assert len(content) > 60 * 4096
    for page in range(56, len(content) // 4096):
        content[page * 4096 + 100] ^= 0xFF
    filled.home.store_file.write_bytes(content)
    with filled.open() as store:
        assert any("page" in finding for finding in store.check())
        with pytest.raises(StoreError, match="damaged") as found:
            filled.rows(store)
        assert "restore" in found.value.hint


def test_a_truncated_store_is_damaged(filled: "StoreBench") -> None:
    content = filled.home.store_file.read_bytes()
    filled.home.store_file.write_bytes(content[: len(content) // 2])
    with pytest.raises(StoreError, match="damaged"):
        filled.open()


def test_a_sample_without_its_record_is_found(filled: "StoreBench") -> None:
    with filled.open() as store:
        store.database.rows("INSERT INTO heart_rate VALUES (1, 5, 999, 60, 0)")
        assert store.check() == ["1 samples of heart_rate belong to no raw record"]


def test_there_is_one_writer_and_readers_go_on(filled: "StoreBench") -> None:
    with filled.open() as first, filled.open(busy_wait_s=0.0) as second:
        first.claim_writer()
        assert second.counts() == {"heart_rate": 20_000}
        with pytest.raises(StoreError, match="Another ksos is writing") as found:
            second.note_sync(1, 5)
        assert found.value.hint
        first.note_sync(1, 6)
        assert second.device("wrist").last_sync_utc_s == 6
        first.close()
        first.close()  # closing twice is nothing
        second.note_sync(1, 7)


def test_a_foreign_lock_on_the_database_is_said_so(filled: "StoreBench") -> None:
    with filled.open() as first, filled.open(busy_wait_s=0.0) as second:
        first.database.rows("BEGIN IMMEDIATE")  # as a database browser with the key might
        with pytest.raises(StoreError, match="Another ksos is writing"):
            second.note_sync(1, 5)
        first.database.rows("ROLLBACK")


def test_two_programs_that_make_the_store_at_once_share_it(bench: "StoreBench") -> None:
    script = (
        "import sys; from ksos_link.config import open_home\n"
        "from ksos_link.store.database import open_store\n"
        "from ksos_link.store.keys import SecretSource\n"
        "sys.stdin.readline()\n"
        "with open_store(open_home({'KSOS_HOME': sys.argv[1]}),"
        " SecretSource({'KSOS_PASSPHRASE': 'p'})) as store:\n"
        "    store.add_device(alias=sys.argv[2], address=sys.argv[2], family='ido', product='x',"
        " bound_utc_s=0)\n"
    )
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(bench.home.folder), name], stdin=subprocess.PIPE
        )
        for name in ("one", "two", "three")
    ]
    for program in programs:
        assert program.stdin
        program.stdin.write(b"\n")
        program.stdin.close()
    assert [program.wait(30) for program in programs] == [0, 0, 0]
    with open_store(bench.home, SecretSource({"KSOS_PASSPHRASE": "p"})) as store:
        assert sorted(device.alias for device in store.devices()) == ["one", "three", "two"]


def test_a_full_database_loses_nothing(bench: "StoreBench") -> None:
    with bench.open() as store:
        device = bench.add_watch(store, "wrist")
        bench.commit(store, device, "small", {1: 60}, "1")
        store.database.rows("PRAGMA max_page_count = 60")
        with pytest.raises(StoreError, match="full"):
            bench.commit(store, device, "large", dict.fromkeys(range(20000), 70), "2")
        assert bench.rows(store) == [("wrist", 1, 60, 0)]
        assert store.watermarks(device.device_id)["health.heart_rate"].position == "1"
        store.database.rows("PRAGMA max_page_count = 100000")
        bench.commit(store, device, "large", dict.fromkeys(range(20000), 70), "2")
        assert store.counts() == {"heart_rate": 20_000}


def test_a_full_disk_loses_nothing(bench: "StoreBench", file_size_limit: "SizeLimit") -> None:
    with bench.open() as store:
        device = bench.add_watch(store, "wrist")
        bench.commit(store, device, "small", {1: 60}, "1")
        with file_size_limit(600_000), pytest.raises(StoreError, match="full"):
            bench.commit(store, device, "large", dict.fromkeys(range(50000), 70), "2")
        assert bench.rows(store) == [("wrist", 1, 60, 0)]
    with bench.open() as store:
        assert bench.rows(store) == [("wrist", 1, 60, 0)]
        assert store.check() == []


def test_a_disk_that_is_full_from_the_start_makes_no_half_store(
    bench: "StoreBench", file_size_limit: "SizeLimit"
) -> None:
    with file_size_limit(0), pytest.raises(StoreError):
        bench.open()
    bench.open().close()


@contextlib.contextmanager
def without_rights() -> Iterator[None]:
    """Root may write everywhere; so be nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_read_only_home_is_said_so(bench: "StoreBench") -> None:
    bench.open().close()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for file in bench.home.folder.iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
            (folder / file.name).chmod(0o444)
        folder.chmod(0o555)
        bench.secret_file.parent.chmod(0o755)
        bench.home = open_home({}, folder)
        secrets = SecretSource({"KSOS_PASSPHRASE": "irrelevant"})
        with without_rights(), pytest.raises(StoreError, match="cannot be written") as found:
            open_store(bench.home, secrets)
        assert "read-only" in found.value.hint
        with without_rights(), pytest.raises(StoreError, match="cannot be made"):
            open_store(open_home({}, folder / "inside"), secrets)
        folder.chmod(0o755)


def test_a_file_in_the_way_of_the_home_is_said_so(tmp_path: Path, bench: "StoreBench") -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(StoreError, match="cannot be made"):
        bench.open()


def test_a_key_of_another_length_never_reaches_the_engine(tmp_path: Path) -> None:
    for length in (0, 16, 31, 33, 48):
        with pytest.raises(ValueError, match="32 bytes"):
            Database(tmp_path / "x.db", bytes(length))


def test_an_older_schema_is_brought_up_in_one_step(
    bench: "StoreBench", monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.open().close()

    def second_step(database: Database) -> None:
        database.rows("CREATE TABLE later (x INTEGER)")
        if broken:
            database.rows("SELECT nothing FROM nowhere")

    steps = (*migrations._STEPS, second_step)
    monkeypatch.setattr(migrations, "_STEPS", steps)
    for module in (migrations, sys.modules[open_store.__module__]):
        monkeypatch.setattr(module, "SCHEMA_VERSION", len(steps))
    broken = True
    with pytest.raises(StoreError):
        bench.open()
    broken = False
    with bench.open() as store:
        assert store.info().schema_version == len(steps)
        assert store.database.rows("SELECT * FROM later") == []


def test_nothing_heavy_is_imported_before_a_store_opens() -> None:
    script = (
        "import sys\n"
        "import ksos_link.store.backups, ksos_link.export, ksos_link.config, ksos_link.redaction\n"
        "heavy = {'sqlcipher3', 'cryptography', 'keyring', 'platformdirs', 'zipfile'}\n"
        "print(sorted(heavy & sys.modules.keys()))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def test_a_home_of_somebody_else_is_said_so(bench: "StoreBench") -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "home"
        folder.mkdir()
        (folder / "store.db").write_bytes(b"")
        folder.chmod(0)
        secrets = SecretSource({"KSOS_PASSPHRASE": "irrelevant"})
        for create in (True, False):
            with without_rights(), pytest.raises(StoreError) as found:
                open_store(open_home({}, folder), secrets, create=create)
            assert found.value.hint
        folder.chmod(0o700)


def test_a_folder_without_locks_is_not_taken_for_a_store_in_use(
    bench: "StoreBench", monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(StoreError, match="cannot be locked") as found:
        bench.open()
    assert "--home" in found.value.hint


def test_a_home_may_be_a_symbolic_link(bench: "StoreBench", tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    bench.home.folder.symlink_to(tmp_path / "real")
    with bench.open() as store:
        bench.add_watch(store, "wrist")
    rekey(bench.home, bench.secrets())
    with bench.open() as store:
        assert store.device("wrist")
    assert (tmp_path / "real" / "store.db").exists()


def test_files_are_for_the_owner_only_whatever_the_umask(bench: "StoreBench") -> None:
    before = os.umask(0)
    try:
        with bench.open() as store:
            bench.add_watch(store)
            files = list(bench.home.folder.iterdir())
            assert len(files) == 6
            assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    finally:
        os.umask(before)
