#!/usr/bin/env bash
# The job scripts under a real Slurm, brought up on this machine's loopback as root: a job that
# stops early starts again while the next one waits for it, then the built-in job on 2 ranks,
# submitted as a chain, until DONE. AUXSEG: the program.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/slurm.sh"

skip() {
    echo "skipped: $1"
    exit 77
}
[[ $(id -u) -eq 0 ]] || skip "Slurm's daemons are brought up by root only"
for tool in munged slurmctld slurmd srun; do
    command -v $tool >/dev/null || skip "$tool is not installed"
done

folder=$(mktemp -d /tmp/auxseg-slurm.XXXXXX) # short: it holds sockets
finish() {
    local code=$?
    slurm_stop "$folder"
    [[ $code -eq 0 ]] || tail -n 30 "$folder"/*.log "$folder"/*/jobs/*.log || true
    rm -rf "$folder"
    exit "$code"
}
trap finish EXIT
slurm_start "$folder"
export AUXSEG_SITE=$folder/site.conf

# submit PROGRAM ARGUMENT...: jobs/submit; its last job goes to $last.
submit() {
    printf 'MPI_FLAVOUR=pmix\nAUXSEG=%q\nSRUN_OPTIONS=(%s)\n' "$1" "--quiet" >"$AUXSEG_SITE"
    shift
    bash "$here/../jobs/submit" "$@" >"$folder/submit.out"
    cat "$folder/submit.out"
    last=$(sed -nE 's/.*: job ([0-9]+),.*/\1/p' "$folder/submit.out" | tail -n 1)
}

# wait_until COMMAND...: until it succeeds. Ends the test, with the state of the queue, before ctest
# would: it would leave the daemons running.
wait_until() {
    until "$@"; do
        if [[ $SECONDS -gt ${AUXSEG_TEST_SECONDS:-600} ]]; then
            echo "waited too long for: $*"
            squeue --long
            exit 1
        fi
        sleep 0.2
    done
}

# left JOB: whether it has left the queue, its state then being in $state.
left() {
    state=$(scontrol -o show job "$1" | sed -E 's/.* JobState=([A-Z_]+) .*/\1/')
    case $state in PENDING | RUNNING | COMPLETING | CONFIGURING | REQUEUED) return 1 ;; esac
}

# completed JOB: waits for it; 1 if it did not complete.
completed() {
    wait_until left "$1"
    echo "job $1: $state"
    [[ $state == COMPLETED ]]
}

# has_steps: whether the run notes steps of pretraining, or has ended without.
has_steps() {
    grep -q pretrain "$folder/run/metrics.csv" 2>/dev/null || left "$last"
}

echo "== a job that stops early"
mkdir "$folder/early"
cat >"$folder/early/program" <<'PROGRAM'
#!/bin/bash
# Stops early the first time it packs; notes each start.
[[ $1 == run ]] || exit 0
trap : TERM
[[ $SLURM_PROCID -ne 0 ]] || echo "${4#run.until=} $SLURM_NTASKS ${SLURM_RESTART_COUNT:-0}" >>"${6#run.dir=}/starts.csv"
[[ $4 != run.until=pack || ${SLURM_RESTART_COUNT:-0} -ge 1 ]] || exit 75
PROGRAM
chmod +x "$folder/early/program"
submit "$folder/early/program" "$here/../configs/demo.cfg" --ranks-per-node 2 \
    --stages pack,extract --set run.dir="$folder/early"
completed "$last"
diff - "$folder/early/starts.csv" <<'STARTS'
pack 2 0
pack 2 1
extract 2 0
STARTS

echo "== the built-in job, told to stop while it pretrains"
submit "$AUXSEG" "$here/../configs/demo.cfg" --ranks-per-node 2 --set run.dir="$folder/run" \
    --set dataset.root="$folder/images" --set dataset.synth_train=8 --set dataset.synth_val=4 \
    --set pretrain.steps=30 --set finetune.steps=3
pretrain=$(sed -nE 's/^pretrain: job ([0-9]+),.*/\1/p' "$folder/submit.out")
wait_until has_steps
scancel --signal=USR1 "$pretrain"
completed "$last"
grep "goes back into the queue" "$folder/run/jobs/pretrain-$pretrain.log"
[[ -e $folder/run/DONE && -s $folder/run/report.html ]]
[[ $(grep -c "^pretrain" "$folder/run/metrics.csv") -eq 30 ]] # no step lost, none twice
tail -n 5 "$folder"/run/jobs/report-*.log
