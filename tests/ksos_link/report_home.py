"""A home with samples of a test's own, for reports."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from firmware_protocol.clock import ClockStretch
from firmware_protocol.records import RawRecord
from firmware_protocol.samples import METRICS, Decoded, Series
from ksos_link.store.database import Store
from ksos_link.store.devices import Device
from tests.ksos_link.stored_samples import opened

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

DAY_S = 86_400
HOUR_S = 3600


@dataclass
class ReportHome:
    """Puts samples into a home's store as if a watch had given them, and asks for reports."""

    ksos: "CommandLine"
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def store(self) -> Store:
        return opened(self.ksos)

    def watch(self, store: Store, alias: str = "wrist") -> Device:
        return store.add_device(
            alias=alias,
            address=f"C0:FF:EE:00:00:{next(self._numbers):02X}",
            family="ido",
            product="IDO 7890",
            bound_utc_s=0,
        )

    def give(
        self, store: Store, device: Device, until_utc_s: int, *series: Series, zone: str = "UTC"
    ) -> None:
        """A sync at an instant, in a zone, that brings samples."""
        clock_id = store.add_clock(device.device_id, (ClockStretch(0, 0),), until_utc_s, zone)
        record = RawRecord("ido", "health.test", f"{next(self._numbers)}", b"-", 1)
        store.commit_record(device.device_id, record, Decoded(series), (), clock_id, until_utc_s)
        store.note_sync(device.device_id, until_utc_s)

    def report(self, kind: str, day: str, *options: str) -> dict[str, Any]:
        said = self.ksos("report", kind, "--date", day, "--format", "json", *options)
        assert (said.code, said.err) == (0, "")
        found: dict[str, Any] = json.loads(said.out)
        return found


def series(metric: str, starts: Sequence[int], **columns: Any) -> Series:
    """Samples of one metric; a column is one value for all, or a list; the rest is absent."""
    full = {
        name: columns[name]
        if isinstance(columns.get(name), list)
        else [columns.get(name)] * len(starts)
        for name in METRICS[metric].column_names
    }
    return Series(metric, list(starts), full)


def figure(report: dict[str, Any], name: str) -> dict[str, Any]:
    """The figure of that name, of whichever section."""
    found: dict[str, Any] = next(
        section["figures"][name]
        for section in report["sections"].values()
        if name in section["figures"]
    )
    return found
