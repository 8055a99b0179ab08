"""What the uploads of an operation are said to have taken."""

import asyncio
from collections.abc import AsyncGenerator
from typing import cast

from firmware_protocol.events import (
    Event,
    UploadActivated,
    UploadProgress,
    UploadStarted,
    UploadVerified,
)
from firmware_protocol.jobs import Job, SendFile
from ksos_link.connection.watch import Peer
from ksos_link.errors import LinkLostError
from ksos_link.operations.uploading import Counts, upload

TOTAL_BYTES = 1000


class ToldLink:
    """A link whose upload goes as it is told; without the end it is lost."""

    def __init__(self, *told: Event) -> None:
        self._told = told

    async def run(self, job: Job) -> AsyncGenerator[Event, None]:
        del job
        for event in self._told:
            yield event
        if not isinstance(self._told[-1], UploadActivated):
            raise LinkLostError("The link was lost.")

    async def close(self) -> None:
        pass


def started(held_bytes: int) -> UploadStarted:
    return UploadStarted("app", TOTAL_BYTES, held_bytes)


def progress(reached_bytes: int, sent_bytes: int) -> UploadProgress:
    return UploadProgress("app", reached_bytes, TOTAL_BYTES, sent_bytes, 0)


async def counts_of(*links: ToldLink) -> Counts:
    left, counts = list(links), Counts()

    async def meet() -> Peer:
        return cast("Peer", left.pop(0))

    job = SendFile("app", bytes(TOTAL_BYTES), "none")
    async for _ in upload(meet, [job], counts):
        pass
    return counts


END = (UploadVerified("app"), UploadActivated("app"))


def test_bytes_that_the_watch_had_before_hide_none_that_were_sent_twice(
    runner: asyncio.Runner,
) -> None:
    link = ToldLink(started(600), progress(600, 100), progress(1000, 500), *END)
    counts = runner.run(counts_of(link))
    assert (counts.sent_bytes, counts.repeated_bytes) == (500, 100)


def test_what_a_watch_forgot_with_the_link_is_sent_twice(runner: asyncio.Runner) -> None:
    first = ToldLink(started(0), progress(600, 600))
    second = ToldLink(started(400), progress(1000, 600), *END)
    counts = runner.run(counts_of(first, second))
    assert (counts.links, counts.sent_bytes, counts.repeated_bytes) == (2, 1200, 200)


def test_a_transfer_that_began_anew_on_its_link_counts_what_it_sent_before(
    runner: asyncio.Runner,
) -> None:
    link = ToldLink(started(0), progress(600, 600), started(0), progress(1000, 1600), *END)
    counts = runner.run(counts_of(link))
    assert (counts.sent_bytes, counts.repeated_bytes) == (1600, 600)
