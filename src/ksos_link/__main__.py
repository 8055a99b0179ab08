"""`ksos` and `python -m ksos_link`."""

import sys
from collections.abc import Sequence

from ksos_link import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code (architecture.md, Command line)."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments in (["--version"], ["-V"]):  # answered before anything slow is imported
        sys.stdout.write(f"ksos {__version__}\n")
        return 0
    from ksos_link.cli.run import run_command_line

    return run_command_line(arguments)


if __name__ == "__main__":
    sys.exit(main())
