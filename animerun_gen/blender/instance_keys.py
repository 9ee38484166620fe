"""Names what a frame draws, so that the same thing has the same name in every frame, and nothing else has it.

Objects and the members of instanced collections have names, and a particle keeps its number for as long as it lives
(3.4.1 and 4.5: the first of ``persistent_id``; children come after all particles of their system).  The instances that
vertices, faces and geometry nodes make have none: they are known

* by their ``id`` and by the identity that they carry from the points they stand on, if no other has these;
* by their numbers and their count, if all that made the points numbers them by construction;
* by their numbers, if they and all others beside them are where they were: then nothing moved among them.

A number that means nothing in another frame goes into the name together with the frame, so that it matches nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from animerun_gen.blender import versions
from animerun_gen.blender.identity import IdentityReader, read_carried, read_identities, recipe
from animerun_gen.motion.identity import pack, scramble

NO_NUMBER = 2**31 - 1
"""What unused places of the path that leads to an instance hold."""

LASTING_SYSTEMS = {"EMITTER", "HAIR"}
"""Types of particle systems whose particles keep their numbers; those of fluids are numbered anew in every frame."""


@dataclass(frozen=True)
class _Group:
    """The instances that stand beside each other.

    Attributes:
        names: A name for each.
        positions: Blender's number of each to its position; None where it is its position.
        references: Which of ``sets`` each shows.
        sets: What they show.
    """

    names: list[str]
    positions: dict[int, int] | None
    references: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    sets: list[Any] = field(default_factory=list)


class _AllInstances:
    """What all paths of a frame lead to.

    Attributes:
        objects: The object at the end of each path, by the name of the object that it begins at; None where several
            objects stand on one vertex or face.
        placed: Path, object and place relative to that object of all instances that begin there.
    """

    def __init__(self, depsgraph: bpy.types.Depsgraph) -> None:
        self.objects: dict[tuple[str, tuple[int, ...]], bpy.types.Object | None] = {}
        self.placed: dict[str, list[tuple[tuple[int, ...], str, bytes]]] = {}
        for instance in depsgraph.object_instances:
            if not instance.is_instance or instance.parent is None:
                continue
            owner, drawn, path = instance.parent.original.name_full, instance.object.original, _path(instance)
            self.objects[owner, path] = drawn if self.objects.get((owner, path), drawn) == drawn else None
            if not versions.tells_instances_of_nodes():
                try:
                    place = np.linalg.inv(np.array(instance.parent.matrix_world)) @ np.array(instance.matrix_world)
                except np.linalg.LinAlgError:
                    # scaled to nothing: it is nowhere, in this frame
                    place = np.full((4, 4), depsgraph.scene.frame_current, np.float64)
                self.placed.setdefault(owner, []).append((path, drawn.name_full, place.tobytes()))


class InstanceKeys:
    """Names the instances of one frame.

    Args:
        depsgraph: The evaluated graph.
        reader: Says how objects came to their numbers.
    """

    def __init__(self, depsgraph: bpy.types.Depsgraph, reader: IdentityReader) -> None:
        self._depsgraph = depsgraph
        self._reader = reader
        self._frame = depsgraph.scene.frame_current
        self._groups: dict[tuple[str, tuple[int, ...]], _Group] = {}
        self._geometry: dict[str, Any] = {}
        self._ways: dict[tuple[str, str], bpy.types.Object | None] = {}
        self._all: _AllInstances | None = None

    @property
    def _instances(self) -> _AllInstances:
        """Looked through when the first name needs it: most need what they show themselves."""
        if self._all is None:
            self._all = _AllInstances(self._depsgraph)
        return self._all

    def key(self, instance: bpy.types.DepsgraphObjectInstance) -> str:
        """The name of what is drawn."""
        drawn = instance.object.original
        if not instance.is_instance:
            return _joined([drawn.name_full])
        path = _path(instance)
        owner = instance.parent.original if instance.parent else None
        system = instance.particle_system
        if system is not None:
            name = _joined([owner.name_full if owner else "", ",".join(map(str, path)), drawn.name_full])
            lasting = system.settings.type in LASTING_SYSTEMS and (
                owner is None or self._leads_to_particles(owner, path)
            )
            return f"{system.name}:{name}" if lasting else self._fresh(name)
        if owner is None:
            return self._fresh(f"{path}/{drawn.name_full}")
        steps = self._steps(owner, path, drawn)
        if steps is None:
            return self._fresh(f"{owner.name_full}/{path}/{drawn.name_full}")
        return _joined([owner.name_full, *steps, drawn.name_full])

    def _leads_to_particles(self, owner: bpy.types.Object, path: tuple[int, ...]) -> bool:
        """Whether a path begins at an emitter, or at a collection that has one among its members."""
        if owner.instance_type == "NONE":
            return self._made_by_nodes(owner) is None
        return owner.instance_type == "COLLECTION" and len(path) <= 3

    def _fresh(self, name: str) -> str:
        return f"{name}@{self._frame}"

    def _steps(self, owner: bpy.types.Object, path: tuple[int, ...], drawn: bpy.types.Object) -> list[str] | None:
        """A name for each step from an object to what it draws; None where one is not known."""
        steps: list[str] = []
        place, begin = owner, 0
        while begin < len(path):
            made = self._made_by_nodes(place)
            rest = path[begin:]
            if len(rest) == 1 and drawn == place:
                # curves, texts and metaballs are instances of themselves
                return [*steps, str(rest[0])]
            if made is not None:
                taken = self._steps_of_nodes(place, made, rest, drawn)
                if taken is None:
                    return None
                names, used, place = taken
            elif place.instance_type == "COLLECTION":
                member = drawn if len(rest) == 1 else self._member(owner, path[: begin + 1], place, drawn)
                if member is None:
                    return None
                names, used, place = [member.name_full], 1, member
            elif place.instance_type in {"VERTS", "FACES"}:
                member = drawn if len(rest) == 1 else self._member(owner, path[: begin + 1], place, drawn)
                if member is None:
                    return None
                names, used, place = [member.name_full, self._name_of_element(place, rest[0])], 1, member
            elif not versions.tells_instances_of_nodes():
                return [*steps, self._name_by_place(owner, path, place)]
            else:
                return None
            steps += names
            begin += used
        return steps

    def _member(
        self, owner: bpy.types.Object, path: tuple[int, ...], place: bpy.types.Object, drawn: bpy.types.Object
    ) -> bpy.types.Object | None:
        """The object at the end of a path, which an instancer shows and which shows what is drawn; None if unsure."""
        found = self._instances.objects.get((owner.name_full, path))
        if place.instance_type == "COLLECTION":
            # Blender counts all members, hidden ones as well (3.4.1 and 4.5.15); what draws nothing is not found above
            members, number = place.instance_collection.all_objects, path[-1]
            member = members[number] if 0 <= number < len(members) else None
            return member if found in (None, member) else None
        if found is not None:
            return found
        way = place.name_full, drawn.name_full
        if way not in self._ways:
            leading = [each for each in place.children if _is_instanced_by(drawn, each)]
            self._ways[way] = leading[0] if len(leading) == 1 else None
        return self._ways[way]

    def _made_by_nodes(self, owner: bpy.types.Object) -> Any:
        name = owner.name_full
        if name not in self._geometry:
            uses_nodes = any(modifier.type == "NODES" for modifier in owner.modifiers)
            drawn = owner.evaluated_get(self._depsgraph) if uses_nodes else None
            self._geometry[name] = None if drawn is None else versions.instances_of_nodes(drawn)
        return self._geometry[name]

    def _steps_of_nodes(
        self, owner: bpy.types.Object, made: Any, path: tuple[int, ...], drawn: bpy.types.Object
    ) -> tuple[list[str], int, bpy.types.Object] | None:
        """The steps through the instances that nodes made: their names, how many, and the object they lead to."""
        names: list[str] = []
        level: tuple[int, ...] = ()
        shown = made
        for used, number in enumerate(path):
            if used and used == len(path) - 1 and drawn == owner:
                # a mesh within the nodes' own geometry, counted among its parts
                return [*names, str(number)], used + 1, owner
            group = self._group(owner, level, shown)
            if group is None:
                return None
            position = number if group.positions is None else group.positions.get(number, -1)
            if not 0 <= position < len(group.names):
                return None
            names.append(group.names[position])
            level = (*level, int(group.references[position]))
            shown = group.sets[group.references[position]]
            if isinstance(shown, bpy.types.Object):
                return names, used + 1, shown.original
            if isinstance(shown, bpy.types.Collection):
                if used + 2 != len(path):
                    return None
                return [*names, drawn.name_full], used + 2, drawn
        return None

    def _group(self, owner: bpy.types.Object, level: tuple[int, ...], shown: Any) -> _Group | None:
        place = owner.name_full, level
        if place not in self._groups:
            cloud = shown.instances_pointcloud()
            if cloud is None:
                return None
            self._groups[place] = self._read_group(owner, shown, cloud)
        return self._groups[place]

    def _read_group(self, owner: bpy.types.Object, shown: Any, cloud: Any) -> _Group:
        attributes, count = cloud.attributes, len(cloud.points)
        references = np.zeros(count, np.int32)
        attributes[".reference_index"].data.foreach_get("value", references)
        transforms = np.empty(16 * count, np.float32)
        attributes["instance_transform"].data.foreach_get("value", transforms)
        drawn = owner.evaluated_get(self._depsgraph)
        identities = pack(read_carried(attributes, count))
        carried = hashlib.blake2b(identities.data, digest_size=8).hexdigest()
        if not self._reader.stands_on_one_each(drawn):
            identities[:] = 0
        positions = None
        if "id" in attributes:
            given = np.zeros(count, np.int32)
            attributes["id"].data.foreach_get("value", given)
            positions = {int(number): index for index, number in enumerate(given)}
            # an id is proof enough, but what is carried beside it must agree
            identities = scramble(identities ^ scramble(given.view(np.uint32).astype(np.uint64) + np.uint64(1)))
        if self._reader.numbering(drawn).ordered:
            names = [f"{index}*{count}*{carried}" for index in range(count)]
        else:
            digest = hashlib.blake2b(transforms.data, digest_size=8)
            digest.update(references.data)
            names = [f"{index}~{digest.hexdigest()}" for index in range(count)]
        for index in _alone(identities):
            names[index] = f"{identities[index]:016x}+{references[index]}"
        return _Group(names, positions, references, list(shown.instance_references()))

    def _name_of_element(self, owner: bpy.types.Object, number: int) -> str:
        """A name for the vertex or face of an object that an instance stands on."""
        place = owner.name_full, (-1,)
        if place not in self._groups:
            self._groups[place] = self._read_elements(owner)
        names = self._groups[place].names
        return names[number] if 0 <= number < len(names) else self._fresh(str(number))

    def _read_elements(self, owner: bpy.types.Object) -> _Group:
        drawn = owner.evaluated_get(self._depsgraph)
        mesh, numbering = drawn.data, self._reader.numbering(drawn)
        if not isinstance(mesh, bpy.types.Mesh):
            return _Group([], None)
        found = read_identities(mesh, numbering)
        identities, corners = found.identities, versions.corner_vertices(mesh)
        if owner.instance_type == "FACES":
            starts = np.empty(len(mesh.polygons), np.int32)
            mesh.polygons.foreach_get("loop_start", starts)
            known = np.minimum.reduceat(identities[corners], starts) != 0 if len(starts) else np.empty(0, bool)
            identities = np.add.reduceat(identities[corners], starts) if len(starts) else identities[:0]
            identities = np.where(known, identities, 0)
        count = len(identities)
        if numbering.ordered:
            digest = hashlib.blake2b(corners.data, digest_size=8)
            digest.update(found.digest)
            digest.update(recipe(drawn))
            names = [f"{index}*{digest.hexdigest()}" for index in range(count)]
        else:
            places = np.empty(3 * len(mesh.vertices), np.float32)
            mesh.vertices.foreach_get("co", places)
            digest = hashlib.blake2b(places.data, digest_size=8)
            digest.update(corners.data)
            names = [f"{index}~{digest.hexdigest()}" for index in range(count)]
        if numbering.ranked or (numbering.single and self._reader.stands_on_one_each(drawn)):
            for index in _alone(identities):
                names[index] = f"{identities[index]:016x}"
        return _Group(names, None)

    def _name_by_place(self, owner: bpy.types.Object, path: tuple[int, ...], place: bpy.types.Object) -> str:
        """A name where Blender does not say what nodes made.

        Numbers, if they come from construction or from ids, or if nothing moves.
        """
        placed = self._instances.placed[owner.name_full]
        if place == owner and self._reader.numbering(owner.evaluated_get(self._depsgraph)).ordered:
            return f"{','.join(map(str, path))}*{len(placed)}"
        numbers = {each[0][0] for each in placed}
        if numbers != set(range(len(numbers))):
            # the numbers of what has no id are those of its position
            return ",".join(map(str, path))
        digest = hashlib.blake2b(digest_size=8)
        for each, name, matrix in placed:
            digest.update(repr((each, name)).encode() + matrix)
        return f"{','.join(map(str, path))}~{digest.hexdigest()}"


def _is_instanced_by(drawn: bpy.types.Object, shown: bpy.types.Object) -> bool:
    collection = shown.instance_collection if shown.instance_type == "COLLECTION" else None
    return collection is not None and drawn in collection.all_objects.values()


def unique(keys: list[str], frame: int) -> tuple[str, ...]:
    """Make keys that occur more than once match nothing: which one is which at another frame nobody can tell."""
    counts = Counter(keys)
    return tuple(key if counts[key] == 1 else f"{key}#{position}@{frame}" for position, key in enumerate(keys))


def _joined(names: list[str]) -> str:
    """Names one after the other; a slash in a name is doubled, so that no two lists look the same."""
    return "/".join(name.replace("/", "//") for name in names)


def _path(instance: bpy.types.DepsgraphObjectInstance) -> tuple[int, ...]:
    """The numbers that lead to an instance, the outermost first."""
    return tuple(part for part in reversed(instance.persistent_id) if part != NO_NUMBER)


def _alone(identities: npt.NDArray[np.uint64]) -> list[int]:
    """Positions of the identities that occur once and are no zeros."""
    _, position, count = np.unique(identities, return_index=True, return_counts=True)
    alone = position[count == 1]
    return [int(index) for index in alone if identities[index] != 0]
