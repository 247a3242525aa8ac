#!/usr/bin/env bash
# Installs the missing Debian packages of the named sets and builds.
# usage: scripts/setup.sh BUILD_DIR SET... [-- CMAKE_OPTION...]
# As root, or as a user with sudo. Run again, it finds everything done.
set -euo pipefail
cd "$(dirname "$0")/.."

build_dir=$1
shift
sets=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    sets+=("$1")
    shift
done
[ $# -eq 0 ] || shift

wanted() {
    local set
    for set in "${sets[@]}"; do
        awk -v set="$set" '$1 == set {print $2}' scripts/packages.txt
    done | sort -u
}

missing() {
    local package
    wanted | while read -r package; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            echo "$package"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    elif command -v sudo >/dev/null; then
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    else
        echo "setup: need root or sudo to install: $(missing | tr '\n' ' ')" >&2
        exit 1
    fi
}

if [ -n "$(missing)" ]; then
    mapfile -t packages < <(missing)
    echo "setup: installing ${packages[*]}" >&2
    log=$(mktemp)
    if ! { as_root apt-get update -q &&
        as_root apt-get install -q -y --no-install-recommends "${packages[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "setup: apt-get failed; its output is in $log" >&2
        exit 1
    fi
    rm -f "$log"
fi

generator=()
[ -f "$build_dir/CMakeCache.txt" ] || generator=(-G Ninja)
log=$build_dir.log
mkdir -p "$(dirname "$build_dir")"
echo "setup: building in $build_dir" >&2
if ! { cmake -S . -B "$build_dir" "${generator[@]}" "$@" && cmake --build "$build_dir"; } >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    echo "setup: the build failed; its output is in $log" >&2
    exit 1
fi
