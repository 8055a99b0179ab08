"""From a raw record to samples, the same at a sync and at a redecode."""

from dataclasses import replace

from firmware_protocol import registry
from firmware_protocol.clock import WatchClock
from firmware_protocol.errors import DecodeError
from firmware_protocol.family import Family
from firmware_protocol.records import FILE_FAMILY, RawRecord
from firmware_protocol.samples import Decoded, Quality
from ksos_link.imports import body as imported_body
from ksos_link.operations.watch_clock import clock_from
from ksos_link.store.clocks import ClockSnapshot
from ksos_link.store.database import Store
from ksos_link.store.records import Redecoded


def samples_of(
    family: Family, record: RawRecord, clock: WatchClock, *, verified: bool = True
) -> Decoded:
    """Decode a record and mark its samples where its sums or its times are in doubt."""
    decoded = family.samples(record, clock)
    if not verified:
        return _at_best(decoded, Quality.UNVERIFIED)
    if not clock.stretches[-1].sure:
        return _at_best(decoded, Quality.UNCERTAIN_CLOCK)
    return decoded


def redecode(store: Store) -> Redecoded:
    """Derive all samples of a store anew, each record by the clock it was first read by."""
    return store.redecode(_decode_again)


def _decode_again(record: RawRecord, clock: ClockSnapshot, verified: bool) -> Decoded:
    if record.family == FILE_FAMILY:
        return imported_body.decode(record)
    family = registry.family_named(record.family)
    if family is None:
        raise DecodeError(f"no family named {record.family}")
    at = clock_from(clock.stretches, clock.now_utc_s, clock.zone_name)
    return samples_of(family, record, at, verified=verified)


def _at_best(decoded: Decoded, quality: Quality) -> Decoded:
    """The same samples, marked as no better than `quality`."""
    series = tuple(
        replace(one, quality=max(one.quality, quality, key=int)) for one in decoded.series
    )
    return Decoded(series, decoded.remarks)
