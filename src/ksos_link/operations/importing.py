"""What other programs recorded comes into the store: a file whole or not at all, and once only.

A file stands in the store as a device of family `import`, so that each sample names its source.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firmware_protocol.records import FILE_FAMILY
from ksos_link.errors import MalformedError, NotFoundError, UsageError
from ksos_link.imports import IMPORTERS, importer_named, recognised
from ksos_link.imports.body import raw_record
from ksos_link.imports.importer import HEAD_BYTES, ImportedRecord, Importer, SourceFile
from ksos_link.operations.target import check_alias
from ksos_link.store.database import Store
from ksos_link.store.devices import Device

AUTO: Final = "auto"


@dataclass(frozen=True, slots=True)
class Imported:
    """What was in a file. `samples` counts what it holds, `gained` what the store had not."""

    path: Path
    form: str
    alias: str
    records: int
    samples: Mapping[str, int]
    gained: Mapping[str, int]
    remarks: tuple[str, ...]


def import_file(
    store: Store, path: Path, now_utc_s: int, *, form: str = AUTO, alias: str | None = None
) -> Imported:
    """Put all that a file holds into the store, in one transaction.

    Raises:
        NotFoundError: no such file, or nothing in it to keep.
        UsageError: no such format, or the alias cannot be used or belongs to a watch.
        MalformedError: of no format that is known here, or not what its format says.
        StoreError: the store cannot take it.
    """
    with _opened(path, form) as (importer, source), store.together():
        device = _device(store, importer, alias, now_utc_s)
        return _read(
            importer, source, device.alias, lambda one: _keep(store, device, one, now_utc_s)
        )


def look_into(path: Path, *, form: str = AUTO, alias: str | None = None) -> Imported:
    """Read a file as `import_file` does, and keep nothing."""
    with _opened(path, form) as (importer, source):
        return _read(importer, source, alias or _alias(importer), lambda _: {})


def _read(
    importer: Importer,
    source: SourceFile,
    alias: str,
    keep: Callable[[ImportedRecord], Mapping[str, int]],
) -> Imported:
    records = 0
    samples: Counter[str] = Counter()
    gained: Counter[str] = Counter()
    remarks: dict[str, None] = {}  # each once, in order
    for record in importer.read(source):
        records += 1
        remarks.update(dict.fromkeys(record.decoded.remarks))
        for series in record.decoded.series:
            samples[series.metric] += len(series)
        gained.update(keep(record))
    if not samples:
        raise NotFoundError(
            f"There is nothing in {source.path.name} that could be kept.", " ".join(remarks)
        )
    return Imported(
        source.path, importer.name, alias, records, dict(samples), dict(gained), tuple(remarks)
    )


def _keep(store: Store, device: Device, record: ImportedRecord, now_utc_s: int) -> dict[str, int]:
    clock_id = store.add_clock(device.device_id, record.offsets, record.until_utc_s, None)
    return store.commit_record(
        device.device_id, raw_record(record), record.decoded, (), clock_id, now_utc_s
    )


def _device(store: Store, importer: Importer, alias: str | None, now_utc_s: int) -> Device:
    """The source by its first name, which its address keeps, or by the name that it has now."""
    wanted = _alias(importer) if alias is None else check_alias(alias)
    address = f"{FILE_FAMILY}:{wanted.casefold()}"
    for device in store.devices(forgotten=True):
        if address == device.address.casefold():
            return device
        if device.is_file and device.alias.casefold() == wanted.casefold():
            return device
    return store.add_device(
        alias=wanted,
        address=address,
        family=FILE_FAMILY,
        product=importer.title,
        bound_utc_s=now_utc_s,
    )


def _alias(importer: Importer) -> str:
    return f"imported-{importer.name}"


@contextmanager
def _opened(path: Path, form: str) -> Iterator[tuple[Importer, SourceFile]]:
    try:
        with path.open("rb") as stream:
            head = stream.peek(HEAD_BYTES)[:HEAD_BYTES]
            yield _importer(form, head, path), SourceFile(path, stream)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {path}.", "Check its name.") from error
    except IsADirectoryError as error:
        raise UsageError(f"{path} is a folder.", "Name a file.") from error
    except OSError as error:
        raise MalformedError(f"{path} cannot be read.", "Check who owns it.") from error


def _importer(form: str, head: bytes, path: Path) -> Importer:
    names = ", ".join(each.name for each in IMPORTERS)
    if form != AUTO:
        named = importer_named(form)
        if named is None:
            raise UsageError(f"There is no import format named {form}.", f"Choose from: {names}.")
        return named
    found = recognised(head, path.name)
    if found is None:
        raise MalformedError(
            f"{path.name} is of no format that is known here.", f"What can be read: {names}."
        )
    return found
