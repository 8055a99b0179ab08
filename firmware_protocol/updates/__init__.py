"""Firmware transports (dfu.md): a second axis beside the families, chosen by a watch's platform."""
