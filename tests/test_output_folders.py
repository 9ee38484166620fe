"""Where the commands that measure and train will not write."""

from __future__ import annotations

from pathlib import Path

import pytest

from animerun_gen.cli import main
from tests.benchmark.clips import write_dataset


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("outputs") / "clips")


def commands(root: Path, folder: Path) -> list[list[str]]:
    (config := folder / "training.yaml").write_text("model: {}\n")
    return [
        ["evaluate", "flow", str(root), "--method", "zero"],
        ["evaluate", "segments", str(root), "--method", "nearest"],
        ["evaluate", "interpolation", str(root), "--method", "blend"],
        ["stats", str(root)],
        ["train", "flow", str(config)],
    ]


def test_a_file_is_no_folder(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (file := tmp_path / "file").write_text("mine")
    for words in commands(root, tmp_path):
        for output in (file, file / "below" / "it"):
            assert main([*words, "--out", str(output)]) == 2
            said = capsys.readouterr().err
            assert said == f"{file} is a file, not a folder; choose another folder with --out\n", said
    assert file.read_text() == "mine"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="This system has no /proc")
def test_a_place_where_nothing_can_be_written_is_told_at_once(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in commands(root, tmp_path):
        assert main([*words, "--out", "/proc/x/y"]) == 2
        said = capsys.readouterr().err
        assert said.startswith("/proc/x/y is where nothing can be written ("), said
        assert said.endswith("; choose another folder with --out\n"), said


def test_nothing_is_mixed_with_the_files_of_a_dataset(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(root.rglob("*"))
    (link := tmp_path / "link").symlink_to(root)
    for words in commands(root, tmp_path)[:-1]:
        for output, what in (
            (root, "is the dataset itself"),
            (link, "is the dataset itself"),
            (root / "test", "holds files of the dataset"),
            (link / "train" / "Flow" / "new", "holds files of the dataset"),
            (root / "manifest", "holds files of the dataset"),
        ):
            assert main([*words, "--out", str(output)]) == 2
            assert f"{output} {what}; choose a folder of its own with --out" in capsys.readouterr().err
    assert sorted(root.rglob("*")) == before


def test_predictions_are_not_kept_among_the_labels(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "flow", str(root), "--method", "zero", "--out", str(tmp_path / "out"), "--save", str(root)]
    assert main(words) == 2
    assert f"{root} is the dataset itself; choose a folder of its own with --save" in capsys.readouterr().err


def test_a_folder_of_its_own_may_lie_in_the_dataset(root: Path) -> None:
    assert main(["evaluate", "flow", str(root), "--method", "zero", "--worst", "0", "--out", str(root / "mine")]) == 0
    assert (root / "mine" / "result.json").is_file()
