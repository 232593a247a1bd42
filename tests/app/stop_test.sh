#!/usr/bin/env bash
# A stop in each stage that goes over images: code 75 within a few of them, also where one rank alone
# is asked; the next starts, on other numbers of ranks, go on and end with the same results. Then
# signals of real processes: TERM, INT and HUP of mpirun and of the program alone. AUXSEG_HOOK_STOP
# (src/base/hook.h) asks at the N-th look.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"
export OMP_NUM_THREADS=1
ulimit -c 0

cat >tiny.cfg <<'CFG'
run: { dir = "run"; };
dataset: { layout = "synth"; root = "images"; synth_train = 18; synth_val = 18; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { source = "finetuned"; keep = true; };
cluster: { k = 3; iterations = 2; sample = 50; };
pretrain: { steps = 2; batch = 2; crop = 32; };
finetune: { fraction = 0.5; steps = 2; batch = 2; crop = 32; };
report: { overlays = 2; };
CFG

# stopped NAME RANKS N[:RANK] COMMAND...: ends with 75 and has said so; NAME for the message.
stopped() {
    local name=$1 ranks=$2 at=$3 code=0
    shift 3
    AUXSEG_HOOK_STOP=$at timeout 50 "${mpirun[@]}" -n "$ranks" "$@" >out 2>&1 </dev/null || code=$?
    [[ $code -eq 75 ]] || fail "$name, $ranks ranks, stop at $at: code $code, not 75"
    grep -q 'Result: STOPPED (code 75' out || fail "$name, $ranks ranks, stop at $at: no word of it"
}

# same NAME FILE: the file is as the whole run has made it, and nothing is kept any more.
same() {
    cmp "$2" "golden/${2#run/}" >out 2>&1 || fail "$1: another $2"
    [[ -z $(find run/checkpoints -type f) ]] || fail "$1: something is left in checkpoints"
}

# asked N RANKS COMMAND...: rank 1 is asked at its N-th look; the code is in $code.
asked() {
    local at=$1 ranks=$2
    shift 2
    code=0
    AUXSEG_HOOK_STOP=$at:1 timeout 50 "${mpirun[@]}" -n "$ranks" "$@" >out 2>&1 </dev/null || code=$?
}

# heard NAME N COMMAND...: the others of three ranks leave, too, when one is asked. They may be done
# with all of their few images before they hear of it, so that the start is tried from the same place
# until they are not; ranks that do not listen always are.
heard() {
    local name=$1 at=$2 try
    shift 2
    rm -rf before
    if [[ -e run ]]; then cp -r run before; fi
    for ((try = 0; try < 20; try++)); do
        rm -rf run
        if [[ -e before ]]; then cp -r before run; fi
        asked "$at" 3 "$@"
        grep -qE 'stopped,? (after )?(([0-9]|1[0-7]) of|[12][0-9] of 36)' out && return
    done
    fail "$name: nobody else has heard of the stop"
}

# chain NAME N FILE COMMAND...: one of 2 or 3 ranks is asked at its N-th look, at each start, until a
# start ends well.
chain() {
    local name=$1 at=$2 file=$3 starts=1 on
    shift 3
    heard "$name" "$at" "$@"
    on=$(grep -cE -m 1 "$name: (continues|stopped)" out)
    while [[ $code -eq 75 && $starts -lt 15 ]]; do
        starts=$((starts + 1))
        asked "$at" $((2 + starts % 2)) "$@"
        if grep -qE "$name: (continues|stopped)" out; then on=$((on + 1)); fi
    done
    [[ $code -eq 0 ]] || fail "$name: code $code after $starts starts"
    [[ $starts -gt 1 ]] || fail "$name: $starts starts only"
    [[ $on -eq $starts ]] || fail "$name: $on of $starts starts speak of going on"
    same "$name" "$file"
}

# figures NAME FOLDER: lines of the report's table of a group of results.
figures() {
    sed -n '/"results"/,$p' "$2/run.json" | sed -n "/\"$1\": {/,/}/p"
}

# The whole run, and what it was like after two of its stages.
for stage in cluster finetune report; do
    expect 0 'Result: PASS' "$auxseg" run tiny.cfg --set run.until=$stage
    cp -r run $stage
done
mv report golden
expect 0 'predictions in' "$auxseg" predict tiny.cfg
cp -r run/predictions golden-predictions

# Scenes: rank 0's alone.
stopped synth 2 5:0 "$auxseg" pack tiny.cfg --set dataset.root=scenes
grep -q 'synth: stopped' out || fail "scenes are not stopped"
touch -d '2001-01-01' scenes/train/*.png
code=0
AUXSEG_HOOK_STOP=20 "$auxseg" synth tiny.cfg --set dataset.root=scenes >out 2>&1 || code=$?
[[ $code -eq 75 ]] || fail "synth: code $code, not 75"
expect 0 'synth: 18 training' "$auxseg" synth tiny.cfg --set dataset.root=scenes
diff -r images scenes >out 2>&1 || fail "other scenes after a stop"
[[ $(find scenes/train -name '*.png' ! -newermt 2002-01-01 | wc -l) -eq 5 ]] ||
    fail "scenes that were there were made again"

# Packing: images that are looked at, and bytes in the file, one image a wave.
rm -rf run
AUXSEG_HOOK_PACK_WAVE=1 chain pack 7 run/dataset.h5 "$auxseg" pack tiny.cfg

# Rows in memory, and streamed; of projected ones the network's outputs are kept.
rm -rf run
cp -r golden run
for memory in hold stream; do
    rm run/features.h5
    whole=("$auxseg" extract tiny.cfg --set "extract.memory=$memory")
    stopped extract 3 1:1 "${whole[@]}"
    ! grep -q 'after 18 of 18' out || fail "extract: nobody else has heard of the stop"
    stopped extract 2 2:0 "${whole[@]}" # before anything new is computed
    stopped extract 2 10:1 "${whole[@]}"
    grep -q 'extract: continues after' out || fail "extract: begins anew"
    expect 0 'extract: continues after' "${mpirun[@]}" -n 2 "${whole[@]}"
    same extract run/features.h5
done
pca=(extract tiny.cfg --set extract.pca=4)
expect 0 'Result: PASS' "$auxseg" "${pca[@]}"
cp run/features.h5 golden/features.h5
rm run/features.h5
stopped projection 2 11:1 "$auxseg" "${pca[@]}" --set extract.memory=stream
grep -q "the network's outputs are kept" out || fail "projection: nothing is kept"
expect 0 "goes on with the network's outputs" "$auxseg" "${pca[@]}" --set extract.memory=stream
cmp run/features.h5 golden/features.h5 >out 2>&1 || fail "projection: other rows after a stop"

# In memory: the network's rows are kept, though all images are done.
rm run/features.h5
stopped projection 2 4:1 "$auxseg" "${pca[@]}"
grep -q 'stopped after 18 of 18 images' out || fail "projection: not after all images"
expect 0 'continues after 18 of 18' "$auxseg" "${pca[@]}"
cmp run/features.h5 golden/features.h5 >out 2>&1 || fail "projection: other rows after a stop in memory"

# Rows that are damaged are computed again.
rm run/features.h5
stopped extract 1 2 "$auxseg" "${pca[@]}"
printf xxxxxxxx | dd of=run/checkpoints/extract.rows bs=1 seek=1000 conv=notrunc status=none
expect 0 'rows of image .* are damaged' "$auxseg" "${pca[@]}"
cmp run/features.h5 golden/features.h5 >out 2>&1 || fail "extract: other rows after damage"

# One of them joins the image before it, in a run that is larger than any that was missing: of 2 ranks
# both have done 8 of their 9, of 1 the tenth is damaged. Sanitizers see what is written beyond.
rm -rf run
cp -r golden run
rm run/features.h5
stopped extract 2 2 "$auxseg" extract tiny.cfg --set extract.memory=stream
bytes=$(stat -c %s run/checkpoints/extract.rows)
dd if=/dev/zero of=run/checkpoints/extract.rows bs=1 seek=$((bytes / 2)) count=$((bytes / 12)) \
    conv=notrunc status=none
expect 0 'rows of image train/00009.png are damaged' "$auxseg" extract tiny.cfg --set extract.memory=stream
mv run/features.h5 mended.h5
expect 0 'Result: PASS' "$auxseg" extract tiny.cfg --set extract.memory=stream
cmp run/features.h5 mended.h5 >out 2>&1 || fail "extract: other rows after damage between runs"

# Figures are those of the whole run.
rm -rf run
cp -r finetune run
chain evaluate-finetuned 1 run/confusion-finetuned.csv "$auxseg" evaluate tiny.cfg
diff <(figures finetuned run) <(figures finetuned golden) >out 2>&1 ||
    fail "evaluate: other figures after stops"
chain predict 1 run/confusion-finetuned.csv "$auxseg" predict tiny.cfg
diff -r run/predictions golden-predictions >out 2>&1 || fail "other predictions after stops"
rm -rf run
cp -r cluster run
chain score 2 run/labels.h5 "$auxseg" score tiny.cfg
diff <(figures score run) <(figures score golden) >out 2>&1 || fail "score: other figures after stops"
[[ -n $(figures score run) ]] || fail "no figures of the score"

# The page is made anew.
stopped report 2 1:0 "$auxseg" report tiny.cfg --set run.dir=golden
expect 0 'Result: PASS' "${mpirun[@]}" -n 2 "$auxseg" report tiny.cfg --set run.dir=golden

# signalled SIGNAL CODE COMMAND...: the signal while a long training runs; it ends in ten seconds.
signalled() {
    local signal=$1 want=$2 code=0
    shift 2
    rm -rf signals
    mkdir signals
    cp golden/dataset.h5 signals
    # A shell lets what it puts into the background ignore INT.
    env --default-signal=INT,HUP "$@" finetune tiny.cfg --set run.dir=signals --set finetune.steps=100000 \
        --set finetune.weights=golden/baseline.safetensors >out 2>&1 </dev/null &
    local pid=$!
    for _ in {1..200}; do
        [[ -e signals/metrics.csv && $(wc -l <signals/metrics.csv) -gt 3 ]] && break
        sleep 0.1
    done
    kill "-$signal" $pid
    timeout 10 tail --pid=$pid -f /dev/null ||
        { fail "$signal: still there after 10 s" && kill -KILL $pid; }
    wait $pid || code=$?
    [[ $code -eq $want ]] || fail "$* with $signal: code $code, not $want"
    ls signals/checkpoints/finetune-*.safetensors >/dev/null 2>&1 ||
        fail "$* with $signal: no checkpoint"
}
signalled INT 75 "$auxseg"
signalled HUP 75 "$auxseg"
signalled TERM 75 "$auxseg"
signalled USR1 75 "${mpirun[@]}" -n 2 "$auxseg"
# jobs/mpirun.sh has mpirun's flags from its caller.
signalled TERM 75 bash "$here/../../jobs/mpirun.sh" "${mpirun[@]:1}" -n 2 "$auxseg"

[[ $failures -eq 0 ]] || exit 1
echo "all as expected"
