#!/usr/bin/env bash
# One rank without memory: the n-th allocation of one of two ranks fails (AUXSEG_HOOK_MEMORY,
# src/base/hook.h), in each stage. All ranks leave with 1, or the stage goes on: never a signal, never
# a hang. memory_test.sh [SEED]: a few n of each stage; --long: every n of every stage, for hours;
# --every STEP [FIRST]: every STEP-th, from FIRST on.
. "$(dirname "${BASH_SOURCE[0]}")/../app/common.sh"
export OMP_NUM_THREADS=1
ulimit -c 0
long=no seed=${1:-1}
step=1 first=1
if [[ $seed == --every ]]; then step=$2 first=${3:-1} seed=--long; fi
if [[ $seed == --long ]]; then long=yes seed=1; fi
RANDOM=$seed
runs=0

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

# lacking STAGE RANK N [KEY=VALUE]: false once the rank makes fewer allocations.
lacking() {
    local stage=$1 rank=$2 n=$3 code=0 what="$1, allocation $3 of rank $2"
    shift 3
    rm -rf run fired
    cp -r "${before[$stage]}" run
    runs=$((runs + 1))
    AUXSEG_HOOK_MEMORY=$n:$rank AUXSEG_HOOK_LOG=$folder/fired timeout -s KILL "${AUXSEG_PATIENCE:-60}" "${mpirun[@]}" -n 2 \
        "$auxseg" "$stage" tiny.cfg "${@/#/--set=}" >out 2>&1 </dev/null || code=$?
    [[ -e fired ]] || return 1
    [[ $code -le 1 ]] || fail "$what $*: code $code"
    grep -qa 'out of memory' out || fail "$what $*: no message"
}

# About how many allocations a stage makes: short runs draw from these.
declare -A about=([pack]=60 [extract]=350 [cluster]=350 [score]=80 [pretrain]=700 [finetune]=600
    [evaluate]=350 [predict]=350 [report]=100)
for stage in pack extract cluster score pretrain finetune evaluate predict report; do
    if [[ $long == yes ]]; then
        for rank in 0 1; do
            n=$first
            while lacking $stage $rank "$n"; do n=$((n + step)); done
            echo "$stage, rank $rank: $(((n - first) / step)) allocations, $runs runs so far"
        done
        continue
    fi
    lacking $stage $((RANDOM % 2)) $((1 + RANDOM % about[$stage]))
done
if [[ $long == yes ]]; then
    for stage in pretrain finetune; do
        n=$first
        while lacking $stage 1 "$n" model.norm=sync; do n=$((n + step)); done
        echo "$stage, norm sync: $(((n - first) / step)) allocations, $runs runs so far"
    done
else
    lacking pretrain 1 $((200 + RANDOM % 400)) model.norm=sync
fi

echo "$runs runs"
[[ $failures -eq 0 ]]
