"""``palette``: draw a palette from frames of animation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from animerun_gen.cli import shared
from animerun_gen.errors import UsageError
from animerun_gen.settings import File, Number, Whole, setting
from animerun_gen.terminal import complain, say


@dataclass(frozen=True)
class Palette:
    """Draw a palette from frames of animation."""

    name: ClassVar = "palette"
    summary: ClassVar = "draw a palette from frames of animation"
    description: ClassVar = """\
Draws representative colours from a folder of animation frames, scene by scene, for the colour passes of a cut (its key
recolor.palette; docs/palette.md). Scenes are sub-folders, and within a folder the stretches between changes of the
picture. Lines do not count. Only take frames whose owners allow it.

    animerun-gen palette frames/my_series -o my_series.yaml --about "My Series, episode 3" --licence "CC BY 4.0"
    animerun-gen palette frames/my_series -o my_series.yaml --colors 20 --swatches my_series.png
"""

    folder: Path = setting(
        placed=True, reads=File(), metavar="FRAMES_FOLDER", help="folder with PNG or JPEG files in or below it"
    )
    output: Path = setting(
        Path("palette.yaml"),
        names=("-o", "--output"),
        reads=File(),
        metavar="FILE",
        help="the palette to write (default: {default})",
    )
    colors: int = setting(12, reads=Whole(2, 256), metavar="N", help="colours of a scene at most (default: {default})")
    scene_change: float = setting(
        0.5,
        reads=Number("a number from 0 to 1", 0, 1),
        metavar="SHARE",
        help="a new scene begins where this share of the picture's colours is new, 0 to 1 (default: {default})",
    )
    seed: int = setting(
        0, reads=Whole(0, 2**32 - 1), metavar="N", help="where the clustering begins (default: {default})"
    )
    about: str | None = setting(
        None, metavar="TEXT", help="what the pictures are, for the file (default: the folder's name)"
    )
    licence: str | None = setting(None, metavar="TEXT", help="what the pictures' owners allow, for the file")
    swatches: Path | None = setting(
        None, reads=File(), metavar="FILE", help="draw the palette as a PNG picture as well"
    )
    force: bool = shared.force("overwrite existing files")

    def run(self) -> int:
        # libraries that the helps of commands can do without
        from animerun_gen.config.messages import shown
        from animerun_gen.config.palette import palette_yaml
        from animerun_gen.config.yaml_file import MAX_BYTES
        from animerun_gen.dataset.files import refuse_to_overwrite, write_image, written_aside
        from animerun_gen.recolor.extract import draw_palette, swatch_picture

        for target, option in ((self.output, "-o"), (self.swatches, "--swatches")):
            if target is not None:
                refuse_to_overwrite(target, option, force=self.force)
        palette, notes = draw_palette(self.folder, self.colors, self.scene_change, self.seed, self.about, self.licence)
        for note in notes:
            complain(note)
        text = palette_yaml(palette).encode()
        if len(text) > MAX_BYTES:
            raise UsageError(
                f"a palette of {len(palette.scenes)} scenes would have {len(text):,} bytes, but no more than "
                f"{MAX_BYTES:,} are read",
                remedy="take fewer frames, fewer --colors, or a larger --scene-change",
            )
        with written_aside(self.output) as temporary:
            temporary.write_bytes(text)
        if self.swatches is not None:
            write_image(self.swatches, swatch_picture(palette))
        for scene in palette.scenes:
            say(f"{shown(scene.name)}: {' '.join(swatch.color for swatch in scene.colors)}")
        say(f"wrote {self.output}; set recolor.palette of a cut to it")
        return 0
