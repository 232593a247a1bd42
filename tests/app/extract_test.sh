#!/usr/bin/env bash
# extract.pca and extract.npy: the same files for any number of ranks and threads, of the size that
# the header says; the clustering works on what is left; more components than there are dimensions
# are refused before anything is done.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 3; synth_val = 1; synth_height = 32;
           synth_width = 48; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { source = "finetuned"; layers = "layer2"; };
cluster: { k = 3; iterations = 2; sample = 50; };
finetune: { steps = 2; batch = 2; crop = 32; };
CFG
export OMP_NUM_THREADS=1
expect 0 'PASS' "$auxseg" run tiny.cfg --set run.until=cluster
sed -i 's/layer2";/layer2"; pca = 5; npy = "x.npy";/' tiny.cfg
expect 0 'PCA: 5 of 128 dimensions keep' "$auxseg" extract tiny.cfg
# 3 images of 4 x 6 pixels at stride 8, 5 dimensions, a header of 128 bytes.
[[ $(stat -c %s x.npy) -eq $((128 + 3 * 24 * 5 * 4)) ]] || fail "size of x.npy"
grep -qa "'descr': '<f4', 'fortran_order': False, 'shape': (72, 5)" x.npy || fail "header of x.npy"
expect 0 'variance kept by PCA' grep 'variance kept by PCA' run/run.json
expect 0 '72 rows of 5 float32' "$auxseg" inspect run/features.h5
for ranks in 2 3; do
    expect 0 'x2.npy' "${mpirun[@]}" -n "$ranks" env OMP_NUM_THREADS=2 "$auxseg" extract tiny.cfg \
        --set extract.npy=x2.npy --set run.resume=never
    cmp x.npy x2.npy >out 2>&1 || fail "features of $ranks ranks"
    rm -f x2.npy
done
# What was kept is read and written again; the clustering takes it.
expect 0 'read from' "$auxseg" extract tiny.cfg --set extract.npy=x2.npy
cmp x.npy x2.npy >out 2>&1 || fail "features that were kept"
expect 0 'read from' "$auxseg" cluster tiny.cfg
expect 0 '3 clusters' "$auxseg" inspect run/labels.h5
# Computed by the clustering: written as well.
rm -r x.npy run/features.h5
expect 0 'written to x.npy' "$auxseg" cluster tiny.cfg --set run.resume=never
cmp x.npy x2.npy >out 2>&1 || fail "features of the clustering"

expect 2 '129: the features have 128' "$auxseg" check tiny.cfg --set extract.pca=129
expect 2 '129: the features have 128' "$auxseg" extract tiny.cfg --set extract.pca=129
expect 4 'no/x.npy: cannot be written' "$auxseg" extract tiny.cfg --set extract.npy=no/x.npy

[[ $failures -eq 0 ]] || exit 1
echo "all as expected"
