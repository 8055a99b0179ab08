"""The watches of a person. Only a watch that was bound is here; a scan leaves no trace."""

from dataclasses import dataclass

from firmware_protocol.records import FILE_FAMILY
from firmware_protocol.samples import METRICS
from ksos_link.errors import NotFoundError, UsageError
from ksos_link.store.part import StorePart


@dataclass(frozen=True, slots=True)
class Device:
    """One watch. `forgotten` ones are kept only because their data are."""

    device_id: int
    alias: str
    address: str
    family: str
    product: str
    bound_utc_s: int
    last_sync_utc_s: int | None = None
    forgotten: bool = False

    @property
    def is_file(self) -> bool:
        """Whether it is no watch but what was imported from files."""
        return self.family == FILE_FAMILY


class DevicePart(StorePart):
    """Adds, finds, renames and forgets watches."""

    def devices(self, *, forgotten: bool = False) -> list[Device]:
        """Return the watches in the order in which they came.

        With `forgotten` all that samples may come from: imported files too.
        """
        rows = self.database.rows(
            "SELECT device_id, alias, address, family, product, bound_utc_s, last_sync_utc_s,"
            " forgotten FROM device ORDER BY device_id"
        )
        devices = [
            Device(device_id, alias, address, family, product, bound, synced, bool(gone))
            for device_id, alias, address, family, product, bound, synced, gone in rows
        ]
        return [each for each in devices if forgotten or not (each.forgotten or each.is_file)]

    def device(self, name_or_address: str) -> Device:
        """Find a watch by alias or address; a forgotten one too, for its data.

        Raises:
            NotFoundError: there is none of that name.
        """
        wanted = name_or_address.casefold()
        devices = self.devices(forgotten=True)
        for device in devices:
            if wanted in (device.alias.casefold(), device.address.casefold()):
                return device
        known = ", ".join(device.alias for device in devices if not device.forgotten)
        raise NotFoundError(
            "There is no watch of that name.",
            f"Known watches: {known}." if known else "Pair one first: ksos watch pair ADDRESS.",
        )

    def add_device(
        self, *, alias: str, address: str, family: str, product: str, bound_utc_s: int
    ) -> Device:
        """Remember a bound watch. One that was here before, even forgotten, gets its data back.

        Raises:
            UsageError: the alias belongs to another watch.
        """
        self._check_alias_free(alias, address)
        with self._writing():
            self.database.change(
                "INSERT INTO device (alias, address, family, product, bound_utc_s)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT (address) DO UPDATE SET"
                " alias = excluded.alias, family = excluded.family, product = excluded.product,"
                " bound_utc_s = excluded.bound_utc_s, forgotten = 0",
                (alias, address, family, product, bound_utc_s),
            )
        return self.device(address)

    def rename_device(self, device_id: int, alias: str) -> None:
        """Give a watch another alias.

        Raises:
            UsageError: the alias belongs to another watch.
        """
        own = [device for device in self.devices(forgotten=True) if device.device_id == device_id]
        self._check_alias_free(alias, own[0].address if own else "")
        with self._writing():
            self.database.change(
                "UPDATE device SET alias = ? WHERE device_id = ?", (alias, device_id)
            )

    def forget_device(self, device_id: int, *, keep_data: bool) -> None:
        """Forget a watch, with or without everything that it ever sent."""
        with self._writing():
            if keep_data:
                self.database.change(
                    "UPDATE device SET forgotten = 1 WHERE device_id = ?", (device_id,)
                )
                return
            for metric in METRICS:
                self.database.change(f"DELETE FROM {metric} WHERE device_id = ?", (device_id,))  # noqa: S608 our own names
            self.database.change("DELETE FROM raw_record WHERE device_id = ?", (device_id,))
            self.database.change(
                "DELETE FROM upload WHERE address ="
                " (SELECT address FROM device WHERE device_id = ?)",
                (device_id,),
            )
            self.database.change("DELETE FROM device WHERE device_id = ?", (device_id,))

    def note_sync(self, device_id: int, utc_s: int) -> None:
        """Remember when a watch was last synced."""
        with self._writing():
            self.database.change(
                "UPDATE device SET last_sync_utc_s = ? WHERE device_id = ?", (utc_s, device_id)
            )

    def _check_alias_free(self, alias: str, address: str) -> None:
        for device in self.devices(forgotten=True):
            same_watch = device.address.casefold() == address.casefold()
            if device.alias.casefold() == alias.casefold() and not same_watch:
                kept = " that was forgotten; its data are kept" if device.forgotten else ""
                raise UsageError(
                    f"The name {alias} belongs to another watch{kept}.", "Choose another."
                )
