"""The example that environments are tried with has a file of every kind, and all of them are read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import try_reader_environments

from animerun_gen.dataset import MODALITIES

PROJECT = Path(__file__).resolve().parents[2]


def test_every_kind_of_file_is_read(tmp_path: Path) -> None:
    try_reader_environments.write_example(tmp_path)
    said = subprocess.run(
        [sys.executable, "-c", try_reader_environments.READ_ALL, tmp_path],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    count = sum(len(what.frames(range(1, 5))) for what in MODALITIES if what.kind != "clip")
    # and nothing that reading has no use for was imported
    assert int(said[3]) == count
    assert len(said) == 5
