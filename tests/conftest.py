from __future__ import annotations

import pytest

from animerun_gen.dataset import files


@pytest.fixture(autouse=True)
def _unhurried_disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test wait for the disk: their files need not outlive a crash of the machine.

    ``@pytest.mark.durable`` is for the tests of just that.
    """
    if request.node.get_closest_marker("durable") is None:
        monkeypatch.setattr(files, "flush", lambda path: None)
