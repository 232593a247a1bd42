#!/usr/bin/env bash
# jobs/build.sh [FOLDER] [CMAKE OPTION]...: installs what the build needs, configures and compiles
# FOLDER (build), optimised. On a cluster: load the modules or set CMAKE_PREFIX_PATH first.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

folder=${1:-$AUXSEG_ROOT/build}
options=("${@:2}")
install_packages build
tests=OFF
[[ " ${options[*]} " == *" -DAUXSEG_TESTS=ON "* ]] && tests=ON
generator=()
if [[ ! -e $folder/CMakeCache.txt ]] && command -v ninja >/dev/null; then generator=(-G Ninja); fi

if ! cmake -S "$AUXSEG_ROOT" -B "$folder" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release \
    -DAUXSEG_TESTS=$tests "${options[@]}"; then
    [[ -z $AUXSEG_INSTALL ]] || printf 'What the build needs:\n  %s\n' "$AUXSEG_INSTALL" >&2
    exit 1
fi
cmake --build "$folder" --parallel "$(cores)"
