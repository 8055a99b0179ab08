"""Where a person's things lie."""

import stat
from pathlib import Path

import pytest

from ksos_link.config import create_folder, is_there, open_home
from ksos_link.errors import StoreError, UsageError


def test_a_named_home_holds_everything_and_nothing_is_made_yet(tmp_path: Path) -> None:
    home = open_home({"KSOS_HOME": str(tmp_path / "me")})
    paths = {home.store_file, home.key_file, home.settings_file, home.logs_folder}
    assert {path.parent for path in paths} == {tmp_path / "me"}
    assert {home.open_lock.parent, home.writer_lock.parent} == {tmp_path / "me"}
    assert not home.folder.exists()
    assert open_home({"KSOS_HOME": "/elsewhere"}, tmp_path / "me") == home


def test_a_home_may_start_with_a_tilde_or_be_relative(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert open_home({"KSOS_HOME": "~/x"}).folder == tmp_path / "x"
    assert open_home({}, Path("y")).folder == tmp_path / "y"


def test_without_a_name_the_platform_says_where(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    home = open_home({"KSOS_HOME": ""})
    for path in (home.folder, home.settings_file, home.logs_folder):
        assert path.is_relative_to(tmp_path)
        assert "ksos-link" in path.parts


def test_folders_are_owner_only_and_existing_ones_stay(tmp_path: Path) -> None:
    create_folder(tmp_path / "a" / "b")
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    (tmp_path / "c").mkdir(mode=0o755)
    create_folder(tmp_path / "c")
    assert stat.S_IMODE((tmp_path / "c").stat().st_mode) == 0o755
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        create_folder(tmp_path / "file")


def test_a_home_of_nobody_is_said_so() -> None:
    with pytest.raises(UsageError, match="does not know"):
        open_home({"KSOS_HOME": "~nobody-of-this-name/x"})


def test_a_path_that_is_none_is_an_error_and_not_an_absence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert is_there(tmp_path / "file")
    assert not is_there(tmp_path / "no")
    assert not is_there(tmp_path / "file" / "below")
    with pytest.raises(StoreError, match="cannot be looked at") as found:
        is_there(tmp_path / ("x" * 300))
    assert found.value.hint
