"""Releases: a manifest with its files and its signature, alone or in a folder of them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware_protocol.dials import DialLimits
from firmware_protocol.errors import DecodeError
from firmware_protocol.images import (
    MAX_FILE_BYTES,
    SIDECAR_ENDINGS,
    Check,
    Result,
    Sidecar,
)
from firmware_protocol.images.image import digest_check, verdict
from firmware_protocol.versions import Chain, Offer, Version, chain
from ksos_link.config import is_of_a_store, is_there
from ksos_link.errors import (
    KsosError,
    MalformedError,
    NotFoundError,
    PreflightError,
    StoreError,
    UsageError,
)
from ksos_link.operations.dial_file import open_dial_file
from ksos_link.operations.firmware_file import FirmwareFile, open_firmware_file, read_limited
from ksos_link.operations.release_keys import (
    ReleaseKey,
    Signature,
    check_signature,
    signature_path,
    write_signature,
)
from ksos_link.operations.release_manifest import (
    MANIFEST_ENDINGS,
    MAX_MANIFEST_BYTES,
    Channel,
    Kind,
    Release,
    ReleaseFile,
    Status,
    read_manifest,
)

MOST_MANIFESTS: Final = 1000  # of a folder; the way through them costs their number squared
_MANIFEST_HINT: Final = "Mend the manifest; its fields stand in the manual under Releases."


@dataclass(frozen=True, slots=True)
class OpenedRelease:
    """A manifest that was read, with what is known of its signature.

    `data` are its exact bytes, which are what is signed. `signed_by` is set where it is verified.
    """

    path: Path
    data: bytes
    release: Release
    signature: Signature
    signed_by: ReleaseKey | None

    def path_of(self, file: ReleaseFile) -> Path:
        """Where a file of it lies."""
        return self.path.parent / file.name

    def open_firmware(self, file: ReleaseFile, public_key: Path | None = None) -> FirmwareFile:
        """Read a firmware file of it, the manifest in place of one beside the file.

        Raises:
            NotFoundError, MalformedError, UsageError: see `open_firmware_file`.
        """
        told = self.release
        sidecar = Sidecar(
            told.watches, str(told.version), file.size_bytes, file.sha256, file.transport
        )
        return open_firmware_file(self.path_of(file), public_key, released_as=sidecar)


@dataclass(frozen=True, slots=True)
class Listed:
    """A manifest of a folder: the release, or why there is none (or it is not offered)."""

    path: Path
    opened: OpenedRelease | None
    problem: str = ""


def open_release(path: Path, keys: Sequence[ReleaseKey] = ()) -> OpenedRelease:
    """Read a manifest once, and verify its signature with any of the keys.

    Raises:
        NotFoundError: it cannot be read.
        MalformedError: it is no manifest; all that is wrong with it is told.
    """
    data = read_limited(path, MAX_MANIFEST_BYTES)
    try:
        release = read_manifest(data, path.name)
    except DecodeError as error:
        raise MalformedError(f"{path} is no release manifest: {error}.", _MANIFEST_HINT) from error
    signature, signed_by = check_signature(path, data, keys)
    return OpenedRelease(path, data, release, signature, signed_by)


def check_release(opened: OpenedRelease) -> tuple[Check, ...]:
    """Check a release: its signature, then size, digest and content of each file."""
    return (_signature_check(opened), *check_files(opened))


def check_files(opened: OpenedRelease) -> tuple[Check, ...]:
    """Check the files of a release: size and digest, then what each of them is."""
    return tuple(check for file in opened.release.files for check in _file_checks(opened, file))


def sign_release(path: Path, key: Ed25519PrivateKey, *, force: bool = False) -> Path:
    """Sign a manifest whose files are there and sound; return where the signature lies.

    Raises:
        NotFoundError, MalformedError: see `open_release`.
        UsageError: it is signed already, without `force`, or lies where a store does.
        PreflightError: a file is missing, another one, or unsound.
        StoreError: the signature cannot be written.
    """
    target = signature_path(path)
    if is_of_a_store(target):
        raise UsageError("That file belongs to the store.", "Give the manifest another name.")
    if not force and is_there(target):
        raise UsageError(f"{target} is there already.", "Replace the signature: --force")
    opened = open_release(path)
    failed = [check for check in check_files(opened) if check.result is Result.FAILED]
    if failed:
        told = ", ".join(dict.fromkeys(f"{check.name} of {check.part}" for check in failed))
        raise PreflightError(
            f"Nothing was signed; its files are not as they should be: {told}.",
            "`ksos firmware check` and `ksos dial check` say more; sizes and digests stand in "
            "`ksos firmware info`.",
        )
    return write_signature(path, opened.data, key)


def _signature_check(opened: OpenedRelease) -> Check:
    name = opened.path.name
    if opened.signed_by is not None:
        text = f"Ed25519, by {opened.signed_by.path.name} {opened.signed_by.fingerprint[:16]}"
        return Check("signature", Result.PASSED, text, name)
    if opened.signature is Signature.ABSENT:
        return Check("unsigned", Result.FAILED, "no signature lies beside it", name)
    if opened.signature is Signature.UNCHECKED:
        return Check("signature", Result.SKIPPED, "no public key was given", name)
    return Check("signature", Result.FAILED, "not signed by a key that was given", name)


def _file_checks(opened: OpenedRelease, file: ReleaseFile) -> Iterator[Check]:
    path = opened.path_of(file)
    try:
        data = read_limited(path, MAX_FILE_BYTES)
    except KsosError as error:
        yield Check("missing", Result.FAILED, str(error), file.name)
        return
    size = f"{len(data)} bytes"
    objection = f"{size}, the manifest says {file.size_bytes}"
    yield verdict("size", len(data) == file.size_bytes, size, objection, file.name)
    yield digest_check("sha256", data, bytes.fromhex(file.sha256), file.name)
    del data  # the readers take it anew, and it may be large
    try:
        yield from _content_checks(opened, file)
    except KsosError as error:
        yield Check("unreadable", Result.FAILED, str(error), file.name)


def _content_checks(opened: OpenedRelease, file: ReleaseFile) -> Iterator[Check]:
    if opened.release.kind is Kind.DIAL:
        found = open_dial_file(opened.path_of(file)).objections(DialLimits())
        for one in found:
            yield Check(one.name, Result.FAILED, one.text, file.name)
        if not found:
            yield Check("dial", Result.PASSED, "nothing speaks against it", file.name)
        return
    info = opened.open_firmware(file).info
    if not info.transport and not info.refusal:
        text = "of no known format, and the manifest names no transport for it"
        yield Check("transport", Result.FAILED, text, file.name)
    for check in info.checks:
        if check.part != "sidecar" or check.name == "transport":  # size and digest stand above
            part = file.name if check.part in ("", "sidecar") else f"{file.name}: {check.part}"
            # the signature of the release stands for the one that the file itself may lack
            result = Result.ADVICE if check.name == "unsigned" else check.result
            yield Check(check.name, result, check.text, part)


# ---- a folder of releases


def list_releases(folder: Path, keys: Sequence[ReleaseKey] = ()) -> list[Listed]:
    """All manifests of a folder in the order of their names; manifests of single files left out.

    What is broken is listed with its reason: a manifest that cannot be read, a signature that does
    not fit, a file that is missing or of another size, two releases of one version.

    Raises:
        NotFoundError: there is no such folder.
        StoreError: it cannot be looked at.
        UsageError: it holds more manifests than anybody has.
    """
    try:
        paths = sorted(islice(_manifests(folder), MOST_MANIFESTS + 1))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"There is no folder {folder}.", "Check its name.") from error
    except OSError as error:
        raise StoreError(
            f"The folder {folder} cannot be looked at.", "Check its rights."
        ) from error
    if len(paths) > MOST_MANIFESTS:
        raise UsageError(f"{folder} holds more than {MOST_MANIFESTS} manifests.", "Divide it.")
    listed = [_listed(path, keys) for path in paths]
    counts = Counter(_identity(each) for each in listed)
    return [
        Listed(each.path, each.opened, each.problem or "another manifest has the same version")
        if each.opened is not None and counts[_identity(each)] > 1
        else each
        for each in listed
    ]


def _manifests(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.suffix.lower() in MANIFEST_ENDINGS and not _is_sidecar(path):
            yield path


def _is_sidecar(path: Path) -> bool:
    """Whether it is the manifest of one firmware file, which lies beside it."""
    return path.suffix in SIDECAR_ENDINGS and path.with_suffix("").is_file()


def _listed(path: Path, keys: Sequence[ReleaseKey]) -> Listed:
    try:
        opened = open_release(path, keys)
    except KsosError as error:
        fault = error.__cause__ if isinstance(error.__cause__, DecodeError) else None
        return Listed(path, None, f"no release manifest: {fault}" if fault else str(error))
    if opened.signature is Signature.WRONG:
        return Listed(path, opened, "its signature does not fit")
    if keys and opened.signature is Signature.ABSENT:
        return Listed(path, opened, "it is not signed")
    for file in opened.release.files:
        try:
            size_bytes = opened.path_of(file).stat().st_size
        except OSError:
            return Listed(path, opened, f"{file.name} is missing")
        if size_bytes != file.size_bytes:
            return Listed(path, opened, f"{file.name} has another size")
    return Listed(path, opened)


def _identity(listed: Listed) -> tuple[object, ...] | None:
    if listed.opened is None:
        return None
    release = listed.opened.release
    return (_watches_key(release), release.kind, release.version)


def _watches_key(release: Release) -> str | int:
    """What tells for which watches a release is: as in `Release`."""
    return release.product.casefold() if release.model_code is None else release.model_code


def is_for(release: Release, product: str) -> bool:
    """Whether a release is for watches that somebody named, by product or by model code."""
    code = "" if release.model_code is None else str(release.model_code)
    return product.casefold() in (release.product.casefold(), code)


def way_to_newest(
    listed: Sequence[Listed], installed: Version, channel: Channel
) -> Chain[OpenedRelease]:
    """What to install of a folder's firmware, one after the other (domain 6.1 rule 4).

    Only active releases that the channel takes, and nothing that has a problem.

    Raises:
        UsageError: the releases are for several kinds of watches.
    """
    offers = [
        Offer(opened, release.version, release.forced, release.from_versions.take)
        for each in listed
        if (opened := each.opened) is not None and not each.problem
        if (release := opened.release).kind is Kind.FIRMWARE
        if release.status is Status.ACTIVE and channel.takes(release.channel)
    ]
    kinds = {_watches_key(offer.release.release): offer.release.release for offer in offers}
    if len(kinds) > 1:
        names = ", ".join(sorted(each.product or str(each.model_code) for each in kinds.values()))
        raise UsageError(
            "The releases are for several products.", f"Name one with --product: {names}."
        )
    return chain(installed, offers)
