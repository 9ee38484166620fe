"""Which kinds of files a cut asks for, and in which form."""

from __future__ import annotations

from animerun_gen.config import CutConfig
from animerun_gen.dataset.modalities import Modality, enabled_modalities


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
