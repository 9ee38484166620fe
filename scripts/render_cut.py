"""Makes one cut's clip inside an installed Blender (3.4 or newer):

    blender --background --factory-startup --python scripts/render_cut.py -- CONFIG --out DATASET [--frames A:B]

Blender's own Python knows neither this project nor its libraries.  They are taken from the project's ``.venv`` (made
by ``scripts/demo.sh`` or ``scripts/test.sh``), or from the folder that ``ANIMERUN_LIBRARIES`` names: the site-packages
of an environment of the same Python version as Blender's.
"""

import argparse
import os
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
LIBRARIES = Path(
    os.environ.get(
        "ANIMERUN_LIBRARIES",
        PROJECT / ".venv" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages",
    )
)


def main() -> int:
    """Make the clip; returns the exit status."""
    sys.path[:0] = [str(LIBRARIES), str(PROJECT)]
    try:
        from animerun_gen.blender.here import ThisBlender
        from animerun_gen.config import load_cuts
        from animerun_gen.errors import AnimerunGenError
        from animerun_gen.pipeline.describe import describe
        from animerun_gen.pipeline.options import Options
        from animerun_gen.pipeline.run import generate, require_frames
        from animerun_gen.settings import Frames
        from animerun_gen.terminal import complain, say
    except ImportError as error:
        print(
            f"{error}; this Blender runs Python {sys.version.split()[0]} and looked for the project's libraries in "
            f"{LIBRARIES}: run scripts/demo.sh once, or set ANIMERUN_LIBRARIES to a folder that has them",
            file=sys.stderr,
        )
        return 1
    parser = argparse.ArgumentParser(prog="render_cut.py", description="Make one cut's clip inside Blender.")
    parser.add_argument("config", type=Path, help="YAML file of the cut")
    parser.add_argument("--out", required=True, type=Path, metavar="DATASET", help="root folder of the dataset")
    parser.add_argument("--frames", metavar="A:B", help="work only on these frames")
    parser.add_argument("--despite-memory", action="store_true", help="begin frames even if they may not fit")
    arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    options = parser.parse_args(arguments)
    try:
        frames = None if options.frames is None else Frames().read(options.frames)
    except ValueError as error:
        parser.error(f"--frames {error}")
    try:
        cuts = [cut.config for cut in load_cuts([options.config])]
        require_frames(cuts, frames)
        run = Options(options.out, ThisBlender(), frames=frames, despite_memory=options.despite_memory)
        summaries = generate(cuts, run)
    except AnimerunGenError as error:
        for sentence in error.sentences:
            complain(sentence)
        return error.exit_status
    for line in describe(summaries, options.out):
        say(line)
    return 1 if any(summary.failures or summary.damaged for summary in summaries) else 0


if __name__ == "__main__":
    try:
        status = main()
    except SystemExit as request:
        status = int(request.code or 0)
    except BaseException as error:
        print(f"render_cut.py stopped: {type(error).__name__}: {error}", file=sys.stderr)
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    # Blender's own exit handlers can hang after everything is done, and its exit status says nothing of a script's
    os._exit(status)
