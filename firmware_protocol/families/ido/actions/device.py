"""Going down, and what the watch says of itself beyond the prelude (ido.md 4.2, 4.8)."""

from typing import Final

from firmware_protocol.actions import ReadDetails, ReadErrorLog, Reset
from firmware_protocol.events import DetailsRead, ErrorLogRead
from firmware_protocol.families.ido.conversation import Conversation, answered
from firmware_protocol.family import Dialogue, Report

_RESETS: Final = {
    "restart": "ido.reset.restart",
    "power_off": "ido.reset.power_off",
    "factory": "ido.reset.factory",
}
# question: the capability that announces its answer, None where every watch was seen to answer
_DETAILS: Final = {
    "ido.get.algorithm_versions": None,
    "ido.get.resource": None,
    "ido.get.update_state": "update_state",
    "ido.get.watch_id": "watch_id",
    "ido.get.versions": "versions",
    "ido.get.link_sizes": None,
    "ido.get.limits": None,
}


def reset(conversation: Conversation, action: Reset) -> Dialogue:
    """F0 01, F0 03, F0 04 (V). Asked once: a watch that goes down may not answer."""
    message = _RESETS[action.how]
    yield from conversation.acknowledged(message, None, "to go down", "reset", attempts=1)


def read_error_log(conversation: Conversation, action: ReadErrorLog) -> Dialogue:
    """02 40 (V)."""
    operate = {"operate": "clear" if action.clear else "read"}
    reply = answered(
        (yield from conversation.classic("ido.get.error_record", operate)), "for its log"
    )
    yield Report(
        ErrorLogRead(
            str(reply.fields.get("reset", "none")), str(reply.fields.get("hardware", "none"))
        )
    )


def read_details(conversation: Conversation, _action: ReadDetails) -> Dialogue:
    """Ask each question once; what the watch leaves unanswered is left out."""
    listed = conversation.capabilities or frozenset()
    facts: dict[str, int | str] = {}
    for question, needed in _DETAILS.items():
        if needed is not None and needed not in listed:
            continue
        reply = yield from conversation.classic(question, attempts=1)
        noun = question.rpartition(".")[2]
        if reply is None:
            continue
        facts.update(
            {
                name if name.startswith(noun) else f"{noun}_{name}": value
                for name, value in reply.fields.items()
                if isinstance(value, int | str) and not name.startswith(("unknown", "reserved"))
            }
        )
    yield Report(DetailsRead(facts))
