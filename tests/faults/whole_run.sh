# Sourced by sweeps over a whole run: a tiny run of all stages with every kind of output, what its
# results are, and workers side by side. $AUXSEG: the program; $AUXSEG_MPIRUN: mpirun and flags;
# $AUXSEG_FAULT_LIBRARY: fault.c's. $AUXSEG_JOBS: how many workers (1). $AUXSEG_SEED: of the sample.
# $AUXSEG_SECONDS: begin nothing new after so long; what was done until then is counted. A machine that
# others use, too, wants longer than 60 s for a run: $AUXSEG_PATIENCE.
set -uo pipefail
auxseg=$AUXSEG
read -ra mpirun <<<"$AUXSEG_MPIRUN"
jobs=${AUXSEG_JOBS:-1}
RANDOM=${AUXSEG_SEED:-1}
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
export OMP_NUM_THREADS=1

cat >"$top/tiny.cfg" <<'CFG'
run: { dir = "the-run"; checkpoint_steps = 1; };
dataset: { layout = "synth"; root = "images"; synth_train = 4; synth_val = 2; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { source = "finetuned"; keep = true; };
cluster: { k = 3; iterations = 3; sample = 50; checkpoint_iterations = 1; };
pretrain: { steps = 3; batch = 4; crop = 32; pixels = 10; };
finetune: { fraction = 1.0; steps = 3; batch = 4; crop = 32; };
report: { overlays = 1; };
CFG

# whole RANKS [VARIABLE=VALUE]...: the run, on so many ranks; its code is in $code: 137 if it is
# not at its end after $patience seconds.
patient=${AUXSEG_PATIENCE:-60}
patience=$patient
whole() {
    local ranks=$1
    shift
    code=0
    timeout -s KILL "$patience" env "$@" "${mpirun[@]}" -n "$ranks" "$auxseg" run tiny.cfg >out 2>&1 \
        </dev/null || code=$?
}

# What may not differ: labels, weights, figures, the confusion matrices, and every row of the
# metrics without its times, once.
results() {
    sed -n '/"results"/,$p' the-run/run.json | grep -E '"(labels|baseline|pretrained|finetuned|mIoU|aAcc)"'
    cat the-run/dataset.h5 the-run/labels.h5 the-run/confusion-*.csv | cksum
    cut -d, -f1-10 the-run/metrics.csv
}

# worker_folder W: a folder of its own with the images and the golden results.
worker_folder() {
    mkdir -p "$top/$1"
    cd "$top/$1" || exit 1
    cp -r "$top/images" "$top/tiny.cfg" "$top/golden.txt" .
    : >failed
}

fail() {
    { echo "FAILED: $*"; grep -aE 'error|signal|Result|^[<>]' out | head -n 12 | sed 's/^/  | /'; } | tee -a failed
}

# The same command, whatever came before it: the golden results.
finishes() {
    whole "$1"
    if [[ $code -ne 0 ]]; then fail "$2: afterwards code $code"; return; fi
    results | diff golden.txt - >differs || { cp differs out; fail "$2: other results"; }
}

cd "$top" || exit 1
whole 1
[[ $code -eq 0 ]] || { tail -n 20 out; exit 1; }
results >golden.txt
[[ $(wc -l <golden.txt) -gt 15 ]] || { echo "results are missing"; cat golden.txt; exit 1; }

late() {
    [[ -n ${AUXSEG_SECONDS:-} && $SECONDS -ge $AUXSEG_SECONDS ]]
}

# in_workers COMMAND...: `COMMAND W`, W from 0 below $jobs, side by side; false if one noted a failure.
in_workers() {
    local w
    for ((w = 0; w < jobs; w++)); do
        (
            worker_folder "worker-$w"
            "$@" "$w"
        ) &
    done
    wait
    ! grep -qh FAILED "$top"/worker-*/failed
}
