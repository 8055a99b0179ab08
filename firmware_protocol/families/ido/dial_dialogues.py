"""Dials of an IDO watch: which there are, which is shown, away with one (ido.md 6.5, 9.1; C L)."""

from collections.abc import Mapping
from typing import Final

from firmware_protocol.errors import DecodeError
from firmware_protocol.events import DialRemoved, DialShown, DialsRead
from firmware_protocol.families.ido.conversation import Conversation, answered, needed, whole
from firmware_protocol.families.ido.messages import IdoMessage
from firmware_protocol.families.ido.upload.refusals import accept
from firmware_protocol.family import Asking, Dialogue, JobError, Message, Report
from firmware_protocol.jobs import ReadDials, RemoveDial, ShowDial

NAME_BYTES: Final = 30  # of V3 08
_BUILT_IN: Final = "local_"  # 6.5, 06
_KB: Final = 1024
_COLOURS: Final[Mapping[object, str]] = {  # to the words of dial files
    "rgb111": "rgb111",
    "rgb222": "rgb222",
    "rgb565": "rgb565",
    "rgb888": "rgb888",
    "rgb565_alpha": "rgb565a",
}


def read_dials(conversation: Conversation, _job: ReadDials) -> Dialogue:
    """V3 06, 07, and 08 with query. A watch that is silent about its screen still has dials."""
    listed = answered((yield from conversation.v3("ido.dial.list")), "for its dials")
    names = _names(listed)
    screen = yield from conversation.v3("ido.dial.screen", attempts=1)
    shown = yield from _manage(conversation, "query", "")
    screen_fields = screen.fields if isinstance(screen, IdoMessage) else {}
    yield Report(
        DialsRead(
            dials=names,
            shown=str(shown.fields.get("name", "")) or None,
            builtin=frozenset(name for name in names if name.startswith(_BUILT_IN)),
            free=whole(listed, "free"),
            largest_bytes=needed(listed, "largest_kb") * _KB,
            width_px=_size(screen_fields.get("width_px")),
            height_px=_size(screen_fields.get("height_px")),
            block_bytes=_size(screen_fields.get("block_bytes")),
            colour=_COLOURS.get(screen_fields.get("colour")),
        )
    )


def show_dial(conversation: Conversation, job: ShowDial) -> Dialogue:
    """V3 08 with set (L)."""
    reply = yield from _manage(conversation, "show", job.name)
    accept(reply)
    if reply.fields.get("name") != job.name:
        raise JobError("refused", "it shows another dial")
    yield Report(DialShown(job.name))


def remove_dial(conversation: Conversation, job: RemoveDial) -> Dialogue:
    """V3 08 with delete (V). Those that the watch came with stay."""
    if job.name.startswith(_BUILT_IN):
        raise JobError("refused", "it came with this dial, which cannot be removed")
    accept((yield from _manage(conversation, "remove", job.name)))
    yield Report(DialRemoved(job.name))


def _manage(conversation: Conversation, operate: str, name: str) -> Asking[IdoMessage]:
    if not name.isascii() or not name.isprintable() or len(name) > NAME_BYTES:
        raise JobError("invalid", f"a dial's name has up to {NAME_BYTES} plain ASCII letters")

    def is_its_reply(message: Message) -> bool:
        return isinstance(message, IdoMessage) and message.fields.get("operate") == operate

    fields = {"operate": operate, "name": name}
    reply = yield from conversation.v3("ido.dial.manage", fields, matches=is_its_reply)
    return answered(reply, f"to {operate} a dial")


def _names(listed: IdoMessage) -> tuple[str, ...]:
    """The names of V3 06.

    Raises:
        DecodeError: fewer or more came than the watch counted.
    """
    rows = listed.fields.get("dials")
    found = [row.get("name") for row in rows] if isinstance(rows, list) else []
    names = tuple(name for name in found if isinstance(name, str))
    if len(names) != needed(listed, "count"):
        raise DecodeError("a list of dials that is cut short")
    return names


def _size(value: object) -> int | None:
    """A number that is known only where it is not zero."""
    return value if isinstance(value, int) and value else None
