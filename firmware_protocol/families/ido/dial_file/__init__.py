"""Dials of IDO watches as files: the IWF container `.iwf`, compressed `.iwf.lz` (ido.md 9)."""

from typing import Final

from firmware_protocol.dials import DialFormat
from firmware_protocol.families.ido.dial_file.blocks import BLOCK_BYTES, pack
from firmware_protocol.families.ido.dial_file.contents import (
    expand,
    part_name,
    put_together,
    read,
    recognise,
    take_apart,
)
from firmware_protocol.families.ido.dial_file.layout import FONT_FILE, LAYOUT_FILE
from firmware_protocol.families.ido.dial_file.objections import check
from firmware_protocol.families.ido.dial_file.scene import compose

DIAL_FORMAT: Final = DialFormat(
    name="iwf",
    suffix=".iwf",
    packed_suffix=".iwf.lz",
    recognise=recognise,
    read=read,
    check=check,
    take_apart=take_apart,
    put_together=put_together,
    expand=expand,
    pack=pack,
    compose=compose,
    name_bytes=30,  # of V3 08 (ido.md 6.5)
    block_bytes=BLOCK_BYTES,
    leading=(LAYOUT_FILE, FONT_FILE),
    part_name=part_name,
)
