"""Finds the layers that a cut's film has by itself, for ``layers.groups: auto``."""

from __future__ import annotations

from animerun_gen.blender.asked_film import AskedFilm
from animerun_gen.blender.layer_groups import find_groups


def find_layers(film: AskedFilm) -> dict[str, tuple[str, ...]]:
    """Look at how the objects of a cut's scene move.

    Args:
        film: The film.

    Returns:
        By the name of each layer but the set, patterns of its objects.

    Raises:
        AnimerunGenError: The scene does not allow it.
    """
    # what a conversion removes is in no layer
    film.convert()
    return {name: group.objects for name, group in find_groups(film.opened.scene).items()}
