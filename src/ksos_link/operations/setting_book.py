"""What is known of a watch's settings beside what it reads back: what it was sent."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime

from firmware_protocol.settings import SETTINGS, Cycle, Setting, SettingValueError
from ksos_link.operations.consents import CYCLE, check_consent
from ksos_link.operations.time_keeping import remember_clock_set
from ksos_link.store.database import Store
from ksos_link.store.devices import Device


@dataclass(frozen=True, slots=True)
class Sent:
    """A setting that a watch took, and when."""

    setting: Setting
    utc_s: int


class SettingBook(ABC):
    """Remembers, for one watch."""

    def check_allowed(self, setting: Setting) -> None:
        """Stop what its wearer has not consented to.

        Raises:
            PolicyError: a cycle that is followed, without the consent to it.
        """
        if isinstance(setting, Cycle) and setting.on:
            check_consent(self.consents, CYCLE)

    @property
    def consents(self) -> Store | None:
        """Where consents are kept; None where there is no store."""
        return None

    @abstractmethod
    def sent(self) -> dict[type[Setting], Sent]:
        """All that it was sent, the newest of each."""

    @abstractmethod
    def remember(self, setting: Setting, utc_s: int) -> None:
        """The watch took this."""

    @abstractmethod
    def note_clock(self, now: datetime, set_to: datetime) -> None:
        """The watch's clock was set, `now`, to a local time."""


@dataclass(slots=True)
class MemoryBook(SettingBook):
    """Remembers as long as the program runs: for a watch that is not paired."""

    _sent: dict[type[Setting], Sent] = field(default_factory=dict)

    def sent(self) -> dict[type[Setting], Sent]:
        """See `SettingBook.sent`."""
        return dict(self._sent)

    def note_clock(self, now: datetime, set_to: datetime) -> None:
        """See `SettingBook.note_clock`: no record is read by a watch that is not paired."""

    def remember(self, setting: Setting, utc_s: int) -> None:
        """See `SettingBook.remember`."""
        self._sent[type(setting)] = Sent(setting, utc_s)


@dataclass(frozen=True, slots=True)
class StoreBook(SettingBook):
    """Remembers in the encrypted store: for a paired watch."""

    store: Store
    device: Device

    @property
    def consents(self) -> Store | None:
        """See `SettingBook.consents`."""
        return self.store

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

    def note_clock(self, now: datetime, set_to: datetime) -> None:
        """See `SettingBook.note_clock`: records are read by it."""
        remember_clock_set(self.store, self.device, now, set_to)
