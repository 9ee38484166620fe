"""Finds the files besides its ``.blend`` that the open film reads: what the pictures depend on, and what is missing.

Every kind counts that can change what is drawn: libraries, images, movies, sequences and sets of tiles, fonts, volumes,
caches of geometry, of simulations and of nodes, and what nodes import.  Sounds do not.  Nothing is opened here.

Of what has a file for each frame only those of the clip's frames count, where it is known which these are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from animerun_gen.blender import versions
from animerun_gen.engines import film_files
from animerun_gen.engines.film_files import MissingFile
from animerun_gen.errors import SceneError

CACHES = {"CLOTH", "SOFT_BODY"}
"""Modifiers that are a simulation with a point cache."""

FLUID_FOLDERS = ("config", "data", "guiding", "mesh", "noise", "particles")
"""Folders in the cache of a fluid domain that hold what is drawn."""

BAKE_FOLDERS = ("meta", "blobs")
"""Folders in that of a bake of geometry nodes."""

MOST_NESTED = 32
"""So deep node groups are followed; Blender itself allows no circles."""


@dataclass(frozen=True)
class ExternalFile:
    """A file, or files, that the film names.

    Attributes:
        kind: What it is, as a sentence has it.
        path: As the film names it.
        names: What is read, see :mod:`animerun_gen.engines.film_files`.
        needed: Files that have to be there.
        block: The data-block whose users it touches; None where ``touches`` says all.
        touches: Full names of what it touches.
    """

    kind: str
    path: str
    names: tuple[str, ...]
    needed: tuple[Path, ...] = ()
    block: bpy.types.ID | None = None
    touches: tuple[str, ...] = ()


def external_files(frames: Sequence[int], scene: bpy.types.Scene) -> list[ExternalFile]:
    """All files that the open film reads.

    Args:
        frames: The clip's frames, ascending.
        scene: The scene that is rendered.

    Returns:
        Each use of a file, by kind and path.
    """
    # a film whose frames are stretched in time shows others than those of the clip
    render = scene.render
    numbers = frames if render.frame_map_old == render.frame_map_new else None
    found = [
        *_libraries(),
        *_images(numbers),
        *_fonts(),
        *_movie_clips(),
        *_volumes(numbers),
        *_cache_files(numbers),
        *_point_caches(numbers),
    ]
    for obj in bpy.data.objects:
        for modifier in obj.modifiers:
            found += _of_modifier(obj, modifier, numbers)
    found += _imports()
    return sorted(found, key=lambda each: (each.kind, each.path))


def inputs_of(files: Collection[ExternalFile]) -> list[str]:
    """The names of all files that are read, each once."""
    return sorted({name for each in files for name in each.names})


def missing_files(files: Collection[ExternalFile]) -> list[MissingFile]:
    """What is not there, each once, with what it touches."""
    found: dict[tuple[str, str], set[str]] = {}
    lacking: dict[tuple[str, str], tuple[int, int]] = {}
    absent = [each for each in files if each.needed and not all(map(film_files.is_file, each.needed))]
    blocks = [each.block for each in absent if each.block is not None]
    users = bpy.data.user_map(subset=blocks) if blocks else {}
    for each in absent:
        key = (each.kind, each.path)
        touches = found.setdefault(key, set())
        if isinstance(each.block, bpy.types.Library):
            touches.update(block.name for block in each.block.users_id)
        elif each.block is not None:
            touches.update(block.name for block in users.get(each.block, ()))
        touches.update(each.touches)
        gone = sum(not film_files.is_file(path) for path in each.needed)
        lacking[key] = max(lacking.get(key, (0, 0)), (gone, len(each.needed)))
    return [
        MissingFile(
            kind,
            path,
            tuple(sorted(touches)),
            "" if (gone := lacking[kind, path][0]) == (of := lacking[kind, path][1]) else f"{gone} of its {of} files",
        )
        for (kind, path), touches in sorted(found.items())
    ]


def refuse_endless(source: Path, files: Collection[ExternalFile]) -> None:
    """Stop before Blender opens a named pipe, which may keep it waiting for ever, or a device, which never ends.

    Args:
        source: The film, for the sentence.
        files: What it reads.

    Raises:
        SceneError: It names one.
    """
    named = {name: (each.kind, each.path) for each in files for name in each.names}
    # what is no input of a clip, sounds among them, may be opened all the same
    for path in bpy.utils.blend_paths(absolute=True):
        named.setdefault(str(_clean(path)), ("file", path))
    for name, (kind, path) in named.items():
        problem = film_files.endless(name)
        if problem:
            raise SceneError(
                f"{source} names the {kind} {path}, but {problem}, which has no end",
                remedy="put a file in its place, or take it out of the film",
            )


def file_of_frame(image: bpy.types.Image, number: int | None) -> Path:
    """The file of an image, or the one of an image sequence that has a number."""
    path = _absolute(image)
    head, digits, tail = film_files.split_number(path.name)
    if number is None or image.source != "SEQUENCE" or not digits:
        return path
    return path.parent / f"{head}{max(number, 0):0{len(digits)}d}{tail}"


def files_of_tiles(image: bpy.types.Image) -> tuple[Path, ...]:
    """The files of an image of tiles."""
    return _tiles(image).needed


def _libraries() -> Iterator[ExternalFile]:
    for library in bpy.data.libraries:
        if library.packed_file is None and not versions.is_archive(library):
            yield _single("library", library)


def _fonts() -> Iterator[ExternalFile]:
    for font in bpy.data.fonts:
        if font.packed_file is None and font.filepath != "<builtin>":
            yield _single("font", font)


def _images(frames: Sequence[int] | None) -> Iterator[ExternalFile]:
    sequences = [image for image in bpy.data.images if image.source == "SEQUENCE"]
    shown = _shown_numbers(sequences, frames)
    for image in bpy.data.images:
        if image.packed_file is not None or len(image.packed_files) > 0 or not image.filepath:
            continue
        if image.source in {"FILE", "MOVIE"}:
            yield _single("image" if image.source == "FILE" else "movie", image)
        elif image.source == "TILED":
            yield _tiles(image)
        elif image.source == "SEQUENCE":
            yield _sequence("image sequence", image, shown.get(image, frozenset()))


def _tiles(image: bpy.types.Image) -> ExternalFile:
    pattern, numbers = _absolute(image), sorted(tile.number for tile in image.tiles)
    files = []
    for number in numbers:
        u, v = (number - 1001) % 10 + 1, (number - 1001) // 10 + 1
        name = pattern.name.replace("<UDIM>", str(number)).replace("<UVTILE>", f"u{u}_v{v}")
        files.append(pattern.parent / name)
    head, by_number, tail = pattern.name.partition("<UDIM>")
    if not by_number or not numbers:
        return ExternalFile("image tile", image.filepath, tuple(map(str, files)), tuple(files), image)
    names = film_files.numbered(pattern.parent, head, 4, tail, (numbers[0], numbers[-1]))
    return ExternalFile("image tile", image.filepath, (names,), tuple(files), image)


def _shown_numbers(
    images: Collection[bpy.types.Image], frames: Sequence[int] | None
) -> dict[bpy.types.Image, frozenset[int] | None]:
    """The numbers of the files that image sequences show; None of one of which that cannot be said."""
    if not images:
        return {}
    shown: dict[bpy.types.Image, frozenset[int] | None] = {}
    asked: dict[bpy.types.Image, set[bpy.types.ID]] = {image: set() for image in images}
    for owner, image, user, path in _image_users():
        if image not in asked:
            continue
        asked[image].add(owner)
        before = shown.get(image, frozenset())
        numbers = None if frames is None or _is_animated(user.id_data, path) else _numbers_of(user, frames)
        shown[image] = None if before is None or numbers is None else before | numbers
    users = bpy.data.user_map(subset=list(images))
    for image, owners in asked.items():
        if any(user not in owners for user in users[image] if not isinstance(user, bpy.types.Scene)):
            shown[image] = None
    return shown


def _image_users() -> Iterator[tuple[bpy.types.ID, bpy.types.Image, bpy.types.ImageUser, str]]:
    """Everything that shows an image and says which frame of it: its owner, the image, the words, and their path."""
    for texture in bpy.data.textures:
        if texture.type == "IMAGE" and texture.image is not None:
            yield texture, texture.image, texture.image_user, "image_user"
    owners = [*bpy.data.materials, *bpy.data.worlds, *bpy.data.lights, *bpy.data.textures]
    trees = [(owner, owner.node_tree) for owner in owners if owner.node_tree is not None]
    for owner, tree in [*trees, *((group, group) for group in bpy.data.node_groups)]:
        for node in tree.nodes:
            user = getattr(node, "image_user", None)
            if user is not None and node.image is not None:
                yield owner, node.image, user, f"{node.path_from_id()}.image_user"


def _numbers_of(user: bpy.types.ImageUser, frames: Sequence[int]) -> frozenset[int]:
    """The numbers that an image user shows in these frames, as Blender counts (``BKE_image_user_frame_get``)."""
    length = user.frame_duration
    if length <= 0 or not user.use_auto_refresh:
        return frozenset([user.frame_current])
    places = [frame - user.frame_start + 1 for frame in frames]
    if user.use_cyclic:
        places = [place % length or length for place in places]
    return frozenset(min(max(place, 0), length) + user.frame_offset for place in places)


def _movie_clips() -> Iterator[ExternalFile]:
    for clip in bpy.data.movieclips:
        if clip.source == "MOVIE":
            yield _single("movie", clip)
        else:
            yield _sequence("image sequence", clip, None)


def _volumes(frames: Sequence[int] | None) -> Iterator[ExternalFile]:
    for volume in bpy.data.volumes:
        # an empty path is saved as that of a folder (4.5.15)
        if volume.packed_file is not None or not volume.filepath or volume.filepath.endswith(("/", "\\")):
            continue
        if not volume.is_sequence:
            yield _single("volume", volume)
            continue
        numbers = None
        if frames is not None and not _is_animated(volume, "frame_", "sequence_mode"):
            numbers = _numbers_of_volume(volume, frames)
        yield _sequence("volume sequence", volume, numbers)


def _numbers_of_volume(volume: bpy.types.Volume, frames: Sequence[int]) -> frozenset[int]:
    """The numbers that a volume shows in these frames, as Blender counts (``volume_sequence_frame``)."""
    length, mode = volume.frame_duration, volume.sequence_mode
    places = [frame - volume.frame_start + 1 for frame in frames]
    if length <= 0:
        return frozenset()
    if mode == "CLIP":
        places = [place for place in places if 1 <= place <= length]
    elif mode == "EXTEND":
        places = [min(max(place, 1), length) for place in places]
    else:
        places = [1, length]
    return frozenset(place + volume.frame_offset for place in places)


def _cache_files(frames: Sequence[int] | None) -> Iterator[ExternalFile]:
    for cache in bpy.data.cache_files:
        if cache.is_sequence:
            numbers = None
            if frames is not None and not _is_animated(cache, "frame", "override_frame"):
                numbers = frozenset([int(cache.frame)] if cache.override_frame else frames)
            yield _sequence("cache", cache, numbers)
        else:
            yield _single("cache", cache)
        for layer in getattr(cache, "layers", ()):
            path = resolved(layer.filepath, cache.library)
            yield ExternalFile("cache", layer.filepath, (str(path),), (path,), cache)


def _point_caches(frames: Sequence[int] | None) -> Iterator[ExternalFile]:
    for owner in bpy.data.objects:
        for cache in point_caches(owner):
            if cache.use_external or (cache.use_disk_cache and cache.is_baked):
                yield _point_cache(owner, cache, frames)


def point_caches(obj: bpy.types.Object) -> Iterator[bpy.types.PointCache]:
    """The point caches of an object: of cloth, soft bodies, particles, hair and dynamic paint."""
    for modifier in obj.modifiers:
        if modifier.type in CACHES:
            yield modifier.point_cache
        elif modifier.type == "PARTICLE_SYSTEM":
            yield modifier.particle_system.point_cache
        elif modifier.type == "DYNAMIC_PAINT" and modifier.canvas_settings is not None:
            for surface in modifier.canvas_settings.canvas_surfaces:
                yield surface.point_cache


def cache_folder(owner: bpy.types.Object, cache: bpy.types.PointCache) -> Path:
    """The folder of a point cache that lies on disk (``ptcache_path``)."""
    if cache.use_external:
        return resolved(cache.filepath, owner.library)
    film = Path(bpy.data.filepath)
    if owner.library is not None and cache.use_library_path:
        film = resolved(owner.library.filepath, None)
    return film.parent / f"blendcache_{film.name[:-6] if len(film.name) > 6 else film.name}"


def cache_name(owner: bpy.types.Object, cache: bpy.types.PointCache) -> str:
    """How the names of a point cache's files begin (``ptcache_filepath``)."""
    # letters that every file system takes
    return str(cache.name) if cache.name or cache.use_external else owner.name.encode().hex().upper()


def _point_cache(owner: bpy.types.Object, cache: bpy.types.PointCache, frames: Sequence[int] | None) -> ExternalFile:
    """The files of a cache that lies on disk, one a frame."""
    folder, stem = cache_folder(owner, cache), cache_name(owner, cache)
    path = cache.filepath if cache.use_external else f"//{folder.name}"
    tail = ".bphys" if cache.use_external and cache.index < 0 else f"_{cache.index:02d}.bphys"
    first, last = cache.frame_start, cache.frame_end
    if frames is not None:
        last = min(last, max(frames) + cache.frame_step)
    # number 0 holds what all frames share
    name = film_files.numbered(folder, f"{stem}_", 6, tail, (0, last))
    if frames is not None and cache.frame_step == 1:
        wanted = sorted({min(max(frame, first), cache.frame_end) for frame in frames})
        needed = tuple(folder / f"{stem}_{max(frame, 0):06d}{tail}" for frame in wanted)
        return ExternalFile("cache", path, (name,), needed, touches=(owner.name,))
    return _folder(owner, path, folder, (name,))


def _of_modifier(
    obj: bpy.types.Object, modifier: bpy.types.Modifier, frames: Sequence[int] | None
) -> Iterator[ExternalFile]:
    if (modifier.type == "MESH_CACHE" and modifier.filepath) or (modifier.type == "MULTIRES" and modifier.is_external):
        yield _named("cache", obj, modifier.filepath, obj.library)
    elif modifier.type == "OCEAN" and modifier.is_cached:
        yield _ocean(obj, modifier, frames)
    elif modifier.type == "FLUID" and modifier.fluid_type == "DOMAIN" and modifier.domain_settings is not None:
        if is_baked_fluid(modifier):
            yield _fluid(obj, modifier)
    elif modifier.type == "NODES":
        yield from _node_bakes(obj, modifier)


def is_baked_fluid(modifier: bpy.types.Modifier) -> bool:
    """Whether a fluid domain only reads its cache."""
    domain = modifier.domain_settings
    return bool(domain.cache_type != "REPLAY" and domain.has_cache_baked_any)


def _ocean(obj: bpy.types.Object, modifier: bpy.types.Modifier, frames: Sequence[int] | None) -> ExternalFile:
    """The pictures of a baked ocean, as Blender names them (``BKE_ocean_cache_filepath``)."""
    folder = resolved(modifier.filepath, obj.library)
    first, last = modifier.frame_start, modifier.frame_end
    wanted = sorted({min(max(frame, first), last) for frame in frames or (first, last)})
    kinds = ["disp", *(["foam"] if modifier.use_foam else []), *(["normal"] if modifier.use_normals else [])]
    return ExternalFile(
        "cache",
        modifier.filepath,
        tuple(film_files.numbered(folder, f"{kind}_", 4, ".exr", (wanted[0], wanted[-1])) for kind in kinds),
        tuple(folder / f"disp_{max(frame, 0):04d}.exr" for frame in wanted),
        touches=(obj.name,),
    )


def _fluid(obj: bpy.types.Object, modifier: bpy.types.Modifier) -> ExternalFile:
    named = modifier.domain_settings.cache_directory
    folder = resolved(named, obj.library)
    return _folder(obj, named, folder, tuple(film_files.in_folder(folder / part) for part in FLUID_FOLDERS))


def _node_bakes(obj: bpy.types.Object, modifier: bpy.types.Modifier) -> Iterator[ExternalFile]:
    for bake in versions.node_bakes(modifier):
        own, of_all = resolved(bake.folder, obj.library), resolved(bake.folder_of_all, obj.library)
        names = tuple(film_files.in_folder(own / part) for part in BAKE_FOLDERS)
        # Blender makes the folder of all bakes when the first is made; one that is taken back takes its own along
        needed = () if of_all.is_dir() else (of_all,)
        yield ExternalFile("bake", bake.folder_of_all, names, needed, touches=(obj.name,))


def _folder(obj: bpy.types.Object, path: str, folder: Path, names: tuple[str, ...]) -> ExternalFile:
    """A cache's files of which nobody knows beforehand which there are."""
    needed = () if film_files.is_any_there(names) else (folder,)
    return ExternalFile("cache", path, names, needed, touches=(obj.name,))


def _imports() -> Iterator[ExternalFile]:
    """The files that geometry nodes import."""
    for obj, tree, _, path in _importing():
        if path:
            yield _named("imported file", obj, path, tree.library)


def computed_imports() -> list[str]:
    """The files that geometry nodes import and of which nobody knows beforehand which they are, a sentence each."""
    found = {(node.name, tree.name) for _, tree, node, path in _importing() if path is None}
    return [
        f"node '{node}' of '{tree}' imports a file whose path other nodes compute, so a change of that file is "
        "not noticed"
        for node, tree in sorted(found)
    ]


def _importing() -> Iterator[tuple[bpy.types.Object, bpy.types.NodeTree, bpy.types.Node, str | None]]:
    """All uses of nodes that import: the object, the group, the node, and the path; None where nodes compute it."""
    if not any(_is_import(node) for tree in bpy.data.node_groups for node in tree.nodes):
        return
    for obj in bpy.data.objects:
        for modifier in obj.modifiers:
            if modifier.type == "NODES" and modifier.node_group is not None:
                for tree, node, path in _imported(_Place(modifier.node_group, modifier), 0):
                    yield obj, tree, node, path


@dataclass(frozen=True)
class _Place:
    """A node group where a modifier uses it.

    Attributes:
        tree: The group.
        modifier: The modifier.
        within: The node that stands for the group, and the place of the group around it; None for the outermost.
    """

    tree: bpy.types.NodeTree
    modifier: bpy.types.Modifier
    within: tuple[bpy.types.Node, _Place] | None = None


def _is_import(node: bpy.types.Node) -> bool:
    return bool(node.bl_idname.startswith("GeometryNodeImport"))


def _imported(place: _Place, depth: int) -> Iterator[tuple[bpy.types.NodeTree, bpy.types.Node, str | None]]:
    """What the nodes of a group and of those in it import: the group, the node, and the path as it is written."""
    for node in place.tree.nodes:
        if _is_import(node):
            for socket in node.inputs:
                if socket.type == "STRING" and socket.name == "Path":
                    yield place.tree, node, _text(socket, place, 0)
        elif node.type == "GROUP" and node.node_tree is not None and depth < MOST_NESTED:
            yield from _imported(_Place(node.node_tree, place.modifier, (node, place)), depth + 1)


def _text(socket: bpy.types.NodeSocket, place: _Place, depth: int) -> str | None:
    """The text that arrives at a socket; None where nodes compute it."""
    if not socket.is_linked:
        return str(socket.default_value)
    if depth > MOST_NESTED:
        return None
    link = socket.links[0]
    node, leaving = link.from_node, link.from_socket
    if node.type == "REROUTE":
        return _text(node.inputs[0], place, depth + 1)
    if node.type == "INPUT_STRING":
        return str(node.string)
    if node.type != "GROUP_INPUT":
        return None
    if place.within is None:
        return str(place.modifier.get(leaving.identifier, ""))
    standing, outer = place.within
    entry = next((entry for entry in standing.inputs if entry.identifier == leaving.identifier), None)
    return _text(entry, outer, depth + 1) if entry is not None else None


def _single(kind: str, block: bpy.types.ID) -> ExternalFile:
    path = _absolute(block)
    return ExternalFile(kind, block.filepath, (str(path),), (path,), block)


def _named(kind: str, obj: bpy.types.Object, named: str, library: bpy.types.Library | None) -> ExternalFile:
    """A file that touches an object, in a path of the film or of a library."""
    path = resolved(named, library)
    return ExternalFile(kind, named, (str(path),), (path,), touches=(obj.name,))


def _sequence(kind: str, block: bpy.types.ID, numbers: frozenset[int] | None) -> ExternalFile:
    """The files of a sequence that have these numbers; of None, whichever there are."""
    path = _absolute(block)
    head, number, tail = film_files.split_number(path.name)
    if not number:
        return _single(kind, block)
    if numbers is None:
        name = film_files.numbered(path.parent, head, len(number), tail, None)
        return ExternalFile(kind, block.filepath, (name,), () if film_files.is_any_there([name]) else (path,), block)
    if not numbers:
        return ExternalFile(kind, block.filepath, ())
    name = film_files.numbered(path.parent, head, len(number), tail, (min(numbers), max(numbers)))
    needed = sorted({max(each, 0) for each in numbers})
    files = tuple(path.parent / f"{head}{each:0{len(number)}d}{tail}" for each in needed)
    return ExternalFile(kind, block.filepath, (name,), files, block)


def resolved(path: str, library: bpy.types.Library | None) -> Path:
    """Where a path of the film leads: one that begins with ``//`` begins at the ``.blend`` that holds it."""
    return _clean(bpy.path.abspath(path, library=library))


def _absolute(block: bpy.types.ID) -> Path:
    return resolved(block.filepath, block.library)


def _clean(path: str) -> Path:
    # Blender takes the separators of every system
    return Path(path.replace("\\", "/")).absolute()


def _is_animated(block: bpy.types.ID, *starts: str) -> bool:
    """Whether F-curves or drivers change a property whose path begins so."""
    if block.animation_data is None:
        return False
    curves = [*versions.fcurves(block), *versions.nla_fcurves(block), *block.animation_data.drivers]
    return any(curve.data_path.startswith(starts) for curve in curves)
