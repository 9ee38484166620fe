"""What a cut asks for: its YAML file, checked and typed."""

from animerun_gen.config.load import LoadedCut, load_cuts
from animerun_gen.config.model import CutConfig

__all__ = ["CutConfig", "LoadedCut", "load_cuts"]
