"""What a virtual bootloader writes to and starts from; it outlives links, resets and power cuts."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Flash:
    """The image that runs, and what was received of another one.

    `boots` is False from the moment at which an update in place begins until it is whole: a power
    cut in between leaves the watch in its bootloader. `activations` counts new images.
    """

    running: bytes
    version: int = 1
    hardware: int = 52
    space_bytes: int = 512 * 1024
    received: bytearray = field(default_factory=bytearray)
    boots: bool = True
    activations: int = 0

    def activate(self, image: bytes, version: int) -> None:
        """Start another image."""
        self.running, self.version = image, version
        self.boots = True
        self.activations += 1
        self.received.clear()
