"""Settings on the IDO wire: for each neutral setting the messages that carry it.

One file a group of nouns; a `Way` says which rows of the reference it uses, what a watch must list
for it, and what of it is not proven.
"""

from collections.abc import Mapping
from typing import Final

from firmware_protocol.families.ido.conversation import Conversation
from firmware_protocol.families.ido.settings import alarms, alerts, measuring, person, screen
from firmware_protocol.families.ido.settings.way import Way, read_setting, write_setting
from firmware_protocol.family import Dialogue, JobError, SettingSupport
from firmware_protocol.jobs import ReadSetting, WriteSetting
from firmware_protocol.settings import Setting

_WAYS: Final[Mapping[type[Setting], Way]] = {
    way.kind: way
    for way in (
        *person.WAYS,
        *alarms.WAYS,
        *alerts.WAYS,
        *measuring.WAYS,
        *screen.WAYS,
    )
}
SUPPORT: Final[Mapping[type[Setting], SettingSupport]] = {
    kind: way.support for kind, way in _WAYS.items()
}


def read(conversation: Conversation, job: ReadSetting) -> Dialogue:
    """Ask what a setting is.

    Raises:
        JobError: this wire has no such setting.
    """
    return read_setting(conversation, _way(job.kind), experimental=job.experimental)


def write(conversation: Conversation, job: WriteSetting) -> Dialogue:
    """Set a setting.

    Raises:
        JobError: this wire has no such setting.
    """
    way = _way(type(job.setting))
    return write_setting(conversation, way, job.setting, job.known, experimental=job.experimental)


def _way(kind: type[Setting]) -> Way:
    if kind not in _WAYS:
        raise JobError("unsupported", f"this kind of watch has no setting {kind.NAME}")
    return _WAYS[kind]
