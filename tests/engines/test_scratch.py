"""Temporary folders of processes that were killed are removed by the next one, and nobody else's are."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from animerun_gen.engines.scratch import TemporaryFolder, remove_abandoned

HOLDER = """
import sys
from pathlib import Path
from animerun_gen.engines.scratch import TemporaryFolder
with TemporaryFolder() as folder:
    Path(folder, "file").touch()
    print(folder, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def holding(place: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that has a temporary folder, and the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        env=os.environ | {"TMPDIR": str(place)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_the_folder_of_a_killed_process_goes_with_the_next_one(place: Path) -> None:
    living, kept = holding(place)
    killed, left = holding(place)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    assert (left / "file").exists()
    with TemporaryFolder() as folder:
        assert not left.exists()
        assert (kept / "file").exists()
        assert Path(folder).parent == place
        # nobody takes it away while it is held, in this process either
        assert remove_abandoned() == 0
        assert Path(folder).is_dir()
    living.communicate("\n", timeout=60)
    assert list(place.iterdir()) == []


def test_whatever_is_somebody_elses_stays(place: Path) -> None:
    with TemporaryFolder() as folder:
        name = Path(folder).name
    elsewhere = place / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (place / f"{name}-data").mkdir(mode=0o700)
    (place / "animerun-gen-dataset1").mkdir(mode=0o700)
    (place / name).symlink_to(elsewhere)
    shared = place / f"{name[:-1]}{'a' if name[-1] != 'a' else 'b'}"
    shared.mkdir(mode=0o755)
    shared.chmod(0o755)
    there = {path.name for path in place.iterdir()}
    assert remove_abandoned() == 0
    assert {path.name for path in place.iterdir()} == there
    shared.chmod(0o700)
    assert remove_abandoned() == 1
    assert {path.name for path in place.iterdir()} == there - {shared.name}


def test_what_is_read_only_inside_is_no_reason_to_stop(place: Path) -> None:
    with TemporaryFolder(ignore_cleanup_errors=True) as folder:
        shutil.rmtree(folder)
    assert list(place.iterdir()) == []
