#!/usr/bin/env bash
# What a run has left is compared with what run.json says of it, by whoever reads it: files that
# were swapped, flipped or cut off are named, and made anew by the same command, to the same bytes.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export OMP_NUM_THREADS=1
unset SLURM_JOB_ID

cat >tiny.cfg <<'CFG'
run: { dir = "run"; };
dataset: { layout = "synth"; root = "images"; synth_train = 3; synth_val = 1; synth_height = 32;
           synth_width = 48; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { source = "finetuned"; keep = true; };
cluster: { k = 3; iterations = 2; sample = 50; };
pretrain: { steps = 2; batch = 2; crop = 32; pixels = 8; };
finetune: { fraction = 0.5; steps = 2; batch = 2; crop = 32; };
report: { overlays = 1; };
CFG
expect 0 'Result: PASS' "$auxseg" run tiny.cfg
cp -r run whole

# same NAME...: these files of the run are the bytes that they were.
same() {
    local name
    for name in "$@"; do cmp -s "run/$name" "whole/$name" || fail "$name: other bytes"; done
}
again() { rm -rf run && cp -r whole run; }

# Another file under the name: named by who reads it alone, made anew by the whole run.
cp run/baseline.safetensors run/finetuned.safetensors
expect 4 'run/finetuned.safetensors: not what run.json has recorded' "$auxseg" evaluate tiny.cfg
grep -q 'auxseg finetune' out || fail "which command makes it anew"
expect 4 'finetuned.safetensors: not what' "$auxseg" predict tiny.cfg --set \
    evaluate.weights="$PWD/run/finetuned.safetensors"
expect 0 'finetuned.safetensors: not what run.json has recorded' "$auxseg" report tiny.cfg
cp run/baseline.safetensors own.safetensors
expect 0 'evaluate-weights: mIoU' "$auxseg" evaluate tiny.cfg --set evaluate.weights=own.safetensors
grep -q '"weights": {' run/run.json || fail "figures of other weights"
cmp -s run/confusion-finetuned.csv whole/confusion-finetuned.csv || fail "they are the run's"
expect 0 'finetune: its file is damaged and made anew' "${mpirun[@]}" -n 2 "$auxseg" run tiny.cfg
same finetuned.safetensors confusion-finetuned.csv

# A teacher is an input like any other.
again
cp whole/finetuned.safetensors run/baseline.safetensors
expect 4 'run/baseline.safetensors: not what run.json has recorded' "$auxseg" finetune tiny.cfg \
    --set finetune.method=pseudo-labels --set finetune.teacher=run/baseline.safetensors

# One bit in a file: a stage by itself says which command makes its input anew, `run` does it.
again
for pair in "pretrained.safetensors finetune pretrain" "labels.h5 pretrain cluster" \
    "labels.h5 score cluster" "baseline.safetensors cluster baseline"; do
    read -r file reader maker <<<"$pair"
    damage "whole/$file" "run/$file" 9
    expect 4 "$file: not what run.json has recorded" "$auxseg" "$reader" tiny.cfg
    grep -q "auxseg $maker" out || fail "$file: nothing of $maker"
    cp "whole/$file" "run/$file"
done
for pair in "baseline.safetensors baseline" "labels.h5 cluster" "pretrained.safetensors pretrain" \
    "finetuned.safetensors finetune" "confusion-finetuned.csv evaluate-finetuned"; do
    read -r file maker <<<"$pair"
    damage "whole/$file" "run/$file" 9
    expect 0 "$maker: its file is damaged and made anew" "$auxseg" run tiny.cfg
    same baseline.safetensors labels.h5 pretrained.safetensors finetuned.safetensors \
        confusion-finetuned.csv
done

# Features and images of one's own disk, whose arrays are compared when they are read.
rows=$((3 * 32 * 48 / 64 * 8 * 4)) # at least so many bytes from the end are not the table's
again
damage whole/features.h5 run/features.h5 $((rows < 2000 ? rows : 2000))
rm run/labels.h5
expect 0 'Result: PASS' "${mpirun[@]}" -n 2 "$auxseg" run tiny.cfg
same labels.h5 features.h5
again
offset=$(LC_ALL=C grep -obUaP '\x89PNG\r' whole/dataset.h5 | head -n 1 | cut -d: -f1)
damage whole/dataset.h5 run/dataset.h5 $(($(stat -c %s whole/dataset.h5) - offset - 40))
rm run/finetuned.safetensors run/baseline.safetensors run/features.h5 run/labels.h5
expect 3 'dataset.h5: damaged: it counts as not packed' "$auxseg" extract tiny.cfg --set \
    extract.weights=own.safetensors --set extract.source=weights
expect 0 'Result: PASS' "${mpirun[@]}" -n 2 "$auxseg" run tiny.cfg
same dataset.h5 labels.h5 finetuned.safetensors
again
damage whole/dataset.h5 run/dataset.h5 $(($(stat -c %s whole/dataset.h5) - offset - 40))
rm run/features.h5 run/labels.h5
expect 0 'packed anew' "${mpirun[@]}" -n 2 "$auxseg" run tiny.cfg
same dataset.h5 labels.h5

# One whose sources are gone, too, counts as packed: another copy of it is all that it needs.
gone=(tiny.cfg --set run.dir=gone --set dataset.root=copy --set dataset.layout=folder
    --set extract.weights=own.safetensors --set extract.source=weights)
mkdir copy
cp images/train/*.png copy
expect 0 'Result: PASS' "$auxseg" pack "${gone[@]}"
rm -r copy
cp gone/dataset.h5 whole.h5
offset=$(LC_ALL=C grep -obUaP '\x89PNG\r' whole.h5 | head -n 1 | cut -d: -f1)
damage whole.h5 gone/dataset.h5 $(($(stat -c %s whole.h5) - offset - 40))
expect 3 'dataset.h5: damaged, and what it was packed of, dataset.root = "copy", is not there' \
    "$auxseg" extract "${gone[@]}"
cp whole.h5 gone/dataset.h5
expect 0 'Result: PASS' "$auxseg" extract "${gone[@]}"

# Another data set in its place would have everything done anew without a word.
again
expect 0 'Result: PASS' "$auxseg" pack tiny.cfg --set run.dir=other --set dataset.root=images2 \
    --set dataset.synth_train=4
cp other/dataset.h5 run/dataset.h5
expect 4 'dataset.h5: not what run.json has recorded' "$auxseg" score tiny.cfg
expect 0 'pack: its file is damaged and made anew' "$auxseg" run tiny.cfg
same dataset.h5

# Rows of metrics.csv: what is damaged goes, and the stage and the page go on.
again
sed -i '0,/^pretrain/s/^pretrain/pretrbin/; 1s/loss/lost/' run/metrics.csv
rm run/pretrained.safetensors
expect 0 'metrics.csv: damaged (its first line, 1 row(s)): made anew' "$auxseg" run tiny.cfg
cmp <(cut -d, -f1-3 run/metrics.csv | sort) <(cut -d, -f1-3 whole/metrics.csv | sort) ||
    fail "rows of metrics.csv"
[[ -e run/metrics.csv.damaged ]] || fail "the damaged metrics are gone"
# Those that are missing at its end leave no gap: the record knows of them, and a checkpoint.
again
sed -i '$d' run/metrics.csv
expect 0 'warning: run/metrics.csv: [0-9]* rows of finetune, which had [0-9]*' \
    "$auxseg" report tiny.cfg
again
expect 75 'stopped early' "$auxseg" finetune tiny.cfg --set finetune.steps=9 \
    --set run.max_hours=1e-9
sed -i '/^finetune,/d' run/metrics.csv
expect 0 'warning: run/metrics.csv: 0 of the [1-9] rows of finetune that were done, round 1' \
    "$auxseg" finetune tiny.cfg --set finetune.steps=9

# run.json: one digit, an end that is missing, and one that cannot be read at all.
again
sed -i 's/\("mIoU": 0\.[0-9]*\)[0-8]/\19/' run/run.json
cmp -s run/run.json whole/run.json && fail "no digit was changed"
cp run/run.json changed.json
expect 4 'changed.json: its checksum differs' "$auxseg" verify changed.json
expect 0 'run.json: kept as run/run.json.damaged; every stage counts as not done' "$auxseg" run tiny.cfg
cmp -s run/run.json.damaged changed.json || fail "the record as it was"
same finetuned.safetensors labels.h5
again
rm run/run.json
mkdir run/run.json
expect 4 'run/run.json: a folder; a file is needed here' "$auxseg" run tiny.cfg
[[ -d run/run.json && ! -e run/run.json.damaged ]] || fail "an unreadable record is set aside"

# The score is of other images: another list, another score.
again
expect 0 'score: already done' "$auxseg" score tiny.cfg
expect 0 'Result: PASS' "$auxseg" score tiny.cfg --set finetune.fraction=0.1
grep -q 'already done' out && fail "the score of other images counts as done"

# No memory to tell whether a file is whole is no damage of it: each allocation, the first by its
# path of calls, of stages that are done.
again
for command in score evaluate; do
    rm -f paths
    AUXSEG_HOOK_MEMORY=1000000000 AUXSEG_HOOK_PATHS=$PWD/paths expect 0 'Result: PASS' "$auxseg" \
        $command tiny.cfg
    for n in $(awk '{ n = $2; $1 = $2 = "" } !seen[$0]++ { print n }' paths); do
        expect 1 'out of memory' env AUXSEG_HOOK_MEMORY="$n" "$auxseg" $command tiny.cfg
        grep -q 'damaged\|not what run.json' out && fail "$command, allocation $n: damage"
    done
done

[[ $failures -eq 0 ]] || exit 1
echo "all as expected"
