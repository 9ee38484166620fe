"""Runs a module of this package inside an installed Blender, whose Python knows neither it nor its libraries.

Arguments after ``--``: the folder of the libraries, the module, and the module's own arguments.
"""

import runpy
import sys
from pathlib import Path

libraries, module, *arguments = sys.argv[sys.argv.index("--") + 1 :]
sys.path[:0] = [libraries, str(Path(__file__).resolve().parent.parent.parent)]
sys.argv = [module, *arguments]
runpy.run_module(module, run_name="__main__", alter_sys=False)
