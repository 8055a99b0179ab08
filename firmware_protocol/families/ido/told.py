"""What an IDO watch tells unasked, as neutral events (ido.md 4.7, 8.7)."""

from collections.abc import Callable, Mapping
from typing import Final

from firmware_protocol.families.ido import gatt
from firmware_protocol.families.ido.messages import IdoMessage
from firmware_protocol.family import Message, Output, Write
from firmware_protocol.told import (
    CallKeyPressed,
    CameraKeyPressed,
    ClockWanted,
    DataChanged,
    FindPhoneRequested,
    KeyPressed,
    MusicKeyPressed,
    QuickReplyChosen,
    SosRequested,
    Told,
    UpdateWanted,
    VolumeChanged,
    WeatherWanted,
)

EVENT: Final = "ido.event."
CHANGED: Final = "ido.event.changed"
_ECHO_BYTES: Final = 18  # command, key and 16 bytes (ido.md 4.7, C)
_CALL_KEYS: Final = {"call_answered": "answered", "call_rejected": "rejected", "mute": "muted"}
_CAMERA_KEYS: Final = {
    "photo": "photo",
    "photo_burst": "photo_burst",
    "camera_opened": "opened",
    "camera_closed": "closed",
    "preview_start": "preview_start",
    "preview_pause": "preview_pause",
    "preview_stop": "preview_stop",
}
_CAMERA_STATES: Final = {"open": "opened", "shoot": "photo", "done": "done", "pairing": "pairing"}
Fields = Mapping[str, object]


def told_by(message: IdoMessage) -> list[Told]:
    """What a message of group 07 means; one without a meaning of its own is `DataChanged`."""
    noun = message.name.removeprefix(EVENT)
    meaning = _MEANINGS.get(noun)
    if message.name == CHANGED:
        return _changed(message.fields)
    if meaning is not None and (event := meaning(message.fields)) is not None:
        return [event]
    return [DataChanged(noun, details(message.fields))]


def echo_of(message: Message | None) -> list[Output]:
    """What a message of group 07 wants to hear: 07 40 its echo, all others nothing (4.7, C)."""
    if not isinstance(message, IdoMessage) or message.name != CHANGED:
        return []
    return [Write(gatt.COMMAND_WRITE, message.payload[:_ECHO_BYTES].ljust(_ECHO_BYTES, b"\x00"))]


def details(fields: Fields) -> dict[str, int | str]:
    """Flatten fields to numbers and words."""
    found: dict[str, int | str] = {}
    for name, value in fields.items():
        if name.startswith("reserved_"):
            continue
        if isinstance(value, int | str):
            found[name] = value
        elif isinstance(value, list) and value:
            found[name] = " ".join(map(str, value))
    return found


def _changed(fields: Fields) -> list[Told]:
    """07 40: name what changed (8.7); without a code the flags say what to read again."""
    change = fields.get("change") or "settings"
    events: list[Told] = [DataChanged(_name(change, "change"), details(fields))]
    if change == "restarted":
        events.append(ClockWanted())  # the clock is what a restart loses (2.5)
    if change == "weather_wanted":
        events.append(WeatherWanted())
    return events


def _key(fields: Fields) -> Told:
    key = _name(fields.get("key"), "code")
    if key in _CALL_KEYS:
        return CallKeyPressed(_CALL_KEYS[key])
    if key in _CAMERA_KEYS:
        return CameraKeyPressed(_CAMERA_KEYS[key])
    volume = fields.get("volume_pct")
    return MusicKeyPressed(key, volume if key == "set_volume" and isinstance(volume, int) else None)


def _find_phone(fields: Fields) -> Told:
    timeout_s = fields.get("timeout_s")
    return FindPhoneRequested(
        fields.get("state") == "start", timeout_s if isinstance(timeout_s, int) else None
    )


def _quick_reply(fields: Fields) -> Told:
    return QuickReplyChosen("".join(str(value) for value in fields.values()))


def _volume(fields: Fields) -> Told | None:
    value = fields.get("value")
    return VolumeChanged(value) if isinstance(value, int) else None


def _camera(fields: Fields) -> Told:
    state = fields.get("state")
    return CameraKeyPressed(_CAMERA_STATES.get(str(state), _name(state, "code")))


def _name(value: object, unnamed: str) -> str:
    return value if isinstance(value, str) else f"{unnamed}_{value}"


_MEANINGS: Final[Mapping[str, Callable[[Fields], Told | None]]] = {
    "music": _key,
    "find_phone": _find_phone,
    "sos": lambda fields: SosRequested(fields.get("state") == "start"),
    "key": lambda fields: KeyPressed(_name(fields.get("press"), "code")),
    "camera": _camera,
    "quick_reply": _quick_reply,
    "speaker_volume": _volume,
    "update_check_wanted": lambda _: UpdateWanted(start=False),
    "update_wanted": lambda _: UpdateWanted(start=True),
}
