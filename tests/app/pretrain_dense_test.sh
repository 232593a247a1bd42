#!/usr/bin/env bash
# Dense contrast: a run, to the report; the same weights on 1 to 3 ranks, with 1 and 2 threads, in
# waves, stopped after a step, killed on two ranks after a checkpoint, and continued; the weights of
# the two parts of its loss. Needs no data.
method=dense
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"
. "$here/queue_contrast.sh"

expect 0 'adapted from DenseCL' "$auxseg" run tiny.cfg
[[ -e run/DONE && ! -e run/labels.h5 && ! -e run/baseline.safetensors ]] || fail "dense: other stages"
expect 2 'pretrain.method = "dense" has no auxiliary' "$auxseg" check tiny.cfg --set run.rounds=2
any_ranks

# Without a weight for cells it is instance contrast, to the bit, and its loss is that of both parts,
# each with its weight.
for weight in 0 1; do
    cp -r packed part-$weight
    train part-$weight 1 1 0 "weight $weight for cells" --set pretrain.dense_weight=$weight
done
cp -r packed instance
train instance 1 1 0 'adapted from MoCo v2' --set pretrain.method=instance
# losses RUN: of its steps.
losses() { grep '^pretrain,' "$1/metrics.csv" | cut -d, -f4; }
cmp <(losses part-0) <(losses instance) || fail "no weight for cells is not instance contrast"
read -r first part0 part1 <<<"$(for of in run part-0 part-1; do
    losses $of | head -n 1
done | tr '\n' ' ')"
awk "BEGIN { d = $first / (($part0 + $part1) / 2) - 1; exit d * d > 1e-14 || $part0 == $part1 }" ||
    fail "loss $first of $part0 and $part1"

[[ $failures -eq 0 ]] && echo passed
exit $((failures > 0))
