"""Which files a cut asks for: of which kinds, in which form, and of which frames samples are taken."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from animerun_gen.config import CutConfig
from animerun_gen.dataset.modalities import Modality, enabled_modalities
from animerun_gen.pipeline.samples import identity_frames, sampled_frames


@dataclass(frozen=True)
class Wanted:
    """All that a cut asks for, found out once for those who clear up, make what is missing, and see what is there.

    Attributes:
        config: The cut.
        modalities: All kinds of its files, see :func:`modalities_of`.
        sampled_frames: The frames whose material ids are rendered as well.
        identity_frames: The frames whose identity pictures are rendered.
    """

    config: CutConfig
    modalities: tuple[Modality, ...]
    sampled_frames: tuple[int, ...]
    identity_frames: tuple[int, ...]

    @classmethod
    def of(cls, config: CutConfig) -> Wanted:
        """What a cut asks for that leaves nothing open."""
        return cls(config, modalities_of(config), sampled_frames(config), identity_frames(config))

    def of_stages(self, stages: Collection[str]) -> list[Modality]:
        """The kinds of files that some stages make."""
        return [modality for modality in self.modalities if modality.stage in stages]


def modalities_of(config: CutConfig) -> tuple[Modality, ...]:
    """All modalities that are made for a cut, see :func:`~animerun_gen.dataset.modalities.enabled_modalities`."""
    motion = config.motion
    return enabled_modalities(
        motion.extras,
        motion.gaps,
        motion.tracks,
        config.recolor.passes,
        compressed=config.dataset.compressed,
        shade=config.style.shade.is_on,
        layers=config.layers.written,
        layer_passes=config.layers.passes,
        switches=config.lines.switches,
    )
