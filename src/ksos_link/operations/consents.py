"""What a person consents to, and what is kept about them and why."""

from dataclasses import dataclass
from typing import Final

from ksos_link.errors import PolicyError, UsageError
from ksos_link.store.database import Store

CYCLE: Final = "cycle"
OPEN_METEO: Final = "weather:open-meteo"


@dataclass(frozen=True, slots=True)
class Consent:
    """Something that happens only when the person said so."""

    name: str
    meaning: str
    leaves_machine: str  # what goes where; empty where nothing does


@dataclass(frozen=True, slots=True)
class Purpose:
    """One kind of item that is kept, what for, and where."""

    item: str
    purpose: str
    place: str


CONSENTS: Final = (
    Consent(CYCLE, "keep the menstrual cycle and send it to the watch", ""),
    Consent(
        OPEN_METEO,
        "ask api.open-meteo.com for the weather",
        "the place, rounded to 0.01 degrees, goes to api.open-meteo.com",
    ),
)
_STORE: Final = "the encrypted store"
PURPOSES: Final = (
    Purpose("address and name of a watch", "to find the watch again", _STORE),
    Purpose("model and firmware of a watch", "to speak to it, upgrades, fault finding", _STORE),
    Purpose("samples and raw records", "your data: shown, exported, decoded anew", _STORE),
    Purpose("history of the watch's clock", "to know when a sample was taken", _STORE),
    Purpose("settings that were sent", "to show and change what a watch cannot read back", _STORE),
    Purpose("height, weight, birth date, sex, stride", "the watch's own formulas", _STORE),
    Purpose("menstrual cycle", "its reminders, only with the consent `cycle`", _STORE),
    Purpose("apps whose notices you allow", "to let only those through", _STORE),
    Purpose("campaigns: watches, times, verdicts", "to go on after a kill; reports", _STORE),
    Purpose("consents", "to do only what you said", _STORE),
    Purpose("what was shared, when and with whom", "to show you: `ksos share log`", _STORE),
    Purpose("tokens and passwords of receivers", "to share when you say so", "the keyring"),
    Purpose("log of runs, without readings and addresses", "fault finding", "the folder logs"),
    Purpose("notices, calls, song titles, weather", "sent to the watch at once", "not kept"),
    Purpose("IP address, network, installed programs", "none", "not collected"),
)


def consent_named(name: str) -> Consent:
    """The consent of that name.

    Raises:
        UsageError: there is none.
    """
    for consent in CONSENTS:
        if consent.name == name:
            return consent
    names = ", ".join(consent.name for consent in CONSENTS)
    raise UsageError(f"There is no consent {name}.", f"There are: {names}.")


def check_consent(store: Store | None, name: str) -> None:
    """Stop where the person has not consented.

    Raises:
        PolicyError: they have not, with the command that does it.
    """
    if store is None or name not in store.consents():
        consent = consent_named(name)
        leaves = f" ({consent.leaves_machine})" if consent.leaves_machine else ""
        raise PolicyError(
            f"This needs your consent to {consent.meaning}{leaves}.",
            f"Give it with: ksos privacy allow {name}",
        )


def allow(store: Store, name: str, utc_s: int) -> None:
    """Give a consent.

    Raises:
        UsageError: there is none of that name.
    """
    store.give_consent(consent_named(name).name, utc_s)


def deny(store: Store, name: str) -> None:
    """Withdraw a consent; what was kept because of it is erased.

    Raises:
        UsageError: there is none of that name.
    """
    consent = consent_named(name)
    store.withdraw_consent(consent.name)
    if consent.name == CYCLE:
        store.forget_settings(name=CYCLE)
