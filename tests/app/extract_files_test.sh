#!/usr/bin/env bash
# extract.files: features of another program give the very labels that an own extraction of the same
# numbers gives, for 1 to 3 ranks, from a features.h5 and from .npy files, held and streamed, with
# components and without; what is missing, odd or does not fit is named; other bytes are other
# features.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 5; synth_val = 1; synth_height = 64;
           synth_width = 88; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { source = "finetuned"; layers = "layer1"; normalize = false; };
cluster: { k = 6; iterations = 5; sample = 100; metric = "euclidean"; };
finetune: { steps = 2; batch = 2; crop = 32; };
CFG
export OMP_NUM_THREADS=1

# header SHAPE ORDER: of a .npy file of float32, 128 bytes.
header() {
    local text="{'descr': '<f4', 'fortran_order': $2, 'shape': $1, }"
    printf '\223NUMPY\001\000\166\000%-117s\n' "$text"
}

# maps FOLDER NPY: 16 x 22 rows of 64 dimensions an image, each in a file of its own.
maps() {
    mkdir -p "$1/train"
    for i in 0 1 2 3 4; do
        { header '(16, 22, 64)' False &&
            tail -c +129 "$2" | tail -c +$((i * 16 * 22 * 64 * 4 + 1)) |
            head -c $((16 * 22 * 64 * 4)); } >"$1/train/0000$i.npy"
    done
}

# cluster RANKS FILES WORD...: with the features of FILES, in a run of its own.
cluster() {
    local ranks=$1 files=$2
    shift 2
    mkdir -p other && cp run/dataset.h5 other
    expect 0 'PASS' "${mpirun[@]}" -n "$ranks" "$auxseg" cluster tiny.cfg --set run.dir=other \
        --set extract.source=files --set extract.layers= --set "extract.files=$files" "$@"
}

# Rows as the network has them, once; then each way of using them, by the program's own extraction.
expect 0 'PASS' "$auxseg" run tiny.cfg --set run.until=cluster --set extract.npy=x.npy \
    --set extract.keep=true
maps maps x.npy
cp run/features.h5 raw.h5
unit=(--set extract.normalize=true --set cluster.metric=cosine)
for way in "" "${unit[*]}" "${unit[*]} --set extract.pca=5 --set extract.dtype=bf16"; do
    read -ra way <<<"$way"
    expect 0 'PASS' "$auxseg" cluster tiny.cfg "${way[@]}" --set extract.keep=true
    # Ranks, files, memory. Projected rows are no longer what a projection is made of.
    for take in "1 maps hold" "2 raw.h5 stream" "3 maps stream" "2 run/features.h5 stream"; do
        read -r ranks from memory <<<"$take"
        [[ " ${way[*]} $from" != *pca*run/features.h5 ]] || continue
        rm -rf other
        cluster "$ranks" "$from" "${way[@]}" --set extract.memory="$memory"
        cmp run/labels.h5 other/labels.h5 >out 2>&1 || fail "labels: $take, ${way[*]}"
    done
done

# All files in one folder; one that is nobody's; the same again is done, other bytes are not.
mkdir flat && cp maps/train/* flat && cp flat/00000.npy flat/odd.npy
rm -rf other
cluster 2 flat
grep -q 'odd.npy is no training image' out || fail "a file too many is not told"
cluster 1 flat
grep -q 'already done' out || fail "the same files are other ones"
printf '\1' | dd of=flat/00003.npy bs=1 seek=200 conv=notrunc status=none
cluster 1 flat
grep -q 'cluster: already done' out && fail "other bytes are the same files"
expect 0 'no mistake' "$auxseg" check tiny.cfg --set extract.source=files \
    --set extract.files=flat --set extract.layers=

# refuse CODE PATTERN: with the files of `bad`, by `cluster` and by `check`.
refuse() {
    rm -rf other && mkdir other && cp run/dataset.h5 other
    local words=(tiny.cfg --set run.dir=other --set extract.files=bad --set extract.source=files
        --set extract.layers=)
    expect "$1" "$2" "${mpirun[@]}" -n 2 "$auxseg" cluster "${words[@]}"
    expect "$1" "$2" "$auxseg" check "${words[@]}"
    rm -rf bad && cp -r maps bad
}
cp -r maps bad && rm bad/train/00002.npy
refuse 3 'image train/00002.png has no file: bad/train/00002.npy is not there'
printf '\0\0\300\177' | dd of=bad/train/00004.npy bs=1 seek=$((128 + 4 * (64 * (22 * 3 + 7) + 9))) \
    conv=notrunc status=none
refuse 5 'bad/train/00004.npy: image train/00004.png: line 3, column 7, channel 9 is not finite'
{ header '(22, 16, 64)' False && tail -c +129 maps/train/00001.npy; } >bad/train/00001.npy
refuse 3 'an array of 22 x 16 x 64 does not cover its image of 64 x 88 evenly'
{ header '(16, 22, 64)' True && tail -c +129 maps/train/00001.npy; } >bad/train/00001.npy
refuse 3 'bad/train/00001.npy: in Fortran order'
{ header '(16, 22, 32)' False && tail -c +129 maps/train/00001.npy; } >bad/train/00001.npy
refuse 3 'D = .* here and .* in another file'
expect 3 'does not cover its image of 64 x 88 evenly, read as \[D, h, w\]' "$auxseg" check tiny.cfg \
    --set extract.source=files --set extract.files=maps --set extract.layers= \
    --set extract.files_order=dhw
truncate -s -4 bad/train/00003.npy
refuse 3 'bad/train/00003.npy: damaged: its data end too early'
# Maps are held against the images as their files have them, whatever the network is given.
expect 0 'no mistake found' "$auxseg" check tiny.cfg --set extract.source=files \
    --set extract.files=maps --set extract.layers= --set dataset.scale=0.2
expect 2 'extract.files is empty' "$auxseg" check tiny.cfg --set extract.source=files

[[ $failures -eq 0 ]] || exit 1
echo "all as expected"
