#!/usr/bin/env bash
# check against run, over a table of mistakes: whatever `run` refuses, `check` refuses with the same
# code, naming the same key or file; whatever `check` passes, `run` passes. The last line of `check`
# says how many mistakes there are. Needs no data: the images are the built-in ones, tiny.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export OMP_NUM_THREADS=1

# both CODE PATTERN [WORD...]: `check` and `run` with these words after the configuration.
rows=0
both() {
    local code=$1 pattern=$2 last errors
    shift 2
    rows=$((rows + 1))
    rm -rf run
    expect "$code" "$pattern" "$auxseg" check "$config" "$@"
    last=$(grep '^check: ' out | tail -n 1)
    errors=$(grep -c 'error: ' out)
    if [[ $code -eq 0 ]]; then
        [[ $last == 'check: no mistake found' ]] || fail "$*: $last"
        [[ $errors -eq 0 || $* == *on_bad_image=skip* ]] || fail "$*: an error and no mistake"
        pattern='Result: PASS'
    else
        [[ $last == "check: $errors mistake"?(s) ]] || fail "$*: $last, and $errors are named"
    fi
    [[ ! -e run ]] || fail "$*: check leaves something behind"
    expect "$code" "$pattern" "$auxseg" run "$config" "$@"
}

# A number of 32 bits, little-endian.
number() {
    printf '%b' "$(printf '\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24)))"
}

# tensor FILE NAME SHAPE ELEMENTS WORD: a safetensors file of one tensor, every element the WORD.
tensor() {
    local header="{\"$2\":{\"dtype\":\"F32\",\"shape\":$3,\"data_offsets\":[0,$((4 * $4))]}}"
    {
        number ${#header}
        number 0
        printf '%s' "$header"
        for ((i = 0; i < $4; i++)); do number "$5"; done
    } >"$1"
}

# list FILE LINE: the list of the training images, its first line another one.
list() {
    sed "1c\\$2" images/train.txt >"images/$1"
}

cat >synth.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 4; synth_val = 2; synth_height = 32;
           synth_width = 48; };
model: { backbone = "resnet18"; stages = 1; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; dtype = "f32"; };
cluster: { k = 3; iterations = 2; sample = 50; };
pretrain: { steps = 1; batch = 2; crop = 32; pixels = 8; };
finetune: { steps = 1; batch = 2; crop = 32; };
CFG
sed 's/layout = "synth"/layout = "pairs"; train = "train.txt"; val = "val.txt"; classes = 8/' \
    synth.cfg >pairs.cfg
sed 's/layout = "synth"/layout = "folder"/; s/root = "images"/root = "photos"/' synth.cfg >folder.cfg
printf 'run: { dirr = "x"; };\n' >unknown.cfg
printf 'runn: { dir = "x"; };\n' >group.cfg
printf 'run: { dir = "run"; \n' >broken.cfg

# With no weights the extractor is trained on the labels; and what the weights are for the rows below.
config=synth.cfg
both 0 'no mistake found'
mv run/baseline.safetensors weights.safetensors

# Settings.
config=unknown.cfg both 2 'unknown key run.dirr'
config=group.cfg both 2 'unknown group runn'
config=broken.cfg both 2 'broken.cfg:'
config=absent.cfg both 2 'absent.cfg: No such file'
both 2 'finetune.steps: an integer is expected' --set finetune.steps=few
both 2 'cluster.k = 1 is out of range' --set cluster.k=1
both 2 'model.norm = "grup" is none of' --set model.norm=grup
both 2 'finetune.batch = 3: must be whole groups' --set finetune.batch=3
both 2 'cluster.sample = 2 is less than cluster.k = 3' --set cluster.sample=2
both 2 'extract.source = "weights": there are none' --set extract.source=weights
both 2 'extract.layers = "layer5": "layer5" is unknown' --set extract.layers=layer5
both 2 'model.output_stride = 9: must be' --set model.output_stride=9
both 2 'evaluate.scales = "1,x"' --set evaluate.scales=1,x
both 2 'model.mean = "0.5,0.5,0.5,"' --set model.mean=0.5,0.5,0.5,
both 2 'model.std = "1e-46,1,1"' --set model.std=1e-46,1,1
both 2 'run.dir is empty' --set run.dir=

# Where the run writes.
both 4 'synth.cfg' --set run.dir=synth.cfg/run
both 4 'nowhere' --set extract.npy=nowhere/features.npy
mkdir others
cp images/train.txt others
both 2 'dataset.root = "others" holds another data set' --set dataset.root=others
# Images without any list are not synth's either.
rm others/train.txt
mkdir others/train
cp images/train/00000.png others/train/mine.png
both 2 'dataset.root = "others" holds another data set' --set dataset.root=others
[[ $(ls others) == train && $(ls others/train) == mine.png ]] || fail "another's images"

# A file that keeps `run` from starting.
mkdir stopped
touch stopped/STOP
expect 0 'warning: stopped/STOP is there' "$auxseg" check synth.cfg --set run.dir=stopped
expect 75 'stopped/STOP is there' "$auxseg" run synth.cfg --set run.dir=stopped

# Lists and classes.
config=pairs.cfg
both 0 'no mistake found' --set run.compare=true
both 3 'nowhere/train.txt: .*; nowhere/val.txt: cannot be read: No such' --set dataset.root=nowhere
both 3 'absent.txt' --set dataset.val=absent.txt
both 2 'dataset.train is empty' --set dataset.train=
list three.txt 'a.png\tb.png\tc.png'
both 3 'three.txt: line 1: more than two paths' --set dataset.train=three.txt
list twice.txt "$(sed -n 2p images/train.txt)"
both 3 'twice.txt: line 2: train/00001.png is listed twice, first in line 1 of .*twice.txt' \
    --set dataset.train=twice.txt
list blank.txt 'train/00000.png train-labels/00000.png'
both 3 'blank.txt: line 1: a blank between two paths: a tab' --set dataset.train=blank.txt
printf '\xef\xbb\xbf\n' >images/empty.txt
both 3 'no image found' --set dataset.train=empty.txt --set dataset.val=empty.txt
{ printf '\xef\xbb\xbf' && cat images/train.txt; } >images/marked.txt
both 0 'no mistake found' --set dataset.train=marked.txt
both 2 'dataset.classes = 0: layout "pairs" needs 2 or more' --set dataset.classes=0
both 2 'dataset.names: 2 names for 8 classes' --set dataset.names=a,b
both 2 'dataset.names: classes 0 and 2 are both called "a"' --set dataset.names=a,b,a,d,e,f,g,h
both 0 'no mistake found' --set "dataset.names=a, b,c,d,e,f,g,h h"
both 2 '"1:9": an id of the label files' --set dataset.label_map=0:0,1:9
both 3 'absent-map' --set dataset.label_map=absent-map
both 3 'label id .* is neither a class' --set dataset.classes=2
both 0 'no mistake found' --set dataset.classes=2 --set 'dataset.label_map=0:0,*:1'
both 3 'train/00000.png.*dataset.max_megapixels' --set dataset.max_megapixels=0.0015
both 3 'evaluate.split = "test": no labelled image' --set evaluate.split=test
both 0 'no mistake found' --set evaluate.split=train

# Nothing of a published layout: the folder is missing, or what is expected is said, once each.
mkdir nothing
expect 3 'dataset.root = "nowhere": no such folder' "$auxseg" check pairs.cfg \
    --set dataset.layout=camvid --set dataset.train= --set dataset.val= --set dataset.root=nowhere
expect 3 'nothing of layout "camvid" is there; .*train_labels/\*_L.png$' "$auxseg" check pairs.cfg \
    --set dataset.layout=camvid --set dataset.train= --set dataset.val= --set dataset.root=nothing
[[ $(grep -o 'LabeledApproved_full' out | wc -l) -eq 1 ]] || fail "a form of camvid is told twice"

# Files: bad FILE MESSAGE: an image, or FILE LABEL MESSAGE: with that label map.
bad() {
    list bad.txt "$1\t$2"
    both 3 "$3" --set dataset.train=bad.txt
}
picture=train/00000.png label=train-labels/00000.png
bad absent.png $label 'absent.png: cannot be read: No such file'
bad $picture absent.png 'absent.png: cannot be read: No such file'
head -c 800 images/$picture >images/cut.png
bad cut.png $label 'cut.png: PNG: '
head -c 200 images/$label >images/cut-label.png
bad $picture cut-label.png 'cut-label.png: PNG: '
printf 'no picture' >images/text.png
bad text.png $label 'text.png: neither JPEG nor PNG'
base64 -d >images/cmyk.jpg <<'JPEG'
/9j/7gAOQWRvYmUAZAAAAAAC/9sAQwAQCwwODAoQDg0OEhEQExgoGhgWFhgxIyUdKDozPTw5Mzg3QEhcTkBEV0U3OFBtUVdf
YmdoZz5NcXlwZHhcZWdj/9sAQwEREhIYFRgvGhovY0I4QmNjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2Nj
Y2NjY2NjY2NjY2Nj/8AAFAgAEAAQBAEiAAIRAQMRAQQiAP/EABYAAQEBAAAAAAAAAAAAAAAAAAAFB//EABQQAQAAAAAAAAAA
AAAAAAAAAAD/xAAVAQEBAAAAAAAAAAAAAAAAAAAFBv/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAOBAEAAhEDEQQAAD8AtAFE
G0AB/9k=
JPEG
printf '%b' '\xff\xd8\xff\xc0\0\x0e\x08\0\x08\0\x08\x02\x01\x11\0\x02\x11\0' \
    '\xff\xda\0\x0a\x02\x01\0\x02\0\0\x3f\0' >images/two.jpg
bad two.jpg $label 'two.jpg: a jpeg of .*unknown colours is not read'
head -c 240 images/cmyk.jpg >images/cut.jpg
bad cut.jpg $label 'cut.jpg: '
bad $picture $picture 'a label map is a grey or palette PNG'
bad $picture cmyk.jpg 'a label map is a PNG'
"$auxseg" synth synth.cfg --set dataset.root=small --set dataset.synth_width=16 >/dev/null
cp small/$label images/small.png
bad $picture small.png 'small.png: 16 x 32 pixels, but its image'
mkdir images/folder.png
bad folder.png $label 'folder.png: a folder; a file is needed here'
{ cat images/$picture && printf 'more'; } >images/longer.png
list longer.txt "longer.png\t$label"
both 0 'no mistake found' --set dataset.train=longer.txt
list skipped.txt 'absent.png\tabsent.png'
both 0 'packing leaves them out' --set dataset.train=skipped.txt --set dataset.on_bad_image=skip

# Labels.
both 3 'absent-list' --set finetune.list=absent-list
printf 'train/00002.png\nval/00000.png\n' >unknown.txt
both 3 'unknown.txt: line 2: "val/00000.png" is no labelled training image' \
    --set finetune.list=unknown.txt
printf '\n' >none.txt
both 3 'none.txt: names no image' --set finetune.list=none.txt
printf '\xef\xbb\xbftrain/00002.png\r\n' >known.txt
both 0 'no mistake found' --set finetune.list=known.txt
mkdir photos
config=folder.cfg both 3 'no image found' --set model.weights=weights.safetensors
cp images/train/*.png photos
config=folder.cfg both 2 'has no labels to train an extractor with' --set run.until=pretrain
config=folder.cfg both 0 'no mistake found' --set run.until=pretrain \
    --set model.weights=weights.safetensors
ln -s nothing.png photos/dangling.png
config=folder.cfg both 3 'photos/dangling.png: cannot be read: No such file' \
    --set run.until=pretrain --set model.weights=weights.safetensors
config=folder.cfg both 3 'no-photos' --set dataset.root=no-photos --set run.until=pretrain \
    --set model.weights=weights.safetensors

# Weights.
config=synth.cfg
both 0 'no mistake found' --set model.weights=weights.safetensors
both 3 'absent.safetensors' --set model.weights=absent.safetensors
both 3 'absent.safetensors' --set extract.weights=absent.safetensors
both 3 'pairs.cfg' --set model.weights=pairs.cfg
tensor nan.safetensors backbone.bn1.weight '[64]' 64 $((0x7fc00000))
both 3 'nan.safetensors.*backbone.bn1.weight.*not finite' --set model.weights=nan.safetensors
tensor shape.safetensors backbone.bn1.weight '[32]' 32 0
both 3 'shape.safetensors.*backbone.bn1.weight' --set model.weights=shape.safetensors
tensor other.safetensors features.0.weight '[4]' 4 0
both 3 'other.safetensors: none of its 1 tensors' --set model.weights=other.safetensors
tensor part.safetensors backbone.bn1.weight '[64]' 64 0
both 3 'part.safetensors lacks .* of the network' --set extract.weights=part.safetensors

# A classifier of other classes is left out, unless that is not wanted.
other=(--set run.compare=true --set dataset.classes=9 --set model.weights=weights.safetensors)
config=pairs.cfg
both 0 'no mistake found' "${other[@]}"
both 3 'weights.safetensors.*classifier' "${other[@]}" --set model.weights_strict=true
config=synth.cfg

# What only the machine of the run can tell is a warning.
DNNL_MAX_CPU_ISA=AVX2 expect 0 'has no such instructions' "$auxseg" check synth.cfg \
    --set model.dtype=bf16

# Weights with a head of 8 classes for a data set of 2: left out by name, or refused.
config=pairs.cfg
two=(--set dataset.classes=2 --set 'dataset.label_map=0:0,*:1' --set extract.source=finetuned)
both 0 'no mistake found' "${two[@]}" --set model.weights=weights.safetensors
for name in weight bias; do
    grep -q "warning: weights.safetensors: tensor \"classifier.4.$name\" is .*8 classes.*left out" out ||
        fail "classifier.4.$name is not named"
done
both 3 'tensor "classifier.4.*" is \[8.*, the network.s "classifier.4.*" is \[2' "${two[@]}" \
    --set model.weights=weights.safetensors --set model.weights_strict=true
config=synth.cfg

# Features and clusters.
both 2 'extract.pca = 9: the features have 8 dimensions' --set extract.pca=9
both 2 'rows of 8 features cannot make 385 clusters' --set cluster.k=385 --set cluster.sample=500
both 3 'absent.npy' --set cluster.start=absent.npy
expect 0 'Result: PASS' "$auxseg" run synth.cfg --set run.until=cluster --set extract.npy=x.npy
both 3 'x.npy: 384 centroids of 8 dimensions; needed are' --set cluster.start=x.npy
both 0 'no mistake found' --set pretrain.crop=256 --set finetune.crop=256

# Every default, in one configuration.
: >defaults.cfg
expect 0 'no mistake found' "$auxseg" check defaults.cfg
expect 0 'pretrain: 16 images a step, dealt as norm groups (model.group) of 8: at most 2 ranks of 8 t' \
    "$auxseg" check defaults.cfg
expect 0 'pretrain: 6 images .* the views of an image of 2: at most 3 ranks of 2 threads' \
    "$auxseg" check defaults.cfg --set model.norm=sync --set pretrain.batch=3
expect 0 'finetune: 9 images .* single images of 1: at most 9 ranks of 1 thread have' \
    "$auxseg" check defaults.cfg --set model.norm=frozen --set finetune.batch=9

# Several at once: each is named, and the first decides the code.
expect 4 'absent.safetensors' "$auxseg" check pairs.cfg --set run.dir=pairs.cfg/run \
    --set dataset.train=skipped.txt --set model.weights=absent.safetensors
grep -q 'absent.png' out || fail "not every mistake is named"
[[ $(grep -c 'error: ' out) -eq 3 && $(tail -n 1 out) == 'check: 3 mistakes' ]] || fail "3 mistakes"

# A file of something else: quickly, and not every one of its lines.
{ printf 'run: {\n' && seq -f 'key%.0f = 1;' 1500 && printf '};\n'; } >many.cfg
expect 2 'more unknown groups or keys' "$auxseg" check many.cfg
[[ $(grep -c 'error: ' out) -eq 21 && $(tail -n 1 out) == 'check: 1500 mistakes' ]] || fail "1500 keys"
{ printf 'run: {\n' && seq -f 'key%.0f = 1;' 60000 && printf '};\n'; } >many.cfg
expect 2 'more than 2000 settings' timeout 5 "$auxseg" check many.cfg

[[ $rows -ge 60 ]] || fail "$rows rows"
exit $((failures > 0))
