#!/usr/bin/env bash
# The job scripts under a real Slurm, brought up on this machine's loopback as root: a job that
# stops early starts again while the next one waits for it, then the built-in job on 2 ranks,
# submitted as a chain from an installed tree, until DONE. AUXSEG: the program; AUXSEG_BUILD, CMAKE:
# its build and what installs it.
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

# submit JOBS PROGRAM ARGUMENT...: submit of a folder; its last job goes to $last. PROGRAM "": the one
# that the folder finds by itself.
submit() {
    local jobs=$1
    printf 'MPI_FLAVOUR=pmix\nSRUN_OPTIONS=(--quiet)\nAUXSEG=%q\n' "$2" >"$AUXSEG_SITE"
    shift 2
    bash "$jobs/submit" "$@" >"$folder/submit.out"
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

# has_steps RUN: whether the run notes steps of pretraining, or has ended without.
has_steps() {
    grep -q pretrain "$1/metrics.csv" 2>/dev/null || left "$last"
}

echo "== a job that stops early"
mkdir "$folder/early"
cat >"$folder/early/program" <<PROGRAM
#!/bin/bash
# Stops early the first time it packs; notes each start. All but \`run\` is the real program's.
[[ \$1 == run ]] || exec "$AUXSEG" "\$@"
trap : TERM
for word in "\$@"; do
    case \$word in
    run.until=*) until=\${word#*=} ;;
    run.dir=*) dir=\${word#*=} ;;
    esac
done
if [[ \$SLURM_PROCID -eq 0 ]]; then
    echo "\$until \$SLURM_NTASKS \${SLURM_RESTART_COUNT:-0}" >>"\$dir/starts.csv"
fi
[[ \$until != pack || \${SLURM_RESTART_COUNT:-0} -ge 1 ]] || exit 75
PROGRAM
chmod +x "$folder/early/program"
submit "$here/../jobs" "$folder/early/program" "$here/../configs/demo.cfg" --ranks-per-node 2 \
    --stages pack,cluster --set run.dir="$folder/early"
completed "$last"
diff - "$folder/early/starts.csv" <<'STARTS'
pack 2 0
pack 2 1
cluster 2 0
STARTS

echo "== the built-in job from an installed tree, told to stop while it pretrains"
"$CMAKE" --install "$AUXSEG_BUILD" --prefix "$folder/prefix" >/dev/null
share=$folder/prefix/share/auxseg
submit "$share/jobs" "" "$share/configs/demo.cfg" --ranks-per-node 2 --set run.dir="$folder/run" \
    --set dataset.root="$folder/images" --set dataset.synth_train=8 --set dataset.synth_val=4 \
    --set pretrain.steps=30 --set finetune.steps=3
pretrain=$(sed -nE 's/^pretrain: job ([0-9]+),.*/\1/p' "$folder/submit.out")
wait_until has_steps "$folder/run"
scancel --signal=USR1 "$pretrain"
completed "$last"
grep "goes back into the queue" "$folder/run/jobs/pretrain-$pretrain.log"
[[ -e $folder/run/DONE && -s $folder/run/report.html ]]
[[ $(grep -c "^pretrain" "$folder/run/metrics.csv") -eq 30 ]] # no step lost, none twice
tail -n 5 "$folder"/run/jobs/report-*.log

echo "== a job whose node another partition's job takes: told by SIGTERM, it goes on afterwards"
submit "$share/jobs" "" "$share/configs/demo.cfg" --whole --ranks-per-node 2 \
    --set run.dir="$folder/lent" --set dataset.root="$folder/images" --set dataset.synth_train=8 \
    --set dataset.synth_val=4 --set pretrain.steps=40 --set finetune.steps=3
wait_until has_steps "$folder/lent"
urgent=$(sbatch --parsable --partition=urgent --ntasks=2 --output="$folder/urgent.log" --wrap=hostname)
completed "$urgent"
[[ ! -e $folder/lent/DONE ]]
completed "$last"
[[ -e $folder/lent/DONE ]]
[[ $(grep -c "^pretrain" "$folder/lent/metrics.csv") -eq 40 ]]
cat "$folder"/lent/jobs/*.log | grep -c '^.* date ' | grep -x 2 # two starts

echo "== the template by itself, which finds its neighbours"
last=$(cd "$share" && env -u AUXSEG_JOBS sbatch --parsable --ntasks=1 --output="$folder/alone.log" \
    jobs/stage.sbatch pack configs/demo.cfg --set run.dir="$folder/alone" \
    --set dataset.layout=folder --set dataset.root="$folder/images/train")
completed "$last"
[[ -s $folder/alone/dataset.h5 ]]

echo "== two seeds as a job array"
submit "$share/jobs" "" "$share/configs/demo.cfg" --ranks-per-node 1 --seeds 3-4 --stages pack \
    --set run.dir="$folder/seeds" --set dataset.layout=folder --set dataset.root="$folder/images/train"
completed "${last}_3"
completed "${last}_4"
[[ -s $folder/seeds/seed-3/dataset.h5 && -s $folder/seeds/seed-4/dataset.h5 ]]

echo "== a plan as a job array: a run that fails takes no other with it, and is told"
cat >"$folder/tiny.cfg" <<'PLAN'
reference = "plain";
seeds = [1];
settings = ["run.until=baseline"];
cells = (
  { name = "plain"; settings = []; },
  { name = "lost"; settings = ["model.weights=absent.safetensors"]; },
  { name = "longer"; settings = ["finetune.steps=3"]; }
);
PLAN
submit "$share/jobs" "" "$share/configs/demo.cfg" --ranks-per-node 1 --plan "$folder/tiny.cfg" \
    --set run.dir="$folder/plans" --set dataset.root="$folder/images" \
    --set dataset.synth_train=8 --set dataset.synth_val=4 --set finetune.steps=2
wait_until left "$last"
scontrol -o show job "$last" | grep -o "ExitCode=3:0" # of the run that failed
plan=$folder/plans/tiny
grep -E "lost .* 1 failed \(code 3\)" "$plan/jobs/collect-$last.log"
bash "$here/app/compare_page.sh" "$plan"
# Packing and all else that the cells share is done once.
[[ $(stat -c %i "$plan"/{plain,longer}/seed-1/dataset.h5 | sort -u | wc -l) -eq 1 ]]
