#!/usr/bin/env bash
# A plain cmake where cmocka is not installed: no tests, and a word about it; with tests asked for, an
# error; with sanitizers of both kinds it goes through, too. A stand-in of pkg-config knows no cmocka.
# $CMAKE: cmake; $CMAKE_GENERATOR: as it is used here, for not every machine has make.
set -euo pipefail
tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/pkg-config" <<'STAND_IN'
#!/bin/bash
[[ " $* " != *" cmocka"* ]] || exit 1
exec pkg-config "$@"
STAND_IN
chmod +x "$folder/pkg-config"

# configure OPTION...
configure() {
    "$CMAKE" -S "$tree" -B "$folder/build" "-DPKG_CONFIG_EXECUTABLE=$folder/pkg-config" "$@" \
        >"$folder/out" 2>&1
}

fail() {
    echo "FAILED: $1"
    tail -n 20 "$folder/out"
    exit 1
}

configure || fail "cmake without cmocka"
grep -q 'No tests: cmocka was not found' "$folder/out" || fail "nothing is said"
[[ ! -e $folder/build/CTestTestfile.cmake ]] || fail "tests all the same"
for sanitizers in ON thread; do
    configure -DAUXSEG_SANITIZE=$sanitizers -DCMAKE_BUILD_TYPE=Debug || fail "cmake with sanitizers: $sanitizers"
done
configure -DAUXSEG_SANITIZE=OFF -DAUXSEG_TESTS=ON && fail "tests that were asked for are left out"
echo "all as expected"
