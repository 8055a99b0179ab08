"""ksos-link: the open companion for KS OS watches.

The names below are the public API; each is loaded when it is first used, so that importing the
package costs nothing. Jobs are asynchronous iterators of typed events:

    async for event in ksos_link.sync(store, device, target, SyncChoice(), LinkOptions()):
        ...
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ksos_link.config import Home as Home
    from ksos_link.config import open_home as open_home
    from ksos_link.errors import KsosError as KsosError
    from ksos_link.operations.decode import decode_capture as decode_capture
    from ksos_link.operations.discover import discover as discover
    from ksos_link.operations.meet import meet as meet
    from ksos_link.operations.open_watch import OpenWatch as OpenWatch
    from ksos_link.operations.open_watch import open_watch as open_watch
    from ksos_link.operations.pair import pair as pair
    from ksos_link.operations.route import LinkOptions as LinkOptions
    from ksos_link.operations.setting_book import StoreBook as StoreBook
    from ksos_link.operations.sync import SyncChoice as SyncChoice
    from ksos_link.operations.sync import SyncReport as SyncReport
    from ksos_link.operations.sync import sync as sync
    from ksos_link.operations.target import parse_target as parse_target
    from ksos_link.store.database import Store as Store
    from ksos_link.store.database import open_store as open_store
    from ksos_link.store.keys import SecretSource as SecretSource

__version__ = "0.1.0"

_HOMES = {
    "Home": "config",
    "KsosError": "errors",
    "LinkOptions": "operations.route",
    "OpenWatch": "operations.open_watch",
    "SecretSource": "store.keys",
    "Store": "store.database",
    "StoreBook": "operations.setting_book",
    "SyncChoice": "operations.sync",
    "SyncReport": "operations.sync",
    "decode_capture": "operations.decode",
    "discover": "operations.discover",
    "meet": "operations.meet",
    "open_home": "config",
    "open_store": "store.database",
    "open_watch": "operations.open_watch",
    "pair": "operations.pair",
    "parse_target": "operations.target",
    "sync": "operations.sync",
}
__all__ = ["__version__", *_HOMES]  # noqa: PLE0604 the keys are literal strings


def __getattr__(name: str) -> Any:  # each name has its own type, given above
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
