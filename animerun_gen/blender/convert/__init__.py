"""Converts an opened film scene to 2D style (section 3.1 of the AnimeRun paper), one module a conversion.

Each module has one entry function, takes the cut's configuration, changes the open scene and returns what it did as
sentences for the cut's log.  The order matters: what is removed needs no colour.

Most conversions are done once and for all.  What only Python can move along (locks of hair, a camera that dollies)
brings a follower, which is called after every change of frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory

import bpy

from animerun_gen.blender.clipped import ClippedMaterials
from animerun_gen.blender.convert.colors import MaterialColors, convert_colors
from animerun_gen.blender.convert.film_look import remove_film_look
from animerun_gen.blender.convert.focal_length import find_zooming_cameras, fix_focal_lengths
from animerun_gen.blender.convert.grease_pencil import (
    ConvertedGreasePencil,
    convert_grease_pencil,
    drawn_in_front,
    paint_strokes,
)
from animerun_gen.blender.convert.hair import convert_hair
from animerun_gen.blender.convert.lights import glowing_materials
from animerun_gen.blender.convert.lost_looks import note_lost_looks
from animerun_gen.blender.convert.moving_images import numbers_shown
from animerun_gen.blender.convert.opacity import SeeThrough
from animerun_gen.blender.convert.particles import convert_particles
from animerun_gen.blender.convert.removal import remove_named
from animerun_gen.blender.convert.rules import remove_by_rules
from animerun_gen.blender.convert.sequence_gaps import fill_sequences
from animerun_gen.blender.convert.simulations import show_simulations
from animerun_gen.blender.convert.transparency import convert_transparency
from animerun_gen.blender.convert.unfollowed import note_unfollowed
from animerun_gen.blender.convert.unreadable import remove_unreadable
from animerun_gen.blender.convert.visibility import follow_visibility
from animerun_gen.blender.identity import number_vertices
from animerun_gen.blender.key_light import KeyLight, find_key_light
from animerun_gen.blender.opening import OpenedScene
from animerun_gen.config import CutConfig

Follower = Callable[[], None]
"""Brings what it looks after to where it belongs in the scene's current frame, which Blender has evaluated.

What it does may depend on the clip's first frame and on the current one, and on nothing else: frames are rendered in
any order, and by several processes.
"""


@dataclass
class Conversion:
    """What a conversion did, and what has still to be done after each change of frame.

    Attributes:
        notes: What was changed, a sentence each.
        followers: In the order in which they are to be called.
        see_through: What of the film can be seen through, as it was before.
        clipped: The materials with holes, for whoever draws the scene or takes its geometry down.
        colors: What the materials are painted with, frame by frame.
        glowing: Full names of the materials that shine, which are not shaded.
        grease_pencil: What became of Grease Pencil.
        key_light: The light that shade goes by; None where there is no shade, or its direction is given.
        folder: Where files lie that the converted scene shows; it goes when this object does.
    """

    notes: list[str] = field(default_factory=list)
    followers: list[Follower] = field(default_factory=list)
    see_through: list[SeeThrough] = field(default_factory=list)
    clipped: ClippedMaterials = field(default_factory=ClippedMaterials)
    colors: MaterialColors = field(default_factory=lambda: MaterialColors(ClippedMaterials()))
    glowing: frozenset[str] = frozenset()
    grease_pencil: ConvertedGreasePencil = field(default_factory=ConvertedGreasePencil)
    key_light: KeyLight | None = None
    folder: TemporaryDirectory[str] | None = None

    def follow(self, frame: int) -> None:
        """Bring everything to where it belongs, and to its colour; call it after every change of frame."""
        for follower in self.followers:
            follower()
        self.colors.show(frame)

    def going_to(self, scene: bpy.types.Scene) -> Callable[[int], None]:
        """What brings the scene and everything in it to a frame."""

        def go_to(frame: int) -> None:
            scene.frame_set(frame)
            self.follow(frame)

        return go_to


def convert_scene(opened: OpenedScene, config: CutConfig) -> Conversion:
    """Convert the scene; it stands at the cut's first frame before and after.

    Args:
        opened: The opened scene; :func:`~animerun_gen.blender.geometry.geometry_engine` must be active.
        config: The cut.

    Returns:
        What was changed, and the followers.

    Raises:
        SceneError: It cannot be converted as the configuration asks.
    """
    done = Conversion()
    zooming = find_zooming_cameras(opened, config)
    if config.style.shade.is_on:
        # of materials as the film has them
        done.glowing = glowing_materials(config)
    done.notes += note_unfollowed(opened.scene, config)
    in_front = drawn_in_front()
    done.notes += remove_film_look(opened, config)
    done.notes += remove_named(config)
    done.notes += remove_by_rules(opened, config)
    done.notes += follow_visibility(opened, config)
    hair_notes, hair_followers = convert_hair(opened, config)
    done.notes += hair_notes
    done.followers += hair_followers
    done.grease_pencil = convert_grease_pencil(opened, config, in_front)
    done.notes += done.grease_pencil.notes
    done.followers += done.grease_pencil.followers
    done.notes += convert_particles(opened, config)
    done.notes += show_simulations(opened)
    done.notes += remove_unreadable()
    moving = numbers_shown(opened.scene, config.frame_numbers)
    transparency = convert_transparency(config, moving)
    done.clipped, done.see_through = transparency.clipped, transparency.see_through
    done.notes += transparency.notes
    # simulations leave the scene at the clip's end
    if opened.scene.frame_current != config.frames.first:
        opened.scene.frame_set(config.frames.first)
    done.notes += note_lost_looks()
    done.colors, notes = convert_colors(opened, config, done.clipped, moving)
    done.notes += notes
    paint_strokes(done.colors, done.grease_pencil, config)
    done.folder, notes = fill_sequences(moving)
    done.notes += notes
    # after everything that makes meshes of its own
    done.notes += number_vertices()

    go_to = done.going_to(opened.scene)
    # last, because what is in focus may have to be found by looking at the converted scene
    notes, followers = fix_focal_lengths(zooming, opened, config, done.clipped, go_to)
    done.notes += notes
    # strokes face the camera where it is in the end
    done.followers = [each for each in done.followers if each not in done.grease_pencil.followers]
    done.followers += [*followers, *done.grease_pencil.followers]
    # what is drawn has its light already
    done.glowing |= done.grease_pencil.inks | done.grease_pencil.fills
    go_to(config.frames.first)
    done.key_light = find_key_light(opened, config, done.clipped)
    if done.key_light is not None:
        done.notes.append(done.key_light.describe())
    return done
