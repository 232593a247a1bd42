#!/usr/bin/env bash
# Validation during fine-tuning: its figures in the log and in metrics.csv, the same as evaluation's;
# the best step's weights, and an early end, the same bits for any ranks and threads, stopped and
# continued; that looking alone changes no weights; the warning. Needs no data.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 8; synth_val = 3; synth_height = 48;
           synth_width = 64; held_out = 2.0; held_out_block = 2; held_out_for = "validate"; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         output_stride = 8; projection = 8; dtype = "f32"; };
extract: { source = "finetuned"; layers = "layer1"; };
cluster: { k = 4; iterations = 2; sample = 60; };
pretrain: { steps = 2; batch = 4; crop = 32; pixels = 20; };
finetune: { steps = 6; batch = 4; crop = 32; lr = 0.1; schedule = "constant"; validate = 1; };
CFG
export OMP_NUM_THREADS=1
expect 0 'PASS' "$auxseg" run tiny.cfg --set run.until=pretrain \
    --set finetune.validate=0 --set finetune.lr=0.3
[[ $failures -eq 0 ]] || exit 1

# train NAME RANKS THREADS CODE PATTERN [SETTING]...: in a copy of the run's folder, or in what is
# there.
train() {
    local name=$1 ranks=$2 threads=$3 code=$4 pattern=$5 start=() set=() one
    shift 5
    for one; do set+=(--set "$one"); done
    [[ -d $name ]] || cp -r run "$name"
    [[ $ranks -eq 1 ]] || start=("${mpirun[@]}" -n "$ranks")
    OMP_NUM_THREADS=$threads expect "$code" "$pattern" "${start[@]}" "$auxseg" finetune tiny.cfg \
        --set "run.dir=$name" "${set[@]}"
}

# figures NAME: step and validation mIoU of the rows that have one.
figures() {
    awk -F, '$1 == "finetune" && $17 != "" { print $3, $17 }' "$1/metrics.csv"
}

same() {
    cmp "$1/finetuned.safetensors" "$2/finetuned.safetensors" || fail "weights of $2"
    cmp <(figures "$1") <(figures "$2") || fail "figures of $2"
}

# Looking changes nothing; every fourth step and the last.
train plain 1 1 0 'finetune: 6 steps' finetune.validate=0
train looked 1 2 0 '2 images of split "held-out" are looked at every 4' finetune.validate=4 \
    run.tensorboard=true
cmp plain/finetuned.safetensors looked/finetuned.safetensors || fail "looking changed the weights"
[[ $(figures looked | cut -d' ' -f1 | tr '\n' ' ') == '4 6 ' ]] || fail "$(figures looked)"
grep -qa mIoU looked/tensorboard/finetune/* || fail "no mIoU in the events"
[[ -z $(figures plain) ]] || fail "figures without a look"
# Looks have a phase of their own, which no training without them has, and no part in what steps
# take: images/s and the seconds of steps leave them out. Their memory is off that of waves.
train timed 1 1 0 'finetune: looks take [0-9]*[.][0-9]* MiB' run.verbose=true run.untimed_steps=0
command -v python3 >/dev/null && { python3 - plain timed >out 2>&1 <<'PY' || fail "the time of looks"; }
import csv, json, sys
plain, timed = (json.load(open(name + "/run.json"))["stages"]["finetune"] for name in sys.argv[1:])
assert "validation" not in plain["phases"], plain["phases"]
looks = timed["phases"]["validation"]["max"]
rows = sum(float(r["seconds"]) for r in csv.DictReader(open("timed/metrics.csv"))
           if r["stage"] == "finetune")
assert 0 < looks and rows + looks < timed["seconds"], (rows, looks, timed["seconds"])
assert 24 / timed["fom"] + looks < timed["seconds"], (timed["fom"], looks, timed["seconds"])
PY
train plain 1 1 0 'finetune: already done' finetune.validate=2
# Begun without looks, and continued with some and others: from the same checkpoints.
train turns 1 1 75 'stopped after step 1' finetune.validate=0 run.max_hours=1e-9
train turns 1 1 75 'continues after step 1' finetune.validate=2 run.max_hours=1e-9
train turns 2 1 75 'continues after step 2' finetune.validate=3 run.max_hours=1e-9
train turns 1 1 0 'continues after step 3' finetune.validate=4
cmp plain/finetuned.safetensors turns/finetuned.safetensors || fail "the weights of turns"
[[ $(figures turns | cut -d' ' -f1 | tr '\n' ' ') == '2 3 4 6 ' ]] || fail "$(figures turns)"
found=$(figures turns | sort -s -k2,2gr | head -n 1 | cut -d' ' -f1)
grep -A 3 '"validation-finetune"' turns/run.json | grep -q "\"step\": $found\b" ||
    fail "not the best of all starts: $(figures turns)"

# The best step is not one of the last, or this shows nothing: the third, at most, behind which it is
# stopped below.
train best 1 1 0 'validation mIoU .*, the best so far' finetune.keep=best
step=$(figures best | sort -s -k2,2gr | head -n 1 | cut -d' ' -f1)
grep -q "the weights of step $step are written" out || fail "not step $step: $(figures best)"
[[ $step -le 3 ]] || fail "the best step is one of the last: $(figures best)"
cmp -s plain/finetuned.safetensors best/finetuned.safetensors && fail "the last step's weights"
figure=$(figures best | sort -s -k2,2gr | head -n 1 | cut -d' ' -f2)
# What is written is what was looked at: evaluated on those images it has that figure.
expect 0 "mIoU $(printf %.4f "$figure")" "$auxseg" evaluate tiny.cfg --set run.dir=best \
    --set evaluate.split=held-out
train best-2 2 2 0 'the best so far' finetune.keep=best
same best best-2
# Stopped behind the best step, continued on other ranks: the best weights come from the checkpoint.
train best-3 3 1 75 'stopped after step' finetune.keep=best run.max_hours=1e-9
train best-3 1 2 75 'stopped after step' finetune.keep=best run.max_hours=1e-9
train best-3 2 1 75 'stopped after step 3' finetune.keep=best run.max_hours=1e-9
train best-3 2 1 0 "the weights of step $step are written" finetune.keep=best
same best best-3

# One validation without a rise is the end; verify counts the rows.
end=$(figures best | awk '$2 <= best { print $1; exit } { best = $2 }')
train short 1 1 0 "ends after step $end of 6: 1 validations" finetune.patience=1
train short-2 3 2 75 'stopped after step 1' finetune.patience=1 run.max_hours=1e-9
train short-2 2 1 0 "ends after step $end of 6" finetune.patience=1
same short short-2
[[ $(figures short | tail -n 1 | cut -d' ' -f1) == "$end" ]] || fail "rows: $(figures short)"
expect 0 'metrics.csv: whole' "$auxseg" verify short

# looks RUN: best figure and step of its fine-tuning, as run.json has them.
looks() {
    grep -A 3 '"validation-finetune"' "$1/run.json"
}

# A training that is taken from another run comes with the figures of its looks; one without looks
# leaves no figures of those before it.
train giver 1 2 0 'the best so far' finetune.keep=best run.store=store
train taker 1 2 0 'taken over from' finetune.keep=best run.store=store
[[ -n $(looks giver) && $(looks giver) == "$(looks taker)" ]] || fail "looks that are taken over"
train giver 1 2 0 'finetune: 6 steps' finetune.validate=0 finetune.lr=0.05
[[ -z $(looks giver) ]] || fail "figures of looks of another training"

# Methods with an average, a teacher or two networks look at what they write.
for method in mean-teacher cross-pseudo; do
    train $method 1 2 0 'the weights of step' finetune.keep=best finetune.method=$method \
        finetune.validate=4 finetune.fraction=0.5
    figure=$(figures $method | sort -s -k2,2gr | head -n 1 | cut -d' ' -f2)
    expect 0 "mIoU $(printf %.4f "$figure")" "$auxseg" evaluate tiny.cfg --set run.dir=$method \
        --set evaluate.split=held-out
done

# Who chooses by the images that figures come from is told.
expect 0 'chosen by the validation images that it is measured on' "$auxseg" check tiny.cfg \
    --set finetune.keep=best --set dataset.held_out=0 --set dataset.held_out_for=evaluate
expect 0 'the held-out images choose' "$auxseg" check tiny.cfg --set finetune.patience=2 \
    --set dataset.held_out_for=evaluate
expect 0 'figures are no estimate for other images' "$auxseg" check tiny.cfg \
    --set finetune.keep=best --set evaluate.split=held-out
# What cannot choose anything, and images that nobody would look at.
expect 0 'only the last of 3 steps is looked at' "$auxseg" check tiny.cfg --set finetune.keep=best \
    --set finetune.steps=3 --set finetune.validate=5
expect 0 'patience = 2 ends nothing: there are 2 validations' "$auxseg" check tiny.cfg \
    --set finetune.patience=2 --set finetune.steps=3 --set finetune.validate=2
expect 0 'nobody looks at the held-out images' "$auxseg" check tiny.cfg --set finetune.validate=0
expect 0 'no mistake found' "$auxseg" check tiny.cfg --set finetune.keep=best
grep -q 'chosen by\|images choose' out && fail "a warning that says nothing"
expect 2 'held_out_for = "validate" needs images' "$auxseg" check tiny.cfg \
    --set dataset.held_out=0
expect 2 'keep = "best" needs finetune.validate' "$auxseg" check tiny.cfg --set finetune.keep=best \
    --set finetune.validate=0

[[ $failures -eq 0 ]] && echo passed
exit $((failures > 0))
