"""What can go wrong on the wire, and whose fault it is.

ProtocolError
  LocalProtocolError     we asked for something the protocol does not allow now
  RemoteProtocolError    the watch (or a file) sent something malformed
    FrameError           a frame's length, order or size is wrong
    ChecksumError        a frame's check value does not match its bytes
    DecodeError          a frame is whole, its content is not what the reference says
"""


class ProtocolError(Exception):
    """Base of every error that leaves `firmware_protocol`; anything else is a bug."""


class LocalProtocolError(ProtocolError):
    """We tried something that the protocol does not allow in this state."""


class RemoteProtocolError(ProtocolError):
    """The other side sent something that breaks the protocol."""


class FrameError(RemoteProtocolError):
    """A frame has a wrong length, comes out of order or exceeds a limit."""


class ChecksumError(RemoteProtocolError):
    """A frame's check value does not match its bytes."""


class DecodeError(RemoteProtocolError):
    """A whole frame holds content that the reference does not describe."""
