#!/usr/bin/env bash
# jobs/quickstart.sh: installs, builds and runs the main job on the built-in data set on 2 ranks,
# in runs/demo, or goes on with it. Ends with the table of results and the report's path.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

cd "$AUXSEG_ROOT"
install_packages build
bash jobs/build.sh build
mapfile -t flags < <(mpirun_flags 2)
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(($(cores) > 2 ? $(cores) / 2 : 1))}
mkdir -p runs
log=runs/quickstart.log
mpirun "${flags[@]}" -n 2 build/auxseg run configs/demo.cfg "$@" | tee "$log"
echo
sed -n '/^fine-tuned on the labelled share/,/^report:/p' "$log"
