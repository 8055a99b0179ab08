"""Firmware files of each format: golden bytes, what a sound one says, what every fault is named."""

import hashlib
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from firmware_protocol.errors import DecodeError
from firmware_protocol.images import (
    ImageInfo,
    Result,
    legacy_init,
    mcuboot,
    nordic_init,
    problems,
    public_key_from_pem,
    read_image,
    read_sidecar,
    realtek,
    realtek_pack,
)
from tests.firmware_protocol import image_builders as build

P256 = ec.generate_private_key(ec.SECP256R1())
ED25519 = ed25519.Ed25519PrivateKey.generate()
RSA_2048 = rsa.generate_private_key(65537, 2048)
RSA_3072 = rsa.generate_private_key(65537, 3072)
KEYS = (P256, ED25519, RSA_2048, RSA_3072)

# dfu.md 12, example 7 in full, and examples 9 and 23
EXAMPLE_7 = bytes.fromhex(
    "128301 0A3D 0801 1239 0801 1034 1A028002 2000 2800 3000 388002"
    "4224 0803 1220 804894BF660211E770A81DBD5F7858714967698E64D4AF472E92D8D2E9F2AF40"
    "4800 1000 1A40" + "00" * 64
)
EXAMPLE_9 = bytes.fromhex("5200 FFFF FFFFFFFF 0100 6400 BD3F")
EXAMPLE_23 = bytes.fromhex(
    "3DB8F396 00000000 2000 0000 34120000 00000000 01 02 0300 04000000 00000000"
)


def read(
    data: bytes, name: str = "image.bin", key: build.PrivateKey | None = None, **more: object
) -> ImageInfo:
    public = public_key_from_pem(build.pem_of(key)) if key else None
    sidecar = read_sidecar(build.sidecar_toml(data, **more), "x.toml") if more else None
    return read_image(data, name, key=public, sidecar=sidecar)


def objections(info: ImageInfo) -> list[str]:
    return [check.name for check in problems(info)]


def results(info: ImageInfo, name: str) -> list[Result]:
    return [check.result for check in info.checks if check.name == name]


def changed(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def refused(data: bytes, said: str, name: str = "image.bin") -> None:
    with pytest.raises(DecodeError, match=said):
        read_image(data, name)


# ---- goldens: the worked examples of dfu.md 12


def test_example_7_is_a_signed_init_packet() -> None:
    init = nordic_init.decode(EXAMPLE_7)
    assert len(EXAMPLE_7) == 134
    assert (init.kind, init.fw_version, init.hw_version) == ("application", 1, 52)
    assert (init.softdevices, init.sizes["app_size"]) == ((0x0100,), 256)
    assert init.digest == hashlib.sha256(build.BODY).digest()
    assert (init.signature_kind, init.signature) == ("ECDSA P-256", bytes(64))
    assert (init.is_debug, init.leftover) == (False, ())
    assert build.secure_init() == EXAMPLE_7


def test_example_9_is_a_basic_legacy_init_packet() -> None:
    init = legacy_init.decode(EXAMPLE_9)
    assert (init.form, init.device_type, init.device_revision) == ("basic", 0x52, 0xFFFF)
    assert (init.application_version, init.softdevices) == (0xFFFFFFFF, (0x64,))
    assert (init.crc16, init.is_signed) == (0x3FBD, False)
    assert build.legacy_init() == EXAMPLE_9


def test_example_23_is_an_mcuboot_header() -> None:
    info = read(EXAMPLE_23)
    (part,) = info.parts
    assert part.version == "1.2.3+4"
    assert (part.facts["header_bytes"], part.facts["image_bytes"]) == (32, 0x1234)
    assert objections(info) == ["truncated"]
    assert build.mcuboot_header(0x1234) == EXAMPLE_23


# ---- every format: sound, cut short, doubled, with something behind it

SOUND: dict[str, tuple[str, str, bytes]] = {
    "mcuboot": ("smp", "app.bin", build.mcuboot_image(key=P256)),
    "nordic-secure-zip": ("nordic-secure", "app.zip", build.secure_zip()),
    "nordic-legacy-zip": ("nordic-legacy", "pine.zip", build.infinitime_zip()),
    "ido-fw": ("ido-d1", "845.fw", build.ido_fw()),
    "actions-aota": ("ido-d1", "537.bin", build.aota()),
    "realtek-image": ("realtek", "app.bin", build.realtek_bee2()),
    "realtek-pack": ("realtek", "pack.bin", build.realtek_pack({5: build.realtek_bee2()})),
}


@pytest.mark.parametrize("form", SOUND)
def test_a_sound_file_is_known_and_has_no_objection(form: str) -> None:
    transport, name, data = SOUND[form]
    info = read(data, name)
    assert (info.format, info.transport, info.refusal) == (form, transport, "")
    assert objections(info) == []
    assert Result.PASSED in results(info, "size")
    assert all(part.size_bytes == len(part.data) > 0 for part in info.parts)


@pytest.mark.parametrize("form", SOUND)
def test_a_file_that_is_cut_short_is_never_sound(form: str) -> None:
    _, name, data = SOUND[form]
    for end in (len(data) - 1, len(data) // 2, 13):
        try:
            found = objections(read(data[:end], name))
        except DecodeError:
            continue
        assert {"truncated", "size", "crc"} & set(found)


@pytest.mark.parametrize("form", SOUND)
@pytest.mark.parametrize("tail", [b"\0", b"garbage", None])
def test_a_doubled_file_and_trailing_bytes_are_named(form: str, tail: bytes | None) -> None:
    _, name, data = SOUND[form]
    longer = data + (data if tail is None else tail)
    if form.endswith("zip") and tail is None:  # a doubled archive contradicts itself
        refused(longer, "does not begin where its file begins", name)
    else:
        assert ("doubled" if tail is None else "trailing") in objections(read(longer, name))


def test_no_known_format_says_what_was_tried() -> None:
    refused(b"nothing of the kind", "of no known format; tried: .*Nordic.*MCUboot.*AOTA.*Realtek")
    refused(b"", "empty")


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("firmware_protocol.images.recognise.MAX_FILE_BYTES", 99)
    refused(bytes(100), "larger than 99 bytes")


# ---- MCUboot


@pytest.mark.parametrize("key", KEYS, ids=["p256", "ed25519", "rsa2048", "rsa3072"])
def test_mcuboot_signatures_are_verified(key: build.PrivateKey) -> None:
    data = build.mcuboot_image(key=key, protected=build.tlv(0x50, bytes(4)))
    assert results(read(data, key=key), "signature") == [Result.PASSED]
    assert results(read(data), "signature") == [Result.SKIPPED]
    other = next(each for each in KEYS if type(each) is not type(key))
    assert objections(read(data, key=other)) == ["signature"]


def test_mcuboot_ed25519_may_sign_the_whole_image() -> None:
    data = build.mcuboot_image(key=ED25519, pure=True)
    assert objections(read(data, key=ED25519)) == []


def test_mcuboot_with_a_longer_digest() -> None:
    data = build.mcuboot_image(key=ED25519, algorithm="sha512")
    info = read(data, key=ED25519)
    assert objections(info) == []
    assert set(info.parts[0].digests) == {"sha512"}
    larger = build.mcuboot_image(algorithm="sha384", extra=build.tlv(0x22, b"x"))
    (problem,) = problems(read(larger, key=P256))
    assert problem.text == "ECDSA with sha384, but the key is of ECDSA P-256"


def test_mcuboot_made_with_another_key_says_so() -> None:
    data = build.mcuboot_image(key=P256)
    (problem,) = problems(read(data, key=ec.generate_private_key(ec.SECP256R1())))
    assert problem.name == "signature"
    assert problem.text.endswith("made with another key")
    at = data.index(build.key_hash(P256))
    (problem,) = problems(read(changed(data, at, bytes(32)), key=P256))  # the watch looks for it
    assert problem.text.endswith("made with another key")


@pytest.mark.parametrize(
    "signature", [b"", b"\x30", bytes(72), b"\x30\x06\x02\x01\x01\x02\x01\x01", b"\x30\xff" * 9]
)
def test_mcuboot_nonsense_for_a_signature_does_not_fit(signature: bytes) -> None:
    data = build.mcuboot_image(extra=build.tlv(0x22, signature))
    (problem,) = problems(read(data, key=P256))
    assert (problem.name, problem.text) == ("signature", "ECDSA P-256 does not fit")


def test_mcuboot_without_a_signature_or_digest_is_objected_to() -> None:
    assert objections(read(build.mcuboot_image())) == ["unsigned"]
    bare = build.mcuboot_header(4) + b"body" + build.tlv_area(0x6907, build.tlv(0xA0, b"x"))
    info = read(bare)
    assert objections(info) == ["digest", "unsigned"]
    assert info.parts[0].facts["tlvs"] == ["type_a0"]


def test_mcuboot_protected_tlvs_are_under_the_digest() -> None:
    data = build.mcuboot_image(key=P256, protected=build.tlv(0x40, b"abcd"))
    assert objections(read(data, key=P256)) == []
    at = data.index(b"abcd")
    assert objections(read(changed(data, at, b"X"), key=P256)) == ["digest", "signature"]


def test_mcuboot_flags_and_key_are_facts() -> None:
    data = build.mcuboot_image(key=P256, flags=0x80000021, header_bytes=0x200)
    (part,) = read(data).parts
    assert part.facts["flags"] == ["pic", "ram_load", "bit_31"]
    assert part.facts["header_bytes"] == 512
    assert part.facts["key_hash"] == build.key_hash(P256).hex()
    assert part.digests["sha256"] == hashlib.sha256(data[: 512 + 256]).hexdigest()


def test_mcuboot_encrypted_images_are_not_judged_by_their_digest() -> None:
    info = read(build.mcuboot_image(key=P256, flags=4), key=P256)
    assert results(info, "digest") == results(info, "signature") == [Result.SKIPPED]
    assert objections(info) == []


def test_mcuboot_padded_to_a_slot_ends_with_its_trailer() -> None:
    data = build.mcuboot_image(key=P256)
    magic = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")
    assert objections(read(data + b"\xff" * 100 + magic)) == []
    assert objections(read(data + b"\xff" * 100)) == ["trailing"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (EXAMPLE_23[:31], "no MCUboot header"),
        (changed(EXAMPLE_23, 8, b"\x1f\0"), "shorter than one"),
        (build.mcuboot_header(0) + b"\x09\x69\x04\0", "no MCUboot TLV area at 32"),
        (build.mcuboot_header(0) + b"\x07\x69\x03\0", "no MCUboot TLV area at 32"),
        (build.mcuboot_header(0) + build.tlv_area(0x6907, b"\x10\0"), "do not fill"),
        (build.mcuboot_header(0) + build.tlv_area(0x6907, b"\x10\0\x09\0"), "beyond its area"),
        (build.mcuboot_header(0) + build.tlv_area(0x6907, bytes(4 * 513)), "do not fill"),
        (
            build.mcuboot_header(0, protected_bytes=9) + build.tlv_area(0x6908, b""),
            "differ in its size",
        ),
    ],
)
def test_mcuboot_nonsense_is_refused(data: bytes, said: str) -> None:
    refused(data, said)


def test_mcuboot_cut_within_its_tlvs_is_truncated() -> None:
    data = build.mcuboot_image(key=P256)
    for end in (32 + 256, 32 + 256 + 2, len(data) - 1):
        assert objections(read(data[:end])) == ["truncated"]


# ---- Nordic Secure DFU


@pytest.mark.parametrize("key", [P256, ED25519], ids=["p256", "ed25519"])
def test_secure_signatures_are_verified(key: build.PrivateKey) -> None:
    data = build.secure_zip(key=key)
    assert objections(read(data, key=key)) == []
    assert results(read(data), "signature") == [Result.SKIPPED]
    assert objections(read(data, key=RSA_2048)) == ["signature"]
    assert objections(read(build.secure_zip(), key=P256)) == ["signature"]


def secure(**said: Any) -> ImageInfo:  # any field of an init packet
    return read(build.secure_zip(said=build.InitFields(**said)))


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ({"app_size": 255}, ["size"]),
        ({"digest": bytes(32)}, ["digest"]),
        ({"hash_type": 0}, ["digest"]),
        ({"type": 2}, ["kind", "size"]),
        ({"type": 9}, ["kind", "size"]),
        ({"type": 4}, []),
        ({"hash_type": 4}, []),
        ({"hash_type": 1}, []),
        ({"hash_type": 77}, []),
        ({"validations": (1, 99)}, []),
        ({"fw_version": None, "hw_version": None}, []),
    ],
)
def test_secure_each_fault_has_its_name(said: dict[str, Any], names: list[str]) -> None:
    assert objections(secure(**said)) == names


def test_secure_facts_are_those_of_the_init_packet() -> None:
    (part,) = secure(fw_version=7, softdevices=(0x0100, 0xFFFE), validations=(3,)).parts
    assert (part.kind, part.version, part.head[:1]) == ("application", "7", b"\x12")
    assert part.facts["softdevices"] == ["0100", "FFFE"]
    assert part.facts["boot_validation"] == ["ecdsa"]
    assert part.digests == {"sha256": hashlib.sha256(build.BODY).hexdigest()}
    (bare,) = secure(fw_version=None, hash_type=0, digest=b"").parts
    assert (bare.version, bare.digests) == (None, {})
    (unsaid,) = secure(fw_version=0xFFFFFFFF).parts
    assert (unsaid.version, unsaid.facts["fw_version"]) == (None, 0xFFFFFFFF)


def test_secure_unsigned_and_strange_signatures_are_objected_to() -> None:
    unsigned = build.secure_init(signature=None)
    data = build.nordic_zip({"application": (build.BODY, unsigned)})
    assert objections(read(data)) == ["unsigned"]
    said = build.InitFields(signature_type=9)
    data = build.nordic_zip({"application": (build.BODY, build.secure_init(said=said))})
    assert objections(read(data)) == ["signature"]
    short = build.secure_init(signature=b"short")
    data = build.nordic_zip({"application": (build.BODY, short)})
    assert objections(read(data, key=P256)) == ["signature"]


def test_secure_strange_fields_are_objected_to() -> None:
    init = build.init_command(build.InitFields(), build.BODY) + build.field(15, 1)
    command = build.field(1, build.field(1, 1) + build.field(2, init))
    data = build.nordic_zip({"application": (build.BODY, command)})
    (strange, unsigned) = problems(read(data))
    assert (strange.name, unsigned.name) == ("init_packet", "unsigned")
    assert strange.text == "strange fields in InitCommand"


def test_secure_an_init_packet_that_is_there_twice_is_objected_to() -> None:
    both = build.secure_init(signature=None) + build.secure_init()
    data = build.nordic_zip({"application": (build.BODY, both)})
    assert objections(read(data)) == ["init_packet"]


def test_secure_packages_are_sent_softdevice_first() -> None:
    both, app = bytes(range(200)), build.BODY
    both_said = build.InitFields(type=3, sd_size=150, bl_size=50, app_size=0)
    images = {
        "application": (app, build.secure_init()),
        "softdevice_bootloader": (both, build.secure_init(both, both_said)),
    }
    info = read(build.nordic_zip(images))
    assert [part.kind for part in info.parts] == ["softdevice_bootloader", "application"]
    assert objections(info) == []
    del images["application"]
    sizes = {"info_read_only_metadata": {"sd_size": 150, "bl_size": 49}}
    alone = read(build.nordic_zip(images, extra_fields=sizes))
    assert results(alone, "order") == [Result.ADVICE]
    assert objections(alone) == ["manifest"]
    images["bootloader"] = images["softdevice_bootloader"]
    assert objections(read(build.nordic_zip(images))) == ["kind", "order"]


def test_members_that_the_manifest_does_not_name_are_advice() -> None:
    images = {"application": (build.BODY, build.secure_init())}
    data = build.nordic_zip(images, extra_members={"notes.txt": b"x"})
    info = read(data)
    assert results(info, "members") == [Result.ADVICE]
    assert objections(info) == []
    strange = build.nordic_zip(images, extra_entries={"radio\x1b": {}})
    (problem,) = problems(read(strange))
    assert (problem.name, problem.text) == ("manifest", "strange entries: radio?")


# ---- Nordic Legacy DFU


@pytest.mark.parametrize("form", legacy_init.FORMS)
def test_legacy_forms_are_told_apart(form: str) -> None:
    init = build.legacy_init(form=form, device_type=1)
    info = read(build.nordic_zip({"application": (build.BODY, init)}))
    assert info.format == "nordic-legacy-zip"
    assert info.parts[0].facts["init_form"] == form
    assert objections(info) == []
    other = build.nordic_zip({"application": (build.BODY + b"x", init)})
    found = set(objections(read(other)))
    assert found == ({"crc"} if "sha256" not in form and "ecdsa" not in form else found)
    assert found & {"crc", "digest"}


def test_legacy_has_nothing_for_a_key_to_verify() -> None:
    init = build.legacy_init(device_type=1)
    data = build.nordic_zip({"application": (build.BODY, init)})
    assert objections(read(data, key=P256)) == ["unsigned"]


def test_infinitime_is_an_mcuboot_image_in_a_legacy_package() -> None:
    info = read(build.infinitime_zip())
    (part,) = info.parts
    assert part.version == "1.14.0+0"
    assert set(part.digests) == {"crc16", "sha256"}
    assert info.facts == {"dfu_version": 0.5}
    assert results(info, "signature") == [Result.SKIPPED]  # InfiniTime asks for none
    signed = build.infinitime_zip(build.mcuboot_image(key=P256))
    assert objections(read(signed, key=P256)) == []


def test_infinitime_manifest_and_size_are_compared() -> None:
    (problem,) = problems(read(build.infinitime_zip(firmware_crc16=1, device_type=2, more=3)))
    assert problem.name == "manifest"
    assert problem.text.endswith("differ in device_type, firmware_crc16")
    assert objections(read(build.infinitime_zip(build.mcuboot_image(bytes(475136))))) == ["size"]


@pytest.mark.parametrize("size", [0, 9, 11, 13, 15])
def test_an_init_packet_of_no_known_form_is_refused(size: int) -> None:
    data = build.nordic_zip({"application": (build.BODY, bytes(size))})
    refused(data, "legacy init packet")


@pytest.mark.parametrize(
    "init",
    [
        build.field(1, b"\xff"),
        build.field(1, build.field(1, 1)),
        build.field(2, build.field(1, build.field(1, 0) + build.field(2, b""))),
    ],
)
def test_a_packet_that_starts_no_update_is_none(init: bytes) -> None:
    with pytest.raises(DecodeError):
        nordic_init.decode(init)


# ---- IDO


def test_fw_checks_its_length_and_sum() -> None:
    data = build.ido_fw()
    assert read(data).parts[0].digests == {"crc32": "29058c73"}
    assert objections(read(changed(data, 20, b"\xee"))) == ["crc"]
    assert objections(read(data[:-1], "845.fw")) == ["truncated", "crc"]
    assert objections(read(data, "845.fw", key=P256)) == ["unsigned"]
    refused(b"\0" * 8, "too short", "845.fw")


@pytest.mark.parametrize("from_start", [True, False])
def test_aota_lists_its_files(from_start: bool) -> None:
    info = read(build.aota(from_start=from_start))
    (part,) = info.parts
    assert (part.version, part.facts["board"]) == ("1.02.07", "board_a")
    assert part.facts["files"] == [
        {"name": "ota.xml", "offset": 1024, "size_bytes": 6, "crc32": "a72d35f3"},
        {"name": "TEMP.bin", "offset": 1030, "size_bytes": 256, "crc32": "29058c73"},
    ]
    assert objections(info) == []


def test_aota_each_fault_has_its_name() -> None:
    data = build.aota()
    assert objections(read(changed(data, 0x40, b"9"))) == ["crc"]
    assert objections(read(changed(data, 1024, b"X"))) == ["crc", "crc"]
    assert [check.part for check in problems(read(changed(data, 1040, b"X")))] == [
        "body",
        "TEMP.bin",
    ]
    longer = changed(data, 0x220 + 20, struct.pack("<I", 999))
    assert objections(read(longer)) == ["crc", "size"]
    assert objections(read(data[:-1])) == ["truncated", "crc", "size"]
    twice = build.aota((("a", b"1"), ("a", b"2")))
    assert objections(read(twice)) == ["duplicate"]
    assert objections(read(build.aota(head_bytes=0x200))) == ["header"]
    assert objections(read(build.aota(()))) == []


@pytest.mark.parametrize("offset", [0, 0x3F0])
def test_aota_with_its_table_elsewhere_is_refused(offset: int) -> None:
    refused(changed(build.aota(), 16, struct.pack("<H", offset)), "table")
    refused(b"AOTA" + bytes(1000), "too short")


def test_aota_with_no_text_is_named_as_it_is() -> None:
    (part,) = read(build.aota((), version="", board="")).parts
    assert (part.version, part.facts["board"]) == (None, "")


# ---- Realtek


@pytest.mark.parametrize(
    ("data", "family", "kind"),
    [
        (build.realtek_bee2(), "bee2", "application"),
        (build.realtek_bee2(image_id=0x2799, ic=9), "bee2", "app_data_6"),
        (build.realtek_bee2(image_id=0x2790, ic=12), "bee2", "ota_header"),
        (build.realtek_87x2g(), "87x2g", "mcu_application"),
        (build.realtek_87x2g(offset=196, image_id=0x37B3), "87x2g", "app_data_6"),
        (build.realtek_87x2g(offset=372, image_id=0x37AE), "87x2g", "app_data_1"),
        (build.realtek_bbpro(), "bbpro", "application"),
        (build.realtek_bee1(), "bee1", "patch"),
    ],
)
def test_realtek_families_are_told_by_their_headers(data: bytes, family: str, kind: str) -> None:
    info = read(data)
    (part,) = info.parts
    assert (part.facts["family"], part.kind) == (family, kind)
    assert objections(info) == []
    assert results(info, "digest") == [Result.SKIPPED]  # its span is not in the reference


def test_realtek_bee2_says_its_version_and_the_id_that_ido_asks_for() -> None:
    (part,) = read(build.realtek_bee2()).parts
    assert (part.version, part.facts["ido_device_id"]) == ("1.2.3.4", 0x8003)
    assert part.facts["flags"] == ["xip", "not_ready"]
    plain = build.realtek_bee2(version=build.version_word(1, 2, 0x214, 0), flags=0x4002)
    (part,) = read(plain).parts
    assert part.facts["ido_device_id"] == 0x214
    assert (part.facts["encrypted"], part.facts["flags"]) == (True, ["encrypted", "image_type_2"])
    (cut,) = read(build.realtek_bee2()[:300]).parts
    assert (cut.version, cut.digests) == (None, {})


def test_realtek_which_sum_the_watch_checks() -> None:
    def text(crc16: int) -> str:
        info = read(build.realtek_bee2(crc16=crc16))
        return next(check.text for check in info.checks if check.name == "digest")

    assert "CRC-16" in text(1)
    assert "SHA-256" in text(0)


@pytest.mark.parametrize("image_id", [0x278D, 0x278F, 0x2791, 0xFFFE])
def test_realtek_images_that_are_written_in_place_are_unsafe(image_id: int) -> None:
    assert objections(read(build.realtek_bee2(image_id=image_id))) == ["unsafe"]
    assert objections(read(build.realtek_87x2g(image_id=0x379F))) == ["unsafe"]


def test_realtek_production_files_lose_their_first_block() -> None:
    data = bytes(512) + build.realtek_bee2()
    info = read(data, "App_MP.bin")
    assert info.facts == {"stripped_bytes": 512}
    assert (info.parts[0].data, objections(info)) == (build.realtek_bee2(), [])
    refused(data, "of no known format", "app.bin")
    with pytest.raises(DecodeError, match="no header"):
        realtek.read(bytes(2000), "app.bin")


@pytest.mark.parametrize("pack_version", [1, 2, 5])
@pytest.mark.parametrize("is_long", [False, True])
def test_realtek_packs_hold_images_by_bit(pack_version: int, is_long: bool) -> None:
    high = 16 if pack_version == 1 else 128
    images = {5: build.realtek_bee2(), high + 5: build.realtek_bee2(b"other")}
    info = read(build.realtek_pack(images, pack_version=pack_version, is_long=is_long))
    assert [part.facts["bank"] for part in info.parts] == [0, 1]
    assert [part.data for part in info.parts] == list(images.values())
    assert info.facts["pack_version"] == pack_version
    assert objections(info) == []
    assert results(info, "digest")[0] == Result.PASSED


def test_realtek_pack_faults() -> None:
    data = build.realtek_pack({5: build.realtek_bee2(), 6: build.realtek_bee2()})
    assert results(read(changed(data, 10, b"\0\0")), "digest")[0] == Result.ADVICE
    cut = read(data[:-300])
    assert {"truncated"} == set(objections(cut))
    assert objections(read(build.realtek_pack({}))) == ["size"]
    strange = read(build.realtek_pack({0: b"strange"}))
    assert (strange.parts[0].kind, results(strange, "header")) == ("unknown", [Result.ADVICE])
    wrong_size = changed(data, 2, struct.pack("<I", len(data) + 1))
    assert objections(read(wrong_size)) == ["truncated", "size"]
    many = changed(data, 40, b"\xff" * 32)
    refused(many, "beyond the file")
    refused(changed(data, 40, b"\xff" * 16 + b"\1" + bytes(15)), "beyond the file")
    with pytest.raises(DecodeError, match="too short"):
        realtek_pack.read(b"GM", "x.bin")


# ---- plain binaries


def test_a_plain_binary_is_what_its_sidecar_says() -> None:
    data = b"plain bytes"
    info = read(data, transport="ido-d1", notes="from the lab")
    assert (info.format, info.transport) == ("plain", "ido-d1")
    assert info.parts[0].version == "1.4.0"
    assert info.facts["product"] == "Example Watch 2"
    assert objections(info) == []
    assert objections(read(data, size_bytes=5)) == ["trailing"]
    assert objections(read(data, size_bytes=12, sha256="0" * 64)) == ["truncated", "digest"]
    assert objections(read(data, key=P256, product="x")) == ["unsigned"]


def test_a_sidecar_counts_for_every_format() -> None:
    assert objections(read(build.ido_fw(), sha256="F" * 64)) == ["digest"]
    assert objections(read(build.ido_fw(), product="Band")) == []
    assert objections(read(build.ido_fw(), transport="ido-d1")) == []
    (problem,) = problems(read(build.ido_fw(), transport="smp"))
    assert problem.text == "the file goes over ido-d1, its sidecar says smp"


@pytest.mark.parametrize("transport", ["telink", "nordic-secure"])
def test_a_transport_that_takes_no_plain_binary_is_refused(transport: str) -> None:
    info = read(b"plain", transport=transport)
    assert transport in info.refusal
    assert objections(info) == ["unsupported"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"colour": "red"}, "colour is no field of a sidecar manifest: product, version"),
        ({"size_bytes": "12"}, "size_bytes of the sidecar manifest is no int"),
        ({"size_bytes": True}, "size_bytes of the sidecar manifest is no int"),
        ({"size_bytes": -1}, "negative"),
        ({"product": ""}, "lacks product"),
        ({"sha256": "12"}, "64 hex digits"),
        ({"sha256": "x" * 64}, "64 hex digits"),
    ],
)
def test_a_wrong_sidecar_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(DecodeError, match=said):
        read_sidecar(build.sidecar_toml(b"x", **changes), "a.toml")


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"{", "a.json", "no JSON"),
        (b"[" * 60_000, "a.json", "no JSON"),
        (b'{"product": "a", "product": "b"}', "a.json", "names something twice"),
        (b"[1]", "a.json", "no table"),
        (b"= 1", "a.toml", "no TOML"),
        (b"a = " + b"[" * 60_000, "a.toml", "no TOML"),
        (b"\xff", "a.toml", "no TOML"),
        (b"#" * 70_000, "a.toml", "more than 65536 bytes"),
        (b"{}", "a.json", "lacks product, version, size_bytes, sha256"),
    ],
)
def test_a_sidecar_that_is_none_is_refused(data: bytes, name: str, said: str) -> None:
    with pytest.raises(DecodeError, match=said):
        read_sidecar(data, name)


# ---- what nobody here speaks


@pytest.mark.parametrize(
    ("data", "name", "form"),
    [
        (b"any bytes", "watch.UFW", "jieli-ufw"),
        (bytes.fromhex("faeeebde") + bytes(99), "x.bin", "starmax"),
        (
            build.zip_of({"ctrl_packet.bin": b"c", "outlcpu_flash.bin": b"f"}),
            "543.zip",
            "sifli-zip",
        ),
        (build.zip_of({"ota/outER_IROM1.bin": b"c"}), "7877.zip", "sifli-zip"),
        (build.zip_of({"app.bin": build.mcuboot_image()}), "dfu.zip", "mcuboot-zip"),
        (
            build.zip_of({"manifest.json": b'{"files": []}', "app.bin": build.mcuboot_image()}),
            "dfu.zip",
            "mcuboot-zip",
        ),
    ],
)
def test_foreign_files_are_named_and_refused_with_the_reason(
    data: bytes, name: str, form: str
) -> None:
    info = read(data, name)
    assert (info.format, info.transport) == (form, "")
    assert len(info.refusal) > 20
    assert objections(info) == ["unsupported"]


# ---- keys


def private_pem() -> bytes:
    return P256.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("pem", "said"),
    [
        (private_pem, "private key"),
        (lambda: b"nothing", "no public key"),
        (lambda: build.pem_of(ec.generate_private_key(ec.SECP384R1())), "none of ECDSA P-256"),
        (lambda: build.pem_of(rsa.generate_private_key(65537, 4096)), "none of ECDSA P-256"),
    ],
)
def test_other_keys_are_refused(pem: Callable[[], bytes], said: str) -> None:
    with pytest.raises(DecodeError, match=said):
        public_key_from_pem(pem())


def test_the_sums_of_the_reference() -> None:
    assert zlib.crc32(build.BODY) == 0x29058C73  # dfu.md 12, example 4
    assert mcuboot.TRAILER_MAGIC[:4] == struct.pack("<I", 0xF395C277)
