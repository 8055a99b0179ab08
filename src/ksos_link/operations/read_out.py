"""Give stored samples back: a stretch of one metric."""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from firmware_protocol.samples import Metric, Value
from ksos_link.errors import UsageError
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


def _midnight_utc_s(day: date) -> int:
    return int(datetime(day.year, day.month, day.day).astimezone().timestamp())
