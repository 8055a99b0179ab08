"""What the store of a command line's home holds, to walk back to from exported files."""

from typing import TYPE_CHECKING

from firmware_protocol.samples import METRICS, Value
from ksos_link.config import open_home
from ksos_link.store.database import Store, open_store
from ksos_link.store.keys import SecretSource

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine


def opened(ksos: "CommandLine") -> Store:
    home = open_home({"KSOS_HOME": str(ksos.home)})
    secret = str(ksos.home.parent / "secret")
    return open_store(home, SecretSource({"KSOS_KEY_FILE": secret}, keyring=lambda: None))


def stored(ksos: "CommandLine", metric: str) -> list[dict[str, Value]]:
    """All samples of a metric by the names of their fields."""
    names = METRICS[metric].row_names
    with opened(ksos) as store:
        return [dict(zip(names, row, strict=True)) for chunk in store.read(metric) for row in chunk]
