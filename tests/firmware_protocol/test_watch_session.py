"""What a watch session can leave out: the defaults disturb nobody."""

import pytest

from firmware_protocol.errors import LocalProtocolError
from tests.firmware_protocol.conftest import ScriptedWatch


def test_a_watch_without_a_wearer_does_nothing_and_shows_nothing() -> None:
    watch = ScriptedWatch({})
    assert watch.gestures == ()
    assert watch.settings_held() == {}
    assert watch.take_shown() == []
    assert watch.link_must_drop is False
    with pytest.raises(LocalProtocolError, match="no gesture 'play'"):
        watch.make("play", 0.0)
    watch.say(b"x")
    watch.restart(0.0)
    assert watch.data_to_send() == []


def test_a_watch_without_a_loader_never_changes_its_firmware() -> None:
    watch = ScriptedWatch({})
    watch.starts_with(18)
    assert watch.on_air is None
    assert watch.wants_loader is False
    assert watch.installed is None
