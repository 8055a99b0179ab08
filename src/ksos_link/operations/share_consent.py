"""Sharing, only when told: who may get what, and the one check that every share begins with.

A consent holds for one receiver and one set of data (K083, K132). Where a receiver is on another
machine it has a country, and one that is not the wearer's needs a yes of its own (K113, K114).
Where nobody is known as the wearer a guest wears the watch, whose data stay here (K009).
"""

import contextlib
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from firmware_protocol.samples import METRICS
from ksos_link.config import path_from
from ksos_link.errors import NotFoundError, PolicyError, UsageError
from ksos_link.operations.share_secrets import ShareSecrets
from ksos_link.operations.wearer import kept_wearer
from ksos_link.store.database import Store
from ksos_link.store.sharing import ShareConsent

STRAVA: Final = "strava"
MQTT: Final = "mqtt"
MAIL: Final = "mail"
FILE: Final = "file"
KINDS: Final = (STRAVA, MQTT, MAIL, FILE)
WORKOUTS: Final = "workouts"
WEARER: Final = "wearer"
_WORKOUT_METRICS: Final = tuple(name for name in METRICS if name.startswith("workout"))
_STRAVA_COUNTRY: Final = "US"  # where Strava, Inc. keeps what it gets
_FORMS: Final = "strava, mqtt:HOST, mail:ADDRESS, file:FOLDER"
_MOST_NAME: Final = 300


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who gets something: a kind, and an address where there are several of the kind."""

    kind: str
    address: str = ""

    @property
    def name(self) -> str:
        """How a person and the ledger name it."""
        return f"{self.kind}:{self.address}" if self.address else self.kind

    @property
    def is_remote(self) -> bool:
        """Whether it is on another machine."""
        return self.kind != FILE and not (self.kind == MQTT and is_loopback(self.address))

    @property
    def country(self) -> str | None:
        """Its country where that is known without asking."""
        return _STRAVA_COUNTRY if self.kind == STRAVA else None


def receiver_named(text: str) -> Receiver:
    """The receiver of a name such as `strava` or `mqtt:broker.example`.

    Raises:
        UsageError: it is none.
    """
    kind, _, address = text.partition(":")
    kind = kind.lower()
    if kind not in KINDS or (kind == STRAVA) == bool(address) or len(text) > _MOST_NAME:
        raise UsageError("There is no such receiver.", f"Name one of: {_FORMS}.")
    if not address.isprintable():
        raise UsageError("The receiver's name has signs that cannot be shown.")
    if kind == STRAVA:
        return Receiver(STRAVA)
    if kind == FILE:
        return Receiver(FILE, str(path_from(address).absolute()))
    return Receiver(kind, _mail_address(address) if kind == MAIL else _host(address))


def data_named(names: Iterable[str]) -> tuple[str, ...]:
    """A set of data: metrics, `workouts` for all that belongs to them, `wearer` for who it is.

    Raises:
        UsageError: an unknown name, or none at all.
    """
    wanted: set[str] = set()
    for name in names:
        if name == WORKOUTS:
            wanted.update(_WORKOUT_METRICS)
        elif name in METRICS or name == WEARER:
            wanted.add(name)
        else:
            known = ", ".join((WORKOUTS, WEARER, *METRICS))
            raise UsageError("There are no data of that name.", f"Choose from: {known}.")
    if not wanted:
        raise UsageError("Which data?", "Name them with --data, such as --data workouts.")
    return tuple(name for name in (*METRICS, WEARER) if name in wanted)


def what_leaves(receiver: Receiver, data: Sequence[str]) -> str:
    """Which data go where, in words, before anybody agrees."""
    listed = ", ".join(data)
    match receiver.kind:
        case "strava":
            return (
                f"{listed} of each workout that you send go to www.strava.com as a file, with the"
                " name and kind of the sport; who sees them there, Strava and your settings decide"
            )
        case "mqtt":
            return (
                f"the newest values of {listed}, with the names of your watches, go to the broker"
                f" {receiver.address}, which keeps the last ones; whoever may read there sees them"
            )
        case "mail":
            return (
                f"files of {listed}, with the names of your watches, go by mail to"
                f" {receiver.address}; servers on the way can read them unless you --encrypt them"
            )
        case _:
            return (
                f"files of {listed}, with the names of your watches, are written to"
                f" {receiver.address}; whoever can open them there, or carries them elsewhere, can"
                " read them"
            )


def refuse_guest(store: Store | None) -> Store:
    """Stop where nobody is known as the wearer.

    Raises:
        PolicyError: a guest's data stay on this machine.
    """
    if store is None or kept_wearer(store) is None:
        raise PolicyError(
            "Nobody is known as the wearer, and the data of a guest stay on this machine.",
            "Say who wears the watch: ksos wearer set --height-cm 168 --weight-kg 61.5",
        )
    return store


def is_abroad(consent: ShareConsent) -> bool:
    """Whether its receiver is in another country than the wearer."""
    return consent.region is not None and consent.region != consent.home_region


def proposed_consent(
    store: Store | None,
    receiver: Receiver,
    data: tuple[str, ...],
    countries: tuple[str | None, str | None],
    utc_s: int,
) -> ShareConsent:
    """What a person is asked to agree to. `countries` are the receiver's and the wearer's own.

    The wearer's country is taken from an earlier consent where it is not said again.

    Raises:
        PolicyError: a guest.
        UsageError: a receiver on another machine without a country, or no country of the wearer.
    """
    known = refuse_guest(store)
    if not receiver.is_remote:
        return ShareConsent(receiver.name, data, None, None, utc_s)
    region = countries[0] or receiver.country
    earlier = [one.home_region for one in known.share_consents() if one.home_region]
    home_region = countries[1] or (earlier[-1] if earlier else None)
    if region is None:
        raise UsageError(
            "In which country are the receiver's machines?",
            "Say its two letters with --region, such as --region DE; the receiver can tell you.",
        )
    if home_region is None:
        raise UsageError(
            "In which country do you live?", "Say its two letters once with --country."
        )
    return ShareConsent(receiver.name, data, region, home_region, utc_s)


def withdraw(store: Store, shelf: ShareSecrets, receiver: Receiver, utc_s: int) -> None:
    """Take a consent back, and forget the tokens or the password that were kept for it.

    Raises:
        NotFoundError: there was none.
        StoreError: it is withdrawn, but the keyring still has a secret.
    """
    if store.share_consent(receiver.name) is None:
        raise NotFoundError(
            "You never consented to that receiver, or took it back.", "See: ksos share consents"
        )
    store.withdraw_share_consent(receiver.name, utc_s)
    shelf.drop(receiver.name)
    now = [one.receiver for one in store.share_consents() if one.withdrawn_utc_s is None]
    if receiver.kind == MAIL and not any(name.startswith(f"{MAIL}:") for name in now):
        shelf.drop(MAIL)  # the mail server's, for all recipients


def check_share(store: Store | None, receiver: Receiver) -> ShareConsent:
    """Stop whatever a person has not consented to. Every share calls this before anything else.

    Raises:
        PolicyError: a guest, or no consent to this receiver; with the command that gives it.
    """
    consent = refuse_guest(store).share_consent(receiver.name)
    if consent is None:
        raise PolicyError(
            "This needs your consent to that receiver and to a set of data; nothing was sent.",
            f"Give it with: ksos share allow {receiver.name} --data NAME",
        )
    return consent


def check_data(consent: ShareConsent, names: Iterable[str]) -> None:
    """Stop what is not in the set that was consented to.

    Raises:
        PolicyError: a metric that is not in it.
    """
    missing = [name for name in names if name not in consent.data]
    if missing:
        raise PolicyError(
            f"Your consent to that receiver does not cover {', '.join(missing)}.",
            "See it with `ksos share consents`, and give a wider one with `ksos share allow`.",
        )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, said so plainly that nobody need be asked."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _host(text: str) -> str:
    """The name or address of a machine, without a port.

    Raises:
        UsageError: it is none.
    """
    host = text.strip().strip("[]").lower()
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(host))
    if not host or not all(part and part.replace("-", "").isalnum() for part in host.split(".")):
        raise UsageError("That is no name of a machine.", "Write it as mqtt:broker.example.org.")
    return host


def _mail_address(text: str) -> str:
    """One plain address: no name, no second one, no line break.

    Raises:
        UsageError: it is none.
    """
    local, _, domain = text.strip().rpartition("@")
    plain = all(sign.isascii() and sign.isprintable() for sign in text)
    if not local or not domain or not plain or any(sign in ' ,;<>"()[]:\\' for sign in text):
        raise UsageError("That is no mail address.", "Write it as name@example.org.")
    return f"{local}@{domain.lower()}"
