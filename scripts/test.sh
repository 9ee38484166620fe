#!/usr/bin/env bash
# Sets everything up and passes the tests.  Arguments go to pytest: scripts/test.sh -m "not blender"
set -euo pipefail
# shellcheck source=scripts/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
# the tests that compare Blender versions need Debian's own Blender
if can_apt; then
    need_packages blender
elif ! command -v blender >/dev/null; then
    printf 'No installed Blender was found: the tests that need one will be skipped (Debian: apt-get install blender).\n'
fi

cd "$project"
say "lint"
"$venv/bin/ruff" check .
"$venv/bin/ruff" format --check .
"$venv/bin/mypy"
say "tests"
"$venv/bin/python" -m pytest "$@"
