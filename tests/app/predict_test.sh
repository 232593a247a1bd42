#!/usr/bin/env bash
# predict: a file an image, at the image's own size whatever dataset.scale is, called after it, in
# the classes' own colours, with the ids of the label files if asked; the same files on any number of
# ranks; two images of one name, and a split without images, are refused by name.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export OMP_NUM_THREADS=1

cat >synth.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 3; synth_val = 3; synth_height = 33;
           synth_width = 49; scale = 0.5; };
model: { backbone = "resnet18"; stages = 1; head = "fcn"; head_channels = 8; group = 2; };
extract: { source = "finetuned"; };
finetune: { fraction = 1.0; steps = 6; batch = 2; crop = 32; };
CFG
expect 0 'Result: PASS' "$auxseg" run synth.cfg --set run.until=baseline
weights=(--set evaluate.weights=run/baseline.safetensors)
out=run/predictions

expect 0 '3 predictions in run/predictions' "$auxseg" predict synth.cfg "${weights[@]}"
[[ $(ls $out) == $'00000.png\n00001.png\n00002.png' ]] || { ls $out >out; fail "names"; }
for file in $out/*; do
    expect 0 'png, 49 x 33 pixels, 1 channel(s) of 8 bits, palette' "$auxseg" inspect "$file"
done
before=$(cat $out/* | cksum)
rm -r $out
expect 0 '3 predictions' "${mpirun[@]}" -n 2 "$auxseg" predict synth.cfg "${weights[@]}"
[[ $(cat $out/* | cksum) == "$before" ]] || fail "other predictions on two ranks"
rm -r $out
expect 0 '1 predictions' "$auxseg" predict synth.cfg "${weights[@]}" --set evaluate.predictions=1
[[ $(ls $out) == 00000.png ]] || fail "one prediction"

# In the label maps' own colours: the palettes begin alike.
# colours FILE: of the 8 classes.
colours() {
    local at
    at=$(grep -abo PLTE "$1" | head -1 | cut -d: -f1)
    tail -c +$((at + 5)) "$1" | head -c 24 | od -An -tx1
}
[[ $(colours $out/00000.png) == "$(colours images/val-labels/00000.png)" ]] || fail "colours"

expect 3 'evaluate.split = "test": the data set has no such image (dataset.test)' "$auxseg" predict \
    synth.cfg "${weights[@]}" --set evaluate.split=test

# Ids of the label files are the inverse of dataset.label_map: what is predicted, taken as ground
# truth under the same map, is right at every pixel; ids of training are not.
pairs() {
    sed "s/layout = \"synth\"; root = \"images\"/layout = \"pairs\"; root = \".\"; classes = 8; \
label_map = \"$1\"; train = \"train.txt\"; val = \"$2\"/; s/scale = 0.5/scale = 1.0/; s/\"run\"/\"$3\"/" \
        synth.cfg
}
for split in train val; do sed 's/[^\t]*/images\/&/; s/\t/\timages\//' images/$split.txt >$split.txt; done
backwards='0:7,1:6,2:5,3:4,4:3,5:2,6:1,7:0,255:255'
pairs "$backwards" val.txt pairs >pairs.cfg
expect 0 'Result: PASS' "$auxseg" run pairs.cfg --set run.until=baseline
weights=(--set evaluate.weights=pairs/baseline.safetensors)
for ids in dataset train; do
    expect 0 '3 predictions' "$auxseg" predict pairs.cfg "${weights[@]}" --set evaluate.ids=$ids
    rm -rf $ids
    mv pairs/predictions $ids
    for ((i = 0; i < 3; i++)); do
        printf 'images/val/0000%d.png\t%s/0000%d.png\n' $i $ids $i
    done >as-$ids.txt
    pairs "$backwards" as-$ids.txt again-$ids >again.cfg
    expect 0 'Result: PASS' "$auxseg" pack again.cfg
    expect 0 "evaluate" "$auxseg" evaluate again.cfg "${weights[@]}"
    grep -o 'aAcc [0-9.]*' out >$ids.figure
done
# A start that was stopped wrote some of its files in other numbers: they are not taken for done.
rm -rf pairs/predictions
AUXSEG_HOOK_STOP=1 expect 75 'Result: STOPPED' "$auxseg" predict pairs.cfg "${weights[@]}" \
    --set evaluate.ids=train --set run.threads=1
[[ -n $(ls pairs/predictions) ]] || fail "nothing was written before the stop"
expect 0 '3 predictions' "$auxseg" predict pairs.cfg "${weights[@]}" --set evaluate.ids=dataset
diff -r pairs/predictions dataset >out 2>&1 || fail "two kinds of ids in one folder"
[[ $(cat dataset.figure) == 'aAcc 1.0000' ]] || { cp dataset.figure out; fail "ids of the data set"; }
[[ $(cat train.figure) != 'aAcc 1.0000' ]] || fail "ids of training are those of the data set"

# A class that no id of the label files is.
pairs '0:0,1:1,2:2,3:3,4:4,5:5,6:6,7:0,255:255' val.txt seven >seven.cfg
expect 0 'Result: PASS' "$auxseg" pack seven.cfg
expect 2 'evaluate.ids = "dataset": no id of the label files is class 7, class 7 (dataset.label_map)' \
    "${mpirun[@]}" -n 2 "$auxseg" predict seven.cfg "${weights[@]}" --set evaluate.ids=dataset
[[ $(grep -c 'no id of' out) -eq 1 ]] || fail "said once"

# Images of one file name are told apart by their folders, or refused by name.
mkdir -p x/y
cp images/val/00000.png x/y/a.png
cp images/val/00001.png x/a.png
printf 'x/y/a.png\nx/a.png\n' >both.txt
pairs "$backwards" both.txt both >both.cfg
expect 0 'Result: PASS' "$auxseg" pack both.cfg
expect 0 '2 predictions' "$auxseg" predict both.cfg "${weights[@]}"
[[ $(ls both/predictions) == $'x_a.png\nx_y_a.png' ]] || { ls both/predictions >out; fail "told apart"; }
cp images/val/00002.png x_a.png
printf 'x/a.png\nx_a.png\nx/y/a.png\n' >clash.txt
pairs "$backwards" clash.txt clash >clash.cfg
expect 0 'Result: PASS' "$auxseg" pack clash.cfg
expect 3 'predictions of x/a.png and of x_a.png would both be called x_a.png' "${mpirun[@]}" -n 2 \
    "$auxseg" predict clash.cfg "${weights[@]}"
[[ $(grep -c 'would both' out) -eq 1 ]] || fail "said once"
[[ ! -e clash/predictions/x_a.png ]] || fail "one of them is written"

[[ $failures -eq 0 ]] || exit 1
echo "all as expected"
