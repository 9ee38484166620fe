"""A film that is opened, and converted where anything needs that, to be asked about."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from animerun_gen.blender.opening import open_scene
from animerun_gen.config import CutConfig

if TYPE_CHECKING:
    from animerun_gen.blender.convert import Conversion


class AskedFilm:
    """The film of a cut, open; whatever is asked about it is asked about the same scene.

    Args:
        config: The cut.
        until_done: Ends when nothing more is asked.

    Attributes:
        config: The cut, in frames of the film.
        opened: Its scene.

    Raises:
        SceneError: The scene cannot be opened.
    """

    def __init__(self, config: CutConfig, until_done: ExitStack) -> None:
        self.config = config.in_film_numbers()
        self.opened = open_scene(self.config)
        self._until_done = until_done
        self._conversion: Conversion | None = None

    def convert(self) -> Conversion:
        """Convert the scene, unless that is done, so that it shows what the pictures will.

        Returns:
            What was done to it.  The engine that geometry is read by is there from now on.

        Raises:
            AnimerunGenError: The scene cannot be converted.
        """
        if self._conversion is None:
            # they load the compiled loops, which takes longer than looking for marks
            from animerun_gen.blender.convert import convert_scene
            from animerun_gen.blender.geometry import geometry_engine

            self._until_done.enter_context(geometry_engine())
            self._conversion = convert_scene(self.opened, self.config)
        return self._conversion
