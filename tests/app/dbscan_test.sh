#!/usr/bin/env bash
# cluster.method "dbscan": from the settings to the score, the same labels for any number of ranks
# and threads; what cannot be clustered is refused in words.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 5; synth_val = 1; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { source = "finetuned"; layers = "layer2"; };
cluster: { method = "dbscan"; sample = 150; eps = 0.7; min_points = 4; };
finetune: { steps = 2; batch = 2; crop = 32; };
CFG
export OMP_NUM_THREADS=1
expect 0 'DBSCAN: [0-9]* clusters in a sample of 150 pixels' "$auxseg" run tiny.cfg \
    --set run.until=score
expect 0 'dbscan (cosine), [1-9]' "$auxseg" inspect run/labels.h5
expect 0 'run/labels.h5' "$auxseg" verify run/labels.h5
expect 0 'PASS' "$auxseg" report tiny.cfg
cp run/labels.h5 alone.h5
for ranks in 2 3; do
    expect 0 'DBSCAN' "${mpirun[@]}" -n "$ranks" env OMP_NUM_THREADS=2 "$auxseg" cluster tiny.cfg \
        --set run.resume=never
    cmp run/labels.h5 alone.h5 >out 2>&1 || fail "labels of $ranks ranks"
done
expect 2 'every pixel of the sample is noise' "$auxseg" cluster tiny.cfg --set cluster.eps=1e-9
expect 2 'needs a distance above 0' "$auxseg" cluster tiny.cfg --set cluster.eps=0

[[ $failures -eq 0 ]] || exit 1
echo "all as expected"
