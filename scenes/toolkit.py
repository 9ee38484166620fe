"""Turns shapes and choreography into a Blender scene; the only module here, beside build and check, that needs bpy.

Written for Blender 3.4, which has neither numpy nor the newer interfaces, so that every later version reads the files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import bpy

from scenes.motion import MARGIN, Choreography, Motion
from scenes.shapes import Shape
from scenes.transforms import Pose, Vector, add, subtract, transform

WIDTH, HEIGHT, FRAME_RATE = 480, 270, 24


def linear(color: str) -> tuple[float, float, float, float]:
    """``#rrggbb`` as Blender stores colors (scene-linear), opaque."""
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return (red, green, blue, 1.0)


class Stage:
    """An empty Blender scene that a scene module fills; poses and keys come from the choreography.

    Args:
        choreography: motion of everything that will be added.
        palette: material name -> ``#rrggbb``.
        background: the world's ``#rrggbb``.
    """

    def __init__(self, choreography: Choreography, palette: Mapping[str, str], background: str) -> None:
        self.choreography = choreography
        self.palette = palette
        self.frames = range(choreography.first - MARGIN, choreography.last + MARGIN + 1)
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        self.scene = bpy.context.scene
        self.scene.name = choreography.name
        self._set_up(background)
        for name in choreography.cameras:
            self._add_camera(name)
        self.scene.camera = bpy.data.objects[next(iter(choreography.cameras))]
        for frame, name in choreography.camera_marks:
            self.scene.timeline_markers.new(name, frame=frame).camera = bpy.data.objects[name]

    def _set_up(self, background: str) -> None:
        """Frames, size, and the flat look, so that the file shows it as soon as somebody opens it."""
        scene, render = self.scene, self.scene.render
        scene.frame_start, scene.frame_end = self.choreography.first, self.choreography.last
        scene.frame_step = self.choreography.step
        scene.frame_set(self.choreography.first)
        render.engine = "BLENDER_WORKBENCH"
        render.resolution_x, render.resolution_y, render.resolution_percentage = WIDTH, HEIGHT, 100
        render.fps = FRAME_RATE
        scene.view_settings.view_transform = "Standard"
        scene.display.render_aa = "OFF"
        shading = scene.display.shading
        shading.light, shading.color_type, shading.show_object_outline = "FLAT", "MATERIAL", True
        shading.object_outline_color = (0.0, 0.0, 0.0)
        world = bpy.data.worlds.new("World")
        world.color = linear(background)[:3]
        world.use_nodes = True
        world.node_tree.nodes["Background"].inputs["Color"].default_value = linear(background)
        scene.world = world

        for space in (space for screen in bpy.data.screens for area in screen.areas for space in area.spaces):
            if space.type == "VIEW_3D":  # who opens the file looks through the camera, at the final colors
                space.shading.type = "RENDERED"
                space.region_3d.view_perspective = "CAMERA"
            elif space.type == "FILE_BROWSER" and space.params:
                space.params.directory = b"//"  # not the home folder of whoever built the file

    def _add_camera(self, name: str) -> None:
        camera = self.choreography.cameras[name]
        data = bpy.data.cameras.new(name)
        data.type, data.sensor_fit = camera.kind, "HORIZONTAL"
        data.clip_start, data.clip_end = camera.clip
        item = bpy.data.objects.new(name, data)
        self.scene.collection.objects.link(item)
        self._pose(item, camera.pose)
        self.key(data, "lens", camera.lens)
        self.key(data, "sensor_width", camera.sensor_width)
        self.key(data, "shift_x", lambda frame: camera.shift(frame)[0])
        self.key(data, "shift_y", lambda frame: camera.shift(frame)[1])
        self.key(data, "ortho_scale", camera.ortho_scale)

    def material(self, name: str) -> Any:
        """The material of that name in the palette: one color for the viewport and for the shader."""
        known = bpy.data.materials.get(name)
        if known is not None:
            return known
        color = linear(self.palette[name])
        material = bpy.data.materials.new(name)
        material.diffuse_color = color
        material.use_nodes = True
        principled = material.node_tree.nodes["Principled BSDF"]
        principled.inputs["Base Color"].default_value = color
        principled.inputs["Roughness"].default_value = 1.0
        return material

    def mesh(self, name: str, shape: Shape, collection: Any = None) -> Any:
        """Add a mesh object, placed and keyed as the choreography says."""
        data = bpy.data.meshes.new(name)
        data.from_pydata(shape.vertices, [], shape.faces)
        slots = list(dict.fromkeys(shape.materials))
        for slot in slots:
            data.materials.append(self.material(slot))
        for polygon, material in zip(data.polygons, shape.materials, strict=True):
            polygon.material_index = slots.index(material)
        data.update()
        assert not data.validate(), f"{name}: a mesh that Blender has to mend"
        item = self.add(name, data, collection)
        for group, weights in shape.weights.items():
            vertices = item.vertex_groups.new(name=group)
            for vertex, weight in weights.items():
                vertices.add([vertex], weight, "REPLACE")
        return item

    def add(self, name: str, data: Any, collection: Any = None) -> Any:
        """Add an object with any data (``None``: an empty), placed and keyed as the choreography says."""
        item = bpy.data.objects.new(name, data)
        (collection or self.scene.collection).objects.link(item)
        pose = self.choreography.poses[name]
        if isinstance(pose, Pose):
            item.rotation_mode = "QUATERNION"
            item.location, item.rotation_quaternion, item.scale = pose
        else:
            self._pose(item, pose)
        return item

    def character(self, name: str, shape: Shape, rig_name: str, heads: Mapping[str, Vector]) -> Any:
        """Add a mesh and the armature that deforms it, one bone per limb of the choreography.

        Bones lie along +Y and have no parents: then their rest matrices hold no turn, and a bone's channels are the
        limb's pose about the bone's head and nothing else.  Who hangs on whom is settled in the choreography.
        """
        rig = self.add(rig_name, bpy.data.armatures.new(rig_name))
        bpy.context.view_layer.objects.active = rig
        bpy.ops.object.mode_set(mode="EDIT")
        for bone_name, head in heads.items():
            bone = rig.data.edit_bones.new(bone_name)
            bone.head, bone.tail, bone.roll = head, add(head, (0.0, 0.25, 0.0)), 0.0
        bpy.ops.object.mode_set(mode="OBJECT")
        for bone_name, head in heads.items():
            self._pose_bone(rig, rig.pose.bones[bone_name], self.choreography.limbs[bone_name].pose, head)
        item = self.mesh(name, shape)
        item.modifiers.new("Armature", "ARMATURE").object = rig
        return rig

    def shaped(self, name: str, shape: Shape) -> Any:
        """Add a mesh with the shape keys of the choreography."""
        item = self.mesh(name, shape)
        item.shape_key_add(name="Basis", from_mix=False)
        for key in self.choreography.shape_keys[name]:
            block = item.shape_key_add(name=key.name, from_mix=False)
            for point, vertex in zip(block.data, shape.vertices, strict=True):
                point.co = add(vertex, key.displacement(vertex))
            block.slider_min, block.slider_max = -10.0, 10.0
            self.key(item.data.shape_keys, f'key_blocks["{key.name}"].value', key.value)
        return item

    def text(self, name: str, body: str, size: float, material: str) -> Any:
        """Add letters in Blender's built-in font, centred on the origin in the XY plane."""
        data = bpy.data.curves.new(name, "FONT")
        data.body, data.size, data.extrude, data.offset = body, size, 0.02, 0.02
        data.align_x = "CENTER"
        data.resolution_u = 3
        data.materials.append(self.material(material))
        return self.add(name, data)

    def curve(self, name: str, points: Sequence[Vector], radius: float, material: str) -> Any:
        """Add a line through points, made round by its bevel."""
        data = bpy.data.curves.new(name, "CURVE")
        data.dimensions, data.bevel_depth, data.bevel_resolution, data.use_fill_caps = "3D", radius, 2, True
        spline = data.splines.new("POLY")
        spline.points.add(len(points) - 1)
        for control, point in zip(spline.points, points, strict=True):
            control.co = (*point, 1.0)
        data.materials.append(self.material(material))
        return self.add(name, data)

    def metaball(self, name: str, balls: Sequence[tuple[float, float, float, float]], material: str) -> Any:
        """Add one metaball object of (x, y, z, radius); it moves as a whole, so its surface keeps its shape."""
        data = bpy.data.metaballs.new(name)
        # Off the round numbers: a surface through the grid's own corners could change with the last bit of a matrix.
        data.resolution = data.render_resolution = 0.47
        for x, y, z, radius in balls:
            element = data.elements.new()
            element.co, element.radius = (x + 0.013, y + 0.007, z + 0.011), radius
        data.materials.append(self.material(material))
        return self.add(name, data)

    def hidden_collection(self, name: str) -> Any:
        """A collection outside the scene, whose objects are drawn only through instances."""
        return bpy.data.collections.new(name)

    def instance(self, name: str, collection: Any) -> Any:
        """Add an empty that draws a collection."""
        item = self.add(name, None)
        item.instance_type, item.instance_collection = "COLLECTION", collection
        return item

    def duplicate(self, instancer: Any, child: Any, kind: str) -> None:
        """Draw ``child`` at every vertex or face (``VERTS``, ``FACES``) of a mesh that is not drawn itself."""
        child.parent = instancer
        instancer.instance_type = kind
        instancer.show_instancer_for_render = instancer.show_instancer_for_viewport = False

    def scatter(self, instancer: Any, source: Any) -> None:
        """Draw ``source`` at every vertex of a mesh by geometry nodes."""
        tree = bpy.data.node_groups.new("Instance on vertices", "GeometryNodeTree")
        tree.inputs.new("NodeSocketGeometry", "Geometry")
        tree.outputs.new("NodeSocketGeometry", "Geometry")
        nodes, links = tree.nodes, tree.links
        start, end = nodes.new("NodeGroupInput"), nodes.new("NodeGroupOutput")
        spread, info = nodes.new("GeometryNodeInstanceOnPoints"), nodes.new("GeometryNodeObjectInfo")
        info.inputs["Object"].default_value = source
        info.inputs["As Instance"].default_value = True
        links.new(start.outputs["Geometry"], spread.inputs["Points"])
        links.new(info.outputs["Geometry"], spread.inputs["Instance"])
        links.new(spread.outputs["Instances"], end.inputs["Geometry"])
        instancer.modifiers.new("Instance on vertices", "NODES").node_group = tree

    def _pose_bone(self, rig: Any, bone: Any, limb: Motion, head: Vector) -> None:
        """Key a bone so that it carries rest points exactly as ``limb`` does."""

        def channels(frame: int) -> Pose:
            pose = limb(frame)
            return pose._replace(location=subtract(transform(pose.matrix, head), head))

        self._pose(bone, channels, owner=rig, prefix=f'pose.bones["{bone.name}"].', group=bone.name)

    def _pose(self, item: Any, motion: Motion, owner: Any = None, prefix: str = "", group: str = "Pose") -> None:
        """Key location, rotation and scale on every frame."""
        item.rotation_mode = "QUATERNION"
        poses = [motion(frame) for frame in self.frames]
        rotations = [poses[0].rotation]
        for pose in poses[1:]:
            # q and -q are the same turn; the nearer one keeps frames in between sane.
            same = sum(a * b for a, b in zip(pose.rotation, rotations[-1], strict=True)) >= 0
            rotations.append(pose.rotation if same else tuple(-value for value in pose.rotation))  # type: ignore
        channels = {
            "location": [pose.location for pose in poses],
            "rotation_quaternion": rotations,
            "scale": [pose.scale for pose in poses],
        }
        for path, values in channels.items():
            setattr(item, path, values[0])
            for index in range(len(values[0])):
                self._curve(owner or item, prefix + path, index, [value[index] for value in values], group)

    def key(self, owner: Any, path: str, value: Callable[[int], float], stepped: bool = False) -> None:
        """Key one number of any datablock on every frame; a number that never changes is only set.

        Args:
            owner: the datablock that has the property, by ``path`` relative to it.
            path: for example ``lens`` or ``modifiers["Array"].count``.
            value: of the property, by frame.
            stepped: for whole numbers and switches, which must not be interpolated.
        """
        values = [value(frame) for frame in self.frames]
        holder, _, attribute = path.rpartition(".")
        target = owner.path_resolve(holder) if holder else owner
        setattr(target, attribute, values[0])
        self._curve(owner, path, 0, [float(number) for number in values], "Numbers", stepped)

    def _curve(
        self, owner: Any, path: str, index: int, values: Sequence[float], group: str, stepped: bool = False
    ) -> None:
        if all(value == values[0] for value in values):
            return
        if owner.animation_data is None:
            owner.animation_data_create()
        if owner.animation_data.action is None:
            owner.animation_data.action = bpy.data.actions.new(f"{owner.name} moves")
        curve = owner.animation_data.action.fcurves.new(path, index=index, action_group=group)
        curve.keyframe_points.add(len(values))
        flat = [number for frame, value in zip(self.frames, values, strict=True) for number in (float(frame), value)]
        curve.keyframe_points.foreach_set("co", flat)
        for point in curve.keyframe_points:
            point.interpolation = "CONSTANT" if stepped else "LINEAR"
        curve.update()

    def save(self, path: Path) -> None:
        """Write the file, compressed, nothing unused in it."""
        missing = set(self.choreography.poses) - {item.name for item in bpy.data.objects}
        assert not missing, f"never built: {sorted(missing)}"
        bpy.ops.outliner.orphans_purge(do_recursive=True)
        bpy.context.preferences.filepaths.save_version = 0
        bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True, relative_remap=False)

    def triangles(self) -> int:
        """Triangles of all drawn objects, instances counted once each."""
        graph = bpy.context.evaluated_depsgraph_get()
        total = 0
        for instance in graph.object_instances:
            if instance.object.type == "MESH":
                total += sum(len(polygon.vertices) - 2 for polygon in instance.object.data.polygons)
        return total
