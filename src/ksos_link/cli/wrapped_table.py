"""Tables with sentences in them: on a terminal the widest columns are wrapped until all fits."""

import sys
import textwrap
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Final

from ksos_link.cli.render import GAP, cell_text, print_line, print_table, terminal_columns

_LEAST: Final = 12  # letters: a narrower column reads badly


def print_wrapped_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table as `print_table` does, but wrap its cells where it is too wide."""
    texts = [[cell_text(cell) for cell in row] for row in rows]
    cells = list(zip(columns, *texts, strict=True))
    widths = [max(map(len, column)) for column in cells]
    sentences = [any(" " in text for text in column[1:]) for column in cells]
    narrow = _narrowed(widths, sentences, terminal_columns() - len(GAP) * (len(columns) - 1))
    if not sys.stdout.isatty() or narrow == widths or not narrow:
        print_table(columns, texts)
        return
    widths = narrow
    for row in (columns, ["─" * width for width in widths], *texts):
        parts = [
            textwrap.wrap(text, width) or [""] for text, width in zip(row, widths, strict=True)
        ]
        for line in zip_longest(*parts, fillvalue=""):
            padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
            print_line(GAP.join(padded).rstrip())


def _narrowed(widths: Sequence[int], sentences: Sequence[bool], room: int) -> list[int]:
    """Take from the widest that hold sentences until all fit; nothing where they cannot."""
    narrow = list(widths)
    while sum(narrow) > room:
        widest = max(
            (width for width, wraps in zip(narrow, sentences, strict=True) if wraps), default=0
        )
        if widest <= _LEAST:
            return []
        narrow[next(i for i, width in enumerate(narrow) if width == widest and sentences[i])] -= 1
    return narrow
