"""What a real watch sent, replayed and stored, comes out of the exports as it was stored."""

import csv
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

CAPTURES = Path(os.environ.get("KSOS_CAPTURES") or Path(__file__).parents[3] / "shared/captures")
SYNCS = sorted(CAPTURES.glob("ido/*sync.txt"))


@pytest.mark.skipif(not SYNCS, reason="no captures here; set KSOS_CAPTURES")
def test_a_replayed_capture_exports_what_is_stored(ksos: "CommandLine", tmp_path: Path) -> None:
    for number, file in enumerate(SYNCS):
        home, out = str(tmp_path / f"home{number}"), tmp_path / str(number)
        out.mkdir()
        assert ksos("sync", "--device", f"replay:{file}", KSOS_HOME=home).code == 0
        assert ksos("export", "--format", "csv", "--out", out, KSOS_HOME=home).code == 0
        tables = sorted(out.glob("*.csv"))
        assert tables
        for table in tables:
            with table.open(encoding="utf-8", newline="") as stream:
                rows = list(csv.DictReader(stream))
            first, last = rows[0]["start_local"][:10], rows[-1]["start_local"][:10]
            shown = ksos(
                *("show", table.stem, "--from", first, "--to", last, "--json"), KSOS_HOME=home
            )
            samples = [json.loads(line) for line in shown.out.splitlines()]
            assert [{name: text for name, text in row.items() if text} for row in rows] == [
                {name: str(value) for name, value in sample.items() if name != "metric"}
                for sample in samples
            ]
        made = ksos("export", "--format", "fhir", "--out", out, KSOS_HOME=home)
        assert made.code == 0
        bundle = json.loads((out / "ksos.fhir.json").read_text("utf-8"))
        assert bundle["resourceType"] == "Bundle"
        assert len(bundle["entry"]) > 2
