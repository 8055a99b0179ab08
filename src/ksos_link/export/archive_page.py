"""The page of an archive: what is in it, in words, for a browser without a network."""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from firmware_protocol.samples import METRICS
from ksos_link.export.instants import utc_text

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: CanvasText; background: Canvas; }
table { border-collapse: collapse; width: 100%; margin: 0 0 1.5rem; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid GrayText; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
code { font-family: ui-monospace, monospace; }
"""
_LEFT_OUT: Final = (
    "the keys of the store, and passwords: they are no data of yours",
    "campaigns, and firmware that was about to be written: they are of the watches under test",
    "logs of the program",
)
_FILES: Final = (
    ("data/*.jsonl", "your samples, a file for each metric, one JSON object in each line"),
    ("records.jsonl", "what the watch sent, byte by byte in base64, from which samples were read"),
    ("clocks.jsonl", "what was known of each watch's clock and of your time zone"),
    ("devices.json", "your watches and other sources, and the settings that they were sent"),
    ("wearer.json", "what you said about yourself"),
    ("consents.json", "what you consented to, and when; what was shared with whom"),
    ("manifest.json", "the version of this format, and the SHA-256 of every file"),
)


@dataclass(slots=True)
class MetricFacts:
    """How many samples there are of a metric, and from when to when."""

    samples: int = 0
    first_utc_s: int = 0
    last_utc_s: int = 0

    def note(self, utc_s: int) -> None:
        """Count a sample."""
        if not self.samples:
            self.first_utc_s = self.last_utc_s = utc_s
        self.samples += 1
        self.first_utc_s = min(self.first_utc_s, utc_s)
        self.last_utc_s = max(self.last_utc_s, utc_s)


def index_page(
    documents: Mapping[str, object], counts: Mapping[str, int], facts: Mapping[str, MetricFacts]
) -> str:
    """The page. `counts` says how many lines each list has."""
    devices = cast("Sequence[Mapping[str, Any]]", documents.get("devices.json", ()))
    body = [
        "<h1>Your data</h1>",
        "<p>This is a full copy of what ksos-link keeps of you. It is not encrypted: whoever has"
        " it can read it.</p>",
        "<h2>Bring it back</h2>",
        "<p><code>ksos import FILE.zip</code> puts all of it into a store. A store that has data"
        " already keeps them; nothing is doubled. In an empty one, your consents hold again too."
        "</p>",
        "<h2>Sources</h2>",
        _table(("name", "kind", "family"), [_device_cells(each) for each in devices]),
        "<h2>Samples</h2>",
        _table(
            ("metric", "what it is", "samples", "first", "last"),
            [_metric_cells(name, found) for name, found in facts.items()],
        ),
        "<h2>Files</h2>",
        _table(("file", "what is in it"), _FILES),
        f"<p>Raw records: {counts.get('records.jsonl', 0)}. Times are UTC.</p>",
        "<h2>Not in it</h2>",
        f"<ul>{''.join(f'<li>{html.escape(each)}</li>' for each in _LEFT_OUT)}</ul>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " style-src 'unsafe-inline'\">\n"
        f"<title>Your data</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _device_cells(device: Mapping[str, Any]) -> tuple[object, ...]:
    return device["alias"], device["product"], device["family"]


def _metric_cells(name: str, found: MetricFacts) -> tuple[object, ...]:
    days = (utc_text(each)[:10] for each in (found.first_utc_s, found.last_utc_s))
    return name, METRICS[name].meaning, found.samples, *days


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f"<th>{each}</th>" for each in heads)
    lines = ["".join(map(_cell, row)) for row in rows]
    body = "\n".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table>\n<tr>{head}</tr>\n{body}\n</table>"


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f'<td class="number">{value}</td>'
    return f"<td>{html.escape(str(value))}</td>"
