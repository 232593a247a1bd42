#!/usr/bin/env bash
# The images are gone once they are packed: a run goes on with dataset.h5, and check passes, if the
# settings are those that it was packed with; a single missing image, other settings or a damaged
# dataset.h5 are mistakes as before.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export OMP_NUM_THREADS=1

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 4; synth_val = 2; synth_height = 32;
           synth_width = 48; };
model: { backbone = "resnet18"; stages = 1; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; dtype = "f32"; };
extract: { source = "finetuned"; };
cluster: { k = 3; iterations = 2; sample = 50; };
pretrain: { steps = 1; batch = 2; crop = 32; pixels = 8; };
finetune: { steps = 1; batch = 2; crop = 32; };
CFG
expect 0 'scenes in images' "$auxseg" synth tiny.cfg
sed -i 's/layout = "synth"/layout = "pairs"; train = "train.txt"; val = "val.txt"; classes = 8/' tiny.cfg

run() {
    local code=$1 pattern=$2 ranks=$3
    shift 3
    expect "$code" "$pattern" "${mpirun[@]}" -n "$ranks" "$auxseg" run tiny.cfg "$@"
}

run 0 'Result: PASS' 1 --set run.until=cluster
packed=$(cksum run/dataset.h5)
mkdir kept
mv images/train/00001.png kept
run 3 '00001.png: cannot be read' 1
mv kept/00001.png images/train
touch -d '2001-01-01' images/train/00001.png # another stamp: packed anew, and the same
run 0 'Result: PASS' 1 --set run.until=pack
[[ $(cksum run/dataset.h5) == "$packed" ]] || fail 'another data set'
# The same images in the same order, but one is no longer for training.
cp images/*.txt kept
{ tail -n 1 kept/train.txt && cat kept/val.txt; } >images/val.txt
sed -i '$d' images/train.txt
run 0 'pack: 6 images' 1 --set run.until=pack
cp kept/*.txt images
run 0 'pack: 6 images' 1 --set run.until=pack
[[ $(cksum run/dataset.h5) == "$packed" ]] || fail 'other splits than before'

# All of it, the images alone, and the lists alone.
mv images gone
for how in 'nothing' 'an empty folder' 'the lists'; do
    case $how in
    'an empty folder') mkdir images ;;
    'the lists') cp gone/*.txt images ;;
    esac
    expect 0 'no mistake found' "$auxseg" check tiny.cfg
    grep -q 'dataset.h5, packed with the same settings, is used' out || fail "$how: check says nothing"
    run 0 'dataset.h5, packed with the same settings, is used' 2 --set run.until=pretrain
    [[ $(cksum run/dataset.h5) == "$packed" ]] || fail "$how: packed anew"
done
run 0 'Result: PASS' 1
run 3 'cannot be read' 1 --set dataset.strip_prefix=other/
expect 3 'cannot be read' "$auxseg" check tiny.cfg --set dataset.strip_prefix=other/
run 3 'cannot be read' 1 --set run.resume=never
printf 'x' | dd of=run/dataset.h5 bs=1 seek=3 conv=notrunc status=none
run 3 'cannot be read' 1

[[ $failures -eq 0 ]] && echo passed
exit "$((failures > 0))"
