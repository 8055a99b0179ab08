"""A report as one JSON object: SI units and local times; its fields stand in the manual."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from ksos_link.insights.figure import Figure
from ksos_link.insights.medals import Award
from ksos_link.operations.cycle import CycleDays
from ksos_link.operations.report.model import (
    RECKONING,
    Chart,
    Line,
    Report,
    Ring,
    Section,
    WorkoutLine,
    notices,
)

VERSION: Final = 1


def report_json(of: Report) -> str:
    """Write the report."""
    return json.dumps(_document(of), ensure_ascii=False, separators=(",", ":")) + "\n"


def _document(of: Report) -> dict[str, Any]:
    medals = None if of.medals is None else [_award(one) for one in of.medals]
    return {
        "format": "ksos-report",
        "version": VERSION,
        "kind": of.period.kind.value,
        "first_day": of.period.first.isoformat(),
        "last_day": of.period.last.isoformat(),
        "devices": list(of.devices),
        "read_until_local": _instant(of.read_until),
        "notices": list(notices(of)),
        "goals": [_ring(ring) for ring in of.rings],
        "sections": {section.name: _section(section) for section in of.sections},
        "workouts": [_workout(one) for one in of.workouts],
        "medals": medals,
        "cycle": None if of.cycle is None else _cycle(of.cycle),
        "missing": [
            {
                "start_local": _instant(one.start),
                "end_local": _instant(one.end),
                "reason": str(one.reason),
            }
            for one in of.missing
        ],
    }


def _figure(figure: Figure) -> dict[str, Any]:
    found: dict[str, Any] = {
        "value": figure.value,
        "unit": figure.unit,
        "readings": figure.readings,
    }
    if figure.reason is not None:
        found["reason"] = str(figure.reason)
    if figure.method is not None:
        found["method"] = figure.method
    return found


def _figures(figures: Mapping[str, Figure]) -> dict[str, Any]:
    return {name: _figure(figure) for name, figure in figures.items()}


def _section(section: Section) -> dict[str, Any]:
    return {
        "title": section.title,
        "figures": {line.name: _line(line) for line in section.lines},
        "charts": [_chart(chart) for chart in section.charts],
    }


def _line(line: Line) -> dict[str, Any]:
    found = {"title": line.title, **_figure(line.figure)}
    if line.total is not None:
        found["total"] = _figure(line.total)
    if line.days is not None:
        found["days"] = line.days
    for name, figure, on in (
        ("least", line.least, line.least_on),
        ("most", line.most, line.most_on),
    ):
        if figure is not None and on is not None:
            found[name] = {"value": figure.value, "day": on.isoformat()}
    if line.change is not None:
        found["change"] = {
            "difference": _figure(line.change.difference),
            "percent": line.change.percent.value,
        }
    return found


def _ring(ring: Ring) -> dict[str, Any]:
    return {
        "name": ring.name,
        "title": ring.title,
        "goal": ring.goal,
        "reached": _figure(ring.reached),
        "share": _figure(ring.share),
        "reached_days": ring.reached_days,
        "days": ring.days,
    }


def _workout(one: WorkoutLine) -> dict[str, Any]:
    of = one.summary
    return {
        "device": of.device,
        "sport": of.sport,
        "title": one.title,
        "start_local": _instant(one.start),
        "duration_s": of.duration_s,
        "figures": _figures(of.figures),
        "splits": [
            {"distance_m": split.distance_m, "duration_s": split.duration_s} for split in of.splits
        ],
    }


def _award(award: Award) -> dict[str, Any]:
    return {
        "medal": award.medal.medal_id,
        "title": award.medal.title,
        "group": award.medal.group,
        "day": award.on.isoformat(),
        "value": award.value,
    }


def _cycle(days: CycleDays) -> dict[str, str]:
    found = {field.name: getattr(days, field.name).isoformat() for field in fields(days)}
    return found | {"notice": RECKONING}


def _chart(chart: Chart) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": type(chart).__name__.lower()}
    for field in fields(chart):
        found[field.name] = _plain(getattr(chart, field.name))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(one) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
