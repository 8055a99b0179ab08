"""The two files of a KS OS account, health and sport (domain note 4.1 and 4.2), as protobuf.

Both are a run of top-level fields: 1 the account's number, 2 a day group or an activity. Files are
joined byte by byte, so one stream may mix layouts: until 2024-11-11 steps had whole numbers for
energy and distance, and an activity was flat. Which layout a message has shows in its wire types.

The message types are made at run time from the note's tables. What a message may mean in two ways
is declared as bytes and read on its own. Whether times are in seconds is *provisional* for health
(by analogy, note 4.2).
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, unique
from typing import Any, Final

# protobuf carries no types for the checker, and its messages get their fields at run time: `Any`
from google.protobuf import (  # type: ignore[import-untyped]
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)
from google.protobuf.message import DecodeError as WireError  # type: ignore[import-untyped]

from firmware_protocol.errors import DecodeError

USER_ID, GROUP = 1, 2  # the top-level fields of either file
VARINT, FIXED64, DELIMITED, FIXED32 = 0, 1, 2, 5  # wire types of protobuf
LEAST_INSTANT_S: Final = 100_000_000  # 1973: numbers of seconds within an activity stay below

_Field = descriptor_pb2.FieldDescriptorProto
_KINDS: Final[Mapping[str, int]] = {
    "i": _Field.TYPE_INT32,
    "l": _Field.TYPE_INT64,
    "f": _Field.TYPE_FLOAT,
    "d": _Field.TYPE_DOUBLE,
    "s": _Field.TYPE_STRING,
    "b": _Field.TYPE_BYTES,
}
_INFO_TOTALS: Final = "max_hr:i min_hr:i device_type:i aim_data:f aim_type:i calories:f lap:i"
_NIGHT_TIMES: Final = "sleep_time:i wake_time:i rem_time:i deep_time:i light_time:i"
_NIGHT_COUNTS: Final = "wake_count:i rem_count:i deep_count:i light_count:i"
_NIGHT_SCORES: Final = (
    "breath_status:i sleep_score:i breath_quality:i sleep_avg_hr:i sleep_avg_spo2:i"
    " sleep_avg_breath:i details:i"
)
# fields in the order of their numbers from 1: name:kind, `*` where repeated. For the numbers of a
# night the note gives no kinds; *provisional* that they are int32 as the rest is.
_TABLE: Final[Mapping[str, str]] = {
    "KSport": "user_id:l detail_sport:b*",
    "DetailSport": "only:l info:KInfo devices:KDevice* timers:KTimer* locations:KLocation*"
    " activity_data:KActivityData* distance_data:KDistanceData*",
    "KInfo": "type:i start_time:l end_time:l time:i steps:i distance:f max_speed:f avg_hr:f "
    + _INFO_TOTALS,
    "KDevice": "device_type:i mac:s name:s",
    "KTimer": "total_time:i time:i status:i",
    "KLocation": "time:i latitude:d longitude:d",
    "KActivityData": "time:i hr:i steps:i cadence:i",
    "KDistanceData": "time:i distance:f speed:f lap:i",
    "OldDetailSport": "only:l type:i start_time:l end_time:l time:i steps:i distance:f max_speed:f"
    " avg_hr:f samples:OldSample* devices:KDevice* device_type:i aim_distance:f aim_calories:f",
    "OldSample": "time:i total_time:i latitude:d longitude:d speed:f cadence:i hr:i lap:i"
    " distance:f steps:i",
    "KActivity": "user_id:l groups:b*",
    "DayGroup": "date:l detail_steps:b* detail_hr:DetailHr* detail_silent_hr:DetailSilentHr*"
    " detail_spo2:DetailSpo2* detail_stress:DetailStress* detail_sleep:DetailSleep*"
    " detail_weight:DetailWeight* detail_sleep_analyze:DetailSleepAnalyze*",
    "DetailSteps": "date:l steps:i calories:d distance:d mac:s only:l type:i",
    "OldDetailSteps": "date:l steps:i calories:i distance:i mac:s only:l",
    "DetailHr": "date:l hr:i mac:s only:l",
    "DetailSilentHr": "date:l silent_hr:i mac:s only:l",
    "DetailSpo2": "date:l spo2:i pi:i mac:s only:l",
    "DetailStress": "date:l stress:i mac:s only:l",
    "DetailSleep": "date:l start_time:l end_time:l time:i code:i mac:s only:l",
    "DetailWeight": "date:l weight:d mac:s only:l",
    "DetailSleepAnalyze": f"start_time:l end_time:l type:i {_NIGHT_TIMES} {_NIGHT_COUNTS}"
    f" {_NIGHT_SCORES} mac:s exceed_user:i only:l",
}


@unique
class Layout(Enum):
    """What a top-level group is."""

    HEALTH = "health"
    SPORT = "sport"
    OLD_SPORT = "old_sport"


def _message_types() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="account.proto", package="ksos", syntax="proto3")
    for message_name, fields in _TABLE.items():
        message = file.message_type.add(name=message_name)
        for number, text in enumerate(fields.split(), 1):
            name, _, kind = text.partition(":")
            label = _Field.LABEL_REPEATED if kind.endswith("*") else _Field.LABEL_OPTIONAL
            kind = kind.rstrip("*")
            field = message.field.add(name=name, number=number, label=label)
            if kind in _KINDS:
                field.type = _KINDS[kind]
            else:
                field.type, field.type_name = _Field.TYPE_MESSAGE, f".ksos.{kind}"
    pool = descriptor_pool.DescriptorPool()  # one of our own: names cannot clash with others
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"ksos.{name}"))
        for name in _TABLE
    }


MESSAGES: Final[Mapping[str, Any]] = _message_types()


def read(name: str, data: bytes) -> Any:
    """A message of that name.

    Raises:
        DecodeError: the bytes are no protobuf message.
    """
    message = MESSAGES[name]()
    try:
        message.ParseFromString(data)
    except WireError:
        raise DecodeError(f"no {name} of an account file") from None
    return message


def read_steps(data: bytes) -> Any:
    """One `DetailSteps`, or `OldDetailSteps` where energy or distance is a whole number.

    Where neither is given the layouts are the same but for the kind of activity.

    Raises:
        DecodeError: the bytes are no protobuf message.
    """
    kinds = wire_kinds(data)
    is_old = any(VARINT in kinds.get(number, ()) for number in (3, 4))
    return read("OldDetailSteps" if is_old else "DetailSteps", data)


def layout_of(group: bytes) -> Layout | None:
    """What a top-level group is; None where it says too little.

    The flat activity has numbers in fields 2 to 5 where the others have messages (note 4.1). Health
    records begin with an instant, the parts of an activity with a small number.

    Raises:
        DecodeError: the bytes are no protobuf message.
    """
    begins_with_instant: list[bool] = []
    for number, kind, value in fields_of(group):
        if number in (2, 3, 4, 5) and kind == VARINT:
            return Layout.OLD_SPORT
        if number >= 2 and kind == DELIMITED and isinstance(value, bytes):
            first = next((each for each in fields_of(value) if each[0] == 1), None)
            begins_with_instant.append(
                first is not None and isinstance(first[2], int) and first[2] >= LEAST_INSTANT_S
            )
    if not begins_with_instant:
        return None
    return Layout.HEALTH if any(begins_with_instant) else Layout.SPORT


def wire_kinds(data: bytes) -> dict[int, set[int]]:
    """The wire types of each field number.

    Raises:
        DecodeError: the bytes are no protobuf message.
    """
    found: dict[int, set[int]] = {}
    for number, kind, _ in fields_of(data):
        found.setdefault(number, set()).add(kind)
    return found


def fields_of(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Number, wire type and value of each field: a number, or the bytes.

    Raises:
        DecodeError: the bytes are no protobuf message.
    """
    place = 0
    while place < len(data):
        tag, place = varint(data, place)
        number, kind = tag >> 3, tag & 7
        value: int | bytes
        if kind == VARINT:
            value, place = varint(data, place)
        else:
            if kind == DELIMITED:
                size, place = varint(data, place)
            else:
                size = {FIXED64: 8, FIXED32: 4}.get(kind, -1)
            if not 0 <= size <= len(data) - place:
                raise DecodeError("a field of an account file is cut off or of no known kind")
            value, place = data[place : place + size], place + size
        yield number, kind, value


def varint(data: bytes, place: int) -> tuple[int, int]:
    """The number that begins at a place, and where it ends.

    Raises:
        DecodeError: it does not end.
    """
    value = 0
    for shift, byte in zip(range(0, 70, 7), data[place : place + 10], strict=False):
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place + shift // 7 + 1
    raise DecodeError("a number of an account file is cut off or too long")


def frame(group: bytes) -> bytes:
    """A group as it stands in its file; frames follow one another."""
    message = MESSAGES["KActivity"]()
    message.groups.append(group)
    written: bytes = message.SerializeToString()
    return written


def wall_s(timers: Sequence[tuple[int, int]], moving_s: int) -> int:
    """Seconds since the start by the clock, of a moment given in moving seconds.

    `timers` are rows of wall and moving seconds, in order: one a second, or only at marks (note
    10.1, 6). From the last that is not later the clock ran on; without any nothing was paused.
    """
    wall, moving = 0, 0
    for total, time in timers:
        if time > moving_s:
            break
        wall, moving = total, time
    return wall + moving_s - moving
