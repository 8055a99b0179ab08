"""Watch models by the number that they give as their own (ido.md 1, 4.2; seen on these watches)."""

from collections.abc import Mapping
from typing import Final

MODELS: Final[Mapping[int, str]] = {
    0x0214: "Band 8",
    0x1ED8: "Active 4 Pro",
    0x1F2E: "ID208 Plus",
    0x1F6A: "R21",
}


def model_name(device_id: int | None, advertised: str | None = None) -> str:
    """Return what to call a watch: its model, else the name it advertises, else its number."""
    unnamed = "IDO watch" if device_id is None else f"IDO {device_id}"
    return MODELS.get(device_id or 0) or advertised or unnamed
