"""Finds the layers of a cut that leaves them open (``layers.groups: auto``).

Only Blender can look into a film.  What it found is kept in the cut's ledger, and everything after goes by those names:
all processes which render a part of a cut, in whatever run, have the same layers, and a finished dataset needs no
Blender to be recognised as such.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from animerun_gen.config import CutConfig
from animerun_gen.config.messages import counted
from animerun_gen.config.model import SET_LAYER, LayerGroup
from animerun_gen.dataset import layout
from animerun_gen.engines.film_files import looking_anew, looking_once
from animerun_gen.engines.questions import Looker
from animerun_gen.errors import DatasetError
from animerun_gen.pipeline.cut import Cut
from animerun_gen.pipeline.state.fingerprints import scene_digest
from animerun_gen.pipeline.state.inputs import are_unchanged, digests_as_read
from animerun_gen.pipeline.state.ledger import FoundLayers, Ledger
from animerun_gen.pipeline.summary import failures_to


def choose_layers(cuts: Iterable[Cut], looker: Looker | None) -> None:
    """Name the layers of each cut that leaves them open.

    Args:
        cuts: The cuts to be made.  Afterwards their ``layers.groups`` name objects, and a sentence says which layers
            there are.
        looker: The Blender that will render; None when nothing is to be rendered, and what an earlier run found counts.
    """
    with looking_once():
        for cut in cuts:
            if not cut.summary.failures and cut.config.layers.groups == "auto":
                with failures_to(cut.summary):
                    _choose(cut, looker)


def _choose(cut: Cut, looker: Looker | None) -> None:
    config = cut.config
    found = _groups(config, cut.ledger, looker)
    groups = {name: LayerGroup(objects=objects) for name, objects in found.items()}
    layers = config.layers.model_copy(update={"groups": groups})
    listed = ", ".join(f"{name} ({counted(len(objects), 'object')})" for name, objects in found.items())
    why = (
        f"layers: {listed}, and {SET_LAYER}" if found else f"layers: only {SET_LAYER}, because nothing moves by itself"
    )
    cut.decide(config.model_copy(update={"layers": layers}), why)


def _groups(config: CutConfig, ledger: Ledger, looker: Looker | None) -> Mapping[str, tuple[str, ...]]:
    """The layers of a cut: as an earlier run found them, if nothing changed since."""
    kept = ledger.kept.layers
    if looker is None:
        if kept is None:
            raise DatasetError(
                "its layers have not been found yet",
                f"cut '{config.name}'",
                "run 'animerun-gen render' first, or name them in layers.groups",
            )
        return kept.groups
    scene = scene_digest(config, looker.version)
    if kept is not None and kept.scene == scene and are_unchanged(kept.inputs):
        return kept.groups
    # Blender takes its time, in which files may change
    with looking_anew():
        answer = looker.find_layers(config, layout.log_file(ledger.output, config.name))
        inputs = digests_as_read(answer.inputs)
    found = FoundLayers(scene=scene, inputs=inputs, groups=answer.groups)
    ledger.keep(layers=found)
    return found.groups
