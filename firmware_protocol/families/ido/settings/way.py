"""How one setting travels: which messages write it, which question reads it back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from firmware_protocol.errors import DecodeError
from firmware_protocol.events import Remarked, SettingRead, SettingWritten
from firmware_protocol.families.ido.conversation import Conversation, answered
from firmware_protocol.families.ido.messages import IdoMessage
from firmware_protocol.family import Asking, Dialogue, JobError, Report, SettingSupport
from firmware_protocol.settings import Setting

SettingType = TypeVar("SettingType", bound=Setting)
Fields = Mapping[str, object]
Known = Mapping[type[Setting], Setting]
Messages = Sequence[tuple[str, Fields]]  # names and fields, in the order in which they go out


@dataclass(frozen=True, slots=True)
class Way:
    """One setting on this wire.

    `write` sends it and returns what really went out; `read` asks for it. Each takes its own kind
    of setting, which a mapping of all of them cannot say: hence `Any`.
    """

    kind: type[Setting]
    support: SettingSupport
    write: Callable[[Conversation, Any, Known], Asking[Any]]
    read: Callable[[Conversation], Asking[Any]] | None = None


def classic_way(  # noqa: PLR0913 a declaration: each name says what it is
    kind: type[SettingType],
    rows: str,
    messages: Callable[[SettingType, Known], Messages],
    *,
    question: str | None = None,
    values: Callable[[Fields], Fields] | None = None,
    needs: tuple[str, ...] = (),
    provisional: str = "",
    reads_back_with: str | None = None,
) -> Way:
    """Declare a setting of classic messages; `values` names the fields of the answer to `question`.

    Every message carries its whole payload: a short one would be carried out with what is in the
    watch's memory (ido.md 3.2, L).
    """

    def write(
        conversation: Conversation, setting: SettingType, known: Known
    ) -> Asking[SettingType]:
        for name, fields in messages(setting, known):
            yield from put(conversation, name, fields)
        return setting

    def read(conversation: Conversation) -> Asking[SettingType]:
        reply = answered((yield from conversation.classic(str(question))), f"for its {kind.NAME}")
        fields = told(reply, kind.NAME)
        return (yield from leniently(kind, values(fields) if values else fields))

    return Way(
        kind,
        SettingSupport(
            rows, question is not None, needs, provisional, reads_back_with=reads_back_with
        ),
        write,
        read if question else None,
    )


def put(conversation: Conversation, name: str, fields: Fields) -> Asking[None]:
    """Send one setting's message and take its acknowledgement.

    Raises:
        JobError: the watch refused it, or stayed silent.
    """
    what = name.rpartition(".")[2].replace("_", " ")
    yield from conversation.acknowledged(name, fields, f"to take the {what}", what)


def told(reply: IdoMessage, what: str) -> Fields:
    """The fields of a read-back; an older watch may leave out the last ones (ido.md 3.2).

    Raises:
        DecodeError: there are none at all, which says nothing about the setting.
    """
    if not reply.fields:
        raise DecodeError(f"the watch's {what} came empty")
    return reply.fields


def leniently(kind: type[SettingType], values: Fields) -> Asking[SettingType]:
    """Make a setting of what the watch said, and report what it should not have said."""
    setting, remarks = kind.read_leniently(values)
    for text in remarks:
        yield Report(Remarked(text))
    return setting


def check_listed(
    conversation: Conversation, support: SettingSupport, what: str, *, experimental: bool
) -> None:
    """Refuse what the watch's function tables deny.

    Raises:
        JobError: it lists none of the capabilities that are needed.
    """
    listed = conversation.capabilities
    if experimental or not support.needs or listed is None:
        return
    if not listed.intersection(support.needs):
        bits = " or ".join(support.needs)
        raise JobError("unsupported", f"it does not list {what} (capability {bits})")


def read_setting(conversation: Conversation, way: Way, *, experimental: bool) -> Dialogue:
    """Ask for a setting; ends with `SettingRead`."""
    check_listed(conversation, way.support, way.kind.NAME, experimental=experimental)
    if way.read is None or not _reads_back(conversation, way):
        raise JobError("unsupported", f"{way.kind.NAME} cannot be read back on this wire")
    yield Report(SettingRead((yield from way.read(conversation))))


def write_setting(
    conversation: Conversation, way: Way, setting: Setting, known: Known, *, experimental: bool
) -> Dialogue:
    """Send a setting and read it back where that is possible; ends with `SettingWritten`.

    The watch has acknowledged it by then: a read-back that fails takes nothing away from that.
    """
    check_listed(conversation, way.support, way.kind.NAME, experimental=experimental)
    sent = yield from way.write(conversation, setting, known)
    held = None
    if way.read is not None and _reads_back(conversation, way):
        try:
            held = yield from way.read(conversation)
        except (JobError, DecodeError) as error:
            yield Report(Remarked(f"the watch took it; whether it holds it is not known: {error}"))
    yield Report(SettingWritten(sent, held))


def _reads_back(conversation: Conversation, way: Way) -> bool:
    listed = conversation.capabilities
    return listed is None or way.support.reads_back(listed)
