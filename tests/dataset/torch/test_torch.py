"""The datasets for PyTorch give what the files hold, in the shapes that training code takes."""

from __future__ import annotations

import ctypes
import os
import re
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed here: scripts/test.sh has .venv-torch for it")
from torch.utils.data import DataLoader  # noqa: E402

from animerun_gen.dataset import ClipWriter, Dataset, files  # noqa: E402
from animerun_gen.dataset.pairs import _all_known  # noqa: E402
from animerun_gen.dataset.torch import Clips, FlowPairs, SegmentPairs, Tracks, collate, to_tensors  # noqa: E402
from animerun_gen.dataset.torch.batches import NO_SEGMENT  # noqa: E402
from animerun_gen.errors import DatasetError, NoDatasetError  # noqa: E402
from tests.dataset.torch.example import (  # noqa: E402
    CUTS,
    HEIGHT,
    POINTS,
    WIDTH,
    hidden,
    matches_of,
    motion,
    picture,
    segments_of,
    write,
)

pytestmark = pytest.mark.torch

FIGHT, RUN = CUTS["fight"][1], CUTS["run"][1]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("torch"))


def frames_of(samples: Any) -> list[tuple[Any, ...]]:
    return [(sample["meta"]["cut"], *sample["meta"]["frames"]) for sample in samples]


def expected_pairs(gap: int = 1) -> list[tuple[Any, ...]]:
    return [(cut, *pair) for cut, row in (("fight", FIGHT), ("run", RUN)) for pair in zip(row, row[gap:], strict=False)]


def check_motion(sample: Any, source: int, target: int, behind: str = "", place: int = 0, exact: bool = False) -> None:
    """Hold the motion of a sample against what was written."""
    wanted = motion(source, target)
    wanted[1, 2] = 0
    assert np.array_equal(sample[f"flows{behind}"][place].permute(1, 2, 0).numpy(), wanted)
    valid = sample[f"valids{behind}"][place, 0].numpy()
    assert np.argwhere(~valid).tolist() == [[1, 2]]
    mask = ~hidden(source, target) if exact else hidden(source, target)
    assert np.array_equal(sample[f"occs{behind}"][place, 0].numpy(), mask)


def check_images(sample: Any, frames: Any, number: int = 0) -> None:
    for image, frame in zip(sample["images"], frames, strict=True):
        assert np.array_equal(image.permute(1, 2, 0).numpy(), picture(frame, number))


@pytest.mark.parametrize("direction", ["forward", "backward", "both"])
@pytest.mark.parametrize("reverse", [False, True])
def test_pairs_are_what_the_files_hold(root: Path, direction: Any, reverse: bool) -> None:
    pairs = FlowPairs(str(root), "train", direction=direction, reverse=reverse)
    forward = expected_pairs()
    backward = [(cut, later, earlier) for cut, earlier, later in forward]
    both = [pair for pair_of in zip(forward, backward, strict=True) for pair in pair_of]
    wanted = {"forward": forward, "backward": backward, "both": both}[direction]
    assert len(pairs) == len(wanted)
    assert frames_of(pairs) == wanted
    assert pairs.left_out == []
    for index, (cut, source, target) in enumerate(wanted):
        sample = pairs[index]
        assert sample["images"].shape == (2, 3, HEIGHT, WIDTH)
        assert (sample["images"].dtype, sample["flows"].dtype) == (torch.uint8, torch.float32)
        assert sample["valids"].shape == sample["occs"].shape == (1, 1, HEIGHT, WIDTH)
        assert sample["valids"].dtype == sample["occs"].dtype == torch.bool
        check_images(sample, (source, target))
        check_motion(sample, source, target)
        assert ("flows_b" in sample) == ("valids_b" in sample) == ("occs_b" in sample) == reverse
        if reverse:
            check_motion(sample, target, source, "_b")
        assert sample["meta"] == {
            "split": "train", "cut": cut, "frames": (source, target), "gap": 1, "pictures": "frame"
        }  # fmt: skip


def test_pairs_over_gaps(root: Path) -> None:
    pairs = FlowPairs(root, "train", gaps=(2, 1), occlusion="exact")
    assert {sample["meta"]["gap"] for sample in pairs} == {1, 2}
    assert frames_of(pairs) == [
        pair for cut in ("fight", "run") for gap in (1, 2) for pair in expected_pairs(gap) if pair[0] == cut
    ]
    for sample in pairs:
        source, target = sample["meta"]["frames"]
        check_motion(sample, source, target, exact=True)
    with pytest.raises(ValueError, match="no occlusion by the paper's rule; set occlusion to 'exact' or None"):
        FlowPairs(root, "train", gaps=(1, 2))
    with pytest.raises(DatasetError, match="has no pair of frames with all that is asked for: fight 8-14 has no"):
        FlowPairs(root, "train", gaps=(3,), occlusion=None)


def test_without_occlusion_there_is_none(root: Path) -> None:
    sample = FlowPairs(root, "test", occlusion=None)[0]
    assert set(sample) == {"images", "flows", "valids", "meta"}
    assert frames_of([sample]) == [("jump", 9998, 9999)]


def test_samples_are_found_by_their_place(root: Path) -> None:
    pairs = FlowPairs(root, "train")
    assert frames_of([pairs[-1]]) == [("run", 2, 3)]
    with pytest.raises(IndexError):
        pairs[len(pairs)]
    assert len(list(pairs)) == len(pairs)


def test_pictures_are_chosen(root: Path) -> None:
    check_images(FlowPairs(root, "train", pictures="color_1", cuts=["fight"])[1], (10, 12), 1)
    contour = FlowPairs(root, "train", pictures="contour")[0]["images"]
    assert contour.shape == (2, 3, HEIGHT, WIDTH)
    assert contour.unique().tolist() == [8, 10]
    # a pass that only one of the cuts has, and of some frames only
    pairs = FlowPairs(root, "train", pictures="color_2")
    assert frames_of(pairs) == [("fight", 12, 14), ("fight", 14, 16)]
    assert pairs.left_out == [
        "fight 8-10 has no color_2 of all its frames",
        "fight 10-12 has no color_2 of all its frames",
        "run 1-2 has no color_2 of all its frames",
        "run 2-3 has no color_2 of all its frames",
    ]


def drawn_passes(pairs: Any, seed: int, workers: int, epochs: int) -> list[list[str]]:
    loader = DataLoader(
        pairs, 1, num_workers=workers, collate_fn=collate, generator=torch.Generator().manual_seed(seed)
    )
    torch.manual_seed(seed)
    return [[batch["meta"][0]["pictures"] for batch in loader] for _ in range(epochs)]


@pytest.mark.parametrize("workers", [0, 2])
def test_passes_are_drawn_at_random(root: Path, workers: int) -> None:
    pairs = FlowPairs(root, "train", pictures="random")
    epochs = drawn_passes(pairs, 0, workers, 12)
    # again and again the same for a seed, but another one in each epoch
    assert epochs == drawn_passes(pairs, 0, workers, 12)
    assert len({tuple(epoch) for epoch in epochs}) > 6
    assert epochs != drawn_passes(pairs, 1, workers, 12)
    by_pair = [set(column) for column in zip(*epochs, strict=True)]
    some, most = {"frame", "color_1"}, {"frame", "color_1", "color_2"}
    allowed = [some, some, most, most, {"frame"}, {"frame"}]
    assert all(seen <= names for seen, names in zip(by_pair, allowed, strict=True))
    assert (by_pair[0] | by_pair[1], by_pair[2] | by_pair[3]) == (some, most)
    for sample in pairs:
        # both frames are of the same pass
        number = {"frame": 0, "color_1": 1, "color_2": 2}[sample["meta"]["pictures"]]
        check_images(sample, sample["meta"]["frames"], number)


def test_transforms_take_arrays_and_give_what_they_like(root: Path) -> None:
    seen = []

    def transforms(sample: Any) -> str:
        seen.append(sample)
        return "anything"

    assert FlowPairs(root, "train", transforms, reverse=True)[0] == "anything"
    [sample] = seen
    assert [image.shape for image in sample["images"]] == [(HEIGHT, WIDTH, 3)] * 2
    for behind in ("", "_b"):
        assert sample[f"flows{behind}"][0].shape == (HEIGHT, WIDTH, 2)
        for key in ("valids", "occs"):
            [mask] = sample[f"{key}{behind}"]
            # as ptlflow's transforms have masks
            assert (mask.shape, mask.dtype, set(np.unique(mask))) == ((HEIGHT, WIDTH, 1), np.uint8, {0, 255})
    assert all(array.flags.writeable for key in sample if key != "meta" for array in sample[key])
    tensors = to_tensors(sample)
    assert torch.equal(tensors["flows"], FlowPairs(root, "train")[0]["flows"])


def test_valid_is_there_without_its_files(root: Path, tmp_path: Path) -> None:
    other = write(tmp_path)
    for file in other.glob("train/Valid/fight/*/*.png"):
        file.unlink()
    for with_files, without in zip(FlowPairs(root, "train"), FlowPairs(other, "train"), strict=True):
        assert torch.equal(with_files["valids"], without["valids"])
        assert torch.equal(with_files["flows"], without["flows"])


def test_what_is_filled_in_is_not_valid(tmp_path: Path) -> None:
    """A finite flow whose valid mask says otherwise stays as it is, and invalid."""
    root = write(tmp_path)
    flow = motion(8, 10)
    flow[1, 2] = (3, 4)
    files.write_flow(Dataset(root).clip("fight").path("flow_forward", 8), flow)
    sample = FlowPairs(root, "train")[0]
    assert sample["flows"][0, :, 1, 2].tolist() == [3, 4]
    assert not sample["valids"][0, 0, 1, 2]
    assert int(sample["valids"].sum()) == HEIGHT * WIDTH - 1


def test_a_backward_occlusion_less_is_a_pair_less(tmp_path: Path) -> None:
    root = write(tmp_path)
    Dataset(root).clip("fight").path("occlusion_backward", 16).unlink()
    assert len(FlowPairs(root, "train")) == 6
    pairs = FlowPairs(root, "train", direction="backward")
    assert len(pairs) == 5
    assert pairs.left_out == ["fight 16-14 has no occlusion_backward"]
    assert len(FlowPairs(root, "train", direction="backward", occlusion=None)) == 6


def test_cuts_are_chosen(root: Path, tmp_path: Path) -> None:
    assert {cut for cut, *_ in frames_of(FlowPairs(root, "train", cuts=["run"]))} == {"run"}
    listed = tmp_path / "val.txt"
    listed.write_text("# those of the first film\n fight \n\n")
    assert {cut for cut, *_ in frames_of(Clips(root, "train", length=3, cuts=listed))} == {"fight"}
    with pytest.raises(NoDatasetError, match="has no cut 'jump' in train; the cuts there are: fight, run"):
        FlowPairs(root, "train", cuts=["jump", "run"])
    with pytest.raises(NoDatasetError, match=r"has no split 'validation'; it has train and test"):
        FlowPairs(root, "validation")
    with pytest.raises(DatasetError, match="cannot be read as a list of cuts"):
        FlowPairs(root, "train", cuts=tmp_path / "none.txt")


@pytest.mark.parametrize(
    "options", [{"direction": "up"}, {"gaps": (0,)}, {"gaps": (1, -2), "occlusion": None}], ids=lambda value: str(value)
)
def test_impossible_wishes_are_named(root: Path, options: Any) -> None:
    with pytest.raises(ValueError, match="must be"):
        FlowPairs(root, "train", **options)


def test_rows_of_frames(root: Path) -> None:
    clips = Clips(root, "train", length=3, stride=2, reverse=True)
    assert frames_of(clips) == [("fight", 8, 10, 12), ("fight", 12, 14, 16), ("run", 1, 2, 3)]
    for sample in clips:
        frames = sample["meta"]["frames"]
        assert sample["images"].shape == (3, 3, HEIGHT, WIDTH)
        assert sample["flows"].shape == sample["flows_b"].shape == (2, 2, HEIGHT, WIDTH)
        check_images(sample, frames)
        for place, (source, target) in enumerate(pairwise(frames)):
            check_motion(sample, source, target, place=place)
            check_motion(sample, target, source, "_b", place)
    with pytest.raises(DatasetError, match="no row of 4 frames"):
        Clips(root, "test", length=4)
    with pytest.raises(ValueError, match="length is 1"):
        Clips(root, "train", length=1)


def test_segments_and_their_matches(root: Path) -> None:
    pairs = SegmentPairs(root, "train", reverse=True)
    assert frames_of(pairs) == expected_pairs()
    for sample in pairs:
        source, target = sample["meta"]["frames"]
        check_images(sample, (source, target))
        assert sample["segments"].dtype == torch.int32
        for segments, frame in zip(sample["segments"], (source, target), strict=True):
            assert np.array_equal(segments.numpy(), segments_of(frame))
        assert sample["segment_counts"] == [source % 10 + 3, target % 10 + 3]
        for behind, one, other in (("", source, target), ("_b", target, source)):
            matches = matches_of(one, other)
            assert sample[f"all_matches{behind}"] == matches
            assert sample[f"matches{behind}"].tolist() == [targets[0] for targets in matches]
    backward = SegmentPairs(root, "train", direction="backward")[0]
    assert backward["meta"]["frames"] == (10, 8)
    assert backward["all_matches"] == matches_of(10, 8)
    assert "matches_b" not in backward


def test_a_batch_of_unequal_numbers_of_segments(root: Path) -> None:
    pairs = SegmentPairs(root, "train", reverse=True)
    [batch] = DataLoader(pairs, len(pairs), collate_fn=collate)
    counts = [[source % 10 + 3, target % 10 + 3] for _, source, target in expected_pairs()]
    assert batch["segment_counts"].tolist() == counts
    assert batch["segments"].shape == (6, 2, HEIGHT, WIDTH)
    for key, column in (("matches", 0), ("matches_b", 1)):
        assert batch[key].shape == (6, max(count[column] for count in counts))
        for index, (row, count) in enumerate(zip(batch[key], counts, strict=True)):
            assert torch.equal(row[: count[column]], pairs[index][key])
            assert (row[count[column] :] == NO_SEGMENT).all()
    assert batch["all_matches"] == [sample["all_matches"] for sample in pairs]


def test_matches_that_contradict_the_segments_are_refused(tmp_path: Path) -> None:
    root = write(tmp_path)
    path = Dataset(root).clip("fight").path("match_forward", 8)
    files.write_matches(path, [[0]])
    with pytest.raises(DatasetError, match=r"0008\.json does not fit the 11 and 3 segments"):
        SegmentPairs(root, "train")[0]


def test_tracks(root: Path) -> None:
    tracks = Tracks(root, "train")
    assert frames_of(tracks) == [("fight", *FIGHT), ("run", *RUN)]
    for sample, (cut, points) in zip(tracks, POINTS.items(), strict=True):
        length = len(CUTS[cut][1])
        check_images(sample, CUTS[cut][1])
        assert sample["tracks"].shape == (length, points, 2)
        assert sample["tracks"].dtype == torch.float32
        assert sample["tracks"][2, 1].tolist() == [1.0, 2.25]
        # unknown
        assert sample["tracks"][1, 0].tolist() == [0.0, 0.0]
        assert (~sample["valids"]).nonzero().tolist() == [[1, 0]]
        assert sample["queries"].tolist() == [0] * points
        assert not bool(sample["visibles"][1, 2])
    assert Tracks(root, "train").left_out == []
    with pytest.raises(DatasetError, match="jump has no tracks"):
        Tracks(root, "test")


def test_windows_of_tracks_hold_the_points_that_are_seen_in_them(root: Path) -> None:
    windows = Tracks(root, "train", length=2, cuts=["fight"])
    assert frames_of(windows) == [("fight", *pair) for pair in pairwise(FIGHT)]
    # after the first frame, point n is seen from frame n on
    assert [sample["tracks"].shape[1] for sample in windows] == [5, 3, 4, 5]
    assert windows[1]["tracks"][..., 0].tolist() == [[0.0, 1.0, 2.0]] * 2
    assert windows[1]["queries"].tolist() == [1, 0, 1]
    few = Tracks(root, "train", points=2)
    torch.manual_seed(0)
    chosen = {tuple(few[0]["tracks"][0, :, 0].tolist()) for _ in range(60)}
    assert len(chosen) == 10
    assert all(one < other for one, other in chosen)


def test_a_batch_of_unequal_numbers_of_points(root: Path) -> None:
    tracks = Tracks(root, "train", length=3)
    batch = next(iter(DataLoader(tracks, len(tracks), collate_fn=collate)))
    counts = batch["point_counts"].tolist()
    assert counts == [sample["tracks"].shape[1] for sample in tracks]
    assert len(set(counts)) > 1
    assert batch["tracks"].shape == (len(tracks), 3, max(counts), 2)
    for index, count in enumerate(counts):
        assert torch.equal(batch["tracks"][index, :, :count], tracks[index]["tracks"])
        assert not batch["valids"][index, :, count:].any()
        assert not batch["visibles"][index, :, count:].any()
        assert (batch["queries"][index, count:] == -1).all()


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_give_the_same(root: Path, context: str) -> None:
    pairs = FlowPairs(root, "train", direction="both", reverse=True)
    loader = DataLoader(pairs, 3, num_workers=2, collate_fn=collate, multiprocessing_context=context)
    batches = list(loader)
    for key in ("images", "flows", "valids", "occs", "flows_b"):
        assert torch.equal(torch.cat([batch[key] for batch in batches]), torch.stack([one[key] for one in pairs]))


def test_frames_of_unequal_size_make_no_batch(root: Path) -> None:
    one, other = FlowPairs(root, "train")[0], FlowPairs(root, "train")[1]
    other["images"] = other["images"][..., :-1]
    with pytest.raises(ValueError, match=r"images of a batch differ in size \(2 x 3 x 6 x 7 and 2 x 3 x 6 x 8\); crop"):
        collate([one, other])
    del other["occs"]
    with pytest.raises(ValueError, match="hold different things"):
        collate([one, other])


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    root = write(tmp_path)
    path = Dataset(root).clip("fight").path("frame", 10)
    os.truncate(path, 30)
    with pytest.raises(DatasetError, match=r"0010\.png is not a complete PNG file"):
        FlowPairs(root, "train")[0]
    with pytest.raises(DatasetError, match=r"0010\.png is not a complete PNG file"):
        list(DataLoader(FlowPairs(root, "train"), num_workers=1, collate_fn=collate))


def test_a_kept_picture_is_decoded_once_and_again_when_it_changes(tmp_path: Path) -> None:
    root, kept = write(tmp_path / "data"), tmp_path / "kept"
    plain, pairs = FlowPairs(root, "train"), FlowPairs(root, "train", decoded=kept)
    for _ in range(2):
        for one, other in zip(plain, pairs, strict=True):
            assert torch.equal(one["images"], other["images"])
    # each frame, and each mask that is a picture
    assert len(list(kept.iterdir())) == len(FIGHT) + len(RUN) + len(pairs)
    pairs[0]["images"].zero_()
    check_images(pairs[0], (8, 10))
    clip = Dataset(root).clip("fight")
    files.write_image(clip.path("frame", 8), picture(99))
    check_images(pairs[0], (99, 10))
    # a torn one counts as none
    for file in kept.iterdir():
        os.truncate(file, 100)
    check_images(pairs[0], (99, 10))
    clip.path("frame", 8).unlink()
    with pytest.raises(DatasetError, match=r"0008\.png is missing"):
        pairs[0]


@pytest.mark.parametrize("bits", [np.uint8, np.uint16])
def test_pictures_are_the_same_with_and_without_zlib_ng(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bits: type
) -> None:
    other = pytest.importorskip("zlib_ng.zlib_ng")
    assert files.unpacking is other
    rng = np.random.default_rng(1)
    path = tmp_path / "a.png"
    image: np.ndarray[Any, Any] = rng.integers(0, 4, (541, 963, 3)).astype(bits)
    files.write_image(path, image)
    whole = path.read_bytes()
    # the checksum of what is packed, behind which the chunk's own follows
    begin = whole.index(b"IDAT") + 4
    end = begin + int.from_bytes(whole[begin - 8 : begin - 4], "big")
    spoiled = bytearray(whole)
    spoiled[end - 1] ^= 1
    spoiled[end : end + 4] = zlib.crc32(spoiled[begin - 4 : end]).to_bytes(4, "big")
    for library in (other, zlib):
        monkeypatch.setattr(files, "unpacking", library)
        path.write_bytes(whole)
        chunks = files._png_chunks(whole)
        assert chunks is not None
        found: Any = files._unfiltered(whole, chunks, np.empty)
        np.testing.assert_array_equal(found, image, strict=True)
        # what is packed wrongly is left to the decoder
        assert files._unfiltered(bytes(spoiled), chunks, np.empty) is None


@pytest.mark.parametrize("value", [np.nan, -np.nan, np.inf, -np.inf, 1e9, -1e9, 1e10, -1e10])
@pytest.mark.parametrize("others", [5.0, -5.0, 0.0])
def test_every_mark_of_unknown_flow_is_seen(others: float, value: float) -> None:
    flow = np.full((4, 5, 2), others, np.float32)
    assert _all_known(flow)
    flow[2, 3, 1] = np.nextafter(np.float32(1e9), np.float32(0)) * np.sign(others or -1)
    assert _all_known(flow)
    flow[2, 3, 1] = value
    assert not _all_known(flow)


def test_the_examples_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "reading.md").read_text(encoding="utf-8")
    programs = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(programs) == 2
    write(tmp_path / "out" / "demo")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for program in programs:
        exec(compile(program, "docs/reading.md", "exec"), names)
    assert (names["flow"].shape[1:], names["valid"].shape[1:]) == ((2, HEIGHT, WIDTH), (1, HEIGHT, WIDTH))
    assert float(names["error"]) > 0
    assert [len(names[name]) for name in ("pairs", "rows", "segments", "tracks")] == [6, 3, 6, 2]


def test_workers_keep_the_memory_of_a_sample_for_the_next_one(tmp_path: Path) -> None:
    """Pages that go back to the system are cleared anew: two thousand a sample of this size."""
    resource = pytest.importorskip("resource")
    if not hasattr(ctypes.CDLL(None), "mallopt"):
        pytest.skip("this system's allocator is another one")
    shape = (540, 960)
    writer = ClipWriter(tmp_path, "train", "a")
    for frame in (1, 2):
        writer.write("frame", frame, np.zeros((*shape, 3), np.uint8))
    writer.write("flow_forward", 1, np.ones((*shape, 2), np.float32))
    writer.write("occlusion_forward", 1, np.zeros(shape, bool))
    pairs = FlowPairs(tmp_path, "train", lambda sample: resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
    loader: Any = DataLoader(pairs, None, sampler=[0] * 24, num_workers=1, multiprocessing_context="fork")
    faults = np.diff(list(loader))
    assert np.median(faults) < 500


def test_opencv_starts_no_threads_in_workers(root: Path) -> None:
    def threads(sample: Any) -> int:
        import cv2

        return int(cv2.getNumThreads())

    loader = DataLoader(FlowPairs(root, "train", threads), None, num_workers=1, multiprocessing_context="fork")
    assert set(loader) == {1}
