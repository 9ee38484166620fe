"""What a frame needs of the memory, as far as the size of its scene tells.

The figures were measured with Blender 4.5.15 on 2 cores (``docs/scale.md``).  Freestyle's is the one that matters: of a
heavy scene it takes twenty times what everything else does.
"""

from __future__ import annotations

from dataclasses import dataclass

from animerun_gen.lines.cost import freestyle_gigabytes

LEAST_FREESTYLE_SHARE = 0.5
"""Freestyle was never seen to take less than this share of what it is predicted to take.

In a scene all of which lies outside the picture it took 1.15 kB a triangle, in others 1.3 to 2.2 kB.
"""

BYTES_TO_DRAW = 250_000_000
"""What Blender takes to draw its first picture, however small."""

BYTES_A_PIXEL_TO_DRAW = 80
"""What Blender takes a pixel to draw pictures."""

BYTES_A_TRIANGLE_TO_DRAW = 80
"""What Blender takes a triangle of a mesh to draw pictures, with the software renderer."""

BYTES_A_TEXEL = 4
"""What an image takes a texel once Blender has loaded it: four channels of 8 bits."""

BYTES_A_TEXEL_TO_DRAW = 5.4
"""What it takes in addition to be drawn: the same once more for the renderer, with its smaller copies."""

FLOAT_FACTOR = 4
"""So much more an image of floats takes."""

BYTES_A_TRIANGLE_TO_PAINT = 60
"""What Blender takes in addition a triangle of a mesh to draw identity pictures."""

BYTES_A_PIXEL = 140
"""What our own arrays take a pixel at most: 60 to 130 were seen, the most with everything that is written of lines."""

BYTES_A_TRIANGLE = 100
"""What our own arrays take a triangle of a mesh, its vertices included; instances take nothing."""

BYTES_A_TRIANGLE_TO_SHADE = 110
"""What the normals take in addition a triangle of a mesh: Blender's, ours, and both of ours while they are joined."""

BYTES_A_PIXEL_TO_SHADE = 80
"""What the shade takes in addition a pixel at most: none to 40 were seen."""

BYTES_A_KEPT_VERTEX = 12
"""What is kept a vertex of a further frame."""

BYTES_A_KEPT_PIXEL_OF_A_LAYER = 16
"""What is seen of a layer alone: instance, triangle and depth."""

BYTES_A_PIXEL_OF_A_LAYER = BYTES_A_KEPT_PIXEL_OF_A_LAYER + 3
"""The same, and its flat picture."""

BYTES_A_KEPT_PIXEL = 16
"""What is kept a pixel of a further frame."""


@dataclass(frozen=True)
class SceneSize:
    """How much there is in the evaluated scene of a frame.

    Attributes:
        vertices: Of all meshes, each counted once however often it is drawn.
        triangles: Of all meshes, each counted once.
        line_triangles: Of every instance, those that Freestyle is shown: the ones without holes.
        images: Bytes that drawing will take for the images that are painted, each counted once.
    """

    vertices: int
    triangles: int
    line_triangles: int
    images: int = 0


def image_need(texels: int, *, loaded: bool, floats: bool) -> int:
    """Bytes that an image will take when it is drawn.

    Args:
        texels: Width times height.
        loaded: Whether Blender holds it already.
        floats: Whether it has more than 8 bits a channel.
    """
    a_texel = BYTES_A_TEXEL_TO_DRAW + (0 if loaded else BYTES_A_TEXEL)
    return round(texels * a_texel * (FLOAT_FACTOR if floats else 1))


@dataclass(frozen=True)
class Need:
    """Bytes that a frame will take beyond what its evaluated scene takes.

    Attributes:
        pictures: To draw it.
        arrays: For our own arrays: geometry, visibility, lines, motion.
        freestyle: For Freestyle.
    """

    pictures: int = 0
    arrays: int = 0
    freestyle: int = 0

    @property
    def likely(self) -> int:
        """What it takes at most, as far as was ever seen."""
        return self.pictures + self.arrays + self.freestyle

    @property
    def least(self) -> int:
        """What it takes in any case."""
        return self.arrays + round(LEAST_FREESTYLE_SHARE * self.freestyle)


def frame_need(
    size: SceneSize,
    pixels: int,
    *,
    draws: bool,
    reads: bool,
    strokes: bool,
    kept: int,
    paints: bool = False,
    shades: bool = False,
    layers: int = 0,
    held: int = 0,
) -> Need:
    """What a frame will take.

    Args:
        size: Of its scene.
        pixels: Of its picture.
        draws: Whether Blender draws pictures of it.
        reads: Whether its geometry is taken down.
        strokes: Whether Freestyle draws lines.
        kept: How many further frames are kept for motion.
        paints: Whether an identity picture of it is drawn, too.
        shades: Whether it is shaded.
        layers: How many layers are looked at alone.
        held: Of how many frames of the film something is kept to put frames together from; 0 where nothing is held.
    """
    of_drawing = BYTES_TO_DRAW + BYTES_A_PIXEL_TO_DRAW * pixels + BYTES_A_TRIANGLE_TO_DRAW * size.triangles
    if paints:
        of_drawing += BYTES_A_TRIANGLE_TO_PAINT * size.triangles
    of_drawing += size.images
    arrays = BYTES_A_TRIANGLE * size.triangles + BYTES_A_PIXEL * pixels
    if shades:
        arrays += BYTES_A_TRIANGLE_TO_SHADE * size.triangles + BYTES_A_PIXEL_TO_SHADE * pixels
    arrays += layers * BYTES_A_PIXEL_OF_A_LAYER * pixels
    if held:
        # the frame that is put together, and those that it is made of, which share what is the same in all of them
        of_one = BYTES_A_KEPT_VERTEX * size.vertices + BYTES_A_KEPT_PIXEL * pixels
        of_one += BYTES_A_TRIANGLE_TO_SHADE * size.triangles if shades else 0
        arrays += BYTES_A_TRIANGLE * size.triangles + held * of_one
    of_kept = kept * layers * BYTES_A_KEPT_PIXEL_OF_A_LAYER * pixels
    of_kept += kept * (BYTES_A_KEPT_VERTEX * size.vertices + BYTES_A_KEPT_PIXEL * pixels)
    return Need(
        pictures=of_drawing if draws else 0,
        arrays=arrays + of_kept if reads else 0,
        freestyle=round(1e9 * freestyle_gigabytes(size.line_triangles)) if strokes else 0,
    )
