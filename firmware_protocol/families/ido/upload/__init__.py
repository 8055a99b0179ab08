"""Files to an IDO watch, over the D1 file transfer (ido.md 4.10)."""

from firmware_protocol.families.ido.upload.send_file import send_file

__all__ = ["send_file"]
