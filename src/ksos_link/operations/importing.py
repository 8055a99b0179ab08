"""What other programs recorded comes into the store: a file whole or not at all, and once only.

A file stands in the store as a device of family `import`, so that each sample names its source.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from io import BufferedReader
from itertools import count
from pathlib import Path
from re import sub
from typing import TYPE_CHECKING, BinaryIO, Final
from unicodedata import normalize

from firmware_protocol.records import FILE_FAMILY
from ksos_link.age.header import SUFFIX, VERSION_LINE, is_sealed
from ksos_link.errors import MalformedError, NotFoundError, UsageError
from ksos_link.imports import ARCHIVE, IMPORTERS, importer_named, recognised
from ksos_link.imports.archive import Archive
from ksos_link.imports.body import raw_record
from ksos_link.imports.importer import HEAD_BYTES, ImportedRecord, Importer, SourceFile
from ksos_link.operations.archive_restore import Restored, look_into_archive, restore_archive
from ksos_link.operations.target import check_alias
from ksos_link.store.database import Store
from ksos_link.store.devices import Device

if TYPE_CHECKING:
    from ksos_link.age.keys import Key

    Unlock = Callable[[], Sequence[Key]]

AUTO: Final = "auto"
_MOST_BASE: Final = 21  # an alias has 40 letters at most, and a number may follow
_MOST_ORIGIN: Final = 15


def no_keys() -> "Sequence[Key]":
    """What opens encrypted files where nobody can be asked.

    Raises:
        UsageError: always.
    """
    raise UsageError("The file is encrypted.", "Name the key with --identity FILE.")


@dataclass(frozen=True, slots=True)
class Imported:
    """What was in a file. `samples` counts what it holds, `gained` what the store had not.

    `alias` is empty for an archive, whose sources have their own.
    """

    path: Path
    form: str
    alias: str
    records: int
    samples: Mapping[str, int]
    gained: Mapping[str, int]
    remarks: tuple[str, ...]


def import_file(
    store: Store,
    path: Path,
    now_utc_s: int,
    *,
    form: str = AUTO,
    alias: str | None = None,
    unlock: "Unlock" = no_keys,
) -> Imported:
    """Put all that a file holds into the store, in one transaction.

    `unlock` gives what opens an encrypted file; it is called where one is.

    Raises:
        NotFoundError: no such file, or nothing in it to keep.
        UsageError: no such format, or the alias cannot be used or belongs to a watch.
        MalformedError: of no format that is known here, or not what its format says.
        StoreError: the store cannot take it.
    """
    with _opened(path, form, unlock) as (importer, source):
        if importer.read is None:
            return _restored(source, alias, lambda archive: restore_archive(store, archive))
        with store.together():

            @cache
            def device_of(origin: str) -> Device:
                return _device(store, importer, alias, origin, now_utc_s)

            def keep(record: ImportedRecord) -> tuple[str, Mapping[str, int]]:
                device = device_of(record.origin)
                return device.alias, _keep(store, device, record, now_utc_s)

            return _read(importer.read(source), importer, path, keep)


def check_there(paths: Sequence[Path]) -> None:
    """See that all files are there, before a store is made for them.

    Raises:
        NotFoundError: one is not.
    """
    for path in paths:
        if not path.exists():
            raise NotFoundError(f"There is no file {path}.", "Check its name.")


def look_into(
    path: Path, *, form: str = AUTO, alias: str | None = None, unlock: "Unlock" = no_keys
) -> Imported:
    """Read a file as `import_file` does, and keep nothing."""
    with _opened(path, form, unlock) as (importer, source):
        if importer.read is None:
            return _restored(source, alias, look_into_archive)
        pieces = importer.read(source)
        return _read(pieces, importer, path, lambda one: (_alias(importer, alias, one.origin), {}))


def _restored(
    source: SourceFile, alias: str | None, take: Callable[[Archive], Restored]
) -> Imported:
    """All of an archive; what is wrong with it is seen before anything is taken."""
    if alias is not None:
        raise UsageError("The sources in an archive have their own names.", "Leave out --as.")
    done = take(Archive(source.stream))
    return Imported(
        source.path, ARCHIVE.name, "", done.records, done.samples, done.gained, done.remarks
    )


def _read(
    pieces: Iterator[ImportedRecord],
    importer: Importer,
    path: Path,
    keep: Callable[[ImportedRecord], tuple[str, Mapping[str, int]]],
) -> Imported:
    records = 0
    aliases: dict[str, None] = {}
    samples: Counter[str] = Counter()
    gained: Counter[str] = Counter()
    remarks: dict[str, None] = {}  # each once, in order
    for record in pieces:
        records += 1
        remarks.update(dict.fromkeys(record.decoded.remarks))
        for series in record.decoded.series:
            samples[series.metric] += len(series)
        alias, new = keep(record)
        aliases[alias] = None
        gained.update(new)
    if not samples:
        raise NotFoundError(
            f"There is nothing in {path.name} that could be kept.", " ".join(remarks)
        )
    return Imported(
        path,
        importer.name,
        ", ".join(aliases),
        records,
        dict(samples),
        dict(gained),
        tuple(remarks),
    )


def _keep(store: Store, device: Device, record: ImportedRecord, now_utc_s: int) -> dict[str, int]:
    clock_id = store.add_clock(device.device_id, record.offsets, record.until_utc_s, None)
    return store.commit_record(
        device.device_id, raw_record(record), record.decoded, (), clock_id, now_utc_s
    )


def _device(
    store: Store, importer: Importer, alias: str | None, origin: str, now_utc_s: int
) -> Device:
    """The source by its first name, which its address keeps, or by the name that it has now."""
    wanted = _alias(importer, alias, origin)
    address = f"{FILE_FAMILY}:{_alias(importer, alias, '').casefold()}"
    if origin:
        address += f"/{sha256(origin.encode()).hexdigest()[:16]}"
    devices = store.devices(forgotten=True)
    for device in devices:
        if address == device.address.casefold():
            return device
        if not origin and device.is_file and device.alias.casefold() == wanted.casefold():
            return device
    taken = {device.alias.casefold() for device in devices}
    if origin and wanted.casefold() in taken:  # two names that read alike
        wanted = next(
            name
            for name in (f"{wanted}-{number}" for number in count(2))
            if name.casefold() not in taken
        )
    return store.add_device(
        alias=wanted,
        address=address,
        family=FILE_FAMILY,
        product=f"{importer.title}: {origin}" if origin else importer.title,
        bound_utc_s=now_utc_s,
    )


def _alias(importer: Importer, alias: str | None, origin: str) -> str:
    """The name of a source: as it is wished, and who recorded it where there are several.

    Raises:
        UsageError: what is wished cannot be a name.
    """
    base = f"imported-{importer.name}" if alias is None else check_alias(alias)
    if not origin:
        return base
    plain = normalize("NFKD", origin).encode("ascii", "ignore").decode().lower()
    letters = sub("[^a-z0-9]+", "-", plain).strip("-") or "source"
    return f"{base[:_MOST_BASE]}-{letters[:_MOST_ORIGIN].rstrip('-')}"


@contextmanager
def _opened(path: Path, form: str, unlock: "Unlock") -> Iterator[tuple[Importer, SourceFile]]:
    try:
        with path.open("rb") as file:
            is_encrypted = is_sealed(file.peek(len(VERSION_LINE)))
            stream = _unsealed(file, unlock) if is_encrypted else file
            head = stream.peek(HEAD_BYTES)[:HEAD_BYTES]
            name = path.name.removesuffix(SUFFIX) if is_encrypted else path.name
            yield _importer(form, head, name), SourceFile(path, stream)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {path}.", "Check its name.") from error
    except IsADirectoryError as error:
        raise UsageError(f"{path} is a folder.", "Name a file.") from error
    except OSError as error:
        raise MalformedError(f"{path} cannot be read.", "Check who owns it.") from error


def _unsealed(file: BinaryIO, unlock: "Unlock") -> BufferedReader:
    from ksos_link.age.sealed import open_sealed

    return open_sealed(file, unlock())


def _importer(form: str, head: bytes, file_name: str) -> Importer:
    names = ", ".join(each.name for each in IMPORTERS)
    if form != AUTO:
        named = importer_named(form)
        if named is None:
            raise UsageError(f"There is no import format named {form}.", f"Choose from: {names}.")
        return named
    found = recognised(head, file_name)
    if found is None:
        raise MalformedError(
            f"{file_name} is of no format that is known here.", f"What can be read: {names}."
        )
    return found
