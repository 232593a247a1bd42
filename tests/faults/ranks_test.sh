#!/usr/bin/env bash
# Memory that fails on one rank of a training (src/app/training/faults.h): a bit of a weight is found
# by comparing the ranks before anything is written, and the rank is named; what is not finite ends
# all ranks in the same step, with 5 and the name of tensor or image. The same command afterwards
# ends with the same weights.
. "$(dirname "${BASH_SOURCE[0]}")/../app/common.sh"
export OMP_NUM_THREADS=1

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; checkpoint_steps = 2; };
dataset: { layout = "synth"; root = "images"; synth_train = 6; synth_val = 2; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { source = "finetuned"; };
cluster: { k = 3; iterations = 2; sample = 50; };
pretrain: { steps = 4; batch = 3; crop = 32; };
finetune: { fraction = 1.0; steps = 4; batch = 6; crop = 32; optimizer = "adamw"; };
CFG
expect 0 'Result: PASS' "$auxseg" run tiny.cfg --set run.until=cluster
cp -r run clusters
expect 0 'Result: PASS' "$auxseg" run tiny.cfg --set run.until=finetune
cp -r run golden

# faulty STAGE HOOK RANKS CODE PATTERN: on the last rank, at the third step of the stage.
faulty() {
    local stage=$1 hook=$2 ranks=$3 code=$4 pattern=$5 weights=pretrained.safetensors
    [[ $stage == finetune ]] && weights=finetuned.safetensors
    rm -rf run
    cp -r clusters run
    if [[ $stage == finetune ]]; then cp golden/pretrained.safetensors golden/run.json run; fi
    expect "$code" "$pattern" env "AUXSEG_HOOK_$hook=3:$((ranks - 1))" "${mpirun[@]}" -n "$ranks" \
        "$auxseg" $stage tiny.cfg
    cp out out.faulty
    [[ $(grep -c "$stage: step" out) -eq 1 ]] || fail "$stage, $hook: one message for all ranks"
    [[ ! -e run/$weights ]] || fail "$stage, $hook: weights are written"
    [[ ! -e run/checkpoints/$stage-4.safetensors ]] || fail "$stage, $hook: a bad checkpoint"
    expect 0 'continues after step 2' "${mpirun[@]}" -n 2 "$auxseg" $stage tiny.cfg
    cmp run/$weights golden/$weights >out 2>&1 || fail "$stage, $hook: other weights afterwards"
}

faulty pretrain BIT 3 1 "step 4: weights or the optimiser's state are others on rank 2 than on all"
faulty finetune BIT 2 1 "step 4: weights or the optimiser's state are not the same on all ranks"
faulty pretrain WEIGHT 2 5 'pretrain: step 3: tensor "backbone.*": element 0 is not finite'
faulty finetune STATISTIC 3 5 'finetune: step 3: tensor "backbone.*running_mean"'
faulty finetune STATE 2 5 'finetune: step 3: optimizer.adamw.* of tensor .* is not finite'
faulty pretrain IMAGE 3 5 'pretrain: step 3: the embeddings of image train/.* are not finite'
faulty finetune IMAGE 3 5 'finetune: step 3: the gradient of .* is not finite'
grep -q "the loss of [0-9] of the step's 6 images is not finite; the first is train/" out.faulty ||
    fail "finetune: no image is named"

# Features: the image is named, and nothing of it is kept.
rm -rf run
cp -r clusters run
expect 5 'features of image train/.* are not finite' env AUXSEG_HOOK_FEATURE=1:1 \
    "${mpirun[@]}" -n 2 "$auxseg" extract tiny.cfg --set extract.keep=true
[[ ! -e run/features.h5 && ! -e run/checkpoints/extract.state ]] || fail "bad features are kept"

# Centroids: the next sums would heal them, but not the labels that they made.
rm -rf run
cp -r clusters run
cp run/labels.h5 golden/labels.h5
rm run/labels.h5
expect 1 'k-means: centroids are others on rank 2 than on all other ranks' \
    env AUXSEG_HOOK_CENTROID=2:2 "${mpirun[@]}" -n 3 "$auxseg" cluster tiny.cfg
[[ ! -e run/labels.h5 ]] || fail "cluster: bad labels are kept"
expect 0 'Result: PASS' "${mpirun[@]}" -n 2 "$auxseg" cluster tiny.cfg
cmp run/labels.h5 golden/labels.h5 >out 2>&1 || fail "cluster: other labels afterwards"

[[ $failures -eq 0 ]] || exit 1
echo "all as expected"
