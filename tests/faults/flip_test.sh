#!/usr/bin/env bash
# Single bits and ends of every kind of file that a run reads back, by `verify` and by the reader of
# its stages: found, or harmless; never another result, a crash, more than 256 MiB or 5 s. --long:
# 2,000 bits and 200 ends a file. $AUXSEG_FLIP: flip.c's program.
. "$(dirname "${BASH_SOURCE[0]}")/../app/common.sh"
export OMP_NUM_THREADS=1
bits=24 ends=6
[[ ${1:-} == --long ]] && bits=2000 ends=200

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 3; synth_val = 1; synth_height = 32;
           synth_width = 48; };
model: { backbone = "resnet18"; stages = 1; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { source = "finetuned"; keep = true; };
cluster: { k = 3; iterations = 2; sample = 50; };
pretrain: { steps = 2; batch = 2; crop = 32; pixels = 8; };
finetune: { fraction = 1.0; steps = 2; batch = 2; crop = 32; };
report: { overlays = 0; };
CFG
expect 0 'Result: PASS' "$auxseg" run tiny.cfg
# One checkpoint of each kind: in folders of their own, as they are then not the whole run's.
cp -r run cluster
cluster_checkpoint cluster
cp -r run finetune
expect 75 'stopped early' "$auxseg" finetune tiny.cfg --set run.dir=finetune \
    --set run.max_hours=1e-9 --set finetune.steps=3

seed=1
while read -r where file; do
    # shellcheck disable=SC2086
    file=$(cd "$where" && ls $file | tail -n 1)
    seed=$((seed + 1))
    "$AUXSEG_FLIP" "$where" "$file" $bits $ends $seed | tee out || fail "$where/$file"
done <<'FILES'
run dataset.h5
run features.h5
run labels.h5
run baseline.safetensors
run pretrained.safetensors
run finetuned.safetensors
cluster checkpoints/cluster-*.safetensors
finetune checkpoints/finetune-*.safetensors
run run.json
run metrics.csv
run settings.cfg
run confusion-finetuned.csv
run report.html
FILES

[[ $failures -eq 0 ]]
