"""What is known before a file is written: of the watch, and of the file itself."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from firmware_protocol.dials import DialLimits
from firmware_protocol.images import actions_aota, mcuboot
from ksos_link.operations.dial_file import DialFile
from ksos_link.operations.firmware_file import FirmwareFile
from ksos_link.operations.release_manifest import Kind

# formats whose version is the one that the watch tells; Nordic's and Realtek's count by themselves
_TELL_VERSIONS: Final = (mcuboot.FORMAT, actions_aota.FORMAT)
_TOLD_OTHERWISE: Final = ("unsigned", "unsupported")  # the latter is the refusal


@dataclass(frozen=True, slots=True)
class WatchFacts:
    """What is known of a watch; None is not known.

    `transport` is the one by which its firmware is written, empty where none of ours is.
    `free_bytes` is what a file may have at most: the free space, or the largest file where that is
    less. `region` is the wearer's country as an ISO code.
    """

    family: str
    product: str | None = None
    model_code: int | None = None
    firmware_version: str | None = None
    transport: str | None = None
    battery_pct: int | None = None
    charging: bool | None = None
    free_bytes: int | None = None
    width_px: int | None = None
    height_px: int | None = None
    rssi_dbm: int | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a file, none of it from a release.

    `needed_bytes` is what it takes on the watch. `form` is the transport of a firmware, empty where
    it says none, or the format of a dial. `refusal` says why no transport of ours takes it.
    """

    name: str
    kind: Kind
    size_bytes: int
    sha256: str
    needed_bytes: int
    form: str
    faults: tuple[str, ...] = ()
    refusal: str = ""
    product: str = ""
    version: str | None = None
    width_px: int | None = None
    height_px: int | None = None


def facts_of_firmware(file: FirmwareFile) -> FileFacts:
    """What a firmware file says of itself and by the manifest beside it.

    That it carries no signature is no fault of its own: either a release is signed, or the
    objection `unsigned` stands anyway.
    """
    info = file.info
    faults = [
        f"{check.name}: {check.text}"
        for check in file.objections
        if check.name not in _TOLD_OTHERWISE
    ]
    versions = [part.version for part in info.parts if part.version]
    own = versions[0] if versions and info.format in _TELL_VERSIONS else None
    return FileFacts(
        file.path.name,
        Kind.FIRMWARE,
        file.size_bytes,
        file.sha256,
        sum(part.size_bytes for part in info.parts),
        info.transport,
        tuple(faults),
        info.refusal,
        str(info.facts.get("product", "")),
        str(info.facts["version"]) if "version" in info.facts else own,
    )


def facts_of_dial(dial: DialFile, sha256: str, accepted: Collection[str] = ()) -> FileFacts:
    """What a dial says of itself, `accepted` faults by name left aside.

    Raises:
        MalformedError: it is cut or damaged.
    """
    contents = dial.contents()
    faults = [f"{one.name}: {one.text}" for one in dial.objections(DialLimits(), accepted)]
    return FileFacts(
        dial.path.name,
        Kind.DIAL,
        len(dial.data),
        sha256,
        contents.size_bytes,
        dial.format.name,
        tuple(faults),
        width_px=contents.width_px or None,
        height_px=contents.height_px or None,
    )
