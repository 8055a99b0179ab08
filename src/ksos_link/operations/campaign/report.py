"""The three files of a report, each written whole or not at all, and again at any time."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from ksos_link.config import create_folder
from ksos_link.errors import KsosError, StoreError
from ksos_link.export.target import open_target
from ksos_link.operations.campaign.outline import Outline
from ksos_link.operations.campaign.report_html import report_html
from ksos_link.operations.campaign.report_json import report_json
from ksos_link.operations.campaign.report_junit import report_junit

_FILES: Final[Mapping[str, Callable[[Outline], str]]] = {
    "report.json": report_json,
    "junit.xml": report_junit,
    "report.html": report_html,
}


def write_report(of: Outline, folder: Path) -> list[Path]:
    """Write the report into a folder, made where it is not there; return its files.

    Raises:
        StoreError: the folder cannot be made or written, or the disk is full. The verdicts are
            safe in the store.
    """
    try:
        create_folder(folder)
        for name, write in _FILES.items():
            with open_target(folder / name) as file:
                file.write(write(of))
    except KsosError as error:
        raise StoreError(
            f"The report cannot be written: {error}",
            "The verdicts are safe in the store. Make room, then: ksos campaign report FILE",
        ) from error
    return [folder / name for name in _FILES]
