from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from animerun_gen.dataset import files

# a loaded machine is no defect
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _unhurried_disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test wait for the disk: their files need not outlive a crash of the machine.

    ``@pytest.mark.durable`` is for the tests of just that.
    """
    if request.node.get_closest_marker("durable") is None:
        monkeypatch.setattr(files, "flush", lambda path: None)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Gives a folder that a function fills: once, for all processes that run the tests side by side.

    ``made_once("toys", make)`` calls ``make(folder)`` with an empty folder in the process that comes first; the others
    wait for it. Nobody may change what is in the folder.
    """
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        # each process has its own folder in this one
        base = base.parent

    def once(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = base / f"once_{name}", base / f"once_{name}.done"
        with FileLock(base / f"once_{name}.lock"):
            if not done.exists():
                # whoever came before may have failed half-way
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return once
