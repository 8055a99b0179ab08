"""What is asked of an SMP server, job by job (dfu.md 6.2, 6.3)."""

from typing import Final

from firmware_protocol.events import HeldImage, Identified, ImagesRead, WatchInfo
from firmware_protocol.family import Asking, Dialogue, JobError, Report
from firmware_protocol.images import mcuboot
from firmware_protocol.jobs import ConfirmImage, Identify, InstallImage, ReadImages
from firmware_protocol.transfer import run_upload
from firmware_protocol.updates.smp.codec import (
    ImageState,
    ImageStatesReadResponse,
    ImageStatesWriteRequest,
)
from firmware_protocol.updates.smp.conversation import Conversation, granted
from firmware_protocol.updates.smp.upload import CHUNK_TIMEOUT_S, SmpUpload

_FLAGS: Final = ("active", "confirmed", "pending", "permanent", "bootable")


def identify(talk: Conversation, _: Identify) -> Dialogue:
    """Ask for the buffers, which harms nothing; a server answers, if only that it has no word."""
    yield from talk.learn_buffers()
    facts: dict[str, int | str] = {}
    if talk.buffers is not None:
        facts = {"buffer_bytes": talk.buffers.size_bytes, "buffers": talk.buffers.count}
    try:
        version = (yield from _active(talk.images())).version
    except JobError as error:
        if error.kind == "silent":
            raise
        version = None
    yield Report(
        Identified(
            WatchInfo(mcuboot.TRANSPORT, "bootloader", firmware_version=version, facts=facts)
        )
    )


def read_images(talk: Conversation, _: ReadImages) -> Dialogue:
    """Ask which images are in the slots."""
    images = yield from talk.images()
    yield Report(ImagesRead(tuple(_held(image) for image in images)))


def install(talk: Conversation, job: InstallImage) -> Dialogue:
    """Upload, verify, activate; where the watch lists the image already, only what is left."""
    yield from run_upload(SmpUpload(talk, job.part, last=job.last))


def confirm(talk: Conversation, job: ConfirmImage) -> Dialogue:
    """Keep the image that runs, if it is the one that was meant (6.3 steps 7 and 8)."""
    running = yield from _active(talk.images())
    if running.hash is None or running.hash.hex() != job.digest.lower():
        raise JobError("refused", "another image runs: the new one did not start, or it went back")
    reply = yield from talk.ask(
        "to keep the image",
        lambda number: ImageStatesWriteRequest(confirm=True, sequence=number),
        timeout_s=CHUNK_TIMEOUT_S,
    )
    images = granted(reply).as_a(ImageStatesReadResponse).images
    if not any(image.hash == running.hash and image.confirmed for image in images):
        raise JobError("refused", "it does not say that it keeps the image")


def _active(asking: Asking[list[ImageState]]) -> Asking[ImageState]:
    for image in (yield from asking):
        if image.active:
            return image
    raise JobError("refused", "none of its images runs")


def _held(image: ImageState) -> HeldImage:
    return HeldImage(
        slot=f"{image.image or 0}.{image.slot}",
        version=image.version,
        digest=None if image.hash is None else image.hash.hex(),
        state=tuple(flag for flag in _FLAGS if getattr(image, flag)),
    )
