from __future__ import annotations

import threading

import pytest

from animerun_gen.progress import Progress


def test_the_bar_ends_full_and_sentences_stand_on_lines_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(400, "frame", "rendering") as progress:

        def work() -> None:
            for _ in range(100):
                progress.advance("courier 12")

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        progress.say("cut 'a': no camera")
        for thread in threads:
            thread.join()
    output, said = capsys.readouterr()
    assert output == ""
    assert "\ncut 'a': no camera\n" in said.replace("\r", "\n")
    last = said.replace("\r", "\n").strip().splitlines()[-1]
    assert "rendering: 100%" in last
    assert "400/400" in last
    assert "frame/s" in last
