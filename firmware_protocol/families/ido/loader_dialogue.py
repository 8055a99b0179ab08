"""Leaving the application for a loader (ido.md 4.1, 11.1, V L). Read ido.md 11.4 first."""

from collections.abc import Mapping
from typing import Final

from firmware_protocol.families.ido.conversation import CLASSIC_TIMEOUT_S, Conversation, answered
from firmware_protocol.families.ido.update_path import path_of_platform
from firmware_protocol.family import Dialogue, JobError
from firmware_protocol.jobs import EnterLoader

_REALTEK: Final = 10
_ANY_VERSION: Final = 0  # 01 03: no check
_ENTER_REFUSALS: Final[Mapping[object, str]] = {
    "battery_low": "the watch's battery is too low for an update",
    "not_supported": "the watch has no update mode",
    "invalid_parameter": "the watch calls a parameter invalid",
}
_AUTHORISE_REFUSALS: Final[Mapping[object, str]] = {
    "id_mismatch": "the image is for another model",
    "version_refused": "the watch does not take that version",
    "battery_low": "the watch's battery is too low for an update",
}


def enter_loader(conversation: Conversation, job: EnterLoader) -> Dialogue:
    """01 01, or on Realtek chips 01 03; asked once, for it is carried out at once.

    Raises:
        JobError: this platform has no loader, or the watch refused.
    """
    path = path_of_platform(conversation.platform)
    if not path.enters_loader:
        raise JobError("unsupported", path.refusal or "it takes firmware without a loader")
    if conversation.platform == _REALTEK:
        device_id = conversation.device_id if job.model_code is None else job.model_code
        fields = {"device_id": device_id, "version": _ANY_VERSION}
        name, refusals = "ido.update.authorise", _AUTHORISE_REFUSALS
    else:
        fields, name, refusals = {}, "ido.update.enter", _ENTER_REFUSALS
    message = yield from conversation.classic(name, fields, attempts=1, timeout_s=CLASSIC_TIMEOUT_S)
    result = answered(message, "to enter its update mode").fields.get("result")
    if result != "ok":
        reason = refusals.get(result, f"the watch gave the code {result}")
        raise JobError("unsupported" if result == "not_supported" else "refused", reason)
