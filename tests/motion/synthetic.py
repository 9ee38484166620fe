"""Small frames made by hand, and a slow ray caster that knows nothing of the code under test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from animerun_gen.motion.geometry import CLIP, EXTEND, MIRROR, REPEAT, Camera, FrameGeometry, Holes, Masks

WIDTH, HEIGHT = 48, 32


@dataclass
class Thing:
    """One object of a hand-made frame: its mesh and where it stands.

    ``slot_masks`` has the number of a mask, or -1, for each slot; ``uvs`` the texture coordinates of the corners.
    ``identities`` are those of the vertices; without them there are none.
    """

    key: str
    vertices: np.ndarray
    triangles: np.ndarray
    matrix: np.ndarray
    topology: bytes = b""
    ordered: bool = True
    single: bool = False
    identities: np.ndarray | None = None
    slots: tuple[int, ...] = (2,)
    triangle_slots: np.ndarray | None = None
    uvs: np.ndarray | None = None
    slot_masks: tuple[int, ...] | None = None


def translation(x: float, y: float, z: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, 3] = x, y, z
    return matrix


def rotation(axis: int, angle: float) -> np.ndarray:
    matrix = np.eye(4)
    a, b = [k for k in range(3) if k != axis]
    if axis == 1:
        a, b = b, a
    matrix[a, a] = matrix[b, b] = np.cos(angle)
    matrix[a, b], matrix[b, a] = -np.sin(angle), np.sin(angle)
    return matrix


def perspective(
    focal: float, shift: tuple[float, float] = (0.0, 0.0), near: float = 0.1, far: float = 100.0
) -> np.ndarray:
    """OpenGL projection whose focal length is in half picture widths."""
    matrix = np.zeros((4, 4))
    matrix[0, 0] = focal
    matrix[1, 1] = focal * WIDTH / HEIGHT
    matrix[0, 2], matrix[1, 2] = shift
    matrix[2, 2] = -(far + near) / (far - near)
    matrix[2, 3] = -2 * far * near / (far - near)
    matrix[3, 2] = -1.0
    return matrix


def orthographic(
    half_width: float, shift: tuple[float, float] = (0.0, 0.0), near: float = 0.1, far: float = 100.0
) -> np.ndarray:
    matrix = np.eye(4)
    matrix[0, 0] = 1.0 / half_width
    matrix[1, 1] = WIDTH / HEIGHT / half_width
    matrix[0, 3], matrix[1, 3] = shift
    matrix[2, 2] = -2.0 / (far - near)
    matrix[2, 3] = -(far + near) / (far - near)
    return matrix


def camera(projection: np.ndarray, world: np.ndarray | None = None, name: str = "camera") -> Camera:
    return Camera(
        name=name,
        world=np.eye(4) if world is None else world,
        projection=projection,
        clip_start=0.1,
        clip_end=100.0,
        width=WIDTH,
        height=HEIGHT,
    )


def masks(*images: np.ndarray, extensions: Sequence[int] = ()) -> Masks:
    """Masks of bool arrays, lowest row first, which repeat unless they are said to do something else."""
    return Masks(
        texels=np.concatenate([image.ravel() for image in images]).astype(np.uint8),
        start=np.cumsum([0, *[image.size for image in images]]),
        size=np.array([image.shape for image in images], np.int64),
        extension=np.array(extensions or [REPEAT] * len(images), np.uint8),
    )


def frame(number: int, seen_by: Camera, things: Sequence[Thing], with_holes: Masks | None = None) -> FrameGeometry:
    slot_counts = [len(thing.slots) for thing in things]
    return FrameGeometry(
        frame=number,
        camera=seen_by,
        vertices=np.concatenate([np.empty((0, 3)), *[thing.vertices for thing in things]]).astype(np.float32),
        triangles=np.concatenate([np.empty((0, 3)), *[thing.triangles for thing in things]]).astype(np.int32),
        triangle_slots=np.concatenate(
            [
                np.empty(0),
                *[np.zeros(len(t.triangles)) if t.triangle_slots is None else t.triangle_slots for t in things],
            ]
        ).astype(np.int32),
        vertex_start=np.cumsum([0, *[len(thing.vertices) for thing in things]]),
        triangle_start=np.cumsum([0, *[len(thing.triangles) for thing in things]]),
        topologies=tuple(thing.topology or bytes(thing.triangles.astype(np.int32).tobytes()) for thing in things),
        identities=np.concatenate([np.empty(0), *[_identities(thing) for thing in things]]).astype(np.uint64),
        numberings=tuple(_identities(thing).tobytes() for thing in things),
        distinct=np.array(
            [0 not in _identities(t) and len(set(_identities(t))) == len(t.vertices) for t in things], bool
        ),
        keys=tuple(thing.key for thing in things),
        mesh=np.arange(len(things), dtype=np.int32),
        matrices=np.array([thing.matrix for thing in things], np.float64).reshape(-1, 4, 4),
        object_ids=np.arange(1, len(things) + 1, dtype=np.uint16),
        ordered=np.array([thing.ordered for thing in things], bool),
        single=np.array([thing.single for thing in things], bool),
        modifiers=("",) * len(things),
        slot_start=np.cumsum([0, *slot_counts]),
        slot_materials=np.array([slot for thing in things for slot in thing.slots], np.uint16),
        holes=None if with_holes is None else _holes(things, with_holes),
    )


def _identities(thing: Thing) -> np.ndarray:
    return np.zeros(len(thing.vertices), np.uint64) if thing.identities is None else thing.identities.astype(np.uint64)


def _holes(things: Sequence[Thing], with_holes: Masks) -> Holes:
    laid = [thing.uvs if thing.uvs is not None else np.empty((0, 3, 2)) for thing in things]
    starts = np.cumsum([0, *[len(uvs) for uvs in laid]])[:-1]
    return Holes(
        uvs=np.concatenate([np.empty((0, 3, 2)), *laid]).astype(np.float32),
        uv_start=np.array([-1 if t.uvs is None else s for t, s in zip(things, starts, strict=True)], np.int64),
        slot_masks=np.array(
            [mask for thing in things for mask in thing.slot_masks or (-1,) * len(thing.slots)], np.int32
        ),
        masks=with_holes,
    )


def is_hole(geometry: FrameGeometry, instance: int, triangle: int, shares: np.ndarray) -> np.ndarray:
    """Which points ``(..., 3)`` of a triangle, given by how much of each corner they are, lie in holes."""
    holes, mesh = geometry.holes, geometry.mesh[instance]
    nowhere = np.zeros(shares.shape[:-1], bool)
    if holes is None or holes.uv_start[mesh] < 0:
        return nowhere
    slots = holes.slot_masks[geometry.slot_start[instance] : geometry.slot_start[instance + 1]]
    slot = geometry.triangle_slots[geometry.triangle_start[mesh] + triangle]
    mask = slots[min(slot, len(slots) - 1)] if len(slots) else -1
    if mask < 0:
        return nowhere
    rows, columns = holes.masks.size[mask]
    image = holes.masks.texels[holes.masks.start[mask] :][: rows * columns].reshape(rows, columns)
    u, v, w = np.moveaxis(shares, -1, 0)
    uvs = holes.uvs[holes.uv_start[mesh] + triangle].astype(np.float64)
    places = [(u * uvs[0, k] + v * uvs[1, k] + w * uvs[2, k]) / (u + v + w) for k in (0, 1)]
    extension = holes.masks.extension[mask]
    beyond = nowhere
    if extension == REPEAT:
        places = [place % 1.0 for place in places]
    elif extension == MIRROR:
        places = [1.0 - np.abs(place % 2.0 - 1.0) for place in places]
    elif extension == CLIP:
        beyond = np.logical_or.reduce([~((place >= 0) & (place <= 1)) for place in places])
    else:
        assert extension == EXTEND
    column, row = (
        np.clip(np.floor(np.nan_to_num(place) * count), 0, count - 1).astype(int)
        for place, count in zip(places, (columns, rows), strict=True)
    )
    return beyond | (image[row, column] != 0)


def soup(generator: np.random.Generator, count: int, key: str = "soup", depth: float = -6.0) -> Thing:
    """Random triangles, some of them through the camera plane and behind it."""
    vertices = generator.uniform(-4.0, 4.0, (3 * count, 3))
    vertices[:, 2] = vertices[:, 2] * 1.6 + depth
    return Thing(key, vertices, np.arange(3 * count).reshape(-1, 3), np.eye(4))


def cube(key: str, matrix: np.ndarray) -> Thing:
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])
    return Thing(key, corners, triangles, matrix)


def plane(key: str, matrix: np.ndarray, half: float = 1.0) -> Thing:
    corners = half * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float64)
    return Thing(key, corners, np.array([[0, 1, 2], [0, 2, 3]]), matrix)


def world_triangles(geometry: FrameGeometry) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All triangles in the world ``(n, 3, 3)``, with their instance and their number in the mesh."""
    corners, instances, numbers = [], [], []
    for instance, mesh in enumerate(geometry.mesh):
        first, last = geometry.triangle_start[mesh : mesh + 2]
        local = geometry.mesh_vertices(mesh)[geometry.triangles[first:last]].astype(np.float64)
        corners.append(local @ geometry.matrices[instance, :3, :3].T + geometry.matrices[instance, :3, 3])
        instances.append(np.full(last - first, instance))
        numbers.append(np.arange(last - first))
    return np.concatenate(corners), np.concatenate(instances), np.concatenate(numbers)


def rays(seen_by: Camera, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Origins and directions ``(n, 3)`` in the world; a direction advances by one unit along the view axis."""
    device_x = 2.0 * (x + 0.5) / seen_by.width - 1.0
    device_y = 1.0 - 2.0 * (y + 0.5) / seen_by.height
    p = seen_by.projection
    flat = np.zeros_like(device_x)
    if seen_by.is_orthographic:
        origin = np.stack([(device_x - p[0, 3]) / p[0, 0], (device_y - p[1, 3]) / p[1, 1], flat], axis=1)
        direction = np.stack([flat, flat, flat - 1.0], axis=1)
    else:
        origin = np.zeros((len(x), 3))
        direction = np.stack([(device_x + p[0, 2]) / p[0, 0], (device_y + p[1, 2]) / p[1, 1], flat - 1.0], axis=1)
    turn, place = seen_by.world[:3, :3], seen_by.world[:3, 3]
    return origin @ turn.T + place, direction @ turn.T


def cast(geometry: FrameGeometry, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First hit of the ray through each point: instance, triangle, depth (-1, -1, inf for none).

    Ray against plane and three half-planes in the world, one ray after the other.
    """
    corners, instances, numbers = world_triangles(geometry)
    origins, directions = rays(geometry.camera, x, y)
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    normal = np.cross(b - a, c - a)
    hits = []
    for origin, direction in zip(origins, directions, strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            depth = np.sum((a - origin) * normal, axis=1) / (normal @ direction)
            point = origin + depth[:, None] * direction
            inside = np.ones(len(depth), bool)
            for start, end in ((a, b), (b, c), (c, a)):
                inside &= np.sum(np.cross(end - start, point - start) * normal, axis=1) >= 0
            inside &= (depth >= geometry.camera.clip_start) & (depth <= geometry.camera.clip_end)
        for k in np.flatnonzero(inside):
            # areas opposite the corners, in the world
            areas = [normal[k] @ np.cross(e - s, point[k] - s) for s, e in ((b[k], c[k]), (c[k], a[k]), (a[k], b[k]))]
            inside[k] = not is_hole(geometry, instances[k], numbers[k], np.array(areas))
        if not inside.any():
            hits.append((-1, -1, np.inf))
            continue
        nearest = np.argmin(np.where(inside, depth, np.inf))
        hits.append((instances[nearest], numbers[nearest], depth[nearest]))
    instance, triangle, depth = zip(*hits, strict=True)
    return np.array(instance), np.array(triangle), np.array(depth)


def depths(geometry: FrameGeometry, x: np.ndarray, y: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """Instance, triangle, and its depth at every point, NaN where it is not: all triangles, one after the other.

    No bounds, no order, nothing skipped; but the sums that the package documents, term by term, so that its results
    must be the same to the last bit.
    """
    matrices = geometry.instance_pixel_matrices()
    for instance, mesh in enumerate(geometry.mesh):
        local = geometry.mesh_vertices(mesh).astype(np.float64)
        m = matrices[instance]
        with np.errstate(all="ignore"):
            placed = [row[0] * local[:, 0] + row[1] * local[:, 1] + row[2] * local[:, 2] + row[3] for row in m]
            xs, ys, zs, ws = placed
        first, last = geometry.triangle_start[mesh : mesh + 2]
        for number, corners in enumerate(geometry.triangles[first:last]):
            with np.errstate(all="ignore"):
                edges = []
                for b, c in ((1, 2), (2, 0), (0, 1)):
                    b, c = corners[b], corners[c]
                    edges.append(
                        (ys[b] * ws[c] - ws[b] * ys[c], ws[b] * xs[c] - xs[b] * ws[c], xs[b] * ys[c] - ys[b] * xs[c])
                    )
                p = corners[0]
                determinant = xs[p] * edges[0][0] + ys[p] * edges[0][1] + ws[p] * edges[0][2]
                shares = np.array([a * x + b * y + c for a, b, c in edges]) * np.sign(determinant)
                depth = (shares[0] * zs[p] + shares[1] * zs[corners[1]] + shares[2] * zs[corners[2]]) / (
                    shares[0] + shares[1] + shares[2]
                )
                inside = (shares >= 0.0).all(axis=0) & (determinant != 0.0)
                inside &= (depth >= geometry.camera.clip_start) & (depth <= geometry.camera.clip_end)
                hits = np.flatnonzero(inside)
                inside[hits] = ~is_hole(geometry, instance, number, shares.T[hits])
            yield instance, number, np.where(inside, depth, np.nan)


def project(seen_by: Camera, points: np.ndarray) -> np.ndarray:
    """World points ``(n, 3)`` to pixels ``(n, 2)`` the way a textbook does it."""
    local = (points - seen_by.world[:3, 3]) @ seen_by.world[:3, :3]
    clip = local @ seen_by.projection[:, :3].T + seen_by.projection[:, 3]
    device = clip[:, :2] / clip[:, 3:]
    return np.stack(
        [(device[:, 0] + 1) / 2 * seen_by.width - 0.5, (1 - device[:, 1]) / 2 * seen_by.height - 0.5], axis=1
    )


def pixel_grid() -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return columns.ravel().astype(np.float64), rows.ravel().astype(np.float64)
