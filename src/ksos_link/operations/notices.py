"""Whose notices pass: a list that the wearer chose, kept in the store and on the watch."""

from dataclasses import dataclass, replace

from firmware_protocol.settings import Notices
from firmware_protocol.settings.alerts import NOTICE_APPS
from ksos_link.errors import PolicyError, UsageError
from ksos_link.operations.open_watch import OpenWatch


@dataclass(frozen=True, slots=True)
class Wish:
    """What shall change."""

    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()
    calls: bool | None = None
    every: bool = False  # forget the choice: all apps pass again

    def __post_init__(self) -> None:
        """Check the names.

        Raises:
            UsageError: an app that does not exist, or that is both allowed and denied.
        """
        if self.every and (self.allow or self.deny):
            raise UsageError("All apps, and only some: that cannot be.", "Say one of them.")
        for name in (*self.allow, *self.deny):
            _check_known(name)
        if both := sorted(self.allow & self.deny):
            raise UsageError(f"{both[0]} is allowed and denied.", "Say one of them.")

    @property
    def is_empty(self) -> bool:
        """Nothing shall change."""
        return not self.is_of_apps and self.calls is None

    @property
    def is_of_apps(self) -> bool:
        """It is about apps, not about calls alone."""
        return bool(self.allow or self.deny or self.every)

    def apps_after(self, before: tuple[str, ...]) -> tuple[str, ...]:
        """The apps that are chosen after it, empty where all pass.

        Raises:
            UsageError: none would be left, which is how a choice is forgotten.
        """
        if not self.is_of_apps or self.every:
            return () if self.every else before
        # who denies before anything was chosen keeps back that one of all
        chosen = set(before) | self.allow or set(NOTICE_APPS)
        apps = tuple(name for name in NOTICE_APPS if name in chosen - self.deny)
        if not apps:
            raise UsageError(
                "No app would be left to choose.",
                "Allow another one as well; or let all through: ksos notice apps --all",
            )
        return apps


async def shown_apps(watch: OpenWatch) -> Notices:
    """What is chosen: on the watch, with the apps for which it has no switch.

    Raises:
        RefusedError, BluetoothError: see `OpenWatch.read`.
    """
    held = (await watch.notices.show()).setting
    chosen = watch.sent(Notices)
    return held if chosen is None else replace(held, apps=chosen.apps)


async def change_apps(watch: OpenWatch, wish: Wish) -> tuple[Notices, tuple[str, ...]]:
    """Change the choice; what the watch cannot keep stays in the store.

    Raises:
        UsageError: no app would be left.
        RefusedError, BluetoothError: see `OpenWatch.write`.
    """
    before = await shown_apps(watch)
    apps = wish.apps_after(before.apps)
    calls = before.calls if wish.calls is None else wish.calls
    wanted = replace(before, apps=apps, calls=calls)
    # where all pass, the watch's own switches must not be in the way
    change = await watch.notices.write(replace(wanted, apps=NOTICE_APPS if wish.every else apps))
    watch.note_sent(wanted)  # the watch gives back only what it has a switch for
    return wanted, change.remarks if wish.allow else ()  # who named no app asked for no switch


def check_app(watch: OpenWatch, name: str) -> None:
    """Stop a notice that its wearer keeps back.

    Raises:
        UsageError: there is no such app.
        PolicyError: others were chosen, and this one was not.
    """
    _check_known(name)
    chosen = watch.sent(Notices)
    if chosen is not None and chosen.apps and name not in chosen.apps:
        raise PolicyError(
            f"Notices of {name} are kept back: you chose others.",
            f"Let it through: ksos notice apps --allow {name}",
        )


def _check_known(name: str) -> None:
    if name not in NOTICE_APPS:
        raise UsageError(f"There is no app {name}.", "`ksos notice apps --list` names them.")
