#!/usr/bin/env bash
# Makes or reuses a virtual environment with everything pinned in requirements.txt, and sees that headless Blender finds
# its system libraries.  Can be run again and again; demo.sh and test.sh source it and call "set_up" or its parts.
#   scripts/setup.sh [--blender-module VERSION]     VERSION of Blender's Python module bpy, such as 5.0.1
# Without a version: .venv, with the module that is tested most.  Others lie beside it, in .venv-bpy-VERSION.

[ "${BASH_SOURCE[0]}" != "$0" ] || set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '\n== %s\n' "$*"; }
fail() { printf '%s\n' "$@" >&2; exit 1; }

system_packages=(libegl1 libgl1 libgl1-mesa-dri libxrender1 libxi6 libxxf86vm1 libxfixes3 libsm6 libxkbcommon0)
default_module=$(sed -n 's/^bpy==\([0-9.]*\);.*<.*/\1/p' "$project/requirements.txt")
newer_module=$(sed -n 's/^bpy==\([0-9.]*\);.*>.*/\1/p' "$project/requirements.txt")

can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# Install Debian packages that are missing; where that is not ours to do, say which.
need_packages() {
    local missing=() package
    if command -v dpkg-query >/dev/null; then
        for package in "$@"; do
            dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
        done
    fi
    [ ${#missing[@]} = 0 ] && return
    if can_apt; then
        say "installing system packages: ${missing[*]}"
        apt-get update -qq || fail "apt-get update failed; see what it says above"
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
            fail "apt-get could not install ${missing[*]}; see what it says above"
    else
        fail "These system packages are missing: ${missing[*]}" \
            "Install them as root, then run this again:  apt-get install -y --no-install-recommends ${missing[*]}"
    fi
}

need_libraries() {
    if command -v dpkg-query >/dev/null; then
        need_packages "${system_packages[@]}"
    else
        local library
        for library in libEGL.so.1 libGL.so.1 libXrender.so.1 libXi.so.6 libXxf86vm.so.1 libXfixes.so.3 libSM.so.6 \
            libxkbcommon.so.0; do
            ldconfig -p 2>/dev/null | grep -q "$library" ||
                fail "Blender needs $library, which this system does not have; install the package that brings it" \
                    "(on Debian: ${system_packages[*]})."
        done
    fi
}

# The version of Python that a Blender module was built for.
python_version_of() {
    local major minor
    [[ $1 =~ ^([0-9]+)\.([0-9]+)\.[0-9]+$ ]] || fail "--blender-module takes a version such as 5.0.1, not '$1'."
    major=${BASH_REMATCH[1]} minor=${BASH_REMATCH[2]}
    if [ "$((100 * major + minor))" -lt 402 ]; then
        fail "The module bpy $1 is too old: take 4.2.0 or newer (an installed Blender can be older: --blender)."
    elif [ "$((100 * major + minor))" -lt 501 ]; then
        echo 3.11
    else
        echo 3.13
    fi
}

environment_of() { if [ "$1" = "$default_module" ]; then echo "$project/.venv"; else echo "$project/.venv-bpy-$1"; fi; }

# A Python of a version: on the PATH, or one of pyenv's.
find_python() {
    local candidate
    for candidate in "python$1" python3 python "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
        if command -v "$candidate" >/dev/null &&
            "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

# Install packages into an environment.
pip_options=(-q --disable-pip-version-check)
pip_install() {
    local environment=$1
    shift
    "$environment/bin/python" -m pip install "${pip_options[@]}" "$@"
}

# Make or reuse the environment with a Blender module; sets "venv".
need_environment() {
    local module=$1 version python stamp wanted pins
    version=$(python_version_of "$module") || exit 1
    venv=$(environment_of "$module")
    if [ ! -x "$venv/bin/python" ]; then
        if ! python=$(find_python "$version"); then
            # Debian 12 has this one
            [ "$version" = 3.11 ] && can_apt ||
                fail "Blender's module bpy $module needs Python $version, which is neither on the PATH nor in pyenv;" \
                    "install it first, or choose another module with --blender-module (docs/versions.md)."
            need_packages python3.11 python3.11-venv
            python=$(find_python "$version") || fail "Python 3.11 is needed, and this system's packages do not have it."
        fi
        "$python" -c 'import ensurepip, venv' 2>/dev/null || need_packages "python$version-venv"
        say "making the virtual environment ${venv##*/}"
        "$python" -m venv "$venv" || fail "The virtual environment $venv cannot be made; see above."
    fi
    pins=$(sed "s/^bpy==.*/bpy==$module/" "$project/requirements.txt" | sort -u)
    wanted=$(printf '%s' "$pins" | cat - "$project/pyproject.toml" | sha256sum)
    stamp="$venv/animerun-gen-installed"
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        say "installing the pinned packages (Blender alone is 370 MB; this takes a few minutes the first time)"
        pip_install "$venv" -r <(printf '%s\n' "$pins") ||
            fail "pip could not install the packages, with the Blender module bpy $module; see above, and check the network."
        pip_install "$venv" --no-deps -e "$project" ||
            fail "pip could not install the project itself; see above."
        printf '%s' "$wanted" >"$stamp"
    fi
}

# What is compiled already is found again: this takes a few seconds where nothing changed.
compile_ahead() {
    say "compiling what is not compiled yet (a minute the first time)"
    "$venv/bin/python" -m animerun_gen.compile_ahead ||
        fail "the compiled loops of animerun-gen cannot be made; see above."
}

# Take our own option out of the arguments, which are those of the script that sources this one.
module=$default_module
others=()
while [ $# -gt 0 ]; do
    case $1 in
    --blender-module)
        [ $# -gt 1 ] || fail "--blender-module takes a version such as 5.0.1."
        module=$2
        shift
        ;;
    --blender-module=*) module=${1#*=} ;;
    *) others+=("$1") ;;
    esac
    shift
done
set -- ${others[@]+"${others[@]}"}
if [ "${BASH_SOURCE[0]}" = "$0" ] && [ $# != 0 ]; then
    fail "scripts/setup.sh does not know '$1'; it only takes --blender-module VERSION."
fi

# What the scripts that source this one call first, or do piece by piece beside other things.
set_up() {
    need_libraries
    need_environment "$module"
    compile_ahead
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    set_up
    say "everything is there"
    printf 'To use animerun-gen in this shell:  . %s/bin/activate\n' "$venv"
fi
