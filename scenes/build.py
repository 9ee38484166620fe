"""Builds the toy scenes: ``blender --background --factory-startup --python scenes/build.py -- [NAME...]``.

Run it with Blender 3.4: later versions read its files, and it cannot read theirs.  Without names all scenes are built.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

from scenes.choreography import SCENES  # noqa: E402
from scenes.toolkit import Stage  # noqa: E402


def main(names: list[str]) -> None:
    """Build the named scenes and say how large each became."""
    unknown = [name for name in names if name not in SCENES]
    if unknown:
        raise SystemExit(f"No such scene: {', '.join(unknown)}. There are: {', '.join(SCENES)}.")
    for name in names or SCENES:
        module = importlib.import_module(f"scenes.{name}")
        stage = Stage(module.CHOREOGRAPHY, module.PALETTE, module.BACKGROUND)
        module.build(stage)
        path = FOLDER / f"{name}.blend"
        stage.save(path)
        print(f"built {path.name}: {path.stat().st_size / 1e3:.0f} kB, {stage.triangles()} triangles")


main(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else [])
