"""Shards hold the dataset's own files, are the same each time, and are read back by the package they are made for."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from animerun_gen.cli import main
from animerun_gen.dataset import ClipFiles, ClipWriter, read_image
from animerun_gen.dataset.checksums import file_digest
from animerun_gen.errors import UsageError
from animerun_gen.publish.pack import pack
from animerun_gen.publish.preview import panels, write_contact_sheet
from animerun_gen.publish.sheet import TITLE_HEIGHT, sheet_of_clips
from animerun_gen.quality.colors import flow_to_color, labels_to_color
from tests.export.clips import FRAMES, HEIGHT, WIDTH, write_clip

LARGE = 10**9


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    write_clip(tmp_path / "toy")
    # names of cuts may have dots, at which readers end the key of a sample
    write_clip(tmp_path / "toy", "test", "shot.1")
    return tmp_path / "toy"


def members(shard: Path) -> dict[str, bytes]:
    with tarfile.open(shard) as archive:
        return {one.name: file.read() for one in archive if (file := archive.extractfile(one)) is not None}


def test_a_colour_of_flow_is_one_motion_in_all_frames_of_a_clip(tmp_path: Path) -> None:
    clip = ClipWriter(tmp_path, "train", "run")
    for frame, motion in ((1, 4.0), (2, 8.0), (3, 0.0)):
        clip.write("frame", frame, np.zeros((18, 32, 3), np.uint8))
        if frame < 3:
            flow = np.zeros((18, 32, 2), np.float32)
            flow[:, :16, 0], flow[:, 16:, 0] = motion, 2.0
            clip.write("flow_forward", frame, flow)
    first, second, last = panels(clip)
    middle, edge = (90, 2 * 320 + 80), (90, 2 * 320 + 240)
    # what moves by two pixels has one colour, whatever else moves; what moves faster has a fuller one
    assert (first[edge] == second[edge]).all()
    assert (first[middle] != second[middle]).any()
    assert (last == second).all()
    still = ClipWriter(tmp_path, "train", "still")
    for frame in (1, 2):
        still.write("frame", frame, np.zeros((18, 32, 3), np.uint8))
    still.write("flow_forward", 1, np.zeros((18, 32, 2), np.float32))
    assert (next(panels(still))[middle] == 255).all()


def test_every_file_of_the_dataset_is_in_a_shard(dataset: Path, tmp_path: Path) -> None:
    pack(dataset, tmp_path / "out", LARGE)
    for split, cut in (("train", "square"), ("test", "shot.1")):
        inside = members(tmp_path / "out" / f"{split}-000000.tar")
        packed = sorted(
            content
            for name, content in inside.items()
            if not name.endswith(("/clip.json", "0.json", "2.json", "8.json"))
        )
        assert packed == sorted(path.read_bytes() for path in (dataset / split).rglob("*") if path.is_file())
        flow = ClipFiles(dataset, split, cut).path("flow_forward", 8)
        assert inside[f"{cut}/0008.flow_forward.flo"] == flow.read_bytes()
        about = json.loads(inside[f"{cut}/0010.json"])
        assert about == {"cut": cut, "split": split, "frame": 10, "previous": 8, "next": 12}
        assert json.loads(inside[f"{cut}/clip.json"])["frames"] == list(FRAMES)


def test_webdataset_reads_them(dataset: Path, tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    pack(dataset, tmp_path / "out", LARGE)
    for split, cut in (("train", "square"), ("test", "shot.1")):
        samples = list(webdataset.WebDataset(str(tmp_path / "out" / f"{split}-000000.tar"), shardshuffle=False))
        assert [sample["__key__"] for sample in samples] == [f"{cut}/{key}" for key in ("clip", "0008", "0010", "0012")]
        frame = samples[1]
        picture = cv2.imdecode(np.frombuffer(frame["frame.png"], np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape == (HEIGHT, WIDTH, 3)
        segments = np.load(io.BytesIO(frame["segment.npy"]), allow_pickle=False)
        assert segments.shape == (HEIGHT, WIDTH)
        assert json.loads(frame["json"])["next"] == 10
        assert np.load(io.BytesIO(samples[0]["tracks.npz"]), allow_pickle=False)["frames"].tolist() == list(FRAMES)


def test_nothing_is_a_pickle(dataset: Path, tmp_path: Path) -> None:
    pack(dataset, tmp_path / "out", LARGE)
    for shard in (tmp_path / "out").glob("*.tar"):
        for name, content in members(shard).items():
            assert not name.endswith((".pkl", ".pickle", ".pth", ".pyd"))
            if name.endswith((".npy", ".npz")):
                np.load(io.BytesIO(content), allow_pickle=False)


def test_the_same_dataset_becomes_the_same_shards(dataset: Path, tmp_path: Path) -> None:
    pack(dataset, tmp_path / "a", LARGE)
    (dataset / "train" / "Depth").mkdir(exist_ok=True)
    for path in dataset.rglob("*"):
        path.touch()
    pack(dataset, tmp_path / "b", LARGE)
    for name in ("train-000000.tar", "test-000000.tar", "contact_sheet.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_sample_is_never_divided(dataset: Path, tmp_path: Path) -> None:
    pack(dataset, tmp_path / "out", 1)
    shards = sorted((tmp_path / "out").glob("train-*.tar"))
    assert len(shards) == 4
    for shard in shards:
        assert len({name.partition(".")[0] for name in members(shard)}) == 1
    # fewer and larger shards leave none of these behind
    pack(dataset, tmp_path / "out", LARGE)
    assert len(list((tmp_path / "out").glob("train-*.tar"))) == 1


def test_it_is_continued_and_checksums_are_right(dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    pack(dataset, out, LARGE)
    (out / "test-000000.tar").unlink()
    before = (out / "train-000000.tar").stat().st_mtime_ns
    done = pack(dataset, out, LARGE)
    assert (done.written, done.unchanged) == (["test-000000.tar"], ["train-000000.tar"])
    assert (out / "train-000000.tar").stat().st_mtime_ns == before
    listed = {line[66:]: line[:64] for line in (out / "SHA256SUMS").read_text().splitlines()}
    assert set(listed) == {"train-000000.tar", "test-000000.tar", "contact_sheet.png", "preview.mp4"}
    assert all(file_digest(out / name) == digest for name, digest in listed.items())


def test_the_video_shows_every_frame(dataset: Path, tmp_path: Path) -> None:
    done = pack(dataset, tmp_path / "out", LARGE)
    video = cv2.VideoCapture(str(tmp_path / "out" / "preview.mp4"))
    count = 0
    while video.read()[0]:
        count += 1
    assert count == 2 * len(FRAMES)
    assert "play" in done.player


def test_a_sheet_has_rows_for_frames_and_columns_for_what_is_known(dataset: Path) -> None:
    clips = [ClipFiles(dataset, "train", "square"), ClipFiles(dataset, "test", "shot.1")]
    sheet = sheet_of_clips(clips, ("frame", "flow_forward", "segment"), frames=2, width=WIDTH)
    # the last frame has no flow forward, so the two before it are shown
    rows = [(clip, frame) for clip in clips for frame in FRAMES[:2]]
    assert sheet.shape == (len(rows) * (HEIGHT + TITLE_HEIGHT), 3 * WIDTH, 3)
    for row, (clip, frame) in enumerate(rows):
        top = row * (HEIGHT + TITLE_HEIGHT) + TITLE_HEIGHT
        pictures = np.split(sheet[top : top + HEIGHT], 3, axis=1)
        assert np.array_equal(pictures[0], clip.read("frame", frame))
        assert np.array_equal(pictures[1], flow_to_color(clip.read_motion("forward", frame)))
        assert np.array_equal(pictures[2], labels_to_color(clip.read("segment", frame)))


def test_a_sheet_of_many_clips_shows_some_of_all_parts(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "toy")
    for count, rows in ((3, 3), (50, 50), (51, 50), (120, 50)):
        write_contact_sheet(tmp_path / "sheet.png", [clip] * count)
        height = read_image(tmp_path / "sheet.png").shape[0]
        write_contact_sheet(tmp_path / "sheet.png", [clip])
        assert height == rows * read_image(tmp_path / "sheet.png").shape[0]


def test_the_report_has_a_video_of_each_clip_that_was_asked_for(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(dataset), "--cut", "shot.1", "--video"]) == 0
    assert "shot.1.mp4: " in capsys.readouterr().out
    [found] = (dataset / "report").rglob("*.mp4")
    assert found == dataset / "report" / "test" / "shot.1.mp4"
    video = cv2.VideoCapture(str(found))
    count = 0
    while video.read()[0]:
        count += 1
    assert count == len(FRAMES)


def test_a_folder_of_somebody_else_is_left_alone(dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match="holds files that were not packed here"):
        pack(dataset, tmp_path / "out", LARGE)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.tex"]


def test_the_command(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pack", str(dataset), "--out", str(tmp_path / "out")]) == 0
    assert "8 samples: 2 shards written" in capsys.readouterr().out
    assert main(["pack", str(tmp_path / "nowhere"), "--out", str(tmp_path / "x")]) == 2
