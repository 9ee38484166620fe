"""What a toy scene's motion is made of: the description that builders key and tests compute true flow from.

Nothing here needs Blender or numpy.  Everything is exact at whole frames, which are all keyed; between them Blender
interpolates and nobody looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypedDict

from scenes.transforms import IDENTITY, Matrix, Pose, Vector, add, product, scaled

EVERYTHING = "*"
"""In place of an object's name: the whole picture (a camera cut)."""

MARGIN = 2
"""Keyed frames before and after the clip, for whoever samples beyond its ends."""

Motion = Callable[[int], Pose]


class CameraState(TypedDict):
    """One frame's camera; independent of the resolution (``sensor_fit`` is always horizontal)."""

    name: str
    kind: str
    """``PERSP`` or ``ORTHO``."""
    matrix_world: Matrix
    """Rotation and place, no scale; looks along local -Z, local Y up."""
    lens: float
    """Focal length, mm (perspective)."""
    sensor_width: float
    """Width of the picture on the sensor, mm (perspective)."""
    sensor_fit: str
    shift_x: float
    """Shift of the picture window to the right, in picture widths."""
    shift_y: float
    """Shift of the picture window upwards, in picture **widths**."""
    ortho_scale: float
    """Width of the picture in scene units (orthographic)."""
    clip_start: float
    clip_end: float


@dataclass(frozen=True)
class Camera:
    """A camera whose every number may move."""

    pose: Motion
    kind: str = "PERSP"
    lens: Callable[[int], float] = lambda frame: 50.0
    sensor_width: Callable[[int], float] = lambda frame: 36.0
    shift: Callable[[int], tuple[float, float]] = lambda frame: (0.0, 0.0)
    ortho_scale: Callable[[int], float] = lambda frame: 10.0
    clip: tuple[float, float] = (1.0, 300.0)


@dataclass(frozen=True)
class Limb:
    """A bone with vertices of its own (weight 1): ``pose`` moves rest points of ``object``, in its local space."""

    object: str
    pose: Motion
    materials: frozenset[str] = frozenset()
    """Materials that no other limb of the object wears, so that a picture says which limb a pixel is."""


@dataclass(frozen=True)
class ShapeKey:
    """A shape key: a vertex at rest point ``p`` is drawn at ``p + value(frame) * displacement(p)``, local space."""

    name: str
    displacement: Callable[[Vector], Vector]
    value: Callable[[int], float]
    affine: Matrix | None = None
    """The displacement as a matrix, where it is linear in the place: then it holds inside triangles as well.

    Its last row is zero: a displacement is a difference of points."""


@dataclass(frozen=True)
class Instance:
    """One drawn copy: ``source`` (an object's name) at ``matrix``, brought along by ``instancer``."""

    instancer: str
    source: str
    matrix: Matrix


@dataclass(frozen=True)
class Event:
    """Something that no vector can describe happens to ``object`` between ``frame - 1`` and ``frame``.

    Attributes:
        partly: Whether some of its points are there before and after, and move as ever.
    """

    object: str
    frame: int
    what: str
    partly: bool = False


@dataclass(frozen=True)
class Choreography:
    """All motion of one scene.

    Attributes:
        name: of the scene, its file and its cut.
        first, last, step: the cut's frames, last included.
        cameras: by object name; ``camera_marks`` says from which frame which one films.
        poses: by object name, a Pose where it rests and a function of the frame where it moves.  Every object that is
            drawn is here; what deforms beyond its pose is in ``limbs``, ``shape_keys``, ``slides`` or ``deforming``.
        limbs: by bone name.
        shape_keys: by object name.
        slides: by object name, a local translation on top of the pose that comes from a modifier.
        deforming: by object name, the materials whose points no single matrix moves (all of them: ``None``).
        instancers: by object name, what it draws: (source object, matrix from the source's to the instancer's space).
        unseen: objects that never draw themselves (instancers, sources of instances, armatures).
        events: where motion is undefined.
    """

    name: str
    first: int
    last: int
    cameras: Mapping[str, Camera]
    poses: Mapping[str, Pose | Motion]
    step: int = 1
    camera_marks: tuple[tuple[int, str], ...] = ()
    limbs: Mapping[str, Limb] = field(default_factory=dict)
    shape_keys: Mapping[str, tuple[ShapeKey, ...]] = field(default_factory=dict)
    slides: Mapping[str, Callable[[int], Vector]] = field(default_factory=dict)
    deforming: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    instancers: Mapping[str, tuple[tuple[str, Matrix], ...]] = field(default_factory=dict)
    unseen: frozenset[str] = frozenset()
    events: tuple[Event, ...] = ()

    @property
    def frames(self) -> tuple[int, ...]:
        """The frames of the cut, in order."""
        return tuple(range(self.first, self.last + 1, self.step))

    @property
    def objects(self) -> tuple[str, ...]:
        """Names of all objects with a pose, cameras aside."""
        return tuple(self.poses)

    def object_pose(self, name: str, frame: int) -> Pose:
        """Location, rotation and scale of an object."""
        pose = self.poses[name]
        return pose if isinstance(pose, Pose) else pose(frame)

    def moves(self, name: str) -> bool:
        """Whether an object's pose is animated."""
        return not isinstance(self.poses[name], Pose)

    def camera_name(self, frame: int) -> str:
        """Which camera films this frame."""
        current = next(iter(self.cameras))
        for start, name in self.camera_marks:
            if frame >= start:
                current = name
        return current

    def camera(self, frame: int, name: str | None = None) -> CameraState:
        """The camera that films a frame (or the one named, at that frame)."""
        name = name or self.camera_name(frame)
        camera = self.cameras[name]
        shift_x, shift_y = camera.shift(frame)
        return {
            "name": name,
            "kind": camera.kind,
            "matrix_world": camera.pose(frame).matrix,
            "lens": camera.lens(frame),
            "sensor_width": camera.sensor_width(frame),
            "sensor_fit": "HORIZONTAL",
            "shift_x": shift_x,
            "shift_y": shift_y,
            "ortho_scale": camera.ortho_scale(frame),
            "clip_start": camera.clip[0],
            "clip_end": camera.clip[1],
        }

    def object_matrix(self, name: str, frame: int) -> Matrix | None:
        """World matrix of an object whose surface it moves rigidly (or scales), from local points as they lie in its
        mesh; ``None`` where the surface does more than that (see :meth:`surface_matrix`) or is drawn elsewhere."""
        if name in self.unseen or name in self.deforming or name in self.shape_keys or name in self.slides:
            return None
        if any(limb.object == name for limb in self.limbs.values()):
            return None
        return self.object_pose(name, frame).matrix

    def limb_matrix(self, limb: str, frame: int) -> Matrix:
        """From a limb's rest points (local space of its mesh object) to the world."""
        whole = self.object_pose(self.limbs[limb].object, frame).matrix
        return product(whole, self.limbs[limb].pose(frame).matrix)

    def shape_key_offset(self, name: str, point: Vector, frame: int) -> Vector:
        """How far the shape keys of an object carry a rest point (local space)."""
        total = (0.0, 0.0, 0.0)
        for key in self.shape_keys[name]:
            total = add(total, scaled(key.displacement(point), key.value(frame)))
        return total

    def surface_matrix(self, name: str, frame: int, material: str | None = None) -> Matrix | None:
        """From rest points of an object's mesh to the world, whatever moves them: the one question tests ask.

        Args:
            name: the object.
            frame: whole frame.
            material: of the point; needed for objects with limbs and for those that deform in part.

        Returns:
            The affine matrix that holds for every point of that object and material, or ``None`` where there is none
            (a bend between bones, a shape key that is not linear, an instance: see :meth:`instances`).
        """
        if name in self.unseen:
            return None
        if name in self.deforming:
            materials = self.deforming[name]
            if materials is None or material is None or material in materials:
                return None
        mine = [bone for bone, limb in self.limbs.items() if limb.object == name]
        if mine:
            wearing = [bone for bone in mine if material in self.limbs[bone].materials]
            return self.limb_matrix(wearing[0], frame) if wearing else None
        local = IDENTITY
        for key in self.shape_keys.get(name, ()):
            if key.affine is None:
                return None
            local = _sum(local, key.affine, key.value(frame))
        if name in self.slides:
            local = product(Pose(self.slides[name](frame)).matrix, local)
        return product(self.object_pose(name, frame).matrix, local)

    def instances(self, frame: int) -> tuple[Instance, ...]:
        """Every instance that is drawn at a frame, from the source's local space to the world."""
        return tuple(
            Instance(instancer, source, product(self.object_pose(instancer, frame).matrix, matrix))
            for instancer, drawn in self.instancers.items()
            for source, matrix in drawn
        )

    def invalid(self, frame: int, target: int) -> frozenset[str]:
        """Objects (or :data:`EVERYTHING`) whose motion from one frame to another is undefined."""
        return frozenset(event.object for event in self._between(frame, target) if not event.partly)

    def partly_invalid(self, frame: int, target: int) -> frozenset[str]:
        """Objects of which some points are not there in one of two frames."""
        return frozenset(event.object for event in self._between(frame, target) if event.partly)

    def _between(self, frame: int, target: int) -> list[Event]:
        low, high = min(frame, target), max(frame, target)
        return [event for event in self.events if low < event.frame <= high]


def _sum(a: Matrix, b: Matrix, factor: float) -> Matrix:
    """``a + factor * b``."""
    return tuple(tuple(x + factor * y for x, y in zip(p, q, strict=True)) for p, q in zip(a, b, strict=True))  # type: ignore
