#!/usr/bin/env bash
# study: points of one and two ranks of every stage, their table, the same results; mistakes named
# before anything runs; a point that did other work noticed; a study that is stopped goes on with what
# is missing. $AUXSEG: the program; $AUXSEG_MPIRUN: mpirun and flags.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export OMP_NUM_THREADS=1

cat >tiny.cfg <<'CFG'
run: { dir = "run"; };
dataset: { layout = "synth"; root = "images"; synth_train = 8; synth_val = 2; synth_height = 32;
           synth_width = 48; };
model: { backbone = "resnet18"; stages = 1; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; dtype = "f32"; };
extract: { source = "finetuned"; };
cluster: { k = 3; sample = 50; };
pretrain: { batch = 2; crop = 32; };
finetune: { batch = 4; crop = 32; };
CFG
# mpirun as the tests call it, with the point's ranks; the second word changes a point's work.
cat >launch.sh <<'SH'
ranks=$1
shift
[[ $ranks -ne 2 || ! -e other || $2 != pretrain ]] || set -- "$@" --set pretrain.lr=0.5
# The stage may be done before it hears of the request: it also asks itself.
if [[ -e stop && $2 == finetune ]]; then
    kill -TERM "$PPID"
    export AUXSEG_HOOK_STOP=1:0
fi
exec $AUXSEG_MPIRUN -n "$ranks" "$@"
SH
study=("$auxseg" study tiny.cfg --steps 3 --untimed 1 --repeats 1 --launch "bash launch.sh {ranks}")

expect 2 '1,2,,4: whole numbers from 1' "${study[@]}" --ranks 1,2,,4
expect 2 '--ranks 1,: whole numbers' "${study[@]}" --ranks 1,
expect 2 '--ranks 0: whole numbers' "${study[@]}" --ranks 0
expect 2 'ranks is missing' "${study[@]}"
expect 2 '2 is there twice' "${study[@]}" --ranks 2,2
expect 2 'predict is none of extract' "${study[@]}" --ranks 1 --stages cluster,predict
expect 2 'unknown option --stage: did you mean --stages' "${study[@]}" --ranks 1 --stage cluster
expect 2 '3 ranks x 1 thread: pretrain: 4 images in groups of 2 (model.group): at most 2 ranks' \
    "${study[@]}" --ranks 1,3
expect 2 '9 ranks x 1 thread: extract: 8 images: at most 8 ranks' \
    "${study[@]}" --ranks 9 --stages extract
expect 2 '"synth" alone' "${study[@]}" --ranks 1 --weak --set dataset.layout=folder \
    --set extract.source=weights --set extract.weights=given
expect 2 'cluster needs pretrain.method = "pixel"' "${study[@]}" --ranks 1 --stages cluster \
    --set pretrain.method=instance
expect 2 'extract needs extract.source = .* no labels to train' "${study[@]}" --ranks 1 --stages extract \
    --set dataset.layout=folder
expect 2 'no stage can be measured: extract needs extract.source' "${study[@]}" --ranks 1 \
    --set dataset.layout=folder
for stages in "" "--stages cluster,finetune"; do
    # shellcheck disable=SC2086
    expect 2 'cluster.method = "dbscan" has no iterations' "${study[@]}" --ranks 1 $stages \
        --set cluster.method=dbscan --set cluster.eps=0.5
done
expect 2 'only 4x1: one of the points' "${study[@]}" --ranks 1 --part measure --only 4x1
expect 0 '^2x1$' "${study[@]}" --ranks 1,2 --threads 1,2 --stages extract --part list
expect 0 '^run/study$' "${study[@]}" --ranks 1 --part folder
[[ ! -e run ]] || fail "a mistake is named after something was done"

# Told to stop while the last stage of the first point is under way: what is measured stays.
touch stop
expect 75 'Result: STOPPED (code 75' "${study[@]}" --ranks 1,2
rm stop
kept=(run/study/measurements/*.json)
[[ ${#kept[@]} -eq 4 && ! -e run/study/scaling.csv ]] || fail "kept: ${kept[*]}"
touch -d 2001-01-01 "${kept[@]}"
expect 0 'Result: PASS' "${study[@]}" --ranks 1,2
for file in "${kept[@]}"; do
    [[ $(stat -c %Y "$file") -lt 1000000000 ]] || fail "$file was measured again"
done
[[ $(grep -c '^Figure of Merit (FOM): [0-9.e+]* [a-z /]*, [a-z]*, nodes 1, ranks [12], threads 1, time [0-9.e-]* s, efficiency [0-9.]*, of roof [0-9.]*$' out) -eq 8 ]] ||
    fail "lines of figures"
[[ ! -e run/study/work-1x1 && ! -e run/study/LOCK ]] || fail "something is left"

# column NAME: of all rows but the head.
column() {
    awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next }
        { print at ? $at : "no column" }' run/study/scaling.csv
}
mv out table
: >out
[[ $(column stage | uniq | tr '\n' ' ') == 'extract cluster pretrain finetune ' ]] || fail "stages"
[[ $(column ranks | tr -d '\n') == 12121212 && $(column threads | sort -u) == 1 ]] || fail "points"
[[ $(paste -d, <(column stage) <(column hash) | sort -u | wc -l) -eq 4 ]] || fail "hashes"
for name in time_median time_min time_max fom speedup efficiency roof_fp32_gflops roof_efficiency \
    efficiency_of_roof read_efficiency imbalance peak_memory_mib; do
    column "$name" | grep -vqE '^[0-9.]+(e[-+][0-9]+)?$' && fail "$name: $(column "$name" | tr '\n' ' ')"
done
[[ $(column bytes_sent | grep -c '^0$') -eq 4 ]] || fail "bytes of one rank: $(column bytes_sent)"
[[ $(column backward_slowest | grep -c '^[01]$') -eq 4 ]] || fail "the slowest rank"
[[ $(column global_batch | tr -d '\n') == 2244 ]] || fail "batches"
grep -q '</main></body></html>' run/study/scaling.html || fail "the page"
grep -qE '<script|https?://[^w]' run/study/scaling.html && fail "the page loads something"

# One point's work is another: its time must not pass for a speed-up. Everything else is kept.
rm run/study/measurements/pretrain-2x1-1.json
touch other
expect 1 'pretrain: 2 ranks x 1 thread has another result ([0-9a-f]*) than 1 rank x 1 thread' \
    "${study[@]}" --ranks 1,2
grep -q 'Result: FAIL (code 1' out || fail "no word of it"
grep -q 'RESULTS DIFFER' run/study/scaling.html || fail "the page does not say it"
rm other

# As jobs do it: a point by itself, then what is there collected. Other settings are measured anew.
expect 0 'Result: PASS' "${study[@]}" --ranks 2 --stages pretrain --part measure --only 2x1 \
    --set run.seed=2
expect 2 'pretrain: 1 rank x 1 thread: 0 of 1 repetitions' "${study[@]}" --ranks 1,2 \
    --stages pretrain --part collect --set run.seed=2
grep -q 'RESULTS DIFFER' run/study/scaling.html && fail "one point alone differs from one not measured"
[[ -n $(column fom) && -z $(column speedup | tr -d '\n') ]] ||
    fail "a speed-up over nothing: $(column speedup)"
grep -q 'nan' out && fail "figures that are none"
# So is what another launcher starts; how its words are set apart says nothing.
expect 2 'pretrain: 2 ranks x 1 thread: 0 of 1 repetitions' "${study[@]}" --ranks 2 --stages pretrain \
    --part collect --set run.seed=2 --launch "nice bash launch.sh {ranks}"
expect 0 'Result: PASS' "${study[@]}" --ranks 2 --stages pretrain --part collect --set run.seed=2 \
    --launch " bash  launch.sh {ranks}"

# Images without labels: there is no baseline to begin with where a file is the extractor.
cp -r images/train pictures
given=(--set dataset.layout=folder --set dataset.root=pictures --set extract.source=weights
    --set extract.weights=run/study/base/baseline.safetensors --set run.dir=folder)
expect 0 'Result: PASS' "${study[@]}" --ranks 1,2 --stages extract,cluster "${given[@]}"
expect 0 'Result: PASS' "${study[@]}" --ranks 1,2 --stages extract "${given[@]}" --out anew
# How many images there are is known when they are packed: ranks without any are not measured, and
# not prepared for either.
mkdir few
cp images/train/0000[01].png few
few=("${study[@]}" --stages "extract,cluster" "${given[@]}" --set dataset.root=few --out few.study)
expect 2 '3 ranks x 1 thread: extract: 2 images: at most 2 ranks' "${few[@]}" --ranks 1,3
grep -q '3 ranks x 1 thread: cluster: 2 images: at most 2 ranks' out || fail "the other stage"
grep -q '1 rank x 1 thread' out && fail "a point that has work"
[[ -e few.study/base/dataset.h5 && ! -e few.study/measurements ]] || fail "measured without work"
expect 2 '3 ranks x 1 thread: extract: 2 images' "${few[@]}" --ranks 1,3 --part prepare
expect 2 '3 ranks x 1 thread: extract: 2 images' "${few[@]}" --ranks 1,3 --part measure --only 3x1
expect 0 'Result: PASS' "${few[@]}" --ranks 1,3 --stages extract --part measure --only 1x1

# Started by mpirun itself, and collected where there are fewer cores: those that measured count.
mkdir bin
cat >bin/mpirun <<'SH'
#!/bin/bash
while [[ $1 != -n ]]; do shift; done
exec $AUXSEG_MPIRUN "$@"
SH
chmod +x bin/mpirun
alone=("$auxseg" study tiny.cfg --repeats 1 --ranks "1,2" --stages extract)
expect 0 'Result: PASS' env PATH="$folder/bin:$PATH" "${alone[@]}"
cp run/study/scaling.csv measured.csv
core=$(taskset -cp $$ | sed 's/.*: *//; s/[-,].*//')
expect 0 'Result: PASS' taskset -c "$core" "${alone[@]}" --part collect
cmp -s run/study/scaling.csv measured.csv || fail "$(paste -sd ' ' <(column cores) <(column efficiency))"

if [[ $failures -gt 0 ]]; then
    echo "$failures failures"
    exit 1
fi
echo "all as expected"
