# Sourced by the tests of contrast with a queue, after common.sh, with $method: a data set and settings
# without files, and what must give the same weights.
: "${method:?of pretraining, by whoever sources this}" "${auxseg:?by common.sh}"
cat >tiny.cfg <<CFG
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 6; synth_val = 1; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 1; head = "fcn"; head_channels = 8; group = 2;
         output_stride = 8; projection = 8; };
extract: { layers = "layer1"; };
cluster: { k = 4; iterations = 2; sample = 60; };
pretrain: { method = "$method"; steps = 4; batch = 3; crop = 32; };
finetune: { steps = 1; batch = 2; crop = 32; };
CFG
export OMP_NUM_THREADS=1

# train NAME RANKS THREADS CODE PATTERN [ARGUMENT]...: in a folder of its own, or what is there.
train() {
    local name=$1 ranks=$2 threads=$3 code=$4 pattern=$5 start=()
    shift 5
    [[ $ranks -eq 1 ]] || start=("${mpirun[@]}" -n "$ranks")
    OMP_NUM_THREADS=$threads expect "$code" "$pattern" "${start[@]}" "$auxseg" pretrain tiny.cfg \
        --set "run.dir=$name" "$@"
}

# same RUN NAME: weights and losses as in RUN.
same() {
    cmp "$1/pretrained.safetensors" "$2/pretrained.safetensors" || fail "$2: weights"
    cmp <(grep '^pretrain,' "$1/metrics.csv" | cut -d, -f1-5) \
        <(grep '^pretrain,' "$2/metrics.csv" | cut -d, -f1-5) || fail "$2: losses"
}

# killed_on_two_ranks NAME ARGUMENT...: all ranks at once, as soon as a checkpoint is there; again
# where they were done before.
killed_on_two_ranks() {
    local name=$1 attempt i job all process
    shift
    for ((attempt = 0; attempt < 5; attempt++)); do
        rm -rf "$name"
        cp -r packed "$name"
        "${mpirun[@]}" -n 2 "$auxseg" pretrain tiny.cfg --set "run.dir=$name" "$@" \
            >out 2>&1 </dev/null &
        job=$!
        for ((i = 0; i < 4000; i++)); do
            compgen -G "$name/checkpoints/pretrain-*.safetensors" >list && break
            sleep 0.005
        done
        read -ra all <<<"$(cat "/proc/$job/task/$job/children" 2>/dev/null)"
        kill -KILL ${all[@]+"${all[@]}"} 2>/dev/null
        { wait $job; } 2>/dev/null
        for process in ${all[@]+"${all[@]}"}; do
            while [[ -d /proc/$process ]]; do sleep 0.005; done
        done
        [[ -e $name/pretrained.safetensors ]] || return 0
    done
    fail "$name: ended before it was killed"
}

# any_ranks: run is what one rank and one thread gave.
any_ranks() {
    local name long=(--set run.checkpoint_steps=1 --set pretrain.steps=8 --set pretrain.queue=7)
    expect 0 'packed\|images' "$auxseg" pack tiny.cfg --set run.dir=packed
    for name in two stopped short; do cp -r packed $name; done
    train two 2 2 0 'pretrain: 4 of 4 steps'
    same run two
    # Stopped after a step by a deadline that has passed: rows of one step are in the queue.
    train stopped 3 2 75 'stopped after step 1' --set run.max_hours=1e-9
    train stopped 1 2 0 'continues after step 1' --set model.wave=2
    same run stopped
    killed_on_two_ranks killed "${long[@]}"
    train killed 2 1 0 'continues after step [1-9]' "${long[@]}"
    train short 1 1 0 '7 keys in the queue' "${long[@]}"
    same short killed
    cmp -s short/pretrained.safetensors run/pretrained.safetensors &&
        fail "the queue has no effect"
}
