"""How firmware gets into an IDO watch, by its platform byte (ido.md 11.1, V)."""

from collections.abc import Mapping
from typing import Final

from firmware_protocol.events import WatchInfo
from firmware_protocol.family import UpdatePath

_D1: Final = UpdatePath(("ido-d1",), file_name=".fw")


def _refused(reason: str) -> UpdatePath:
    return UpdatePath(refusal=reason)


PATHS: Final[Mapping[int, UpdatePath]] = {
    0: UpdatePath(("nordic-secure", "nordic-legacy"), enters_loader=True),  # the loader shows which
    1: UpdatePath(("smp",)),
    10: UpdatePath(("realtek",), enters_loader=True),
    20: _refused("Cypress chips (platform 20) take firmware in a way that is not known"),
    30: _D1,  # Apollo3
    40: _D1,  # Goodix
    50: _D1,  # Nordic with Telink
    60: _refused("Telink chips (platform 60) have a loader of their own that is not spoken here"),
    70: _refused("Goodix with Freqchip (platform 70) takes firmware in a way that is not known"),
    80: _D1,  # Nordic 5340
    90: _D1,  # Actions
    97: _refused("BES chips (platform 97) take firmware through a vendor library only"),
    98: _refused("SiFli chips (platform 98, NOR) take firmware through a vendor library only"),
    99: _refused("SiFli chips (platform 99, NAND) take firmware through a vendor library only"),
}


def path_of_platform(platform: int | None) -> UpdatePath:
    """The way of one platform; what is not in the table is refused."""
    if platform is None:
        return _refused("the watch does not say which platform it is")
    known = PATHS.get(platform)
    return known or _refused(f"how platform {platform} takes firmware is not known")


def update_path(info: WatchInfo) -> UpdatePath:
    """How firmware gets into the watch that said this of itself."""
    platform = (info.facts or {}).get("platform")
    return path_of_platform(platform if isinstance(platform, int) else None)
