"""The connect prelude: who the watch is and what it can do (ido.md 2.5, C)."""

from collections.abc import Mapping
from typing import Final

from firmware_protocol.events import Identified, WatchInfo
from firmware_protocol.families.ido.capabilities import capabilities_from_tables
from firmware_protocol.families.ido.conversation import CLASSIC_ATTEMPTS, Conversation, whole
from firmware_protocol.families.ido.health.decoding import FAMILY_NAME
from firmware_protocol.families.ido.messages import IdoMessage
from firmware_protocol.families.ido.models import model_name
from firmware_protocol.family import Asking, Dialogue, JobError, Report
from firmware_protocol.jobs import Identify

_TOLD_ELSEWHERE: Final = frozenset(
    ("device_id", "firmware_version", "battery_pct", "bound", "restarted")
)
_PREFIX_BYTES: Final = 2  # command and key of a classic reply


def identify(conversation: Conversation, _job: Identify) -> Dialogue:
    """Ask who is there; where that stays open, the size of its records is a sign of life."""
    who = yield from conversation.classic("ido.get.device_info")
    if who is None:
        sizes = yield from conversation.v3("ido.health.total", {"held": []}, attempts=1)
        if sizes is None:
            raise JobError("silent", "the watch did not answer when asked who it is")
    # one that is silent about itself is not waited for at every further question
    attempts = CLASSIC_ATTEMPTS if who else 1
    base = yield from conversation.classic("ido.get.function_table", attempts=attempts)
    extended = yield from _extended_table(conversation, base)
    attempts = CLASSIC_ATTEMPTS if base else 1
    link_sizes = yield from conversation.classic("ido.get.link_sizes", attempts=attempts)
    if link_sizes is not None:
        conversation.agree_on_sizes(link_sizes)
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
    who: IdoMessage | None,
    address: IdoMessage | None,
    versions: IdoMessage | None,
) -> WatchInfo:
    told = {} if who is None else who.fields
    device_id = _number(told, "device_id")
    facts = {
        name: value
        for name, value in told.items()
        if name not in _TOLD_ELSEWHERE and isinstance(value, int | str)
    }
    conversation.bind_confirm = _number(told, "bind_confirm") or 0
    conversation.platform = _number(told, "platform")
    conversation.device_id = device_id
    return WatchInfo(
        family=FAMILY_NAME,
        product=model_name(device_id),
        model_code=device_id,
        firmware_version=_firmware_version(told, versions),
        address=str(address.fields["address"]) if address and "address" in address.fields else None,
        bound=_flag(told, "bound"),
        battery_pct=_number(told, "battery_pct"),
        charging=told["battery_status"] == "charging" if "battery_status" in told else None,
        restarted=_flag(told, "restarted"),
        capabilities=conversation.capabilities or frozenset(),
        facts=facts | {"write_bytes": conversation.write_bytes},
    )


def _firmware_version(told: Mapping[str, object], versions: IdoMessage | None) -> str | None:
    """Three parts where the watch has them (02 EB), else the single number of 02 01."""
    if versions is not None:
        major, minor, patch = (whole(versions, f"firmware_{part}") for part in (1, 2, 3))
        if major is not None and minor is not None and patch is not None:
            return f"{major}.{minor:02d}.{patch:02d}"
    number = _number(told, "firmware_version")
    return None if number is None else str(number)


def _number(told: Mapping[str, object], name: str) -> int | None:
    value = told.get(name)
    return value if isinstance(value, int) else None


def _flag(told: Mapping[str, object], name: str) -> bool | None:
    number = _number(told, name)
    return None if number is None else number != 0
