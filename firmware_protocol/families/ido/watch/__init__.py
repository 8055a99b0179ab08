"""The watch's end of the IDO wire, for the virtual watch."""

from firmware_protocol.families.ido.watch.session import IdoWatchSession
from firmware_protocol.watch_session import WatchMemory, WatchSession, WatchTraits


def open_watch(memory: WatchMemory, traits: WatchTraits) -> WatchSession:
    """Open the watch's end of the wire. What the central confirms leaves `memory`.

    Raises:
        LocalProtocolError: `traits.options` holds one that no virtual IDO watch knows.
    """
    return IdoWatchSession(memory, traits)
