"""The report of a campaign as one page that needs nothing else: no script, no font, no network."""

from html import escape
from typing import Final

from ksos_link.operations.campaign.outline import Outline, StepRun, WatchRun
from ksos_link.operations.local_time import utc_text
from ksos_link.store.campaigns import Verdict

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #d5dae0;
  --soft: #5b6570; --good: #1a7f37; --bad: #b3261e; --open: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --paper: #14171a; --line: #343a41;
  --soft: #9aa4ae; --good: #57c477; --bad: #ff8a80; --open: #e3b341; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .3rem 0; color: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: left;
  white-space: nowrap; vertical-align: top; }
td.say { white-space: normal; min-width: 16rem; } th { color: var(--soft); font-weight: 600; }
td.number, th.number { text-align: right; }
.passed { color: var(--good); } .failed { color: var(--bad); }
.open { color: var(--open); } .verdict { font-weight: 600; }
@media print { body { margin: 0; max-width: none; } }
"""
_COLUMNS: Final = (
    *("watch", "verdict", "steps", "time", "sent", "rate", "repeated", "links", "signal"),
    *("battery", "firmware"),
)
_TEXT_COLUMNS: Final = ("watch", "verdict", "firmware")
_NUMBER: Final = ' class="number"'
_NOT_KNOWN: Final = "-"


def report_html(of: Outline) -> str:
    """Write the report."""
    head = of.head
    ended = "not ended" if head.ended_utc_s is None else f"ended {_when(head.ended_utc_s)}"
    counts = ", ".join(f"{count} {verdict}" for verdict, count in of.counts.items())
    title = escape(head.title)
    verdict = "passed" if of.all_passed else "not passed"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}: {verdict}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{title}: <span class="{_class(verdict)}">{verdict}</span></h1>\n'
        f"<p>Began {_when(head.began_utc_s)}, {ended}; the campaign is {head.state}.</p>\n"
        f"<p>{len(of.watches)} watches, steps: {counts}.</p>\n"
        f"{_watches(of)}{_troubles(of)}{_files(of)}</body>\n</html>\n"
    )


def _watches(of: Outline) -> str:
    heads = "".join(
        f"<th{'' if name in _TEXT_COLUMNS else _NUMBER}>{name}</th>" for name in _COLUMNS
    )
    rows = "".join(map(_watch_row, of.watches))
    return (
        f'<h2>Watches</h2>\n<div class="wide"><table>\n<thead><tr>{heads}</tr></thead>\n'
        f"<tbody>\n{rows}</tbody>\n</table></div>\n"
    )


def _watch_row(run: WatchRun) -> str:
    totals = run.totals
    passed = sum(step.verdict == Verdict.PASSED for step in run.steps)
    rate = totals.rate_bytes_per_s
    battery = f"{_known(totals.battery_before_pct)} to {_known(totals.battery_after_pct)} %"
    has_battery = totals.battery_before_pct is not None
    numbers = (
        f"{passed} of {len(run.steps)}",
        f"{totals.took_s:.1f} s",
        _size(totals.sent_bytes),
        _NOT_KNOWN if rate is None else f"{rate / 1000:.1f} kB/s",
        _size(totals.repeated_bytes),
        _known(totals.links),
        _NOT_KNOWN if totals.rssi_dbm is None else f"{totals.rssi_dbm} dBm",
        battery if has_battery else _NOT_KNOWN,
    )
    cells = "".join(f"<td{_NUMBER}>{text}</td>" for text in numbers)
    name = escape(run.watch.name)
    where = f' title="{escape(run.watch.address)}"'
    version = escape(_known(totals.firmware_version))
    return f"<tr><td{where}>{name}</td>{_verdict(run.verdict)}{cells}<td>{version}</td></tr>\n"


def _troubles(of: Outline) -> str:
    """Every step that did not pass at its first attempt."""
    rows = [
        _trouble_row(run, step)
        for run in of.watches
        for step in run.steps
        if step.attempts and (step.verdict != Verdict.PASSED or len(step.attempts) > 1)
    ]
    if not rows:
        return ""
    return (
        '<h2>What did not go smoothly</h2>\n<div class="wide"><table>\n<thead><tr><th>watch</th>'
        "<th>step</th><th>verdict</th><th>attempts</th></tr></thead>\n"
        f"<tbody>\n{''.join(rows)}</tbody>\n</table></div>\n"
    )


def _trouble_row(run: WatchRun, step: StepRun) -> str:
    said = "<br>".join(
        escape(f"{made.attempt}: {made.verdict}. {made.message}".strip()) for made in step.attempts
    )
    return (
        f"<tr><td>{escape(run.watch.name)}</td><td>{step.number + 1}. {escape(step.label)}</td>"
        f'{_verdict(step.verdict)}<td class="say">{said}</td></tr>\n'
    )


def _files(of: Outline) -> str:
    rows = "".join(
        f"<tr><td>{escape(path)}</td><td>{digest}</td></tr>\n"
        for path, digest in of.head.files.items()
    )
    if not rows:
        return ""
    return (
        '<h2>Files</h2>\n<div class="wide"><table>\n'
        "<thead><tr><th>file</th><th>SHA-256</th></tr></thead>\n"
        f"<tbody>\n{rows}</tbody>\n</table></div>\n"
    )


def _verdict(verdict: str) -> str:
    return f'<td class="verdict {_class(verdict)}">{verdict}</td>'


def _class(verdict: str) -> str:
    if verdict == Verdict.PASSED:
        return "passed"
    return "failed" if verdict in (Verdict.FAILED, "not passed") else "open"


def _when(utc_s: int) -> str:
    return utc_text(utc_s).replace("T", " ").replace("Z", " UTC")


def _known(value: object) -> str:
    return _NOT_KNOWN if value is None else str(value)


def _size(size_bytes: int | None) -> str:
    return _NOT_KNOWN if size_bytes is None else f"{size_bytes / 1000:.1f} kB"
