"""Where a person's things lie on this machine; every folder and file of ours is owner-only."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ksos_link.errors import StoreError, UsageError

APPLICATION: Final = "ksos-link"
OWNER_ONLY_FOLDER: Final = 0o700
OWNER_ONLY_FILE: Final = 0o600


@dataclass(frozen=True, slots=True)
class Home:
    """Everything of one person: the store with its key file, the settings, the logs."""

    folder: Path
    settings_file: Path
    logs_folder: Path

    @property
    def store_file(self) -> Path:
        """The encrypted database."""
        return self.folder / "store.db"

    @property
    def key_file(self) -> Path:
        """The wrapped key of the database, or the note that the keyring holds it."""
        return self.folder / "store.key"

    @property
    def open_lock(self) -> Path:
        """Locked shared by whoever has the store open, alone by whoever swaps its files."""
        return self.folder / "store.lock"

    @property
    def writer_lock(self) -> Path:
        """Locked by the one program that writes."""
        return self.folder / "store-writer.lock"

    def create(self) -> None:
        """Make the data folder where there is none.

        Raises:
            StoreError: it cannot be made.
        """
        create_folder(self.folder)


def open_home(env: Mapping[str, str], override: Path | None = None) -> Home:
    """Find the home: `override`, else `KSOS_HOME`, else the folders of the platform.

    A home that was named holds everything. Nothing is created here.

    Raises:
        UsageError: it is named after a person whom this machine does not know (`~name`).
    """
    named = override or env.get("KSOS_HOME")
    if named:
        folder = path_from(named).absolute()
        return Home(folder, folder / "settings.toml", folder / "logs")
    import platformdirs  # 19 ms that a named home does not pay

    folders = platformdirs.PlatformDirs(APPLICATION, appauthor=False)
    return Home(
        folders.user_data_path,
        folders.user_config_path / "settings.toml",
        folders.user_log_path,
    )


def path_from(text: str | Path) -> Path:
    """Return the path that a person wrote, `~` resolved.

    Raises:
        UsageError: `~name` names nobody.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(
            "A path begins with ~ and a name that this machine does not know.",
            "Write the whole path.",
        ) from error


def check_is_text(path: Path) -> None:
    """Refuse a path that the store and reports cannot hold.

    Raises:
        UsageError: it has bytes that are no UTF-8.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            "The name of that file, or of a folder above it, is no text.",
            "Give it a name in UTF-8.",
        ) from error


def is_there(path: Path) -> bool:
    """Tell whether there is a file or folder of that path.

    Raises:
        StoreError: nobody may look, or the path is none.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise StoreError(
            f"{path.name[:80]} cannot be looked at: {os.strerror(error.errno or 0)}.",
            "Check who owns the folder, or choose another one with --home or KSOS_HOME.",
        ) from error
    return True


def is_of_a_store(path: Path) -> bool:
    """Tell whether a path names a file of a store, journals and locks included."""
    home = Home(path.parent, path, path)
    named = path in (home.key_file, home.open_lock, home.writer_lock)
    return (named or path.name.startswith(home.store_file.name)) and is_there(home.key_file)


def create_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter; one that is there stays as it is.

    Raises:
        StoreError: it cannot be made, or a file is in its way.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=OWNER_ONLY_FOLDER, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The folder {folder} cannot be made: {os.strerror(error.errno or 0)}.",
            "Choose another folder with --home or KSOS_HOME.",
        ) from error
