"""IDO / VeryFit: the main family of KS OS watches (ido.md)."""

from typing import Final

from firmware_protocol.families.ido.dial_file import DIAL_FORMAT
from firmware_protocol.families.ido.dialect import IdoDialect
from firmware_protocol.families.ido.gatt import GATT
from firmware_protocol.families.ido.health.decoding import BATTERY_KIND, FAMILY_NAME, samples
from firmware_protocol.families.ido.inspector import IdoInspector
from firmware_protocol.families.ido.recognise import recognise
from firmware_protocol.families.ido.record_kinds import RECORD_KINDS
from firmware_protocol.families.ido.redaction import redact
from firmware_protocol.families.ido.replay import open_replay
from firmware_protocol.families.ido.settings import SUPPORT
from firmware_protocol.families.ido.sports import SPORTS
from firmware_protocol.families.ido.update_path import update_path
from firmware_protocol.families.ido.watch import open_watch
from firmware_protocol.family import Family

FAMILY: Final = Family(
    name=FAMILY_NAME,
    title="IDO / VeryFit",
    gatt=GATT,
    metrics=frozenset((BATTERY_KIND, *(name for kind in RECORD_KINDS for name in kind.metrics))),
    recognise=recognise,
    open_dialect=IdoDialect,
    samples=samples,
    open_inspector=IdoInspector,
    open_watch=open_watch,
    open_replay=open_replay,
    redact=redact,
    settings=SUPPORT,
    sports=SPORTS,
    dial_format=DIAL_FORMAT,
    update_path=update_path,
)
