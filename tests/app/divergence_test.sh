#!/usr/bin/env bash
# A training that diverges ends with code 5 on any number of ranks, names step and tensor, marks
# nothing done and leaves no weights: only the last good state. So it is again at the next start.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export OMP_NUM_THREADS=1

cat >tiny.cfg <<'CFG'
run: { dir = "run"; checkpoint_steps = 1; };
dataset: { layout = "synth"; root = "images"; synth_train = 4; synth_val = 1; synth_height = 32;
           synth_width = 48; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { source = "finetuned"; };
cluster: { k = 3; iterations = 2; sample = 50; };
pretrain: { steps = 9; batch = 2; crop = 32; lr = 1000.0; };
finetune: { fraction = 1.0; steps = 300; batch = 4; crop = 32; lr = 1000.0; momentum = 0.99; };
CFG

# diverges RANKS FOLDER PATTERN COMMAND [ARGUMENT]...
diverges() {
    local ranks=$1 dir=$2 pattern=$3
    shift 3
    expect 5 "$pattern" "${mpirun[@]}" -n "$ranks" "$auxseg" "$@" --set "run.dir=$dir"
    grep -q 'Result: FAIL (code 5: non-finite values)' out || fail "no Result: FAIL (code 5"
    [[ $(grep -c 'the training has diverged' out) -eq 1 ]] || fail "one message for all ranks"
}

# Only the running statistics: losses, weights and gradients stay finite under norm "group".
running='baseline: step 5: tensor "backbone.*running_var": element [0-9]* is not finite.*step 4 is kept'
for ranks in 1 2 3; do
    diverges "$ranks" "run$ranks" "$running" run tiny.cfg --set run.until=baseline
    [[ ! -e run$ranks/baseline.safetensors ]] || fail "weights of a training that diverged"
    ! grep -q '"baseline": {' "run$ranks/run.json" || fail "marked as done"
    grep -q '"exit_code": 5' "run$ranks/run.json" || fail "no exit code in the record"
    expect 0 'baseline-4.safetensors: whole' "$auxseg" verify "run$ranks/checkpoints/baseline-4.safetensors"
    [[ ! -e run$ranks/checkpoints/baseline-5.safetensors ]] || fail "a checkpoint of the bad step"
done
cmp run1/checkpoints/baseline-4.safetensors run3/checkpoints/baseline-4.safetensors >out 2>&1 ||
    fail "another last good state on 3 ranks"
diverges 2 run1 "$running" run tiny.cfg --set run.until=baseline
grep -q 'continues after step 4' out || fail "the next start does not take the checkpoint"

# Where the statistics do not change: a weight, a gradient, a state of the optimiser.
frozen=(run tiny.cfg --set run.until=baseline --set model.norm=frozen)
diverges 2 frozen1 'baseline: step [0-9]*: tensor "backbone.*weight": ' "${frozen[@]}"
diverges 2 frozen2 'baseline: step [0-9]*: the gradient of backbone.conv1.weight' "${frozen[@]}" \
    --set finetune.lr=30
grep -q 'the loss of . of the step.s 4 images is not finite; the first is train/0000' out ||
    fail "no image is named"
diverges 1 frozen3 'baseline: step [0-9]*: optimizer.adamw.square of tensor ' "${frozen[@]}" \
    --set finetune.lr=1 --set finetune.optimizer=adamw

# Weights that are finite, and logits that are not: the pixels would all be of class 0.
for command in evaluate predict; do
    expect 5 'the network.s output for image .* is not finite: no class can be told' \
        "${mpirun[@]}" -n 2 "$auxseg" $command tiny.cfg --set run.dir=frozen2 --set \
        "evaluate.weights=$PWD/$(ls -v frozen2/checkpoints/*.safetensors | tail -1)"
done
# And features that are not: no file of them, from memory or streamed.
for memory in hold stream; do
    expect 5 'image 0, pixel 0: a feature is not finite' "${mpirun[@]}" -n 2 "$auxseg" extract tiny.cfg \
        --set run.dir=frozen2 --set extract.source=weights --set extract.layers=head \
        --set "extract.weights=$(ls -v frozen2/checkpoints/*.safetensors | tail -1)" \
        --set "extract.memory=$memory"
    [[ ! -e frozen2/features.h5 ]] || fail "features that are not finite are kept"
    ! grep -q '"extract": {' frozen2/run.json || fail "their extraction is marked as done"
done

# Pretraining: the image whose embeddings are not finite.
good=(--set finetune.lr=0.01 --set finetune.momentum=0.9 --set finetune.steps=2)
expect 0 'Result: PASS' "$auxseg" run tiny.cfg --set run.until=cluster --set run.dir=pre "${good[@]}"
diverges 2 pre 'pretrain: step [0-9]*: the embeddings of image train/.*kept' pretrain tiny.cfg \
    "${good[@]}" --set model.norm=frozen
[[ ! -e pre/pretrained.safetensors ]] || fail "pretrained weights"

[[ $failures -eq 0 ]] || exit 1
echo "all as expected"
