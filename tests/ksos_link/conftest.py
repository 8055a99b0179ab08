"""A throw-away home with a store in it; the secret is a file, because passphrases are slow."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from firmware_protocol.clock import ClockStretch
from firmware_protocol.records import RawRecord, Watermark
from firmware_protocol.samples import Decoded, Series
from ksos_link.config import Home, open_home
from ksos_link.store.database import Store, open_store
from ksos_link.store.devices import Device
from ksos_link.store.keys import SecretSource

SizeLimit = Callable[[int], contextlib.AbstractContextManager[None]]


@dataclass
class StoreBench:
    """Opens the store of one home and puts made-up heart rates into it."""

    home: Home
    secret_file: Path
    _addresses: Iterator[int] = field(default_factory=itertools.count)

    def secrets(self) -> SecretSource:
        return SecretSource({"KSOS_KEY_FILE": str(self.secret_file)}, keyring=lambda: None)

    def open(self, *, busy_wait_s: float = 5.0) -> Store:
        return open_store(self.home, self.secrets(), busy_wait_s=busy_wait_s)

    def add_watch(self, store: Store, alias: str | None = None) -> Device:
        number = next(self._addresses)
        return store.add_device(
            alias=alias or f"watch-{number}",
            address=f"C0:FF:EE:00:{number >> 8:02X}:{number & 0xFF:02X}",
            family="ido",
            product="IDO 7890",
            bound_utc_s=1_700_000_000,
        )

    def clock(self, store: Store, device: Device, now_utc_s: int = 1_700_000_000) -> int:
        return store.add_clock(
            device.device_id, (ClockStretch(0, 3600),), now_utc_s, "Europe/Berlin"
        )

    def commit(
        self, store: Store, device: Device, key: str, beats: dict[int, int], position: str = "1"
    ) -> dict[str, int]:
        """Commit one record whose body says `beats`, instants to bpm."""
        record = heart_rate_record(key, beats)
        return store.commit_record(
            device.device_id,
            record,
            decode_heart_rate(record),
            (Watermark(record.kind, position),),
            self.clock(store, device),
            1_700_000_000,
        )

    def rows(self, store: Store, metric: str = "heart_rate") -> list[tuple[object, ...]]:
        return [row for chunk in store.read(metric) for row in chunk]


def heart_rate_record(key: str, beats: dict[int, int]) -> RawRecord:
    body = ",".join(f"{start}:{bpm}" for start, bpm in beats.items()).encode()
    return RawRecord("ido", "health.heart_rate", key, body, 1)


def decode_heart_rate(record: RawRecord, *_: object) -> Decoded:
    pairs = [pair.split(":") for pair in record.body.decode().split(",") if pair]
    starts = [int(start) for start, _ in pairs]
    return Decoded((Series("heart_rate", starts, {"bpm": [int(bpm) for _, bpm in pairs]}),))


@pytest.fixture
def bench(tmp_path: Path) -> StoreBench:
    return StoreBench(open_home({"KSOS_HOME": str(tmp_path / "home")}), tmp_path / "secret")


@pytest.fixture
def decode() -> Callable[..., Decoded]:
    return decode_heart_rate


@pytest.fixture
def file_size_limit() -> SizeLimit:
    """A disk that is full: no file may grow beyond so many bytes."""
    resource = pytest.importorskip("resource")

    @contextlib.contextmanager
    def limited(size_bytes: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited
