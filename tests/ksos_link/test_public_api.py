"""The names that scripts import; one that goes or comes is a decision, not an accident."""

import pytest

import firmware_protocol
import ksos_link

PUBLIC = {
    "Home",
    "KsosError",
    "LinkOptions",
    "OpenWatch",
    "SecretSource",
    "Store",
    "StoreBook",
    "SyncChoice",
    "SyncReport",
    "__version__",
    "decode_capture",
    "discover",
    "meet",
    "open_home",
    "open_store",
    "open_watch",
    "pair",
    "parse_target",
    "sync",
}


def test_the_public_names_are_pinned_and_load() -> None:
    assert set(ksos_link.__all__) == PUBLIC
    assert all(getattr(ksos_link, name) is not None for name in ksos_link.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = ksos_link.no_such_name


def test_the_wheel_is_what_is_tested_where_that_was_asked() -> None:
    import os
    from pathlib import Path

    if not os.environ.get("KSOS_TEST_WHEEL"):
        pytest.skip("this run tests the source tree")
    for package in (ksos_link, firmware_protocol):
        assert "site-packages" in Path(str(package.__file__)).parts
