#!/usr/bin/env bash
# jobs/submit and jobs/stage.sh against stand-ins of sbatch, srun and scontrol that note how they
# were called: the chain of jobs, the restart of a job that stopped early, and when it is refused.
set -euo pipefail
jobs=$(cd "$(dirname "${BASH_SOURCE[0]}")/../jobs" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
failures=0

# expect WHAT ACTUAL EXPECTED
expect() {
    [[ $2 == "$3" ]] && return 0
    printf '%s: got\n%s\nexpected\n%s\n' "$1" "$2" "$3"
    failures=$((failures + 1))
}

mkdir bin run
export PATH=$folder/bin:$PATH AUXSEG_SITE=$folder/site.conf
cat >site.conf <<SITE
MPI_FLAVOUR=pmi2
AUXSEG=$folder/bin/auxseg
SBATCH_OPTIONS=(--account=a)
MAX_RESTARTS=5
SITE
cat >run.cfg <<'CFG'
# dir = "not this"
dataset: { root = "data"; };
run: { seed = 1; dir = "run"; };
CFG
cat >bin/sbatch <<'FAKE'
#!/bin/bash
echo "$*" >>sbatch.calls
echo "$((100 + $(wc -l <sbatch.calls)))"
FAKE
cat >bin/srun <<'FAKE'
#!/bin/bash
echo "$* cpus=$SRUN_CPUS_PER_TASK" >>srun.calls
[[ ! -e gain ]] || echo step >>run/metrics.csv
exit "$(cat code)"
FAKE
printf '#!/bin/bash\necho "$*" >>scontrol.calls\n' >bin/scontrol
printf '#!/bin/bash\n[[ $1 == check && $2 == run.cfg ]]\n' >bin/auxseg
chmod +x bin/*

# The chain.
"$jobs/submit" run.cfg --nodes 2 --ranks-per-node 4 --threads 8 --set a.b=1 >submit.out
expect "jobs of the chain" "$(wc -l <sbatch.calls)" 8
expect "second job" "$(sed -n 2p sbatch.calls)" "--parsable --export=ALL --nodes=2 \
--ntasks-per-node=4 --cpus-per-task=8 --dependency=afterok:101 --kill-on-invalid-dep=yes \
--output=run/jobs/extract-%j.log --account=a $jobs/extract.sbatch run.cfg --set a.b=1"
rm sbatch.calls
"$jobs/submit" run.cfg --whole --time 1:00:00 >submit.out
expect "whole job" "$(cat sbatch.calls)" "--parsable --export=ALL --nodes=1 --ntasks-per-node=1 \
--cpus-per-task=1 --time=1:00:00 --output=run/jobs/run-%j.log --account=a $jobs/run.sbatch run.cfg"
rm sbatch.calls
for wrong in "" "absent.cfg" "run.cfg --stages pack,x" "run.cfg --nodes 0" "run.cfg --what"; do
    code=0
    # shellcheck disable=SC2086
    "$jobs/submit" $wrong >submit.out 2>&1 || code=$?
    expect "submit $wrong" "$code" 2
done
"$jobs/submit" run.cfg --dry-run >submit.out
expect "dry run submits" "$(ls sbatch.calls 2>/dev/null)" ""
for template in "$jobs"/*.sbatch; do
    name=$(basename "$template" .sbatch)
    expect "$name.sbatch" "$(grep -c -- '--requeue --open-mode=append --signal=USR1@300' "$template")" 1
done

# start CODE RESTARTS: one start of the job; prints its exit code and what went to scontrol.
start() {
    local code=0
    echo "$1" >code
    rm -f scontrol.calls
    SLURM_JOB_ID=7 SLURM_RESTART_COUNT=$2 SLURM_SUBMIT_DIR=$folder SLURM_CPUS_PER_TASK=3 \
        AUXSEG_JOBS=$jobs bash "$jobs/pack.sbatch" run.cfg --set a.b=1 >stage.out 2>&1 || code=$?
    echo "$code $(cat scontrol.calls 2>/dev/null)"
}
expect "done" "$(start 0 0)" "0 "
expect "srun" "$(cat srun.calls)" "--mpi=pmi2 --kill-on-bad-exit=1 --cpu-bind=cores \
$folder/bin/auxseg run run.cfg --set run.until=pack --set a.b=1 cpus=3"
expect "data error" "$(start 3 0)" "3 "
touch gain
for restart in 0 1 2 3 4; do expect "stopped, $restart" "$(start 75 $restart)" "0 requeue 7"; done
expect "restarted too often" "$(start 75 5)" "75 "
rm gain
expect "no gain, first" "$(start 75 1)" "0 requeue 7"
expect "no gain, second" "$(start 75 2)" "0 requeue 7"
expect "no gain, third" "$(start 75 3)" "75 "
touch gain
expect "gain again" "$(start 75 4)" "0 requeue 7"
rm gain
expect "no gain, counted anew" "$(start 75 4)" "0 requeue 7"

[[ $failures -eq 0 ]] && echo "all as expected"
exit $((failures > 0))
