#!/usr/bin/env bash
# Sets everything up and passes the tests.  Arguments go to pytest: scripts/test.sh -m "not blender"
set -euo pipefail
# shellcheck source=scripts/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
# the tests that compare Blender versions need Debian's own Blender; those of the report pages look at them in a browser
if can_apt; then
    need_packages blender chromium chromium-driver
else
    command -v blender >/dev/null ||
        printf 'No installed Blender was found: the tests that need one are skipped (Debian: apt-get install blender).\n'
    command -v chromedriver >/dev/null ||
        printf '%s\n' 'No Chromium with its driver was found: the tests of the report in a browser are skipped' \
            '(Debian: apt-get install chromium chromium-driver).'
fi

cd "$project"
say "lint"
"$venv/bin/ruff" check .
"$venv/bin/ruff" format --check .
"$venv/bin/mypy"
say "tests"
"$venv/bin/python" -m pytest "$@"
