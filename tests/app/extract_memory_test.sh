#!/usr/bin/env bash
# extract.memory and extract.dtype: streamed features are the bytes of held ones, and so are the
# labels, for any number of ranks; bf16 is float32 rounded to nearest even, after the projection;
# extraction that is stopped or killed leaves no half file.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 7; synth_val = 1; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { source = "finetuned"; layers = "layer2"; };
cluster: { k = 4; iterations = 3; sample = 60; };
finetune: { steps = 2; batch = 2; crop = 32; };
CFG
export OMP_NUM_THREADS=1
expect 0 'PASS' "$auxseg" run tiny.cfg --set run.until=baseline

# cluster RANKS KEY=VALUE...: anew.
cluster() {
    local ranks=$1 set=()
    shift
    for value in "$@" run.resume=never extract.keep=true; do set+=(--set "$value"); done
    rm -f run/features.h5
    expect 0 'PASS' "${mpirun[@]}" -n "$ranks" "$auxseg" cluster tiny.cfg "${set[@]}"
}

for dtype in f32 bf16; do
    cluster 1 extract.dtype=$dtype
    cp run/features.h5 $dtype.h5
    cp run/labels.h5 $dtype-labels.h5
    for way in 1:stream 2:stream 3:stream 4:stream 2:hold 3:hold; do
        cluster "${way%:*}" extract.dtype=$dtype "extract.memory=${way#*:}"
        cmp $dtype.h5 run/features.h5 >out 2>&1 || fail "features: $dtype, $way"
        cmp $dtype-labels.h5 run/labels.h5 >out 2>&1 || fail "labels: $dtype, $way"
    done
done
! cmp -s f32-labels.h5 bf16-labels.h5 || fail "labels are not those of the rounded features"
expect 0 '336 rows of 128 bf16' "$auxseg" inspect bf16.h5
[[ $(stat -c %s bf16.h5) -lt $(stat -c %s f32.h5) ]] || fail "bf16 takes no less room"

# A file that is there is mapped, whoever has written it; other clusterings work on it.
expect 0 'read from' "${mpirun[@]}" -n 3 "$auxseg" cluster tiny.cfg --set extract.dtype=bf16 \
    --set extract.memory=stream --set cluster.method=minibatch
cp run/labels.h5 batches.h5
expect 0 'read from' "$auxseg" cluster tiny.cfg --set extract.dtype=bf16 --set run.resume=auto \
    --set cluster.method=minibatch --set cluster.outliers=0.04
expect 0 'read from' "$auxseg" cluster tiny.cfg --set extract.dtype=bf16 \
    --set cluster.method=minibatch
cmp batches.h5 run/labels.h5 >out 2>&1 || fail "mini-batches of streamed features"

# Rounding: words of two float32 files.
words() {
    tail -c +129 "$1" | od -An -v -tu4 -w4
}
for dtype in f32 bf16; do
    expect 0 "$dtype.npy" "$auxseg" extract tiny.cfg --set extract.pca=3 --set extract.dtype=$dtype \
        --set extract.npy=$dtype.npy
done
paste <(words f32.npy) <(words bf16.npy) | {
    rows=0
    while read -r exact rounded; do
        ((((exact + 0x7FFF + (exact >> 16 & 1)) >> 16 << 16) == rounded)) || exit 1
        rows=$((rows + 1))
    done
    [[ $rows -eq $((336 * 3)) ]]
} || fail "bf16 is not float32 rounded to nearest even"

# Stopped: no half file, and the run goes on to the same bytes; what a killed one left is replaced.
rm -f run/features.h5
expect 75 'stopped' "${mpirun[@]}" -n 2 "$auxseg" cluster tiny.cfg --set extract.memory=stream \
    --set run.max_hours=1e-9 --set run.resume=never
[[ ! -e run/features.h5 && ! -e run/features.h5.part ]] || fail "a stop leaves features"
head -c 5000 f32.h5 >run/features.h5.part
cluster 2 extract.memory=stream
cmp f32.h5 run/features.h5 >out 2>&1 || fail "features after a stop"
cmp f32-labels.h5 run/labels.h5 >out 2>&1 || fail "labels after a stop"
[[ ! -e run/features.h5.part ]] || fail "a part is left"

# Projected, the network's own outputs go through a file that does not stay.
for dtype in f32 bf16; do
    cluster 1 extract.pca=3 extract.dtype=$dtype
    cp run/features.h5 $dtype.h5
    cp run/labels.h5 $dtype-labels.h5
    for ranks in 1 3; do
        cluster $ranks extract.pca=3 extract.dtype=$dtype extract.memory=stream
        cmp $dtype.h5 run/features.h5 >out 2>&1 || fail "projections: $dtype, $ranks ranks"
        cmp $dtype-labels.h5 run/labels.h5 >out 2>&1 || fail "their labels: $dtype, $ranks ranks"
    done
done
expect 75 'stopped' "${mpirun[@]}" -n 2 "$auxseg" cluster tiny.cfg --set extract.memory=stream \
    --set extract.pca=3 --set run.max_hours=1e-9 --set run.resume=never
[[ -z $(find run -name 'features-raw*' -o -name '*.part') ]] || fail "a projection leaves its source"

# One large image among small ones of other sizes: what is said to be taken is what is taken.
mkdir odd
for size in 1600x1200 96x128 96x160 64x96 128x96 160x96 96x96 128x128; do
    rm -rf images
    expect 0 'images' "$auxseg" synth tiny.cfg --set dataset.synth_train=1 \
        --set "dataset.synth_height=${size%x*}" --set "dataset.synth_width=${size#*x}"
    mv "$(find images -name '*.png' -size +2k | sort | head -n 1)" odd/$size.png
done
figure() { # the number of MiB before or behind words of the log
    grep -oE "$1" out | grep -oE '[0-9.]+' | head -n 1 | cut -d. -f1
}
odd=(--set dataset.layout=folder --set dataset.root=odd --set run.dir=odd-run --set extract.source=weights
    --set extract.weights=run/baseline.safetensors --set run.verbose=true)
expect 0 'PASS' "$auxseg" pack tiny.cfg "${odd[@]}"
expect 0 'PASS' "$auxseg" extract tiny.cfg "${odd[@]}"
said=$(figure 'about [0-9.]+ MiB a rank') used=$(figure 'Peak memory .MiB.: [0-9]+')
[[ -n $said && -n $used && $said -lt $((used * 5 / 4)) && $((said + 120)) -gt $((used * 3 / 4)) ]] ||
    fail "$said MiB are said, $used are used"

[[ $failures -eq 0 ]] || exit 1
echo "all as expected"
