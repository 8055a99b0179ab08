"""The report of a campaign as JUnit XML: a suite for each watch, a case for each of its steps.

It keeps to what the readers of JUnit XML have in common (the schema of the Jenkins xUnit plugin): a
case has at most one of `skipped`, `error` and `failure`, and `system-out` stands after it. A step
whose verdict is not in is an error: nobody knows whether it would have passed.
"""

import re
from typing import Final
from xml.etree import ElementTree as Xml

from ksos_link.operations.campaign.outline import SKIPPED, Outline, StepRun, WatchRun
from ksos_link.operations.local_time import utc_text
from ksos_link.store.campaigns import Attempt, Verdict

_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def report_junit(of: Outline) -> str:
    """Write the report."""
    suites = [_suite(watch) for watch in of.watches]
    root = Xml.Element("testsuites", {"name": _clean(of.head.title), **_summed(suites)})
    root.extend(suites)
    Xml.indent(root)
    text = Xml.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _summed(suites: list[Xml.Element]) -> dict[str, str]:
    counts = {
        name: str(sum(int(suite.attrib[name]) for suite in suites))
        for name in ("tests", "failures", "errors", "skipped")
    }
    return counts | {"time": _time(sum(float(suite.attrib["time"]) for suite in suites))}


def _suite(run: WatchRun) -> Xml.Element:
    cases = [_case(run, step) for step in run.steps]
    began = next((utc_text(made.began_utc_s) for made in run.attempts), None)
    suite = Xml.Element(
        "testsuite",
        {
            "name": _clean(run.watch.name),
            "tests": str(len(cases)),
            "failures": _count(cases, "failure"),
            "errors": _count(cases, "error"),
            "skipped": _count(cases, "skipped"),
            "time": _time(run.totals.took_s),
        }
        | ({"timestamp": began.removesuffix("Z")} if began else {}),
    )
    properties = Xml.SubElement(suite, "properties")
    for name, value in _properties(run).items():
        Xml.SubElement(properties, "property", {"name": name, "value": _clean(str(value))})
    suite.extend(cases)
    return suite


def _properties(run: WatchRun) -> dict[str, object]:
    totals = run.totals
    known = {
        "address": run.watch.address,
        "firmware_version": totals.firmware_version,
        "battery_before_pct": totals.battery_before_pct,
        "battery_after_pct": totals.battery_after_pct,
        "rssi_dbm": totals.rssi_dbm,
        "sent_bytes": totals.sent_bytes,
        "repeated_bytes": totals.repeated_bytes,
    }
    return {name: value for name, value in known.items() if value is not None}


def _case(run: WatchRun, step: StepRun) -> Xml.Element:
    case = Xml.Element(
        "testcase",
        {
            "name": _clean(f"{step.number + 1}. {step.label}"),
            "classname": _clean(run.watch.name),
            "time": _time(step.took_s),
        },
    )
    message = _clean(step.last.message) if step.last else ""
    if step.verdict == Verdict.FAILED:
        Xml.SubElement(case, "failure", {"message": message, "type": "failed"}).text = message
    elif step.verdict == SKIPPED:
        Xml.SubElement(case, "skipped", {"message": "It was not begun."})
    elif step.verdict != Verdict.PASSED:
        said = message or f"The step is {step.verdict}."
        Xml.SubElement(case, "error", {"message": said, "type": step.verdict}).text = said
    if len(step.attempts) > 1:
        lines = map(_line, step.attempts)
        Xml.SubElement(case, "system-out").text = _clean("\n".join(lines))
    return case


def _line(made: Attempt) -> str:
    took = "" if made.took_s is None else f" after {made.took_s:.1f} s"
    return f"attempt {made.attempt}: {made.verdict}{took}. {made.message}".rstrip()


def _count(cases: list[Xml.Element], kind: str) -> str:
    return str(sum(case.find(kind) is not None for case in cases))


def _time(seconds: float) -> str:
    return f"{seconds:.3f}"


def _clean(text: str) -> str:
    """Text without the signs that XML cannot hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
