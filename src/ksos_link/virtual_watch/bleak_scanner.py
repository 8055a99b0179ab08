"""bleak's scanner on the virtual radio, and bleak's errors for bumble's."""

import contextlib
import uuid as uuids
from collections.abc import Iterator
from typing import Any, ClassVar, Final

from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.exc import BleakError, BleakGATTProtocolError
from bumble import att, core
from bumble.device import Advertisement

from ksos_link.virtual_watch.central import Central

_UUID_BYTES: Final = {0x02: 2, 0x03: 2, 0x04: 4, 0x05: 4, 0x06: 16, 0x07: 16}
_SERVICE_DATA_UUID_BYTES: Final = {0x16: 2, 0x20: 4, 0x21: 16}


def uuid_text(raw: bytes) -> str:
    """Return a UUID of the air as bleak writes it."""
    return str(uuids.UUID(bytes=core.UUID.from_bytes(raw).to_bytes(force_128=True)[::-1]))


@contextlib.contextmanager
def bleak_errors() -> Iterator[None]:
    """Turn bumble's errors into bleak's; their texts could show addresses."""
    try:
        yield
    except att.ATT_Error as error:
        raise BleakGATTProtocolError(int(error.error_code)) from error
    except core.TimeoutError as error:
        raise TimeoutError from error
    except core.BaseError as error:
        raise BleakError(f"{error.error_namespace}: {error.error_name}") from error
    except core.BaseBumbleError as error:
        raise BleakError(type(error).__name__) from error


class _Seen:
    """What one device was heard to say so far; a scan response adds to an advertisement."""

    def __init__(self) -> None:
        self.name: str | None = None
        self.tx_power: int | None = None
        self.manufacturer_data: dict[int, bytes] = {}
        self.service_data: dict[str, bytes] = {}
        self.service_uuids: list[str] = []

    def add(self, kind: int, raw: bytes) -> None:
        """Take one AD structure."""
        if size := _UUID_BYTES.get(kind):
            for start in range(0, len(raw) - size + 1, size):
                if (listed := uuid_text(raw[start : start + size])) not in self.service_uuids:
                    self.service_uuids.append(listed)
        elif size := _SERVICE_DATA_UUID_BYTES.get(kind):
            self.service_data[uuid_text(raw[:size])] = raw[size:]
        elif kind in (0x08, 0x09):
            self.name = raw.decode("utf-8", "replace")
        elif kind == 0x0A:
            self.tx_power = int.from_bytes(raw, "little", signed=True)
        elif kind == 0xFF:
            self.manufacturer_data[int.from_bytes(raw[:2], "little")] = raw[2:]

    def data(self, advertisement: Advertisement) -> AdvertisementData:
        """Return it as bleak shows it."""
        return AdvertisementData(
            local_name=self.name,
            manufacturer_data=dict(self.manufacturer_data),
            service_data=dict(self.service_data),
            service_uuids=list(self.service_uuids),
            tx_power=self.tx_power,
            rssi=advertisement.rssi,
            platform_data=(advertisement,),
        )


class BleakScannerBumble(BaseBleakScanner):
    """A scanner on the adapter `central`; `backends_of` makes the class for one adapter."""

    central: ClassVar[Central]

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: str,
        **_: Any,  # bleak's arguments for other platforms
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        if scanning_mode == "passive":
            raise BleakError("the virtual radio has no passive scanning")
        self._seen: dict[str, _Seen] = {}

    async def start(self) -> None:
        """See `BleakScanner.start`."""
        self.seen_devices = {}
        self._seen = {}
        with bleak_errors():
            await self.central.listen(self._heard)

    async def stop(self) -> None:
        """See `BleakScanner.stop`."""
        with bleak_errors():
            await self.central.stop_listening(self._heard)

    def _heard(self, advertisement: Advertisement) -> None:
        address = advertisement.address.to_string(with_type_qualifier=False)
        seen = self._seen.setdefault(address, _Seen())
        for kind, raw in advertisement.data.ad_structures:
            seen.add(kind, raw)
        if self.is_allowed_uuid(seen.service_uuids):
            data = seen.data(advertisement)
            device = self.create_or_update_device(
                address, address, seen.name, advertisement.address, data
            )
            self.call_detection_callbacks(device, data)
