"""``python -m animerun_gen`` is the command line."""

import sys

from animerun_gen.cli import main

sys.exit(main())
