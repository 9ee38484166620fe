from __future__ import annotations

import io

import pytest

from animerun_gen.terminal import complain, printable, say


def test_what_a_terminal_would_obey_is_escaped() -> None:
    assert printable("a\x1b[31m\n\r\x9b\u202eb\udcff\\") == r"a\x1b[31m\n\r\x9b\u202eb\udcff" + "\\"
    assert printable("Zeichenblätter 動画 100 %") == "Zeichenblätter 動画 100 %"
    assert printable(printable("\x1b")) == printable("\x1b")


def test_a_sentence_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    say("one\ntwo")
    complain("three\x07")
    assert capsys.readouterr() == ("one\\ntwo\n", "three\\x07\n")


def test_a_terminal_that_knows_few_characters_gets_the_sentence_all_the_same() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="")
    say("Blätter", stream)
    stream.seek(0)
    assert stream.read() == "Bl\\xe4tter\n"
