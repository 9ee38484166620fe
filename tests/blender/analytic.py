"""True flow of the toy scenes from their formulas, with projections that share no code with the package."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from animerun_gen.dataset import ClipFiles
from scenes.choreography import EVERYTHING, CameraState, Choreography

BACKGROUND = "background"


def project(camera: CameraState, points: np.ndarray, width: int, height: int) -> np.ndarray:
    """World points ``(n, 3)`` to pixels ``(n, 2)``: pinhole or parallel, as in a textbook."""
    world = np.array(camera["matrix_world"], np.float64)
    local = (points - world[:3, 3]) @ world[:3, :3]
    return _to_pixels(camera, local, width, height)


def project_directions(camera: CameraState, directions: np.ndarray, width: int, height: int) -> np.ndarray:
    """Where points infinitely far away in world directions ``(n, 3)`` are seen."""
    world = np.array(camera["matrix_world"], np.float64)
    return _to_pixels(camera, directions @ world[:3, :3], width, height)


def _to_pixels(camera: CameraState, local: np.ndarray, width: int, height: int) -> np.ndarray:
    if camera["kind"] == "PERSP":
        scale = camera["lens"] / camera["sensor_width"] * width
        plane = local[:, :2] / -local[:, 2:]
    else:
        scale = width / camera["ortho_scale"]
        plane = local[:, :2]
    x = (width - 1) / 2 + scale * plane[:, 0] - camera["shift_x"] * width
    y = (height - 1) / 2 - scale * plane[:, 1] + camera["shift_y"] * width
    return np.stack([x, y], axis=1)


def unproject(
    camera: CameraState, x: np.ndarray, y: np.ndarray, depth: np.ndarray, width: int, height: int
) -> np.ndarray:
    """World points ``(n, 3)`` seen at pixels, ``depth`` in front of the camera along its axis."""
    plane_x = x - (width - 1) / 2 + camera["shift_x"] * width
    plane_y = -(y - (height - 1) / 2 - camera["shift_y"] * width)
    if camera["kind"] == "PERSP":
        scale = camera["lens"] / camera["sensor_width"] * width
        local = np.stack([plane_x / scale * depth, plane_y / scale * depth, -depth], axis=1)
    else:
        scale = width / camera["ortho_scale"]
        local = np.stack([plane_x / scale, plane_y / scale, -depth], axis=1)
    world = np.array(camera["matrix_world"], np.float64)
    return local @ world[:3, :3].T + world[:3, 3]


@dataclass
class Comparison:
    """How motion from one frame to another differs from the truth."""

    difference: list[np.ndarray] = field(default_factory=list)
    pixels: int = 0
    surfaces: set[str] = field(default_factory=set)

    @property
    def checked_share(self) -> float:
        return sum(len(part) for part in self.difference) / self.pixels

    @property
    def largest(self) -> float:
        return max((float(part.max()) for part in self.difference if len(part)), default=0.0)


def compare(clip: ClipFiles, scene: Choreography, direction: str, source: int, target: int, gap: int = 1) -> Comparison:
    """Hold one flow against the formulas wherever they say what is true."""
    suffix = f"_gap{gap}" if gap > 1 else ""
    valid = clip.read(f"valid_{direction}{suffix}", source)
    rows, columns = np.mgrid[: valid.shape[0], : valid.shape[1]]
    here = np.stack([columns, rows], axis=-1).astype(np.float64)
    flow = clip.read(f"flow_{direction}{suffix}", source).astype(np.float64)
    return _compare(
        clip,
        scene,
        source,
        target,
        here=here.reshape(-1, 2),
        depth=clip.read("depth", source).astype(np.float64).ravel(),
        objects=clip.read("object_id", source).ravel(),
        materials=clip.read("material_id", source).ravel(),
        found=(here + flow).reshape(-1, 2),
        known=valid.ravel(),
    )


def compare_tracks(clip: ClipFiles, scene: Choreography, query: int, target: int) -> Comparison:
    """Hold the places at one frame, of all tracks chosen in another, against the formulas."""
    tracks = clip.read_tracks()
    own = np.flatnonzero(tracks.query_frame == query)
    row, other = (tracks.frames.tolist().index(frame) for frame in (query, target))
    return _compare(
        clip,
        scene,
        query,
        target,
        here=tracks.position[row, own],
        depth=tracks.depth[row, own].astype(np.float64),
        objects=tracks.object_id[own],
        materials=tracks.material_id[own],
        found=tracks.position[other, own],
        known=tracks.known[other, own],
    )


def _compare(
    clip: ClipFiles,
    scene: Choreography,
    source: int,
    target: int,
    *,
    here: np.ndarray,
    depth: np.ndarray,
    objects: np.ndarray,
    materials: np.ndarray,
    found: np.ndarray,
    known: np.ndarray,
) -> Comparison:
    """Compare where points of a source frame, given by pixel and depth, were found in the target frame."""
    object_names, material_names = clip.read_names("object_id"), clip.read_names("material_id")
    height, width = clip.read("contour", source).shape
    before, after = scene.camera(source), scene.camera(target)
    undefined, partly = scene.invalid(source, target), scene.partly_invalid(source, target)
    result = Comparison(pixels=len(here))
    if EVERYTHING in undefined:
        assert not known.any(), "a camera cut must leave nothing valid"
        return result

    for number in np.unique(objects):
        name = object_names[str(number)]
        seen = objects == number
        if name in undefined:
            assert not known[seen].any(), f"{name} has no true motion from {source} to {target}"
            continue
        if name in partly:
            seen &= known
        assert known[seen].all(), f"{name} is not valid from {source} to {target}"
        for material in np.unique(materials[seen]):
            part = seen & (materials == material)
            x, y = here[part].T
            if name == BACKGROUND:
                there = _background(before, after, x, y, width, height)
            else:
                points = unproject(before, x, y, depth[part], width, height)
                moved = _move(scene, name, material_names[str(material)], source, target, points)
                there = None if moved is None else project(after, moved, width, height)
            if there is None:
                continue
            result.difference.append(np.abs(found[part] - there).max(axis=1))
            result.surfaces.add(name)
    return result


def _background(
    before: CameraState, after: CameraState, x: np.ndarray, y: np.ndarray, width: int, height: int
) -> np.ndarray | None:
    if before["kind"] != "PERSP":
        # a backdrop across the view axis; how far away does not matter to parallel rays
        points = unproject(before, x, y, np.full(len(x), 50.0), width, height)
        return project(after, points, width, height)
    place = np.array(before["matrix_world"], np.float64)[:3, 3]
    directions = unproject(before, x, y, np.ones(len(x)), width, height) - place
    return project_directions(after, directions, width, height)


def _move(
    scene: Choreography, name: str, material: str, source: int, target: int, points: np.ndarray
) -> np.ndarray | None:
    """Where world points of an object are at another frame; None where no formula says it."""
    instances = [
        (np.array(one.matrix, np.float64), np.array(other.matrix, np.float64))
        for one, other in zip(scene.instances(source), scene.instances(target), strict=True)
        if one.source == name
    ]
    if instances:
        return _move_instances(instances, points)
    first = scene.surface_matrix(name, source, material)
    second = scene.surface_matrix(name, target, material)
    if first is None or second is None:
        return None
    return _apply(np.array(second, np.float64) @ np.linalg.inv(np.array(first, np.float64)), points)


def _move_instances(instances: list[tuple[np.ndarray, np.ndarray]], points: np.ndarray) -> np.ndarray:
    """Each point moves with the copy whose origin is nearest to it: the toy scenes' copies are small and far apart."""
    origins = np.array([first[:3, 3] for first, _ in instances])
    nearest = np.argmin(np.linalg.norm(points[:, None] - origins, axis=2), axis=1)
    moved = np.empty_like(points)
    for index, (first, second) in enumerate(instances):
        here = nearest == index
        moved[here] = _apply(second @ np.linalg.inv(first), points[here])
    return moved


def _apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:3, :3].T + matrix[:3, 3]
