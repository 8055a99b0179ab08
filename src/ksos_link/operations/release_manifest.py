"""Release manifests: what a firmware or a dial is for, and who may install it (domain 6.1, 6.3).

The vendor's record has no size and no digest, checks neither status nor channel, and bars nobody
by an allow-list. All of that is here, and a field that is not known is refused: a rule that was
misspelt must not be a rule that is missing.
"""

import string
import tomllib
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any, Final

from firmware_protocol.errors import DecodeError
from firmware_protocol.images import MAX_FILE_BYTES
from firmware_protocol.images.image import shown
from firmware_protocol.images.strict_json import read as read_json
from firmware_protocol.versions import Version
from ksos_link.operations.countries import COUNTRIES
from ksos_link.operations.strict_table import StrictTable

MAX_MANIFEST_BYTES: Final = 64 * 1024
MANIFEST_ENDINGS: Final = (".toml", ".json")
DEFAULT_BATTERY_PCT: Final = 30  # the vendor's gate (domain 6.1, ido.md 11.2)
MOST_FILES: Final = 64
_MOST_NOTE_LETTERS: Final = 10_000
_MOST_NAME_BYTES: Final = 200  # with `.sig` and `.part` behind it, still a name of every disk
_MOST_CODE: Final = 0xFFFFFFFF
_SHA256_DIGITS: Final = 64
_FORBIDDEN_IN_NAMES: Final = frozenset('/\\:*?"<>|')


@unique
class Kind(StrEnum):
    """What a release installs."""

    FIRMWARE = "firmware"
    DIAL = "dial"


@unique
class Channel(StrEnum):
    """For whom it is: who takes a channel takes those behind it, too."""

    INTERNAL = "internal"
    PUBLIC = "public"
    FORMAL = "formal"

    def takes(self, other: "Channel") -> bool:
        """Whether who wants this channel is offered a release of the `other` one."""
        order = list(Channel)
        return order.index(self) <= order.index(other)


@unique
class Status(StrEnum):
    """Whether it is offered."""

    ACTIVE = "active"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class RegionRule:
    """Either the only countries that may have it, or those that may not."""

    countries: frozenset[str]
    allows: bool

    def admits(self, country: str) -> bool:
        """Whether somebody in a country (ISO code, capitals) may have it."""
        return (country in self.countries) is self.allows

    def __str__(self) -> str:
        return f"{'only' if self.allows else 'all but'} {', '.join(sorted(self.countries))}"


@dataclass(frozen=True, slots=True)
class FromVersions:
    """From which versions it installs: a list, or a range with both ends; nothing is any."""

    listed: frozenset[Version] = frozenset()
    least: Version | None = None
    most: Version | None = None

    def take(self, installed: Version) -> bool:
        """Whether it installs over a version."""
        return (
            (not self.listed or installed in self.listed)
            and (self.least is None or installed >= self.least)
            and (self.most is None or installed <= self.most)
        )

    @property
    def any(self) -> bool:
        """Whether there is no rule."""
        return self == FromVersions()

    def __str__(self) -> str:
        if self.listed:
            return ", ".join(map(str, sorted(self.listed)))
        ends = [("from", self.least), ("to", self.most)]
        return " ".join(f"{word} {end}" for word, end in ends if end is not None)


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """A file of a release, in the manifest's own folder. `transport` is for a plain binary."""

    name: str
    size_bytes: int
    sha256: str
    transport: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """What a manifest says. Files are sent in their order.

    Where there is a `model_code` it decides which watches it is for, else `product` does, which is
    then the name that the watch itself tells.
    """

    product: str
    model_code: int | None
    kind: Kind
    version: Version
    channel: Channel
    status: Status
    files: tuple[ReleaseFile, ...]
    from_versions: FromVersions = FromVersions()
    forced: bool = False
    region: RegionRule | None = None
    minimum_battery_pct: int = DEFAULT_BATTERY_PCT
    notes: str = ""

    @property
    def watches(self) -> str:
        """For which watches it is, in words."""
        code = "" if self.model_code is None else f"model {self.model_code}"
        return f"{self.product} ({code})" if self.product and code else self.product or code


def read_manifest(data: bytes, name: str) -> Release:
    """Read a manifest; its name tells JSON from TOML.

    Raises:
        DecodeError: it is neither; or fields are missing, unknown or wrong: all of them, each with
            its place, parted by semicolons.
    """
    if len(data) > MAX_MANIFEST_BYTES:
        raise DecodeError(f"larger than {MAX_MANIFEST_BYTES >> 10} KiB")
    values = _values(data, name)
    faults: list[str] = []
    release = _release(StrictTable(values, "", faults))
    if any(each.name == name for each in release.files):
        faults.append("files: the manifest itself cannot be one of them")
    if faults:
        raise DecodeError("; ".join(faults))
    return release


def _values(data: bytes, name: str) -> dict[str, Any]:
    if name.lower().endswith(".json"):
        values = read_json(data, "it")
        if not isinstance(values, dict):
            raise DecodeError("it is no table")
        return values
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise DecodeError("it is no text in UTF-8") from None
    except (ValueError, RecursionError) as error:
        reason = shown(str(error)) if isinstance(error, ValueError) else "nested too deeply"
        raise DecodeError(f"it is no TOML: {reason}") from None


def _release(table: StrictTable) -> Release:
    product = table.text("product")
    model_code = table.number("model_code", 0, _MOST_CODE)
    if not product and model_code is None:
        table.fault("product", "is missing, and model_code with it (one must be there)")
    release = Release(
        product,
        model_code,
        kind := table.choice("kind", Kind),
        table.version("version", needed=True) or Version((0,)),
        table.choice("channel", Channel),
        table.choice("status", Status),
        _files(table, kind),
        _from_versions(table),
        table.flag("forced"),
        _region(table.table("region")),
        _or_default(table.number("minimum_battery_pct", 0, 100), DEFAULT_BATTERY_PCT),
        table.text("notes", letters=_MOST_NOTE_LETTERS),
    )
    table.finish()
    if kind is Kind.DIAL and not release.from_versions.any:
        table.fault("from_versions", "is for firmware")
    return release


def _or_default(number: int | None, default: int) -> int:
    return default if number is None else number


def _from_versions(table: StrictTable) -> FromVersions:
    """A list of versions, or a table with `least` and `most`; both ends belong to it."""
    name = "from_versions"
    if table.is_list(name):
        versions = [
            table.read_version(f"{name}[{number}]", text)
            for number, text in enumerate(table.items(name), start=1)
        ]
        return FromVersions(frozenset(filter(None, versions)))
    ends = table.table(name)
    if ends is None:
        return FromVersions()
    least, most = ends.version("least"), ends.version("most")
    ends.finish()
    if least is not None and most is not None and least > most:
        ends.fault("least", "is above most")
    return FromVersions(least=least, most=most)


def _region(table: StrictTable | None) -> RegionRule | None:
    """One of `allow` and `bar`, a list of countries."""
    if table is None:
        return None
    lists = {name: _countries(table, name) for name in ("allow", "bar") if table.has(name)}
    table.finish()
    if len(lists) != 1:
        table.fault("allow", "and bar: give one of them")
        return None
    ((name, countries),) = lists.items()
    return RegionRule(countries, name == "allow")


def _countries(table: StrictTable, name: str) -> frozenset[str]:
    codes = table.items(name, needed=True)
    for number, code in enumerate(codes, start=1):
        if not isinstance(code, str) or code not in COUNTRIES:
            table.fault(f"{name}[{number}]", "is no country code of ISO 3166-1, such as DE")
    return frozenset(code for code in codes if isinstance(code, str))


def _files(table: StrictTable, kind: Kind) -> tuple[ReleaseFile, ...]:
    listed = table.tables("files", needed=True)
    if len(listed) > MOST_FILES:
        table.fault("files", f"are more than {MOST_FILES}")
        return ()
    files: list[ReleaseFile] = []
    for each in listed:
        file = _file(each, kind)
        if file.name.casefold() in {other.name.casefold() for other in files}:
            each.fault("name", "stands there twice")
        files.append(file)
    return tuple(files)


def _file(table: StrictTable, kind: Kind) -> ReleaseFile:
    name = table.text("name", needed=True, letters=MAX_MANIFEST_BYTES)
    if name and (fault := _fault_of_name(name)):
        table.fault("name", fault)
    size_bytes = table.number("size_bytes", 1, MAX_FILE_BYTES, needed=True) or 0
    sha256 = table.text("sha256", needed=True).lower()
    if sha256 and (len(sha256) != _SHA256_DIGITS or not set(sha256) <= set(string.hexdigits)):
        table.fault("sha256", f"is not {_SHA256_DIGITS} hex digits")
    transport = table.text("transport")
    if transport and kind is Kind.DIAL:
        table.fault("transport", "is for firmware")
    table.finish()
    return ReleaseFile(name, size_bytes, sha256, transport)


def _fault_of_name(name: str) -> str:
    """Why a name is not that of a file beside the manifest, on any system."""
    if name in (".", "..") or set(name) & _FORBIDDEN_IN_NAMES:
        return f"{shown(name)!r} is no plain name of a file beside the manifest"
    if not name.isprintable() or name != name.strip() or name.endswith("."):
        return f"{shown(name)!r} is no name that every system takes"
    if len(name.encode("utf-8", "replace")) > _MOST_NAME_BYTES:
        return f"is longer than {_MOST_NAME_BYTES} bytes"
    return ""
