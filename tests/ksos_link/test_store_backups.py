"""Backup, restore and a new key: whole or not at all, wherever they are cut."""

import os
import shutil
import stat
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ksos_link.config import Home, open_home
from ksos_link.errors import MalformedError, NotFoundError, StoreError, UsageError
from ksos_link.store import backups, migrations, swap
from ksos_link.store.backups import backup, rekey, restore
from ksos_link.store.database import open_store
from ksos_link.store.key_file import Holder, key_file_bytes, keyring_note, read_key_file
from ksos_link.store.keys import SecretSource

if TYPE_CHECKING:
    from tests.ksos_link.conftest import SizeLimit, StoreBench


class Crash(BaseException):
    """The machine stops here."""


@pytest.fixture
def filled(bench: "StoreBench") -> "StoreBench":
    with bench.open() as store:
        bench.commit(store, bench.add_watch(store, "wrist"), "day", {1: 60, 2: 61})
    return bench


def make_backup(bench: "StoreBench", folder: Path) -> Path:
    secrets = bench.secrets()
    with open_store(bench.home, secrets) as store:
        return backup(store, folder, secrets)


def counts(bench: "StoreBench") -> dict[str, int]:
    with bench.open() as store:
        assert store.check() == []
        return store.counts()


def test_a_backup_is_one_owner_only_file_that_restores_elsewhere(
    filled: "StoreBench", tmp_path: Path
) -> None:
    path = make_backup(filled, tmp_path)
    assert path == tmp_path / "ksos.ksosbackup"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == ["store.db", "store.key"]
    other = open_home({"KSOS_HOME": str(tmp_path / "new" / "home")})
    restore(other, path, filled.secrets())
    with open_store(other, filled.secrets(), create=False) as store:
        assert store.counts() == {"heart_rate": 2}
        assert store.check() == []
    assert sorted(path.name for path in other.folder.iterdir()) == [
        "store-writer.lock",
        "store.db",
        "store.key",
        "store.lock",
    ]
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in other.folder.iterdir())


def test_restore_brings_back_what_was_and_drops_what_came_later(
    filled: "StoreBench", tmp_path: Path
) -> None:
    path = make_backup(filled, tmp_path / "mine.ksosbackup")
    with filled.open() as store:
        filled.commit(store, store.device("wrist"), "later", {3: 62})
    restore(filled.home, path, filled.secrets())
    assert counts(filled) == {"heart_rate": 2}


def test_a_backup_has_a_key_of_its_own_and_never_in_a_keyring(
    filled: "StoreBench", tmp_path: Path
) -> None:
    secrets = SecretSource({"KSOS_PASSPHRASE": "p"})
    with filled.open() as store:
        path = backup(store, tmp_path, secrets)
    with zipfile.ZipFile(path) as archive:
        archive.extract("store.key", tmp_path / "x")
        archive.extract("store.db", tmp_path / "x")
    wrapped = read_key_file(tmp_path / "x" / "store.key")
    assert wrapped.holder is Holder.PASSPHRASE
    assert secrets.unwrap(wrapped) != filled.secrets().unwrap(read_key_file(filled.home.key_file))
    with filled.open() as store, pytest.raises(StoreError, match="no passphrase"):
        backup(store, tmp_path, SecretSource({}, keyring=lambda: pytest.fail("asked")))


def test_a_backup_over_an_older_one_replaces_it_whole(
    filled: "StoreBench", tmp_path: Path, file_size_limit: "SizeLimit"
) -> None:
    path = make_backup(filled, tmp_path)
    before = path.read_bytes()
    secrets = filled.secrets()
    with open_store(filled.home, secrets) as store:
        with file_size_limit(50_000), pytest.raises(StoreError):
            backup(store, path, secrets)
        assert path.read_bytes() == before
        assert [p.name for p in tmp_path.iterdir() if "backup" in p.name] == [path.name]
        backup(store, path, secrets)
    assert path.read_bytes() != before
    assert not list(tmp_path.glob(".ksos-*"))


def test_backup_and_restore_want_a_place_that_exists(filled: "StoreBench", tmp_path: Path) -> None:
    with filled.open() as store, pytest.raises(NotFoundError):
        backup(store, tmp_path / "no" / "x.ksosbackup", filled.secrets())
    with pytest.raises(NotFoundError):
        restore(filled.home, tmp_path / "no.ksosbackup", filled.secrets())


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + bytes(60)])
def test_what_is_no_backup_is_refused_and_the_store_stays(
    filled: "StoreBench", tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "x.ksosbackup"
    path.write_bytes(content)
    with pytest.raises(MalformedError, match="no backup"):
        restore(filled.home, path, filled.secrets())
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("store.key", "{}")
    with pytest.raises(MalformedError, match="no backup"):
        restore(filled.home, path, filled.secrets())
    assert counts(filled) == {"heart_rate": 2}
    assert not (filled.home.folder / "replacement.part").exists()


def test_a_damaged_newer_or_foreign_backup_is_refused_and_the_store_stays(
    filled: "StoreBench", tmp_path: Path
) -> None:
    path = make_backup(filled, tmp_path)
    with filled.open() as store:
        store.database.rows(f"PRAGMA user_version = {migrations.SCHEMA_VERSION + 1}")
        newer = backup(store, tmp_path / "newer", filled.secrets())
        store.database.rows(f"PRAGMA user_version = {migrations.SCHEMA_VERSION}")
    with pytest.raises(StoreError, match="newer ksos"):
        restore(filled.home, newer, filled.secrets())
    with pytest.raises(StoreError):
        restore(filled.home, path, SecretSource({"KSOS_PASSPHRASE": "p"}))
    damaged = tmp_path / "damaged"
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(damaged, "w") as archive:
        database = bytearray(whole.read("store.db"))
        database[5 * 4096 + 9] ^= 1
        archive.writestr("store.db", bytes(database))
        archive.writestr("store.key", whole.read("store.key"))
    with pytest.raises(StoreError, match="backup is damaged"):
        restore(filled.home, damaged, filled.secrets())
    flipped = bytearray(path.read_bytes())
    flipped[9000] ^= 1
    damaged.write_bytes(flipped)
    with pytest.raises(MalformedError):
        restore(filled.home, damaged, filled.secrets())
    assert counts(filled) == {"heart_rate": 2}


def test_only_a_backup_is_replaced_by_a_backup(filled: "StoreBench", tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("dear")
    archive = tmp_path / "other.zip"
    with zipfile.ZipFile(archive, "w") as other:
        other.writestr("photo.jpg", "x")
    with filled.open() as store:
        for target in (letter, archive, filled.home.store_file, filled.home.key_file):
            before = target.read_bytes()
            with pytest.raises(UsageError, match="no backup"):
                backup(store, target, filled.secrets())
            assert target.read_bytes() == before
    assert counts(filled) == {"heart_rate": 2}


def rewritten(path: Path, key_file: bytes | None = None, compression: int = 0) -> Path:
    """Another archive with the members of a backup."""
    target = path.with_name("rewritten")
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(target, "w", compression) as archive:
        archive.writestr("store.db", whole.read("store.db"))
        archive.writestr("store.key", key_file or whole.read("store.key"))
    return target


def test_a_backup_that_would_unpack_to_more_than_it_is_is_refused(
    filled: "StoreBench", tmp_path: Path
) -> None:
    path = make_backup(filled, tmp_path)
    with pytest.raises(MalformedError, match="no backup"):
        restore(filled.home, rewritten(path, compression=zipfile.ZIP_DEFLATED), filled.secrets())
    restore(filled.home, rewritten(path), filled.secrets())
    assert counts(filled) == {"heart_rate": 2}


def test_a_backup_that_leans_on_a_keyring_is_refused(filled: "StoreBench", tmp_path: Path) -> None:
    path = rewritten(make_backup(filled, tmp_path), key_file_bytes(keyring_note()))
    secrets = SecretSource({}, keyring=lambda: pytest.fail("asked"))
    with pytest.raises(MalformedError, match="keyring"):
        restore(filled.home, path, secrets)
    assert counts(filled) == {"heart_rate": 2}


def test_an_exchange_left_pending_is_finished_before_the_next(
    filled: "StoreBench", tmp_path: Path
) -> None:
    path = make_backup(filled, tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(swap, "finish", lambda home: None)
        restore(filled.home, path, filled.secrets())
    assert swap.is_pending(filled.home)
    restore(filled.home, path, filled.secrets())
    assert not swap.is_pending(filled.home)
    assert counts(filled) == {"heart_rate": 2}


def test_a_copy_that_a_crash_left_goes_with_the_next_write(
    filled: "StoreBench", monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(home: Home) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(swap, "swap_in", crash)
        patch.setattr(swap, "abandon", lambda home: None)
        with pytest.raises(Crash):
            rekey(filled.home, filled.secrets())
    left = filled.home.folder / "replacement.part"
    assert (left / "store.db").exists()
    with filled.open() as store:
        store.forget_device(store.device("wrist").device_id, keep_data=False)
    assert not left.exists()


def test_a_foreign_folder_in_the_way_is_said_so(filled: "StoreBench", tmp_path: Path) -> None:
    path = make_backup(filled, tmp_path)
    (filled.home.folder / "replacement.part" / "folder").mkdir(parents=True)
    with pytest.raises(StoreError, match="could not be exchanged"):
        restore(filled.home, path, filled.secrets())
    assert counts(filled) == {"heart_rate": 2}


def test_restore_mends_a_store_that_does_not_open(filled: "StoreBench", tmp_path: Path) -> None:
    path = make_backup(filled, tmp_path)
    filled.home.store_file.write_bytes(b"rubbish" * 1000)
    filled.home.key_file.write_bytes(b"rubbish")
    restore(filled.home, path, filled.secrets())
    assert counts(filled) == {"heart_rate": 2}


def test_a_store_in_use_is_not_exchanged(filled: "StoreBench", tmp_path: Path) -> None:
    path = make_backup(filled, tmp_path)
    with filled.open():
        with pytest.raises(StoreError, match="has the store open"):
            restore(filled.home, path, filled.secrets(), wait_s=0)
        with pytest.raises(StoreError, match="has the store open"):
            rekey(filled.home, filled.secrets(), wait_s=0)
    with filled.open() as writer:
        writer.claim_writer()
        with pytest.raises(StoreError, match="is writing"):
            restore(filled.home, path, filled.secrets(), wait_s=0)
    assert counts(filled) == {"heart_rate": 2}


def test_a_new_key_opens_the_same_data_and_the_old_key_does_not(filled: "StoreBench") -> None:
    secrets = filled.secrets()
    old = secrets.unwrap(read_key_file(filled.home.key_file))
    pages = filled.home.store_file.read_bytes()
    rekey(filled.home, secrets)
    assert secrets.unwrap(read_key_file(filled.home.key_file)) != old
    assert filled.home.store_file.read_bytes()[:16] != pages[:16]
    assert counts(filled) == {"heart_rate": 2}
    with filled.open() as store:
        filled.commit(store, store.device("wrist"), "later", {3: 62})
    assert counts(filled) == {"heart_rate": 3}


def test_a_new_key_without_room_leaves_the_old_one(
    filled: "StoreBench", file_size_limit: "SizeLimit"
) -> None:
    before = filled.home.key_file.read_bytes()
    with file_size_limit(50_000), pytest.raises(StoreError):
        rekey(filled.home, filled.secrets())
    assert filled.home.key_file.read_bytes() == before
    assert counts(filled) == {"heart_rate": 2}


def test_a_new_key_in_the_keyring_replaces_the_old_entry(bench: "StoreBench") -> None:
    held: dict[str, str] = {}

    class Ring:
        def get_password(self, service: str, username: str) -> str | None:
            return held.get(username)

        def set_password(self, service: str, username: str, password: str) -> None:
            held[username] = password

        def delete_password(self, service: str, username: str) -> None:
            del held[username]

    secrets = SecretSource({}, keyring=Ring)
    open_store(bench.home, secrets).close()
    before = dict(held)
    rekey(bench.home, secrets)
    assert len(held) == 1
    assert held != before
    open_store(bench.home, secrets).close()


CALLS: list[tuple[object, str]] = [
    (Path, "rename"),
    (Path, "replace"),
    (Path, "mkdir"),
    (Path, "unlink"),
    (Path, "rmdir"),
    (os, "fsync"),
]


def crash_at(monkeypatch: pytest.MonkeyPatch, number: int) -> list[str]:
    """Stop the machine before or after the given call that changes the disk."""
    calls: list[str] = []

    def wrap(owner: object, name: str) -> None:
        real = getattr(owner, name)

        def call(*arguments: Any, **options: Any) -> Any:
            calls.append(name)
            if len(calls) == number:
                raise Crash
            return real(*arguments, **options)

        monkeypatch.setattr(owner, name, call)

    for owner, name in CALLS:
        wrap(owner, name)
    return calls


@pytest.mark.parametrize("job", ["restore", "rekey"])
def test_an_exchange_cut_anywhere_leaves_the_old_store_or_the_new_one(
    filled: "StoreBench", tmp_path: Path, job: str
) -> None:
    path = make_backup(filled, tmp_path)
    with filled.open() as store:  # with journals beside it, as after a crash
        filled.commit(store, store.device("wrist"), "later", {3: 62})
        saved = tmp_path / "saved"
        shutil.copytree(filled.home.folder, saved)
    jobs = {
        "restore": lambda: restore(filled.home, path, filled.secrets()),
        "rekey": lambda: rekey(filled.home, filled.secrets()),
    }
    outcomes = []
    for number in range(1, 100):
        shutil.rmtree(filled.home.folder)
        shutil.copytree(saved, filled.home.folder)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(swap, "abandon", lambda home: None)  # a dead program tidies nothing
            calls = crash_at(patch, number)
            try:
                jobs[job]()
            except Crash:
                pass
            else:
                break
        outcomes.append(counts(filled)["heart_rate"])
        assert not (filled.home.folder / "replacement").exists()
        assert not (filled.home.folder / "replaced").exists()
    assert len(calls) == number - 1 > 8
    assert outcomes == sorted(outcomes, reverse=True)
    assert set(outcomes) == ({3, 2} if job == "restore" else {3})


def test_a_disk_that_refuses_the_exchange_keeps_both_stores(
    filled: "StoreBench", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = make_backup(filled, tmp_path)
    real = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if target == filled.home.store_file:
            raise PermissionError(13, "no")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(StoreError, match="could not be exchanged"):
        restore(filled.home, path, filled.secrets())
    with pytest.raises(StoreError, match="could not be exchanged"):
        filled.open()
    monkeypatch.undo()
    assert counts(filled) == {"heart_rate": 2}


def test_the_suffix_is_the_documented_one() -> None:
    assert backups.SUFFIX == ".ksosbackup"
