"""What is known of a watch's settings beside what it reads back: what it was sent."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from firmware_protocol.settings import SETTINGS, Setting, SettingValueError
from ksos_link.store.database import Store
from ksos_link.store.devices import Device


@dataclass(frozen=True, slots=True)
class Sent:
    """A setting that a watch took, and when."""

    setting: Setting
    utc_s: int


class SettingBook(ABC):
    """Remembers, for one watch."""

    @abstractmethod
    def sent(self) -> dict[type[Setting], Sent]:
        """All that it was sent, the newest of each."""

    @abstractmethod
    def remember(self, setting: Setting, utc_s: int) -> None:
        """The watch took this."""


@dataclass(slots=True)
class MemoryBook(SettingBook):
    """Remembers as long as the program runs: for a watch that is not paired."""

    _sent: dict[type[Setting], Sent] = field(default_factory=dict)

    def sent(self) -> dict[type[Setting], Sent]:
        """See `SettingBook.sent`."""
        return dict(self._sent)

    def remember(self, setting: Setting, utc_s: int) -> None:
        """See `SettingBook.remember`."""
        self._sent[type(setting)] = Sent(setting, utc_s)


@dataclass(frozen=True, slots=True)
class StoreBook(SettingBook):
    """Remembers in the encrypted store: for a paired watch."""

    store: Store
    device: Device

    def sent(self) -> dict[type[Setting], Sent]:
        """See `SettingBook.sent`. What another version of ksos left and nobody reads is passed."""
        found: dict[type[Setting], Sent] = {}
        for name, remembered in self.store.remembered_settings(self.device.device_id).items():
            kind = SETTINGS.get(name)
            if kind is None:
                continue
            try:
                found[kind] = Sent(kind.read(remembered.values), remembered.utc_s)
            except SettingValueError:
                continue
        return found

    def remember(self, setting: Setting, utc_s: int) -> None:
        """See `SettingBook.remember`."""
        self.store.remember_setting(self.device.device_id, setting.NAME, setting.plain(), utc_s)
