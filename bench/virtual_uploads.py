"""What both benches of uploads share: virtual watches that take firmware, and writing to one."""

import contextlib
import hashlib
import logging
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

# the helpers of tests; another package of the same name may be installed
sys.path.append(str(Path(__file__).parent.parent / "tests" / "ksos_link"))

from jumping_loop import JumpingLoop, hush_bumble
from updatable import KINDS, Kind

from firmware_protocol.registry import family_named
from firmware_protocol.updates.loader import firmware_mark
from firmware_protocol.watch_session import WatchTraits
from ksos_link.operations.firmware_source import open_source
from ksos_link.operations.firmware_wish import FirmwareWish
from ksos_link.operations.route import LinkOptions
from ksos_link.transports.tapped import Tap
from ksos_link.virtual_watch.bleak_backend import install
from ksos_link.virtual_watch.faults import Fault, FaultySession
from ksos_link.virtual_watch.radio import LinkShape
from ksos_link.virtual_watch.sample_images import sample_image
from ksos_link.virtual_watch.scenarios import (
    VirtualIdentity,
    load_scenario,
    numbered_address,
    open_virtual_watch,
)
from ksos_link.virtual_watch.sensors import memory_for
from ksos_link.virtual_watch.updatable import UpdatableWatch, updatable_watch
from ksos_link.virtual_watch.virtual_radio import VirtualRadio

__all__ = ["KINDS", "JumpingLoop", "Kind", "hushed", "on_air", "open_watch", "options", "wish_of"]

OLD_VERSION, NEW_VERSION = 17, 18
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LIFTED = frozenset({"unknown_product", "unknown_version", "version_order"})


@dataclass(frozen=True)
class OnWrist:
    """A virtual watch; `watch.flash` is the truth about its firmware."""

    watch: UpdatableWatch
    session: FaultySession
    identity: VirtualIdentity


def open_watch(
    kind: Kind, faults: Sequence[Fault] = (), *, number: int = 0, session: type = FaultySession
) -> OnWrist:
    """A bound watch with the old firmware, behind faults that `session` does."""
    query = dict(part.split("=") for part in kind.query.split("&"))
    address = numbered_address(number)
    identity = open_virtual_watch("ido", {"scenario": "empty", "address": address}, now=NOW)[1]
    traits = WatchTraits(
        address=address,
        wall_offset_s=int(NOW.timestamp()),
        bound=True,
        battery_pct=64,
        platform=int(query["platform"]),
        firmware_version=OLD_VERSION,
    )
    memory = memory_for(load_scenario("empty"), today=NOW.date(), seed=1)
    family = family_named("ido")
    assert family is not None
    application = family.open_watch(memory, traits)
    watch = updatable_watch(application, identity.on_air, traits, query.get("loader"))
    assert watch.flash.application == firmware_mark(OLD_VERSION)
    return OnWrist(watch, session(watch, faults), identity)


@contextlib.asynccontextmanager
async def on_air(wrist: OnWrist, shape: LinkShape | None = None) -> AsyncIterator[VirtualRadio]:
    """The watch is what bleak finds on this machine's adapter."""
    radio = await VirtualRadio.open_in_process([(wrist.session, wrist.identity)], shape=shape)
    try:
        with install(radio.client_backend, radio.scanner_backend):
            yield radio
    finally:
        await radio.close()


def wish_of(
    kind: Kind, folder: Path, size_bytes: int, seed: int = 0, *, released: bool = False
) -> FirmwareWish:
    """An image of the new version, wanted unsigned; a release says which version it is."""
    data = sample_image(kind.image, NEW_VERSION, size_bytes, seed)
    path = folder / kind.file
    path.write_bytes(data)
    if released:
        path = folder / "release.toml"
        path.write_text(
            f'product = "Band 8"\nmodel_code = 532\nkind = "firmware"\nversion = "{NEW_VERSION}"\n'
            f'status = "active"\nchannel = "formal"\n[[files]]\nname = "{kind.file}"\n'
            f'size_bytes = {len(data)}\nsha256 = "{hashlib.sha256(data).hexdigest()}"\n'
        )
    return replace(
        open_source(path),
        allow=LIFTED,
        unsigned=True,
        experimental="--experimental" in kind.options,
    )


def options(tap: Tap | None = None, timeout_s: float = 20.0) -> LinkOptions:
    return LinkOptions(now=lambda: NOW, tap=tap, timeout_s=timeout_s)


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """No words of bumble, neither painted for nobody nor about links that are meant to break."""
    logging.disable(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch:
        hush_bumble(patch)
        yield
