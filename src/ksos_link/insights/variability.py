"""Variability of the heart rate, from the times between beats and from nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from statistics import stdev
from typing import Final

from ksos_link.insights.figure import Figure, absent

MS: Final = "ms"
_SHORTEST_MS: Final = 300  # 200 beats per minute
_LONGEST_MS: Final = 2000  # 30 beats per minute
_STEP: Final = 0.20
_PAUSE_S: Final = 1.0  # start times are whole seconds: two of them may be off by one
_FEWEST_PAIRS: Final = 30
_SAME_RECORDING_S: Final = 5
_FILLED: Final = 0.95
_SHORT_TERM_MS: Final = 300_000
_ARTEFACTS: Final = "intervals of 300 to 2000 ms that differ by no more than 20 % from the last"


@dataclass(frozen=True, slots=True)
class Beats:
    """Intervals between normal beats, and those that follow each other without a gap.

    `complete` tells whether the intervals fill the time in which they were recorded. Samples begin
    at whole seconds, one a second, so of a faster heart some beats are not there: then nobody knows
    which intervals are neighbours.
    """

    normal_ms: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...]
    rejected: int
    complete: bool = True


def normal_beats(start_utc_s: Sequence[int], rr_ms: Sequence[int]) -> Beats:
    """Leave out what is no normal beat, and note which intervals are neighbours.

    An interval counts where it lasts 300 to 2000 ms and differs by at most 20 % from the one before
    it, accepted or not. Source of the 20 %: Malik, Cripps, Farrell, Camm, "Prognostic value of
    heart rate variability [...] a comparison of different data-processing methods", Med Biol Eng
    Comput 27, 1989. Where time passed that the interval does not fill, a beat is missing: the two
    are no pair.
    """
    normal: list[int] = []
    pairs: list[tuple[int, int]] = []
    last_ms, last_s, last_normal = None, 0, False
    for at, length in zip(start_utc_s, rr_ms, strict=True):
        joined = last_ms is not None and abs(at - last_s - length / 1000) <= _PAUSE_S
        near = last_ms is None or not joined or abs(length - last_ms) <= _STEP * last_ms
        is_normal = _SHORTEST_MS <= length <= _LONGEST_MS and near
        if is_normal:
            normal.append(length)
            if joined and last_normal and last_ms is not None:
                pairs.append((last_ms, length))
        last_ms, last_s, last_normal = length, at, is_normal
    rejected = len(rr_ms) - len(normal)
    return Beats(tuple(normal), tuple(pairs), rejected, _fill_the_time(start_utc_s, rr_ms))


def _fill_the_time(start_utc_s: Sequence[int], rr_ms: Sequence[int]) -> bool:
    passed_s = covered_ms = 0
    for (earlier, later), length in zip(pairwise(start_utc_s), rr_ms[1:], strict=True):
        if later - earlier <= _SAME_RECORDING_S:
            passed_s += later - earlier
            covered_ms += length
    return covered_ms >= _FILLED * passed_s * 1000


def rmssd_ms(beats: Beats) -> Figure:
    """Root of the mean of the squared differences of neighbouring intervals.

    Source: Task Force of the ESC and NASPE, "Heart rate variability", Circulation 93(5), 1996.
    Thirty pairs at least.
    """
    if not beats.complete or len(beats.pairs) < _FEWEST_PAIRS:
        return _too_few(MS, beats)
    squares = [(after - before) ** 2 for before, after in beats.pairs]
    return Figure(sqrt(sum(squares) / len(squares)), MS, len(squares) + 1, method=_ARTEFACTS)


def sdnn_ms(beats: Beats) -> Figure:
    """Standard deviation of the intervals (of a sample: n - 1).

    Source: as `rmssd_ms`; it depends on how long was recorded, so five minutes at least, which the
    Task Force calls a short-term recording.
    """
    if len(beats.normal_ms) < 2 or sum(beats.normal_ms) < _SHORT_TERM_MS:
        reason = "fewer than five minutes of normal beats were recorded"
        return absent(MS, reason, len(beats.normal_ms))
    return Figure(stdev(beats.normal_ms), MS, len(beats.normal_ms), method=_ARTEFACTS)


def pnn50_pct(beats: Beats) -> Figure:
    """What part of the neighbouring intervals differ by more than 50 ms.

    Source: as `rmssd_ms`. Of the pairs, as gaps leave fewer pairs than intervals.
    """
    if not beats.complete or len(beats.pairs) < _FEWEST_PAIRS:
        return _too_few("%", beats)
    wide = sum(abs(after - before) > 50 for before, after in beats.pairs)
    return Figure(100 * wide / len(beats.pairs), "%", len(beats.pairs) + 1, method=_ARTEFACTS)


def _too_few(unit: str, beats: Beats) -> Figure:
    if not beats.normal_ms and not beats.rejected:
        return absent(unit, "no times between beats were recorded")
    reason = f"fewer than {_FEWEST_PAIRS} pairs of neighbouring normal beats"
    if not beats.complete:
        reason = "beats are missing between those that were recorded"
    return absent(unit, reason, len(beats.normal_ms))
