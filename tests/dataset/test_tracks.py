from __future__ import annotations

import io
import zipfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animerun_gen.dataset import ClipWriter, Dataset, Tracks, files, read_tracks, write_tracks
from animerun_gen.dataset.tracks import ARRAYS, TrackSettings, read_settings
from animerun_gen.errors import DatasetError

FRAMES = (8, 10, 12, 14)


def some_tracks(count: int = 5, seed: int = 3) -> Tracks:
    """Points with every combination of flags that there can be."""
    rng = np.random.default_rng(seed)
    shape = (len(FRAMES), count)
    level = rng.integers(0, 4, shape)
    query = rng.integers(0, len(FRAMES), count)
    level[query, np.arange(count)] = 3
    known = level > 0
    position = np.where(known[..., None], rng.uniform(-5, 50, (*shape, 2)), np.nan)
    return Tracks(
        frames=np.array(FRAMES, np.int32),
        position=position,
        world=np.where(known[..., None], rng.uniform(-5, 50, (*shape, 3)), np.nan),
        depth=np.where(known, rng.uniform(1, 9, shape), np.nan).astype(np.float32),
        known=known,
        in_frame=level > 1,
        visible=level > 2,
        query_frame=np.array(FRAMES, np.int32)[query],
        object_id=rng.integers(0, 9, count).astype(np.uint16),
        material_id=rng.integers(0, 9, count).astype(np.uint16),
        requested=count + 1,
        seed=2**32 - 1,
    )


def same(one: Tracks, other: Tracks) -> bool:
    return all(
        np.array_equal(getattr(one, f.name), getattr(other, f.name), equal_nan=f.name in ("position", "world", "depth"))
        and np.asarray(getattr(one, f.name)).dtype == np.asarray(getattr(other, f.name)).dtype
        for f in fields(Tracks)
    )


def test_older_files_do_not_know_the_world(tmp_path: Path) -> None:
    tracks, file = some_tracks(), tmp_path / "tracks.npz"
    write_tracks(file, tracks)
    arrays = dict(np.load(file))
    del arrays["world"]
    np.savez(file, **arrays)
    assert same(read_tracks(file), replace(tracks, world=np.full_like(tracks.world, np.nan)))


@pytest.mark.parametrize("count", [0, 1, 40])
def test_what_is_written_is_read(tmp_path: Path, count: int) -> None:
    clip = ClipWriter(tmp_path, "train", "fight")
    tracks = some_tracks(count)
    clip.write_tracks(tracks)
    clip.write("frame", 8, np.zeros((2, 2, 3), np.uint8))
    assert same(Dataset(tmp_path).clip("fight").read_tracks(), tracks)
    assert read_settings(clip.tracks_path) == tracks.settings == TrackSettings(FRAMES, count + 1, 2**32 - 1)
    assert [file.name for file in clip.tracks_path.parent.iterdir()] == ["tracks.npz"]


def test_numpy_alone_reads_it(tmp_path: Path) -> None:
    write_tracks(tmp_path / "tracks.npz", some_tracks())
    with np.load(tmp_path / "tracks.npz") as loaded:
        assert list(loaded) == list(ARRAYS) == [field.name for field in fields(Tracks)]
        for name, what in ARRAYS.items():
            lengths = {"T": 4, "N": 5}
            assert loaded[name].dtype == what.dtype
            assert loaded[name].shape == tuple(lengths.get(side, side) for side in what.shape)  # type: ignore[arg-type]


def test_the_same_tracks_are_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tracks(tmp_path / "a", some_tracks())
    monkeypatch.setattr("time.time", lambda: 1e9)
    write_tracks(tmp_path / "b", some_tracks())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def broken(what: str) -> Tracks:
    tracks = some_tracks(40)
    if what == "dtype":
        return replace(tracks, position=tracks.position.astype(np.float32))
    if what == "shape":
        return replace(tracks, depth=tracks.depth[:, :-1])
    if what == "frames":
        return replace(tracks, frames=tracks.frames[::-1].copy())
    if what == "visible outside":
        return replace(tracks, in_frame=np.zeros_like(tracks.in_frame))
    if what == "in frame but unknown":
        return replace(tracks, known=tracks.visible, in_frame=np.ones_like(tracks.in_frame))
    if what == "number where unknown":
        return replace(tracks, depth=np.ones_like(tracks.depth))
    if what == "none where known":
        return replace(tracks, position=np.where(tracks.in_frame[..., None], tracks.position, np.nan))
    if what == "foreign query frame":
        return replace(tracks, query_frame=np.full_like(tracks.query_frame, 9))
    if what == "late query frame":
        return replace(tracks, query_frame=np.full_like(tracks.query_frame, 99))
    assert what == "hidden in its query frame"
    return replace(tracks, visible=np.zeros_like(tracks.visible))


@pytest.mark.parametrize(
    "what",
    [
        "dtype",
        "shape",
        "frames",
        "visible outside",
        "in frame but unknown",
        "number where unknown",
        "none where known",
        "foreign query frame",
        "late query frame",
        "hidden in its query frame",
    ],
)
def test_contradictions_are_neither_written_nor_read(tmp_path: Path, what: str) -> None:
    path, tracks = tmp_path / "tracks.npz", broken(what)
    with pytest.raises(ValueError, match="tracks: "):
        write_tracks(path, tracks)
    assert not path.exists()
    files.write_arrays(path, {name: np.asarray(getattr(tracks, name), None) for name in ARRAYS} | settings_of(tracks))
    with pytest.raises(DatasetError, match=r"tracks\.npz holds no tracks: .*; delete it"):
        read_tracks(path)


def settings_of(tracks: Tracks) -> dict[str, Any]:
    return {"requested": np.asarray(tracks.requested, np.int32), "seed": np.asarray(tracks.seed, np.uint32)}


def test_damaged_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "tracks.npz"
    write_tracks(path, some_tracks())
    whole = path.read_bytes()
    for damage in (b"", whole[:-30], whole[: len(whole) // 2], b"PK", whole.replace(b"depth", b"depht")):
        path.write_bytes(damage)
        with pytest.raises(DatasetError, match=r"tracks\.npz is not a complete \.npz file"):
            read_tracks(path)
    flipped = bytearray(whole)
    flipped[whole.index(b"position") + 60] ^= 255
    path.write_bytes(flipped)
    with pytest.raises(DatasetError, match=r"tracks\.npz"):
        read_tracks(path)
    path.unlink()
    with pytest.raises(DatasetError, match=r"tracks\.npz is missing"):
        read_settings(path)


def test_a_file_that_runs_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tracks.npz"
    stream = io.BytesIO()
    np.save(stream, np.array([print], object), allow_pickle=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in ARRAYS:
            archive.writestr(f"{name}.npy", stream.getvalue())
    for read in (read_tracks, read_settings):
        with pytest.raises(DatasetError, match="Python objects"):
            read(path)


def test_settings_of_the_wrong_type_are_refused(tmp_path: Path) -> None:
    path, tracks = tmp_path / "tracks.npz", some_tracks()
    files.write_arrays(path, {"frames": tracks.frames, "requested": np.zeros(2, np.int32), "seed": np.zeros((), "u4")})
    with pytest.raises(DatasetError, match="requested is wrong"):
        read_settings(path)
