"""Finds the layers of a cut that leaves them open (``layers.groups: auto``)."""

from __future__ import annotations

from collections.abc import Callable

from animerun_gen.config import CutConfig
from animerun_gen.config.messages import counted, shown
from animerun_gen.config.model import OTHER_LAYERS, SET_LAYER, LayerGroup
from animerun_gen.engines.questions import LAYERS
from animerun_gen.errors import ConfigError
from animerun_gen.pipeline.cut import Cut
from animerun_gen.pipeline.deciding import Decision, Known
from animerun_gen.pipeline.state.ledger import CutLedger, FoundLayers, Sections

Groups = dict[str, tuple[str, ...]]
"""By the name of each layer but the set, patterns of its objects."""


class LayerChoice(Decision[Groups]):
    """``layers.groups`` come to name objects, and a sentence says which layers there are."""

    question = LAYERS
    unknown = ("its layers have not been found yet", "run 'animerun-gen render' first, or name them in layers.groups")

    def is_open(self, config: CutConfig) -> bool:
        return config.layers.groups == "auto"

    def known(self, kept: CutLedger) -> Known[Groups] | None:
        found = kept.layers
        return None if found is None else Known(found.scene, found.inputs, found.groups)

    def section(self, config: CutConfig, known: Known[Groups]) -> Sections:
        return {"layers": FoundLayers(scene=known.digest, inputs=known.inputs, groups=known.found)}

    def decide(self, cut: Cut, find: Callable[[], Groups]) -> list[Cut]:
        config, found = cut.config, find()
        _check_timing(config, found)
        groups = {name: LayerGroup(objects=objects) for name, objects in found.items()}
        layers = config.layers.model_copy(update={"groups": groups})
        listed = ", ".join(f"{name} ({counted(len(objects), 'object')})" for name, objects in found.items())
        which = f"{listed}, and {SET_LAYER}" if found else f"only {SET_LAYER}, because nothing moves by itself"
        cut.decide(config.model_copy(update={"layers": layers}), f"layers: {which}")
        return [cut]


def _check_timing(config: CutConfig, found: Groups) -> None:
    """Only now it is known which layers ``timing.layers`` may name.

    Raises:
        ConfigError: It names another one.
    """
    layers = (SET_LAYER, *found)
    if strange := [name for name in config.timing.layers if name not in (*layers, OTHER_LAYERS)]:
        raise ConfigError(
            [
                f"timing.layers names {shown(name)}, but layers.groups: auto found only {', '.join(layers)}; correct "
                "the name, or name the layers in layers.groups"
                for name in strange
            ]
        )
