"""Firmware transports (dfu.md), a second axis beside the families: what a watch offers decides."""
