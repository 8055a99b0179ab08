"""SMP (MCUmgr) with MCUboot: firmware beside the watch's application (dfu.md 6).

The libraries that read and write its messages are an extra (`smp`). They are loaded only where a
link is opened: without them the jobs fail and say what is missing.
"""

from typing import Final

from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.events import Event
from firmware_protocol.family import Advertisement, Dialect, Dialogue, JobError, Message, Output
from firmware_protocol.images import mcuboot
from firmware_protocol.jobs import Job
from firmware_protocol.updates.loader import Flash, LoaderSession
from firmware_protocol.updates.smp.gatt import GATT, SERVICE
from firmware_protocol.updates.transport import UpdateTransport, same_address

_MISSING: Final = (
    "firmware over SMP needs a part that is not installed; `pip install 'ksos-link[smp]'` brings it"
)


class _Speechless(Dialect):
    """What there is without the extra."""

    def receive_data(self, uuid: str, data: bytes) -> list[Message]:
        """Nothing was asked."""
        return []

    def dialogue(self, job: Job) -> Dialogue:
        """Say what is missing."""
        raise JobError("unsupported", _MISSING)

    def unsolicited(self, message: Message) -> tuple[list[Event], list[Output]]:
        """There are no messages."""
        return [], []


def _open_dialect(max_write_bytes: int) -> Dialect:
    try:
        from firmware_protocol.updates.smp.dialect import SmpDialect
    except ImportError:
        return _Speechless()
    return SmpDialect(max_write_bytes)


def _open_loader(flash: Flash) -> LoaderSession:
    try:
        from firmware_protocol.updates.smp.loader import SmpLoader
    except ImportError:
        raise LocalProtocolError(_MISSING) from None
    return SmpLoader(flash)


def _advertises(advertisement: Advertisement) -> bool:
    return SERVICE in advertisement.service_uuids


TRANSPORT: Final = UpdateTransport(
    name=mcuboot.TRANSPORT,
    title="SMP (MCUmgr) with MCUboot",
    gatt=GATT,
    open_dialect=_open_dialect,
    open_loader=_open_loader,
    leaves_application=False,
    is_loader=_advertises,
    loader_addresses=same_address,
    on_trial=True,
)
