#!/usr/bin/env bash
# shellcheck disable=SC2154 # auxseg, failures: of common.sh
# Every published layout, in a small tree of its published form: `check` and `pack` with dataset.root
# alone, and labels as a plain reading in Python has them (tests/fixtures/make_layouts.py). Then what
# is missing or wrong in such trees.
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$tests/app/common.sh"
tar xzf "$tests/fixtures/layouts.tar.gz" || exit 1
export OMP_NUM_THREADS=1
# Small images have few features: as many clusters as they allow.
printf 'cluster: { k = 2; sample = 8; };\n' >few.cfg

# layout CASE LAYOUT TEXT [--set ...]: a line of check, then the labels.
layout() {
    local case=$1 layout=$2 text=$3
    shift 3
    cases=$((cases + 1))
    set -- --set "dataset.layout=$layout" --set "dataset.root=$case" --set "run.dir=run-$case" "$@"
    expect 0 "$text" "$auxseg" check few.cfg "$@"
    grep -q '^check: no mistake found' out || fail "$case: mistakes"
    expect 0 'Result: PASS' "$auxseg" pack few.cfg "$@"
    "$AUXSEG_PRINT" "$case" "run-$case/dataset.h5" >>got || fail "$case: not read"
}

cases=0
layout cityscapes-ids cityscapes 'layout cityscapes, variant fine: .*labelIds.png'
layout cityscapes-train-ids cityscapes 'layout cityscapes, variant fine: .*labelTrainIds.png'
layout cityscapes-coarse cityscapes 'layout cityscapes, variant coarse: .*gtCoarse'
layout voc voc 'layout voc, variant voc: .*ImageSets/Segmentation/train.txt'
layout voc-aug voc 'layout voc, variant aug: .*trainaug.txt'
layout ade20k ade20k '^train: 2 images, 2 of them labelled'
layout cocostuff-164k cocostuff 'layout cocostuff, variant 164k'
layout cocostuff-10k cocostuff 'layout cocostuff, variant 10k'
layout cocostuff-10k-raw cocostuff 'layout cocostuff, variant 10k: .*imageLists/train.txt'
layout coco-things coco 'layout coco, variant things'
layout coco-panoptic coco 'layout coco, variant panoptic'
layout kitti kitti '^val: 2 images, 2 of them labelled'
layout mapillary-1.2 mapillary 'layout mapillary, variant v1.2'
layout mapillary-2.0 mapillary 'layout mapillary, variant v2.0'
layout camvid-segnet camvid '^test: 1 images, 1 of them labelled'
layout camvid-11 camvid 'layout camvid, variant 11: .*label maps are colours'
layout camvid-32 camvid 'layout camvid, variant 32' --set dataset.variant=32
layout pairs-colours pairs '3 classes; of the pixels of 2 label maps' --set dataset.train=train.tsv \
    --set dataset.val=val.tsv --set dataset.colours=class_dict.csv
layout masks pairs '2 classes; of the pixels of 2 label maps' --set dataset.train=train.tsv \
    --set dataset.val=val.tsv --set dataset.classes=2
[[ $cases -eq $(grep -c ' classes ' "$tests/fixtures/layouts.txt") ]] || fail "$cases cases"
diff "$tests/fixtures/layouts.txt" got >out || fail "labels differ"

# Other variants of the same trees, and roots a folder above.
expect 0 'variant v1.2' "$auxseg" check few.cfg --set dataset.layout=mapillary \
    --set dataset.root=mapillary-2.0 --set dataset.variant=v1.2
expect 0 '^train: 5 images, 5 of them labelled' "$auxseg" check few.cfg --set run.until=pack \
    --set dataset.layout=kitti --set dataset.root=kitti --set dataset.variant=all
mkdir -p above/VOCdevkit && mv voc above/VOCdevkit/VOC2012
expect 0 'no mistake found' "$auxseg" check few.cfg --set dataset.layout=voc --set dataset.root=above
mv above/VOCdevkit/VOC2012 voc
# A list of paths, as it goes around, is the list of names.
mv voc-aug above/VOCdevkit/VOC2012
sed -i 's|.*|/JPEGImages/&.jpg /SegmentationClassAug/&.png|' \
    above/VOCdevkit/VOC2012/ImageSets/Segmentation/trainaug.txt
expect 0 'Result: PASS' "$auxseg" pack few.cfg --set dataset.layout=voc --set dataset.root=above \
    --set run.dir=run-paths
"$AUXSEG_PRINT" voc-aug run-paths/dataset.h5 | sed 's|VOCdevkit/VOC2012/||' >paths
diff <(grep '^voc-aug ' "$tests/fixtures/layouts.txt") paths >out || fail "a list of paths"

# What is not there is said, with what was expected.
expect 3 'expected below it: leftImg8bit/train/\*_leftImg8bit.png with gtFine/train/' "$auxseg" check \
    few.cfg --set dataset.layout=cityscapes --set dataset.root=voc
expect 2 'layout "voc" has aug, voc' "$auxseg" check few.cfg --set dataset.layout=voc \
    --set dataset.root=voc --set dataset.variant=VOC
expect 2 'layout "ade20k" knows its splits' "$auxseg" check few.cfg --set dataset.layout=ade20k \
    --set dataset.root=ade20k --set dataset.train=list.txt
rm ade20k/annotations/training/ADE_train_00000001.png
expect 0 'ADE_train_00000001.jpg has no label map below annotations/training' "$auxseg" check few.cfg \
    --set dataset.layout=ade20k --set dataset.root=ade20k
grep -q '^train: 2 images, 1 of them labelled' out || fail "one without a label map"
rm -r ade20k/annotations/validation
expect 3 'evaluate.split = "val": no labelled image' "$auxseg" check few.cfg \
    --set dataset.layout=ade20k --set dataset.root=ade20k

# Ids and colours beyond the classes: the first file, its pixel, how often.
expect 3 '000032.png: label id 20 is neither a class (0 to 19).*: first at column [0-9]*, row [0-9]*; [0-9]* pixels in 3 of 3 label maps' \
    "$auxseg" check few.cfg --set dataset.layout=voc --set dataset.root=voc --set dataset.classes=20
printf '1 2 3 wall\n0 0 0 void\n0 200 0 wall\n0 0 250 door # blue\n' >pairs-colours/three.txt
for command in check pack; do
    expect 3 'a.png: colour 200 0 0 is none of the 4 colours of the labels: first at column [0-9]*, row [0-9]*; [0-9]* pixels in 2 of 2 label maps' \
        "$auxseg" "$command" few.cfg --set dataset.layout=pairs --set dataset.root=pairs-colours \
        --set dataset.train=train.tsv --set dataset.val=val.tsv --set dataset.colours=three.txt \
        --set run.dir=run-three
done
for line in '1 2' '1 2 300 x' '1 2 3 a\n1 2 3 b'; do
    printf '%b\n' "$line" >pairs-colours/bad.txt
    expect 2 'bad.txt: \(line 1: \|colour 1 2 3 stands there twice\)' "$auxseg" check few.cfg \
        --set dataset.layout=pairs --set dataset.root=pairs-colours --set dataset.train=train.tsv \
        --set dataset.colours=bad.txt --set run.until=pack
    [[ $(grep -c 'error: ' out) -eq 1 ]] || fail "more than the table is wrong"
done

# Another table of colours is another data set: packed anew, and only then.
colours=(--set dataset.layout=pairs --set dataset.root=pairs-colours --set dataset.train=train.tsv
    --set dataset.val=val.tsv --set dataset.colours=class_dict.csv --set run.dir=run-pairs-colours)
expect 0 'already done' "$auxseg" pack few.cfg "${colours[@]}"
sed -i 's/open sky/sky/' pairs-colours/class_dict.csv
expect 0 'pack: 2 images' "$auxseg" pack few.cfg "${colours[@]}"

# Masks of 0 and 255 for two classes: right by every rule, and a mIoU of 1.
masks=(--set dataset.layout=pairs --set dataset.root=masks --set dataset.train=train.tsv
    --set dataset.val=val.tsv --set dataset.classes=2)
for command in check pack; do
    expect 0 'warning: labels: all pixels that have a class are "class 0", .*dataset.label_map = "0:0,255:1" and dataset.ignore = -1' \
        "$auxseg" "$command" few.cfg "${masks[@]}" --set run.dir=run-warned
done
expect 0 'class 0 [0-9.]* %, class 1 [0-9.]* %$' "$auxseg" check few.cfg "${masks[@]}" \
    --set dataset.label_map=0:0,255:1 --set dataset.ignore=-1
! grep -q 'warning: labels' out || fail "masks that are said are warned of"

# Two images whose predictions would have one name.
cp masks/a.jpg masks/b.png && cp masks/a.jpg masks/c.png
mkdir names && cp masks/a.jpg names/x.jpg && cp masks/b.jpg names/x.jpeg
for command in check pack; do
    expect 0 'x.jpeg and x.jpg: their predictions would both be called x.png' "$auxseg" "$command" \
        few.cfg --set dataset.layout=folder --set dataset.root=names --set run.dir=run-names \
        --set run.until=pack
done
exit $((failures > 0))
