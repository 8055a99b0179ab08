"""The virtual SMP server and its MCUboot: the rules of uploads, slots, swaps and their restarts."""

import hashlib
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.updates.loader import Flash, firmware_mark
from firmware_protocol.updates.smp.bootloader import (
    Mcuboot,
    PowerCutError,
    SwapKind,
    Trailer,
    as_image,
    image_in,
    sound_image_in,
)
from firmware_protocol.updates.smp.gatt import CHARACTERISTIC
from firmware_protocol.updates.smp.loader import ServerTraits, SmpLoader
from tests.firmware_protocol.image_builders import mcuboot_image, tlv
from tests.firmware_protocol.smp_rig import (
    OLD,
    SECTOR,
    SMALL,
    asked,
    digest_of,
    image_of,
    loader_of,
    request,
    said_by,
)

NEW = image_of(9_000)
READ, WRITE = 0, 2


def state_of(loader: SmpLoader) -> list[dict[str, Any]]:
    images: list[dict[str, Any]] = asked(loader, request(READ, 1, 0, {}))["images"]
    return images


def flags_of(loader: SmpLoader) -> list[set[str]]:
    return [{name for name, value in image.items() if value is True} for image in state_of(loader)]


def upload(loader: SmpLoader, **fields: object) -> Any:
    return asked(loader, request(WRITE, 1, 1, fields))


def first_chunk(loader: SmpLoader, image: bytes, **more: object) -> Any:
    fields: dict[str, object] = {
        "off": 0,
        "data": image[:500],
        "len": len(image),
        "sha": hashlib.sha256(image).digest(),
    }
    return upload(loader, **{name: value for name, value in (fields | more).items() if value != ""})


def fill(loader: SmpLoader, image: bytes = NEW) -> Any:
    """A whole upload; the last answer."""
    told = first_chunk(loader, image)
    while told["off"] < len(image):
        told = upload(loader, off=told["off"], data=image[told["off"] :][:2000])
    return told


def try_it(loader: SmpLoader, image: bytes = NEW, *, confirm: bool = False) -> Any:
    return asked(
        loader,
        request(WRITE, 1, 0, {"hash": bytes.fromhex(digest_of(image)), "confirm": confirm}),
    )


def reset(loader: SmpLoader) -> None:
    assert asked(loader, request(WRITE, 0, 5, {})) == {}
    assert loader.link_must_drop
    loader.link_lost(0.0)
    assert not loader.link_must_drop


def error(code: int) -> dict[str, object]:
    return {"err": {"group": 1, "rc": code}}


# ---- the rules of an upload


def test_a_whole_upload_says_that_it_matches() -> None:
    loader = loader_of()
    assert fill(loader) == {"off": 9_000, "match": True}
    assert bytes(loader.boot.secondary.content[:9_000]) == NEW
    assert loader.flash == Flash(OLD, 1)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"data": NEW[:31]}, 22),
        ({"len": ""}, 21),
        ({"off": ""}, 20),
        ({"off": "far"}, 20),
        ({"off": -1}, 20),
        ({"data": bytes(500)}, 23),
        ({"len": 31 * SECTOR + 1}, 30),
        ({"len": 499}, 31),
        ({"upgrade": True, "data": OLD[:500]}, 27),
    ],
)
def test_a_first_chunk_is_looked_at(changes: dict[str, object], code: int) -> None:
    loader = loader_of()
    assert first_chunk(loader, NEW, **changes) == error(code)
    assert loader.flash.application == OLD


@pytest.mark.parametrize("changes", [{"sha": 10**9}, {"data": "text"}, {"data": ""}])
def test_values_of_the_wrong_kind(changes: dict[str, object]) -> None:
    assert first_chunk(loader_of(), NEW, **changes) == {"rc": 3}


def test_an_upgrade_goes_up_only() -> None:
    assert first_chunk(loader_of(), NEW, upgrade=True) == {"off": 500}
    assert first_chunk(loader_of(application=None), OLD, upgrade=True) == {"off": 500}


def test_a_chunk_out_of_order_is_answered_with_the_offset() -> None:
    loader = loader_of()
    assert upload(loader, off=500, data=b"x") == {"off": 0}
    first_chunk(loader, NEW)
    for offset in (499, 501, 9_000):
        assert upload(loader, off=offset, data=b"x") == {"off": 500}
    assert first_chunk(loader, NEW, sha="", len=900) == {"off": 500}
    assert upload(loader, off=500, data=bytes(401)) == error(31)
    assert upload(loader, off=500, data=NEW[500:501]) == {"off": 501}


def test_the_same_upload_goes_on_and_another_erases() -> None:
    loader = loader_of()
    first_chunk(loader, NEW)
    upload(loader, off=500, data=NEW[500:900])
    loader.link_lost(0.0)
    assert first_chunk(loader, NEW) == {"off": 900}
    other = image_of(9_000, 3)
    assert first_chunk(loader, other) == {"off": 500}
    assert loader.boot.secondary.content[500:900] == b"\xff" * 400
    # without a digest nothing is known again
    assert first_chunk(loader, NEW, sha="") == {"off": 500}
    assert first_chunk(loader, NEW, sha="") == {"off": 500}
    loader.restart(0.0)
    assert upload(loader, off=500, data=b"x") == {"off": 0}


def test_an_upload_without_a_digest_says_no_match() -> None:
    loader = loader_of()
    first_chunk(loader, NEW, sha="")
    assert upload(loader, off=500, data=NEW[500:2000]) == {"off": 2000}
    for at in range(2000, 9000, 1000):
        told = upload(loader, off=at, data=NEW[at : at + 1000])
    assert told == {"off": 9000}


def test_a_spoilt_upload_says_so() -> None:
    loader = loader_of()
    first_chunk(loader, NEW)
    for at in range(500, 9000, 500):
        told = upload(loader, off=at, data=bytes(500))
    assert told == {"off": 9000, "match": False}


def test_the_slot_is_erased_on_request_only_where_nobody_needs_it() -> None:
    loader = loader_of()
    fill(loader)
    assert len(state_of(loader)) == 2
    assert asked(loader, request(WRITE, 1, 5, {})) == {}
    assert len(state_of(loader)) == 1
    assert asked(loader, request(WRITE, 1, 5, {"slot": 0})) == error(9)
    fill(loader)
    try_it(loader)
    assert asked(loader, request(WRITE, 1, 5, {"slot": 1})) == error(9)
    assert first_chunk(loader, OLD) == error(9)


# ---- states, as the reference's list and decision table have them


def test_the_states_of_a_trial() -> None:
    loader = loader_of()
    assert flags_of(loader) == [{"bootable", "active", "confirmed"}]
    fill(loader)
    assert flags_of(loader)[1] == {"bootable"}
    assert [image["version"] for image in state_of(loader)] == ["1.1.0", "1.2.0"]
    told = try_it(loader)["images"]
    assert told == state_of(loader)
    assert flags_of(loader) == [{"bootable", "active", "confirmed"}, {"bootable", "pending"}]
    assert loader.boot.next_swap() is SwapKind.TEST
    reset(loader)
    assert flags_of(loader) == [{"bootable", "active"}, {"bootable", "confirmed"}]
    assert loader.boot.next_swap() is SwapKind.REVERT
    assert loader.flash.application == NEW
    assert first_chunk(loader, image_of(9_000, 3)) == error(9)
    assert try_it(loader, OLD) == error(9)
    assert asked(loader, request(WRITE, 1, 0, {"confirm": True}))["images"][0]["confirmed"]
    assert flags_of(loader) == [{"bootable", "active", "confirmed"}, {"bootable"}]
    loader.restart(0.0)
    assert loader.flash.application == NEW
    assert loader.flash.log == ["installed 9000 bytes"]


def test_a_trial_that_is_not_confirmed_ends_with_the_next_restart() -> None:
    loader = loader_of()
    fill(loader)
    try_it(loader)
    reset(loader)
    reset(loader)
    assert loader.flash == Flash(OLD, 1, ["installed 9000 bytes", "installed 600 bytes"])
    assert loader.boot.primary.trailer == Trailer(True, True, True)
    assert flags_of(loader) == [{"bootable", "active", "confirmed"}, {"bootable"}]


def test_a_permanent_image_does_not_go_back() -> None:
    loader = loader_of()
    fill(loader)
    try_it(loader, confirm=True)
    assert flags_of(loader)[1] == {"bootable", "pending", "permanent"}
    assert loader.boot.next_swap() is SwapKind.PERMANENT
    reset(loader)
    reset(loader)
    assert loader.flash.application == NEW


def test_state_writes_that_are_refused() -> None:
    loader = loader_of()
    fill(loader)
    assert asked(loader, request(WRITE, 1, 0, {})) == error(24)
    assert asked(loader, request(WRITE, 1, 0, {"hash": bytes(32)})) == error(8)
    assert try_it(loader, OLD) == error(33)
    assert try_it(loader, OLD, confirm=True)["images"][0]["confirmed"]


def test_overwriting_has_no_way_back() -> None:
    loader = loader_of(ServerTraits(overwrite=True, slot_bytes=32 * SECTOR))
    fill(loader)
    try_it(loader)
    reset(loader)
    assert flags_of(loader) == [{"bootable", "active", "confirmed"}]
    reset(loader)
    assert loader.flash == Flash(NEW, 2, ["installed 9000 bytes"])


# ---- what MCUboot starts


@pytest.mark.parametrize(
    "image",
    [
        NEW[:-1] + b"x",
        NEW[:5_000] + b"x" + NEW[5_001:],
        mcuboot_image(firmware_mark(3) * 9, flags=0x10),
        mcuboot_image(firmware_mark(3) * 9, algorithm="sha512"),
    ],
)
def test_an_image_that_is_not_sound_is_erased(image: bytes) -> None:
    loader = loader_of()
    fill(loader, image)
    loader.boot.mark_pending(permanent=False)
    reset(loader)
    assert loader.flash == Flash(OLD, 1)
    assert set(loader.boot.secondary.content) == {0xFF}
    assert loader.boot.primary.trailer.image_ok


@pytest.mark.parametrize(
    ("image", "sound"),
    [
        (mcuboot_image(protected=tlv(0x50, bytes(4))), True),
        (mcuboot_image(header_bytes=512, extra=tlv(0xA0, b"x")), True),
        (mcuboot_image(protected=tlv(0x50, bytes(4)))[:-40], False),
        (mcuboot_image(protected=tlv(0x50, bytes(4)))[:-60], False),
        (b"", False),
        (bytes(64), False),
        (mcuboot_image()[:300], False),
        (mcuboot_image(header_bytes=16), False),
    ],
)
def test_headers_and_tlvs(image: bytes, sound: bool) -> None:
    assert (sound_image_in(image) is not None) is sound


def test_a_protected_area_of_another_size_than_announced() -> None:
    image = bytearray(mcuboot_image(protected=tlv(0x50, bytes(4))))
    struct.pack_into("<H", image, 10, 16)
    assert image_in(image) is None


def test_an_application_of_any_kind_is_wrapped() -> None:
    image = as_image(b"x" * 40, 7)
    found = sound_image_in(image)
    assert found is not None
    assert found.end == len(image)
    loader = loader_of(application=b"x" * 40, version=7)
    assert state_of(loader)[0]["version"] == "7.0.0"
    # an image that is one stays as it is
    assert state_of(loader_of())[0]["hash"].hex() == digest_of(OLD)
    build = loader_of(application=mcuboot_image(firmware_mark(4), version=(1, 2, 3, 4)))
    assert state_of(build)[0]["version"] == "1.2.3.4"


def test_a_watch_without_an_application_gets_one() -> None:
    loader = loader_of(application=None)
    assert state_of(loader) == []
    fill(loader)
    try_it(loader)
    reset(loader)
    assert loader.flash.application == NEW
    # going back finds nothing to go back to
    loader.restart(0.0)
    assert loader.flash.application == NEW


def test_an_image_that_would_not_start_is_seen_in_the_flash() -> None:
    """MCUboot starts it: only its mark is missing, so that the virtual watch has no version."""
    loader = loader_of()
    silent = mcuboot_image(b"\x01" * 900)
    fill(loader, silent)
    try_it(loader, silent)
    reset(loader)
    assert not loader.flash.boots
    loader.restart(0.0)
    assert loader.flash.application == OLD


def test_a_primary_slot_that_is_lost_leaves_nothing_to_start() -> None:
    loader = loader_of()
    loader.boot.primary.content[100] ^= 1
    loader.restart(0.0)
    assert loader.flash == Flash(None, 1, ["erased"])
    assert not loader.stays


# ---- power


@settings(deadline=None, max_examples=60)
@given(
    cuts=st.lists(st.integers(0, 12), max_size=6),
    overwrite=st.booleans(),
    confirm=st.booleans(),
)
def test_a_swap_goes_on_after_any_power_cut(
    cuts: list[int], overwrite: bool, confirm: bool
) -> None:
    boot = Mcuboot(OLD, slot_bytes=8 * SECTOR, overwrite=overwrite)
    boot.erase()
    boot.write(0, NEW)
    boot.mark_pending(permanent=confirm)
    for cut in cuts:
        boot.power.steps_left = cut
        try:
            boot.boot()
        except PowerCutError:
            assert boot.running() in (None, OLD, NEW)
        else:
            break
    boot.power.steps_left = None
    if boot.running() != NEW or boot.next_swap() is SwapKind.TEST:
        boot.boot()
    assert boot.running() == NEW
    if not overwrite:
        assert bytes(boot.secondary.content[: len(OLD)]) == OLD
        assert set(boot.secondary.content[len(OLD) :]) == {0xFF}


def test_every_step_of_a_swap_can_be_the_last_before_the_power_goes() -> None:
    steps = 1 + 3 * (1 + 2 + 2) + 1
    logs = []
    for cut in range(steps + 2):
        loader = loader_of()
        fill(loader)
        try_it(loader)
        loader.boot.power.steps_left = cut
        reset(loader)
        assert loader.flash.application == NEW
        logs.append(list(loader.flash.log))
        loader.boot.power.steps_left = cut
        loader.restart(0.0)
        assert loader.flash.application == OLD
    assert logs[steps - 1] == ["power cut in a swap", "installed 9000 bytes"]
    assert logs[steps] == ["installed 9000 bytes"]


def test_a_power_cut_at_any_write_forgets_the_upload() -> None:
    for cut in range(6):
        loader = loader_of()
        loader.boot.power.steps_left = cut
        told: Any = first_chunk(loader, NEW)
        while told is not None:
            told = upload(loader, off=told["off"], data=NEW[told["off"] :][:500])
        assert loader.link_must_drop
        assert asked(loader, request(READ, 1, 0, {})) is None
        loader.link_lost(0.0)
        assert loader.flash == Flash(OLD, 1)
        assert upload(loader, off=500, data=b"x") == {"off": 0}


# ---- buffers and messages


def test_requests_come_in_parts_where_it_can_put_them_together() -> None:
    loader = loader_of()
    message = request(WRITE, 0, 0, {"d": "x" * 300})
    for at in range(0, len(message), 20):
        assert said_by(loader) == []
        loader.receive_write(CHARACTERISTIC, message[at : at + 20], 0.0)
    assert len(said_by(loader)) == 1


def test_a_part_that_is_missing_spoils_the_next_request() -> None:
    loader = loader_of()
    loader.receive_write(CHARACTERISTIC, request(WRITE, 0, 0, {"d": "x" * 30})[:40], 0.0)
    assert asked(loader, request(READ, 1, 0, {})) == {"rc": 9}
    assert asked(loader, request(READ, 0, 6, {})) == {"buf_size": 2475, "buf_count": 4}
    loader.receive_write(CHARACTERISTIC, request(WRITE, 0, 0, {"d": "x" * 30})[:40], 0.0)
    loader.link_lost(0.0)
    assert asked(loader, request(READ, 0, 6, {})) == {"buf_size": 2475, "buf_count": 4}


def test_a_server_that_cannot_put_parts_together_says_corrupt() -> None:
    loader = loader_of(ServerTraits(reassembles=False, slot_bytes=32 * SECTOR))
    message = request(WRITE, 0, 0, {"d": "k" * 300})
    assert asked(loader, message[:244]) == {"rc": 9}
    assert asked(loader, message[244:]) is None
    assert asked(loader, message) == {"r": "k" * 300}


def test_a_message_beyond_the_buffer_is_too_large() -> None:
    loader = loader_of(ServerTraits(buffer_bytes=100, slot_bytes=32 * SECTOR))
    assert asked(loader, request(WRITE, 0, 0, {"d": "x" * 100})) == {"rc": 7}
    assert asked(loader, request(WRITE, 0, 0, {"d": "x" * 100})[:50]) == {"rc": 7}


def test_each_request_needs_a_buffer_and_its_answer_one_more() -> None:
    loader = loader_of()
    message = request(WRITE, 0, 0, {"d": "x"})
    for _ in range(6):
        loader.receive_write(CHARACTERISTIC, message, 0.0)
    said = [answer[8:] for answer in said_by(loader)]
    assert said == [b"\xa1arax"] * 3 + [b"\xa1brc\x02"]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (request(READ, 0, 7, {}), {"rc": 8}),
        (request(WRITE, 9, 0, {}), {"rc": 8}),
        (request(WRITE, 0, 0, b"\xff"), {"rc": 3}),
        (request(WRITE, 0, 0, b"\x80"), {"rc": 3}),
        (request(WRITE, 0, 0, {}), {"r": ""}),
        (request(1, 0, 0, {}), None),
        (b"\x0a\0\0", None),
    ],
)
def test_other_messages(message: bytes, said: object) -> None:
    assert asked(loader_of(), message) == said


def test_an_older_server_says_numbers_only() -> None:
    loader = loader_of(ServerTraits(older=True, slot_bytes=32 * SECTOR))
    assert asked(loader, request(READ, 0, 6, {})) == {"rc": 8}
    assert asked(loader, request(WRITE, 1, 0, {"hash": bytes(32)})) == {"rc": 5}
    assert first_chunk(loader, NEW, data=bytes(500)) == {"rc": 3}
    assert first_chunk(loader, NEW, len=10**9) == {"rc": 1}
    loader.receive_write(CHARACTERISTIC, request(READ, 1, 0, {}, 9), 0.0)
    assert said_by(loader)[0][0] == 1


def test_answers_are_cut_and_other_characteristics_are_not_ours() -> None:
    loader = SmpLoader(Flash(OLD, 1), ServerTraits(notify_bytes=20, slot_bytes=32 * SECTOR))
    loader.link_opened(0.0)
    loader.subscribed(CHARACTERISTIC, 0.0)
    loader.receive_write("0af6", request(READ, 1, 0, {}), 0.0)
    assert loader.data_to_send() == []
    assert loader.read_value(CHARACTERISTIC, 0.0) == b""
    loader.receive_write(CHARACTERISTIC, request(READ, 1, 0, {}), 0.0)
    sizes = [len(data) for _, data in loader.data_to_send()]
    assert max(sizes) == 20
    assert loader.data_to_send() == []
    assert SmpLoader(Flash(OLD, 1)).boot.most_bytes == 319 * SECTOR
    assert SMALL.notify_bytes == 128
