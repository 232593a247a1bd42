#!/usr/bin/env bash
# The bound on the pool: as many pixels are compared as it says, the same ones on 1, 2 and 3 ranks, with
# partners or without; a bound that holds nothing back changes no byte.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 6; synth_val = 1; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         output_stride = 8; projection = 8; };
extract: { source = "finetuned"; layers = "layer1"; };
cluster: { k = 4; iterations = 2; sample = 60; };
pretrain: { steps = 2; batch = 3; crop = 32; pixels = 12; };
finetune: { steps = 1; batch = 4; crop = 32; };
CFG
export OMP_NUM_THREADS=1
expect 0 'PASS' "$auxseg" run tiny.cfg --set run.until=cluster
[[ $failures -eq 0 ]] || exit 1

# train NAME RANKS SETTING...: pretraining in a copy of the run's folder.
train() {
    local name=$1 ranks=$2 i set=()
    shift 2
    for i in "$@"; do set+=(--set "$i"); done
    cp -r run "$name"
    expect 0 'PASS' "${mpirun[@]}" -n "$ranks" "$auxseg" pretrain tiny.cfg --set "run.dir=$name" \
        "${set[@]}"
}

# anchors NAME: of the last step.
anchors() {
    awk -F, '$1 == "pretrain" { n = $7 } END { print n }' "$1/metrics.csv"
}

same() {
    cmp "$1/pretrained.safetensors" "$2/pretrained.safetensors" || fail "$2 is not as $1"
}

for positives in auxiliary augmentation; do
    train "all-$positives" 1 "pretrain.positives=$positives" pretrain.pool=0
    train "none-$positives" 2 "pretrain.positives=$positives" pretrain.pool=72
    same "all-$positives" "none-$positives"
    for ranks in 1 2 3; do
        # Three ranks as two nodes: of two ranks, and of one.
        AUXSEG_HOOK_NODE=2 train "$ranks-$positives" $ranks "pretrain.positives=$positives" pretrain.pool=31
        same "1-$positives" "$ranks-$positives"
    done
    all=$(anchors "all-$positives") few=$(anchors "1-$positives")
    [[ $few -le 31 && $few -ge 20 && $all -gt 40 ]] || fail "$positives: $few anchors of $all"
done
# Partners stay together: every row has its positive, and an odd bound is rounded down.
[[ $(anchors 1-augmentation) -eq 30 ]] || fail "$(anchors 1-augmentation) rows with a partner"

[[ $failures -eq 0 ]] && echo passed
exit $((failures > 0))
