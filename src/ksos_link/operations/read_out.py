"""Give stored samples back: a stretch of one metric, and whole exports."""

import contextlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TextIO

from firmware_protocol.samples import METRICS, Metric, Value
from ksos_link.errors import NotFoundError, UsageError
from ksos_link.export import FORMATS, Format
from ksos_link.export.target import target_path
from ksos_link.store.database import Store
from ksos_link.store.devices import Device
from ksos_link.store.samples import known_metric

Rows = Generator[list[tuple[Value, ...]], None, None]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, the end exclusive; None is open."""

    start_utc_s: int | None = None
    end_utc_s: int | None = None


def span_of_days(first: date | None, last: date | None) -> Span:
    """The local days from `first` to `last`, both whole; a day of 23 or 25 hours too.

    Raises:
        UsageError: the days are the wrong way round, or out of range.
    """
    if first and last and first > last:
        raise UsageError("The first day comes after the last one.", "Swap --from and --to.")
    try:
        return Span(
            None if first is None else _midnight_utc_s(first),
            None if last is None else _midnight_utc_s(last + timedelta(days=1)),
        )
    except (ValueError, OverflowError) as error:  # near the ends of what a calendar can say
        raise UsageError("That day is out of range.", "Leave the day out for all days.") from error


def newest_day(store: Store, metric: str, device: Device | None) -> date | None:
    """The local day of the newest sample of a metric, or None where there is none."""
    devices = [device] if device else store.devices(forgotten=True)
    newest = [row for each in devices if (row := store.latest(metric, each.device_id))]
    if not newest:
        return None
    place = known_metric(metric).row_names.index("start_utc_s")
    return local_day(max(int(str(row[place])) for row in newest))


def local_day(utc_s: int) -> date:
    """The day on this machine's calendar."""
    return datetime.fromtimestamp(utc_s, UTC).astimezone().date()


def read(store: Store, metric: str, device: Device | None, span: Span) -> tuple[Metric, Rows]:
    """Stored samples of one metric in order of time, in lists of rows.

    Raises:
        NotFoundError: there is no such metric.
    """
    rows = store.read(
        known_metric(metric).name,
        device_id=device.device_id if device else None,
        start_utc_s=span.start_utc_s,
        end_utc_s=span.end_utc_s,
    )
    return known_metric(metric), rows


@dataclass(frozen=True, slots=True)
class Exported:
    """One written file, or one stretch of a stream."""

    metric: str
    rows: int
    path: Path | None


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
) -> Iterator[Exported]:
    """Write one file per metric, or all to a stream. Without names, every metric that has data.

    Raises:
        NotFoundError: no such metric or folder, or nothing to export.
        UsageError: several metrics into one file.
    """
    wanted = _wanted(store, metrics, device)
    several = len(wanted) > 1
    if isinstance(out, Path) and several and not out.is_dir():
        if not out.exists():
            raise NotFoundError(f"There is no folder {out}.", "Make it first.")
        raise UsageError("Several metrics need a folder.", f"{out} is a file; name a folder.")
    if not isinstance(out, Path) and several and form.name == "csv":
        raise UsageError("CSV holds one metric.", "Choose one with --metric, or --out FOLDER.")
    for name in wanted:
        metric, rows = read(store, name, device, span)
        path = target_path(out, name, form.suffix) if isinstance(out, Path) else None
        with contextlib.closing(rows):
            count = form.write(rows, metric, path or out)
        yield Exported(name, count, path)


def _wanted(store: Store, metrics: Iterable[str], device: Device | None) -> list[str]:
    chosen = [known_metric(name).name for name in metrics]
    if not chosen:
        counts = store.counts(device.device_id if device else None)
        chosen = [name for name in METRICS if counts.get(name)]
    if not chosen:
        raise NotFoundError("There is nothing to export yet.", "Fetch data first: ksos sync")
    return chosen


def _midnight_utc_s(day: date) -> int:
    return int(datetime(day.year, day.month, day.day).astimezone().timestamp())
