"""What files from before Blender 2.80 lose when they are loaded, and which of their images may be put back.

Their own renderer's materials had texture slots, transparency and vertex paint, of which today's Blender keeps nothing
but a colour (4.5.15).  The images are still in the file, and sometimes a node of theirs, unknown today, names one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import bpy

from animerun_gen.blender import versions
from animerun_gen.blender.convert.images import problem_of
from animerun_gen.config.messages import and_more

FIRST_TODAY = (2, 80)
"""The version that knows materials as they are today."""

OTHER_MAPS = {
    *("nor", "norm", "normal", "normals", "nrm", "bump", "disp", "displacement", "height", "spec", "specular", "gloss"),
    *(
        "rough",
        "roughness",
        "metal",
        "metallic",
        "ao",
        "occlusion",
        "light",
        "lightmap",
        "mask",
        "alpha",
        "emit",
        "n",
        "s",
    ),
}
"""Words in the names of images that are no colours."""

COLOR_WORDS = {
    *("tex", "texture", "col", "color", "colour", "diff", "diffuse", "albedo", "base", "map", "uv", "img", "image"),
    *("mat", "material", "png", "jpg", "jpeg", "tga", "tif", "tiff", "bmp", "c", "d"),
}
"""Words that say nothing of what an image is for."""

_WORD = re.compile(r"[a-z]+|[0-9]+")


@dataclass(frozen=True)
class Offer:
    """An image that a material may have shown.

    Attributes:
        material: Its name.
        image: The image's name.
        certain: Whether the file itself says that the material used it; else it goes by its name.
    """

    material: str
    image: str
    certain: bool


@dataclass(frozen=True)
class LostLooks:
    """What was lost.

    Attributes:
        version: The Blender that saved the oldest of the files, ``"2.76"``.
        materials: Names of materials that lost whatever they had beside a colour.
        offers: Images that may be put back.
    """

    version: str = ""
    materials: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()


def find_lost_looks() -> LostLooks:
    """Look through the open file; nothing is changed."""
    lost = [
        material
        for material in sorted(bpy.data.materials, key=lambda each: str(each.name_full))
        if material.users > 0
        and not material.is_grease_pencil
        and _version(material) < FIRST_TODAY
        and _is_bare(material)
    ]
    if not lost:
        return LostLooks()
    shown = {image for image in bpy.data.images if not problem_of(image)}
    named = _named_by_unknown_nodes(lost)
    offers = []
    for material in lost:
        images = sorted(image.name for image in named.get(material, ()) if image in shown)
        certain = bool(images)
        if not certain:
            images = sorted(image.name for image in shown if _is_named_after(image.name, material.name))
        offers += [Offer(material.name, image, certain and len(images) == 1) for image in images]
    oldest = min(map(_version, lost))
    return LostLooks(
        version=".".join(map(str, oldest)),
        materials=tuple(dict.fromkeys(material.name for material in lost)),
        offers=tuple(dict.fromkeys(offers)),
    )


def note_lost_looks() -> list[str]:
    """What was lost, a sentence; nothing where nothing was."""
    lost = find_lost_looks()
    if not lost.materials:
        return []
    return [
        f"the film is from Blender {lost.version}, whose textures, transparency and vertex paint are not loaded "
        f"today: of {and_more([repr(name) for name in lost.materials], 8)} only a colour is left; style.textures "
        "gives images back"
    ]


def _version(material: bpy.types.Material) -> tuple[int, int]:
    library = material.library
    version = getattr(library, "version", None) if library is not None else bpy.data.version
    return (version[0], version[1]) if version is not None else (bpy.data.version[0], bpy.data.version[1])


def _is_bare(material: bpy.types.Material) -> bool:
    """Whether no node of today says what it looks like."""
    if not versions.has_nodes(material):
        return True
    return any(node.bl_idname == "NodeUndefined" for node in material.node_tree.nodes)


def _named_by_unknown_nodes(lost: list[bpy.types.Material]) -> dict[bpy.types.Material, set[bpy.types.Image]]:
    """The images that materials still name, by nodes that are unknown today: themselves, or within a texture."""
    found: dict[bpy.types.Material, set[bpy.types.Image]] = {}
    textures = [texture for texture in bpy.data.textures if texture.type == "IMAGE" and texture.image is not None]
    users = bpy.data.user_map(subset=[*bpy.data.images, *textures]) if lost else {}
    for block, using in users.items():
        image = block.image if isinstance(block, bpy.types.Texture) else block
        for user in using:
            if isinstance(user, bpy.types.Material) and user in lost:
                found.setdefault(user, set()).add(image)
    return found


def _is_named_after(image: str, material: str) -> bool:
    """Whether an image's name begins with all that a material's says: ``goblin_tex.png`` for ``goblin``."""
    words, wanted = _words(image), _words(re.sub(r"\.\d{3}$", "", material))
    if OTHER_MAPS & set(words):
        return False
    said = [word for word in wanted if word not in COLOR_WORDS]
    # letters that are all there is, or numbers, fit everything
    if len("".join(said)) < 3 or all(word.isdigit() for word in said):
        return False
    return [word for word in words if word not in COLOR_WORDS][: len(said)] == said


def _words(name: str) -> list[str]:
    return _WORD.findall(name.lower())
