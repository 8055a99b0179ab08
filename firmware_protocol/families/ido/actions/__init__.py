"""What an IDO watch can be made to do: for each neutral action its dialogue and its proof."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from firmware_protocol import actions as page
from firmware_protocol.families.ido.actions import device, notice, tools
from firmware_protocol.families.ido.conversation import Conversation
from firmware_protocol.families.ido.settings.way import check_listed
from firmware_protocol.family import Dialogue, JobError, SettingSupport
from firmware_protocol.jobs import Do

_NO_LAYOUT: Final = "no layout is published"
# each takes its own kind of action, which a mapping cannot say: hence `Any`
_DIALOGUES: Final[Mapping[type[page.Action], Callable[[Conversation, Any], Dialogue]]] = {
    page.ShowNotice: notice.show_notice,
    page.RingCall: notice.ring_call,
    page.EndCall: notice.end_call,
    page.ShowMusic: tools.show_music,
    page.FindWatch: tools.find_watch,
    page.EndFindPhone: tools.end_find_phone,
    page.UseCamera: tools.use_camera,
    page.PushWeather: tools.push_weather,
    page.Reset: device.reset,
    page.ReadErrorLog: device.read_error_log,
    page.ReadDetails: device.read_details,
}
SUPPORT: Final[Mapping[type[page.Action], SettingSupport]] = {
    page.ShowNotice: SettingSupport("05 03", provisional="how long a title may be"),
    page.RingCall: SettingSupport("05 01", needs=("calls",), provisional="vendor sources only"),
    page.EndCall: SettingSupport("05 02", needs=("calls",)),
    page.ShowMusic: SettingSupport(
        "06 01", needs=("music",), provisional="title and artist have no published layout (V3 0A)"
    ),
    page.FindWatch: SettingSupport("06 04"),  # works without its bit (8.1.1, L)
    page.EndFindPhone: SettingSupport("06 07", provisional="vendor documentation only"),
    page.UseCamera: SettingSupport(
        "06 02", needs=("photo", "hid_photo"), provisional="vendor documentation only"
    ),
    page.PushWeather: SettingSupport(
        "0A 01, 0A 02, 0A 06",
        needs=("weather",),
        provisional="temperatures below zero; sunrise and sunset",
    ),
    page.Reset: SettingSupport("F0 01, F0 03, F0 04", provisional="vendor documentation only"),
    page.ReadErrorLog: SettingSupport("02 40", provisional="vendor documentation only"),
    page.ReadDetails: SettingSupport("02 11, 02 A7, 02 B2, 02 B3, 02 EB, 02 F0, 02 F4"),
    page.SetContacts: SettingSupport("V3 39", needs=("contacts",), provisional=_NO_LAYOUT),
    page.SetQuickReplies: SettingSupport("V3 11", needs=("quick_replies",), provisional=_NO_LAYOUT),
    page.MeasureNow: SettingSupport("03 57", provisional=_NO_LAYOUT),
}
_NAMES: Final[Mapping[type[page.Action], str]] = {
    page.ShowNotice: "notices",
    page.RingCall: "calls",
    page.EndCall: "calls",
    page.ShowMusic: "music",
    page.UseCamera: "a camera key",
    page.PushWeather: "weather",
    page.SetContacts: "contacts",
    page.SetQuickReplies: "quick replies",
    page.MeasureNow: "measuring on demand",
}


def do(conversation: Conversation, job: Do) -> Dialogue:
    """Open the dialogue of an action.

    Raises:
        JobError: it is not proven and could harm, the watch does not list it, or nobody knows how.
    """
    kind = type(job.action)
    support = SUPPORT[kind]
    if isinstance(job.action, page.HARMFUL) and not job.experimental:
        raise JobError(
            "unproven", f"{support.rows} is known from vendor documentation only, and could harm"
        )
    what = _NAMES.get(kind, "that")
    check_listed(conversation, support, what, experimental=job.experimental)
    if kind not in _DIALOGUES:
        raise JobError(
            "unsupported",
            f"{_NO_LAYOUT} of {support.rows} ({what}); "
            "a capture of the vendor's app doing it would show it",
        )
    return _DIALOGUES[kind](conversation, job.action)
