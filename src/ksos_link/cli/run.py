"""From arguments to an exit code: every failure one plain message, a hint, and its code."""

import contextlib
import os
import sys
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, Final, TypeVar

from ksos_link.cli.invocation import log_line
from ksos_link.errors import (
    BluetoothError,
    KsosError,
    MalformedError,
    NotFoundError,
    RefusedError,
    StoreError,
    UsageError,
)

Result = TypeVar("Result")
GLOBAL_WITH_VALUE: Final = ("--device", "--home", "--timeout-s", "--record")
GLOBAL_SWITCHES: Final = ("--quiet", "--verbose")
BUG: Final = 1
INTERRUPTED: Final = 130
COMPLETION: Final = "_KSOS_COMPLETE"  # set by the shell's completion
_HINTS: Final[dict[type[KsosError], str]] = {
    UsageError: "See: ksos --help",
    NotFoundError: "`ksos watch list` names your watches, `ksos show --help` the metrics.",
    BluetoothError: "Run `ksos doctor`: it names what is missing and the command that mends it.",
    MalformedError: "What was stored before is safe. Try again; if it stays, please report it.",
    RefusedError: "If another phone has the watch, unbind it there or reset the watch; "
    "then: ksos watch pair ADDRESS",
    StoreError: "`ksos store check` says whether the store is sound.",
}


def run_command_line(arguments: Sequence[str]) -> int:
    """Run `ksos` with arguments; return the exit code. Never raises, never shows a traceback.

    Only `--verbose` shows the traceback of our own bugs.
    """
    with contextlib.ExitStack() as at_end:
        try:
            code = _called(hoist_global_options(arguments), at_end)
            if sys.stdout is not None:
                sys.stdout.flush()  # here a failure can still be told
        except KsosError as error:
            code = _tell(error)
        except KeyboardInterrupt as error:
            said = str(error) or "Nothing is lost; it is safe to run this again."
            sys.stderr.write(f"\nInterrupted. {said}\n")
            code = INTERRUPTED
        except BrokenPipeError:
            code = 0  # the reader of our output left (`| head`): no error, nothing more to say
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            code = _tell(StoreError(f"The system refused: {reason}.", "Is the disk full?"))
        except Exception as error:  # noqa: BLE001 the last line of defence: a bug must not look like one of the person's
            code = _tell_bug(
                error, verbose="--verbose" in arguments or "KSOS_VERBOSE" in os.environ
            )
        _let_go_of_output()
        log_line("ksos", f"ends with exit code {code}")
    return code


def hoist_global_options(arguments: Sequence[str]) -> list[str]:
    """Move the options that every command shares to the front, where the root reads them.

    Raises:
        UsageError: one of them lacks its value.
    """
    front: list[str] = []
    rest: list[str] = []
    items = iter(arguments)
    for item in items:
        if item == "--":
            rest += [item, *items]
        elif item in GLOBAL_SWITCHES or item.startswith(tuple(f"{n}=" for n in GLOBAL_WITH_VALUE)):
            front.append(item)
        elif item in GLOBAL_WITH_VALUE:
            front += [item, _value_of(item, items)]
        else:
            rest.append(item)
    return front + rest


def _value_of(option: str, items: Iterator[str]) -> str:
    value = next(items, None)
    if value is None:
        raise UsageError(f"{option} needs a value.", "See: ksos --help")
    return value


def run(job: Coroutine[Any, Any, Result]) -> Result:
    """Run a command's asynchronous part."""
    import asyncio  # a third of what a command on the store alone costs

    from ksos_link.logbook import silence_libraries

    silence_libraries()
    return asyncio.run(job)


def _called(arguments: Sequence[str], at_end: contextlib.ExitStack) -> int:
    """Call the command. Not through typer's `main`, which takes a lost reader for a failure."""
    import typer
    from typer.main import get_command

    from ksos_link.cli.command import read_values_plainly
    from ksos_link.cli.main import app

    command = get_command(app)
    read_values_plainly(command)
    try:
        if COMPLETION in os.environ:
            command.main(args=list(arguments), prog_name="ksos")
        with command.make_context("ksos", list(arguments), obj=at_end) as ctx:
            command.invoke(ctx)
    except typer.Exit as ended:
        return ended.exit_code
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except (typer.Abort, EOFError) as error:
        raise KeyboardInterrupt from error
    except typer.TyperException as error:
        return _tell_usage(error)
    return 0


def _tell_usage(error: Any) -> int:  # what typer raises for a wrong usage has no public type
    message = error.format_message()
    if message.startswith("Usage:"):  # no arguments at all: the help itself
        sys.stderr.write(f"{message}\n")
        return UsageError.exit_code
    path = error.ctx.command_path if getattr(error, "ctx", None) else "ksos"
    return _tell(UsageError(" ".join(message.split()), f"See: {path} --help"))


def _tell(error: KsosError) -> int:
    hints = (hint for kind, hint in _HINTS.items() if isinstance(error, kind))
    sys.stderr.write(f"error: {error}\n")
    if hint := error.hint or next(hints, ""):
        sys.stderr.write(f"hint: {hint}\n")
    log_line("ksos", f"{type(error).__name__}: {error}")
    return error.exit_code


def _tell_bug(error: Exception, *, verbose: bool) -> int:
    sys.stderr.write(
        f"error: something in ksos itself is wrong ({type(error).__name__}).\n"
        "hint: Your data are safe. Run again with --verbose and report what it prints.\n"
    )
    if verbose:
        sys.stderr.write(_clean_traceback(error))
    log_line("ksos", f"bug: {type(error).__name__}")
    return BUG


def _clean_traceback(error: Exception) -> str:
    """Where it happened; what an exception says may hold a reading, so its digits are hidden."""
    import re
    import traceback

    from ksos_link.redaction import mask

    lines = traceback.format_exception(error)
    return "".join(
        line if line.startswith("  File") else re.sub(r"\d", "#", mask(line)) for line in lines
    )


def _let_go_of_output() -> None:
    """Give up what cannot be written: at its end Python would try once more, and end with 120."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
