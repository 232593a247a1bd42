#!/usr/bin/env bash
# Pixels of earlier steps in the contrast, and pixels at boundaries: the same weights on 1, 2 and 3
# ranks, on one node and on two, with 1 and 2 threads, in waves, stopped after a step and killed after
# a checkpoint and continued on another number of ranks; what it does to the loss; settings that
# contradict it.
. "$(dirname "${BASH_SOURCE[0]}")/training_copies.sh"

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 6; synth_val = 1; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         output_stride = 8; projection = 8; };
extract: { source = "finetuned"; layers = "layer1"; };
cluster: { k = 4; iterations = 2; sample = 60; };
pretrain: { steps = 4; batch = 3; crop = 32; pixels = 12; pixel_queue = 30;
            boundary = 0.5; };
finetune: { steps = 1; batch = 4; crop = 32; };
CFG
export OMP_NUM_THREADS=1
expect 2 'pretrain.pixel_queue = 30: pretrain.positives = "augmentation"' "$auxseg" run tiny.cfg \
    --set pretrain.positives=augmentation
expect 0 'PASS' "$auxseg" run tiny.cfg --set run.until=cluster
[[ $failures -eq 0 ]] || exit 1

train one 1 0 'pretrain: 30 pixels of earlier steps for each of 4 labels'
train two 2 0 'PASS' run.threads=2 model.wave=2
same one two
# Three ranks as two nodes: of two ranks, and of one.
AUXSEG_HOOK_NODE=2 train three 3 0 'PASS'
same one three

# The first step has none to compare with; the second has, and thus a larger loss.
losses() {
    awk -F, '$1 == "pretrain" { printf "%s ", $4 }' "$1/metrics.csv"
}
train none 1 0 'PASS' pretrain.pixel_queue=0
read -r with_first with_second _ <<<"$(losses one)"
read -r first second _ <<<"$(losses none)"
[[ $with_first == "$first" ]] || fail "the first step: $with_first, without a queue $first"
awk "BEGIN { exit !($with_second > $second + 0.1) }" || fail "the second: $with_second, $second"

train chance 1 0 'PASS' pretrain.boundary=-1
cmp -s one/pretrained.safetensors chance/pretrained.safetensors && fail "boundaries have no effect"

# Stopped after a step: its pixels are in the checkpoint.
train stopped 1 75 'stopped after step 1' run.max_hours=1e-9
AUXSEG_HOOK_NODE=1 train stopped 2 0 'continues after step 1'
same one stopped
# Killed once a checkpoint is there; in bf16; a ring that is shorter than a step's rows.
long=(run.checkpoint_steps=3 pretrain.steps=30 pretrain.pixel_queue=5 pretrain.loss_dtype=bf16)
train whole 2 0 'PASS' "${long[@]}"
cp -r run killed
set=()
for i in "${long[@]}"; do set+=(--set "$i"); done
"$auxseg" pretrain tiny.cfg --set run.dir=killed "${set[@]}" >out 2>&1 </dev/null &
job=$!
for ((i = 0; i < 1000; i++)); do
    compgen -G "killed/checkpoints/pretrain-*.safetensors" >list && break
    sleep 0.02
done
kill -KILL $job
wait $job 2>/dev/null
train killed 3 0 'continues after step [1-9]' "${long[@]}"
same whole killed

# Of the classes, where these are what pixels are compared by.
expect 0 'pixels of earlier steps for each of [0-9]* labels' "$auxseg" finetune tiny.cfg \
    --set run.dir=one --set finetune.method=pixel-contrast

[[ $failures -eq 0 ]] && echo passed
exit $((failures > 0))
