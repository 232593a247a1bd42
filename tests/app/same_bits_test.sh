#!/usr/bin/env bash
# A busy machine computes what an idle one does: with more busy processes than cores, twenty runs
# with model.dtype "auto" give the labels and weights of the first one, on whatever ranks and threads
# (of which OMP_DYNAMIC makes fewer, the busier the machine is), and the same arithmetic.
# $AUXSEG: the program; $AUXSEG_MPIRUN: mpirun and flags.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cat >tiny.cfg <<END
run: { seed = 3; compare = false; until = "pretrain"; };
dataset: { layout = "synth"; synth_train = 4; synth_val = 1; synth_height = 48; synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 16; group = 2;
         projection = 16; };
extract: { source = "finetuned"; };
cluster: { k = 4; iterations = 3; sample = 100; };
pretrain: { steps = 2; batch = 2; crop = 32; pixels = 10; };
finetune: { steps = 2; batch = 4; crop = 32; };
END

busy=()
stop_load() {
    [[ ${#busy[@]} -eq 0 ]] || kill "${busy[@]}" 2>/dev/null
    busy=()
}
trap 'stop_load; rm -rf "$folder"' EXIT

# run NAME RANKS THREADS [VARIABLE=VALUE]: one rank without mpirun, which takes longer than the run.
run() {
    local start=()
    [[ $2 -eq 1 ]] || start=("${mpirun[@]}" -n "$2")
    env OMP_WAIT_POLICY=passive OMP_NUM_THREADS="$3" ${4:+"$4"} timeout 100 "${start[@]}" "$auxseg" \
        run tiny.cfg --set "run.dir=$1" --set dataset.root=data >out 2>&1 </dev/null || fail "run $1"
    sed -n '/"arithmetic"/,/}/p; /"hashes"/,/}/p' "$1/run.json" >"$1.results"
    cksum <"$1/labels.h5" >>"$1.results"
    cksum <"$1/pretrained.safetensors" >>"$1.results"
}

run idle 1 1
grep -q '"type"' idle.results || fail "run.json does not name the arithmetic"
grep -q '"labels"' idle.results || fail "run.json has no hash of the labels"
for ((i = 0; i < $(nproc) + 1; i++)); do
    while :; do :; done &
    busy+=($!)
done
shapes=("1 1" "1 2" "1 1" "1 4 OMP_DYNAMIC=true" "2 1")
for ((i = 0; i < 19; i++)); do
    # shellcheck disable=SC2086
    run "busy-$i" ${shapes[i % 5]}
    cmp idle.results "busy-$i.results" || fail "${shapes[i % 5]} on a busy machine"
    rm -rf "busy-$i"
done
stop_load

if [[ $failures -gt 0 ]]; then
    echo "$failures failures"
    exit 1
fi
echo "all as expected"
