#!/usr/bin/env bash
# The contrast that fine-tuning keeps: settings that contradict it; the same weights on 1, 2 and 3
# ranks, with 1 and 2 threads, in waves, stopped and continued; its loss counts by its weight, and
# the gradient is the one of that loss; images without labels stand in half of the places; the
# baseline has none, and the file no head of it; with averages, looks, other norms, rounds, a study.
. "$(dirname "${BASH_SOURCE[0]}")/training_copies.sh"
stage=finetune
output=finetuned.safetensors
export OMP_NUM_THREADS=1

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 6; synth_val = 1; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         output_stride = 8; projection = 8; dtype = "f32"; };
extract: { source = "finetuned"; layers = "layer1"; };
cluster: { k = 6; iterations = 2; sample = 60; };
pretrain: { steps = 1; batch = 3; crop = 32; pixels = 12; };
finetune: { steps = 3; batch = 4; crop = 32; contrast_weight = 0.5; };
CFG
expect 2 'finetune.contrast_weight = 0.5: with finetune.method = "supervised" alone' \
    "$auxseg" run tiny.cfg --set finetune.method=mean-teacher
expect 2 'finetune.contrast_weight = 0.5: pretrain.method = "instance" has no auxiliary labels' \
    "$auxseg" run tiny.cfg --set pretrain.method=instance
expect 2 'finetune.batch = 1: finetune.contrast_weight puts images without labels' \
    "$auxseg" run tiny.cfg --set finetune.batch=1
expect 0 'PASS' "$auxseg" run tiny.cfg --set run.until=baseline --set run.compare=true
expect 2 'auxseg cluster' "$auxseg" finetune tiny.cfg \
    --set finetune.weights=run/baseline.safetensors
expect 0 'baseline: .*already' "$auxseg" run tiny.cfg --set run.until=pretrain \
    --set finetune.contrast_weight=0
[[ $failures -eq 0 ]] || exit 1

# near TEXT A B BOUND: relative.
near() {
    awk "BEGIN { d = ($2) - ($3); if (d < 0) d = -d; exit !(d <= ($4) * ($3)) }" ||
        fail "$1: $2, not $3"
}

half=finetune.fraction=0.5
train one 1 0 'finetune: 3 images without labels in half' "$half"
grep -aq 'projection' one/finetuned.safetensors && fail 'the projection head is in the file'
[[ $(column one 7) -gt 0 ]] || fail 'no anchors'
train two 2 0 'PASS' "$half" run.threads=2
same one two
train three 3 0 'PASS' "$half" pretrain.steps=7
same one three
train waves 1 0 'pass in 2 waves of 2' "$half" model.wave=2
same one waves
train stopped 1 75 'stopped after step 1' "$half" run.max_hours=1e-9
train stopped 2 0 'continues after step 1' "$half"
same one stopped
train few 1 0 'finetune: 6 labels in 2 groups' "$half" pretrain.label_groups=2
[[ $(column few 4) != "$(column one 4)" ]] || fail 'groups of labels do nothing'
train bound 1 0 'PASS' "$half" pretrain.pool=20
anchors=$(column bound 7)
[[ $anchors -ge 2 && $anchors -le 20 && $(column one 7) -gt 20 ]] ||
    fail "$anchors anchors of a pool of 20, $(column one 7) without a bound"
train bound2 2 0 'PASS' "$half" pretrain.pool=20
same bound bound2

# The loss is linear in the weight, the squared norm of the gradient quadratic.
for w in 1 2 3 4; do
    train "by$w" 1 0 'PASS' finetune.contrast_weight=$w
    loss[w]=$(column "by$w" 4)
    norm[w]=$(column "by$w" 6)
done
[[ ${loss[1]} != "${loss[2]}" && ${norm[1]} != "${norm[2]}" ]] || fail 'the weight does nothing'
near 'linear loss' "${loss[3]} - ${loss[1]}" "2 * (${loss[2]} - ${loss[1]})" 1e-5
near 'linear gradient' "${norm[4]}^2 + 3 * ${norm[2]}^2" "3 * ${norm[3]}^2 + ${norm[1]}^2" 1e-5

# A step along the gradient lessens the loss of its batch by step times squared norm. The weights
# after it are in the checkpoint, the head of the embeddings too.
plain=("$half" finetune.contrast_weight=5 finetune.head_lr=1 finetune.momentum=0
    finetune.weight_decay=0)
train before 1 75 'stopped after step 1' "${plain[@]}" finetune.lr=1e-5 run.max_hours=1e-9
train after 1 0 'PASS' "${plain[@]}" finetune.steps=1 \
    finetune.weights=before/checkpoints/finetune-1.safetensors
near 'decrease' "$(column before 4) - ($(column after 4))" "1e-5 * $(column before 6)^2" 0.02

# Beside what else a fine-tuning does: averages, the best of several looks, norms over the whole
# batch, half of the bits.
more=(finetune.average=0.5 finetune.validate=1 finetune.keep=best model.norm=sync
    pretrain.loss_dtype=bf16)
train more 1 75 'stopped after step 1' "${more[@]}" run.max_hours=1e-9
train more 1 0 'continues after step 1' "${more[@]}"
compgen -G 'more/checkpoints/*' && fail 'checkpoints are left'
grep -aq 'projection' more/finetuned.safetensors && fail 'the best weights have the head'
expect 0 'mIoU' "$auxseg" evaluate tiny.cfg --set run.dir=more --set model.norm=sync
train more2 3 0 'PASS' "${more[@]}" run.threads=2
same more more2

# What would do nothing is said, what is not stale is not called so.
expect 0 'finetune.contrast_weight has no effect: this run has no fine-tuning' \
    "$auxseg" check tiny.cfg --set run.until=baseline
expect 0 'finetune.weights has no effect in a run' "$auxseg" check tiny.cfg \
    --set finetune.weights=run/baseline.safetensors
expect 0 "the last step's cross-entropy .*, contrast .*, weight 0.5" "$auxseg" run tiny.cfg \
    --set run.dir=page --set run.compare=true --set "$half"
grep -q 'keeps the contrast while it is fine-tuned' page/report.html || fail 'the page is silent'
grep -q "from contrastive pretraining, the contrast included" page/report.html || fail 'the curve'
grep -q 'made with other settings' page/report.html && fail 'the baseline is called stale'
expect 0 'PASS' "$auxseg" report tiny.cfg --set run.dir=page --set "$half" --set pretrain.steps=9
grep -q 'made with other settings' page/report.html || fail 'nothing is called stale'

# Each round has labels of its own.
cp -r run rounds
cp -r run rounds2
expect 0 'PASS' "$auxseg" run tiny.cfg --set run.dir=rounds --set run.rounds=2
expect 0 'PASS' "${mpirun[@]}" -n 2 "$auxseg" run tiny.cfg --set run.dir=rounds2 --set run.rounds=2
cmp rounds/finetuned-2.safetensors rounds2/finetuned-2.safetensors || fail 'the second round'

# A study measures it with the labels it needs.
expect 0 '(FOM).*finetune' "$auxseg" study tiny.cfg --out study --ranks 1 --stages finetune \
    --steps 1 --untimed 0 --repeats 1 --launch "${mpirun[*]} -n {ranks}"

# What the key rests on: the clustering and what the contrast takes of [pretrain], nothing else.
train one 1 0 'already' "$half" pretrain.steps=7
train one 1 0 'finetune: 3 of 3 steps' "$half" pretrain.temperature=0.2
expect 0 'PASS' "$auxseg" cluster tiny.cfg --set run.dir=one --set cluster.k=5
train one 1 0 'finetune: 3 of 3 steps' "$half" pretrain.temperature=0.2 cluster.k=5

[[ $failures -eq 0 ]] && echo passed
exit $((failures > 0))
