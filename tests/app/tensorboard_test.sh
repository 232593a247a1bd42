#!/usr/bin/env bash
# run.tensorboard: the same figures as in metrics.csv, each step once, also where a training went on from
# a checkpoint behind which steps had been written; a record that a kill has torn disturbs nothing.
# Without the setting nothing is written, and with it the weights are the same.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export OMP_NUM_THREADS=1
read_events=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/read_events.py
command -v python3 >/dev/null || exit 77

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; checkpoint_steps = 3; };
dataset: { layout = "synth"; root = "images"; synth_train = 4; synth_val = 1; synth_height = 32;
           synth_width = 48; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { source = "finetuned"; };
cluster: { k = 3; iterations = 2; sample = 50; };
pretrain: { steps = 8; batch = 2; crop = 32; pixels = 8; };
finetune: { fraction = 1.0; steps = 2; batch = 2; crop = 32; };
CFG

# same STAGE: the loss in metrics.csv and in the events. Nine digits against single precision.
same() {
    awk -F, -v stage="$1" '$1 == stage && $4 != "" { printf "loss %d %.6g\n", $3, $4 }' \
        run/metrics.csv >expected
    python3 "$read_events" "run/tensorboard/$1" >events || fail "$1: events cannot be read"
    grep '^loss ' events >out
    awk 'NR == FNR { want[$2] = $3; n++; next }
        { d = $3 - want[$2]; m++; if (d < 0) d = -d; if (d > 1e-5 * (1 + $3)) bad = 1 }
        END { exit bad || n != m || n == 0 }' expected out || fail "$1: other figures"
}

expect 0 'Result: PASS' "${mpirun[@]}" -n 2 "$auxseg" run tiny.cfg --set run.until=cluster
[[ ! -e run/tensorboard ]] || fail "events without run.tensorboard"
cp -r run clusters
expect 0 'Result: PASS' "$auxseg" pretrain tiny.cfg
cp run/pretrained.safetensors golden
rm -rf run
cp -r clusters run
# Steps 1 to 5 are written, the checkpoint is of step 3; the file's end is torn.
expect 5 'step 6' env AUXSEG_HOOK_WEIGHT=6:1 "${mpirun[@]}" -n 2 "$auxseg" pretrain tiny.cfg \
    --set run.tensorboard=true
same pretrain
[[ $(grep -c '^loss' events) -eq 5 ]] || fail "not five steps"
printf 'torn' >>"$(ls run/tensorboard/pretrain/events.*)"
expect 0 'continues after step 3' "${mpirun[@]}" -n 2 "$auxseg" pretrain tiny.cfg \
    --set run.tensorboard=true
same pretrain
[[ $(grep -c '^loss' events) -eq 8 ]] || fail "not eight steps"
grep -q '^learning_rate 8 ' events || fail "no learning rate"
[[ $(find run/tensorboard/pretrain -type f | wc -l) -eq 2 ]] || fail "not a file a start"
cmp golden run/pretrained.safetensors >out 2>&1 || fail "other weights"
# Clustering, whose figures are others.
expect 0 'Result: PASS' "$auxseg" cluster tiny.cfg --set run.resume=never --set run.tensorboard=true
python3 "$read_events" run/tensorboard/cluster >out || fail "cluster: events cannot be read"
grep -q '^objective 1 ' out || fail "no objective"

[[ $failures -eq 0 ]] && echo "all as expected"
exit $((failures > 0))
