#!/usr/bin/env bash
# run.sh [--runs N | --long] [TARGET]...: builds all targets (build.sh) and runs each N times (20,000;
# --long: 10 million) on all cores. More options: long.sh.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${AUXSEG_BUILD:-$here/../../build-fuzz}
options=(--runs 20000)
if [[ ${1:-} == --long ]]; then
    options=(--runs 10000000)
    shift
fi
bash "$here/build.sh" "$out"
cp "$here/long.sh" "$out/"
bash "$out/long.sh" "${options[@]}" "$@"
