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
# A teacher that is given images in another way than the network that it teaches.
expect 0 'names of mmseg' "$auxseg" convert run/finetuned.safetensors rgb.safetensors --to mmseg \
    --input 'rgb 0..1 mean 0.485 0.456 0.406 std 0.229 0.224 0.225'
expect 3 "rgb.safetensors: as a teacher .* it takes \"rgb 0..1 .*, that one \"$input\"" \
    "$auxseg" finetune synth.cfg --set finetune.method=pseudo-labels --set finetune.fraction=0.5 \
    --set finetune.teacher=rgb.safetensors --set model.stem=auto --set model.channels=auto \
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
    expect 3 'no tensor that the format has' "$auxseg" convert \
        "$weights/squeezenet1_0-imagenet.safetensors" no.safetensors --to mmseg
    # As extractor: maps on the grid of every other encoder.
    expect 0 'squeeze/dataset.h5' "$auxseg" pack synth.cfg --set run.dir=squeeze
    expect 0 '3 clusters' "$auxseg" cluster synth.cfg --set run.dir=squeeze --set run.until= \
        --set model.backbone=squeezenet1_0 --set model.stages=4 --set extract.source=weights \
        --set "extract.weights=$weights/squeezenet1_0-imagenet.safetensors" \
        --set model.channels=auto --set model.range=auto --set model.std=auto
    expect 2 'layer1 .. layer3' "$auxseg" extract synth.cfg --set run.dir=squeeze \
        --set model.backbone=squeezenet1_0 --set model.stages=4 --set extract.layers=layer4 \
        --set extract.source=weights \
        --set "extract.weights=$weights/squeezenet1_0-imagenet.safetensors"
fi
# Files that lie or do harm. safetensors FILE HEADER BYTES...: with the header's length in front, the
# rest as printf has it.
safetensors() {
    local n=${#2}
    { printf "$(printf '\\x%02x\\x%02x' $((n % 256)) $((n / 256)))"'\0\0\0\0\0\0'"%s" "$2"
        printf "$3"; } >"$1"
}
four='\x00\x00\x80\xbf'
one='"dtype":"F32","shape":[1],"data_offsets":'
safetensors odd.safetensors '{"a\u001b[2Jb":{'"$one"'[0,4]}}' "$four"
expect 0 'a.x1b.2Jb' "$auxseg" inspect odd.safetensors
grep -q $'\x1b' out && fail 'inspect prints an escape'
expect 3 'belongs to this network' "$auxseg" predict synth.cfg --set evaluate.weights=odd.safetensors
grep -q $'\x1b' out && fail 'an error prints an escape'
safetensors over.safetensors '{"a":{'"$one"'[0,4]},"b":{'"$one"'[0,4]}}' "$four"
expect 3 'overlaps another one' "$auxseg" verify over.safetensors
safetensors hole.safetensors '{"a":{'"$one"'[4,8]}}' "$four$four"
expect 3 'comes after a hole' "$auxseg" verify hole.safetensors
echo '# Weights: see elsewhere' >README.md
for command in 'check synth.cfg --set model.weights=README.md' 'convert README.md x.safetensors'; do
    # shellcheck disable=SC2086
    expect 3 'README.md: not a file of weights, but a text' "$auxseg" $command
done
# A header of 123 bytes begins with a brace, as a record does.
safetensors brace.safetensors "$(printf '%-123s' '{"a":{'"$one"'[0,4]}}')" "$four"
expect 0 'brace.safetensors: safetensors, 1 tensors' "$auxseg" inspect brace.safetensors
# 8 TB that are not there: refused by the header, before anything is hashed or read.
huge='{"stem.1.weight":{"dtype":"F32","shape":[2000000000000],"data_offsets":[0,8000000000000]}}'
safetensors huge.safetensors "$huge" ''
if truncate -s $((8 + ${#huge} + 8000000000000)) huge.safetensors 2>out; then
    expect 3 'GiB of tensors' "$auxseg" predict synth.cfg --set evaluate.weights=huge.safetensors
    truncate -s 0 huge.safetensors && truncate -s 8000000000000 huge.safetensors
    expect 3 'huge.safetensors: no safetensors file' "$auxseg" predict synth.cfg \
        --set evaluate.weights=huge.safetensors
fi
# A value that no network may hold is named, by check as by a stage.
many() { for _ in {1..32}; do printf '%s' "$1"; done; }
for case in "running_var $four below.zero" 'weight \x00\x00\xc0\x7f not.finite'; do
    read -r name value why <<<"$case"
    safetensors bad.safetensors '{"stem.1.'"$name"'":{"dtype":"F32","shape":[32],"data_offsets":[0,128]}}' \
        "$(many "$value")"
    expect 3 "stem.1.$name.*$why" "$auxseg" check synth.cfg --set model.weights=bad.safetensors
    expect 5 "stem.1.$name.*$why" "$auxseg" verify bad.safetensors
done
expect 2 'weights and an image' "$auxseg" classify mm.safetensors
[[ $failures -eq 0 ]] || exit 1
echo "all as expected"
