"""Who wears the watches: kept once in the store, told to each watch at bind and on change."""

from collections.abc import Mapping

from firmware_protocol.events import SettingWritten
from firmware_protocol.jobs import WriteSetting
from firmware_protocol.settings import SettingValueError, Wearer
from ksos_link.connection.watch import Watch
from ksos_link.errors import RefusedError
from ksos_link.operations.setting_book import StoreBook
from ksos_link.operations.setting_noun import read_values
from ksos_link.store.database import Store
from ksos_link.store.devices import Device


def kept_wearer(store: Store) -> Wearer | None:
    """The wearer, None where nobody said who that is."""
    remembered = store.wearer()
    if remembered is None:
        return None
    try:
        return Wearer.read(remembered.values)
    except SettingValueError:
        return None  # another version of ksos kept what this one cannot read


def keep_wearer(store: Store, values: Mapping[str, object], utc_s: int) -> tuple[Wearer, list[str]]:
    """Change the wearer in the store; returns who it is now, and which fields changed.

    Raises:
        UsageError: an unknown field, or a value out of range; nothing was changed.
    """
    before = kept_wearer(store)
    after = read_values(Wearer, values, before)
    old = {} if before is None else before.plain()
    new = after.plain()
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    store.set_wearer(new, utc_s)
    return after, changed


async def push_wearer(watch: Watch, store: Store, device: Device, utc_s: int) -> str | None:
    """Tell a watch who wears it, where it was not told yet; returns a remark if it refused.

    Raises:
        LinkLostError: the link broke.
    """
    wearer = kept_wearer(store)
    book = StoreBook(store, device)
    sent = book.sent()
    told = sent.get(Wearer)
    if wearer is None or (told is not None and told.setting == wearer):
        return None
    if Wearer not in watch.family.settings:
        return None
    known = {kind: each.setting for kind, each in sent.items()}
    try:
        written = await watch.ask(WriteSetting(wearer, known), SettingWritten)
    except RefusedError as error:
        return f"the watch did not take the wearer: {error}"
    book.remember(written.sent, utc_s)
    return None
