"""The report of a campaign as one JSON object; its fields stand in the manual."""

import json
from dataclasses import asdict

from ksos_link.operations.campaign.outline import Outline, StepRun, WatchRun
from ksos_link.operations.local_time import utc_text
from ksos_link.store.campaigns import Attempt


def report_json(of: Outline) -> str:
    """Write the report."""
    return json.dumps(report_object(of), indent=1)


def report_object(of: Outline) -> dict[str, object]:
    """The report, to be written or printed."""
    head = of.head
    return {
        "title": head.title,
        "state": head.state,
        "passed": of.all_passed,
        "file": head.path,
        "file_sha256": head.sha256,
        "began_utc": utc_text(head.began_utc_s),
        "ended_utc": None if head.ended_utc_s is None else utc_text(head.ended_utc_s),
        "sent_files": [{"file": path, "sha256": one} for path, one in head.files.items()],
        "steps_by_verdict": of.counts,
        "watches": [_watch_object(each) for each in of.watches],
    }


def _watch_object(run: WatchRun) -> dict[str, object]:
    """One watch with its steps."""
    return {
        "watch": run.watch.name,
        "address": run.watch.address,
        "verdict": run.verdict,
        **asdict(run.totals),
        "steps": [_step_object(each) for each in run.steps],
    }


def _step_object(run: StepRun) -> dict[str, object]:
    return {
        "step": run.label,
        "verdict": run.verdict,
        "attempts": [_attempt_object(each) for each in run.attempts],
    }


def _attempt_object(made: Attempt) -> dict[str, object]:
    return {
        "attempt": made.attempt,
        "verdict": made.verdict,
        "message": made.message,
        "began_utc": utc_text(made.began_utc_s),
        "took_s": made.took_s,
        **asdict(made.measured),
    }
