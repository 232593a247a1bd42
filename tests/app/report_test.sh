#!/usr/bin/env bash
# The page and the confusion matrix of a tiny run: the matrix counts every labelled pixel, both are
# the same for any number of ranks, and what is missing or of other classes is left out.
# $AUXSEG: the program; $AUXSEG_MPIRUN: mpirun and flags.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cat >tiny.cfg <<EOF
run: { dir = "run"; threads = 1; };
dataset: { layout = "synth"; root = "data"; synth_train = 4; synth_val = 2; synth_height = 72;
           synth_width = 96; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 16; norm = "group";
         group = 2; projection = 16; };
extract: { source = "finetuned"; };
cluster: { k = 4; iterations = 3; sample = 200; };
pretrain: { steps = 2; batch = 2; crop = 64; pixels = 20; };
finetune: { fraction = 0.5; steps = 2; batch = 2; crop = 64; };
report: { overlays = 1; };
EOF

# has TEXT, lacks TEXT: in the page.
has() { grep -qF -- "$1" run/report.html || fail "the page lacks: $1"; }
lacks() { if grep -qF -- "$1" run/report.html; then fail "the page holds: $1"; fi; }
# What does not name a time or the ranks.
lasting() { sed -n '/<section id="results"/,/<section id="curves"/p' run/report.html | cksum; }

# Before anything has run there is a page, too.
expect 0 "" "$auxseg" synth tiny.cfg
expect 0 'PASS' "$auxseg" pack tiny.cfg
expect 0 'PASS' "$auxseg" report tiny.cfg
has '<section id="data"'
lacks '<section id="results"'
lacks 'Fine-tuning uses'

expect 0 'PASS' "${mpirun[@]}" -n 2 "$auxseg" run tiny.cfg
for id in results data quality labels clusters predictions curves time settings machine; do
    has "<section id=\"$id\""
    has "<a href=\"#$id\">"
done
has 'Fine-tuning uses 2 labelled training images.'
has 'Confusion: pretrained'
has '<summary>Confusion: baseline</summary>'
has 'Accuracy, %'
has 'aria-label="Fine-tuning, Gradient norm: from plain initial weights, 2 points'

# 8 classes; every pixel of both validation images has one.
for model in baseline finetuned; do
    file=run/confusion-$model.csv
    [[ $(wc -l <"$file") -eq 9 && $(head -n 1 "$file") == label,sky,building,* ]] ||
        fail "$file: $(head -n 1 "$file")"
    pixels=$(awk -F, 'NR > 1 { for (i = 2; i <= NF; i++) n += $i } END { print n }' "$file")
    [[ $pixels -eq $((2 * 72 * 96)) ]] || fail "$file has $pixels pixels"
done
accuracy=$(awk -F, 'NR > 1 { right += $NR; for (i = 2; i <= NF; i++) n += $i }
    END { printf "%.4f", right / n }' run/confusion-finetuned.csv)
grep -q "finetuned: .*aAcc $accuracy" out || fail "the matrix has an accuracy of $accuracy"

expect 0 'confusion matrix' "$auxseg" inspect run/confusion-finetuned.csv
expect 0 'as run.json has it' "$auxseg" verify run/confusion-finetuned.csv

# Any number of ranks makes the same page.
lasting >expected
cp run/confusion-finetuned.csv matrix.csv
for ranks in 1 3; do
    expect 0 'PASS' "${mpirun[@]}" -n "$ranks" "$auxseg" report tiny.cfg
    lasting | cmp -s - expected || fail "$ranks ranks: another page"
    rm run/confusion-finetuned.csv
    expect 0 'PASS' "${mpirun[@]}" -n "$ranks" "$auxseg" evaluate tiny.cfg
    cmp run/confusion-finetuned.csv matrix.csv || fail "$ranks ranks: another matrix"
done

# A matrix that evaluation has not written is named and not shown.
sed '1s/sky/heaven/' matrix.csv >run/confusion-finetuned.csv
expect 0 'confusion-finetuned.csv: not what run.json has recorded' "$auxseg" report tiny.cfg
lacks 'Confusion: pretrained'

[[ $failures -eq 0 ]] && echo passed
exit $((failures > 0))
