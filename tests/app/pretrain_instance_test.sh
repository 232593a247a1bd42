#!/usr/bin/env bash
# Instance contrast: a run without auxiliary labels, to the report; the same weights on 1 to 3 ranks,
# with 1 and 2 threads, in waves, stopped after a step, killed on two ranks after a checkpoint, and
# continued; an extractor of what it has learned, in a plan and by its path. Needs no data.
method=instance
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"
. "$here/queue_contrast.sh"

# What is left out, said beforehand, and by the run itself.
expect 0 'the stages that make and judge them are left out' "$auxseg" stages tiny.cfg
[[ "$("$auxseg" stages tiny.cfg 2>/dev/null | tr '\n' ' ')" == 'pack pretrain finetune evaluate report ' ]] ||
    fail "stages"
expect 0 'the run has no extract, no cluster and no score' "$auxseg" check tiny.cfg
! grep -q 'has no effect' out || fail "check: settings as they are by default are told to be idle"
expect 0 'pretrain.pixel_queue has no effect under pretrain.method = "instance"' "$auxseg" check \
    tiny.cfg --set pretrain.pixel_queue=8 --set pretrain.boundary=0.5
grep -q 'pretrain.boundary has no effect' out || fail "check: one idle setting of two is told"
expect 2 'run.rounds = 2: pretrain.method = "instance"' "$auxseg" check tiny.cfg --set run.rounds=2
expect 2 'run.until = "cluster": pretrain.method' "$auxseg" run tiny.cfg --set run.until=cluster
expect 2 'pretrain.average = 0.9: pretrain.method' "$auxseg" run tiny.cfg --set pretrain.average=0.9
expect 0 '12 keys in the queue, temperature 0.2, decay 0.999' "$auxseg" run tiny.cfg
[[ -e run/DONE && -e run/report.html && ! -e run/labels.h5 && ! -e run/baseline.safetensors ]] ||
    fail "the run did other stages"
[[ $(grep -c '^pretrain,' run/metrics.csv) -eq 4 ]] || fail "metrics.csv"
expect 0 'pretrain: already done' "$auxseg" pretrain tiny.cfg

any_ranks

# What it has learned is an extractor: of another cell of a plan, and by its path, to the same
# features. Labels of these make another network than the one that they are of.
cat >from.cfg <<'CFG'
about = "an extractor of another cell";
reference = "instance";
seeds = [1];
settings = ["run.compare=false"];
cells = (
  { name = "instance"; settings = ["run.until=pretrain"]; },
  { name = "by-instance"; settings = ["pretrain.method=pixel", "run.until=extract",
    "extract.keep=true", "extract.source=weights",
    "extract.weights=@instance/pretrained.safetensors"]; }
);
CFG
expect 0 'Result: PASS' "$auxseg" compare tiny.cfg --plan from.cfg --set run.dir=plans
plans=plans/from
cmp run/pretrained.safetensors $plans/instance/seed-1/pretrained.safetensors || fail "a cell"
expect 0 'Result: PASS' "$auxseg" run tiny.cfg --set run.dir=packed --set run.until=pretrain \
    --set pretrain.method=pixel --set extract.keep=true --set extract.source=weights \
    --set extract.weights=run/pretrained.safetensors
cmp packed/features.h5 $plans/by-instance/seed-1/features.h5 || fail "other features than by its path"
cmp -s packed/pretrained.safetensors run/pretrained.safetensors && fail "the method has no effect"
expect 0 'Result: PASS' "$auxseg" run tiny.cfg --set run.dir=short --set run.until=extract \
    --set pretrain.method=pixel --set extract.keep=true --set extract.source=weights \
    --set extract.weights=packed/pretrained.safetensors
cmp -s packed/features.h5 short/features.h5 && fail "the file has no effect on features"

[[ $failures -eq 0 ]] && echo passed
exit $((failures > 0))
