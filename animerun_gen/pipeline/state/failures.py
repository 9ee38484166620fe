"""Keeps why a cut failed until a run of it succeeds, for whoever looks later (``animerun-gen status``)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from animerun_gen.dataset import layout
from animerun_gen.dataset.files import read_json
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.state.clearing import remove_file
from animerun_gen.pipeline.state.record import write_if_changed


def keep_failures(output: Path, cut: str, failures: Sequence[str]) -> None:
    """Keep the sentences about a cut that a run ended with; none: what an earlier run kept is forgotten.

    The run has said them itself, so a disk that does not take them any more is no failure of its own.
    """
    file = layout.failures_file(output, cut)
    with suppress(DatasetError):
        if failures:
            write_if_changed(file, list(failures))
        else:
            remove_file(file)


def kept_failures(output: Path, cut: str) -> list[str]:
    """The sentences that the last run of a cut ended with; none where it succeeded, or where they cannot be read."""
    try:
        failures = read_json(layout.failures_file(output, cut))
    except DatasetError:
        return []
    return [str(failure) for failure in failures] if isinstance(failures, list) else []
