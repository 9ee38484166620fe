"""Motion between any two frames from files and numpy alone, against the compiled loops that write ``motion.gaps``."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from animerun_gen.dataset import ClipWriter, files
from animerun_gen.dataset.correspondence import ARRAYS, MotionBetween, Surfaces, read_surfaces, write_surfaces
from animerun_gen.errors import DatasetError
from animerun_gen.motion import between, raster
from animerun_gen.motion.backdrop import BackgroundMotion
from animerun_gen.motion.between import barycentric, motion_between, surfaces_of
from animerun_gen.motion.flow import compute_motion, exact_occlusion
from animerun_gen.motion.geometry import CLIP, EXTEND, MIRROR, REPEAT, FrameGeometry
from tests.motion.synthetic import (
    HEIGHT,
    WIDTH,
    Thing,
    camera,
    cube,
    frame,
    masks,
    orthographic,
    perspective,
    pixel_grid,
    plane,
    project,
    rotation,
    soup,
    translation,
)


def kept(geometry: FrameGeometry, background: BackgroundMotion = "infinity") -> Surfaces:
    seen = raster.draw(geometry)
    return surfaces_of(geometry, seen.instance, seen.triangle, background)


def compiled(source: FrameGeometry, target: FrameGeometry, background: BackgroundMotion = "infinity") -> MotionBetween:
    motion = compute_motion(source, raster.draw(source), target, background)
    return MotionBetween(motion.flow, motion.valid, exact_occlusion(motion, target))


def require_same(found: MotionBetween, expected: MotionBetween) -> None:
    """To the last bit."""
    np.testing.assert_array_equal(found.valid, expected.valid)
    np.testing.assert_array_equal(found.occluded, expected.occluded)
    assert found.flow.dtype == np.float32
    np.testing.assert_array_equal(found.flow, expected.flow)


def busy_clip(seed: int, projection: np.ndarray) -> list[FrameGeometry]:
    """Everything at once, under a camera that moves: triangles that bend, run through the camera and lie behind it, a
    cube that turns, comes and goes, holes of every kind, of which some slide, faces that are numbered anew."""
    generator = np.random.default_rng(seed)
    cloth = soup(generator, 40, "cloth", depth=-5.0)
    lace = soup(generator, 25, "lace", depth=-9.0)
    bend = generator.normal(0, 0.08, cloth.vertices.shape)
    images = masks(*[generator.random((5, 7)) < 0.4 for _ in range(4)], extensions=(REPEAT, MIRROR, CLIP, EXTEND))
    lace_uvs, cube_uvs = generator.uniform(-2, 3, (25, 3, 2)), generator.uniform(0, 2, (12, 3, 2))
    identities = generator.permutation(np.arange(1, 200, dtype=np.uint64))
    frames = []
    for time in range(4):
        world = translation(0.1 * time, 0.05 * time, -0.3 * time) @ rotation(1, 0.06 * time)
        sorted_anew = np.random.default_rng(time).permutation(len(cloth.vertices))
        shuffled = Thing(
            "shuffled",
            (cloth.vertices + [0.5, 0.3, -3] + time * bend)[sorted_anew],
            np.argsort(sorted_anew)[cloth.triangles],
            translation(0.1 * time, 0, 0),
            topology=bytes([time]),
            ordered=False,
            single=True,
            identities=identities[: len(cloth.vertices)][sorted_anew],
        )
        things = [
            plane("wall", translation(0, 0, -14), 12.0),
            Thing("cloth", cloth.vertices + time * bend, cloth.triangles, np.eye(4), slots=(4,)),
            shuffled,
            Thing(
                "lace",
                lace.vertices,
                lace.triangles,
                rotation(2, 0.05 * time),
                slots=(5, 6, 7, 8, 9),
                triangle_slots=np.arange(25) % 6,
                uvs=lace_uvs + (0.2 if time == 3 else 0.0) * (np.arange(25) < 8)[:, None, None],
                slot_masks=(0, 1, 2, 3, -1),
            ),
        ]
        if time != 1:
            turned = translation(-1.5 + 0.6 * time, 0.1, -4) @ rotation(1, 0.2 * time) @ rotation(0, 0.1 * time)
            box = cube("cube", turned)
            box.uvs, box.slot_masks = cube_uvs, (0,)
            things.insert(1, box)
        frames.append(frame(10 + 2 * time, camera(projection, world), things, images))
    return frames


@pytest.mark.parametrize("projection", [perspective(1.1), orthographic(4.0, shift=(0.1, 0.2))], ids=["persp", "ortho"])
def test_any_two_frames_are_as_gaps_would_have_them(projection: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    # so small that all that is done in parts is done in several
    monkeypatch.setattr(between, "PIXELS_AT_ONCE", 500)
    monkeypatch.setattr(between, "PAIRS_AT_ONCE", 3000)
    known = hidden = unknown = 0
    for seed in range(2):
        frames = busy_clip(seed, projection)
        files_of = [kept(geometry) for geometry in frames]
        for source, target in permutations(range(len(frames)), 2):
            expected = compiled(frames[source], frames[target])
            require_same(motion_between(files_of[source], files_of[target]), expected)
            known += expected.valid.sum()
            hidden += (expected.valid & expected.occluded).sum()
            unknown += (~expected.valid).sum()
    # the scene has something of each to offer
    assert known > 10_000
    assert hidden > 3000
    assert unknown > 1000


@pytest.mark.parametrize("background", ["infinity", "static", "invalid"])
def test_the_background_moves_as_asked(background: BackgroundMotion) -> None:
    still = [plane("board", translation(0.5, 0, -5), 0.8)]
    views = [np.eye(4), translation(0.3, 0, 0) @ rotation(1, 0.1)]
    frames = [frame(number, camera(perspective(1.2), view), still) for number, view in enumerate(views)]
    found = motion_between(kept(frames[0], background), kept(frames[1], background))
    require_same(found, compiled(frames[0], frames[1], background))
    assert found.valid.all() == (background != "invalid")


def test_what_cannot_be_known_is_unknown() -> None:
    def things(angle: float = 0.0) -> list[Thing]:
        return [plane("wall", translation(0, 0, -9), 30.0), cube("box", translation(0, 0, -4) @ rotation(1, angle))]

    source = frame(1, camera(perspective(1.0)), things())
    cut = frame(2, camera(perspective(1.0), name="other"), things(0.1))
    close = frame(3, replace(camera(perspective(1.0)), clip_start=4.0), things(0.1))
    flat = frame(4, camera(perspective(1.0)), things(0.1))
    squeezed = flat.matrices.copy()
    squeezed[1, :, 0] = 0.0
    for target in (cut, close, replace(flat, matrices=squeezed)):
        found = motion_between(kept(source), kept(target))
        require_same(found, compiled(source, target))
        assert not found.valid.all()
        assert found.occluded[~found.valid].all()
        assert (found.flow[~found.valid] == np.float32(1e10)).all()


def test_shares_of_corners_are_where_the_pixel_is() -> None:
    geometry = busy_clip(3, perspective(1.1))[2]
    surfaces = kept(geometry)
    shares = barycentric(surfaces)
    shown = surfaces.instance >= 0
    assert shares.shape == (HEIGHT, WIDTH, 3)
    assert np.array_equal(np.isfinite(shares).all(axis=-1), shown)
    np.testing.assert_allclose(shares[shown].sum(axis=-1), 1.0)
    assert shares[shown].min() > -1e-9
    x, y = pixel_grid()
    for instance in range(len(geometry.keys)):
        here = (surfaces.instance == instance).ravel()
        if not here.any():
            continue
        mesh = int(geometry.mesh[instance])
        corners = geometry.mesh_triangles(mesh)[surfaces.triangle.ravel()[here]]
        local = np.einsum("nk,nkc->nc", shares.reshape(-1, 3)[here], geometry.mesh_vertices(mesh)[corners])
        world = local @ geometry.matrices[instance, :3, :3].T + geometry.matrices[instance, :3, 3]
        # in front of the camera and where the textbook projects it to
        places = project(geometry.camera, world)
        np.testing.assert_allclose(places, np.stack([x[here], y[here]], axis=1), rtol=0, atol=1e-4)


def test_files_hold_all_that_it_takes(tmp_path: Path) -> None:
    frames = busy_clip(1, perspective(1.1))
    writer = ClipWriter(tmp_path, "train", "busy")
    for geometry in frames:
        writer.write("frame", geometry.frame, np.zeros((HEIGHT, WIDTH, 3), np.uint8))
        writer.write("correspondence", geometry.frame, kept(geometry))
    require_same(writer.flow_between(10, 16), compiled(frames[0], frames[3]))
    require_same(writer.flow_between(14, 12), compiled(frames[2], frames[1]))
    with pytest.raises(ValueError, match="two different frames"):
        writer.flow_between(10, 10)
    with pytest.raises(DatasetError, match="is missing"):
        writer.flow_between(10, 11)
    # the same surfaces are the same bytes
    again = tmp_path / "again.npz"
    write_surfaces(again, kept(frames[0]))
    assert again.read_bytes() == writer.path("correspondence", 10).read_bytes()


def test_it_needs_no_compiler(tmp_path: Path) -> None:
    writer = ClipWriter(tmp_path, "train", "busy")
    for geometry in busy_clip(1, perspective(1.1))[:2]:
        writer.write("correspondence", geometry.frame, kept(geometry))
    script = f"""
import sys
sys.modules["numba"] = sys.modules["scipy"] = sys.modules["pydantic"] = sys.modules["bpy"] = None
from pathlib import Path
from animerun_gen.dataset.clip import ClipFiles
found = ClipFiles(Path({str(tmp_path)!r}), "train", "busy").flow_between(10, 12)
print(found.valid.mean() > 0.1)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == "True\n", done.stderr


def spoiled(**changes: object) -> dict[str, np.ndarray]:
    arrays = dict(kept(busy_clip(0, perspective(1.1))[0]).arrays)
    for name, change in changes.items():
        arrays[name] = arrays[name].copy()
        change(arrays[name])  # type: ignore[operator]
    return arrays


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("triangle", lambda a: a.fill(10_000), "triangle that there is not"),
        ("instance", lambda a: a.fill(77), "number that there is not"),
        ("mesh", lambda a: a.fill(-2), "number that there is not"),
        ("triangles", lambda a: a.fill(1 << 20), "vertex that there is not"),
        ("vertex_start", lambda a: a.fill(3), "does not lead through vertices"),
        ("hole_masks", lambda a: a.fill(50), "holes are those of other meshes"),
        ("mask_size", lambda a: a.fill(2), "masks have other sizes"),
    ],
)
def test_arrays_that_contradict_each_other_are_refused(tmp_path: Path, name: str, change: object, said: str) -> None:
    path = tmp_path / "0010.npz"
    arrays = spoiled(**{name: change})
    with pytest.raises(ValueError, match=said):
        write_surfaces(path, Surfaces(10, arrays))
    files.write_arrays(path, arrays)
    with pytest.raises(DatasetError, match=said):
        read_surfaces(path)


def test_arrays_of_another_form_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "0010.npz"
    for name in ("vertices", "mesh", "key", "camera_world"):
        arrays = spoiled()
        arrays[name] = arrays[name][:-1]
        files.write_arrays(path, arrays)
        with pytest.raises(DatasetError, match="holds no surfaces"):
            read_surfaces(path)
    files.write_arrays(path, {name: array for name, array in spoiled().items() if name != "matrix"})
    with pytest.raises(DatasetError, match="is not a complete"):
        read_surfaces(path)
    assert set(spoiled()) == set(ARRAYS)
