"""Notices and calls: text in pieces of 16 bytes, each acknowledged before the next (ido.md 4.5)."""

from collections.abc import Mapping
from typing import Final

from firmware_protocol.actions import EndCall, RingCall, ShowNotice
from firmware_protocol.events import TextCut
from firmware_protocol.families.ido.codes import NOTICE_TYPE
from firmware_protocol.families.ido.conversation import (
    CLASSIC_ATTEMPTS,
    CLASSIC_TIMEOUT_S,
    Conversation,
    accept,
    answered,
    whole,
)
from firmware_protocol.families.ido.messages import IdoMessage, encode_message
from firmware_protocol.families.ido.settings.values import code
from firmware_protocol.family import Asking, Dialogue, Exchange, JobError, Message, Output, Report
from firmware_protocol.settings.kinds import cut_to_bytes

_SHORT_TEXT: Final = 20  # characters of each text where no bit grants more (S9)
_SHORT_BYTES: Final = 63  # of such a text at most
_TITLE_BYTES: Final = 63  # of the texts beside the main one; their limit is not published (P)
_HEAD_BYTES: Final = 4  # type and three lengths


def show_notice(conversation: Conversation, notice: ShowNotice) -> Dialogue:
    """05 03 (C L)."""
    app, strict = code(notice.app), notice.strict
    if isinstance(app, str) and app not in NOTICE_TYPE.values():
        raise JobError("invalid", f"watches of this family know no app {app}")
    room = _notice_bytes(conversation)
    if room is None:
        phone = yield from _short("phone", notice.phone, strict=strict)
        title = yield from _short("title", notice.title, strict=strict)
        text = yield from _short("text", notice.text, strict=strict)
    else:
        room -= _HEAD_BYTES
        phone = yield from _cut("phone", notice.phone, min(room, _TITLE_BYTES), strict=strict)
        room -= len(phone.encode())
        title = yield from _cut("title", notice.title, min(room, _TITLE_BYTES), strict=strict)
        room -= len(title.encode())
        text = yield from _cut("text", notice.text, room, strict=strict)
    fields = {"type": app, "phone": phone, "title": title, "text": text}
    yield from _send(conversation, "ido.notice.message", fields)


def ring_call(conversation: Conversation, call: RingCall) -> Dialogue:
    """05 01 (V S9)."""
    if _notice_bytes(conversation) is None:
        phone = yield from _short("phone", call.phone, strict=call.strict)
        name = yield from _short("name", call.name, strict=call.strict)
    else:
        phone = yield from _cut("phone", call.phone, _TITLE_BYTES, strict=call.strict)
        name = yield from _cut("name", call.name, _TITLE_BYTES, strict=call.strict)
    if not (phone or name):
        raise JobError("invalid", "a call needs a name or a number")
    yield from _send(conversation, "ido.notice.call", {"phone": phone, "name": name})


def end_call(conversation: Conversation, call: EndCall) -> Dialogue:
    """05 02 (L V)."""
    state = {"state": "missed" if call.missed else "ended"}
    yield from conversation.acknowledged(
        "ido.notice.call_state", state, "to end the call", "end of the call"
    )


def _notice_bytes(conversation: Conversation) -> int | None:
    """How long a whole notice may be; None where the watch grants no more than the short form."""
    listed = conversation.capabilities or frozenset()
    if "notice_250_bytes" in listed:
        return 250
    return 128 if "notice_128_bytes" in listed else None


def _short(field: str, text: str, *, strict: bool) -> Asking[str]:
    """A text where the watch grants no more than the short form."""
    short = cut_to_bytes(text[:_SHORT_TEXT], _SHORT_BYTES)
    return (yield from _cut(field, text, len(short.encode()), strict=strict))


def _cut(field: str, text: str, limit_bytes: int, *, strict: bool) -> Asking[str]:
    text = text.encode("utf-8", "replace").decode()
    kept = cut_to_bytes(text, limit_bytes)
    if kept == text:
        return text
    if strict:
        raise JobError("invalid", f"the {field} is longer than {limit_bytes} bytes")
    yield Report(TextCut(field, kept, limit_bytes))
    return kept


def _send(conversation: Conversation, name: str, fields: Mapping[str, object]) -> Dialogue:
    for serial, piece in enumerate(conversation.writes(encode_message(name, fields)), 1):
        message = yield _piece(f"{name}.reply", serial, piece)
        accept(answered(message, "to take a notice"), "notice")


def _piece(reply_name: str, serial: int, piece: Output) -> Exchange:
    def accepts(reply: Message) -> bool:
        return (
            isinstance(reply, IdoMessage)
            and reply.name == reply_name
            and whole(reply, "serial") == serial
        )

    return Exchange(lambda: [piece], accepts, CLASSIC_TIMEOUT_S, CLASSIC_ATTEMPTS)
