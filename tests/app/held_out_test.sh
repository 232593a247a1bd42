#!/usr/bin/env bash
# Training images that are held out: what check says of them, what is packed, what is evaluated, and
# that the runs of other seeds hold out the same ones. Needs no data.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cat >tiny.cfg <<'CFG'
run: { dir = "run"; until = "baseline"; };
dataset: { layout = "synth"; root = "images"; synth_train = 8; synth_val = 3; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         output_stride = 8; projection = 8; };
finetune: { steps = 6; batch = 4; crop = 32; };
CFG
export OMP_NUM_THREADS=1
held=(--set dataset.held_out=0.25 --set dataset.held_out_block=2)
expect 0 '2 labelled training images.* take the place of the validation' \
    "$auxseg" check tiny.cfg "${held[@]}"
expect 2 'of 8 labelled training images none' "$auxseg" check tiny.cfg --set dataset.held_out=8
expect 2 'a share below 1 or a whole number' "$auxseg" check tiny.cfg --set dataset.held_out=1.5

# splits RUN: numbers of images of each split that has any.
splits() {
    "$auxseg" inspect "$1/dataset.h5" | awk '/ with labels/ { printf "%s %d ", $1, $2 }'
}
expect 0 'take the place of the validation' "$auxseg" pack tiny.cfg "${held[@]}" --set run.dir=in
# Validation images that are gone are not missed, as nobody reads them.
mkdir gone
cp -r images/. gone
for name in gone/val/*; do echo broken >"$name"; done
for name in gone/val-labels/*; do echo broken >"$name"; done
expect 0 'are for finetune.validate' "$auxseg" pack tiny.cfg "${held[@]}" --set run.dir=beside \
    --set dataset.held_out_for=validate
expect 0 '2 labelled training' "$auxseg" pack tiny.cfg "${held[@]}" --set run.seed=2 \
    --set run.dir=lists --set dataset.layout=pairs --set dataset.root=gone \
    --set dataset.train=train.txt --set dataset.val=val.txt --set dataset.classes=8
[[ $(splits in) == 'train 6 val 2 test 0 ' ]] || fail "in place: $(splits in)"
[[ $(splits lists) == 'train 6 val 2 test 0 ' ]] || fail "not read: $(splits lists)"
[[ $(splits beside) == 'train 6 val 3 test 0 held-out 2 ' ]] || fail "beside: $(splits beside)"

# Evaluation measures them: its figure is that of the last look at them, whatever the seed draws; the
# page says that they have chosen the step, too.
for seed in 1 2; do
    expect 0 'the held-out images choose' "$auxseg" run tiny.cfg "${held[@]}" --set run.seed=$seed \
        --set run.dir=in --set finetune.validate=3 --set finetune.keep=best
    best=$(grep -a 'baseline: step .*the best so far' out | tail -n 1 | grep -o '0[.][0-9]*')
    grep -qa "baseline: mIoU $best" out || fail "not $best on what was looked at"
done
expect 0 'PASS' "$auxseg" report tiny.cfg "${held[@]}" --set run.seed=2 --set run.dir=in \
    --set finetune.validate=3 --set finetune.keep=best
grep -q '<strong>Caution</strong>: finetune.keep' in/report.html || fail "no caution on the page"

[[ $failures -eq 0 ]] && echo passed
exit $((failures > 0))
