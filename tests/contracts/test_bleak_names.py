"""The names of bleak that the virtual radio stands on. A new bleak that moves one fails here."""

import inspect
from importlib.metadata import requires, version

import bleak
import pytest
from bleak import BleakClient, BleakScanner, args, assigned_numbers, exc
from bleak.backends import characteristic, client, descriptor, device, scanner, service

from ksos_link.virtual_watch.bleak_backend import BleakClientBumble
from ksos_link.virtual_watch.bleak_scanner import BleakScannerBumble


def parameters(function: object) -> list[str]:
    """Names in order; keyword-only ones with a star, catch-alls as written."""
    assert callable(function)
    marks: dict[object, str] = {
        inspect.Parameter.KEYWORD_ONLY: "*",
        inspect.Parameter.VAR_KEYWORD: "**",
        inspect.Parameter.VAR_POSITIONAL: "*args:",
    }
    found = inspect.signature(function).parameters.values()
    return [marks.get(p.kind, "") + p.name for p in found if p.name != "self"]


def test_version_is_the_one_that_was_read() -> None:
    assert version("bleak").startswith("3.1.")
    (bound,) = [text for text in requires("ksos-link") or [] if text.startswith("bleak<")]
    assert bound == "bleak<3.2,>=3.1"


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (
            client.BaseBleakClient.__init__,
            ["address_or_ble_device", "*disconnected_callback", "*timeout", "**kwargs"],
        ),
        (client.BaseBleakClient.connect, ["pair", "**kwargs"]),
        (client.BaseBleakClient.disconnect, []),
        (client.BaseBleakClient.pair, ["*args:args", "**kwargs"]),
        (client.BaseBleakClient.unpair, []),
        (
            client.BaseBleakClient.read_gatt_char,
            ["characteristic", "*use_cached", "**kwargs"],
        ),
        (
            client.BaseBleakClient.read_gatt_descriptor,
            ["descriptor", "*use_cached", "**kwargs"],
        ),
        (client.BaseBleakClient.write_gatt_char, ["characteristic", "data", "response"]),
        (client.BaseBleakClient.write_gatt_descriptor, ["descriptor", "data"]),
        (client.BaseBleakClient.start_notify, ["characteristic", "callback", "**kwargs"]),
        (client.BaseBleakClient.stop_notify, ["characteristic"]),
        (client.BaseBleakClient.set_disconnected_callback, ["callback", "**kwargs"]),
        (scanner.BaseBleakScanner.__init__, ["detection_callback", "service_uuids"]),
        (scanner.BaseBleakScanner.is_allowed_uuid, ["service_uuids"]),
        (
            scanner.BaseBleakScanner.call_detection_callbacks,
            ["device", "advertisement_data"],
        ),
        (
            scanner.BaseBleakScanner.create_or_update_device,
            ["key", "address", "name", "details", "adv"],
        ),
        (scanner.BaseBleakScanner.start, []),
        (scanner.BaseBleakScanner.stop, []),
        (device.BLEDevice.__init__, ["address", "name", "details", "**kwargs"]),
        (service.BleakGATTService.__init__, ["obj", "handle", "uuid"]),
        (
            characteristic.BleakGATTCharacteristic.__init__,
            [
                *("obj", "handle", "uuid", "properties"),
                *("max_write_without_response_size", "service"),
            ],
        ),
        (
            descriptor.BleakGATTDescriptor.__init__,
            ["obj", "handle", "uuid", "characteristic"],
        ),
        (service.BleakGATTServiceCollection.add_service, ["service"]),
        (service.BleakGATTServiceCollection.add_characteristic, ["characteristic"]),
        (service.BleakGATTServiceCollection.add_descriptor, ["descriptor"]),
        (assigned_numbers.gatt_char_props_to_strs, ["props"]),
        (exc.BleakGATTProtocolError.__init__, ["error_code"]),
        (exc.BleakDeviceNotFoundError.__init__, ["identifier", "*args:args"]),
    ],
)
def test_signature(function: object, expected: list[str]) -> None:
    assert parameters(function) == expected


def test_nothing_abstract_is_left_or_new() -> None:
    assert client.BaseBleakClient.__abstractmethods__ == {
        *("mtu_size", "is_connected", "connect", "disconnect", "pair", "unpair"),
        *("read_gatt_char", "read_gatt_descriptor", "write_gatt_char", "write_gatt_descriptor"),
        *("start_notify", "stop_notify"),
    }
    assert scanner.BaseBleakScanner.__abstractmethods__ == {"start", "stop"}
    assert not BleakClientBumble.__abstractmethods__
    assert not BleakScannerBumble.__abstractmethods__


def test_advertisement_data_has_these_fields() -> None:
    assert scanner.AdvertisementData._fields == (
        *("local_name", "manufacturer_data", "service_data", "service_uuids"),
        *("tx_power", "rssi", "platform_data"),
    )


@pytest.mark.parametrize("kind", ["client", "scanner"])
def test_platform_backend_is_looked_up_in_the_package(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `install` replaces is what the front classes ask, when they are made."""
    name = f"get_platform_{kind}_backend_type"
    assert parameters(getattr(bleak, name)) == []

    class AskedError(Exception):
        pass

    def asked() -> None:
        raise AskedError

    monkeypatch.setattr(bleak, name, asked)
    with pytest.raises(AskedError):
        BleakClient("F9:24:12:00:00:01") if kind == "client" else BleakScanner()


def test_front_classes_take_a_backend_class() -> None:
    assert "*backend" in parameters(BleakClient.__init__)
    assert "*backend" in parameters(BleakScanner.__init__)


def test_front_client_hands_over_these_arguments() -> None:
    handed: dict[str, object] = {}

    class Spy(BleakClientBumble):
        def __init__(self, address_or_ble_device: object, **kwargs: object) -> None:
            handed.update(kwargs)

    BleakClient("F9:24:12:00:00:01", services=["180d"], timeout=3, backend=Spy)
    assert set(handed) == {"disconnected_callback", "services", "timeout", "bluez", "winrt"}
    assert handed["services"] == {"0000180d-0000-1000-8000-00805f9b34fb"}


def test_front_scanner_hands_over_these_arguments() -> None:
    handed: dict[str, object] = {}

    class Spy(BleakScannerBumble):
        def __init__(self, *values: object, **kwargs: object) -> None:
            handed.update(kwargs, values=values)

    BleakScanner(backend=Spy)
    assert handed == {"values": (None, None, "active"), "bluez": {}, "cb": {}}


def test_error_codes_and_buffers() -> None:
    codes = exc.BleakGATTProtocolErrorCode
    assert int(codes.INSUFFICIENT_AUTHENTICATION) == 0x05
    assert int(codes.INSUFFICIENT_ENCRYPTION) == 0x0F
    assert exc.BleakGATTProtocolError(0x0E).code == codes.UNLIKELY_ERROR
    assert hasattr(args, "SizedBuffer")
    assert hasattr(client, "NotifyCallback")
