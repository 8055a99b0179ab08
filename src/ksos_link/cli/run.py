"""From arguments to an exit code: every failure one plain message, a hint, and its code."""

import asyncio
import os
import sys
from collections.abc import Coroutine, Sequence
from typing import Any, Final, TypeVar

from ksos_link.errors import KsosError

Result = TypeVar("Result")
GLOBAL_WITH_VALUE: Final = ("--device", "--home", "--timeout-s")
GLOBAL_SWITCHES: Final = ("--quiet", "--verbose")
BUG: Final = 1
INTERRUPTED: Final = 130


def run_command_line(arguments: Sequence[str]) -> int:
    """Run `ksos` with arguments; return the exit code. Never raises, never shows a traceback.

    Only `--verbose` shows the traceback of our own bugs.
    """
    ordered = hoist_global_options(arguments)
    try:
        from typer.main import get_command

        from ksos_link.cli.main import app

        get_command(app).main(args=ordered, prog_name="ksos")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except KsosError as error:
        return _tell(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _reader_gone()
    except Exception as error:  # noqa: BLE001 the last line of defence: a bug must not look like one of the person's
        return _tell_bug(error, verbose="--verbose" in arguments)
    return 0


def hoist_global_options(arguments: Sequence[str]) -> list[str]:
    """Move the options that every command shares to the front, where the root reads them."""
    front: list[str] = []
    rest: list[str] = []
    items = iter(arguments)
    for item in items:
        if item == "--":
            rest += [item, *items]
        elif item in GLOBAL_SWITCHES or item.startswith(tuple(f"{n}=" for n in GLOBAL_WITH_VALUE)):
            front.append(item)
        elif item in GLOBAL_WITH_VALUE:
            front += [item, *([value] if (value := next(items, None)) is not None else [])]
        else:
            rest.append(item)
    return front + rest


def run(job: Coroutine[Any, Any, Result]) -> Result:
    """Run a command's asynchronous part."""
    return asyncio.run(job)


def _tell(error: KsosError) -> int:
    sys.stderr.write(f"error: {error}\n")
    if error.hint:
        sys.stderr.write(f"hint: {error.hint}\n")
    return error.exit_code


def _tell_bug(error: Exception, *, verbose: bool) -> int:
    sys.stderr.write(
        f"error: something in ksos itself is wrong ({type(error).__name__}).\n"
        "hint: Your data are safe. Run again with --verbose and report what it prints.\n"
    )
    if verbose:
        import traceback

        from ksos_link.redaction import mask

        sys.stderr.write(mask("".join(traceback.format_exception(error))))
    return BUG


def _reader_gone() -> int:
    """The reader of our output left (`| head`): no error, and nothing more to say."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    return 0
