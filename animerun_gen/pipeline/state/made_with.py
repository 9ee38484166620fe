"""The versions of everything, besides Blender, that has a say in what the files of a dataset hold."""

from __future__ import annotations

import importlib.metadata
import platform
import sysconfig

from animerun_gen import __version__


def versions() -> dict[str, str]:
    """Name to version, of what runs here."""
    # a run with nothing to do has no use for the large ones
    import cv2
    import numpy as np

    return {
        "animerun_gen": __version__,
        "platform": sysconfig.get_platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "numba": importlib.metadata.version("numba"),
        "scipy": importlib.metadata.version("scipy"),
        "scikit-image": importlib.metadata.version("scikit-image"),
    }
