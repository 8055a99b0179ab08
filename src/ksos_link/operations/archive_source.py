"""The store as a source of an archive: all that is kept of a person, nothing of this machine."""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Final

from ksos_link.export.archive_source import SampleRow
from ksos_link.operations.local_time import utc_text
from ksos_link.store.clocks import ClockSnapshot
from ksos_link.store.database import Store
from ksos_link.store.devices import Device

DEVICES: Final = "devices.json"
WEARER: Final = "wearer.json"
CONSENTS: Final = "consents.json"
CLOCKS: Final = "clocks.jsonl"
RECORDS: Final = "records.jsonl"


class StoreArchive:
    """See `export.archive.ArchiveSource`. Use it within `store.reading()`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._aliases = {each.device_id: each.alias for each in store.devices(forgotten=True)}
        self._clock_numbers: dict[int, int] = {}
        self._record_numbers: dict[int, tuple[int, str]] = {}

    def documents(self) -> Mapping[str, object]:
        """See `ArchiveSource.documents`."""
        store = self._store
        wearer = store.wearer()
        return {
            DEVICES: [self._device(each) for each in store.devices(forgotten=True)],
            WEARER: wearer and {"fields": wearer.values, "set_utc": utc_text(wearer.utc_s)},
            CONSENTS: {
                "given": [
                    {"name": name, "given_utc": utc_text(utc_s)}
                    for name, utc_s in store.consents().items()
                ],
                "to_share": [asdict(each) for each in store.share_consents()],
                "shared": [asdict(each) for each in store.shares()],
            },
        }

    def lists(self) -> Iterable[tuple[str, Iterator[Mapping[str, object]]]]:
        """See `ArchiveSource.lists`."""
        yield CLOCKS, self._clocks()
        yield RECORDS, self._records()

    def samples(self, metric: str) -> Iterator[tuple[int, str, Sequence[SampleRow]]]:
        """See `ArchiveSource.samples`."""
        for raw_id, rows in self._store.samples_of_records(metric):
            number, alias = self._record_numbers[raw_id]
            yield number, alias, rows

    def _device(self, device: Device) -> Mapping[str, object]:
        store, device_id = self._store, device.device_id
        synced = device.last_sync_utc_s
        return {
            "alias": device.alias,
            "address": device.address,
            "family": device.family,
            "product": device.product,
            "bound_utc": utc_text(device.bound_utc_s),
            "last_sync_utc": None if synced is None else utc_text(synced),
            "forgotten": device.forgotten,
            "watermarks": {
                kind: mark.position for kind, mark in store.watermarks(device_id).items()
            },
            "clock_stretches": [asdict(each) for each in store.clock_stretches(device_id)],
            "settings": {
                name: {"fields": sent.values, "sent_utc": utc_text(sent.utc_s)}
                for name, sent in store.remembered_settings(device_id).items()
            },
        }

    def _clocks(self) -> Iterator[Mapping[str, object]]:
        for number, (clock_id, device_id, clock) in enumerate(self._store.all_clocks(), 1):
            self._clock_numbers[clock_id] = number
            yield {"clock": number, "device": self._aliases[device_id], **_clock_fields(clock)}

    def _records(self) -> Iterator[Mapping[str, object]]:
        for number, kept in enumerate(self._store.all_records(), 1):
            alias = self._aliases[kept.device_id]
            self._record_numbers[kept.raw_id] = number, alias
            yield {
                "record": number,
                "device": alias,
                "family": kept.record.family,
                "kind": kept.record.kind,
                "key": kept.record.key,
                "body": base64.b64encode(kept.record.body).decode(),
                "decoder_version": kept.record.decoder_version,
                "clock": self._clock_numbers[kept.clock_id],
                "verified": kept.verified,
                "fetched_utc": utc_text(kept.fetched_utc_s),
            }


def _clock_fields(clock: ClockSnapshot) -> Mapping[str, object]:
    return {
        "stretches": [asdict(each) for each in clock.stretches],
        "now_utc_s": clock.now_utc_s,
        "zone": clock.zone_name,
    }
