"""Meshes in plain Python: boxes, ellipsoids, prisms, tubes, put together from named materials.

Every function returns a :class:`Shape` in local coordinates; normals point outwards.  A Shape remembers for each
vertex the group (a bone's name) it was built under, so that a character can be assembled limb by limb.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence

from scenes.transforms import (
    IDENTITY,
    Matrix,
    Pose,
    Vector,
    add,
    cross,
    dot,
    normalized,
    scaled,
    subtract,
    transform,
    turned,
)

Outline = Sequence[tuple[float, float]]
SUN: Vector = normalized((-0.55, -0.6, 0.75))
"""Where the painted light comes from: faces turned away from it may take a darker material."""


class Shape:
    """Vertices, polygons with a material name each, and weights per vertex group."""

    def __init__(self) -> None:
        self.vertices: list[Vector] = []
        self.faces: list[tuple[int, ...]] = []
        self.materials: list[str] = []
        self.weights: dict[str, dict[int, float]] = {}

    def face(self, corners: Iterable[int], material: str) -> None:
        """Add one polygon."""
        self.faces.append(tuple(corners))
        self.materials.append(material)

    def add(self, other: Shape, at: Pose | Matrix = IDENTITY) -> Shape:
        """Add a placed copy of another shape; returns self, so that calls chain."""
        matrix = at.matrix if isinstance(at, Pose) else at
        start = len(self.vertices)
        self.vertices += [transform(matrix, vertex) for vertex in other.vertices]
        self.faces += [tuple(start + corner for corner in face) for face in other.faces]
        self.materials += other.materials
        for group, weights in other.weights.items():
            mine = self.weights.setdefault(group, {})
            mine.update({start + vertex: weight for vertex, weight in weights.items()})
        return self

    def at(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Shape:
        """A moved copy."""
        return Shape().add(self, Pose((x, y, z)))

    def turn(self, axis: Vector, degrees: float) -> Shape:
        """A copy turned about an axis through the origin."""
        return Shape().add(self, Pose(rotation=turned(axis, math.radians(degrees))))

    def scale(self, x: float, y: float | None = None, z: float | None = None) -> Shape:
        """A scaled copy (one factor for all axes, or three)."""
        factors = (x, x if y is None else y, x if z is None else z)
        return Shape().add(self, Pose(scale=factors))

    def group(self, name: str | Callable[[Vector], dict[str, float]]) -> Shape:
        """Give every vertex to one bone, or to several by a function of its place; returns self."""
        self.weights = {}
        for index, vertex in enumerate(self.vertices):
            for bone, weight in ({name: 1.0} if isinstance(name, str) else name(vertex)).items():
                if weight > 0:
                    self.weights.setdefault(bone, {})[index] = weight
        return self

    def shade(self, dark: dict[str, str], light: Vector = SUN, threshold: float = 0.1) -> Shape:
        """Faces turned away from the light change to their dark material: cel shading painted once; returns self."""
        for index, face in enumerate(self.faces):
            if self.materials[index] in dark and dot(self.normal(face), light) < threshold:
                self.materials[index] = dark[self.materials[index]]
        return self

    def normal(self, face: tuple[int, ...]) -> Vector:
        """Unit normal of a polygon (Newell's sum, right for concave ones too)."""
        total = (0.0, 0.0, 0.0)
        for here, there in zip(face, face[1:] + face[:1], strict=True):
            total = add(total, cross(self.vertices[here], self.vertices[there]))
        return normalized(total)

    @property
    def triangles(self) -> int:
        """How many triangles Blender will make of the polygons."""
        return sum(len(face) - 2 for face in self.faces)


def join(*shapes: Shape) -> Shape:
    """One shape of several."""
    whole = Shape()
    for shape in shapes:
        whole.add(shape)
    return whole


def box(x: float, y: float, z: float, material: str) -> Shape:
    """A box of these side lengths, standing on z = 0, centred in x and y."""
    return plate([(-x / 2, -y / 2), (x / 2, -y / 2), (x / 2, y / 2), (-x / 2, y / 2)], z, material)


def plate(outline: Outline, height: float, material: str, side: str | None = None, inset: float = 1.0) -> Shape:
    """An outline in the XY plane (counter-clockwise) raised from z = 0 to ``height``; the top scaled by ``inset``."""
    shape, count = Shape(), len(outline)
    shape.vertices += [(x, y, 0.0) for x, y in outline]
    shape.vertices += [(x * inset, y * inset, height) for x, y in outline]
    shape.face(range(count - 1, -1, -1), side or material)
    shape.face(range(count, 2 * count), material)
    for here in range(count):
        there = (here + 1) % count
        shape.face((here, there, count + there, count + here), side or material)
    return shape


def card(outline: Outline, depth: float, material: str, side: str | None = None) -> Shape:
    """An outline in the XZ plane, seen from -Y counter-clockwise, from y = -depth/2 to depth/2: a cardboard cut-out."""
    return plate(outline, depth, material, side).at(z=-depth / 2).turn((1.0, 0.0, 0.0), 90)


def revolve(profile: Sequence[tuple[float, float]], material: str | Sequence[str], segments: int = 24) -> Shape:
    """A profile of (radius, z) from bottom to top turned about Z; one material, or one per band of the profile."""
    shape = Shape()
    bands = [material] * (len(profile) - 1) if isinstance(material, str) else list(material)
    rings: list[list[int]] = []
    for radius, z in profile:
        start = len(shape.vertices)
        if radius == 0:
            shape.vertices.append((0.0, 0.0, z))
            rings.append([start] * segments)
            continue
        for step in range(segments):
            angle = 2 * math.pi * step / segments
            shape.vertices.append((radius * math.cos(angle), radius * math.sin(angle), z))
        rings.append(list(range(start, start + segments)))
    for band, (low, high) in zip(bands, itertools.pairwise(rings), strict=True):
        for here in range(segments):
            there = (here + 1) % segments
            corners = [low[here], low[there], high[there], high[here]]
            shape.face(dict.fromkeys(corners), band)  # a pole is one vertex: its quads become triangles
    if profile[0][0] > 0:
        shape.face(reversed(rings[0]), bands[0])
    if profile[-1][0] > 0:
        shape.face(rings[-1], bands[-1])
    return shape


def cylinder(radius: float, height: float, material: str, segments: int = 24, top: float | None = None) -> Shape:
    """A cylinder or frustum standing on z = 0."""
    return revolve([(radius, 0.0), (radius if top is None else top, height)], material, segments)


def cone(radius: float, height: float, material: str, segments: int = 24) -> Shape:
    """A cone standing on z = 0."""
    return revolve([(radius, 0.0), (0.0, height)], material, segments)


def ellipsoid(x: float, y: float, z: float, material: str, segments: int = 24, rings: int = 12) -> Shape:
    """An ellipsoid of these half-axes about the origin, poles along Z."""
    angles = [math.pi * step / rings for step in range(rings + 1)]
    profile = [(math.sin(angle) if 0 < step < rings else 0.0, -math.cos(angle)) for step, angle in enumerate(angles)]
    return revolve(profile, material, segments).scale(x, y, z)


def ball(radius: float, material: str, segments: int = 24, rings: int = 12) -> Shape:
    """A sphere about the origin."""
    return ellipsoid(radius, radius, radius, material, segments, rings)


def ring(radius: float, thickness: float, material: str, segments: int = 32, sides: int = 8) -> Shape:
    """A torus in the XY plane."""
    points = [
        (radius * math.cos(2 * math.pi * step / segments), radius * math.sin(2 * math.pi * step / segments), 0.0)
        for step in range(segments)
    ]
    return tube(points, [thickness] * segments, material, sides, closed=True)


def tube(
    points: Sequence[Vector],
    radii: Sequence[float],
    material: str | Sequence[str],
    sides: int = 12,
    closed: bool = False,
    flatten: float = 1.0,
) -> Shape:
    """A pipe through ``points`` with a radius at each; ends are rounded off by radius 0, or capped.

    Args:
        points: the centre line; must not run straight up Z where the pipe is flattened.
        radii: one a point; 0 makes a tip.
        material: one, or one per piece between points.
        sides: corners of the cross-section.
        closed: the last point joins the first.
        flatten: thickness of the cross-section upwards over its width.
    """
    shape, count = Shape(), len(points)
    bands = [material] * (count if closed else count - 1) if isinstance(material, str) else list(material)
    rings: list[list[int]] = []
    side: Vector | None = None
    for index, point in enumerate(points):
        before = points[index - 1] if index or closed else point
        after = points[(index + 1) % count] if index + 1 < count or closed else point
        ahead = normalized(subtract(after, before))
        # The frame is carried along the line, so the pipe does not twist where the line turns upright.
        reference = side or ((0.0, 1.0, 0.0) if abs(ahead[1]) < 0.9 else (1.0, 0.0, 0.0))
        side = normalized(subtract(reference, scaled(ahead, dot(reference, ahead))))
        up = cross(ahead, side)
        start = len(shape.vertices)
        if radii[index] == 0:
            shape.vertices.append(point)
            rings.append([start] * sides)
            continue
        for step in range(sides):
            angle = 2 * math.pi * step / sides
            across = scaled(side, radii[index] * math.cos(angle))
            upward = scaled(up, radii[index] * flatten * math.sin(angle))
            shape.vertices.append(add(point, add(across, upward)))
        rings.append(list(range(start, start + sides)))
    pairs = list(zip(rings, rings[1:] + rings[:1], strict=True))[: count if closed else count - 1]
    for band, (low, high) in zip(bands, pairs, strict=True):
        for here in range(sides):
            there = (here + 1) % sides
            corners = [low[here], low[there], high[there], high[here]]
            shape.face(dict.fromkeys(corners), band)
    if not closed:
        if radii[0] > 0:
            shape.face(reversed(rings[0]), bands[0])
        if radii[-1] > 0:
            shape.face(rings[-1], bands[-1])
    return shape


def capsule(start: Vector, end: Vector, radius: float, end_radius: float, material: str, sides: int = 16) -> Shape:
    """A rounded limb from ``start`` to ``end``; both are centres of the round ends."""
    ahead = normalized(subtract(end, start))
    points, radii = [], []
    for step in range(5):
        angle = math.pi / 2 * step / 4
        points.append(add(start, scaled(ahead, -radius * math.cos(angle))))
        radii.append(radius * math.sin(angle) if step else 0.0)
    for step in range(5):
        angle = math.pi / 2 * step / 4
        points.append(add(end, scaled(ahead, end_radius * math.sin(angle))))
        radii.append(end_radius * math.cos(angle) if step < 4 else 0.0)
    return tube(points, radii, material, sides)


def circle(radius: float, segments: int = 32, x: float = 0.0, y: float = 0.0) -> list[tuple[float, float]]:
    """Outline of a circle, counter-clockwise."""
    return arc(radius, 0, 360 - 360 / segments, segments - 1, x, y)


def arc(
    radius: float, start: float, end: float, steps: int = 12, x: float = 0.0, y: float = 0.0
) -> list[tuple[float, float]]:
    """Points on a circle from one angle to another, degrees, both ends included."""
    angles = [math.radians(start + (end - start) * step / steps) for step in range(steps + 1)]
    return [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]


def star(points: int, outer: float, inner: float, turn: float = 90.0) -> list[tuple[float, float]]:
    """Outline of a star, its first tip at ``turn`` degrees."""
    corners = []
    for step in range(2 * points):
        radius, angle = (inner if step % 2 else outer), math.radians(turn + 180 * step / points)
        corners.append((radius * math.cos(angle), radius * math.sin(angle)))
    return corners


def rounded(width: float, height: float, radius: float, steps: int = 5) -> list[tuple[float, float]]:
    """Outline of a rectangle with round corners, centred."""
    x, y = width / 2 - radius, height / 2 - radius
    return [
        *arc(radius, -90, 0, steps, x, -y),
        *arc(radius, 0, 90, steps, x, y),
        *arc(radius, 90, 180, steps, -x, y),
        *arc(radius, 180, 270, steps, -x, -y),
    ]


def gear(teeth: int, outer: float, inner: float) -> list[tuple[float, float]]:
    """Outline of a cog wheel."""
    corners = []
    for tooth in range(teeth):
        for share, radius in ((0.0, inner), (0.18, outer), (0.46, outer), (0.64, inner)):
            angle = 2 * math.pi * (tooth + share) / teeth
            corners.append((radius * math.cos(angle), radius * math.sin(angle)))
    return corners


def cloud(puffs: Sequence[tuple[float, float]], base: float = 0.0) -> list[tuple[float, float]]:
    """Outline of a flat-bottomed cloud: puffs of (x, radius) side by side on a base line, right to left."""
    corners: list[tuple[float, float]] = []
    ordered = sorted(puffs, reverse=True)
    for index, (x, radius) in enumerate(ordered):
        start, end = 0.0, 180.0
        if index:
            start = _meeting_angle(x, radius, *ordered[index - 1])
        if index + 1 < len(ordered):
            end = 180 - _meeting_angle(-x, radius, -ordered[index + 1][0], ordered[index + 1][1])
        corners += arc(radius, start, end, 8, x, base)
    return corners


def _meeting_angle(x: float, radius: float, other_x: float, other_radius: float) -> float:
    """Degrees at which a half circle meets its right neighbour on the same base line."""
    distance = other_x - x
    cosine = (distance * distance + radius * radius - other_radius * other_radius) / (2 * distance * radius)
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def hills(width: float, height: Callable[[float], float], base: float, steps: int = 96) -> list[tuple[float, float]]:
    """Outline of a landscape: ``height(x)`` over a flat base, ``width`` wide and centred."""
    xs = [width / 2 - width * step / steps for step in range(steps + 1)]
    return [(-width / 2, base), (width / 2, base), *((x, height(x)) for x in xs)]


def house(
    width: float, depth: float, wall: float, roof: float, colors: tuple[str, str, str], overhang: float = 0.15
) -> Shape:
    """A gabled house standing on z = 0, its ridge along X: materials of walls, roof and gable ends."""
    walls, tiles, gable = colors
    shape = box(width, depth, wall, walls)
    half, edge = depth / 2, depth / 2 + overhang
    peak, eave = wall + roof * half / edge, wall - roof * overhang / edge
    ends = Shape()
    ends.vertices = [(x, y, z) for x in (-width / 2, width / 2) for y, z in ((-half, wall), (half, wall), (0.0, peak))]
    ends.face((0, 2, 1), gable)
    ends.face((3, 4, 5), gable)
    thick = 0.12 * (wall + roof)
    slope = [(-edge, eave), (0.0, peak), (edge, eave), (edge, eave + thick), (0.0, peak + thick), (-edge, eave + thick)]
    tiled = plate(slope, width + 2 * overhang, tiles).at(z=-(width / 2 + overhang))
    shape.add(ends).add(tiled, _XY_TO_YZ)
    return shape


_XY_TO_YZ = Pose(rotation=(0.5, 0.5, 0.5, 0.5))
"""Stands a plate up so that its outline's x runs along Y, its y along Z and its height along X."""


def place(shape: Shape, poses: Iterable[Pose]) -> Shape:
    """Copies of a shape at several poses, as one shape."""
    whole = Shape()
    for pose in poses:
        whole.add(shape, pose)
    return whole


def pose(x: float, y: float, z: float, turn: float = 0.0, size: float = 1.0) -> Pose:
    """A standing thing's pose: place, turn about Z in degrees, size."""
    return Pose((x, y, z), turned((0.0, 0.0, 1.0), math.radians(turn)), (size, size, size))
