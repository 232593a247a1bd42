#!/usr/bin/env bash
# Labels of one network pretrain another: a vision transformer's features, whose form is read from
# its file, are clustered, and a ResNet is trained with the labels; another ResNet's likewise. The
# same labels for any number of ranks and threads, also of images that patches do not fit. What
# cannot be meant is refused before anything is done.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

"$AUXSEG_VIT_WEIGHTS" vit.safetensors || fail "weights of a transformer"
cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 4; synth_val = 1; synth_height = 37;
           synth_width = 50; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { backbone = "vit"; weights = "vit.safetensors"; layers = "block1,block1.keys"; };
cluster: { k = 3; iterations = 2; sample = 50; };
pretrain: { steps = 2; batch = 2; crop = 32; pixels = 8; };
CFG
export OMP_NUM_THREADS=1
# 37 x 50 pixels are 5 x 7 patches of 8, the last ones cut.
expect 0 'extract: .*256 dimensions at stride 8' "$auxseg" run tiny.cfg --set run.until=pretrain
grep -q '2 blocks with layer scale, 128 channels, patches of 8, 2 registers' out || fail "form"
grep -q '4 x 4 are resized by the rule "dinov2"' out || fail "rule of positions"
expect 0 '3 clusters' "$auxseg" inspect run/labels.h5
cp run/labels.h5 one.h5
expect 0 'backbone.layer2.1.bn2.running_var' "$auxseg" inspect run/pretrained.safetensors
for ranks in 2 3; do
    expect 0 'PASS' "${mpirun[@]}" -n "$ranks" env OMP_NUM_THREADS=2 "$auxseg" run tiny.cfg \
        --set run.until=cluster --set run.resume=never
    cmp run/labels.h5 one.h5 >out 2>&1 || fail "labels of $ranks ranks"
done
# The norm at the end is what is asked for where no layers are named.
expect 0 'extract: norm of vit.safetensors, 128 dimensions' "$auxseg" extract tiny.cfg \
    --set 'extract.layers=' --set extract.positions=timm
grep -q 'by the rule "timm"' out || fail "rule that is asked for"

# A ResNet of another depth: here the pretrained one's own, as "another" network.
expect 0 'extract: layer2 of run/pretrained.safetensors, 128 dimensions' "$auxseg" extract tiny.cfg \
    --set extract.backbone=resnet18 --set extract.weights=run/pretrained.safetensors \
    --set extract.layers=layer2
expect 3 'lacks [0-9]* of the network' "$auxseg" extract tiny.cfg --set extract.layers=layer2 \
    --set extract.backbone=resnet34 --set extract.weights=run/pretrained.safetensors

expect 0 'no mistake found' "$auxseg" check tiny.cfg
expect 2 'block2" is unknown; known are block0 .. block1' "$auxseg" check tiny.cfg \
    --set extract.layers=block2
expect 2 'extract.weights is empty' "$auxseg" check tiny.cfg --set extract.weights=
expect 2 'is the model itself' "$auxseg" check tiny.cfg --set extract.source=finetuned
expect 3 'no vision transformer of extract.backbone' "$auxseg" check tiny.cfg \
    --set extract.weights=run/pretrained.safetensors

[[ $failures -eq 0 ]] || exit 1
echo "all as expected"
