"""The whole program over the real BlueZ: scan, pair with a bond, sync over a lost link, export."""

import json
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ksos_link.virtual_watch.scenarios import open_virtual_watch

pytestmark = pytest.mark.bluez
ADDRESS = "F9:24:12:00:00:01"


def ksos(home: Path, *arguments: str) -> list[dict[str, Any]]:
    """Run the program as a person's shell does; give its JSON lines."""
    done = subprocess.run(
        [sys.executable, "-m", "ksos_link", *arguments],
        env={**os.environ, "KSOS_HOME": str(home), "KSOS_KEY_FILE": str(home / "secret")},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_pair_sync_and_resume_over_bluez(put_on_air: Any, tmp_path: Path) -> None:
    session, identity = open_virtual_watch(
        "ido",
        {"scenario": "short", "bound": "no", "fault": "lose@30"},
        now=datetime.now().astimezone(),
        now_s=time.monotonic(),
    )
    watch = put_on_air(session, identity)

    paired = ksos(tmp_path, "watch", "pair", ADDRESS, "--alias", "band", "--bond", "--json")
    assert (paired[0]["alias"], paired[0]["product"]) == ("band", "Band 8")
    assert watch.device_property("Bonded") is True

    report = ksos(tmp_path, "sync", "--device", "band", "--json")[-1]
    assert report["event"] == "done"
    assert report["links"] == 2, "the link was to be lost once, and made again"
    assert {"heart_rate", "steps", "sleep", "stress", "battery"} <= report["samples"].keys()

    again = ksos(tmp_path, "sync", "--device", "band", "--json")[-1]
    assert again["samples"].keys() <= {"battery"}, "nothing may come twice"
    shown = ksos(tmp_path, "show", "heart_rate", "--json")
    assert len(shown) == report["samples"]["heart_rate"]
