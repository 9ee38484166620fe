# Sourced by demo.sh and test.sh: makes or reuses the virtual environment .venv with everything pinned in
# requirements.txt, and sees that headless Blender finds its system libraries.  Can be run again and again.

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv="$project/.venv"

say() { printf '\n== %s\n' "$*"; }
fail() { printf '%s\n' "$@" >&2; exit 1; }

system_packages=(libegl1 libgl1 libgl1-mesa-dri libxrender1 libxi6 libxxf86vm1 libxfixes3 libsm6 libxkbcommon0)

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

find_python() {
    local candidate
    for candidate in python3.11 python3 python; do
        if command -v "$candidate" >/dev/null &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

need_environment() {
    local python stamp wanted
    if [ ! -x "$venv/bin/python" ]; then
        if ! python=$(find_python); then
            can_apt || fail "Python 3.11 is needed (Blender's module bpy exists for no other); install it first."
            need_packages python3.11 python3.11-venv
            python=$(find_python) || fail "Python 3.11 is needed, and this system's packages do not have it."
        fi
        "$python" -c 'import ensurepip, venv' 2>/dev/null || need_packages python3.11-venv
        say "making the virtual environment .venv"
        "$python" -m venv "$venv" || fail "The virtual environment $venv cannot be made; see above."
    fi
    wanted=$(cat "$project/requirements.txt" "$project/pyproject.toml" | sha256sum)
    stamp="$venv/animerun-gen-installed"
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        say "installing the pinned packages (Blender alone is 370 MB; this takes a few minutes the first time)"
        "$venv/bin/python" -m pip install -q --disable-pip-version-check -r "$project/requirements.txt" ||
            fail "pip could not install the packages; see above, and check the network."
        "$venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps -e "$project" ||
            fail "pip could not install the project itself; see above."
        printf '%s' "$wanted" >"$stamp"
    fi
}

need_libraries
need_environment
