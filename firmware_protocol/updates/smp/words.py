"""Error codes of SMP in words (dfu.md 6.2)."""

from collections.abc import Mapping
from typing import Final

from smp.image_management import IMG_MGMT_ERR

from firmware_protocol.updates.smp.codec import Refusal

NO_MEMORY: Final = Refusal(2)  # no buffer was free
BUSY: Final = Refusal(10)
_IMAGE_GROUP: Final = 1
_USER: Final = 256
_GENERAL: Final[Mapping[int, str]] = {
    1: "an unknown error",
    NO_MEMORY.code: "not enough memory",
    3: "an invalid value",
    4: "a time-out",
    5: "no such entry",
    6: "not in this state",
    7: "the message is too large",
    8: "not supported",
    9: "corrupt",
    BUSY.code: "busy",
    11: "access denied",
    12: "the protocol's version is too old",
    13: "the protocol's version is too new",
}
_IMAGE: Final[Mapping[int, str]] = {
    3: "no image",
    9: "no free slot: an image is on trial or waits for its start",
    22: "the image's header is too small",
    23: "no image of MCUboot",
    27: "the running version is newer",
    28: "an image already waits for its start",
    30: "the image is too large",
    31: "more data than announced",
    32: "confirmation denied",
    33: "the image already runs",
}


def in_words(refusal: Refusal) -> str:
    """What a server said, for people. A code without words keeps its number."""
    if refusal.group is None:
        if refusal.code >= _USER:
            return f"an error of its own ({refusal.code})"
        return _GENERAL.get(refusal.code, f"error {refusal.code}")
    if refusal.group != _IMAGE_GROUP:
        return f"error {refusal.code} of group {refusal.group}"
    return _IMAGE.get(refusal.code) or _by_name(refusal.code)


def _by_name(code: int) -> str:
    try:
        return IMG_MGMT_ERR(code).name.lower().replace("_", " ")
    except ValueError:
        return f"error {code} of images"
