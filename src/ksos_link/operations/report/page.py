"""A report as one page that needs nothing else: no script, no font, no network; it prints, too."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from ksos_link.insights.calendar import Kind
from ksos_link.operations.report.charts import figure, ring
from ksos_link.operations.report.facts import (
    by_sport,
    cycle_facts,
    missing_text,
    not_measured,
    workout_facts,
)
from ksos_link.operations.report.markup import Markup, tag, together
from ksos_link.operations.report.model import (
    RECKONING,
    Line,
    Report,
    Ring,
    Section,
    WorkoutLine,
    notices,
)
from ksos_link.operations.report.route import route
from ksos_link.operations.report.words import (
    BEFORE,
    SAME,
    Words,
    award_text,
    counted,
    day_text,
    period_title,
)

_FIRST: Final = ("steps", "asleep_min", "resting_bpm", "spo2_mean_pct", "stress_mean_score")


def report_page(of: Report) -> str:
    """Write the report."""
    words = Words(of.units)
    title = period_title(of.period)
    style = (files("ksos_link.operations.report") / "page.css").read_text("utf-8")
    head = tag(
        "head",
        None,
        tag("meta", {"charset": "utf-8"}),
        tag("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        tag("meta", {"name": "color-scheme", "content": "light dark"}),
        tag("title", None, f"{title} – ksos report"),
        tag("style", None, Markup(style)),
    )
    body = tag("body", None, _header(of, title, words), _main(of, words), _footer(of))
    return f"<!doctype html>\n{tag('html', {'lang': 'en'}, head, body)}\n"


def _header(of: Report, title: str, words: Words) -> Markup:
    names = together(_separated([tag("bdi", None, name) for name in of.devices]))
    read = "never read"
    if of.read_until is not None:
        read = f"read until {day_text(of.read_until.date())}, {words.time(of.read_until)}"
    return tag(
        "header",
        None,
        tag("h1", None, title),
        tag("p", {"class": "soft"}, names or "no watch with samples", f"; {read}"),
    )


def _main(of: Report, words: Words) -> Markup:
    sections = [
        _section(section, of, words)
        for section in of.sections
        if any(line.figure.value is not None for line in section.lines)
    ]
    return tag(
        "main",
        None,
        _glance(of, words),
        _goals(of, words),
        *sections,
        _medals(of),
        _cycle(of),
        _missing(of, words),
    )


def _glance(of: Report, words: Words) -> Markup | None:
    """What one looks for first, in large."""
    lines = {line.name: line for line in of.lines}
    cards = []
    for name in _FIRST:
        line = lines[name]
        if line.figure.value is None:
            continue
        change = words.change(line)
        against = f"{change} to the {BEFORE[of.period.kind]}" if change else ""
        if change == SAME:
            against = f"as the {BEFORE[of.period.kind]}"
        each = "" if of.period.kind is Kind.DAY else ", mean of a day"
        cards.append(
            tag(
                "div",
                {"class": "card"},
                tag("dt", None, f"{line.title}{each}"),
                tag("dd", None, words.figure(line.figure)),
                tag("dd", {"class": "soft"}, against),
            )
        )
    if not cards:
        return tag("p", {"class": "empty"}, "Nothing was measured in this time.")
    return tag("section", {"aria-label": "At a glance"}, tag("dl", {"class": "glance"}, *cards))


def _goals(of: Report, words: Words) -> Markup | None:
    if not of.rings:
        return None
    rings = [_ring(one, of, words) for one in of.rings]
    return _titled("goals", "Goals", tag("div", {"class": "rings"}, *rings))


def _ring(one: Ring, of: Report, words: Words) -> Markup:
    goal = words.value(one.goal, one.reached.unit)
    if one.share.value is None:
        return tag(
            "div", None, tag("h3", None, one.title), tag("p", {"class": "soft"}, one.share.reason)
        )
    said = f"{words.figure(one.reached)} of {goal}"
    if of.period.kind is not Kind.DAY:
        said += f" a day; reached on {one.reached_days} of {counted(one.days, 'day')}"
    label = f"{one.title}: {one.share.value:.0f} % of the goal"
    return tag(
        "div",
        None,
        ring(one.share.value, label),
        tag("h3", None, one.title),
        tag("p", {"class": "soft"}, said),
    )


def _section(section: Section, of: Report, words: Words) -> Markup:
    rows = [_row(line, of, words) for line in section.lines if line.figure.value is not None]
    heads = ("", "value" if of.period.kind is Kind.DAY else "a day", "change")
    head = tag(
        "tr",
        None,
        *(tag("th", {"scope": "col"}, name) if name else tag("td", None) for name in heads),
    )
    caption = tag(
        "caption", {"class": "unseen"}, f"{section.title}, changes to the {BEFORE[of.period.kind]}"
    )
    table = tag(
        "table", {"class": "lines"}, caption, tag("thead", None, head), tag("tbody", None, *rows)
    )
    absent = [
        tag("p", {"class": "soft"}, f"Not known: {'; '.join(titles)} – {reason}.")
        for reason, titles in section.absent.items()
    ]
    charts = [figure(chart, words) for chart in section.charts]
    return _titled(
        section.name,
        section.title,
        tag("div", {"class": "charts"}, *charts) if charts else None,
        table,
        *absent,
        _workouts(of, words) if section.name == "workouts" else None,
    )


def _row(line: Line, of: Report, words: Words) -> Markup:
    below = [counted(line.figure.readings, "reading")]
    if line.total is not None and line.total.value is not None:
        below.insert(0, f"{words.figure(line.total)} in all")
    if line.least is not None and line.most is not None and (line.days or 0) > 1:
        least, most = (words.figure(one, clock=line.clock) for one in (line.least, line.most))
        below.append(f"each day {least}" if least == most else f"{least} to {most}")
    value = words.figure(line.figure, clock=line.clock)
    if line.whole and of.period.kind is not Kind.DAY:
        value = f"{value} in all" if line.adds else value
    return tag(
        "tr",
        None,
        tag(
            "th",
            {"scope": "row"},
            tag("span", {"class": "title"}, line.title),
            tag("span", {"class": "soft"}, " ", ", ".join(below)),
        ),
        tag("td", None, value),
        tag("td", {"class": "soft"}, words.change(line)),
    )


def _workouts(of: Report, words: Words) -> Markup | None:
    if of.period.kind is Kind.YEAR:
        rows = [
            (
                title,
                f"{count:,}",
                words.value(minutes, "min"),
                words.value(metres, "m") if metres else "–",
            )
            for title, count, minutes, metres in by_sport(of)
        ]
        return _table("Sports", ("sport", "times", "time", "distance"), rows)
    return together(_workout(one, of, words) for one in of.workouts)


def _workout(one: WorkoutLine, of: Report, words: Words) -> Markup:
    begin = words.time(one.start)
    if of.period.kind is not Kind.DAY:
        begin = f"{day_text(one.start.date())}, {begin}"
    facts = [words.value(one.summary.duration_s / 60, "min"), *workout_facts(one, words)]
    splits = way = None
    if of.period.kind in (Kind.DAY, Kind.WEEK):
        way = route(one.summary.track, f"{one.title}, {begin}", words)
    if of.period.kind in (Kind.DAY, Kind.WEEK) and one.summary.splits:
        rows = [
            (str(number), words.value(split.distance_m, "m"), words.figure(split.pace))
            for number, split in enumerate(one.summary.splits, 1)
        ]
        table = _table(f"Splits of {one.title}, {begin}", ("split", "distance", "pace"), rows)
        splits = tag("details", None, tag("summary", None, f"{len(rows)} splits"), table)
    return tag(
        "article",
        {"class": "workout"},
        tag("h3", None, tag("bdi", None, one.title), tag("span", {"class": "soft"}, f" {begin}")),
        tag("p", None, ", ".join(facts)),
        splits,
        way,
    )


def _medals(of: Report) -> Markup | None:
    if not of.medals:
        return None
    items = [tag("li", None, award_text(award)) for award in of.medals]
    return _titled("medals", "Medals", tag("ul", {"class": "medals"}, *items))


def _cycle(of: Report) -> Markup | None:
    if of.cycle is None:
        return None
    facts = [
        tag("div", None, tag("dt", None, name), tag("dd", None, when))
        for name, when in cycle_facts(of)
    ]
    return _titled(
        "cycle",
        "Cycle",
        tag("dl", {"class": "facts"}, *facts),
        tag("p", {"class": "soft"}, RECKONING),
    )


def _missing(of: Report, words: Words) -> Markup | None:
    absent = [
        tag("li", None, f"{', '.join(titles)}: {reason}")
        for reason, titles in not_measured(of).items()
    ]
    gaps = [tag("li", None, f"{missing_text(one, of, words)}: {one.reason}") for one in of.missing]
    if not (absent or gaps):
        return None
    return _titled(
        "missing",
        "What is missing, and why",
        tag("h3", None, "Not measured") if absent else None,
        tag("ul", None, *absent) if absent else None,
        tag("h3", None, "Time without readings") if gaps else None,
        tag("ul", None, *gaps) if gaps else None,
    )


def _footer(of: Report) -> Markup:
    said = [tag("p", None, notice) for notice in notices(of)]
    return tag("footer", None, *said, tag("p", {"class": "soft"}, "Made by ksos on this machine."))


def _titled(name: str, title: str, *inside: Markup | None) -> Markup:
    heading = tag("h2", {"id": name}, title)
    return tag("section", {"aria-labelledby": name}, heading, *inside)


def _table(caption: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Markup:
    head = tag("tr", None, *(tag("th", {"scope": "col"}, name) for name in heads))
    body = [
        tag(
            "tr",
            None,
            tag("th", {"scope": "row"}, tag("bdi", None, first)),
            *(tag("td", None, cell) for cell in cells),
        )
        for first, *cells in rows
    ]
    return tag(
        "table",
        {"class": "values"},
        tag("caption", {"class": "unseen"}, caption),
        tag("thead", None, head),
        tag("tbody", None, *body),
    )


def _separated(parts: list[Markup]) -> list[Markup]:
    """With commas between."""
    found: list[Markup] = []
    for part in parts:
        found += [Markup(", "), part] if found else [part]
    return found
