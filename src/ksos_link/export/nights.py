"""Nights and naps: the watch's summaries with the stages that lie in them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from heapq import merge
from typing import Final

from firmware_protocol.samples import Quality, SleepStage, Value
from ksos_link.export.readings import readings
from ksos_link.export.source import Source, named

_ALONE_AFTER_S: Final = 3600  # stages this far apart without a summary are two sleeps


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of sleep, `stage` as metric `sleep` has it."""

    start_utc_s: int
    end_utc_s: int
    stage: int
    quality: Quality


@dataclass(slots=True)
class Night:
    """One sleep. `summary` holds the fields of metric `sleep_summary`, None where there is none."""

    alias: str
    start_utc_s: int
    end_utc_s: int
    summary: dict[str, Value] | None = None
    stages: list[Stage] = field(default_factory=list)

    @property
    def quality(self) -> Quality:
        """The least sure of what it is made of."""
        own = [] if self.summary is None else [Quality(int(self.summary["quality"] or 0))]
        return max((*own, *(stage.quality for stage in self.stages)))

    @property
    def stages_asleep_s(self) -> int:
        """Seconds asleep as the stages add up."""
        asleep = (stage for stage in self.stages if stage.stage != SleepStage.AWAKE)
        return sum(stage.end_utc_s - stage.start_utc_s for stage in asleep)


def asleep_min(summary: Mapping[str, Value]) -> int:
    """Minutes asleep as the watch sums a night up."""
    return sum(int(summary[f"{part}_min"] or 0) for part in ("light", "deep", "rem"))


def nights(source: Source) -> Iterator[Night]:
    """All nights and naps, device by device and in order of time.

    A stage belongs to the summary in which it begins; stages without one are nights of their own.
    """
    places = {device.alias: place for place, device in enumerate(source.devices)}
    current: Night | None = None
    pieces = merge(
        _summaries(source),
        _stages(source),
        key=lambda piece: (places[piece.alias], piece.start_utc_s),
    )
    for piece in pieces:
        if current is None:
            current = piece
        elif _belong_together(current, piece):
            current.summary = current.summary or piece.summary
            current.stages.extend(piece.stages)
            current.end_utc_s = max(current.end_utc_s, piece.end_utc_s)
        else:
            yield current
            current = piece
    if current is not None:
        yield current


def _belong_together(night: Night, piece: Night) -> bool:
    if night.alias != piece.alias or (night.summary is not None and piece.summary is not None):
        return False
    alone = night.summary is None and piece.summary is None
    return piece.start_utc_s - night.end_utc_s < (_ALONE_AFTER_S if alone else 0)


def _summaries(source: Source) -> Iterator[Night]:
    for rows in readings(source, "sleep_summary"):
        for row in rows:
            values = named("sleep_summary", row)
            start_utc_s = int(values["start_utc_s"] or 0)
            end_utc_s = start_utc_s + int(values["duration_s"] or 0)
            yield Night(str(values["device"]), start_utc_s, end_utc_s, values)


def _stages(source: Source) -> Iterator[Night]:
    """Each stage as a night of its own."""
    for rows in readings(source, "sleep"):
        for alias, *numbers in rows:
            start_utc_s, duration_s, stage, quality = (int(number or 0) for number in numbers)
            end_utc_s = start_utc_s + duration_s
            one = Stage(start_utc_s, end_utc_s, stage, Quality(quality))
            yield Night(str(alias), start_utc_s, end_utc_s, None, [one])
