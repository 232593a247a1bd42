#!/usr/bin/env bash
# Ways of fine-tuning beside the supervised one: each gives the same weights on 1 and 3
# ranks, with 1 and 2 threads, in waves, stopped after a step and continued on another number of
# ranks; and other weights than supervised training. Needs no data.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 6; synth_val = 1; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         output_stride = 8; projection = 8; };
extract: { source = "finetuned"; layers = "layer1"; };
cluster: { k = 4; iterations = 2; sample = 60; };
pretrain: { steps = 2; batch = 4; crop = 32; pixels = 20; };
finetune: { steps = 3; batch = 6; crop = 32; fraction = 0.34; confidence = 0.15; };
CFG
export OMP_NUM_THREADS=1
expect 0 'PASS' "$auxseg" run tiny.cfg --set run.until=pretrain
[[ $failures -eq 0 ]] || exit 1

# train NAME METHOD RANKS THREADS CODE PATTERN [ARGUMENT]...: in a copy of the run's folder, or in
# what is there.
train() {
    local name=$1 method=$2 ranks=$3 threads=$4 code=$5 pattern=$6 start=()
    shift 6
    [[ -d $name ]] || cp -r run "$name"
    [[ $ranks -eq 1 ]] || start=("${mpirun[@]}" -n "$ranks")
    OMP_NUM_THREADS=$threads expect "$code" "$pattern" "${start[@]}" "$auxseg" finetune tiny.cfg \
        --set "finetune.method=$method" --set "run.dir=$name" "$@"
}

# same NAME METHOD: weights as on one rank.
same() {
    cmp "$2/finetuned.safetensors" "$1/finetuned.safetensors" || fail "$2: $1"
}

train supervised supervised 1 1 0 '2 labelled images of 6'
# A teacher is trained first where none is given: as a supervised model, once.
train taught pseudo-labels 1 2 0 'finetune: pseudo-labels: 4 images without labels'
loss() { sed -n "s/^$1,1,3,\([^,]*\),.*/\1/p" "$2/metrics.csv"; }
[[ $(loss finetune supervised) == "$(loss finetune-teacher taught)" ]] ||
    fail "the teacher is no supervised model"
given=(--set finetune.teacher=supervised/finetuned.safetensors)
# Weights that are none are told before they are hashed, whatever their size.
truncate -s 4T none.safetensors
expect 3 'none.safetensors' timeout 10 "$auxseg" finetune tiny.cfg --set run.dir=taught \
    --set finetune.method=pseudo-labels --set finetune.teacher=none.safetensors
rm none.safetensors
train taught pseudo-labels 1 1 0 'finetune-teacher: already done' --set finetune.confidence=0.1

declare -A says=([pixel-contrast]='finetune-contrast: pixels of a class .* in 2 labelled images'
    [mean-teacher]='finetune: mean-teacher: 4 images without labels'
    [pseudo-labels]='finetune: pseudo-labels: 4 images without labels'
    [cross-pseudo]='finetune: cross-pseudo: 4 images without labels')
for method in pixel-contrast pseudo-labels mean-teacher cross-pseudo; do
    train $method $method 1 1 0 "${says[$method]}" "${given[@]}"
    cmp -s supervised/finetuned.safetensors $method/finetuned.safetensors &&
        fail "$method gives what supervised training gives"
    # Stopped after a step by a deadline that has passed; continued in waves.
    train $method-3 $method 3 2 75 'stopped after step 1' "${given[@]}" --set run.max_hours=1e-9
    train $method-3 $method 2 1 0 'continues after step 1' "${given[@]}" --set model.wave=2
    same $method-3 $method
done
train cross-pseudo cross-pseudo 1 1 0 'finetune: already done'
train pixel-contrast pixel-contrast 1 1 0 'finetune-contrast: already done'

# Averaged weights: of the same training other ones than the last step's.
cp -r run averaged
expect 0 'PASS' "$auxseg" pretrain tiny.cfg --set run.dir=averaged --set pretrain.average=0.9
expect 0 'PASS' "$auxseg" finetune tiny.cfg --set run.dir=averaged --set finetune.average=0.9 \
    --set finetune.weights=supervised/pretrained.safetensors
cut -d, -f1-5 averaged/metrics.csv >averaged.csv
cut -d, -f1-5 supervised/metrics.csv | cmp - averaged.csv || fail "averages change the training"
for file in pretrained finetuned; do
    cmp -s averaged/$file.safetensors supervised/$file.safetensors && fail "$file: not averaged"
done

# Places of a rank that begin within a pair; without an image that has none, all are shown without
# labels, too.
odd=(--set model.norm=frozen --set finetune.batch=5 --set finetune.cutmix=0.3
    --set finetune.fraction=1 "${given[@]}")
train odd pseudo-labels 1 2 0 'pseudo-labels: 6 images .* CutMix 0.3' "${odd[@]}"
train odd-3 pseudo-labels 3 1 0 'CutMix 0.3' "${odd[@]}"
same odd-3 odd

[[ $failures -eq 0 ]] && echo passed
exit $((failures > 0))
