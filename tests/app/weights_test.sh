#!/usr/bin/env bash
# Weights of other kinds: a network with a deep stem and BGR images carries both in its files, and
# the next stage and the record have them; names go out to other projects and come back; weights of
# another network are told which one they are of; SqueezeNet's classes on photographs, where the
# data are there (AUXSEG_SHARED).
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export OMP_NUM_THREADS=1

cat >synth.cfg <<'CFG'
run: { dir = "run"; compare = false; until = "finetune"; };
dataset: { layout = "synth"; root = "images"; synth_train = 3; synth_val = 1; synth_height = 33;
           synth_width = 49; };
model: { backbone = "resnet18"; stages = 1; head = "fcn"; head_channels = 8; group = 2;
         projection = 4; stem = "deep"; channels = "bgr"; range = "bytes"; std = "64,65,66"; };
extract: { source = "finetuned"; };
cluster: { k = 3; iterations = 2; };
pretrain: { steps = 2; batch = 2; crop = 32; pixels = 16; };
finetune: { fraction = 1.0; steps = 2; batch = 2; crop = 32; };
CFG
input='bgr 0..255 mean 103.53 116.28 123.675 std 64 65 66'
expect 0 "input: $input, by model.channels" "$auxseg" run synth.cfg
cp out log
# Stages after the first are given images as the file before them says.
[[ $(grep -c "input: $input, by the metadata" log) -ge 2 ]] || fail 'stages after the first'
for file in baseline pretrained finetuned; do
    expect 0 "input: $input" "$auxseg" inspect run/$file.safetensors
    grep -qF 'backbone.stem.6.weight' out || fail "$file: the stem"
done
expect 0 "\"finetune\": \"$input\"" grep -A6 '"inputs"' run/run.json
expect 0 'input: .*by the metadata of run/finetuned' "$auxseg" predict synth.cfg \
    --set model.stem=auto --set model.channels=auto --set model.range=auto --set model.std=auto

# Out under other names and back. The files are the same bytes by either way.
expect 2 'its stem is deep' "$auxseg" convert run/finetuned.safetensors tv.safetensors --to torchvision
expect 0 'names of mmseg' "$auxseg" convert run/finetuned.safetensors mm.safetensors --to mmseg
expect 0 'decode_head.convs.0.bn.running_var' "$auxseg" inspect mm.safetensors
expect 0 'names by the rule "mmseg", 0 left out' "$auxseg" convert mm.safetensors back.safetensors --to mmseg
cmp mm.safetensors back.safetensors || fail 'mmseg: not the same back'
expect 0 'names of timm' "$auxseg" convert run/finetuned.safetensors timm.safetensors --to timm
expect 0 'conv1.6.weight' "$auxseg" inspect timm.safetensors
expect 0 'rule "timm"' "$auxseg" convert timm.safetensors bare.safetensors --names timm
expect 0 'stem.6.weight' "$auxseg" inspect bare.safetensors
expect 0 'names of timm' "$auxseg" convert bare.safetensors again.safetensors --to timm
cmp timm.safetensors again.safetensors || fail 'timm: not the same back'
# mmsegmentation's file is as good as our own: every tensor, and the input.
expect 0 "input: $input, by the metadata of mm.safetensors" "$auxseg" predict synth.cfg \
    --set evaluate.weights=mm.safetensors --set model.stem=auto --set model.channels=auto \
    --set model.range=auto --set model.std=auto
expect 2 'torchvision, timm or mmseg' "$auxseg" convert mm.safetensors x.safetensors --to mmsg
expect 2 'as in "rgb 0..1' "$auxseg" convert mm.safetensors x.safetensors --input grb
expect 2 'model.std.*three numbers above 0' "$auxseg" settings synth.cfg --set model.std=1,0,1

# What does not fit says what it is.
expect 3 'model.backbone = "resnet18"\|resnet18' "$auxseg" predict synth.cfg \
    --set evaluate.weights=run/finetuned.safetensors --set model.backbone=squeezenet1_1
shared=${AUXSEG_SHARED:-}
if [[ -r $shared/data/weights/squeezenet1_0-imagenet.safetensors ]]; then
    weights=$shared/data/weights
    photos=$shared/data/photos
    expect 0 'dog.jpg: 537 ' "$auxseg" classify "$weights/squeezenet1_0-imagenet.safetensors" \
        "$photos/dog.jpg" "$photos/eagle.jpg" "$photos/horses.jpg" --size 227
    grep -q 'eagle.jpg: 21 ' out || fail 'the eagle'
    grep -q 'horses.jpg: 690 ' out || fail 'the horses'
    expect 3 'are those of squeezenet1_0: model.backbone = "squeezenet1_0"' "$auxseg" predict \
        synth.cfg --set "evaluate.weights=$weights/squeezenet1_0-imagenet.safetensors"
    expect 3 'are those of resnet18.*no classifier of whole images' "$auxseg" classify \
        "$weights/resnet18-imagenet-layer3.safetensors" "$photos/dog.jpg"
    # As extractor: maps on the grid of every other encoder.
    expect 0 '3 clusters' "$auxseg" cluster synth.cfg --set run.dir=squeeze --set run.until= \
        --set model.backbone=squeezenet1_0 --set model.stages=4 --set extract.source=weights \
        --set "extract.weights=$weights/squeezenet1_0-imagenet.safetensors" \
        --set model.channels=auto --set model.range=auto --set model.std=auto
    expect 2 'layer1 .. layer3' "$auxseg" extract synth.cfg --set run.dir=squeeze \
        --set model.backbone=squeezenet1_0 --set model.stages=4 --set extract.layers=layer4 \
        --set extract.source=weights \
        --set "extract.weights=$weights/squeezenet1_0-imagenet.safetensors"
fi
expect 2 'weights and an image' "$auxseg" classify mm.safetensors
[[ $failures -eq 0 ]] || exit 1
echo "all as expected"
