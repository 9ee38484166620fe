"""What is to be looked at of a film scene."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from animerun_gen.settings import File, setting


@dataclass(frozen=True)
class Question:
    """What is to be looked at.

    Attributes:
        source: The ``.blend`` file.
        scene: A scene other than the one it was saved with.
        view_layer: A view layer other than the first that is switched on.
        camera: A camera other than the scene's own.
        trust_scripts: Whether scripts of the file may run.
    """

    source: Path = setting(placed=True, reads=File(), metavar="SHOT.blend", help="the film scene")
    scene: str | None = setting(None, metavar="NAME", help="the scene (default: the one the file was saved with)")
    view_layer: str | None = setting(
        None, metavar="NAME", help="the view layer (default: the first that is switched on)"
    )
    camera: str | None = setting(None, metavar="NAME", help="the camera (default: the scene's own)")
    trust_scripts: bool = setting(False, help="let Python scripts and drivers inside the file run")
