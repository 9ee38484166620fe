"""Palettes: the colours of animation, scene by scene, as YAML that people can read and write."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator

from animerun_gen.config.checking import problems_of
from animerun_gen.config.messages import Expected, shown, written
from animerun_gen.config.model import Color, Section, Text
from animerun_gen.config.yaml_file import Kind, Problem, plain, read_yaml_file
from animerun_gen.errors import ConfigError

SHIPPED = Path(__file__).resolve().parent.parent / "recolor" / "palettes" / "shipped.yaml"
"""The palette of cuts that name none."""

MOST_COLORS = 256
"""Colours of a scene at most."""

_KIND = Kind(
    "palette",
    "about and scenes, as 'animerun-gen palette' does",
    "about: where it is from",
    "write everything out",
    most_values=200_000,
)

_EXPLANATION = """\
# A palette for the key recolor.palette of a cut: the representative colours of each scene with the share of the picture
# that each takes, lines left out.  It may be edited: only the sizes of the shares relative to each other count.
"""

_SHADOWS = "# A colour whose shadow was found has that, too, for the key style.shade.palette.\n"


class Swatch(Section):
    """A colour of a scene."""

    color: Color = Field(description="The colour.")
    share: float = Field(gt=0, le=1, description="Share of the scene's coloured area, 0..1.")
    shadow: Color | None = Field(
        default=None, description="What it becomes in shadow, where that was found: see `style.shade.palette`."
    )


class PaletteScene(Section):
    """The colours of one scene."""

    name: Text = Field(description="Name of the scene.")
    origin: Text | None = Field(default=None, description="The pictures that it was drawn from.")
    colors: Annotated[
        tuple[Swatch, ...], Field(strict=False), Expected("a list of 2 to 256 colours, each with color and share")
    ] = Field(description="Its colours, the largest first.")

    # a length among the field's limits would be complained of wherever an entry is wrong
    @model_validator(mode="after")
    def _colors_differ(self) -> Self:
        if not 2 <= len(self.colors) <= MOST_COLORS:
            raise ValueError(
                f"scene {shown(self.name)} has {len(self.colors)} colours; give it at least 2 and at most {MOST_COLORS}"
            )
        named = [swatch.color for swatch in self.colors]
        for color in named:
            if named.count(color) > 1:
                raise ValueError(f"scene {shown(self.name)} lists the colour {color} more than once; remove one")
        return self


class Palette(Section):
    """The colours of several scenes."""

    about: Text = Field(description="What the pictures are that it was drawn from.")
    licence: Text | None = Field(default=None, description="What the pictures' owners allow.")
    scenes: Annotated[
        tuple[PaletteScene, ...], Field(strict=False), Expected("a list of scenes, each with name and colors")
    ] = Field(description="The scenes.")

    @model_validator(mode="after")
    def _has_scenes(self) -> Self:
        if not self.scenes:
            raise ValueError("the palette has no scenes; give it at least one")
        return self


def read_palette(file: Path) -> tuple[Palette | None, list[Problem]]:
    """Read a palette, which is untrusted as any YAML file of a user's.

    Returns:
        The palette (None when something is wrong with it) and everything wrong with it, each with line and key.
    """
    root, problems = read_yaml_file(file, _KIND)
    if root is None:
        return None, problems
    try:
        palette = Palette.model_validate(plain(root))
    except ValidationError as error:
        return None, [*problems, *problems_of(error, root, Palette)]
    return (None if problems else palette), problems


def load_palette(file: Path | None) -> Palette:
    """The palette of a file; the shipped one for None.

    Raises:
        ConfigError: It is none; ``problems`` says all that is wrong.
    """
    palette, problems = read_palette(file or SHIPPED)
    if palette is None:
        raise ConfigError([str(problem) for problem in dict.fromkeys(problems)])
    return palette


def palette_yaml(palette: Palette) -> str:
    """A palette as a file that :func:`read_palette` reads."""
    has_shadows = any(swatch.shadow is not None for scene in palette.scenes for swatch in scene.colors)
    lines = [_EXPLANATION + _SHADOWS * has_shadows + f"about: {written(palette.about)}"]
    if palette.licence is not None:
        lines.append(f"licence: {written(palette.licence)}")
    lines.append("scenes:")
    for scene in palette.scenes:
        lines.append(f"  - name: {written(scene.name)}")
        if scene.origin is not None:
            lines.append(f"    origin: {written(scene.origin)}")
        lines.append("    colors:")
        for one in scene.colors:
            shadow = {} if one.shadow is None else {"shadow": one.shadow}
            lines.append(f"      - {_flow({'color': one.color, 'share': one.share, **shadow})}")
    return "\n".join(lines) + "\n"


def _flow(entry: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{key}: {written(value)}" for key, value in entry.items()) + "}"
