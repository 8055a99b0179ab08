"""Workouts to Strava: one file each, with a name of its own by which a repeat is refused."""

import contextlib
import io
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ksos_link.errors import KsosError, NotFoundError, PolicyError, RefusedError, UsageError
from ksos_link.export.format import WorkoutFormat
from ksos_link.export.source import Source, Workout
from ksos_link.operations.exporting import format_named
from ksos_link.operations.share_consent import STRAVA
from ksos_link.operations.share_ledger import (
    ALREADY_THERE,
    BEGUN,
    REFUSED,
    SENT,
    UNKNOWN,
)
from ksos_link.operations.share_strava_link import StravaLink, plain_failures
from ksos_link.operations.share_strava_sports import strava_sport
from ksos_link.store.database import Store
from ksos_link.store.sharing import ShareConsent

if TYPE_CHECKING:
    from stravalib.client import ActivityUploader

FORMATS: Final = ("fit", "tcx", "gpx")  # what Strava takes
_TAKEN_AS: Final = re.compile(r"duplicate of\D*(?:activity\D*|activities/)?(\d+)", re.IGNORECASE)
_MOST_WORDS: Final = 200


@dataclass(frozen=True, slots=True)
class StravaPace:
    """How often, and how long at most, Strava is asked whether it is done with a file."""

    poll_s: float = 1.0  # it asks for no less
    most_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What became of one workout. `outcome` is a word of the ledger."""

    item: str
    sport_type: str
    outcome: str
    activity_id: int | None = None
    remark: str = ""


def strava_format(name: str) -> WorkoutFormat:
    """A format that Strava takes.

    Raises:
        UsageError: it takes no such files.
    """
    form = format_named(name) if name in FORMATS else None
    if not isinstance(form, WorkoutFormat):
        raise UsageError("Strava takes no such files.", f"Choose from: {', '.join(FORMATS)}.")
    return form


def upload_workouts(
    store: Store,
    consent: ShareConsent,
    source: Source,
    form: WorkoutFormat,
    link: StravaLink,
    *,
    again: bool = False,
    pace: StravaPace | None = None,
) -> Iterator[Uploaded]:
    """Send the workouts of a source, one by one; what went before is not sent again.

    `source` gives out only what was consented to; `again` asks Strava even for what went before,
    which refuses what it still has.

    Raises:
        NotFoundError: there are no workouts, or Strava is out of reach.
        KsosError: Strava takes nothing; what was told before is there.
    """
    workouts = source.workouts()
    first = next(workouts, None)
    if first is None:
        raise NotFoundError(
            "There are no workouts in that time.", "See: ksos show workout; fetch: ksos sync"
        )
    for workout in (first, *workouts):
        item, sport = external_id(workout), strava_sport(workout.sport)
        lack = form.lacks(workout)
        if lack is not None:
            yield Uploaded(item, sport.sport_type, REFUSED, remark=f"left out: {lack}")
        elif not again and {SENT, ALREADY_THERE} & set(store.share_outcomes(STRAVA, item)):
            yield Uploaded(item, sport.sport_type, ALREADY_THERE, remark="it went before")
        else:
            yield _upload(store, consent, source, form, link, workout, pace or StravaPace())


def external_id(workout: Workout) -> str:
    """The name that one workout keeps for ever; it tells no more than the file does."""
    start = datetime.fromtimestamp(workout.start_utc_s, UTC)
    return f"ksos-{start:%Y%m%dT%H%M%SZ}-{workout.sport}"


def _upload(
    store: Store,
    consent: ShareConsent,
    source: Source,
    form: WorkoutFormat,
    link: StravaLink,
    workout: Workout,
    pace: StravaPace,
) -> Uploaded:
    """Send one, with a line in the ledger before and after."""
    item = external_id(workout)
    file = _file_of(source, form, workout)
    number = store.begin_share(STRAVA, consent.data, item, int(time.time()), BEGUN)
    result = Uploaded(item, strava_sport(workout.sport).sport_type, UNKNOWN)
    try:
        result = _send(link, form, workout, file, pace)
    except (PolicyError, RefusedError):  # after any other failure it may have arrived
        result = Uploaded(item, result.sport_type, REFUSED)
        raise
    finally:
        samples = _samples(workout) if result.outcome in (SENT, UNKNOWN) else 0
        store.end_share(number, result.outcome, samples)
    return result


def _send(
    link: StravaLink, form: WorkoutFormat, workout: Workout, file: bytes, pace: StravaPace
) -> Uploaded:
    from stravalib.exc import ActivityUploadFailed, CreatedActivityDeleted

    item, sport = external_id(workout), strava_sport(workout.sport)
    with plain_failures():
        try:
            upload = link.client.upload_activity(
                io.BytesIO(file),
                form.name,  # type: ignore[arg-type]  # one of those that it knows: FORMATS
                name=sport.title,
                external_id=item,
                trainer=sport.trainer,
            )
            if upload.upload_id is None:
                return _refusal(item, sport.sport_type, str(upload.status))
            _wait(upload, pace)
        except CreatedActivityDeleted:
            return Uploaded(item, sport.sport_type, REFUSED, remark="you deleted it there")
        except ActivityUploadFailed as error:
            return _refusal(item, sport.sport_type, str(error))
    if upload.activity_id is None:
        remark = "Strava has the file and still works on it"
        return Uploaded(item, sport.sport_type, UNKNOWN, remark=remark)
    remark = _set_type(link, int(upload.activity_id), sport.sport_type)
    return Uploaded(item, sport.sport_type, SENT, int(upload.activity_id), remark)


def _wait(upload: "ActivityUploader", pace: StravaPace) -> None:
    until = time.monotonic() + pace.most_s
    while upload.is_processing and time.monotonic() < until:
        time.sleep(pace.poll_s)
        upload.poll()


def _set_type(link: StravaLink, activity_id: int, sport_type: str) -> str:
    """The file has the sport by FIT's numbers or by no word at all: say the exact one.

    Returns a remark where that did not work: the workout is there all the same.
    """
    from stravalib.exc import Fault

    with contextlib.suppress(Fault, KsosError), plain_failures():
        link.client.update_activity(activity_id, sport_type=sport_type)
        return ""
    return f"its kind could not be set: choose {sport_type} there"


def _refusal(item: str, sport_type: str, words: str) -> Uploaded:
    """What Strava says against a file: that it has it, or something else, in its own words."""
    found = _TAKEN_AS.search(words)
    if found or "duplicate" in words.lower():
        number = int(found[1]) if found else None
        return Uploaded(item, sport_type, ALREADY_THERE, number, "Strava has it already")
    plain = "".join(sign if sign.isprintable() else " " for sign in words)
    return Uploaded(item, sport_type, REFUSED, remark=plain[:_MOST_WORDS])


def _file_of(source: Source, form: WorkoutFormat, workout: Workout) -> bytes:
    """The workout's file, in memory: it never lies on the disk."""
    raw = io.BytesIO()
    text = io.TextIOWrapper(raw, "utf-8", newline="")
    form.write(source, workout, text)
    text.flush()
    return raw.getvalue()


def _samples(workout: Workout) -> int:
    parts = (workout.heart_rate, workout.minutes, workout.splits, workout.points)
    return 1 + sum(map(len, parts))
