#!/usr/bin/env bash
# Instance contrast: a run without auxiliary labels, to the report; the same weights on 1 and 3
# ranks, with 1 and 2 threads, in waves, stopped after a step and killed after a checkpoint and
# continued on another number of ranks; an extractor of what it has learned. Needs no data.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 6; synth_val = 1; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         output_stride = 8; projection = 8; };
extract: { layers = "layer1"; };
cluster: { k = 4; iterations = 2; sample = 60; };
pretrain: { method = "instance"; steps = 4; batch = 3; crop = 32; };
finetune: { steps = 1; batch = 2; crop = 32; };
CFG
export OMP_NUM_THREADS=1

# What is left out, said beforehand, and by the run itself.
expect 0 'the stages that make and judge them are left out' "$auxseg" stages tiny.cfg
[[ "$("$auxseg" stages tiny.cfg 2>/dev/null | tr '\n' ' ')" == 'pack pretrain finetune evaluate report ' ]] ||
    fail "stages"
expect 0 'the run has no extract, no cluster and no score' "$auxseg" check tiny.cfg
expect 2 'run.rounds = 2: pretrain.method = "instance"' "$auxseg" check tiny.cfg --set run.rounds=2
expect 2 'run.until = "cluster": pretrain.method' "$auxseg" run tiny.cfg --set run.until=cluster
expect 2 'pretrain.average = 0.9: pretrain.method' "$auxseg" run tiny.cfg --set pretrain.average=0.9
expect 0 '12 keys in the queue, temperature 0.2, decay 0.999' "$auxseg" run tiny.cfg
[[ -e run/DONE && -e run/report.html && ! -e run/labels.h5 && ! -e run/baseline.safetensors ]] ||
    fail "the run did other stages"
[[ $(grep -c '^pretrain,' run/metrics.csv) -eq 4 ]] || fail "metrics.csv"
expect 0 'pretrain: already done' "$auxseg" pretrain tiny.cfg

# train NAME RANKS THREADS CODE PATTERN [ARGUMENT]...: in a folder of its own, or what is there.
train() {
    local name=$1 ranks=$2 threads=$3 code=$4 pattern=$5 start=()
    shift 5
    [[ $ranks -eq 1 ]] || start=("${mpirun[@]}" -n "$ranks")
    OMP_NUM_THREADS=$threads expect "$code" "$pattern" "${start[@]}" "$auxseg" pretrain tiny.cfg \
        --set "run.dir=$name" "$@"
}

# same NAME: weights and losses as on one rank.
same() {
    cmp run/pretrained.safetensors "$1/pretrained.safetensors" || fail "$1: weights"
    cmp <(grep '^pretrain,' run/metrics.csv | cut -d, -f1-5) \
        <(grep '^pretrain,' "$1/metrics.csv" | cut -d, -f1-5) || fail "$1: losses"
}

expect 0 'packed\|images' "$auxseg" pack tiny.cfg --set run.dir=packed
for name in stopped killed; do cp -r packed $name; done
# Stopped after a step by a deadline that has passed: rows of one step are in the queue.
train stopped 3 2 75 'stopped after step 1' --set run.max_hours=1e-9
train stopped 1 2 0 'continues after step 1' --set model.wave=2
same stopped
# Killed once a checkpoint is there.
long=(--set run.checkpoint_steps=3 --set pretrain.steps=30 --set pretrain.queue=7)
"$auxseg" pretrain tiny.cfg --set run.dir=killed "${long[@]}" >out 2>&1 </dev/null &
job=$!
for ((i = 0; i < 1000; i++)); do
    compgen -G "killed/checkpoints/pretrain-*.safetensors" >list && break
    sleep 0.02
done
kill -KILL $job
wait $job 2>/dev/null
train killed 3 1 0 'continues after step [1-9]' "${long[@]}"
cp -r packed short
train short 1 2 0 '7 keys in the queue' "${long[@]}"
cmp short/pretrained.safetensors killed/pretrained.safetensors || fail "killed and continued"
cmp -s short/pretrained.safetensors run/pretrained.safetensors && fail "the queue has no effect"

# The method is another one than the contrast of pixels; what it has learned is an extractor.
expect 0 'cluster' "$auxseg" run tiny.cfg --set run.dir=packed --set pretrain.method=pixel \
    --set run.until=pretrain --set extract.source=weights \
    --set extract.weights=run/pretrained.safetensors
cmp -s packed/pretrained.safetensors run/pretrained.safetensors && fail "the method has no effect"

[[ $failures -eq 0 ]] && echo passed
exit $((failures > 0))
