#!/usr/bin/env bash
# Labels in groups, within which none is a negative of another: the same weights on 1, 2 and 3 ranks,
# with 1 and 2 threads, in waves, stopped and continued; how many groups there are tells; as many
# groups as labels is no grouping; settings that contradict it.
. "$(dirname "${BASH_SOURCE[0]}")/training_copies.sh"

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 6; synth_val = 1; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         output_stride = 8; projection = 8; };
extract: { source = "finetuned"; layers = "layer1"; };
cluster: { k = 12; iterations = 2; sample = 60; };
pretrain: { steps = 4; batch = 3; crop = 32; pixels = 12; label_groups = 5; };
finetune: { steps = 1; batch = 4; crop = 32; };
CFG
export OMP_NUM_THREADS=1
expect 2 'pretrain.label_groups = 5: pretrain.positives = "augmentation"' "$auxseg" run tiny.cfg \
    --set pretrain.positives=augmentation
expect 2 'pretrain.label_groups = 13: there are 12 auxiliary labels (cluster.k)' "$auxseg" run tiny.cfg \
    --set pretrain.label_groups=13
expect 2 'pretrain.label_groups = 1: ' "$auxseg" run tiny.cfg --set pretrain.label_groups=1
expect 0 'PASS' "$auxseg" run tiny.cfg --set run.until=cluster
[[ $failures -eq 0 ]] || exit 1

train one 1 0 'pretrain: 12 labels in 5 groups, of [2-8] at most'
train two 2 0 'PASS' run.threads=2 model.wave=2
same one two
train three 3 0 'PASS'
same one three
train stopped 1 75 'stopped after step 1' run.max_hours=1e-9
train stopped 2 0 'continues after step 1'
same one stopped

# Fewer negatives: a smaller loss of the first step, the smaller the fewer groups there are.
loss() {
    column "$1" 4
}
train none 1 0 'PASS' pretrain.label_groups=0
train each 1 0 'PASS' pretrain.label_groups=12
train few 1 0 'PASS' pretrain.label_groups=2
[[ $(loss none) == "$(loss each)" ]] || fail "12 groups of 12 labels: $(loss each), not $(loss none)"
awk "BEGIN { exit !($(loss few) < $(loss one) && $(loss one) < $(loss none)) }" ||
    fail "losses of 2, 5 and no groups: $(loss few), $(loss one), $(loss none)"

# More groups than labels, where their number is known no earlier.
train found 1 2 'pretrain.label_groups = 5000: there are [0-9]* auxiliary labels' \
    cluster.method=dbscan cluster.eps=1 pretrain.label_groups=5000
# Classes, where these are what pixels are compared by, have none.
expect 0 'PASS' "$auxseg" finetune tiny.cfg --set run.dir=one --set finetune.method=pixel-contrast

[[ $failures -eq 0 ]] && echo passed
exit $((failures > 0))
