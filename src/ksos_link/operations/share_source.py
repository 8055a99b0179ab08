"""What leaves passes here: a source of exports that gives out only what was consented to."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from firmware_protocol.samples import METRICS, Metric
from firmware_protocol.settings import Wearer
from ksos_link.export.source import ColumnPage, ColumnSource, ExportDevice, Row, Workout
from ksos_link.operations.export_source import StoreSource
from ksos_link.operations.read_out import Span
from ksos_link.operations.share_consent import WEARER
from ksos_link.store.database import Store
from ksos_link.store.devices import Device
from ksos_link.store.sharing import ShareConsent


class ConsentedSource:
    """See `export.source.ColumnSource`; all that is not in `data` is as if it were not there.

    The parts of a workout are data of their own: without `workout_point` it has no route.
    """

    def __init__(self, source: ColumnSource, data: Collection[str]) -> None:
        self._source = source
        self._data = data

    @property
    def devices(self) -> Sequence[ExportDevice]:
        """See `Source.devices`; the address of a watch stays here, no receiver needs it."""
        return [replace(device, address="") for device in self._source.devices]

    @property
    def wearer(self) -> Wearer | None:
        """See `Source.wearer`."""
        return self._source.wearer if WEARER in self._data else None

    @property
    def metrics(self) -> Sequence[Metric]:
        """See `Source.metrics`."""
        return [metric for metric in self._source.metrics if metric.name in self._data]

    def rows(self, metric: str) -> Iterator[Sequence[Row]]:
        """See `Source.rows`."""
        return self._source.rows(metric) if metric in self._data else iter(())

    def pages(self, metric: str) -> Iterator[ColumnPage]:
        """See `ColumnSource.pages`."""
        return self._source.pages(metric) if metric in self._data else iter(())

    def workouts(self) -> Iterator[Workout]:
        """See `Source.workouts`."""
        if "workout" not in self._data:
            return
        for workout in self._source.workouts():
            yield replace(
                workout,
                heart_rate=workout.heart_rate if "workout_heart_rate" in self._data else (),
                minutes=workout.minutes if "workout_minute" in self._data else (),
                splits=workout.splits if "workout_split" in self._data else (),
                points=workout.points if "workout_point" in self._data else (),
            )

    def utc_offset_s(self, alias: str, utc_s: int) -> int:
        """See `Source.utc_offset_s`."""
        return self._source.utc_offset_s(alias, utc_s)

    def utc_offset_until(self, alias: str, utc_s: int) -> tuple[int, int]:
        """See `ColumnSource.utc_offset_until`."""
        return self._source.utc_offset_until(alias, utc_s)


def consented_source(
    store: Store,
    consent: ShareConsent,
    device: Device | None,
    span: Span,
    names: Collection[str] | None = None,
) -> ConsentedSource:
    """What the store has for a receiver in a stretch of time; of `names` only, where they are."""
    counts = store.counts(device.device_id if device else None)
    metrics = [metric for name, metric in METRICS.items() if counts.get(name)]
    data = [name for name in consent.data if names is None or name in names]
    return ConsentedSource(StoreSource(store, metrics, device, span), data)
