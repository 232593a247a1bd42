#!/usr/bin/env bash
# extract.scales and extract.flip: the mean of an image with itself is the image's features, to the
# bit; other views give other features, the same for any number of ranks and threads, held and
# streamed; wrong lists are refused.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 4; synth_val = 1; synth_height = 64;
           synth_width = 88; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { source = "finetuned"; layers = "layer2"; normalize = false; };
finetune: { steps = 2; batch = 2; crop = 32; };
CFG
export OMP_NUM_THREADS=1

# extract RANKS NPY WORD...
extract() {
    local ranks=$1 npy=$2
    shift 2
    expect 0 'PASS' "${mpirun[@]}" -n "$ranks" "$auxseg" extract tiny.cfg --set run.resume=never \
        --set "extract.npy=$npy" "$@"
}

expect 0 'PASS' "$auxseg" run tiny.cfg --set run.until=baseline
extract 1 plain.npy
extract 1 twice.npy --set extract.scales="1,1"
cmp plain.npy twice.npy >out 2>&1 || fail "the mean of twice the same"
views=(--set extract.scales="0.5, 1, 1.5" --set extract.flip=true)
extract 1 views.npy "${views[@]}"
cmp plain.npy views.npy >out 2>&1 && fail "views change nothing"
extract 3 other.npy "${views[@]}" --set extract.memory=stream
cmp views.npy other.npy >out 2>&1 || fail "3 ranks, streamed"
extract 1 other.npy "${views[@]}" --set run.threads=3
cmp views.npy other.npy >out 2>&1 || fail "3 threads"

# Magnified images may be large ones (AUXSEG_HOOK_LARGE_IMAGE: from so many pixels on), whose plans
# take fewer at once than those of the images themselves.
AUXSEG_HOOK_LARGE_IMAGE=8000 extract 1 other.npy "${views[@]}"
cmp views.npy other.npy >out 2>&1 || fail "large when magnified"
measure=("$auxseg" evaluate tiny.cfg --set evaluate.weights=run/./baseline.safetensors
    --set evaluate.split=train --set evaluate.scales="0.5, 1.5" --set run.resume=never)
expect 0 'evaluate-baseline: mIoU' "${measure[@]}"
cp run/confusion-baseline.csv confusion.csv
rm run/confusion-baseline.csv
AUXSEG_HOOK_LARGE_IMAGE=8000 expect 0 'PASS' "${measure[@]}"
cmp run/confusion-baseline.csv confusion.csv >out 2>&1 || fail "measured when large"

expect 2 'extract.scales = "0.5;1": numbers from' "$auxseg" check tiny.cfg --set 'extract.scales=0.5;1'

[[ $failures -eq 0 ]] || exit 1
echo "all as expected"
