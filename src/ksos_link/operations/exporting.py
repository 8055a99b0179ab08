"""Whole exports: the chosen samples in one format, to files that are there whole or not at all."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from firmware_protocol.samples import METRICS, Metric
from ksos_link.errors import NotFoundError, UsageError
from ksos_link.export import (
    FORMATS,
    ArchiveFormat,
    DocumentFormat,
    FolderFormat,
    Format,
    TableFormat,
    WorkoutFormat,
)
from ksos_link.export.format import under_seal
from ksos_link.export.source import ColumnSource, Source, Workout
from ksos_link.export.target import open_folder, sealed_path, target_path
from ksos_link.operations.archive_source import StoreArchive
from ksos_link.operations.export_source import StoreSource
from ksos_link.operations.read_out import Span
from ksos_link.store.database import Store
from ksos_link.store.devices import Device
from ksos_link.store.samples import known_metric

if TYPE_CHECKING:
    from ksos_link.age.sealed import Sealing


@dataclass(frozen=True, slots=True)
class Exported:
    """One written file or folder, or one stretch of a stream. `metric` is None where it has many.

    `rows` counts the samples in it. `left_out` says what the format has no place for.
    """

    metric: str | None
    rows: int
    path: Path | None
    left_out: str = ""


def format_named(name: str) -> Format:
    """The export format of that name.

    Raises:
        UsageError: there is none.
    """
    for known in FORMATS:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in FORMATS)
    raise UsageError(f"There is no export format named {name}.", f"Choose from: {names}.")


def export(
    store: Store,
    form: Format,
    metrics: Sequence[str],
    device: Device | None,
    span: Span,
    out: Path | TextIO,
    sealing: "Sealing | None" = None,
) -> Iterator[Exported]:
    """Write the samples of a stretch of time. Without names, every metric that has any.

    With `sealing` each file is encrypted; of a folder, each file in it.

    Raises:
        NotFoundError: no such metric or folder, or nothing to export; no workout for a format of
            workouts.
        UsageError: several files into one file or stream; a part of an archive.
    """
    if sealing is not None:
        for written in export(store, under_seal(form, sealing), metrics, device, span, out):
            if written.path is None or isinstance(form, FolderFormat):
                yield written
            else:
                yield replace(written, path=sealed_path(written.path))
        return
    if isinstance(form, ArchiveFormat):
        if metrics or device or span != Span():
            raise UsageError("An archive is always of everything.", "Leave out what chooses.")
        with store.reading():
            counts = form.write(StoreArchive(store), _file(out, f"ksos{form.suffix}"))
        yield Exported(None, sum(counts.values()), _path(out, f"ksos{form.suffix}"))
        return
    yield from write_out(
        StoreSource(store, _wanted(store, metrics, device), device, span), form, out
    )


def write_out(source: ColumnSource, form: Format, out: Path | TextIO) -> Iterator[Exported]:
    """Write what a source gives.

    Raises:
        NotFoundError, UsageError: see `export`.
    """
    match form:
        case TableFormat():
            yield from _tables(source, form, out)
        case DocumentFormat():
            counts = form.write(source, _file(out, f"ksos{form.suffix}"))
            yield Exported(None, sum(counts.values()), _path(out, f"ksos{form.suffix}"))
        case FolderFormat():
            if not isinstance(out, Path):
                raise UsageError(f"{form.name} makes a folder.", "Name it with --out FOLDER.")
            target = out / form.name if out.is_dir() else out
            with open_folder(target) as folder:
                counts = form.write(source, folder)
            yield Exported(None, sum(counts.values()), target)
        case WorkoutFormat():
            yield from _workouts(source, form, out)
        case ArchiveFormat():
            raise UsageError("An archive is always of everything.", "See: ksos export --formats")


def _tables(source: ColumnSource, form: TableFormat, out: Path | TextIO) -> Iterator[Exported]:
    several = len(source.metrics) > 1
    if several:
        _check_folder(out, "Several metrics need a folder.")
    if not isinstance(out, Path) and several and not form.streams:
        raise UsageError(
            f"{form.name} holds one metric.", "Choose one with --metric, or --out FOLDER."
        )
    for metric in source.metrics:
        path = target_path(out, metric.name, form.suffix) if isinstance(out, Path) else None
        count = form.write(source, metric, path or out)
        yield Exported(metric.name, count, path)


def _workouts(source: Source, form: WorkoutFormat, out: Path | TextIO) -> Iterator[Exported]:
    """One file for each; the first two are looked at before anything is written."""
    left_out: Counter[str] = Counter()
    workouts = _with_place(source, form, left_out)
    first, second = next(workouts, None), next(workouts, None)
    if first is None:
        raise NotFoundError(
            f"No workout can be written as {form.name}: {'; '.join(left_out)}."
            if left_out
            else "There are no workouts in that time.",
            "See: ksos show workout; fetch: ksos sync",
        )
    if second is not None and not (isinstance(out, Path) and out.is_dir()):
        _check_folder(out, "Several workouts need a folder.")
        raise UsageError(
            "There are several workouts.", "Name a folder with --out, or fewer days with --from."
        )
    taken: Counter[str] = Counter()
    for workout in (first, *(() if second is None else (second,)), *workouts):
        name = workout_name(workout)
        taken[name] += 1  # when clocks go back, an hour has its names twice
        if taken[name] > 1:
            name = f"{name}-{taken[name]}"
        path = target_path(out, name, form.suffix) if isinstance(out, Path) else None
        form.write(source, workout, path or out)
        yield Exported("workout", 1, path)
    for why, count in left_out.items():
        yield Exported("workout", 0, None, f"{count} left out: {why}.")


def _with_place(source: Source, form: WorkoutFormat, left_out: Counter[str]) -> Iterator[Workout]:
    """The workouts that the format can hold; counts the others by what they lack."""
    for workout in source.workouts():
        lack = form.lacks(workout)
        if lack is None:
            yield workout
        else:
            left_out[lack] += 1


def workout_name(workout: Workout) -> str:
    """By the watch, the local start and the sport; a sport of no name keeps its code."""
    local = datetime.fromtimestamp(workout.start_utc_s + workout.utc_offset_s, UTC)
    return f"{workout.alias}-{local:%Y-%m-%d-%H%M%S}-{workout.sport}"


def _check_folder(out: Path | TextIO, why: str) -> None:
    if isinstance(out, Path) and not out.is_dir():
        if not out.exists():
            raise NotFoundError(f"There is no folder {out}.", "Make it first.")
        raise UsageError(why, f"{out} is a file; name a folder.")


def _file(out: Path | TextIO, name: str) -> Path | TextIO:
    return out / name if isinstance(out, Path) and out.is_dir() else out


def _path(out: Path | TextIO, name: str) -> Path | None:
    file = _file(out, name)
    return file if isinstance(file, Path) else None


def _wanted(store: Store, metrics: Sequence[str], device: Device | None) -> list[Metric]:
    chosen = [known_metric(name) for name in metrics]
    if not chosen:
        counts = store.counts(device.device_id if device else None)
        chosen = [metric for name, metric in METRICS.items() if counts.get(name)]
    if not chosen:
        raise NotFoundError("There is nothing to export yet.", "Fetch data first: ksos sync")
    return chosen
