"""A watch as a device: what it is, its log, and the acts that cannot be undone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from firmware_protocol.actions import ReadDetails, ReadErrorLog, Reset
from firmware_protocol.events import DetailsRead, ErrorLogRead, Unbound, WatchInfo
from firmware_protocol.jobs import Unbind
from ksos_link.errors import LinkLostError, MalformedError, PolicyError, RefusedError
from ksos_link.operations.open_watch import OpenWatch

ERASES: Final = ("factory", "unbind")
Act = Literal["restart", "power_off", "factory", "unbind"]


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """All that a watch says of itself."""

    info: WatchInfo
    details: Mapping[str, int | str]


async def describe(watch: OpenWatch) -> DeviceInfo:
    """Ask a watch who it is, down to its parts.

    Raises:
        BluetoothError: the link was lost more often than the policy allows.
    """
    try:
        details = (await watch.ask_action(ReadDetails(), DetailsRead)).facts
    except RefusedError:
        details = {}
    return DeviceInfo(watch.info, details)


async def read_log(watch: OpenWatch, *, clear: bool) -> ErrorLogRead:
    """What went wrong inside the watch.

    Raises:
        RefusedError: it keeps no such log, or did not answer.
    """
    return await watch.ask_action(ReadErrorLog(clear), ErrorLogRead)


def check_act(act: Act, *, experimental: bool) -> None:
    """Stop an act that nobody has shown to work, or that erases, before anybody is asked.

    Raises:
        PolicyError: it needs `experimental`.
    """
    if experimental:
        return
    if act == "unbind":
        raise PolicyError(
            "Unbinding erases what the watch has stored, at once and for good.",
            "Sync first: ksos sync. Then say --experimental.",
        )
    raise PolicyError(
        "Nobody has shown that this works on a real watch; it is known from vendor documents only.",
        "If you accept the risk, say --experimental.",
    )


async def carry_out(watch: OpenWatch, act: Act) -> None:
    """Do it. A watch that goes down before it answers has done it.

    Raises:
        RefusedError: the watch refused or stayed silent.
    """
    try:
        if act == "unbind":
            await watch.ask(Unbind(), Unbound)
        else:
            await watch.do(Reset(act), experimental=True)
    except LinkLostError:
        if act == "unbind":
            raise
    except MalformedError as error:
        raise RefusedError("The watch answered nonsense; look at what it shows.") from error
