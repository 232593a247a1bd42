#!/usr/bin/env bash
# One rank without memory: one allocation of one of two ranks fails (AUXSEG_HOOK_MEMORY,
# src/base/hook.h), in each stage. All ranks leave with 1 (--long: within 10 seconds), or the stage
# goes on: never a signal, never a hang. memory_test.sh [SEED]: one allocation of each stage; --long:
# of both ranks the first by each path of calls that ends in one; --every STEP: every STEP-th of all.
# $AUXSEG_JOBS: how many at a time (1); $AUXSEG_SKIP: so many were done; $AUXSEG_PATIENCE: seconds,
# where a machine that others use takes longer.
. "$(dirname "${BASH_SOURCE[0]}")/../app/common.sh"
export OMP_NUM_THREADS=1
ulimit -c 0
jobs=${AUXSEG_JOBS:-1}
what=sample step=0 seed=1 patience=${AUXSEG_PATIENCE:-60}
case ${1:-} in
--long) what=paths patience=${AUXSEG_PATIENCE:-10} ;;
--every) what=every step=$2 ;;
*) seed=${1:-1} ;;
esac

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 4; synth_val = 2; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { source = "finetuned"; };
cluster: { k = 3; iterations = 2; sample = 50; };
pretrain: { steps = 2; batch = 2; crop = 32; };
finetune: { fraction = 1.0; steps = 2; batch = 4; crop = 32; };
report: { overlays = 1; };
CFG

# before[STAGE]: the run's folder as the stage finds it.
last=nothing
mkdir nothing
declare -A before
for stage in pack baseline extract cluster score pretrain finetune evaluate report; do
    before[$stage]=$last
    [[ $stage != extract ]] || continue
    expect 0 'Result: PASS' "$auxseg" run tiny.cfg --set run.until=$stage
    last=before-$stage
    cp -r run "$last"
done
before[predict]="before-finetune"

# start STAGE "SETTING..." [VARIABLE=VALUE]...: the stage by two ranks, on the folder that it finds;
# its code is in $code.
start() {
    local stage=$1 settings
    read -ra settings <<<"$2"
    shift 2
    rm -rf run fired
    cp -r "$folder/${before[$stage]}" run
    code=0
    env "$@" timeout -s KILL "$patience" "${mpirun[@]}" -n 2 "$auxseg" "$stage" tiny.cfg \
        "${settings[@]/#/--set=}" >out 2>&1 </dev/null || code=$?
}

# What is to be tried: lines "STAGE RANK N [SETTING]...". The N-th allocation is the first by its
# path, or one of every STEP, or any one.
plan() {
    local stage rank settings ranks
    for stage in pack extract cluster score pretrain finetune evaluate predict report \
        "pretrain model.norm=sync" "finetune model.norm=sync"; do
        read -r stage settings <<<"$stage"
        ranks=(0 1)
        [[ $what != sample ]] || ranks=($((RANDOM % 2)))
        for rank in "${ranks[@]}"; do
            rm -f paths
            start "$stage" "$settings" AUXSEG_HOOK_MEMORY="1000000000:$rank" AUXSEG_HOOK_PATHS="$PWD/paths"
            [[ $code -eq 0 && -s paths ]] || { fail "$stage: code $code" >&2; continue; }
            case $what in
            paths) # with other settings: those that are new
                touch "known-$stage-$rank"
                awk '{ n = $2; $1 = $2 = "" } !seen[$0]++ && FILENAME == "paths" { print n }' \
                    "known-$stage-$rank" paths
                cp paths "known-$stage-$rank" ;;
            every) awk -v s="$step" '$2 % s == 1 % s { print $2 }' paths ;;
            sample) cut -d' ' -f2 paths | shuf -n 1 --random-source=<(yes "$seed $stage $rank") ;;
            esac | sed "s/^/$stage $rank /; s/\$/ $settings/"
        done
    done
}

RANDOM=$seed
plan >plan.txt
tail -n "+$((${AUXSEG_SKIP:-0} + 1))" plan.txt >left.txt

sweep() {
    local line=0 stage rank n settings
    : >codes
    while read -r stage rank n settings; do
        line=$((line + 1))
        [[ $((line % jobs)) -eq $1 ]] || continue
        start "$stage" "$settings" AUXSEG_HOOK_MEMORY="$n:$rank" AUXSEG_HOOK_LOG="$PWD/fired"
        # Threads share allocations: the last ones are not always this rank's.
        [[ -e fired ]] || continue
        echo "$stage $code" >>codes
        [[ $code -le 1 ]] || fail "$stage, allocation $n of rank $rank $settings: code $code"
        grep -qa 'out of memory' out || fail "$stage, allocation $n of rank $rank $settings: no message"
    done <"$folder/left.txt"
    [[ $failures -eq 0 ]]
}

workers=()
for ((w = 0; w < jobs; w++)); do
    mkdir "worker-$w"
    cp -r tiny.cfg images "worker-$w"
    (cd "worker-$w" && sweep "$w") &
    workers+=($!)
done
for w in "${workers[@]}"; do wait "$w" || failures=1; done
echo "allocations that failed, of $(wc -l <left.txt) planned; codes by stage:"
cat worker-*/codes | sort | uniq -c
[[ $failures -eq 0 ]]
