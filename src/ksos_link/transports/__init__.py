"""Opaque bytes to and from one watch. Nothing here knows a message."""
