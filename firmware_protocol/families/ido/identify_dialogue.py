"""The connect prelude: who the watch is and what it can do (ido.md 2.5, C)."""

from typing import Final

from firmware_protocol.events import Identified, WatchInfo
from firmware_protocol.families.ido.capabilities import capabilities_from_tables
from firmware_protocol.families.ido.conversation import (
    CLASSIC_ATTEMPTS,
    Asking,
    Conversation,
    answered,
    needed,
    whole,
)
from firmware_protocol.families.ido.health.decoding import FAMILY_NAME
from firmware_protocol.families.ido.messages import IdoMessage
from firmware_protocol.families.ido.models import model_name
from firmware_protocol.family import Dialogue, Report
from firmware_protocol.jobs import Identify

_TOLD_ELSEWHERE: Final = frozenset(
    ("device_id", "firmware_version", "battery_pct", "bound", "restarted")
)
_PREFIX_BYTES: Final = 2  # command and key of a classic reply


def identify(conversation: Conversation, _job: Identify) -> Dialogue:
    """Ask who is there; only the first question must be answered."""
    who = answered((yield from conversation.classic("ido.get.device_info")), "who it is")
    needed(who, "device_id")
    conversation.bind_confirm = whole(who, "bind_confirm") or 0
    base = yield from conversation.classic("ido.get.function_table")
    extended = yield from _extended_table(conversation, base)
    # a watch that is silent about its tables is not kept waiting for here either
    attempts = CLASSIC_ATTEMPTS if base else 1
    sizes = yield from conversation.classic("ido.get.link_sizes", attempts=attempts)
    if sizes is not None:
        conversation.agree_on_sizes(sizes)
    yield from _learn_capabilities(conversation, base, extended)
    address = yield from conversation.classic("ido.get.address", attempts=1)
    versions = None
    if "versions" in (conversation.capabilities or ()):
        versions = yield from conversation.classic("ido.get.versions", attempts=1)
    yield Report(Identified(_watch_info(conversation, who, address, versions)))


def _extended_table(
    conversation: Conversation, base: IdoMessage | None
) -> Asking[IdoMessage | None]:
    if base is None or "extended_table" not in _capabilities(base):
        return None
    return (yield from conversation.classic("ido.get.function_table_extended"))


def _learn_capabilities(
    conversation: Conversation, base: IdoMessage | None, extended: IdoMessage | None
) -> Asking[None]:
    """Join the tables; one that was announced and did not come leaves them unknown."""
    if base is None:
        return
    announced = _capabilities(base)
    v3_payload = None
    if "v3_function_table" in announced:
        reply = yield from conversation.v3("ido.get.function_table_v3")
        v3_payload = reply.payload if isinstance(reply, IdoMessage) else None
    if extended is None and "extended_table" in announced:
        return
    conversation.capabilities = _capabilities(base, extended, v3_payload)


def _capabilities(
    base: IdoMessage, extended: IdoMessage | None = None, v3_payload: bytes | None = None
) -> frozenset[str]:
    more = None if extended is None else extended.payload[_PREFIX_BYTES:]
    return capabilities_from_tables(base.payload[_PREFIX_BYTES:], more, v3_payload)


def _watch_info(
    conversation: Conversation,
    who: IdoMessage,
    address: IdoMessage | None,
    versions: IdoMessage | None,
) -> WatchInfo:
    device_id = needed(who, "device_id")
    bound, restarted = whole(who, "bound"), whole(who, "restarted")
    facts = {
        name: value
        for name, value in who.fields.items()
        if name not in _TOLD_ELSEWHERE and isinstance(value, int | str)
    }
    return WatchInfo(
        family=FAMILY_NAME,
        product=model_name(device_id),
        model_code=device_id,
        firmware_version=_firmware_version(who, versions),
        address=str(address.fields["address"]) if address and "address" in address.fields else None,
        bound=None if bound is None else bound != 0,
        battery_pct=whole(who, "battery_pct"),
        charging=who.fields.get("battery_status") == "charging",
        restarted=None if restarted is None else restarted != 0,
        capabilities=conversation.capabilities or frozenset(),
        facts=facts | {"write_bytes": conversation.write_bytes},
    )


def _firmware_version(who: IdoMessage, versions: IdoMessage | None) -> str | None:
    """Three parts where the watch has them (02 EB), else the single number of 02 01."""
    if versions is not None:
        major, minor, patch = (needed(versions, f"firmware_{part}") for part in (1, 2, 3))
        return f"{major}.{minor:02d}.{patch:02d}"
    number = whole(who, "firmware_version")
    return None if number is None else str(number)
