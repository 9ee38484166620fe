#!/usr/bin/env bash
# Sets everything up and passes the tests.  Arguments go to pytest: scripts/test.sh -m "not blender"
#   scripts/test.sh [--blender-module VERSION] [PYTEST_ARGUMENT ...]
# Without arguments the same clips are made by other Blenders as well (docs/versions.md), which are installed for that.
#
# What waits for the network goes beside what computes: other Blenders and PyTorch are installed, then tested, while the
# linters and the other tests run.
set -euo pipefail
# shellcheck source=scripts/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
# Python compiles what it imports; pip would compile all that it installs, which takes a processor a minute
pip_options+=(--no-compile)
# where this is set, every process compiles all of it again: a second for each Blender
unset PYTHONDONTWRITEBYTECODE
need_libraries
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
need_environment "$module"
cd "$project"

# Make the environment of another Blender, whose clips are held against ours; only in continuous integration it must be.
need_other() {
    if ! find_python "$(python_version_of "$1")" >/dev/null; then
        printf 'No Python %s was found: the tests with Blender %s are skipped.\n' "$(python_version_of "$1")" "$1"
    elif ! (need_environment "$1"); then
        [ -z "${CI:-}" ] || return 1
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
        pip_install "$torch" -r "$project/requirements-torch.txt"; then
        printf '%s' "$wanted" >"$stamp"
    else
        [ -z "${CI:-}" ] || return 1
        printf 'PyTorch cannot be installed: the tests that need it are skipped.\n'
    fi
}

with_torch() {
    need_torch || return 1
    [ -f "$torch/animerun-gen-installed" ] || return 0
    say "tests with PyTorch"
    "$torch/bin/python" -m pytest -m torch tests/benchmark/ant tests/benchmark/learned tests/dataset/torch tests/networks \
        tests/training
}

with_other_blenders() {
    need_other 5.0.1 && need_other "$newer_module" || return 1
    say "tests with other Blenders"
    "$venv/bin/python" -m pytest -m versions tests/blender
}

types_imports_documentation() {
    say "types, imports, documentation"
    "$venv/bin/mypy" && "$venv/bin/lint-imports" --no-logo &&
        NO_MKDOCS_2_WARNING=1 "$venv/bin/mkdocs" build --strict --quiet
}

# Do something beside the rest; "join" waits for it, shows what it printed, and fails where it failed.
outputs=$(mktemp -d) children=()
beside() {
    # a process group each, so that nothing of it is left behind
    set -m
    "$1" >"$outputs/${#children[@]}" 2>&1 &
    set +m
    children+=($!)
}
join() {
    local child failed=
    for child in "${children[@]}"; do
        wait "$child" || failed=1
    done
    children=()
    cat "$outputs"/*
    [ -z "$failed" ] || fail "" "What went on beside the tests failed; see above."
}
leave() {
    local child
    for child in ${children[@]+"${children[@]}"}; do
        kill -- "-$child" 2>/dev/null
    done
    rm -rf "$outputs"
}
trap leave EXIT

say "lint"
"$venv/bin/ruff" check .
"$venv/bin/ruff" format --check .
beside types_imports_documentation
chosen=("$@")
if [ $# = 0 ]; then
    beside with_torch
    beside with_other_blenders
    chosen=(-m "not versions")
fi
compile_ahead
say "tests"
# side by side, the long files first; "-n 0" in the arguments puts all tests into one process
"$venv/bin/python" -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder \
    "${chosen[@]}" || { join; exit 1; }
join
