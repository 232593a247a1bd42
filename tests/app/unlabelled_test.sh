#!/usr/bin/env bash
# Images without labels: a folder of them runs to the end, with what needs labels left out and said
# so by check, stages, log and page; settings that would need labels are refused by both.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export OMP_NUM_THREADS=1

cat >tiny.cfg <<'CFG'
run: { dir = "run"; };
dataset: { layout = "synth"; root = "images"; synth_train = 4; synth_val = 2; synth_height = 32;
           synth_width = 48; };
model: { backbone = "resnet18"; stages = 1; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; dtype = "f32"; };
cluster: { k = 3; iterations = 2; sample = 50; };
pretrain: { steps = 1; batch = 2; crop = 32; pixels = 8; };
finetune: { steps = 1; batch = 2; crop = 32; };
CFG
expect 0 'Result: PASS' "$auxseg" run tiny.cfg --set run.until=baseline
mv run/baseline.safetensors weights.safetensors
mkdir pictures
cp images/train/* pictures
rm -rf run

# run CODE PATTERN RANKS WORD...: check, then run, of the pictures.
run() {
    local code=$1 pattern=$2 ranks=$3
    shift 3
    set -- tiny.cfg --set dataset.layout=folder --set dataset.root=pictures "$@"
    expect "$code" "${pattern#*|}" "$auxseg" check "$@"
    expect "$code" "${pattern%|*}" "${mpirun[@]}" -n "$ranks" "$auxseg" run "$@"
}

weights=model.weights=weights.safetensors
run 0 'nothing was fine-tuned or evaluated|the run has no baseline, no score' 1 --set $weights
[[ -e run/DONE && -e run/pretrained.safetensors ]] || fail 'the run is not complete'
for file in baseline finetuned; do [[ ! -e run/$file.safetensors ]] || fail "$file is there"; done
grep -q 'The data set has no labels' run/report.html || fail 'the page does not say so'
expect 0 'no labels' "$auxseg" stages tiny.cfg --set dataset.layout=folder --set $weights
stages=$(sed '/no labels/d' out | tr '\n' ' ')
[[ $stages == 'pack cluster pretrain report ' ]] || fail "stages: $stages"
sums=$(cksum run/*.safetensors)
run 0 'nothing was fine-tuned or evaluated|no mistake' 2 --set $weights --set run.resume=never
[[ $(cksum run/*.safetensors) == "$sums" ]] || fail 'other weights with two ranks'
run 2 'has no labels to train an extractor with' 1
run 2 'has no labels to train an extractor with' 2 --set $weights --set extract.source=finetuned
run 2 'run.rounds = 2: ' 1 --set $weights --set run.rounds=2
run 2 'run.until = "score": it needs labels' 1 --set $weights --set run.until=score
run 0 'Result: PASS|no mistake' 1 --set run.until=pack

# Beside labelled ones they are clustered and trained on before, and nothing else: what is learnt
# from labels is as without them. The same bits with two ranks.
beside() {
    local ranks=$1
    shift
    expect 0 'Result: PASS' "${mpirun[@]}" -n "$ranks" "$auxseg" run tiny.cfg --set dataset.layout=pairs \
        --set dataset.root=images --set dataset.train=train.txt --set dataset.val=val.txt \
        --set dataset.classes=8 "$@"
}
mkdir images/more
cp images/val/00000.png images/val/00001.png images/more
rm -rf run
beside 1
cp run/baseline.safetensors without.safetensors
cp run/pretrained.safetensors before.safetensors
rm -rf run
beside 1 --set dataset.unlabelled=more
grep -q 'dataset.unlabelled: 2 images' out || fail 'the log does not count them'
cmp -s run/baseline.safetensors without.safetensors || fail 'fine-tuning saw unlabelled images'
cmp -s run/pretrained.safetensors before.safetensors && fail 'pretraining did not see them'
sums=$(cksum run/*.safetensors)
rm -rf run
beside 2 --set dataset.unlabelled=more
[[ $(cksum run/*.safetensors) == "$sums" ]] || fail 'other bits with two ranks'

[[ $failures -eq 0 ]] && echo passed
exit "$((failures > 0))"
