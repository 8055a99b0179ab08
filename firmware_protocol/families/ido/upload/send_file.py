"""The dialogue of one file: a fast link, the transfer, and again where it broke (ido.md 4.10)."""

from typing import Final

from firmware_protocol.errors import RemoteProtocolError
from firmware_protocol.families.ido.conversation import Conversation
from firmware_protocol.families.ido.upload.d1 import FIRMWARE_NAME, D1Upload, TransferBrokenError
from firmware_protocol.family import Dialogue, JobError
from firmware_protocol.jobs import SendFile
from firmware_protocol.transfer import run_upload

RESTARTS: Final = 3  # of one link; a lost link is for whoever holds the links


def send_file(conversation: Conversation, job: SendFile) -> Dialogue:
    """Send a file; ends with `UploadActivated`. After a firmware the watch drops the link."""
    work = D1Upload(conversation, job)
    yield from conversation.set_speed("fast")
    sizes = yield from conversation.classic("ido.get.link_sizes", attempts=1)
    if sizes is not None:  # a fast link may have others; the vendor's client asks as well (C)
        conversation.agree_on_sizes(sizes)
    try:
        yield from _run(work)
    except (JobError, RemoteProtocolError):
        yield from conversation.set_speed("slow")
        raise
    if job.name != FIRMWARE_NAME:
        yield from conversation.set_speed("slow")


def _run(work: D1Upload) -> Dialogue:
    left = RESTARTS
    while True:
        try:
            yield from run_upload(work)
        except TransferBrokenError:
            if not left:
                raise
            left -= 1
        else:
            return
