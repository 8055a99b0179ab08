"""Uploads to the virtual bootloader over good and bad links: no wrong verdict, no needless byte."""

import zlib
from collections import deque
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.events import (
    Event,
    FrameIgnored,
    Identified,
    JobDone,
    JobFailed,
    Remarked,
    UploadActivated,
    UploadProgress,
    UploadStarted,
    UploadVerified,
)
from firmware_protocol.family import Advertisement
from firmware_protocol.jobs import EnterLoader, Identify, InstallImage, Job, ReadImages
from firmware_protocol.session import CompanionSession, SessionState
from firmware_protocol.updates.nordic_secure import TRANSPORT, gatt
from firmware_protocol.updates.nordic_secure.dialect import SecureDialect
from firmware_protocol.updates.nordic_secure.loader import NordicSecureLoader
from firmware_protocol.updates.nordic_secure.loader_init import SecureTraits
from firmware_protocol.updates.transport import addresses_beside
from tests.firmware_protocol.image_builders import InitFields
from tests.firmware_protocol.nordic_secure_rig import (
    NOTIFICATION_FAULTS,
    OLD,
    PAGE,
    WRITE_FAULTS,
    Fault,
    LinkLostError,
    Rig,
    image_of,
    install_again,
    new_flash,
    new_rig,
    part_of,
)

SHORT = image_of(2 * PAGE + 700)
SHORT_PART = part_of(SHORT)
SIZES = (1, 3, 4, 243, 244, 245, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE - 1, 2 * PAGE, 2 * PAGE + 1)


def installed_with(events: list[Event]) -> bool:
    """Whether the client says so; it must say all of it or nothing."""
    activated = any(isinstance(event, UploadActivated) for event in events)
    assert activated == any(isinstance(event, UploadVerified) for event in events)
    return activated


def failed(events: list[Event]) -> JobFailed:
    assert isinstance(events[-1], JobFailed)
    assert not installed_with(events)
    return events[-1]


def held_of(events: list[Event]) -> int:
    (started,) = [event for event in events if isinstance(event, UploadStarted)]
    return started.held_bytes


# ---- the good way


def test_a_whole_upload_byte_for_byte() -> None:
    rig, flash = new_rig()
    events = rig.install(SHORT_PART)
    assert [event for event in events if not isinstance(event, UploadProgress)] == [
        UploadStarted("application.bin", len(SHORT), 0),
        UploadVerified("application.bin"),
        UploadActivated("application.bin"),
        JobDone(InstallImage(SHORT_PART)),
    ]
    progress = [event for event in events if isinstance(event, UploadProgress)]
    assert [event.acknowledged_bytes for event in progress] == [PAGE, 2 * PAGE, len(SHORT)]
    assert all(event.repeated_bytes == 0 for event in progress)
    assert [request.hex() for request in rig.control] == [
        *("0601", "020000", "0601", "010186000000", "03", "04"),
        *("0602", "010200100000", "03", "04", "010200100000", "03", "04"),
        *("0102bc020000", "03", "04"),
    ]
    assert b"".join(rig.packets) == SHORT_PART.head + SHORT
    assert {len(packet) for packet in rig.packets[1:17]} == {244}
    assert flash.installed == [SHORT]
    assert flash.firmware_version == 2


@pytest.mark.parametrize("size_bytes", SIZES)
@pytest.mark.parametrize(("link_bytes", "packet_bytes"), [(20, 20), (182, 180), (514, 512)])
def test_sizes_at_the_borders(size_bytes: int, link_bytes: int, packet_bytes: int) -> None:
    rig, flash = new_rig(max_write_bytes=link_bytes)
    image = image_of(size_bytes)
    assert installed_with(rig.install(part_of(image)))
    assert flash.installed == [image]
    assert max(map(len, rig.packets)) <= packet_bytes


@pytest.mark.parametrize("part", [part_of(b""), replace(SHORT_PART, head=b"")])
def test_nothing_is_sent_of_what_is_no_image(part: object) -> None:
    rig, flash = new_rig()
    assert failed(rig.install(part)).kind == "invalid"  # type: ignore[arg-type]
    assert rig.packets == []
    assert flash.log == []


def test_the_loader_says_what_it_is() -> None:
    rig, _ = new_rig()
    (identified, done) = rig.run(Identify())
    assert isinstance(done, JobDone)
    assert isinstance(identified, Identified)
    assert identified.info.family == TRANSPORT.name == "nordic-secure"
    assert identified.info.facts == {"init_packet_max_bytes": 512, "init_packet_held_bytes": 0}


@pytest.mark.parametrize("job", [ReadImages(), EnterLoader()])
def test_other_jobs_are_not_for_a_loader(job: Job) -> None:
    rig, _ = new_rig()
    rig.run(Identify())
    assert failed(rig.run(job)).kind == "unsupported"


FIRST = InitFields(fw_version=2, type=3, app_size=0, sd_size=PAGE, bl_size=500)
FIRST_PART = replace(part_of(image_of(PAGE + 500), FIRST), kind="softdevice_bootloader")


def test_parts_come_one_after_the_other() -> None:
    rig, flash = new_rig()
    rig.run(Identify())
    assert installed_with(rig.run(InstallImage(FIRST_PART, last=False)))
    assert stays(rig)
    assert not flash.boots
    assert installed_with(rig.install(SHORT_PART))
    assert flash.installed == [SHORT]


def test_a_part_that_is_there_is_passed_by() -> None:
    """A package that was begun is begun again from its first part, and yet ends well."""
    rig, flash = new_rig()
    rig.run(Identify())
    rig.run(InstallImage(FIRST_PART, last=False))
    rig.run(Identify())
    first = rig.run(InstallImage(FIRST_PART, last=False))
    assert isinstance(first[0], Remarked)
    assert isinstance(first[1], JobDone)
    assert not installed_with(first)
    assert installed_with(rig.run(InstallImage(SHORT_PART)))
    assert flash.installed == [SHORT]
    # alone it is refused, and so is what is for other hardware
    rig.run(Identify())
    assert "too low" in failed(rig.run(InstallImage(FIRST_PART))).reason
    other = part_of(FIRST_PART.data, replace(FIRST, hw_version=1))
    assert "hardware" in failed(rig.run(InstallImage(other, last=False))).reason


def stays(rig: Rig) -> bool:
    assert isinstance(rig.loader, NordicSecureLoader)
    return rig.loader.stays


# ---- what the loader refuses


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (InitFields(fw_version=0), "the firmware version is too low"),
        (InitFields(hw_version=1), "another hardware version"),
        (InitFields(softdevices=(1,)), "another SoftDevice"),
        (InitFields(hash_type=4), "kind of hash"),
        (InitFields(op_code=0), "init command is invalid"),
    ],
)
def test_a_wrong_init_packet_is_refused_in_words(said: InitFields, words: str) -> None:
    rig, flash = new_rig()
    failure = failed(rig.install(part_of(SHORT, replace(said, app_size=len(SHORT)))))
    assert failure.kind == "refused"
    assert words in failure.reason
    assert flash.application == OLD
    assert "0602" not in [request.hex() for request in rig.control]


def test_a_wrong_image_is_found_before_it_starts() -> None:
    rig, flash = new_rig()
    wrong = replace(SHORT_PART, data=SHORT[:-1] + bytes([SHORT[-1] ^ 1]))
    failure = failed(rig.install(wrong))
    assert "the hash does not fit the image" in failure.reason
    assert flash.installed == []
    assert installed_with(rig.run(InstallImage(SHORT_PART)))
    assert flash.installed == [SHORT]


@pytest.mark.parametrize("change_bytes", [-1, 1])
def test_an_image_of_another_length_than_announced_never_starts(change_bytes: int) -> None:
    rig, flash = new_rig()
    data = SHORT[:change_bytes] if change_bytes < 0 else SHORT + b"\0"
    failed(rig.install(replace(SHORT_PART, data=data)))
    assert flash.installed == []
    assert installed_with(install_again(rig, SHORT_PART))
    assert flash.installed == [SHORT]


def test_an_init_packet_that_is_too_long_is_not_sent() -> None:
    flash = new_flash()
    rig = Rig(NordicSecureLoader(flash, SecureTraits(command_bytes=133)))
    assert failed(rig.install(SHORT_PART)).kind == "invalid"
    assert rig.packets == []


# ---- how an upload goes on


@pytest.mark.parametrize("kind", WRITE_FAULTS)
def test_a_lost_link_at_any_write_costs_at_most_one_window(kind: str) -> None:
    last, _ = new_rig()
    last.install(SHORT_PART)
    for at in range(1, last.written):
        rig, flash = new_rig(faults=(Fault(kind, at),))
        with pytest.raises(LinkLostError) as lost:
            rig.install(SHORT_PART)
        assert not installed_with(list(lost.value.args))
        first_bytes = sum(map(len, rig.packets))
        rig.connect()
        before = len(rig.packets)
        events = rig.install(SHORT_PART)
        assert installed_with(events), at
        assert flash.installed == [SHORT]
        sent_bytes = sum(map(len, rig.packets[before:]))
        init_bytes = len(SHORT_PART.head)
        assert sent_bytes - init_bytes <= len(SHORT) - held_of(events) <= sent_bytes
        # not one byte before the place that the loader named
        rest = SHORT[held_of(events) :]
        assert b"".join(rig.packets[before:]).endswith(rest)
        assert first_bytes + sent_bytes <= 2 * init_bytes + len(SHORT) + PAGE


@pytest.mark.parametrize("kind", NOTIFICATION_FAULTS)
def test_a_fault_at_any_notification_is_never_a_wrong_verdict(kind: str) -> None:
    good, _ = new_rig()
    good.install(SHORT_PART)
    for at in range(good.notified):
        for seed in range(12 if kind == "corrupt" else 1):
            rig, flash = new_rig(faults=(Fault(kind, at),), seed=seed)
            check_attempts(rig, flash, SHORT)


def check_attempts(rig: Rig, flash: object, image: bytes, most: int = 30) -> None:
    """Attempts until success; after each of them client and flash agree on what was installed."""
    installed: list[bytes] = flash.installed  # type: ignore[attr-defined]
    part = part_of(image)
    for _ in range(most):
        before = len(installed)
        try:
            events = rig.install(part)
        except LinkLostError as lost:
            events = list(lost.args)
            rig.connect()
        assert all(each == image for each in installed)
        if installed_with(events):
            assert installed[before:] == [image]
            return
    raise AssertionError("no attempt succeeds")


faults = st.builds(Fault, st.sampled_from(NOTIFICATION_FAULTS + WRITE_FAULTS), st.integers(0, 70))


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(SIZES) | st.integers(1, 3 * PAGE),
    st.lists(faults, max_size=8),
    st.integers(0, 1000),
    st.sampled_from([61, 182, 244, 512]),
    st.booleans(),
)
def test_any_faults_any_size(
    size_bytes: int, some: list[Fault], seed: int, link_bytes: int, dual_bank: bool
) -> None:
    flash = new_flash()
    loader = NordicSecureLoader(flash, SecureTraits(dual_bank=dual_bank))
    rig = Rig(loader, faults=tuple(some), seed=seed, max_write_bytes=link_bytes)
    check_attempts(rig, flash, image_of(size_bytes))
    if dual_bank and "erased" in flash.log:
        raise AssertionError("the old application was lost")


def interrupted(*, after: str, count: int = 1) -> tuple[Rig, object]:
    """A rig whose link broke right before the `count`-th request that begins so."""
    rig, flash = new_rig()
    rig.run(Identify())
    left = deque(range(count))
    write = rig.loader.receive_write

    def stop(uuid: str, data: bytes, now_s: float) -> None:
        if uuid == gatt.CONTROL_POINT and data.hex().startswith(after):
            left.popleft()
            if not left:
                rig.loader.link_lost(now_s)
                raise LinkLostError
        write(uuid, data, now_s)

    rig.loader.receive_write = stop  # type: ignore[method-assign]
    with pytest.raises(LinkLostError):
        rig.run(InstallImage(SHORT_PART))
    rig.loader.receive_write = write  # type: ignore[method-assign]
    rig.control.clear()
    rig.packets.clear()
    rig.connect()
    return rig, flash


def said_after(rig: Rig, request: str) -> list[str]:
    requests = [each.hex() for each in rig.control]
    return requests[requests.index(request) + 1 :]


def test_the_init_packet_goes_on_where_it_stopped() -> None:
    rig, _ = interrupted(after="03")
    part = part_of(SHORT)
    loader = rig.loader
    assert isinstance(loader, NordicSecureLoader)
    del loader._init[60:]
    assert installed_with(rig.install(part))
    requests = [each.hex() for each in rig.control]
    assert requests[:5] == ["0601", "020000", "0601", "03", "04"]
    assert rig.packets[0] == part.head[60:]


def test_another_init_packet_is_replaced() -> None:
    rig, flash = interrupted(after="04", count=2)
    other = image_of(PAGE + 9, version=3)
    events = rig.install(part_of(other, InitFields(fw_version=3, app_size=len(other))))
    assert installed_with(events)
    assert held_of(events) == 0
    assert flash.installed == [other]  # type: ignore[attr-defined]


def test_a_whole_object_is_executed_not_sent_again() -> None:
    rig, flash = interrupted(after="04", count=2)  # the first is that of the init packet
    events = rig.install(SHORT_PART)
    assert held_of(events) == PAGE
    assert said_after(rig, "0602")[:2] == ["04", "010200100000"]
    assert b"".join(rig.packets) == SHORT[PAGE:]
    assert flash.installed == [SHORT]  # type: ignore[attr-defined]


def test_an_executed_object_may_be_executed_again() -> None:
    rig, flash = interrupted(after="0102", count=2)
    events = rig.install(SHORT_PART)
    assert held_of(events) == PAGE
    assert bytes.fromhex("600408") in rig.said
    assert flash.installed == [SHORT]  # type: ignore[attr-defined]


def test_an_open_object_goes_on() -> None:
    rig, flash = interrupted(after="03", count=3)
    loader = rig.loader
    assert isinstance(loader, NordicSecureLoader)
    del loader._object[1000:]
    events = rig.install(SHORT_PART)
    assert held_of(events) == PAGE + 1000
    assert said_after(rig, "0602")[:2] == ["03", "04"]
    assert b"".join(rig.packets) == SHORT[PAGE + 1000 :]
    assert flash.installed == [SHORT]  # type: ignore[attr-defined]


@pytest.mark.parametrize("kept_bytes", [1000, PAGE])
def test_a_wrong_object_is_created_anew(kept_bytes: int) -> None:
    rig, flash = interrupted(after="03", count=3)
    loader = rig.loader
    assert isinstance(loader, NordicSecureLoader)
    del loader._object[kept_bytes:]
    loader._object[5] ^= 1
    events = rig.install(SHORT_PART)
    assert held_of(events) == PAGE
    assert said_after(rig, "0602")[:2] == ["010200100000", "03"]
    assert flash.installed == [SHORT]  # type: ignore[attr-defined]


def test_a_whole_image_is_only_executed() -> None:
    rig, flash = interrupted(after="04", count=4)
    events = rig.install(SHORT_PART)
    assert held_of(events) == len(SHORT)
    assert said_after(rig, "0602") == ["04"]
    assert rig.packets == []
    assert installed_with(events)
    assert flash.installed == [SHORT]  # type: ignore[attr-defined]


def test_a_whole_image_that_was_executed_is_sent_anew() -> None:
    rig, flash = interrupted(after="04", count=4)
    loader = rig.loader
    assert isinstance(loader, NordicSecureLoader)
    loader._kept_image += loader._object  # executed, and yet it did not start it
    loader._object.clear()
    events = rig.install(SHORT_PART)
    assert held_of(events) == 0
    assert installed_with(events)
    assert b"".join(rig.packets) == SHORT_PART.head + SHORT
    assert flash.installed == [SHORT]  # type: ignore[attr-defined]


# ---- answers that are not what was waited for


def altered(asked: str, answers: list[str], *, times: int = 1000, skip: int = 0) -> Rig:
    """A rig where answers that begin so are replaced, the first `skip` of them not."""
    seen = 0

    def alter(data: bytes) -> list[bytes]:
        nonlocal seen
        if data.hex().startswith(asked):
            seen += 1
            if skip < seen <= skip + times:
                return [bytes.fromhex(answer) for answer in answers]
        return [data]

    rig, _ = new_rig()
    rig.run(Identify())
    rig.alter = alter
    return rig


def flash_of(rig: Rig) -> object:
    assert isinstance(rig.loader, NordicSecureLoader)
    return rig.loader.flash


@pytest.mark.parametrize(
    ("asked", "skip", "kind", "attempts"),
    [
        ("6002", 0, "silent", 3),
        ("6006", 0, "silent", 3),
        ("6006", 1, "silent", 3),
        ("6004", 0, "refused", 3),
    ],
)
def test_silence_ends_in_bounded_time(asked: str, skip: int, kind: str, attempts: int) -> None:
    rig = altered(asked, [], skip=skip)
    begun_s = rig.now_s
    assert failed(rig.run(InstallImage(SHORT_PART))).kind == kind
    assert rig.now_s - begun_s == pytest.approx(attempts * 20.0, abs=1.0)
    assert flash_of(rig).installed == []  # type: ignore[attr-defined]


def test_a_silent_loader_is_not_met() -> None:
    rig, _ = new_rig(alter=lambda _: [])
    failure = failed(rig.run(Identify()))
    assert (failure.kind, rig.now_s) == ("silent", 60.0)


def test_where_no_sum_is_told_the_selection_tells_it() -> None:
    rig = altered("6003", [])
    assert installed_with(rig.run(InstallImage(SHORT_PART)))
    assert flash_of(rig).installed == [SHORT]  # type: ignore[attr-defined]
    assert b"".join(rig.packets) == SHORT_PART.head + SHORT


def test_a_false_sum_is_no_success() -> None:
    """The loader's sum is wrong each time it is asked for, as is what it holds then."""
    rig, flash = new_rig()
    rig.run(Identify())

    def alter(data: bytes) -> list[bytes]:
        if data[1] == 3 and len(rig.packets) > 1:
            return [data[:-1] + bytes([data[-1] ^ 1])]
        if data[1] == 6 and data[7:11] != bytes(4) and len(rig.packets) > 1:
            return [data[:-1] + bytes([data[-1] ^ 1])]
        return [data]

    rig.alter = alter
    failure = failed(rig.run(InstallImage(SHORT_PART)))
    assert "at byte 0 did not arrive whole in 3 attempts" in failure.reason
    assert flash.installed == []
    created = [each for each in rig.control if each[:2] == b"\x01\x02"]
    assert len(created) == 3


def test_lost_packets_are_sent_again_and_counted() -> None:
    rig, flash = new_rig()
    rig.run(Identify())
    write, number = rig.loader.receive_write, 0

    def lossy(uuid: str, data: bytes, now_s: float) -> None:
        nonlocal number
        number += uuid == gatt.PACKET
        if uuid != gatt.PACKET or not 12 <= number <= 18:
            write(uuid, data, now_s)

    rig.loader.receive_write = lossy  # type: ignore[method-assign]
    events = rig.run(InstallImage(SHORT_PART))
    progress = [event for event in events if isinstance(event, UploadProgress)]
    assert progress[0].acknowledged_bytes == 10 * 244  # packets 2 to 11: the rest came too late
    assert progress[-1].repeated_bytes == PAGE - 10 * 244
    assert progress[-1].sent_bytes == len(SHORT) + PAGE - 10 * 244
    assert flash.installed == [SHORT]


@pytest.mark.parametrize(
    ("asked", "answer", "skip", "kind", "words"),
    [
        ("6006", "60060200000000", 0, "silent", ""),
        ("6006", "600601000000000000000000000000", 1, "malformed", "objects of 0 bytes"),
        ("6006", "60060100100000FFFFFF0000000000", 1, "malformed", "16777215 bytes held"),
        ("6006", "600602", 0, "refused", "not supported"),
        ("6001", "600177", 0, "refused", "code 77, which the reference does not have"),
        ("6001", "600104", 1, "refused", "insufficient resources"),
        ("6004", "60040A", 1, "refused", "operation failed"),
        ("6004", "60040B7F", 3, "refused", "code 7F"),
        ("6002", "600203", 0, "refused", "invalid parameter"),
    ],
)
def test_answers_that_end_the_upload(
    asked: str, answer: str, skip: int, kind: str, words: str
) -> None:
    rig = altered(asked, [answer], skip=skip)
    failure = failed(rig.run(InstallImage(SHORT_PART)))
    assert failure.kind == kind
    assert words in failure.reason


def test_foreign_stale_and_broken_answers_are_not_taken() -> None:
    """Before each answer come others: of an op not asked, of the last object, and noise."""
    rig, flash = new_rig()
    rig.run(Identify())
    before: deque[bytes] = deque([bytes.fromhex("600601001000000000000000000000")], maxlen=4)

    def alter(data: bytes) -> list[bytes]:
        stale = [old for old in before if old[1] != data[1]]
        before.append(data)
        return [b"\x60\x7f\x01", b"noise", b"", *stale, data]

    rig.alter = alter
    events = rig.run(InstallImage(SHORT_PART))
    assert installed_with(events)
    assert flash.installed == [SHORT]
    reasons = {event.reason for event in events if isinstance(event, FrameIgnored)}
    assert "an answer that was not asked for now" in reasons
    assert any("no answer of a Nordic loader" in reason for reason in reasons)


def test_two_uploads_in_one_session_of_which_the_second_is_never_acknowledged() -> None:
    rig, flash = new_rig(deaf=True)
    assert installed_with(rig.install(SHORT_PART))
    stale = rig.said[-4:]
    assert stale[-1] == bytes.fromhex("600401")
    other = image_of(2 * PAGE, version=3)
    part = part_of(other, InitFields(fw_version=3, app_size=len(other)))
    rig.loader.link_lost(rig.now_s)  # the bootloader begins anew, the session does not see it
    rig.loader.link_opened(rig.now_s)
    rig.loader.subscribed(gatt.CONTROL_POINT, rig.now_s)
    rig.alter = lambda _: stale
    assert failed(rig.run(InstallImage(part))).kind == "silent"
    assert flash.application == SHORT
    assert flash.log[-1] == f"installed {len(SHORT)} bytes"
    # and where everything is acknowledged but the end
    rig.alter = lambda data: [] if flash.installed[1:] else [data]
    failure = failed(rig.run(InstallImage(part)))
    assert failure.kind == "silent"
    assert "whether the image is good" in failure.reason


def test_a_link_that_is_lost_at_the_end_says_nothing_of_the_image() -> None:
    whole, _ = new_rig()
    whole.install(SHORT_PART)
    rig, flash = new_rig(faults=(Fault("drop", whole.notified - 1),))
    with pytest.raises(LinkLostError) as lost:
        rig.install(SHORT_PART)
    assert not installed_with(list(lost.value.args))
    assert flash.installed == [SHORT]  # only the application can tell


def test_a_slow_link_has_the_time_that_its_bytes_need() -> None:
    session = CompanionSession(SecureDialect(20))
    session.link_opened()
    session.start(Identify(), 0.0)
    loader = NordicSecureLoader(new_flash())
    loader.link_opened(0.0)
    loader.subscribed(gatt.CONTROL_POINT, 0.0)
    waits: list[float] = []
    events: list[Event] = []
    while not waits or waits[-1] < 24.0:
        for output in session.data_to_send():
            loader.receive_write(output.uuid, output.data, 0.0)  # type: ignore[union-attr]
        for uuid, data in loader.data_to_send():
            events += session.receive_data(uuid, data, 0.0)
            if session.state is SessionState.READY:
                events += session.start(InstallImage(SHORT_PART), 0.0)
        waits.append(session.deadline_s() or 0.0)
    assert max(waits) == 24.0  # 20 s for the answer, 4 s for 4 KiB


# ---- finding it


def test_loaders_are_known_by_their_service() -> None:
    seen = Advertisement("C0:00:00:00:00:00", "DfuTarg", -50, frozenset({gatt.SERVICE}))
    assert TRANSPORT.is_loader(seen)
    assert not TRANSPORT.is_loader(replace(seen, service_uuids=frozenset()))
    assert TRANSPORT.loader_addresses is addresses_beside


@pytest.mark.parametrize(
    ("address", "places"),
    [
        ("C0:11:22:33:44:55", ("C0:11:22:33:44:55", "C0:11:22:33:44:56")),
        ("c0:11:22:33:44:ff", ("C0:11:22:33:44:FF", "C0:11:22:33:44:00", "C0:11:22:33:45:00")),
        ("FF:FF:FF:FF:FF:FF", ("FF:FF:FF:FF:FF:FF", "FF:FF:FF:FF:FF:00", "00:00:00:00:00:00")),
        ("C0:11:22:33:44", ("C0:11:22:33:44",)),
        ("C011:22:33:44:55", ("C011:22:33:44:55",)),
        ("6F1C2D3E-0000-4A5B-8C9D-0123456789AB",) * 2,
    ],
)
def test_a_loader_may_be_beside_its_application(address: str, places: object) -> None:
    expected = (places,) if isinstance(places, str) else places
    assert addresses_beside(address) == expected


# ---- leaving the application


@pytest.mark.parametrize("entry", TRANSPORT.entries)
@pytest.mark.parametrize(
    ("answers", "kind", "words"),
    [
        (["200101"], "", ""),
        (["200201", "", "20010100", "200101"], "", ""),
        (["200104"], "refused", "insufficient resources"),
        (["2001EE"], "refused", "code EE"),
        ([], "silent", "its loader"),
    ],
)
def test_an_application_is_asked_for_its_loader(
    entry: object, answers: list[str], kind: str, words: str
) -> None:
    gatt_profile, bond = entry.gatt, entry.bond  # type: ignore[attr-defined]
    uuid = gatt.BUTTONLESS_BONDED if bond else gatt.BUTTONLESS
    assert gatt_profile.service_uuid == gatt.SERVICE
    assert gatt_profile.notify_uuids == (uuid,)
    session = CompanionSession(entry.open_dialect(20))  # type: ignore[attr-defined]
    session.link_opened()
    (identified, _) = session.start(Identify(), 0.0)
    assert isinstance(identified, Identified)
    session.start(EnterLoader(), 0.0)
    (output,) = session.data_to_send()
    assert (output.uuid, output.data, output.with_response) == (uuid, b"\x01", True)  # type: ignore[union-attr]
    events: list[Event] = []
    for answer in answers:
        events += session.receive_data(uuid, bytes.fromhex(answer), 1.0)
    events += session.timed_out(20.0)
    assert session.data_to_send() == []
    if kind:
        assert failed(events).kind == kind
        assert words in failed(events).reason
    else:
        assert isinstance(events[-1], JobDone)
    late = session.receive_data(uuid, bytes.fromhex("200101"), 30.0)
    assert [type(event) for event in late] == [FrameIgnored]


def test_an_application_can_do_nothing_else_here() -> None:
    session = CompanionSession(TRANSPORT.entries[0].open_dialect(20))
    session.link_opened()
    session.start(Identify(), 0.0)
    (event,) = session.start(InstallImage(SHORT_PART), 0.0)
    assert isinstance(event, JobFailed)
    assert event.kind == "unsupported"


def test_sums_are_those_of_zlib() -> None:
    rig, _ = new_rig()
    rig.install(SHORT_PART)
    ends = [answer for answer in rig.said if answer[:3] == b"\x60\x03\x01"]
    assert [int.from_bytes(answer[7:], "little") for answer in ends[1:]] == [
        zlib.crc32(SHORT[:end]) for end in (PAGE, 2 * PAGE, len(SHORT))
    ]
