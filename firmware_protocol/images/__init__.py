"""Firmware images of every transport, read offline: what they are, and whether they are whole."""
