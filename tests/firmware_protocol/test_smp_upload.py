"""Uploads over SMP against the virtual server: the offset's rules, and every fault of a link."""

import itertools
import sys
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.events import (
    Event,
    FrameIgnored,
    Identified,
    ImagesRead,
    JobDone,
    JobFailed,
    UploadActivated,
    UploadProgress,
    UploadStarted,
    UploadVerified,
)
from firmware_protocol.family import Advertisement, JobError
from firmware_protocol.images import ImagePart
from firmware_protocol.jobs import (
    Bind,
    ConfirmImage,
    Identify,
    InstallImage,
    ReadImages,
)
from firmware_protocol.updates.loader import Flash, firmware_mark
from firmware_protocol.updates.smp import TRANSPORT
from firmware_protocol.updates.smp.conversation import Conversation
from firmware_protocol.updates.smp.gatt import CHARACTERISTIC, SERVICE
from firmware_protocol.updates.smp.loader import ServerTraits, SmpLoader
from firmware_protocol.updates.smp.upload import SmpUpload
from tests.firmware_protocol.image_builders import mcuboot_image
from tests.firmware_protocol.smp_rig import (
    NO_REASSEMBLY,
    NOTIFICATION_FAULTS,
    OLD,
    OVERHEAD,
    SECTOR,
    SMALL,
    WRITE_FAULTS,
    Fault,
    LinkLostError,
    Parrot,
    Rig,
    chunks_in,
    digest_of,
    image_of,
    loader_of,
    part_of,
    request,
)

SHORT = image_of(900)
KEY = ec.generate_private_key(ec.SECP256R1())
MESSAGE = 10 * 244  # whole writes in a buffer of 2475
WINDOW = 3  # of four buffers one is for the answer


def failure_in(events: list[Event]) -> JobFailed:
    assert isinstance(events[-1], JobFailed), events[-1]
    assert not any(isinstance(event, UploadActivated) for event in events)
    return events[-1]


def progress_in(events: list[Event]) -> UploadProgress:
    return [event for event in events if isinstance(event, UploadProgress)][-1]


# ---- the whole way


@pytest.mark.parametrize(
    "traits",
    [
        SMALL,
        NO_REASSEMBLY,
        ServerTraits(older=True, slot_bytes=32 * SECTOR),
        ServerTraits(buffers=2, buffer_bytes=300, slot_bytes=32 * SECTOR),
        ServerTraits(checks_whole=False, slot_bytes=32 * SECTOR, notify_bytes=20),
        ServerTraits(overwrite=True, slot_bytes=32 * SECTOR),
    ],
)
def test_an_image_is_installed_tried_and_kept(traits: ServerTraits) -> None:
    image = image_of(20_000)
    loader = loader_of(traits)
    rig = Rig(loader)
    events = rig.install(image)
    started, *_ = [event for event in events if isinstance(event, UploadStarted)]
    assert started == UploadStarted("watch.bin", 20_000, 0)
    assert [type(event) for event in events[-3:]] == [UploadVerified, UploadActivated, JobDone]
    last = progress_in(events)
    assert last.acknowledged_bytes == 20_000
    # not told of its buffers we send one request more than an older server of four can take
    assert last.repeated_bytes == last.sent_bytes - 20_000 == (884 if traits.older else 0)
    assert loader.link_must_drop
    assert loader.flash.application == image
    assert loader.flash.firmware_version == 2
    assert loader.flash.log == ["installed 20000 bytes"]

    rig.meet()
    assert rig.run(ConfirmImage(digest_of(image).upper())) == [
        JobDone(ConfirmImage(digest_of(image).upper()))
    ]
    loader.restart(rig.now_s)
    assert loader.flash.application == image


@pytest.mark.parametrize(
    "size",
    [
        OVERHEAD + 1,
        *(32 + 2417 + more for more in (-1, 0, 1)),  # the first chunk, and one that fills a message
        *(32 + WINDOW * 2417 + more for more in (-1, 0, 1)),
        (32 - 1) * SECTOR,  # a slot without its trailer
    ],
)
def test_every_size_arrives(size: int) -> None:
    image = image_of(size)
    loader = loader_of()
    assert isinstance(Rig(loader).install(image)[-1], JobDone)
    assert loader.boot.running() == image


def test_an_image_that_is_not_confirmed_goes_back() -> None:
    image = image_of(9_000)
    loader = loader_of(application=b"no image of MCUboot, and without a mark", version=17)
    rig = Rig(loader)
    rig.install(image)
    rig.meet()
    loader.restart(rig.now_s)
    assert loader.flash == Flash(
        b"no image of MCUboot, and without a mark",
        17,
        ["installed 9000 bytes", f"installed {39 + OVERHEAD} bytes"],
    )
    met = rig.meet()
    assert isinstance(met[0], Identified)
    assert met[0].info.firmware_version == "17.0.0"
    failed = failure_in(rig.run(ConfirmImage(digest_of(image))))
    assert failed.kind == "refused"
    assert "another image runs" in failed.reason
    # and what went back is still there: it is tried again without being sent again
    events = rig.run(InstallImage(part_of(image)))
    assert UploadStarted("watch.bin", 9_000, 9_000) in events
    assert isinstance(events[-1], JobDone)
    assert loader.flash.application == image


def test_identify_tells_the_buffers_and_what_runs() -> None:
    (identified, done) = Rig(loader_of()).run(Identify())
    assert isinstance(identified, Identified)
    assert (identified.info.family, identified.info.product) == ("smp", "bootloader")
    assert identified.info.firmware_version == "1.1.0"
    assert identified.info.facts == {"buffer_bytes": 2475, "buffers": 4}
    assert done == JobDone(Identify())


def test_identify_without_an_image_that_runs() -> None:
    identified = Rig(loader_of(application=None)).run(Identify())[0]
    assert isinstance(identified, Identified)
    assert identified.info.firmware_version is None


def test_images_are_told_with_their_state() -> None:
    image = image_of(5_000)
    loader = loader_of()
    rig = Rig(loader)
    rig.run(Identify())
    rig.run(InstallImage(part_of(image), last=False))  # it waits for the restart
    assert not loader.link_must_drop
    told = rig.run(ReadImages())[0]
    assert isinstance(told, ImagesRead)
    first, second = told.images
    assert (first.slot, first.version, first.digest) == ("0.0", "1.1.0", digest_of(OLD))
    assert first.state == ("active", "confirmed", "bootable")
    assert (second.slot, second.version, second.digest) == ("0.1", "1.2.0", digest_of(image))
    assert second.state == ("pending", "bootable")
    assert loader.flash.application == OLD


def test_what_runs_already_is_not_restarted() -> None:
    """A restart would end its trial."""
    loader = loader_of()
    rig = Rig(loader)
    rig.install(SHORT)
    rig.meet()
    events = rig.run(InstallImage(part_of(SHORT)))
    assert UploadActivated("watch.bin") in events
    assert not loader.link_must_drop
    assert loader.flash.application == SHORT


def test_what_waits_already_is_only_restarted() -> None:
    loader = loader_of()
    rig = Rig(loader)
    rig.run(Identify())
    rig.run(InstallImage(part_of(SHORT), last=False))
    rig.meet()
    rig.run(InstallImage(part_of(SHORT)))
    assert chunks_in(rig.written) == []
    assert loader.flash.application == SHORT


# ---- windows and sizes


def test_as_many_requests_fly_as_there_are_buffers_but_one() -> None:
    class Watched(SmpLoader):
        most = 0

        def data_to_send(self) -> list[tuple[str, bytes]]:
            self.most = max(self.most, len(self._answers))
            return super().data_to_send()

    loader = Watched(Flash(OLD, 1), SMALL)
    assert isinstance(Rig(loader).install(image_of(60_000))[-1], JobDone)
    assert loader.most == WINDOW


def test_messages_fill_whole_writes() -> None:
    rig = Rig(loader_of())
    rig.install(image_of(60_000))
    chunks = chunks_in(rig.written)
    assert [len(chunk["data"]) for chunk in chunks[:2]] == [32, 2417]
    assert set(chunks[0]) == {"off", "data", "len", "sha", "image"}
    assert set(chunks[1]) == {"off", "data"}
    uploads = [data for data in rig.written[3:-3] if len(data) == 244]
    assert len(uploads) > 0.97 * len(rig.written[3:-3])


@pytest.mark.parametrize("old", [False, True])
def test_without_reassembly_a_request_is_one_write(old: bool) -> None:
    """Also where the buffer is larger: an echo of two writes comes back as an error, or not."""
    traits = ServerTraits(
        reassembles=False, buffer_bytes=244 if old else 2475, slot_bytes=32 * SECTOR
    )
    loader = loader_of(traits)
    rig = Rig(loader)
    assert isinstance(rig.install(image_of(9_000))[-1], JobDone)
    assert all(len(data) <= 244 for data in rig.written)
    assert max(len(chunk["data"]) for chunk in chunks_in(rig.written)) == 244 - 22


def test_a_server_that_swallows_the_echo_gets_one_write() -> None:
    class Swallows(SmpLoader):
        def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
            if b"kkkk" not in data and data != b"k":
                super().receive_write(uuid, data, now_s)

    loader = Swallows(Flash(OLD, 1), ServerTraits(reassembles=False, slot_bytes=32 * SECTOR))
    assert isinstance(Rig(loader).install(image_of(9_000))[-1], JobDone)


def test_buffers_that_are_too_small_are_refused() -> None:
    traits = ServerTraits(buffer_bytes=80, slot_bytes=32 * SECTOR)
    failed = failure_in(Rig(loader_of(traits)).install(SHORT))
    assert failed.kind == "unsupported"
    assert "80 bytes" in failed.reason


def test_short_memory_makes_the_window_smaller() -> None:
    class Greedy(SmpLoader):
        """It says four buffers and has two."""

        def data_to_send(self) -> list[tuple[str, bytes]]:
            due = super().data_to_send()
            self._traits = ServerTraits(buffers=2, slot_bytes=32 * SECTOR)
            return due

    loader = Greedy(Flash(OLD, 1), SMALL)
    image = image_of(60_000)
    events = Rig(loader).install(image)
    assert isinstance(events[-1], JobDone)
    assert progress_in(events).repeated_bytes <= WINDOW * MESSAGE
    assert loader.flash.application == image


def test_memory_that_stays_short_is_a_failure() -> None:
    loader = loader_of(ServerTraits(buffers=2, slot_bytes=32 * SECTOR))
    rig = Rig(loader)
    rig.run(Identify())
    loader._traits = ServerTraits(buffers=1, slot_bytes=32 * SECTOR)
    failed = failure_in(rig.run(InstallImage(part_of(SHORT))))
    assert "not enough memory" in failed.reason


# ---- lost links, and what a watch had kept


def test_a_lost_link_is_resumed_where_the_watch_got_to() -> None:
    image = image_of(60_000)
    rig = Rig(loader_of(), faults=(Fault("lose-write", 140),))
    with pytest.raises(LinkLostError):
        rig.install(image)
    first_link = len(b"".join(rig.written))
    rig.meet()
    rig.written.clear()
    events = rig.run(InstallImage(part_of(image)))
    (started,) = [event for event in events if isinstance(event, UploadStarted)]
    held = started.held_bytes
    assert held > 20_000
    announcement, *others = chunks_in(rig.written)
    assert (announcement["off"], len(announcement["data"])) == (0, 32)
    assert min(chunk["off"] for chunk in others) == held
    assert first_link - held <= WINDOW * MESSAGE
    assert progress_in(events).sent_bytes == 60_000 - held
    assert rig.loader.flash.application == image


def test_an_image_without_its_last_bytes_is_not_taken_for_whole() -> None:
    """Its digest is listed before its signature is in flash."""
    image = mcuboot_image(firmware_mark(2) * 300, key=KEY)
    end_of_digest = image.index(bytes.fromhex(digest_of(image)), 1000) + 32
    assert len(image) - end_of_digest > 80
    for links in ("lose-write", "drop-write"):
        traits = ServerTraits(buffer_bytes=244, reassembles=False, slot_bytes=8 * SECTOR)
        clean = Rig(loader_of(traits))
        clean.install(image)
        last_chunk = clean.writes - 4  # behind it: a list, a trial, a restart
        rig = Rig(loader_of(traits), faults=(Fault(links, last_chunk),))
        rig.update(image)
        rig.mend()
        assert rig.update(image) or links == "drop-write"
        assert rig.loader.flash.application == image


def test_another_file_begins_anew() -> None:
    rig = Rig(loader_of(), faults=(Fault("lose-write", 60),))
    with pytest.raises(LinkLostError):
        rig.install(image_of(60_000))
    other = image_of(60_000, seed=1)
    rig.meet()
    events = rig.run(InstallImage(part_of(other)))
    assert UploadStarted("watch.bin", 60_000, 0) in events
    assert rig.loader.flash.application == other


def test_after_a_power_cut_it_begins_anew() -> None:
    image = image_of(60_000)
    rig = Rig(loader_of(), faults=(Fault("cut-write", 140),))
    with pytest.raises(LinkLostError):
        rig.install(image)
    assert rig.loader.flash.application == OLD
    rig.meet()
    assert UploadStarted("watch.bin", 60_000, 0) in rig.run(InstallImage(part_of(image)))
    assert rig.loader.flash.application == image


def test_a_lost_last_answer_costs_no_second_upload() -> None:
    image = image_of(30_000)
    clean = Rig(loader_of())
    clean.run(Identify())
    clean.run(InstallImage(part_of(image), last=False))
    last_answer = clean.notified - 4 - 1  # a list before and after, each of several notifications
    for at in range(last_answer - 3, last_answer + 1):
        rig = Rig(loader_of(), faults=(Fault("drop", at),))
        events = rig.install(image)
        assert isinstance(events[-1], JobDone)
        assert progress_in(events).repeated_bytes <= WINDOW * MESSAGE
        assert rig.loader.flash.application == image


def test_a_watch_that_goes_back_is_followed() -> None:
    """It forgets what it had, once: its offset is the truth (6.3 step 4)."""

    class Forgets(SmpLoader):
        writes = 0

        def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
            self.writes += 1
            if self.writes == 100:
                upload = self._images._upload
                assert upload is not None
                upload.offset = 5_000
            super().receive_write(uuid, data, now_s)

    image = image_of(60_000)
    loader = Forgets(Flash(OLD, 1), SMALL)
    events = Rig(loader).install(image)
    assert isinstance(events[-1], JobDone)
    acknowledged = [each.acknowledged_bytes for each in events if isinstance(each, UploadProgress)]
    assert any(later < before for before, later in itertools.pairwise(acknowledged))
    assert loader.flash.application == image


def test_a_watch_that_forgets_all_gets_the_announcement_again() -> None:
    class Forgets(SmpLoader):
        writes = 0

        def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
            self.writes += 1
            if self.writes == 100:
                self._images.forget()
            super().receive_write(uuid, data, now_s)

    image = image_of(60_000)
    rig = Rig(Forgets(Flash(OLD, 1), SMALL))
    events = rig.install(image)
    assert isinstance(events[-1], JobDone)
    assert [chunk["len"] for chunk in chunks_in(rig.written) if "len" in chunk] == [60_000] * 2
    assert rig.loader.flash.application == image


def test_a_watch_that_says_no_more_while_it_goes_back_is_asked_again() -> None:
    """The answers to what was in flight behind the wrong offset are errors, or lost."""

    class GoesBack(SmpLoader):
        writes = 0

        def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
            self.writes += 1
            upload = self._images._upload
            if self.writes == 100 and upload is not None:
                upload.offset = 5_000
            super().receive_write(uuid, data, now_s)

        def data_to_send(self) -> list[tuple[str, bytes]]:
            due = super().data_to_send()
            if not 100 <= self.writes < 130 or len(due) < WINDOW:
                return due
            self.writes = 130
            (uuid, first), (_, second), _ = due
            return [(uuid, first), (uuid, request(3, 1, 1, {"rc": 10}, second[6]))]

    image = image_of(60_000)
    loader = GoesBack(Flash(OLD, 1), SMALL)
    rig = Rig(loader)
    events = rig.install(image)
    assert isinstance(events[-1], JobDone)
    assert loader.writes > 130
    assert rig.now_s == 10.0  # one answer was waited for
    assert loader.flash.application == image


def test_a_second_image_on_the_same_link_asks_for_no_sizes_again() -> None:
    rig = Rig(loader_of())
    failure_in(rig.install(image_of(SECTOR * 40)))  # too large for the slot
    rig.written.clear()
    assert isinstance(rig.run(InstallImage(part_of(SHORT)))[-1], JobDone)
    assert not any(b"kkkk" in data for data in rig.written)


# ---- no wrong verdict


def test_an_upload_that_is_never_acknowledged_fails_and_changes_nothing() -> None:
    """Even where each chunk brings the answer to the same chunk of the upload before."""
    first, second = image_of(9_000), image_of(9_000, 3)
    loader = Parrot(Flash(OLD, 1), NO_REASSEMBLY)
    rig = Rig(loader, deaf=True)
    assert isinstance(rig.install(first)[-1], JobDone)
    loader.link_lost(rig.now_s)
    rig.run(ConfirmImage(digest_of(first)))
    loader.repeats = True
    failed = failure_in(rig.run(InstallImage(part_of(second))))
    assert failed.kind == "silent"
    assert "behind byte 32" in failed.reason
    assert loader.repeated >= WINDOW + 2
    assert loader.flash.application == first


def test_a_watch_that_falls_silent_in_the_middle_is_given_up() -> None:
    class FallsSilent(SmpLoader):
        writes = 0

        def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
            self.writes += 1
            if self.writes < 100:
                super().receive_write(uuid, data, now_s)

    rig = Rig(FallsSilent(Flash(OLD, 1), SMALL))
    before_s = rig.now_s
    failed = failure_in(rig.install(image_of(60_000)))
    assert failed.kind == "silent"
    assert failed.reason == "the watch did not answer when asked how far it got"
    assert rig.now_s - before_s == 10.0 + 3 * 5.0


def test_a_watch_that_takes_no_more_chunks_is_given_up() -> None:
    """It answers all but them; less and less is sent at once: three messages, one, and one."""

    class TakesNoMore(SmpLoader):
        def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
            if len(data) < 40 or len(chunks) < 20:
                chunks.append(data)
                super().receive_write(uuid, data, now_s)
                self._request = b"" if len(chunks) == 20 else self._request

    chunks: list[bytes] = []
    rig = Rig(TakesNoMore(Flash(OLD, 1), NO_REASSEMBLY))
    failed = failure_in(rig.install(image_of(20_000)))
    assert failed.kind == "silent"
    assert "behind byte" in failed.reason
    assert rig.now_s == 30.0
    assert len([data for data in rig.written[20:] if len(data) > 40]) <= WINDOW + 1 + 1


def test_an_erase_may_take_its_time() -> None:
    """40 s, not the wait for a chunk (6.3 step 3)."""

    class Erases(SmpLoader):
        asked_s: float | None = None
        held: list[tuple[str, bytes]]

        def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
            super().receive_write(uuid, data, now_s)
            if data[4:6] + data[7:8] == b"\0\1\1" and self.asked_s is None:
                self.asked_s = now_s
                self.held = super().data_to_send()

    loader = Erases(Flash(OLD, 1), SMALL)
    rig = Rig(loader)
    rig.run(Identify())
    events = rig.session.start(InstallImage(part_of(SHORT)), rig.now_s)
    while loader.asked_s is None:
        rig._write()
        events += rig._turn() if loader.asked_s is None else []
    deadline_s = rig.session.deadline_s()
    assert deadline_s == loader.asked_s + 40.0
    assert rig.session.timed_out(loader.asked_s + 39.0) == []
    for uuid, data in loader.held:
        events += rig.session.receive_data(uuid, data, loader.asked_s + 39.0)
    assert UploadStarted("watch.bin", len(SHORT), 0) in events


def test_a_spoilt_image_is_erased_and_comes_whole_the_next_time() -> None:
    image = image_of(30_000)
    rig = Rig(loader_of(), faults=(Fault("corrupt-write", 60),), seed=3)
    failed = failure_in(rig.install(image))
    assert "another SHA-256" in failed.reason
    assert set(rig.loader.boot.secondary.content) == {0xFF}
    assert rig.update(image)
    assert rig.loader.flash.application == image


def test_a_watch_that_does_not_check_does_not_start_a_spoilt_image() -> None:
    """Only its boot loader sees it; then the old image runs, and confirming fails."""
    traits = ServerTraits(checks_whole=False, slot_bytes=32 * SECTOR)
    image = image_of(30_000)
    rig = Rig(loader_of(traits), faults=(Fault("corrupt-write", 60),), seed=3)
    assert not rig.update(image)
    assert rig.loader.flash.application == OLD
    assert rig.update(image)
    assert rig.loader.flash.application == image


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"off": 100_000}, "acknowledged byte 100000"),
        ({"off": -1}, "acknowledged byte -1"),
        ({}, "does not say how far"),
        ({"err": {"group": 1, "rc": 11}}, "flash read failed"),
        ({"err": {"group": 1, "rc": 999}}, "error 999 of images"),
        ({"err": {"group": 64, "rc": 5}}, "error 5 of group 64"),
        ({"rc": 9}, "corrupt"),
        ({"rc": 300}, "an error of its own (300)"),
        ({"rc": 77}, "error 77"),
    ],
)
def test_whatever_a_watch_says_to_a_chunk_ends_in_words(
    answers: dict[str, object], said: str
) -> None:
    class Says(SmpLoader):
        def data_to_send(self) -> list[tuple[str, bytes]]:
            return [
                (uuid, request(3, 1, 1, answers, data[6]) if chunk_answer(data) else data)
                for uuid, data in super().data_to_send()
            ]

    loader = Says(Flash(OLD, 1), SMALL)
    failed = failure_in(Rig(loader).install(image_of(9_000)))
    assert said in failed.reason
    assert loader.flash.application == OLD


def chunk_answer(data: bytes) -> bool:
    """An answer to a chunk behind the announcement, whose offset is 32."""
    return (data[0], data[5], data[7]) == (0x0B, 1, 1) and data[-2:] != b"\x18\x20"


def edited(loader: SmpLoader, command: int, edit: Callable[[dict[str, Any]], None]) -> None:
    """Have a server answer something else to one of its image commands."""
    key = (2, 1, 0) if command else (0, 1, 0)
    real = loader._handlers[key]

    def handler(fields: dict[str, Any]) -> dict[str, Any]:
        answer = real(fields)
        edit(answer)
        return answer

    loader._handlers = {**loader._handlers, key: handler}


def test_an_image_that_is_not_listed_is_not_activated() -> None:
    loader = loader_of()
    edited(loader, 0, lambda answer: answer["images"].__delitem__(slice(1, None)))
    failed = failure_in(Rig(loader).install(SHORT))
    assert "does not list the image" in failed.reason
    assert loader.flash.application == OLD


def test_a_watch_that_does_not_mean_to_try_it_is_not_restarted() -> None:
    loader = loader_of()
    edited(loader, 1, lambda answer: answer["images"][1].update(pending=False))
    failed = failure_in(Rig(loader).install(SHORT))
    assert "does not mean to try" in failed.reason
    assert not loader.link_must_drop


def test_two_images_that_run_are_one_too_many() -> None:
    loader = loader_of()
    rig = Rig(loader)
    rig.run(Identify())
    rig.run(InstallImage(part_of(SHORT), last=False))
    edited(loader, 0, lambda answer: answer["images"][1].update(active=True))
    assert failure_in(rig.run(ReadImages())).kind == "malformed"
    edited(loader, 0, lambda answer: answer["images"][1].update(image=1))
    assert isinstance(rig.run(ReadImages())[-1], JobDone)


def test_a_confirmation_is_believed_only_where_it_is_listed() -> None:
    loader = loader_of()
    rig = Rig(loader)
    rig.install(SHORT)
    rig.meet()
    edited(loader, 1, lambda answer: answer["images"][0].update(confirmed=False))
    failed = failure_in(rig.run(ConfirmImage(digest_of(SHORT))))
    assert "does not say that it keeps" in failed.reason


def test_an_image_without_a_digest_cannot_be_confirmed() -> None:
    loader = loader_of()
    edited(loader, 0, lambda answer: answer["images"][0].pop("hash"))
    rig = Rig(loader)
    rig.run(Identify())
    assert failure_in(rig.run(ConfirmImage(digest_of(OLD)))).kind == "refused"
    told = rig.run(ReadImages())[0]
    assert isinstance(told, ImagesRead)
    assert told.images[0].digest is None


def test_what_runs_is_found_in_any_slot() -> None:
    loader = loader_of()
    rig = Rig(loader)
    rig.run(Identify())
    rig.run(InstallImage(part_of(SHORT), last=False))
    edited(loader, 0, lambda answer: answer["images"].reverse())
    failed = failure_in(rig.run(ConfirmImage(digest_of(SHORT))))
    assert "another image runs" in failed.reason


def test_nothing_is_activated_before_it_was_verified() -> None:
    upload = SmpUpload(Conversation(244), part_of(SHORT), last=True)
    with pytest.raises(LocalProtocolError):
        next(iter(upload.activate()))


# ---- jobs that end before anything is sent


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        SHORT[:-1],
        SHORT + b"\0",
        SHORT + SHORT,
        SHORT.ljust(4096, b"\xff") + bytes.fromhex("77c295f360d2ef7f3552500f2cb67980"),
        image_of(900).replace(b"\x10\0\x20\0", b"\xa0\0\x20\0"),  # no digest among the TLVs
    ],
)
def test_what_is_no_whole_image_is_not_sent(data: bytes) -> None:
    rig = Rig(loader_of())
    rig.run(Identify())
    rig.written.clear()
    failed = failure_in(rig.run(InstallImage(ImagePart("x.bin", "application", data))))
    assert failed.kind == "invalid"
    assert rig.written == []


def test_other_jobs_are_not_for_this_service() -> None:
    rig = Rig(loader_of())
    rig.run(Identify())
    assert failure_in(rig.run(Bind())).kind == "unsupported"


def test_a_silent_watch_is_not_identified() -> None:
    class Silent(SmpLoader):
        def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
            if data[7] == 6 and self.says_buffers:
                super().receive_write(uuid, data, now_s)

        says_buffers = False

    loader = Silent(Flash(OLD, 1), SMALL)
    assert failure_in(Rig(loader).run(Identify())).kind == "silent"
    loader.says_buffers = True
    assert failure_in(Rig(loader).run(Identify())).kind == "silent"


def test_answers_that_nobody_waits_for_are_only_noted() -> None:
    rig = Rig(loader_of())
    rig.run(Identify())
    stray = request(3, 1, 1, {"off": 7}, 0)
    assert rig.session.receive_data(CHARACTERISTIC, stray, 0.0) == [
        FrameIgnored("an answer that nobody waits for", "smp.image.upload.reply")
    ]


def test_buffers_of_nothing_are_no_buffers() -> None:
    identified = Rig(loader_of(ServerTraits(buffers=4, slot_bytes=32 * SECTOR))).run(Identify())[0]
    assert isinstance(identified, Identified)
    loader = loader_of()
    loader._handlers = {
        **loader._handlers,
        (0, 0, 6): lambda _: {"buf_size": 2475, "buf_count": 0},
    }
    identified = Rig(loader).run(Identify())[0]
    assert isinstance(identified, Identified)
    assert identified.info.facts == {}


# ---- the transport's own words


def test_the_transport_is_beside_the_application() -> None:
    assert TRANSPORT.name == "smp"
    assert not TRANSPORT.leaves_application
    assert TRANSPORT.on_trial
    assert TRANSPORT.loader_addresses("AA:BB:CC:DD:EE:FF") == ("AA:BB:CC:DD:EE:FF",)
    assert TRANSPORT.is_loader(Advertisement("a", None, -40, frozenset({SERVICE})))
    assert not TRANSPORT.is_loader(Advertisement("a", None, -40))
    assert isinstance(TRANSPORT.open_loader(Flash(OLD, 1)), SmpLoader)


def test_without_the_extra_jobs_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("dialect", "loader"):
        monkeypatch.setitem(sys.modules, f"firmware_protocol.updates.smp.{module}", None)
    dialect = TRANSPORT.open_dialect(244)
    with pytest.raises(JobError, match=r"ksos-link\[smp\]") as raised:
        dialect.dialogue(Identify())
    assert raised.value.kind == "unsupported"
    assert dialect.receive_data(CHARACTERISTIC, b"\0") == []
    assert dialect.unsolicited(None) == ([], [])  # type: ignore[arg-type]
    with pytest.raises(LocalProtocolError, match="smp"):
        TRANSPORT.open_loader(Flash(OLD, 1))


# ---- every fault, everywhere


def frames_of_an_update(traits: ServerTraits, image: bytes) -> tuple[int, int]:
    rig = Rig(loader_of(traits))
    assert rig.update(image)
    return rig.notified, rig.writes


def look_after(rig: Rig, image: bytes, *, kept: bool) -> None:
    """What must hold after a run with faults, and after one more without."""
    flash = rig.loader.flash
    assert flash.boots
    assert flash.application in (OLD, image)
    if kept:
        assert flash.application == image
        rig.loader.restart(rig.now_s)
        assert flash.application == image, "it was said to be kept"
    rig.mend()
    assert any(rig.update(image) for _ in range(2))
    assert flash.application == image
    rig.loader.restart(rig.now_s)
    assert flash.application == image


@pytest.mark.parametrize("kind", [*NOTIFICATION_FAULTS, *WRITE_FAULTS])
def test_every_fault_at_every_frame(kind: str) -> None:
    traits = ServerTraits(
        buffer_bytes=244, reassembles=False, slot_bytes=4 * SECTOR, notify_bytes=60
    )
    notifications, writes = frames_of_an_update(traits, SHORT)
    for at in range(writes if kind.endswith("write") else notifications):
        for seed in range(4 if kind.startswith("corrupt") else 1):
            rig = Rig(loader_of(traits), faults=(Fault(kind, at),), seed=seed)
            look_after(rig, SHORT, kept=rig.update(SHORT))


faults = st.builds(
    Fault,
    st.sampled_from([*NOTIFICATION_FAULTS, *WRITE_FAULTS]),
    st.integers(0, 60),
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    faults=st.lists(faults, max_size=5),
    size=st.sampled_from([150, 600, 2448, 2449, 2450, 7283, 7284, 12_000]),
    traits=st.sampled_from(
        [
            ServerTraits(slot_bytes=8 * SECTOR),
            ServerTraits(slot_bytes=8 * SECTOR, older=True),
            ServerTraits(slot_bytes=8 * SECTOR, buffer_bytes=244, reassembles=False),
        ]
    ),
    seed=st.integers(0, 999),
)
def test_any_faults_end_in_a_true_verdict(
    faults: list[Fault], size: int, traits: ServerTraits, seed: int
) -> None:
    # bits that flip cannot be seen in SMP's answers (6.3): more than one may make a wrong word
    flips = [fault for fault in faults if fault.kind.startswith("corrupt")]
    chosen = [fault for fault in faults if fault not in flips[1:]]
    image = image_of(size)
    rig = Rig(loader_of(traits), faults=tuple(chosen), seed=seed)
    look_after(rig, image, kept=rig.update(image))


@settings(max_examples=60, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 40), min_size=1, max_size=4),
    at_once=st.booleans(),
    overwrite=st.booleans(),
)
def test_power_cuts_in_flash_leave_a_watch_that_starts(
    cuts: list[int], at_once: bool, overwrite: bool
) -> None:
    """Counted in steps of the flash, from the first chunk or from the restart on."""
    traits = ServerTraits(slot_bytes=8 * SECTOR, overwrite=overwrite)
    image = image_of(9_000)
    loader = loader_of(traits)
    rig = Rig(loader)
    for cut in cuts:
        if not at_once:
            rig.meet()
            rig.run(InstallImage(part_of(image), last=False))
        loader.boot.power.steps_left = cut
        rig.update(image)
        loader.boot.power.steps_left = None
        assert loader.flash.boots
        assert loader.flash.application in (OLD, image)
    assert any(rig.update(image) for _ in range(2))
    assert loader.flash.application == image
