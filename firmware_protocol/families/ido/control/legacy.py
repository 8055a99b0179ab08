"""History of watches without V3: groups 08 and 09 (ido.md 7.11, V; the sport day also S9).

Data comes in packets: key, serial from 1, length, up to 16 bytes. What a packet holds follows from
its serial, so the first serials are part of the opcode here.
"""

from collections.abc import Mapping
from typing import Any, Final

from construct import GreedyBytes, Int8ul, Int16ul, Int32ul, Prefixed, Struct

from firmware_protocol.families.ido.message_type import DATE, TIME, Messages, classic, many
from firmware_protocol.wire import Code, Kind, Layout, Maybe, Packed, ValueAdapter, reserved


class _Packet(ValueAdapter):
    """A length and that many bytes of one layout; newer firmware may send more of them."""

    def __init__(self, *fields: Any) -> None:
        super().__init__(Prefixed(Int8ul, GreedyBytes))
        self._layout = Layout(Struct(*fields))

    def _decode(self, obj: bytes, context: object, path: object) -> dict[str, object]:
        return self._layout.decode(obj).fields

    def _encode(self, obj: Mapping[str, object], context: object, path: object) -> bytes:
        return self._layout.encode(obj, short=True)


def _packet(*fields: Any) -> Struct:
    return Struct("packet" / _Packet(*fields))


_ORDER: Final = Struct("order" / Code(Int8ul, {1: "start", 2: "stop", 3: "resend"}), reserved(2))

_SPORT: Final = (
    _packet(
        "date" / DATE,
        "start_min" / Int16ul,
        "minutes_per_item" / Int8ul,
        "item_count" / Int8ul,
        "packets" / Int8ul,
        reserved(1),
    ),
    _packet(
        "steps" / Int32ul,
        "kcal" / Int32ul,
        "distance_m" / Int32ul,
        "active_time_raw" / Int32ul,
    ),
    Packed(5, mode=2, steps=12, active_min=4, kcal=10, distance_m=12),
)
_SLEEP: Final = (
    _packet(
        "date" / DATE,
        "end" / TIME,
        "total_min" / Int16ul,
        "item_count" / Int8ul,
        "packets" / Int8ul,
    ),
    _packet(
        "light_count" / Int8ul,
        "deep_count" / Int8ul,
        "awake_count" / Int8ul,
        "light_min" / Int16ul,
        "deep_min" / Int16ul,
    ),
    Struct("stage" / Code(Int8ul, {1: "awake", 2: "light", 3: "deep"}), "duration_min" / Int8ul),
)
_HEART_RATE: Final = (
    _packet(
        "date" / DATE,
        "start_min" / Int16ul,
        "resting_bpm" / Int8ul,
        "item_count" / Int16ul,
        "packets" / Int8ul,
    ),
    _packet(
        "fat_burn_bpm" / Int8ul,
        "aerobic_bpm" / Int8ul,
        "limit_bpm" / Int8ul,
        "fat_burn_min" / Int16ul,
        "aerobic_min" / Int16ul,
        "limit_min" / Int16ul,
    ),
    Struct("offset_min" / Int8ul, "bpm" / Int8ul),
)


def _day(noun: str, key: int, kinds: tuple[Struct, Struct, Kind]) -> Messages:
    """Declare the request and the packets of one kind of day."""
    head, totals, item = kinds
    name, opcode = f"ido.legacy.{noun}", f"08 {key:02x}"
    items = Struct("serial" / Int8ul, "packet" / _Packet("items" / Maybe(many(item))))
    return (
        classic(name, "TX", opcode, _ORDER),
        classic(f"{name}.head.reply", "RX", f"{opcode} 01", head),
        classic(f"{name}.totals.reply", "RX", f"{opcode} 02", totals),
        classic(f"{name}.items.reply", "RX", opcode, items),
    )


_ACTIVITY_FLAG: Final = _packet("flag" / Int8ul)
_ACTIVITY_HEAD: Final = _packet(
    "year_from_2000" / Int8ul,
    "month" / Int8ul,
    "day" / Int8ul,
    "hour" / Int8ul,
    "minute" / Int8ul,
    "second" / Int8ul,
    "data_bytes" / Int8ul,
    "bpm_interval_s" / Int16ul,
    "bpm_count" / Int8ul,
    "packets" / Int8ul,
)
_ACTIVITY_TOTALS: Final = _packet(
    "type" / Int8ul,
    "totals" / Packed(10, steps=18, duration_s=20, kcal=18, distance_m=18, spare=6),
)
_ACTIVITY_ZONES: Final = _packet(
    "bpm_avg" / Int8ul,
    "bpm_max" / Int8ul,
    "fat_burn_min" / Int16ul,
    "aerobic_min" / Int16ul,
    "limit_min" / Int16ul,
)

MESSAGES: Final = (
    classic("ido.legacy.sizes", "TX", "08 01", Struct("sync_flag" / Int8ul, "safe_mode" / Int8ul)),
    classic(
        "ido.legacy.sizes.reply",
        "RX",
        "08 01",
        Struct(
            "packets" / Int16ul,
            "sport_days" / Int8ul,
            "sleep_days" / Int8ul,
            "heart_rate_days" / Int8ul,
            reserved(1),
        ),
    ),
    classic("ido.legacy.finish", "TX", "08 02"),
    classic("ido.legacy.finish.reply", "RX", "08 02"),
    *_day("sport", 0x03, _SPORT),
    *_day("sleep", 0x04, _SLEEP),
    *_day("sport_history", 0x05, _SPORT),
    *_day("sleep_history", 0x06, _SLEEP),
    *_day("heart_rate", 0x07, _HEART_RATE),
    *_day("heart_rate_history", 0x08, _HEART_RATE),
    classic("ido.legacy.end.reply", "RX", "08 EE"),
    classic(
        "ido.legacy.activity",
        "TX",
        "09 06",
        Struct("serial" / Int8ul, "packet" / _Packet("flag" / Int8ul)),
    ),
    classic(
        "ido.legacy.activity.end.reply",
        "RX",
        "09 06 00",
        _ACTIVITY_FLAG,
    ),
    classic("ido.legacy.activity.head.reply", "RX", "09 06 01", _ACTIVITY_HEAD),
    classic("ido.legacy.activity.totals.reply", "RX", "09 06 02", _ACTIVITY_TOTALS),
    classic("ido.legacy.activity.zones.reply", "RX", "09 06 03", _ACTIVITY_ZONES),
    classic(
        "ido.legacy.activity.items.reply",
        "RX",
        "09 06",
        Struct("serial" / Int8ul, "packet" / _Packet("bpm" / Maybe(many(Int8ul)))),
    ),
    classic("ido.legacy.activity_count", "TX", "09 07"),
    classic("ido.legacy.activity_count.reply", "RX", "09 07", Struct("count" / Int8ul)),
)
