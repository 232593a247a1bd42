#!/usr/bin/env bash
# What ranks exchange in a step of pretraining, counted by a library that stands before MPI: beside the
# gradient, whose size is the network's, and the pool, no byte more for more images and norm groups;
# under norm "group" and "sync". Calls of a run of 3 steps less those of a run of 1: of two steps. Every
# rank is taken for a node of its own, as ranks of a node hold one pool and send none of it.
# exchange_test.sh table RANKS...: prints the table of mpi/README.md instead.
# $AUXSEG: the program; $AUXSEG_MPIRUN: mpirun and flags; $AUXSEG_COUNT_LIBRARY: tests/mpi/count_calls.c.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; resume = "never"; };
dataset: { layout = "synth"; root = "images"; synth_train = 4; synth_val = 1; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         output_stride = 8; projection = 8; };
extract: { source = "finetuned"; layers = "layer1"; };
cluster: { k = 4; iterations = 2; sample = 60; };
pretrain: { steps = 1; batch = 2; crop = 32; pixels = 20; };
finetune: { steps = 1; batch = 4; crop = 32; };
CFG
export OMP_NUM_THREADS=1 AUXSEG_HOOK_NODE=1
expect 0 'PASS' "$auxseg" run tiny.cfg --set run.until=cluster
[[ $failures -eq 0 ]] || exit 1

# count RANKS STEPS SETTING...: counted/RANK.txt of each rank.
count() {
    local ranks=$1 steps=$2 i set=()
    shift 2
    for i in "$@"; do set+=(--set "$i"); done
    rm -rf counted once
    mkdir counted
    cp -r run once
    AUXSEG_COUNT=$folder/counted expect 0 '' "${mpirun[@]}" -n "$ranks" \
        env LD_PRELOAD="$AUXSEG_COUNT_LIBRARY" "$auxseg" pretrain tiny.cfg --set run.dir=once \
        --set "pretrain.steps=$steps" "${set[@]}"
}

# step RANKS SETTING...: step.txt, lines "call calls bytes" of one step, of the rank that has most.
# The gradient's exponents have to be found in the first step, which is done twice.
step() {
    local ranks=$1
    shift
    count "$ranks" 1 "$@"
    sort counted/*.txt | awk '{ c[$1] = c[$1] > $2 ? c[$1] : $2; b[$1] = b[$1] > $3 ? b[$1] : $3 }
        END { for (k in c) print k, c[k], b[k] }' | sort >first.txt
    count "$ranks" 3 "$@"
    sort counted/*.txt | awk '{ c[$1] = c[$1] > $2 ? c[$1] : $2; b[$1] = b[$1] > $3 ? b[$1] : $3 }
        END { for (k in c) print k, c[k], b[k] }' | sort >third.txt
    join first.txt third.txt | awk '{ print $1, ($4 - $2) / 2, ($5 - $3) / 2 }' >step.txt
}

# of CALL COLUMN: a number of step.txt.
of() {
    awk -v call="$1" -v column="$2" '$1 == call { print $column }' step.txt
}

if [[ ${1:-} == table ]]; then
    shift
    echo "| ranks | views | norm groups | gradient | pool | all else | calls of all else |"
    echo "|---|---|---|---|---|---|---|"
    for ranks in "$@"; do
        step "$ranks" "pretrain.batch=$((2 * ranks))"
        echo "| $ranks | $((4 * ranks)) | $((2 * ranks)) | $(of Isend 3) |" \
            "$(($(of Allgatherv 3) + $(of Bcast 3))) | $(($(of Allreduce 3) + $(of Allgather 3))) |" \
            "$(($(of Allreduce 2) + $(of Allgather 2))) |"
    done
    [[ $failures -eq 0 ]]
    exit
fi

for norm in group sync; do
    step 2 model.norm=$norm pretrain.batch=2
    cp step.txt few.txt
    # Under "sync" the backward pass exchanges sums, too: MPI's own reductions run beside them.
    call=Isend other=Iallreduce
    [[ $norm == sync ]] && call=Iallreduce other=Isend
    few=$(of Allreduce 3) gradient=$(of $call 3)
    [[ $(of $other 3) == 0 ]] || fail "norm $norm: the gradient's sum by $other"
    step 2 model.norm=$norm pretrain.batch=6
    [[ $few -gt 1000 && $gradient -gt 1000000 ]] || fail "norm $norm: nothing was counted"
    [[ $(of $call 3) == "$gradient" ]] || fail "norm $norm: bytes of the gradient"
    [[ $(of Allreduce 3) == "$few" ]] || fail "norm $norm: $(of Allreduce 3) bytes, not $few"
    for call in Allgather Bcast Barrier; do
        [[ $(of $call 3) == 0 ]] || fail "norm $norm: bytes of $call"
    done
    # The pool: at most 20 rows of 2 views of 6 images, and 12 + 40 bytes beside their 8 dimensions.
    most=$((20 * 12 * (8 * 4 + 52) + 16)) pool=$(of Allgatherv 3)
    [[ $pool -le $most && $pool -gt $((most / 4)) ]] || fail "norm $norm: $pool bytes of the pool"
    [[ $failures -eq 0 ]] || cat few.txt step.txt
done

[[ $failures -eq 0 ]] && echo passed
exit $((failures > 0))
