#!/usr/bin/env bash
# Sets everything up and passes the tests.  Arguments go to pytest: scripts/test.sh -m "not blender"
#   scripts/test.sh [--blender-module VERSION] [PYTEST_ARGUMENT ...]
# Without arguments the same clips are made by other Blenders as well (docs/versions.md), which are installed for that.
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

# Make the environment of another Blender, whose clips are held against ours; only in continuous integration it must be.
need_other() {
    if ! find_python "$(python_version_of "$1")" >/dev/null; then
        printf 'No Python %s was found: the tests with Blender %s are skipped.\n' "$(python_version_of "$1")" "$1"
    elif ! (need_environment "$1"); then
        [ -z "${CI:-}" ] || exit 1
        printf 'Blender %s cannot be installed: the tests with it are skipped.\n' "$1"
    fi
}

# Make or reuse the environment of the tests that need PyTorch; only in continuous integration it must be.
torch=$project/.venv-torch
need_torch() {
    local wanted stamp=$torch/animerun-gen-installed python
    wanted=$(sha256sum <"$project/requirements-torch.txt")
    [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || return 0
    say "installing PyTorch for the tests that need it (200 MB to 3 GB)"
    if python=$(find_python 3.11) && "$python" -m venv "$torch" &&
        "$torch/bin/python" -m pip install -q --disable-pip-version-check -r "$project/requirements-torch.txt"; then
        printf '%s' "$wanted" >"$stamp"
    else
        [ -z "${CI:-}" ] || exit 1
        printf 'PyTorch cannot be installed: the tests that need it are skipped.\n'
    fi
}

# they are downloaded, one after the other, while this machine computes other things
older_module=5.0.1
installing=
if [ $# = 0 ]; then
    {
        need_other "$older_module"
        need_other "$newer_module"
        need_torch
    } &
    installing=$!
fi

cd "$project"
say "lint"
"$venv/bin/ruff" check .
"$venv/bin/ruff" format --check .
# each of these computes on one processor
checks=$(mktemp) checking=
trap '[ -z "$checking" ] || kill "$checking" 2>/dev/null; rm -f "$checks"' EXIT
{
    "$venv/bin/mypy" && "$venv/bin/lint-imports" --no-logo &&
        NO_MKDOCS_2_WARNING=1 "$venv/bin/mkdocs" build --strict --quiet
} >"$checks" 2>&1 &
checking=$!
[ -z "$installing" ] || wait "$installing" || fail "Another Blender, or PyTorch, could not be installed; see above."
if [ $# = 0 ] && [ -f "$torch/animerun-gen-installed" ]; then
    say "tests with PyTorch"
    "$torch/bin/python" -m pytest -m torch tests/benchmark/ant tests/benchmark/learned tests/dataset/torch tests/networks tests/training
fi
say "types, imports, documentation"
wait "$checking" || { cat "$checks" >&2; fail "Types, imports or the documentation are wrong; see above."; }
checking=
cat "$checks"
say "tests"
# side by side, the long files first; "-n 0" in the arguments puts all tests into one process
"$venv/bin/python" -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder "$@"
