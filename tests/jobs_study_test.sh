#!/usr/bin/env bash
# jobs/study against stand-ins of sbatch, which notes how it was called and runs the job at once, and
# of srun, which is mpirun: the chain of jobs ends with a table; a job that is told to stop goes back
# into the queue. $AUXSEG: the program; $AUXSEG_MPIRUN: mpirun and flags.
set -euo pipefail
jobs=$(cd "$(dirname "${BASH_SOURCE[0]}")/../jobs" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
failures=0

fail() {
    printf 'FAILED: %s\n' "$1"
    tail -n 20 out run/study/jobs/*.log 2>/dev/null || true
    failures=$((failures + 1))
}

mkdir bin
cat >site.conf <<SITE
MPI_FLAVOUR=pmi2
AUXSEG=$AUXSEG
SBATCH_OPTIONS=(--account=a)
SRUN_OPTIONS=(--quiet)
MAX_RESTARTS=5
SITE
export PATH=$folder/bin:$PATH AUXSEG_SITE=$folder/site.conf MPIRUN=$AUXSEG_MPIRUN AUXSEG=
cat >bin/sbatch <<'FAKE'
#!/bin/bash
echo "$*" >>sbatch.calls
export SLURM_JOB_ID=$((100 + $(wc -l <sbatch.calls)))
for word in "$@"; do
    case $word in --output=*) log=${word#--output=} log=${log//%j/$SLURM_JOB_ID} ;; esac
done
while [[ $1 != */study.sbatch ]]; do shift; done
bash "$@" >"$log" 2>&1 || true
echo "$SLURM_JOB_ID"
FAKE
cat >bin/srun <<'FAKE'
#!/bin/bash
echo "$*" >>srun.calls
while [[ $1 == --* ]]; do
    case $1 in --ntasks=*) ranks=${1#--ntasks=} ;; esac
    shift
done
[[ ! -e stop || $2 != cluster ]] || kill -USR1 "$(ps -o ppid= -p "$PPID" | tr -d ' ')"
exec $MPIRUN -n "$ranks" "$@"
FAKE
cat >bin/scontrol <<'FAKE'
#!/bin/bash
echo "$*" >>scontrol.calls
FAKE
chmod +x bin/*
cat >tiny.cfg <<'CFG'
run: { dir = "run"; };
dataset: { layout = "synth"; root = "images"; synth_train = 4; synth_val = 2; synth_height = 32;
           synth_width = 32; };
model: { backbone = "resnet18"; stages = 1; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; dtype = "f32"; };
extract: { source = "finetuned"; };
cluster: { k = 2; sample = 50; };
finetune: { batch = 2; crop = 32; };
CFG
study=(bash "$jobs/study" tiny.cfg --ranks "1,2" --stages cluster --steps 1 --untimed 0 --repeats 2)

# Mistakes are the program's, before anything is submitted.
code=0
"${study[@]}" --stages finetune --ranks 2 >out 2>&1 || code=$?
[[ $code -eq 2 && ! -e sbatch.calls ]] && grep -q 'finetune: 2 images in groups of 2' out ||
    fail "code $code of a point without work"
"${study[@]}" --threads 2 --ranks-per-node 1 --dry-run >out 2>&1 || fail "dry run"
[[ $(wc -l <out) -eq 4 && ! -e sbatch.calls ]] || fail "four jobs"
grep -q -- "'--nodes=2' '--ntasks=2' '--ntasks-per-node=1' '--cpus-per-task=2'" out || fail "size"
grep -q -- "'--dependency=afterany:JOB-OF-1x2:JOB-OF-2x2'" out || fail "what collects waits for all"

"${study[@]}" --time 3 >out 2>&1 && fail "a limit that is too short"

# A job that is cancelled ends with 75 and does not come back; one that gains nothing, three times.
cat >program <<'FAKE'
#!/bin/bash
[[ ${*: -1} != folder ]] || { echo cancelled && exit; }
trap 'exit 75' USR1
for ((i = 0; i < 100; i++)); do sleep 0.1; done
FAKE
chmod +x program
# job SIGNAL: one start of a job that is told so; prints its code and what went to scontrol.
job() {
    local code=0 script
    rm -f scontrol.calls
    SLURM_JOB_ID=7 AUXSEG_JOBS=$jobs AUXSEG_SITE=$folder/program.conf \
        bash "$jobs/study.sbatch" tiny.cfg >out 2>&1 &
    script=$!
    sleep 1
    kill "-$1" "$script"
    wait "$script" || code=$?
    echo "$code $(cat scontrol.calls 2>/dev/null)"
}
sed "s|^AUXSEG=.*|AUXSEG=$folder/program|" site.conf >program.conf
got="$(job TERM), $(job USR1), $(job USR1), $(job USR1)"
[[ $got == "75 , 0 requeue 7, 0 requeue 7, 75 " ]] || fail "told to stop: $got"

touch stop
"${study[@]}" >out 2>&1 || fail "submitted"
[[ $(cat scontrol.calls) == $'requeue 102\nrequeue 103' ]] || fail "$(cat scontrol.calls): requeued"
rm stop
"${study[@]}" --time 10 >out 2>&1 || fail "submitted again"
[[ $(grep -c 'job 10[5-8], log run/study/jobs/' out) -eq 4 ]] || fail "names of jobs"
grep -q -- '--account=a .*--time=10 .*--dependency=afterok:105 .*--only 2x1' sbatch.calls || fail "words"
grep -q -- '^--mpi=pmi2 .*--ntasks=2 --cpus-per-task=1 --quiet .* cluster tiny.cfg' srun.calls ||
    fail "srun"
grep -q '^Result: PASS' run/study/jobs/collect-108.log || fail "what was collected"
[[ $(grep -c '^Figure of Merit' run/study/jobs/collect-108.log) -eq 2 ]] || fail "figures"
[[ -s run/study/scaling.csv && -s run/study/scaling.html ]] || fail "table and page"

if [[ $failures -gt 0 ]]; then
    echo "$failures failures"
    exit 1
fi
echo "all as expected"
