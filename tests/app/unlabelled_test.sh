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

[[ $failures -eq 0 ]] && echo passed
exit "$((failures > 0))"
