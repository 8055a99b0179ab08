"""The secret of a store: where it is looked for, what a wrong one does, what the key file says."""

import json
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import keyring
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ksos_link.errors import StoreError, UsageError
from ksos_link.store import key_file as key_files
from ksos_link.store.backups import change_passphrase
from ksos_link.store.database import open_store
from ksos_link.store.key_file import Holder, key_file_from, read_key_file, unwrap, wrap
from ksos_link.store.keys import KEYRING_SERVICE, Ask, Keyring, SecretSource, working_keyring

if TYPE_CHECKING:
    from tests.ksos_link.conftest import SizeLimit, StoreBench


KEY = bytes(range(32))
REAL_COST = (key_files.SCRYPT_N, key_files.SCRYPT_R, key_files.SCRYPT_P)


class MemoryKeyring:
    """A keyring as the `keyring` package offers them."""

    priority: float = 5

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[service, username]


class BrokenKeyring(MemoryKeyring):
    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError("D-Bus went away")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError("D-Bus went away")


@pytest.fixture(autouse=True)
def cheap_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_files, "SCRYPT_N", 2)


def source(
    env: dict[str, str] | None = None, *, ask: Ask | None = None, ring: Keyring | None = None
) -> SecretSource:
    return SecretSource(env or {}, ask=ask, keyring=lambda: ring)


@dataclass
class Person:
    """Somebody at a terminal who types these."""

    left: list[str]
    asked: list[str] = field(default_factory=list)

    def __call__(self, prompt: str) -> str:
        self.asked.append(prompt)
        return self.left.pop(0)


def answers(*given: str) -> Person:
    return Person(list(given))


@pytest.mark.parametrize("secret", ["correct horse", "pä\u0308ss", "\udcff"])
def test_a_passphrase_opens_what_it_wrapped(secret: str) -> None:
    wrapped = source({"KSOS_PASSPHRASE": secret}).wrap_new(KEY)
    assert wrapped.holder is Holder.PASSPHRASE
    assert source({"KSOS_PASSPHRASE": secret}).unwrap(wrapped) == KEY
    with pytest.raises(StoreError, match="does not open"):
        source({"KSOS_PASSPHRASE": secret + "x"}).unwrap(wrapped)


def test_a_passphrase_is_the_same_however_its_letters_are_composed() -> None:
    wrapped = source({"KSOS_PASSPHRASE": "p\u00e4ss"}).wrap_new(KEY)
    assert source({"KSOS_PASSPHRASE": "pa\u0308ss"}).unwrap(wrapped) == KEY


def test_scrypt_costs_what_owasp_asks_for() -> None:
    assert REAL_COST == (2**15, 8, 3)


def test_a_secret_file_is_made_owner_only_and_opens_without_stretching(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "secret"
    wrapped = source({"KSOS_KEY_FILE": str(path)}).wrap_new(KEY)
    assert wrapped.holder is Holder.SECRET_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(bytes.fromhex(path.read_text())) == 32
    assert source({"KSOS_KEY_FILE": str(path)}).unwrap(wrapped) == KEY
    assert source({"KSOS_KEY_FILE": str(path), "KSOS_PASSPHRASE": "other"}).unwrap(wrapped) == KEY


def test_a_secret_file_may_hold_a_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("correct horse\n")
    wrapped = source({"KSOS_KEY_FILE": str(path)}).wrap_new(KEY)
    assert wrapped.holder is Holder.PASSPHRASE
    assert source({"KSOS_KEY_FILE": str(path)}).unwrap(wrapped) == KEY
    assert source({"KSOS_PASSPHRASE": "correct horse"}).unwrap(wrapped) == KEY


def test_the_passphrase_goes_before_file_keyring_and_question(tmp_path: Path) -> None:
    env = {"KSOS_PASSPHRASE": "p", "KSOS_KEY_FILE": str(tmp_path / "secret")}
    wrapped = source(env, ring=MemoryKeyring(), ask=answers()).wrap_new(KEY)
    assert wrapped.holder is Holder.PASSPHRASE
    assert not (tmp_path / "secret").exists()


def test_a_keyring_holds_the_key_and_the_file_only_says_so(tmp_path: Path) -> None:
    ring = MemoryKeyring()
    note = source(ring=ring, ask=answers()).wrap_new(KEY)
    assert (note.holder, note.wrapped_key) == (Holder.KEYRING, b"")
    assert ring.held == {(KEYRING_SERVICE, note.key_id): KEY.hex()}
    assert source(ring=ring).unwrap(note) == KEY
    ring.held.clear()
    with pytest.raises(StoreError, match="does not hold"):
        source(ring=ring).unwrap(note)
    for bad in (None, BrokenKeyring()):
        with pytest.raises(StoreError, match="does not answer"):
            source(ring=bad).unwrap(note)
    with pytest.raises(StoreError, match="does not answer"):
        source(ring=None).wrap_like(note, KEY)


def test_a_keyring_that_fails_leads_to_the_question() -> None:
    ask = answers("typed", "typed")
    wrapped = source(ring=BrokenKeyring(), ask=ask).wrap_new(KEY)
    assert wrapped.holder is Holder.PASSPHRASE
    assert len(ask.asked) == 2
    typed_twice_wrong = answers("no", "still no", "typed")
    assert source(ask=typed_twice_wrong).unwrap(wrapped) == KEY
    with pytest.raises(StoreError, match="does not open"):
        source(ask=answers("1", "2", "3")).unwrap(wrapped)


@pytest.mark.parametrize(("typed", "message"), [(("",), "empty"), (("a", "b"), "differ")])
def test_a_new_passphrase_is_typed_twice_and_not_empty(
    typed: tuple[str, ...], message: str
) -> None:
    with pytest.raises(StoreError, match=message):
        source(ask=answers(*typed)).wrap_new(KEY)


def test_without_any_secret_and_terminal_there_is_a_hint_and_no_question() -> None:
    for call in (lambda: source().wrap_new(KEY), lambda: source().unwrap(wrap(KEY, *PHRASE))):
        with pytest.raises(StoreError, match="no passphrase") as found:
            call()
        assert "KSOS_PASSPHRASE" in found.value.hint


PHRASE = (Holder.PASSPHRASE, b"phrase")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"x" * 5000])
def test_a_secret_file_that_holds_no_secret_is_said_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="KSOS_KEY_FILE"):
        source({"KSOS_KEY_FILE": str(path)}).wrap_new(KEY)


def test_a_store_of_a_secret_file_wants_that_file(tmp_path: Path) -> None:
    wrapped = source({"KSOS_KEY_FILE": str(tmp_path / "secret")}).wrap_new(KEY)
    other = tmp_path / "other"
    with pytest.raises(StoreError, match="cannot be read"):
        source({"KSOS_KEY_FILE": str(other)}).unwrap(wrapped)
    assert not other.exists()  # only a new store makes a new secret
    other.write_text("ab" * 32)
    with pytest.raises(StoreError, match="does not open"):
        source({"KSOS_KEY_FILE": str(other)}).unwrap(wrapped)
    other.write_text("a passphrase")
    with pytest.raises(StoreError, match="does not hold the secret"):
        source({"KSOS_KEY_FILE": str(other)}).unwrap(wrapped)
    with pytest.raises(StoreError, match="secret file"):
        source({"KSOS_PASSPHRASE": "p"}).unwrap(wrapped)


def test_only_a_keyring_worth_the_name_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for priority, wanted in ((5, True), (0.5, False), (0, False)):
        ring = MemoryKeyring()
        ring.priority = priority
        monkeypatch.setattr(keyring, "get_keyring", lambda ring=ring: ring)
        assert (working_keyring() is ring) is wanted

    def broken() -> Keyring:
        raise RuntimeError("no backend")

    monkeypatch.setattr(keyring, "get_keyring", broken)
    assert working_keyring() is None


def test_a_chain_of_keyrings_never_falls_back_to_plain_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Chain(MemoryKeyring):
        priority = 10

        def __init__(self, *backends: MemoryKeyring) -> None:
            super().__init__()
            self.backends = backends

    plain, real = MemoryKeyring(), MemoryKeyring()
    plain.priority = 0.5
    monkeypatch.setattr(keyring, "get_keyring", lambda: Chain(real, plain))
    assert working_keyring() is real
    monkeypatch.setattr(keyring, "get_keyring", lambda: Chain(plain, plain))
    assert working_keyring() is None


def test_forgetting_drops_the_keyring_entry_and_never_fails() -> None:
    ring = MemoryKeyring()
    note = source(ring=ring).wrap_new(KEY)
    source(ring=ring).forget(note)
    assert ring.held == {}
    source(ring=ring).forget(note)
    source(ring=None).forget(note)
    source().forget(wrap(KEY, *PHRASE))


def test_every_field_of_a_key_file_is_authenticated() -> None:
    wrapped = wrap(KEY, *PHRASE)
    fields = json.loads(key_files.key_file_bytes(wrapped))
    assert unwrap(key_file_from(json.dumps(fields).encode()), b"phrase") == KEY
    changes = {"key_id": "other", "salt": "00" * 16, "nonce": "00" * 12, "scrypt": [4, 8, 3]}
    for name, value in changes.items():
        altered = key_file_from(json.dumps(fields | {name: value}).encode())
        assert unwrap(altered, b"phrase") is None, name


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"holder": "nobody"},
        {"salt": "00"},
        {"nonce": ""},
        {"wrapped_key": "zz"},
        {"scrypt": [2**30, 8, 1]},
        {"scrypt": [3, 8, 1]},
        {"scrypt": [2, 8, 10**6]},
        {"scrypt": [2**18, 8, 16]},  # a minute and more
        {"scrypt": [2**18, 1, 1]},  # OpenSSL refuses
        {"scrypt": [float("inf"), 8, 1]},
        {"scrypt": None},
    ],
)
def test_a_damaged_key_file_is_said_so(change: dict[str, object]) -> None:
    fields = json.loads(key_files.key_file_bytes(wrap(KEY, *PHRASE))) | change
    with pytest.raises(StoreError, match="damaged"):
        key_file_from(json.dumps(fields).encode())


def test_a_key_file_nested_without_end_is_damaged() -> None:
    with pytest.raises(StoreError, match="damaged"):
        key_file_from(b"[" * key_files.MAX_KEY_FILE_BYTES)


def test_a_key_file_of_a_newer_version_is_said_so() -> None:
    fields = json.loads(key_files.key_file_bytes(wrap(KEY, *PHRASE))) | {"version": 2}
    with pytest.raises(StoreError, match="newer"):
        key_file_from(json.dumps(fields).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["format", "version", "holder", "key_id", "salt", "nonce", "scrypt"])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_noise_is_no_key_file(noise: bytes) -> None:
    with pytest.raises(StoreError):
        key_file_from(noise)


@settings(max_examples=100, deadline=None)
@given(NAMES, JSON)
def test_a_key_file_with_any_field_altered_opens_nothing_and_breaks_nothing(
    name: str, value: object
) -> None:
    fields = json.loads(key_files.key_file_bytes(wrap(KEY, *PHRASE)))
    same = fields[name] == value
    try:
        altered = key_file_from(json.dumps(fields | {name: value}).encode())
    except StoreError:
        return
    assert same or altered.holder is Holder.KEYRING or unwrap(altered, b"phrase") is None


def test_a_changed_passphrase_opens_and_the_old_one_does_not(bench: "StoreBench") -> None:
    old, new = source({"KSOS_PASSPHRASE": "old"}), source({"KSOS_PASSPHRASE": "new"})
    with open_store(bench.home, old) as store:
        bench.commit(store, bench.add_watch(store), "day", {1: 60})
    change_passphrase(bench.home, old, new)
    with pytest.raises(StoreError, match="does not open"):
        open_store(bench.home, source({"KSOS_PASSPHRASE": "old"}))
    with open_store(bench.home, source({"KSOS_PASSPHRASE": "new"})) as store:
        assert store.counts() == {"heart_rate": 1}
        assert store.info().key_holder is Holder.PASSPHRASE


def test_a_passphrase_may_take_over_from_the_keyring(bench: "StoreBench") -> None:
    ring = MemoryKeyring()
    with open_store(bench.home, source(ring=ring)) as store:
        assert store.info().key_holder is Holder.KEYRING
    with pytest.raises(StoreError):
        change_passphrase(bench.home, source(ring=ring), source(ring=ring))
    assert read_key_file(bench.home.key_file).holder is Holder.KEYRING
    change_passphrase(bench.home, source(ring=ring), source({"KSOS_PASSPHRASE": "new"}))
    assert ring.held == {}
    open_store(bench.home, source({"KSOS_PASSPHRASE": "new"})).close()


def test_a_secret_file_that_came_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    key_files.create_owner_only(path, b"ab" * 32)
    key_files.create_owner_only(path, b"cd" * 32)
    assert path.read_bytes() == b"ab" * 32


def test_a_secret_file_without_room_is_not_left_half(
    tmp_path: Path, file_size_limit: "SizeLimit"
) -> None:
    path = tmp_path / "secret"
    with file_size_limit(10), pytest.raises(StoreError, match="cannot be written"):
        source({"KSOS_KEY_FILE": str(path)}).wrap_new(KEY)
    assert not path.exists()


def test_an_editor_may_put_a_byte_order_mark_before_the_secret(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    wrapped = source({"KSOS_KEY_FILE": str(path)}).wrap_new(KEY)
    path.write_text("\ufeff" + path.read_text().upper().strip() + "\r\n")
    assert source({"KSOS_KEY_FILE": str(path)}).unwrap(wrapped) == KEY


def test_a_secret_file_at_an_impossible_path_is_said_so(tmp_path: Path) -> None:
    for name in ("x" * 300, ""):  # too long; a folder
        with pytest.raises(StoreError):
            source({"KSOS_KEY_FILE": str(tmp_path / name)}).wrap_new(KEY)
    with pytest.raises(UsageError, match="does not know"):
        source({"KSOS_KEY_FILE": "~nobody-of-this-name/secret"})
