#!/usr/bin/env bash
# tests/run.sh [CTEST ARGUMENT]...: installs, builds in $AUXSEG_BUILD (build-tests), warnings being
# errors, and runs every test through ctest, whose summary comes last.
# AUXSEG_SHARED: the folder with data/ and peers/ (default: ../shared); tests that need it are
# skipped where it is absent. AUXSEG_CMAKE: more options for CMake, in words.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../jobs/environment.sh"

install_packages build test
# Only root can bring up Slurm's daemons: nobody else gets them installed.
if [[ $(id -u) -eq 0 ]]; then install_packages slurm; fi
if [[ -z ${AUXSEG_SHARED:-} && -d $AUXSEG_ROOT/../shared/data ]]; then
    AUXSEG_SHARED=$(cd "$AUXSEG_ROOT/../shared" && pwd)
    export AUXSEG_SHARED
fi
folder=${AUXSEG_BUILD:-$AUXSEG_ROOT/build-tests}
flags=$(mpirun_flags 4 | paste -sd ';')
read -ra options <<<"${AUXSEG_CMAKE:-}"
bash "$AUXSEG_ROOT/jobs/build.sh" "$folder" -DAUXSEG_TESTS=ON -DAUXSEG_WERROR=ON \
    "-DAUXSEG_MPIEXEC_FLAGS=$flags" "${options[@]}"
# Tests run side by side: threads that wait must not spin.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-2} OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
ctest --test-dir "$folder" --output-on-failure --parallel "$(cores)" "$@"
