"""The status codes of ido.md 10 as plain words."""

from collections.abc import Mapping
from typing import Final

from firmware_protocol.families.ido.messages import IdoMessage
from firmware_protocol.family import JobError

WAITS: Final = ("fragmented", "reorganising")  # 24 and 25: 07 40 type 33 tells when it is over
BROKEN: Final = ("invalid_state", "invalid_length", "invalid_data")  # of a transfer that is lost

_WORDS: Final[Mapping[str, str]] = {
    "internal_svc": "something inside the watch failed (SVC)",
    "internal_stack": "something inside the watch failed (stack)",
    "internal_error": "something inside the watch failed",
    "no_memory": "the watch has no memory left",
    "not_found": "the watch does not know that name",
    "not_supported": "the watch does not support it",
    "invalid_parameter": "the watch calls a parameter invalid",
    "invalid_state": "the watch is not ready for it",
    "invalid_length": "the watch got another length than was announced",
    "invalid_flags": "the watch calls the flags invalid",
    "invalid_data": "the watch found the data damaged",
    "data_size": "the watch does not take that size",
    "timeout": "it took the watch too long",
    "null": "the watch misses something",
    "forbidden": "the watch forbids it",
    "bad_address": "the watch calls the place in its memory wrong",
    "busy": "the watch is busy",
    "too_many_connections": "the watch has too many connections, or its battery is low",
    "no_resources": "the watch has no resources left",
    "classic_update_failed": "the update of the watch's classic Bluetooth failed",
    "no_space": "there is not enough room on the watch",
    "battery_low": "the watch's battery is low",
    "bad_file_name": "the watch does not take that file name",
    "fragmented": "the watch's free room is in pieces",
    "reorganising": "the watch is putting its room in order",
    "power_saving": "the watch saves power",
    "in_workout": "a workout is under way on the watch",
    "in_call": "a call is under way on the watch",
    "charging": "the watch is being charged",
}


def status_of(reply: IdoMessage) -> object:
    """The status of a reply: `ok`, another name of ido.md 10, or a number that it does not have."""
    return reply.fields.get("status")


def words(status: object) -> str:
    """What a status means; an unknown one stays a number."""
    return _WORDS.get(str(status), f"the watch gave the unknown code {status}")


def accept(reply: IdoMessage) -> None:
    """Pass where the watch said yes.

    Raises:
        JobError: it did not; an unknown code is no yes either.
    """
    if (status := status_of(reply)) != "ok":
        raise JobError("refused", words(status))
