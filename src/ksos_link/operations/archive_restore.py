"""An archive comes back into a store: all of it or nothing, and nothing twice.

What the store has already stays: names, the wearer, newer settings and newer records. Consents
come back only into a store in which nobody said anything yet, so that none that was withdrawn
since holds again.
"""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from firmware_protocol.clock import ClockStretch
from firmware_protocol.records import RawRecord, Watermark
from firmware_protocol.samples import Decoded
from ksos_link.errors import UsageError
from ksos_link.imports.archive import Archive
from ksos_link.operations.archive_fields import SampleLists, switch, text, told, utc_s, whole
from ksos_link.operations.archive_source import CLOCKS, CONSENTS, DEVICES, RECORDS, WEARER
from ksos_link.operations.consents import CYCLE
from ksos_link.operations.target import check_alias
from ksos_link.store.database import Store
from ksos_link.store.sharing import ShareConsent


@dataclass(frozen=True, slots=True)
class Restored:
    """What was in an archive. `gained` counts what the store had not."""

    records: int
    samples: Mapping[str, int]
    gained: Mapping[str, int]
    remarks: tuple[str, ...]


def restore_archive(store: Store, archive: Archive) -> Restored:
    """Put an archive that was looked through into a store, in one transaction.

    Raises:
        MalformedError: it holds what no archive of ours does; nothing was stored.
        StoreError: the store cannot take it.
    """
    with store.together(), told():
        return _Restoring(store, archive).run()


def look_into_archive(archive: Archive) -> Restored:
    """Count what is in an archive; nothing is stored.

    Raises:
        MalformedError: it holds what no archive of ours does.
    """
    with told():
        samples: Counter[str] = Counter()
        lists = SampleLists(archive)
        records = 0
        for entry in archive.lines(RECORDS):
            records += 1
            for series in lists.of_record(entry["record"]):
                samples[series.metric] += len(series)
        lists.check_empty()
        return Restored(records, dict(samples), {}, ())


class _Restoring:
    """One archive on its way into one store."""

    def __init__(self, store: Store, archive: Archive) -> None:
        self._store = store
        self._archive = archive
        self._device_ids: dict[str, int] = {}  # by the alias in the archive
        self._clock_ids: dict[int, int] = {}
        self._remarks: list[str] = []

    def run(self) -> Restored:
        """See `restore_archive`."""
        self._consents(self._archive.document(CONSENTS))
        self._wearer(self._archive.document(WEARER))
        for entry in self._archive.document(DEVICES):
            self._device(entry)
        for entry in self._archive.lines(CLOCKS):
            self._clock_ids[whole(entry["clock"])] = self._store.add_clock(
                self._device_ids[entry["device"]],
                _stretches(entry["stretches"]),
                whole(entry["now_utc_s"]),
                None if entry["zone"] is None else text(entry["zone"]),
            )
        return self._records()

    def _consents(self, entry: Mapping[str, Any]) -> None:
        store = self._store
        given = {text(each["name"]): utc_s(each["given_utc"]) for each in entry["given"]}
        to_share = [_share_consent(each) for each in entry["to_share"]]
        if store.devices(forgotten=True) or store.wearer() or store.consents():
            missing = given.keys() - store.consents().keys()
            if missing or any(each.withdrawn_utc_s is None for each in to_share):
                self._remarks.append("Consents in the archive were left out: give them again.")
            return
        for name, given_utc_s in given.items():
            store.give_consent(name, given_utc_s)
        for consent in to_share:
            store.give_share_consent(consent)
            if consent.withdrawn_utc_s is not None:
                store.withdraw_share_consent(consent.receiver, consent.withdrawn_utc_s)
        for each in entry["shared"]:
            outcome, data = text(each["outcome"]), [text(word) for word in each["data"]]
            number = store.begin_share(
                text(each["receiver"]),
                data,
                text(each["item"]),
                whole(each["began_utc_s"]),
                outcome,
            )
            store.end_share(number, outcome, whole(each["samples"]))
        held = [*given, *(one.receiver for one in to_share if one.withdrawn_utc_s is None)]
        if held:
            self._remarks.append(f"These consents hold again: {', '.join(held)}.")

    def _wearer(self, entry: Mapping[str, Any] | None) -> None:
        if entry is not None and self._store.wearer() is None:
            self._store.set_wearer({**entry["fields"]}, utc_s(entry["set_utc"]))

    def _device(self, entry: Mapping[str, Any]) -> None:
        store, address = self._store, text(entry["address"])
        alias = _checked_alias(text(entry["alias"]))
        known = {each.address.casefold(): each for each in store.devices(forgotten=True)}
        device = known.get(address.casefold())
        if device is None:
            device = store.add_device(
                alias=self._free_alias(alias),
                address=address,
                family=text(entry["family"]),
                product=text(entry["product"]),
                bound_utc_s=utc_s(entry["bound_utc"]),
            )
            self._fill_new(device.device_id, entry)
        self._device_ids[alias] = device.device_id
        stretches = store.clock_stretches(device.device_id)
        for stretch in _stretches(entry["clock_stretches"]):
            if stretch not in stretches:
                store.add_clock_stretch(device.device_id, stretch)
        self._settings(device.device_id, entry["settings"])

    def _fill_new(self, device_id: int, entry: Mapping[str, Any]) -> None:
        store = self._store
        if entry["last_sync_utc"] is not None:
            store.note_sync(device_id, utc_s(entry["last_sync_utc"]))
        if switch(entry["forgotten"]):
            store.forget_device(device_id, keep_data=True)
        marks = entry["watermarks"].items()
        store.set_watermarks(device_id, [Watermark(kind, text(at)) for kind, at in marks])

    def _settings(self, device_id: int, settings: Mapping[str, Any]) -> None:
        known = self._store.remembered_settings(device_id)
        for name, sent in settings.items():
            sent_utc_s = utc_s(sent["sent_utc"])
            if name == CYCLE and CYCLE not in self._store.consents():
                self._remarks.append("The cycle was left out: it needs your consent.")
            elif name not in known or known[name].utc_s < sent_utc_s:
                self._store.remember_setting(device_id, name, {**sent["fields"]}, sent_utc_s)

    def _free_alias(self, alias: str) -> str:
        taken = {each.alias.casefold() for each in self._store.devices(forgotten=True)}
        free, number = alias, 1
        while free.casefold() in taken:
            number += 1
            free = f"{alias[:36]}-{number}"
        if free != alias:
            self._remarks.append(f"{alias} is called {free} here: the name was taken.")
        return free

    def _records(self) -> Restored:
        samples: Counter[str] = Counter()
        gained: Counter[str] = Counter()
        lists = SampleLists(self._archive)
        records = 0
        for entry in self._archive.lines(RECORDS):
            records += 1
            series = lists.of_record(whole(entry["record"]))
            for each in series:
                samples[each.metric] += len(each)
            gained.update(self._record(entry, Decoded(tuple(series))))
        lists.check_empty()
        return Restored(records, dict(samples), dict(gained), tuple(self._remarks))

    def _record(self, entry: Mapping[str, Any], decoded: Decoded) -> Mapping[str, int]:
        record = RawRecord(
            text(entry["family"]),
            text(entry["kind"]),
            text(entry["key"]),
            base64.b64decode(text(entry["body"]), validate=True),
            whole(entry["decoder_version"]),
        )
        device_id, fetched_utc_s = self._device_ids[entry["device"]], utc_s(entry["fetched_utc"])
        kept_utc_s = self._store.fetched_utc_s(device_id, record)
        if kept_utc_s is not None and kept_utc_s > fetched_utc_s:
            return {}
        return self._store.commit_record(
            device_id,
            record,
            decoded,
            (),
            self._clock_ids[whole(entry["clock"])],
            fetched_utc_s,
            verified=switch(entry["verified"]),
        )


def _stretches(entries: Sequence[Mapping[str, Any]]) -> tuple[ClockStretch, ...]:
    return tuple(
        ClockStretch(whole(each["from_utc_s"]), whole(each["utc_offset_s"]), switch(each["sure"]))
        for each in entries
    )


def _share_consent(entry: Mapping[str, Any]) -> ShareConsent:
    region, home_region = (
        None if entry[name] is None else text(entry[name]) for name in ("region", "home_region")
    )
    withdrawn = entry["withdrawn_utc_s"]
    return ShareConsent(
        receiver=text(entry["receiver"]),
        data=tuple(text(word) for word in entry["data"]),
        region=region,
        home_region=home_region,
        given_utc_s=whole(entry["given_utc_s"]),
        withdrawn_utc_s=None if withdrawn is None else whole(withdrawn),
    )


def _checked_alias(alias: str) -> str:
    try:
        return check_alias(alias)
    except UsageError as error:
        raise ValueError("no alias") from error
