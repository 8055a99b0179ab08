"""The main job from end to end on the embedded virtual watch, in a home that is thrown away."""

import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from firmware_protocol.samples import Value
from ksos_link.config import open_home
from ksos_link.operations.exporting import Exported, export, format_named
from ksos_link.operations.local_time import local_now
from ksos_link.operations.pair import Paired, pair
from ksos_link.operations.read_out import Span, read
from ksos_link.operations.route import LinkOptions
from ksos_link.operations.sync import SyncChoice, SyncEvent, SyncReport, sync
from ksos_link.operations.target import parse_target
from ksos_link.store.database import Store, open_store
from ksos_link.store.keys import SecretSource

WATCH: Final = "virtual:ido?scenario=never-bound&seed=7"
ALIAS: Final = "demo-watch"
EVENING: Final = 21  # o'clock: a day with most of it lived


@dataclass(slots=True)
class DemoReport:
    """What the demo showed; `night` and `day` are for a plot."""

    family: str = ""
    watch: str = ""
    samples: dict[str, int] = field(default_factory=dict)
    store: dict[str, object] = field(default_factory=dict)
    exports: list[str] = field(default_factory=list)
    elapsed_s: float = 0.0
    night: list[tuple[Value, ...]] = field(default_factory=list)
    day: list[tuple[Value, ...]] = field(default_factory=list)


async def demo(
    folder: Path,
) -> AsyncGenerator[SyncEvent | Paired | Exported | DemoReport, None]:
    """Pair, sync, store, show and export; everything lies under `folder`. Ends with the report.

    Needs no adapter, no keyring and no network.
    """
    started_s = time.perf_counter()
    evening = _last_evening(local_now())
    options = LinkOptions(now=lambda: evening)
    home = open_home({}, folder / "home")
    secrets = SecretSource({"KSOS_KEY_FILE": str(folder / "demo.secret")})
    report = DemoReport()
    with open_store(home, secrets) as store:
        paired = await pair(store, WATCH, ALIAS, options)
        yield paired
        report.family, report.watch = paired.device.family, paired.info.product
        target = parse_target(f"{WATCH}&bound=yes")  # the same watch, met again
        async for event in sync(store, paired.device, target, SyncChoice(), options):
            if not isinstance(event, SyncReport):
                yield event
        report.samples = store.counts()
        for written in _exports(store, folder):
            report.exports.append(written.path.name if written.path else "")
            yield written
        report.night, report.day = _last_night(store), _whole(store, "heart_rate")
        info = store.info()
    report.store = {
        "encrypted": _is_encrypted(home.store_file),
        "cipher": info.cipher_version,
        "size_bytes": info.size_bytes,
        "raw_records": info.raw_records,
    }
    report.elapsed_s = round(time.perf_counter() - started_s, 3)
    yield report


def _last_evening(now: datetime) -> datetime:
    """The last evening that has passed, so that the demo's day is a whole one."""
    evening = now.replace(hour=EVENING, minute=30, second=0, microsecond=0)
    return evening if evening <= now else evening - timedelta(days=1)


def _exports(store: Store, folder: Path) -> list[Exported]:
    target = folder / "export"
    target.mkdir(mode=0o700)
    return [
        written
        for name in ("csv", "jsonl")
        for written in export(store, format_named(name), (), None, Span(), target)
    ]


def _last_night(store: Store) -> list[tuple[Value, ...]]:
    """The stages of the newest night."""
    nights = _whole(store, "sleep_summary")
    if not nights:
        return []
    start_utc_s = int(str(nights[-1][1]))
    _, rows = read(store, "sleep", None, Span(start_utc_s))
    return [row for chunk in rows for row in chunk]


def _whole(store: Store, metric: str) -> list[tuple[Value, ...]]:
    _, rows = read(store, metric, None, Span())
    return [row for chunk in rows for row in chunk]


def _is_encrypted(database: Path) -> bool:
    """Whether the file on disk is no readable SQLite database."""
    return not database.read_bytes().startswith(b"SQLite format 3")
