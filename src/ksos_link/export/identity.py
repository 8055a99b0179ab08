"""Names by which other programs know a sample again: the same sample has the same one for ever.

They are UUIDs of version 8 (RFC 9562): the device, the kind of sample and its start are in them, so
that a file that is taken in twice adds nothing.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Final

from ksos_link.export.source import ExportDevice, Source

_START_MASK: Final = (1 << 48) - 1
Uid = Callable[[int], str]


def uid_of(device: ExportDevice, kind: str) -> Uid:
    """What names the samples of one kind from one device by their starts, UTC seconds."""
    who, what = _digest(device.uid or device.alias), _digest(kind)
    stem = f"{who[:8]}-{what[:4]}-8{what[4:7]}-8{who[8:11]}-"

    def named(start_utc_s: int) -> str:
        return f"{stem}{start_utc_s & _START_MASK:012x}"

    return named


def device_uid(device: ExportDevice) -> str:
    """The name of a device."""
    return uid_of(device, "device")(0)


def person_uid(source: Source) -> str:
    """The name of the wearer, by the first device of the source: nothing else is known of them."""
    return uid_of(source.devices[0], "wearer")(0)


def devices_by_alias(source: Source) -> dict[str, ExportDevice]:
    """The devices of a source by the names that samples give them."""
    return {device.alias: device for device in source.devices}


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
