"""`ksos` and `python -m ksos_link`."""

import io
import os
import sys
from collections.abc import Sequence

from ksos_link import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code (architecture.md, Command line)."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    _mend_streams()
    if arguments in (["--version"], ["-V"]):  # answered before anything slow is imported
        sys.stdout.write(f"ksos {__version__}\n")
        return 0
    from ksos_link.cli.run import run_command_line

    return run_command_line(arguments)


def _mend_streams() -> None:
    """Have two streams that take any text: closed ones, and terminals that lack a letter."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 for the whole run
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


if __name__ == "__main__":
    sys.exit(main())
