"""Settings about what the watch calls out: alarms, quiet times, reminders, notices, find."""

from dataclasses import dataclass
from datetime import time
from typing import ClassVar, Final

from firmware_protocol.settings.kinds import (
    EVERY_DAY,
    WORKDAYS,
    Choice,
    Days,
    Names,
    Number,
    Switch,
    TimeOfDay,
    Words,
    described,
)
from firmware_protocol.settings.setting import Entries, Setting

ALARM_KINDS: Final = (
    *("wake_up", "sleep", "sport", "medicine", "date", "party", "meeting", "custom", "meal"),
    *("brush_teeth", "rest", "class", "bath", "study", "play"),
)
NOTICE_APPS: Final = (
    # those that a watch can show with their own icon; the families map what they know
    *("sms", "email", "wechat", "qq", "weibo", "facebook", "twitter", "whatsapp", "messenger"),
    *("instagram", "linkedin", "calendar", "skype", "alarm_clock", "vk", "line", "viber"),
    *("kakaotalk", "gmail", "outlook", "snapchat", "telegram", "other", "chatwork", "slack"),
    *("yahoo_mail", "tumblr", "youtube", "pinterest", "tiktok", "redbus", "dailyhunt"),
    *("hotstar", "inshorts", "paytm", "amazon", "flipkart", "prime", "netflix", "gpay"),
    *("phonepe", "swiggy", "zomato", "makemytrip", "jiotv", "keep", "microsoft"),
    *("whatsapp_business", "noisefit", "missed_call", "yt_music", "uber", "ola", "reminder"),
    *("google_meet", "mormaii", "technos", "magalu", "americanas", "enjoei", "aliexpress"),
    *("shopee", "teams", "99taxi", "uber_eats", "ifood", "rappi", "mercado_livre", "yahoo"),
    *("veryfit", "general", "alibaba_mail", "google_calendar", "fastrack", "hama", "taobao"),
    *("dingtalk", "alipay", "toutiao", "tmall", "jd", "pinduoduo", "baidu", "meituan"),
    *("eleme", "douyin", "weibo_china"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm(Setting):
    """One alarm. Without days it rings once."""

    NAME: ClassVar = "alarm"
    MEANING: ClassVar = "one alarm"

    at: time = described(TimeOfDay(), time(7), "when it rings")
    days: tuple[str, ...] = described(Days(), (), "on which days; once without any")
    on: bool = described(Switch(), True, "whether it rings at all")
    kind: str = described(Choice(ALARM_KINDS, open_ended=True), "wake_up", "what it is for")
    name: str = described(Words(23), "", "what the watch shows")
    snooze_min: int = described(Number(0, 60), 10, "minutes until it rings again")
    repetitions: int = described(Number(0, 10), 1, "how often it rings again")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms(Setting):
    """All alarms, in the order of the watch's slots."""

    NAME: ClassVar = "alarms"
    MEANING: ClassVar = "the alarms"

    alarms: tuple[Alarm, ...] = described(Entries(Alarm, most=10), (), "up to ten alarms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dnd(Setting):
    """When the watch stays quiet."""

    NAME: ClassVar = "dnd"
    MEANING: ClassVar = "do not disturb: at night, at noon, all day"

    night: bool = described(Switch(), False, "quiet at night")
    start: time = described(TimeOfDay(), time(23), "when the night begins")
    end: time = described(TimeOfDay(), time(7), "when it ends")
    days: tuple[str, ...] = described(Days(), EVERY_DAY, "on which days")
    noon: bool = described(Switch(), False, "quiet at noon")
    noon_start: time = described(TimeOfDay(), time(12), "when noon's quiet begins")
    noon_end: time = described(TimeOfDay(), time(14), "when it ends")
    all_day: bool | None = described(Switch(optional=True), None, "quiet always")
    smart: bool | None = described(Switch(optional=True), None, "quiet while the wearer sleeps")


@dataclass(frozen=True, slots=True, kw_only=True)
class SleepTime(Setting):
    """When the wearer means to sleep."""

    NAME: ClassVar = "sleep-time"
    MEANING: ClassVar = "the hours in which the watch looks for sleep"

    on: bool = described(Switch(), False, "whether only these hours count")
    start: time = described(TimeOfDay(), time(22), "from")
    end: time = described(TimeOfDay(), time(8), "to")


@dataclass(frozen=True, slots=True, kw_only=True)
class SittingReminder(Setting):
    """Tells a wearer who sits too long."""

    NAME: ClassVar = "sitting"
    MEANING: ClassVar = "reminder to stand up"

    on: bool = described(Switch(), False, "whether it reminds")
    start: time = described(TimeOfDay(), time(9), "from")
    end: time = described(TimeOfDay(), time(18), "to")
    interval_min: int = described(Number(15, 240), 60, "minutes of sitting")
    days: tuple[str, ...] = described(Days(), WORKDAYS, "on which days")


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkReminder(Setting):
    """Tells a wearer who missed the hour's steps."""

    NAME: ClassVar = "walking"
    MEANING: ClassVar = "reminder to walk"

    on: bool = described(Switch(), False, "whether it reminds")
    hourly_steps: int = described(Number(0, 10_000), 100, "steps that an hour should have")
    start: time = described(TimeOfDay(), time(9), "from")
    end: time = described(TimeOfDay(), time(21), "to")
    days: tuple[str, ...] = described(Days(), EVERY_DAY, "on which days")
    quiet: bool = described(Switch(), False, "whether there is a time without")
    quiet_start: time = described(TimeOfDay(), time(12), "from")
    quiet_end: time = described(TimeOfDay(), time(14), "to")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrinkReminder(Setting):
    """Tells a wearer to drink."""

    NAME: ClassVar = "drinking"
    MEANING: ClassVar = "reminder to drink"

    on: bool = described(Switch(), False, "whether it reminds")
    start: time = described(TimeOfDay(), time(9), "from")
    end: time = described(TimeOfDay(), time(18), "to")
    interval_min: int = described(Number(10, 600), 60, "minutes between reminders")
    days: tuple[str, ...] = described(Days(), EVERY_DAY, "on which days")
    quiet: bool = described(Switch(), False, "whether there is a time without")
    quiet_start: time = described(TimeOfDay(), time(12), "from")
    quiet_end: time = described(TimeOfDay(), time(14), "to")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices(Setting):
    """Which notices the watch shows."""

    NAME: ClassVar = "notices"
    MEANING: ClassVar = "calls, and the apps whose notices the watch shows"

    calls: bool = described(Switch(), True, "show calls")
    call_delay_s: int = described(Number(0, 255), 0, "seconds after which a call is shown")
    apps: tuple[str, ...] = described(Names(NOTICE_APPS, open_ended=True), (), "apps by name")


@dataclass(frozen=True, slots=True, kw_only=True)
class FindPhone(Setting):
    """Whether the watch may call out for the phone."""

    NAME: ClassVar = "find-phone"
    MEANING: ClassVar = "the watch's button that makes this machine ring"

    on: bool = described(Switch(), True, "whether the watch offers it")
    timeout_s: int = described(Number(0, 255), 0, "how long it rings; 0 leaves it to the watch")
