"""``preview``: show one pair of frames of a film or a configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from animerun_gen.cli import shared
from animerun_gen.errors import UsageError
from animerun_gen.settings import File, Whole, setting
from animerun_gen.terminal import as_command, complain, say

if TYPE_CHECKING:
    from animerun_gen.config import CutConfig
    from animerun_gen.engines.blenders import ProgramEngine

FILM = ".blend"


@dataclass(frozen=True)
class Preview:
    """Show one pair of frames."""

    name: ClassVar = "preview"
    summary: ClassVar = "show one pair of frames, with lines, flow and segments, in seconds"
    description: ClassVar = """\
Makes one pair of frames as 'generate' would and draws it: frame, line art, flow and segments of both. A film scene is
converted with the decisions that 'init' would write. Nothing but the picture is kept, and the log where Blender fails.

    animerun-gen preview shots/fight_010.blend
    animerun-gen preview configs/toy/courier.yaml --frame 8 --out courier.png --force
    animerun-gen preview shots/fight_010.blend --camera Closeup
"""

    source: Path = setting(
        placed=True,
        reads=File(),
        metavar="SHOT.blend|CONFIG.yaml",
        help="the film scene, or the configuration of a cut",
    )
    cut: str | None = setting(None, metavar="NAME", help="which cut, where a folder has several configurations")
    scene: str | None = setting(
        None, metavar="NAME", help="the scene (default: that of the configuration, or the one the file was saved with)"
    )
    camera: str | None = setting(
        None, metavar="NAME", help="the camera (default: that of the configuration, or the scene's own)"
    )
    frame: int | None = setting(
        None,
        reads=Whole(0),
        metavar="N",
        help="the frame, as the files of the cut are numbered, that is shown with the next one (default: the middle "
        "of the clip)",
    )
    output: Path | None = setting(
        None,
        names=("--out",),
        reads=File(),
        metavar="PICTURE.png",
        help="the picture to write (default: <cut>_preview.png in the current folder)",
    )
    full: bool = setting(
        False, help="show it in the resolution that the configuration says (default: 480 pixels on the longer side)"
    )
    blender: str | None = shared.blender()
    force: bool = shared.force("overwrite an existing picture")

    def run(self) -> int:
        # libraries that the helps of commands can do without
        from animerun_gen.dataset.files import refuse_to_overwrite
        from animerun_gen.engines.blenders import find_engine
        from animerun_gen.engines.interrupts import interrupted_by_termination
        from animerun_gen.shot.draft import cut_name

        is_film = self.source.suffix.lower() == FILM
        config = None if is_film else self._configured()
        name = cut_name(self.source) if config is None else config.name
        target = self.output or Path(f"{name}_preview.png")
        if target.suffix.lower() != ".png":
            raise UsageError("is not a .png file", target, "give the name of the picture to write with --out")
        refuse_to_overwrite(target, "--out", force=self.force)
        if is_film and self.cut is not None:
            raise UsageError("a film has one cut", "--cut", "leave it out, or give a configuration")
        engine = find_engine(self.blender)
        try:
            with interrupted_by_termination():
                return self._show(config or self._drafted(engine, name), engine, target)
        except KeyboardInterrupt:
            complain("stopped; nothing was written, and the temporary files are removed")
            return 130

    def _configured(self) -> CutConfig:
        from animerun_gen.config import load_cuts

        if self.source.is_file() and self.source.suffix.lower() not in {".yaml", ".yml"}:
            raise UsageError(
                "is neither a .blend nor a .yaml file", self.source, "give a film scene or the configuration of a cut"
            )
        cuts = {loaded.config.name: self._filmed(loaded.config) for loaded in load_cuts([self.source])}
        known = ", ".join(cuts)
        if self.cut is not None:
            if self.cut not in cuts:
                raise UsageError(f"there is no cut '{self.cut}' in {self.source}", remedy=f"choose one of {known}")
            return cuts[self.cut]
        if len(cuts) > 1:
            raise UsageError(f"has {len(cuts)} cuts", self.source, f"choose one with --cut: {known}")
        return next(iter(cuts.values()))

    def _filmed(self, config: CutConfig) -> CutConfig:
        """A cut with the scene and the camera that are asked for."""
        changes: dict[str, str | None] = {}
        if self.scene not in (None, config.scene):
            # another scene has other view layers and cameras
            changes |= {"scene": self.scene, "view_layer": None, "camera": None}
        if self.camera is not None:
            changes["camera"] = self.camera
        return config.model_copy(update=changes)

    def _drafted(self, engine: ProgramEngine, name: str) -> CutConfig:
        """The configuration that ``init`` would write for the film."""
        from animerun_gen.config import load_cuts
        from animerun_gen.dataset.files import write_text
        from animerun_gen.engines.scratch import TemporaryFolder
        from animerun_gen.shot.draft import draft
        from animerun_gen.shot.question import Question
        from animerun_gen.shot.run import inspect_shot

        shot = inspect_shot(Question(self.source, scene=self.scene, camera=self.camera), engine)
        with TemporaryFolder() as folder:
            target = Path(folder, "draft.yaml")
            write_text(target, draft(shot, target, name))
            [loaded] = load_cuts([target])
        return loaded.config

    def _show(self, config: CutConfig, engine: ProgramEngine, target: Path) -> int:
        from animerun_gen.dataset.files import write_image
        from animerun_gen.pipeline.describe import describe_remarks
        from animerun_gen.publish.pair import lightened, preview_pair

        shown = lightened(config, full=self.full)
        made = preview_pair(shown, self.frame, engine, target.with_suffix(".log"))
        (width, height), (earlier, later) = shown.resolution, made.frames
        say(f"{made.summary.config.name}: frames {earlier} and {later}, {width}x{height}")
        if shown.resolution != config.resolution:
            across, down = config.resolution
            say(
                f"  the dataset will have {across}x{down}, with finer lines and segments and longer motion in pixels; "
                "--full shows that"
            )
        for line in describe_remarks(made.summary):
            say(line)
        if made.picture is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_image(target, made.picture)
            say(f"the picture is in {target}")
            if self.source.suffix.lower() == FILM:
                chosen = [] if self.scene is None else ["--scene", self.scene]
                chosen += [] if self.camera is None else ["--camera", self.camera]
                say(f"to write this configuration: {as_command('animerun-gen', 'init', self.source, *chosen)}")
        return 1 if made.summary.failures or made.picture is None else 0
