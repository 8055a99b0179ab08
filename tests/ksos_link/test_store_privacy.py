"""No plaintext of a person's data on the disk, no secret in what a person or a log is told."""

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from firmware_protocol.records import RawRecord, Watermark
from firmware_protocol.samples import METRICS, Decoded, Series, Value
from ksos_link.config import Home, open_home
from ksos_link.errors import NotFoundError, StoreError
from ksos_link.redaction import RedactingFormatter, mask, mask_address
from ksos_link.store.backups import backup, rekey, restore
from ksos_link.store.database import Store, open_store
from ksos_link.store.key_file import KeyFile, read_key_file
from ksos_link.store.keys import SecretSource

if TYPE_CHECKING:
    from tests.ksos_link.conftest import StoreBench


MARKER = "MARKER-7391-wrist"
BODY = b"MARKER-7391-raw-body"
SPORT = "MARKER-7391-sport"
PASSPHRASE = "MARKER-7391-passphrase"


def commit_marked(store: Store, clock_id: int, device_id: int, key: str) -> None:
    columns: dict[str, list[Value]] = {name: [None] for name in METRICS["workout"].column_names}
    columns |= {"duration_s": [60], "sport": [SPORT], "sport_code": [1]}
    store.commit_record(
        device_id,
        RawRecord("ido", "health.workout", key, BODY * 50, 1),
        Decoded((Series("workout", [1], columns),)),
        (Watermark("MARKER-7391-kind", MARKER),),
        clock_id,
        0,
    )


def assert_hidden(folder: Path, *keys: bytes) -> None:
    scanned = 0
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            scanned += len(content)
            assert b"MARKER-7391" not in content, path.name
            assert not any(key in content for key in keys), path.name
            assert not any(key.hex().encode() in content for key in keys), path.name
    assert scanned > 10_000


def test_neither_database_nor_journals_nor_backups_hold_plaintext(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ksos_link.store.key_file.SCRYPT_N", 2)
    home = open_home({"KSOS_HOME": str(tmp_path / "home")})
    secrets = SecretSource({"KSOS_PASSPHRASE": PASSPHRASE})
    with open_store(home, secrets) as store:
        device = store.add_device(
            alias=MARKER, address="MARKER-7391", family="ido", product="x", bound_utc_s=0
        )
        clock_id = store.add_clock(device.device_id, (), 0, "MARKER-7391-zone")
        commit_marked(store, clock_id, device.device_id, "one")
        key = secrets.unwrap(store_key(home))
        wal = home.store_file.with_name("store.db-wal")
        assert wal.stat().st_size > 10_000
        assert_hidden(tmp_path, key)
        with store.database.transaction():  # a transaction that is still open, spilled to disk
            store.database.rows("PRAGMA cache_size = 1")
            for number in range(30):
                store.database.change("UPDATE raw_record SET body = ?", (BODY * (1000 + number),))
            assert_hidden(tmp_path, key)
        store.database.rows("PRAGMA journal_mode = DELETE")
        with store.database.transaction():  # and with a rollback journal
            store.database.change("UPDATE raw_record SET body = ?", (BODY * 2000,))
            assert home.store_file.with_name("store.db-journal").exists()
            assert_hidden(tmp_path, key)
        path = backup(store, tmp_path, secrets)
        assert_hidden(tmp_path, key)
    rekey(home, secrets)
    restore(home, path, secrets)
    assert_hidden(tmp_path, key, secrets.unwrap(store_key(home)))
    assert home.store_file.read_bytes()[:16] != b"SQLite format 3\x00"


def decrypted(home: Home, key: bytes) -> bytes:
    """All pages of the database, free ones too, as the holder of the key can read them."""
    content = home.store_file.read_bytes()
    pages = [bytearray(content[at : at + 4096]) for at in range(0, len(content), 4096)]
    del pages[0][:16]  # the salt
    plain = b""
    for page in pages:  # text, then 16 bytes of initialisation vector and 64 of HMAC
        text, vector = bytes(page[:-80]), bytes(page[-80:-64])
        plain += Cipher(AES(key), CBC(vector)).decryptor().update(text)
    return plain


def test_what_was_forgotten_with_its_data_is_in_no_page(bench: "StoreBench") -> None:
    secrets = bench.secrets()
    with open_store(bench.home, secrets) as store:
        device, other = bench.add_watch(store, "wrist"), bench.add_watch(store, "other")
        for one in (device, other):
            clock_id = bench.clock(store, one)
            for number in range(50):
                commit_marked(store, clock_id, one.device_id, f"{one.alias}-{number}")
        bench.commit(store, other, "kept", {1: 60})
    key = secrets.unwrap(store_key(bench.home))
    assert decrypted(bench.home, key).count(BODY) > 4000
    for one in (device, other):
        with open_store(bench.home, secrets) as store:
            store.forget_device(one.device_id, keep_data=False)
    plain = decrypted(bench.home, key)
    assert b"CREATE TABLE device" in plain
    assert b"MARKER-7391" not in plain


def store_key(home: Home) -> KeyFile:
    return read_key_file(home.key_file)


def test_what_a_person_is_told_names_no_secret_and_no_reading(
    bench: "StoreBench", capfd: pytest.CaptureFixture[str]
) -> None:
    with bench.open() as store:
        device = bench.add_watch(store, "wrist")
        clock_id = bench.clock(store, device)
        bad = Decoded((Series("heart_rate", [17], {"bpm": ["MARKER-7391"]}),))
        record = RawRecord("ido", "hr", "k", b"x", 1)
        with pytest.raises(StoreError) as found:
            store.commit_record(device.device_id, record, bad, (), clock_id, 0)
        assert "MARKER" not in str(found.value) + found.value.hint
        with pytest.raises(NotFoundError, match="no watch") as unknown:
            store.device("C0:FF:EE:00:00:99")
        assert "C0:FF" not in str(unknown.value) + unknown.value.hint
        info = store.info()
        assert device.address not in str(info)
    with pytest.raises(StoreError):
        open_store(bench.home, SecretSource({"KSOS_PASSPHRASE": PASSPHRASE}))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("AA:BB:CC:DD:EE:FF", "**:**:**:**:**:FF"),
        ("aa-bb-cc-dd-ee-0f", "**-**-**-**-**-0f"),
        ("/org/bluez/hci0/dev_AA_BB_CC_DD_EE_FF", "/org/bluez/hci0/dev_**_**_**_**_**_FF"),
        ("got bytearray(b'\\x01\\'\\x02')", "got bytearray(<bytes>)"),
        ("33 da ad da ad 01 02 03", "<bytes>"),
        ("key " + "ab" * 32 + ".", "key <bytes>."),
        ("0000180d-0000-1000-8000-00805f9b34fb", "0000180d-0000-1000-8000-00805f9b34fb"),
        ("address aabbccddeeff", "address <bytes>"),
        ("frame 33da, 20 bytes in 12 ms at 1700000000", None),
    ],
)
def test_masking(text: str, masked: str | None) -> None:
    assert mask(text) == (text if masked is None else masked)


def test_an_address_is_masked_alone_and_other_text_stays() -> None:
    assert mask_address("watch AA:BB:CC:DD:EE:FF 0a0b0c0d0e0f0a0b") == (
        "watch **:**:**:**:**:FF 0a0b0c0d0e0f0a0b"
    )


def test_a_log_shows_no_address_and_no_payload_even_in_a_traceback() -> None:
    try:
        int("AA:BB:CC:DD:EE:FF")
    except ValueError:
        record = logging.LogRecord(
            "bleak", logging.DEBUG, "x", 1, "data %s of %s", (b"\x01\x02", "AA:BB:CC:DD:EE:FF"),
            sys.exc_info(),
        )  # fmt: skip
    text = RedactingFormatter("%(levelname)s %(message)s").format(record)
    assert text.startswith("DEBUG data <bytes> of **:**:**:**:**:FF")
    assert "AA:BB" not in text
