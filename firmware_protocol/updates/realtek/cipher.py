"""How a Realtek loader wants its packets encrypted (dfu.md 5.6; V, the byte order of keys P)."""

from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KEY_BYTES: Final = 32
BLOCK_BYTES: Final = 16


class PacketCipher:
    """AES-256-ECB on whole blocks of a packet: on each, or on the first one only."""

    def __init__(self, key: bytes, *, every_block: bool) -> None:
        mode = modes.ECB()  # noqa: S305  # the watch's choice, not ours
        self._cipher = Cipher(algorithms.AES(key), mode)
        self._every_block = every_block

    def encrypt(self, packet: bytes) -> bytes:
        """Return a packet as it goes out; a tail shorter than a block stays in the clear."""
        end = len(packet) - len(packet) % BLOCK_BYTES
        if not self._every_block:
            end = min(end, BLOCK_BYTES)
        encryptor = self._cipher.encryptor()
        return encryptor.update(packet[:end]) + encryptor.finalize() + packet[end:]
