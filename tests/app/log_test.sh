#!/usr/bin/env bash
# A job's log: what an operator reads. Each line has its time; by default it has the settings that
# differ, a few lines a stage, progress and results, with run.verbose the tables; every figure of
# merit names its stage; its last line is the result, which for an early stop is no failure.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cat >tiny.cfg <<'CFG'
run: { dir = "run"; seed = 3; };
dataset: { layout = "synth"; root = "images"; synth_train = 6; synth_val = 2; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { source = "finetuned"; layers = "layer2"; };
cluster: { k = 4; iterations = 3; sample = 60; };
pretrain: { steps = 2; batch = 2; crop = 32; pixels = 20; };
finetune: { fraction = 0.5; steps = 2; batch = 2; crop = 32; };
CFG
export OMP_NUM_THREADS=1

# All ranks are on this machine. Where its interfaces do not reach one another Open MPI would say so,
# amid the lines that are looked at.
export OMPI_MCA_btl=^tcp

# timed: every line of out begins with the time of day.
timed() {
    grep -nvaE '^[0-9]{2}:[0-9]{2}:[0-9]{2} ' out >untimed
    [[ ! -s untimed ]] || fail "$1: a line without its time: $(head -n 1 untimed)"
}

# last PATTERN: how out ends.
last() {
    tail -n 1 out | grep -qE -- "^[0-9:]{8} $1" || fail "the last line is not like \"$1\""
}

# By default, on 2 ranks.
expect 0 'date 20[0-9-]*$' "${mpirun[@]}" -n 2 "$auxseg" run tiny.cfg
timed default
last 'Result: PASS$'
# A slow machine has more lines of progress, and of its ends.
lines=$(grep -cv ' left\| taken' out)
[[ $lines -lt 60 ]] || fail "$lines lines"
for line in 'auxseg [0-9.]* \(.*\), run folder run' 'ranks x threads: 2 x 1' \
    '  run: \{ dir = "run"; seed = 3; \};' \
    'cluster: kmeans, 4 clusters of [0-9]* rows of 128 dimensions' \
    'pretrain: 2 of 2 steps, .* taken, loss '; do
    grep -qE "^[0-9:]{8} $line" out || fail "no line like \"$line\""
done
! grep -qE 'max_hours|winograd|direct|  [a-z]+ +IoU|label ids|iteration 1|negative precision' out ||
    fail "a table that was not asked for"
for stage in pack baseline evaluate-baseline extract cluster score pretrain finetune \
    evaluate-finetuned; do
    [[ $(grep -cE "Figure of Merit \(FOM\): [0-9.e+]+ [a-z ]+/s, $stage$" out) -eq 1 ]] ||
        fail "the figure of merit of $stage"
done

# With run.verbose, on one.
rm -rf run
expect 0 'max_hours = 0.0;' "$auxseg" run tiny.cfg --set run.verbose=true
timed verbose
last 'Result: PASS$'
for line in 'sky .* pixels' '3x3, 64>64 on ' 'negative precision' 'cluster: restart 0, iteration 1' \
    'MiB a rank' '  sky  *IoU 0'; do
    grep -qE -- "$line" out || fail "verbose: no line like \"$line\""
done

# What ends otherwise.
expect 75 'pretrain: stopped after step 1 of 2' "$auxseg" pretrain tiny.cfg \
    --set run.resume=never --set run.max_hours=1e-9
timed stopped
last 'Result: STOPPED \(code 75: '
expect 3 'images/none' "$auxseg" run tiny.cfg --set run.dir=other --set dataset.label_map=none
timed failed
last 'Result: FAIL \(code 3: input data\)$'

[[ $failures -eq 0 ]] && echo passed
exit $((failures > 0))
