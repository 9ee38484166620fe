from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest

from animerun_gen.terminal import as_command, complain, printable, say


def test_what_a_terminal_would_obey_is_escaped() -> None:
    assert printable("a\x1b[31m\n\r\x9b\u202eb\udcff\\") == r"a\x1b[31m\n\r\x9b\u202eb\udcff" + "\\"
    assert printable("Zeichenblätter 動画 100%") == "Zeichenblätter 動画 100%"
    assert printable(printable("\x1b")) == printable("\x1b")


@pytest.mark.parametrize(
    "name",
    [
        "plain.yaml",
        "my film.yaml",
        'it\'s "quoted" $HOME `x`.yaml',
        "-o.yaml",
        "two\nlines\x1b[31m.yaml",
        "Übung 木",
        "\udcff",
    ],
)
def test_a_shell_reads_a_command_as_it_was_meant(name: str) -> None:
    # what a person sees is what they copy
    shown = printable(as_command("printf", "%s|", Path(name), "DATASET"))
    assert "\n" not in shown
    read = subprocess.run(["bash", "-c", shown], capture_output=True, check=True).stdout
    prefix = b"./" if name.startswith("-") else b""
    assert read == prefix + name.encode("utf-8", "surrogateescape") + b"|DATASET|"


def test_a_sentence_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    say("one\ntwo")
    complain("three\x07")
    assert capsys.readouterr() == ("one\\ntwo\n", "three\\x07\n")


def test_a_terminal_that_knows_few_characters_gets_the_sentence_all_the_same() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="")
    say("Blätter", stream)
    stream.seek(0)
    assert stream.read() == "Bl\\xe4tter\n"
