#!/usr/bin/env bash
# Images that pass in waves: the weights of both training stages are the same bytes for any waves, on
# 1 and 2 ranks, which may have different numbers of them, with gradients of several messages, and
# stopped with some waves and continued with others. Needs no data.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 6; synth_val = 1; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 3; head = "fcn"; head_channels = 8; group = 2;
         output_stride = 16; projection = 8; };
extract: { source = "finetuned"; layers = "layer1"; };
cluster: { k = 4; iterations = 2; sample = 60; };
pretrain: { steps = 2; batch = 3; crop = 32; pixels = 20; positives = "both"; };
finetune: { steps = 2; batch = 6; crop = 32; };
CFG
export OMP_NUM_THREADS=1
expect 0 'PASS' "$auxseg" run tiny.cfg --set run.until=cluster
[[ $failures -eq 0 ]] || exit 1

# train NAME RANKS THREADS PATTERN [ARGUMENT]...: both stages in a copy of the run's folder.
train() {
    local name=$1 ranks=$2 threads=$3 pattern=$4 stage
    shift 4
    rm -rf "$name"
    cp -r run "$name"
    for stage in pretrain finetune; do
        OMP_NUM_THREADS=$threads expect 0 " $stage: a rank's . images pass $pattern" \
            "${mpirun[@]}" -n "$ranks" "$auxseg" "$stage" tiny.cfg --set run.verbose=true \
            --set "run.dir=$name" "$@"
    done
}

# same NAME NORM: as without waves.
same() {
    local file
    for file in pretrained finetuned; do
        cmp "plain-$2/$file.safetensors" "$1/$file.safetensors" || fail "$file: $1, norm $2"
    done
}

for norm in group frozen; do
    train "plain-$norm" 1 1 'at once' --set model.norm=$norm
    # Of the pairs of views the first rank has one, the second two: twice as many waves.
    train two 2 1 '\(at once\|in . waves of . \)' --set model.norm=$norm --set model.wave=1
    same two $norm
done
train one 1 1 'in 3 waves of 2 ' --set model.norm=group --set model.wave=3
same one group
train threads 1 2 'in 2 waves of 3 ' --set model.norm=frozen --set model.wave=5
same threads frozen

# Stopped after the first step by a deadline that has passed, continued with other waves.
cp -r run stopped
expect 75 '2 waves of 2 ' "${mpirun[@]}" -n 2 "$auxseg" pretrain tiny.cfg --set run.dir=stopped \
    --set model.wave=2 --set run.max_hours=1e-9
expect 0 '2 waves of 4 ' "$auxseg" pretrain tiny.cfg --set run.dir=stopped --set model.wave=4
cmp plain-group/pretrained.safetensors stopped/pretrained.safetensors || fail "stopped and continued"

[[ $failures -eq 0 ]] && echo passed
exit $((failures > 0))
