#!/usr/bin/env bash
# Batches made ahead of time: the weights of both training stages are the same bytes for any number
# of loader threads, any depth and 1 to 4 ranks, with every augmentation on, stopped and continued
# too; a damaged image ends the stage on all ranks and is named, whoever was reading it.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export OMP_NUM_THREADS=1

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; verbose = true; };
dataset: { layout = "synth"; root = "images"; synth_train = 6; synth_val = 1; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 1; head = "fcn"; head_channels = 8; norm = "frozen";
         projection = 8; dtype = "f32"; };
extract: { source = "finetuned"; layers = "layer1"; };
cluster: { k = 4; iterations = 2; sample = 60; };
pretrain: { steps = 4; batch = 4; crop = 32; pixels = 20; positives = "both"; crop_by = "area";
            colours = "luminance"; hue = 0.1; jitter_probability = 0.8; grey = 0.2; blur = 0.5; };
finetune: { steps = 4; batch = 5; crop = 32; grey = 0.1; blur = 0.3; brightness = 0.2; };
CFG
expect 0 'PASS' "$auxseg" run tiny.cfg --set run.until=cluster
[[ $failures -eq 0 ]] || exit 1

# train NAME RANKS THREADS DEPTH [ARGUMENT]...: both stages in a copy of the run's folder.
train() {
    local name=$1 ranks=$2 threads=$3 depth=$4 stage
    shift 4
    rm -rf "$name"
    cp -r run "$name"
    for stage in pretrain finetune; do
        expect 0 'input wait' "${mpirun[@]}" -n "$ranks" "$auxseg" "$stage" tiny.cfg --set \
            "run.dir=$name" --set "run.loader_threads=$threads" --set "run.loader_depth=$depth" "$@"
    done
}

train plain 1 0 1
grep -q '"input"' plain/run.json || fail 'no phase "input" in run.json'
for shape in "1 3 5" "2 1 1" "3 2 4" "4 1 3"; do
    read -r ranks threads depth <<<"$shape"
    train other "$ranks" "$threads" "$depth"
    for file in pretrained finetuned; do
        cmp plain/$file.safetensors other/$file.safetensors ||
            fail "$file: $ranks ranks, $threads loader threads, depth $depth"
    done
done

# A key that is asked for counts: other views, other weights.
train grey 1 1 2 --set pretrain.grey=1.0
cmp -s plain/pretrained.safetensors grey/pretrained.safetensors && fail "grey views change nothing"

# Stopped after each step by a deadline that has passed, on changing ranks.
rm -rf other
cp -r run other
for steps in 1 2 3 4; do
    code=75 hours=1e-9
    [[ $steps == 4 ]] && code=0 hours=0.0
    expect $code 'input wait\|code 75' "${mpirun[@]}" -n $((steps % 3 + 1)) "$auxseg" pretrain \
        tiny.cfg --set run.dir=other --set run.loader_threads=2 --set run.max_hours=$hours
done
cmp plain/pretrained.safetensors other/pretrained.safetensors || fail "stopped and continued"

# The middle of an image's data is changed.
at=$(LC_ALL=C grep -abom 1 IDAT run/dataset.h5 | head -n 1 | cut -d: -f1)
printf 'damage' | dd of=run/dataset.h5 bs=1 seek=$((at + 40)) conv=notrunc status=none
for shape in "1 0" "1 2" "2 1" "3 2"; do
    read -r ranks threads <<<"$shape"
    expect 3 'damaged: its checksum differs' "${mpirun[@]}" -n "$ranks" "$auxseg" finetune tiny.cfg \
        --set finetune.weights=plain/pretrained.safetensors --set run.resume=never \
        --set "run.loader_threads=$threads"
    grep -qa 'of train/0000[0-9]' out || fail "the image is not named"
done

[[ $failures -eq 0 ]] && echo passed
exit $((failures > 0))
