#!/usr/bin/env bash
# A file STOP in the run's folder: ends a run, its state saved, stays, and nothing starts while it is
# there.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export OMP_NUM_THREADS=1

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; checkpoint_steps = 1000000; };
dataset: { layout = "synth"; root = "images"; synth_train = 4; synth_val = 1; synth_height = 32;
           synth_width = 48; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; dtype = "f32"; };
extract: { source = "finetuned"; };
cluster: { k = 3; iterations = 2; sample = 50; };
finetune: { steps = 100000; batch = 2; crop = 32; };
CFG

mkdir run
touch run/STOP
expect 75 'run/STOP is there: nothing goes on before it is removed' "${mpirun[@]}" -n 2 "$auxseg" \
    run tiny.cfg
[[ -e run/STOP && ! -e run/dataset.h5 ]] || fail "STOP was removed, or the run began"
rm run/STOP

# Training steps are under way: told to stop, it ends long before its 100000 steps.
timeout 50 "${mpirun[@]}" -n 2 "$auxseg" run tiny.cfg >out 2>&1 &
job=$!
for _ in {1..450}; do
    grep -qs '^baseline' run/metrics.csv && break
    sleep 0.1
done
touch run/STOP
code=0
wait $job || code=$?
[[ $code -eq 75 ]] || fail "stopped by a file: code $code, not 75"
grep -q 'run/STOP is there' out || fail "the file is not named"
[[ -e run/STOP ]] || fail "the request to stop was removed"
[[ -n $(ls run/checkpoints) ]] || fail "no checkpoint"
steps=$(grep -c '^baseline' run/metrics.csv)
rm run/STOP
expect 0 "already done" "$auxseg" run tiny.cfg --set run.until=pack
# The same command goes on: the steps that were done stand in metrics.csv once.
expect 75 'Result' "${mpirun[@]}" -n 1 "$auxseg" run tiny.cfg --set run.max_hours=1e-9
[[ $(grep -c '^baseline' run/metrics.csv) -gt $steps ]] || fail "the run did not go on"
if cut -d, -f1-3 run/metrics.csv | sort | uniq -d | grep -q .; then fail "a step stands twice"; fi

[[ $failures -eq 0 ]] && echo "all as expected"
exit $((failures > 0))
