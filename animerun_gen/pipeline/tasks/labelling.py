"""Labels frames and pairs whose pictures and motion are on disk; needs no Blender."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from animerun_gen.config import CutConfig
from animerun_gen.dataset.clip import ClipWriter
from animerun_gen.pipeline.state.on_disk import has_content


@dataclass(frozen=True)
class LabelTask:
    """One unit of labelling: the segments of a frame, or everything of a pair.

    Attributes:
        config: The cut.
        output: Root folder of the dataset.
        frame: The frame, or the earlier frame of the pair.
        other: The later frame of the pair; None for a frame.
    """

    config: CutConfig
    output: Path
    frame: int
    other: int | None = None

    def missing_input(self) -> Path | None:
        """A file that has to be there first and is not; None when nothing is missing."""
        return next((path for path in self.inputs() if not has_content(path)), None)

    def inputs(self) -> list[Path]:
        """The files that have to be there first."""
        clip = self._clip
        extras = self.config.motion.extras
        if self.other is None:
            names = ["contour", "flat", "frame", *(("object_id", "material_id") if "ids" in extras else ())]
            names += ["shade"] if self.config.labels.segment_by == "regions" else []
            return [clip.path(name, self.frame) for name in names]
        motions = ["flow", "valid", *(["exact_occlusion"] if "exact_occlusion" in extras else [])]
        needed = [clip.path(f"{name}_forward", self.frame) for name in motions]
        needed += [clip.path(f"{name}_backward", self.other) for name in motions]
        for name in ("frame", "flat", "contour", "segment"):
            needed += [clip.path(name, self.frame), clip.path(name, self.other)]
        return needed

    def run(self) -> None:
        """Make the files; each is complete or absent.

        Raises:
            DatasetError: A picture or flow is missing or cannot be read.
        """
        # the compiled kernels take their time to load, which a run with nothing to do need not spend
        from animerun_gen.pipeline.tasks.label_files import label_frame, label_pair

        if self.other is None:
            label_frame(self._clip, self.config, self.frame)
        else:
            label_pair(self._clip, self.config, self.frame, self.other)

    @property
    def _clip(self) -> ClipWriter:
        config = self.config
        return ClipWriter(self.output, config.split, config.name, config.dataset.compressed)
