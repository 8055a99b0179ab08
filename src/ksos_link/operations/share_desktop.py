"""Hand a file or folder to the desktop, which opens it with the program that the person chose."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

_WAIT_S: Final = 10.0


def show_on_desktop(path: Path) -> bool:
    """Open it; whether a desktop took it. A program that stays open with it has taken it."""
    if sys.platform == "win32":
        try:
            os.startfile(path)  # noqa: S606 a path of the person's own
        except OSError:
            return False
        return True
    opener = "open" if sys.platform == "darwin" else "xdg-open"
    try:
        process = subprocess.Popen(
            [opener, str(path.absolute())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return False
    try:
        return process.wait(_WAIT_S) == 0
    except subprocess.TimeoutExpired:
        return True
