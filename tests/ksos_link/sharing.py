"""Fixtures of the tests of sharing: a wearer with workouts, who may consent; and receivers."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ksos_link.share_counterparts import (
    Broker,
    Certificates,
    MemoryKeyring,
    make_certificates,
    serving_broker,
)
from tests.ksos_link.share_strava_service import Strava, serving_strava

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

RUNNER = "virtual:ido?scenario=runner"


@pytest.fixture(scope="session")
def week_of_training(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a week of training, and its secret; made once, to be copied."""
    place = tmp_path_factory.mktemp("week")
    env = os.environ | {"KSOS_HOME": str(place / "home"), "KSOS_KEY_FILE": str(place / "secret")}
    for arguments in (
        f"sync --device {RUNNER} --quiet",
        "wearer set --height-cm 168 --weight-kg 61 --no-push",
    ):
        command = [sys.executable, "-m", "ksos_link", *arguments.split()]
        subprocess.run(command, env=env, check=True, capture_output=True, timeout=120)
    return place


@pytest.fixture
def wearer(ksos: "CommandLine", week_of_training: Path) -> "CommandLine":
    """Somebody who is known, with a week of training."""
    shutil.copytree(week_of_training, ksos.home.parent, dirs_exist_ok=True)
    return ksos


@pytest.fixture
def keyring(ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    """A keyring, in the place of the one that `ksos` does not find."""
    ring = MemoryKeyring()
    monkeypatch.setattr("keyring.get_keyring", lambda: ring)
    return ring


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def strava(certificates: Certificates) -> Iterator[Strava]:
    with serving_strava(certificates) as service:
        yield service


@pytest.fixture(scope="module")
def broker(
    tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[Broker]:
    folder: Path = tmp_path_factory.mktemp("broker")
    with serving_broker(folder, certificates) as running:
        yield running
