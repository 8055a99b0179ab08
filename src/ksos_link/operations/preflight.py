"""May this file be written to this watch? All objections at once, before the first byte.

A pure function of what is known of the watch, the file and the release. `--allow NAME` lifts an
objection where that is allowed.

| Name | Stands where | Lifted by | Source |
|---|---|---|---|
| `file_unsound` | the file is damaged, or of another kind than the release | - | dfu.md 10.6 |
| `digest` | it is not the file that the release names | - | domain 6.1 |
| `signature` | the release is not signed by a key that was given | - | issue 4 |
| `unsigned` | nobody signed, or no key was given to verify with | `--unsigned` | issue 4 |
| `product` | it is for another watch | - | dfu.md 9 |
| `transport` | the watch takes files another way, or none of ours | - | dfu.md 2, ido.md 11.1 |
| `version_order` | it is not newer than what is installed | `--allow` | domain 6.1 rule 3 |
| `from_version` | it does not install over that version | - | issue 4 |
| `channel` | it is for fewer people than the channel that was asked for | `--allow` | domain 6.1 |
| `status` | it was withdrawn | - | domain 6.1 |
| `region` | the wearer's country may not have it | - | domain 6.3 |
| `battery` | too low | `--allow`, not below the floor | dfu.md 9, ido.md 11.2 |
| `free_space` | it is larger than what is free | - | ido.md 8.1.3 |
| `screen` | the dial is of another size | - | domain 6.2 |
| `link_quality` | the signal is weak | `--allow` | our own rule, provisional |
| `unknown_product`, `unknown_battery`, `unknown_screen` | nobody knows it | `--allow` | dfu.md 2 |
| `unknown_version` | the same | `--allow`, not where `from_version` needs it | dfu.md 2 |
| `unknown_transport`, `unknown_region` | nobody knows it | - | dfu.md 2, domain 6.3 |

Free space and signal that nobody knows are no objection: the watch itself refuses a file that is
too large when it is offered, and a link that breaks is taken up again.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from firmware_protocol import registry
from firmware_protocol.errors import DecodeError
from firmware_protocol.versions import Version
from ksos_link.errors import PreflightError, UsageError
from ksos_link.operations.file_facts import FileFacts, WatchFacts
from ksos_link.operations.release_keys import Signature
from ksos_link.operations.release_manifest import (
    Channel,
    Kind,
    Release,
    Status,
)

UNSIGNED: Final = "unsigned"
ALLOWABLE: Final = (
    "version_order",
    "channel",
    "battery",
    "link_quality",
    "unknown_product",
    "unknown_version",
    "unknown_battery",
    "unknown_screen",
)
NEVER_ALLOWED: Final = (
    "file_unsound",
    "digest",
    "signature",
    "product",
    "transport",
    "from_version",
    "status",
    "region",
    "free_space",
    "screen",
    "unknown_transport",
    "unknown_region",
)

BATTERY_FLOOR_PCT: Final = 30  # of firmware; nothing lifts it (dfu.md 9)
# dfu.md 9 for all DFU transports; IDO's own pipe asks for "more than 30 %" (ido.md 11.2)
FIRMWARE_BATTERY_PCT: Final = 50
IDO_FIRMWARE_BATTERY_PCT: Final = 31
IDO_PIPE: Final = "ido-d1"
WEAK_SIGNAL_DBM: Final = -85  # provisional, our own rule: no reference names one


@dataclass(frozen=True, slots=True)
class Objection:
    """What speaks against writing; `name` is stable, `text` one sentence without its point.

    The text ends up in a log: it tells neither the charge of the watch nor where its wearer is.
    `override` tells whether somebody may lift this one by its name.
    """

    name: str
    text: str
    override: bool = False


def preflight(
    watch: WatchFacts,
    file: FileFacts,
    release: Release | None = None,
    signature: Signature = Signature.ABSENT,
    *,
    channel: Channel = Channel.FORMAL,
) -> tuple[Objection, ...]:
    """All that speaks against writing a file to a watch, in the order of the table above.

    Args:
        watch: what is known of the watch.
        file: what is known of the file.
        release: the manifest that names the file; None is an unsigned file.
        signature: what is known of the manifest's signature.
        channel: which releases are wanted.
    """
    return tuple(_all(watch, file, release, signature, channel))


def check_allowed(names: Collection[str]) -> None:
    """Refuse names that `--allow` cannot lift, before anybody connects.

    Raises:
        UsageError: no such objection, or one that nobody may lift.
    """
    known = ", ".join(ALLOWABLE)
    for name in names:
        if name == UNSIGNED:
            raise UsageError("An unsigned file is allowed by an option of its own.", "--unsigned")
        if name in NEVER_ALLOWED:
            raise UsageError(f"The objection {name} cannot be lifted.", f"These can: {known}.")
        if name not in ALLOWABLE:
            raise UsageError(f"There is no objection {name[:40]!r}.", f"Choose from: {known}.")


def refuse(
    objections: Collection[Objection], allowed: Collection[str] = (), *, unsigned: bool = False
) -> tuple[Objection, ...]:
    """Let pass what was allowed by name, and fail where an objection stands.

    Returns:
        The objections that were lifted, for the report.

    Raises:
        UsageError: see `check_allowed`.
        PreflightError: objections stand; it names all of them.
    """
    check_allowed(allowed)
    lifting = {*allowed, UNSIGNED} if unsigned else set(allowed)
    standing = [each for each in objections if not (each.override and each.name in lifting)]
    if standing:
        count = "1 objection" if len(standing) == 1 else f"{len(standing)} objections"
        told = "; ".join(f"{each.name} ({each.text})" for each in standing)
        raise PreflightError(f"Nothing was written. {count}: {told}.", _hint(standing))
    return tuple(objections)


def _hint(standing: Collection[Objection]) -> str:
    """Which options let it pass; where one objection stays anyway, only that."""
    final = list(dict.fromkeys(each.name for each in standing if not each.override))
    if final:
        return f"Nothing lifts {', '.join(final)}."
    names = dict.fromkeys(each.name for each in standing)
    options = ["--unsigned" if name == UNSIGNED else f"--allow {name}" for name in names]
    return f"To write it all the same: {' '.join(options)}"


def _all(
    watch: WatchFacts,
    file: FileFacts,
    release: Release | None,
    signature: Signature,
    channel: Channel,
) -> Iterator[Objection]:
    yield from _of_file(file, release)
    yield from _of_signature(release, signature)
    yield from _of_product(watch, file, release)
    yield from _of_transport(watch, file)
    if file.kind is Kind.FIRMWARE:  # no watch tells the version of a dial
        yield from _of_version(watch, file, release)
    if release is not None:
        yield from _of_offer(watch, release, channel)
    yield from _of_battery(watch, file, release)
    yield from _of_room(watch, file)
    if watch.rssi_dbm is not None and watch.rssi_dbm < WEAK_SIGNAL_DBM:
        text = f"the signal is weak, {watch.rssi_dbm} dBm; below {WEAK_SIGNAL_DBM} dBm links break"
        yield Objection("link_quality", text, override=True)


def _of_file(file: FileFacts, release: Release | None) -> Iterator[Objection]:
    for fault in file.faults:
        yield Objection("file_unsound", f"{file.name}: {fault}")
    if release is None:
        return
    if file.kind is not release.kind:
        text = f"{file.name} is a {file.kind}, the release is one of a {release.kind}"
        yield Objection("file_unsound", text)
    named = next((each for each in release.files if each.name == file.name), None)
    if named is None:
        yield Objection("digest", f"the release names no file {file.name}")
    elif named.size_bytes != file.size_bytes:
        text = f"{file.name} has {file.size_bytes} bytes, the release says {named.size_bytes}"
        yield Objection("digest", text)
    elif named.sha256 != file.sha256:
        yield Objection("digest", f"{file.name} has another SHA-256 than the release says")


def _of_signature(release: Release | None, signature: Signature) -> Iterator[Objection]:
    if release is None:
        yield Objection(UNSIGNED, "no signed release names the file", override=True)
    elif signature is Signature.WRONG:
        yield Objection("signature", "the release is not signed by the key that was given")
    elif signature is Signature.ABSENT:
        yield Objection(UNSIGNED, "the release is not signed", override=True)
    elif signature is Signature.UNCHECKED:
        text = "no public key was given to verify the release with"
        yield Objection(UNSIGNED, text, override=True)


def _of_product(watch: WatchFacts, file: FileFacts, release: Release | None) -> Iterator[Objection]:
    """A dial's own limits are its format and its screen: without a release it names no product."""
    wanted = file.product if release is None else release.watches
    if release is not None and release.model_code is not None:
        fits = None if watch.model_code is None else watch.model_code == release.model_code
    elif wanted:
        fits = None if not watch.product else watch.product.casefold() == wanted.casefold()
    elif file.kind is Kind.DIAL:
        return
    else:
        yield Objection("unknown_product", "the file does not say which watch it is for", True)
        return
    if fits is None:
        yield Objection("unknown_product", f"it is for {wanted}; the watch does not say", True)
    elif not fits:
        yield Objection("product", f"it is for {wanted}, the watch is {_watch_name(watch)}")


def _watch_name(watch: WatchFacts) -> str:
    code = "" if watch.model_code is None else f" (model {watch.model_code})"
    return f"{watch.product or 'one without a name'}{code}"


def _of_transport(watch: WatchFacts, file: FileFacts) -> Iterator[Objection]:
    if file.refusal:
        yield Objection("transport", file.refusal)
        return
    if file.kind is Kind.DIAL:
        takes: str | None = _dial_format_of(watch.family)
        what = "dials"
    else:
        takes = watch.transport
        what = "firmware"
    if takes is None:
        yield Objection("unknown_transport", f"nobody knows how this watch takes {what}")
    elif not takes:
        yield Objection("transport", f"ksos cannot give this watch {what}")
    elif not file.form:
        yield Objection("unknown_transport", "the file does not say by which transport it goes")
    elif file.form != takes:
        yield Objection("transport", f"it goes as {file.form}, the watch takes {what} as {takes}")


def _dial_format_of(family: str) -> str:
    """The format of a family's dials; empty where it has none."""
    forms = {each.name: each.dial_format for each in registry.FAMILIES}
    form = forms.get(family)
    return "" if form is None else form.name


def _of_version(watch: WatchFacts, file: FileFacts, release: Release | None) -> Iterator[Objection]:
    installed = _version(watch.firmware_version)
    new = _version(file.version) if release is None else release.version
    if installed is None or new is None:
        whose = "the watch" if installed is None else "the file"
        text = f"{whose} tells no version that can be compared"
        bound = release is not None and not release.from_versions.any
        yield Objection("unknown_version", text, override=not bound)
        return
    if new <= installed:
        order = "the same as" if new == installed else "older than"
        text = f"version {new} is {order} the installed {installed}"
        yield Objection("version_order", text, override=True)
    if release is not None and not release.from_versions.take(installed):
        text = f"{new} installs over {release.from_versions}, not over {installed}"
        yield Objection("from_version", text)


def _version(text: str | None) -> Version | None:
    try:
        return None if text is None else Version.parse(text)
    except DecodeError:
        return None


def _of_offer(watch: WatchFacts, release: Release, channel: Channel) -> Iterator[Objection]:
    if not channel.takes(release.channel):
        text = f"the release is of the {release.channel} channel, wanted is {channel}"
        yield Objection("channel", text, override=True)
    if release.status is Status.WITHDRAWN:
        yield Objection("status", "the release was withdrawn")
    if release.region is None:
        return
    if watch.region is None:
        text = f"the release has a rule of regions ({release.region}), and yours is not known"
        yield Objection("unknown_region", text)
    elif not release.region.admits(watch.region):
        text = f"the release is for {release.region}, and yours is barred"
        yield Objection("region", text)


def _of_battery(watch: WatchFacts, file: FileFacts, release: Release | None) -> Iterator[Objection]:
    """A dial needs what its release says; firmware also what its transport needs."""
    least_pct = 0 if release is None else release.minimum_battery_pct
    floor_pct = 0
    if file.kind is Kind.FIRMWARE:
        floor_pct = BATTERY_FLOOR_PCT
        of_transport = IDO_FIRMWARE_BATTERY_PCT if file.form == IDO_PIPE else FIRMWARE_BATTERY_PCT
        least_pct = max(least_pct, of_transport)
    if not least_pct:
        return
    if watch.battery_pct is None:
        text = f"the watch does not tell its battery; {least_pct} % are needed"
        yield Objection("unknown_battery", text, override=True)
    elif watch.battery_pct < least_pct:
        charging = ", and is charging" if watch.charging else ""
        liftable = watch.battery_pct >= floor_pct
        has = f"the watch has less than the {least_pct} % that are needed{charging}"
        limit = "" if liftable else f"; below {floor_pct} % nothing lifts this"
        yield Objection("battery", f"{has}{limit}", override=liftable)


def _of_room(watch: WatchFacts, file: FileFacts) -> Iterator[Objection]:
    if watch.free_bytes is not None and file.needed_bytes > watch.free_bytes:
        text = f"{file.name} needs {file.needed_bytes} bytes, the watch has {watch.free_bytes}"
        yield Objection("free_space", text)
    if file.kind is not Kind.DIAL:
        return
    screen = (watch.width_px, watch.height_px)
    size = (file.width_px, file.height_px)
    if None in screen or None in size:
        whose = "watch's screen" if None in screen else "dial"
        text = f"nobody knows the size of the {whose}"
        yield Objection("unknown_screen", text, override=True)
    elif size != screen:
        shown = [f"{width}x{height}" for width, height in (size, screen)]
        yield Objection("screen", f"the dial is {shown[0]} pixels, the screen {shown[1]}")
