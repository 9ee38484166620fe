"""Runs a module of this package inside an installed Blender, whose Python knows neither it nor its libraries.

Arguments after ``--``: the folder of the libraries, the module, and the module's own arguments.
"""

import re
import runpy
import sys
from pathlib import Path

libraries, module, *arguments = sys.argv[sys.argv.index("--") + 1 :]
theirs = re.search(r"python(\d+\.\d+)", Path(libraries).parent.name)
ours = f"{sys.version_info[0]}.{sys.version_info[1]}"
if theirs is not None and theirs[1] != ours:
    # compiled libraries load in no other
    print(
        f"Error: this Blender runs Python {ours}, but animerun-gen was started by Python {theirs[1]}, whose packages "
        f"it would have to borrow; start it from an environment of Python {ours} (docs/versions.md)",
        file=sys.stderr,
        flush=True,
    )
    sys.exit(1)
sys.path[:0] = [libraries, str(Path(__file__).resolve().parent.parent.parent)]
sys.argv = [module, *arguments]
runpy.run_module(module, run_name="__main__", alter_sys=False)
