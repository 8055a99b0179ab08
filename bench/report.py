"""How every bench reports: a small table for people, then one line of JSON."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One measure. `ratio` is against the floor of the same run, None where there is no floor.

    `ok` is None where the figure is only reported.
    """

    what: str
    figure: str
    ratio: float | None = None
    target: str = ""
    ok: bool | None = None

    @property
    def verdict(self) -> str:
        return {None: "", True: "reached", False: "MISSED"}[self.ok]


def at_least(what: str, figure: str, ratio: float, target: float) -> Row:
    return Row(what, figure, round(ratio, 2), f">= {target} x", ratio >= target)


def at_most(what: str, figure: str, ratio: float, target: float) -> Row:
    return Row(what, figure, round(ratio, 2), f"<= {target} x", ratio <= target)


def below(what: str, figure: str, value: float, limit: float, unit: str) -> Row:
    return Row(what, figure, None, f"<= {limit:g} {unit}", value <= limit)


def print_table(rows: list[Row]) -> None:
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f} x"
        print(f"  {row.what:<42} {row.figure:<40} {ratio:>9}  {row.target:<10} {row.verdict}")


def finish(bench: str, rows: list[Row], **figures: object) -> None:
    """Print the table, and all of it again as JSON on the last line."""
    print_table(rows)
    print(json.dumps({"bench": bench, "rows": [asdict(row) for row in rows], **figures}))


def rows_from(result: dict[str, list[dict[str, object]]]) -> list[Row]:
    """The rows of a line of JSON."""
    return [Row(**row) for row in result["rows"]]  # type: ignore[arg-type]  # what asdict wrote
