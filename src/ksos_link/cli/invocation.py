"""One run of the command line: what was said for all commands, and what commands need from it."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ksos_link.config import Home
from ksos_link.errors import NotFoundError, PolicyError, StoreError, UsageError
from ksos_link.operations.local_time import local_now

if TYPE_CHECKING:
    from pathlib import Path

    import typer

    from ksos_link.operations.recording import Recording
    from ksos_link.operations.route import LinkOptions
    from ksos_link.operations.target import Target
    from ksos_link.store.database import Store
    from ksos_link.store.devices import Device
    from ksos_link.store.keys import SecretSource


@dataclass(slots=True)
class Invocation:
    """The global options, resolved."""

    home: Home
    device_name: str | None
    timeout_s: float
    quiet: bool
    verbose: bool
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)
    at_end: ExitStack = field(default_factory=ExitStack)
    _secrets: "SecretSource | None" = None
    _recording: "Recording | None" = None

    def open_log(self, job: str, *, keeps: bool = True, makes_home: bool = False) -> None:
        """Log this run: for `--verbose`, and with `keeps` in a file of the home.

        A home that is not there is made only where the job makes it. Commands that only read keep
        nothing, and leave no trace.
        """
        import platform

        from ksos_link import __version__
        from ksos_link.cli.render import note
        from ksos_link.logbook import open_logbook

        if makes_home:
            with suppress(StoreError):  # the job meets the same wall and says so
                self.home.create()
        home = self.home if keeps and self.home.folder.is_dir() else None
        tell = (lambda text: note(f"log        {text}")) if self.verbose else None
        self.at_end.enter_context(open_logbook(home, local_now().date(), tell))
        self.log(job, f"begins, ksos {__version__}, Python {platform.python_version()}")

    def log(self, category: str, text: str) -> None:
        """Write one line into the log, where one is open. No names, addresses, readings."""
        log_line(category, text)

    def secrets(self) -> "SecretSource":
        """What this person and terminal can give to open the store; asked for at most once."""
        from ksos_link.store.keys import SecretSource

        if self._secrets is None:
            self._secrets = SecretSource(self.env, ask=ask_secret if can_ask() else None)
        return self._secrets

    def open_store(self, *, create: bool = True) -> "Store":
        """Open the store, made at first use unless `create` is off."""
        from ksos_link.store.database import open_store

        return open_store(self.home, self.secrets(), create=create)

    @contextmanager
    def store_if_any(self) -> "Iterator[Store | None]":
        """The store, or None where there is none yet; it is not made."""
        store: Store | None = None
        with ExitStack() as opened:
            with suppress(NotFoundError):
                store = opened.enter_context(self.open_store(create=False))
            yield store

    def link_options(self, *, bond: bool = False) -> "LinkOptions":
        """How links are made in this run."""
        from ksos_link.operations.route import LinkOptions

        tap = None if self._recording is None else self._recording.note
        return LinkOptions(timeout_s=self.timeout_s, bond=bond, tap=tap)

    def record_to(self, out: "Path") -> None:
        """Write what passes with a watch to a capture, at the end of this run.

        Raises:
            NotFoundError: there is no such folder.
        """
        from ksos_link.operations.recording import Recording, check_target

        check_target(out)
        recording = self._recording = Recording()

        def write() -> None:
            if recording.packets:
                from ksos_link.operations.decode import likeliest_family

                recording.write(out, likeliest_family(recording.packets).redact)

        self.at_end.callback(write)

    def named_target(self) -> "Target | None":
        """The watch named by an address form, without a look into the store."""
        from ksos_link.operations.target import is_address, parse_target

        if self.device_name and is_address(self.device_name):
            return parse_target(self.device_name)
        return None

    def target(self) -> "Target":
        """The watch to talk to: the one that was named, or the only one there is."""
        target = self.named_target()
        if target is not None:
            return target
        from ksos_link.operations.target import target_of

        with self.open_store(create=False) as store:
            return target_of(self.chosen_device(store).address)

    def chosen_device(self, store: "Store") -> "Device":
        """The watch that was named, or the only one there is.

        Raises:
            NotFoundError: no such watch, or none at all.
            UsageError: several, and none was named.
        """
        if self.device_name:
            return store.device(self.device_name)
        devices = store.devices()
        if not devices:
            raise NotFoundError("No watch is paired yet.", "Pair one: ksos watch pair ADDRESS")
        if len(devices) > 1:
            names = ", ".join(device.alias for device in devices)
            raise UsageError("There are several watches.", f"Name one with --device: {names}.")
        return devices[0]


def invocation(ctx: "typer.Context") -> Invocation:
    """The invocation of a command's context."""
    found = ctx.find_object(Invocation)
    if found is None:
        raise RuntimeError("the root command did not run")
    return found


def log_line(category: str, text: str) -> None:
    """Write into the log of this run; without one, logging is not even imported."""
    if "ksos_link.logbook" in sys.modules:
        import logging

        logger = logging.getLogger("ksos_link")
        if logger.handlers:
            logger.info("%s: %s", category, text)


def can_ask() -> bool:
    """Whether a person sits at both ends; without one nothing ever waits for a prompt."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def agree(question: str) -> None:
    """Ask a person on the terminal.

    Raises:
        PolicyError: the answer is no.
    """
    import typer

    if not typer.confirm(question, err=True):
        raise PolicyError("Nothing was changed.", "Answer y, or say --yes.")


def ask_secret(prompt: str) -> str:
    """Ask for a passphrase on the terminal, unseen."""
    import getpass

    return getpass.getpass(prompt if prompt.endswith(" ") else f"{prompt} ", sys.stderr)
