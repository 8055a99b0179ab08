"""What speaks against writing firmware to a watch: to its application, or to its loader."""

from collections.abc import Iterator

from firmware_protocol.events import WatchInfo
from firmware_protocol.family import UpdatePath
from ksos_link.operations.file_facts import WatchFacts, facts_of_firmware
from ksos_link.operations.firmware_wish import FirmwareWish
from ksos_link.operations.preflight import Objection, preflight
from ksos_link.operations.release_keys import Signature


def objections_of_watch(
    wish: FirmwareWish, info: WatchInfo, path: UpdatePath, rssi_dbm: int | None
) -> tuple[Objection, ...]:
    """All that speaks against it, by what the watch itself says."""
    fits = wish.transport in path.transports
    watch = WatchFacts(
        family=info.family,
        product=info.product,
        model_code=info.model_code,
        firmware_version=info.firmware_version,
        transport=wish.transport if fits else path.transports[0],
        battery_pct=info.battery_pct,
        charging=info.charging,
        rssi_dbm=rssi_dbm,
        region=wish.region,
    )
    return tuple(dict.fromkeys(_found(wish, watch)))


def objections_half_way(wish: FirmwareWish, rssi_dbm: int | None) -> tuple[Objection, ...]:
    """The same for a watch that got its update before, and says little of itself, or nothing new.

    What cannot be known of it objected to the update when it was begun.
    """
    watch = WatchFacts(family="", transport=wish.transport, rssi_dbm=rssi_dbm, region=wish.region)
    return tuple(
        dict.fromkeys(
            one
            for one in _found(wish, watch)
            if not (one.override and one.name.startswith("unknown_"))
        )
    )


def _found(wish: FirmwareWish, watch: WatchFacts) -> Iterator[Objection]:
    release = None if wish.release is None else wish.release.release
    signature = Signature.ABSENT if wish.release is None else wish.release.signature
    for file in wish.files:
        facts = facts_of_firmware(file)
        yield from preflight(watch, facts, release, signature, channel=wish.channel)
