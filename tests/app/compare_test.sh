#!/usr/bin/env bash
# Plans: runs side by side to the same compare.csv whether killed, stopped and continued or not, on 1
# and 3 ranks; stages that cells share are done once, also by two tasks of an array at the same time;
# a cell that fails is named and the others go on; plans that are wrong are refused with their line.
configs=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../configs" && pwd)
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export OMP_NUM_THREADS=1

cat >tiny.cfg <<'CFG'
dataset: { layout = "synth"; synth_train = 6; synth_val = 2; synth_height = 48; synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         output_stride = 8; projection = 8; dtype = "f32"; };
extract: { source = "finetuned"; layers = "layer1"; };
cluster: { k = 4; iterations = 2; sample = 60; };
pretrain: { steps = 2; batch = 2; crop = 32; pixels = 12; };
finetune: { steps = 2; batch = 2; crop = 32; };
CFG
cat >few.cfg <<'CFG'
about = "a few cells";
reference = "plain";
seeds = [1, 2];
settings = ["finetune.steps=1"];
cells = (
  { name = "plain"; settings = ["run.until=baseline"]; },
  { name = "broken"; settings = ["cluster.start=none.npy"]; },
  { name = "ours"; settings = []; },
  { name = "again"; settings = ["model.weights=@ours/pretrained.safetensors", "run.until=baseline"]; }
);
CFG

# plan FOLDER [WORD]...: the words of the plan's runs in a folder of their own.
plan() {
    words=(compare tiny.cfg --plan few.cfg --set "run.dir=$1" --set "dataset.root=$1/images"
        --set finetune.steps=2 "${@:2}")
}

# until_there FILE: waits for it.
until_there() {
    local i
    for ((i = 0; i < 400; i++)); do
        [[ ! -e $1 ]] || return 0
        sleep 0.05
    done
    fail "$1 does not come"
}

# figures FILE: all columns but those of seconds, which come last.
figures() {
    awk -F, 'NR == 1 { for (n = 1; $n != "seconds"; n++); }
        { for (i = 1; i < n; i++) printf "%s,", $i; print "" }' "$1"
}

plan a
expect 3 'cell "broken", seed 2: failed with code 3' "$auxseg" "${words[@]}"
grep -q '^ours .*\[.*\] n=2' out || fail "no interval of ours"
grep -q '^broken .*2 failed (code 3)' out || fail "no word of the cell that failed"
[[ $(grep -c 'FOM.*, baseline$' out) -eq 4 ]] || fail "baselines: not two of the data's and two of again"
[[ $(grep -c '^[^ ]* baseline: taken over' out) -eq 4 ]] || fail "baselines taken over"
[[ $(grep -c '^[^ ]* pack: taken over' out) -eq 6 ]] || fail "packings taken over"
cmp a/few/ours/seed-1/baseline.safetensors a/few/plain/seed-1/baseline.safetensors ||
    fail "the baseline of ours is not that of plain"
expect 0 '' "$auxseg" verify a/few/ours/seed-1
figures a/few/compare.csv >wanted
[[ $(wc -l <wanted) -eq 9 ]] || fail "compare.csv has not 8 runs"
grep -q '^ours,1,plain,0,.*,4,8,[0-9a-f]\{16\},' wanted || fail "ours, seed 1"
bash "$configs/../tests/app/compare_page.sh" a/few || fail "the page and compare.csv differ"
grep -q 'href="ours/seed-2/report.html">seed 2</a>' a/few/compare.html || fail "no link to ours"
grep -q 'seed 1 <span class="down">failed with 3<' a/few/compare.html || fail "no word of broken"
# What is done is passed over; what has failed is tried again.
expect 3 'Result: FAIL (code 3' "$auxseg" "${words[@]}"
[[ $(grep -c 'compare: run ' out) -eq 2 ]] || fail "runs that are done are not passed over"
expect 3 '^again ' "$auxseg" "${words[@]}" --collect
# A store of the user's, which another folder's plan has filled; one start was killed when it had
# taken a file, and not yet written that into its record.
mkdir -p s/few/ours/seed-1
ln a/few/ours/seed-1/pretrained.safetensors s/few/ours/seed-1
expect 3 'pretrain: taken over from .*/a/few/ours' "$auxseg" "${words[@]}" --set run.dir=s \
    --set run.store=a/store
[[ $(grep -c 'pretrain: taken over' out) -eq 2 ]] || fail "a file that was taken before is made anew"
[[ ! -e s/store ]] || fail "run.store is not what was asked for"

plan b
"$auxseg" "${words[@]}" >out 2>&1 </dev/null &
job=$!
until_there b/few/broken/seed-1/compared
kill -KILL $job
wait $job
[[ ! -e b/few/compare.csv ]] || fail "was done before the kill"
"$auxseg" "${words[@]}" >out 2>&1 </dev/null &
job=$!
until_there b/few/ours/seed-1/compared
kill -TERM $job
got=0
wait $job || got=$?
[[ $got -eq 75 ]] || fail "stopped with $got, not 75"
touch b/few/STOP
expect 75 'STOP is there' "$auxseg" "${words[@]}"
rm b/few/STOP
expect 3 'seed 2: failed with code 3' "${mpirun[@]}" -n 3 "$auxseg" "${words[@]}"
figures b/few/compare.csv | cmp - wanted || fail "interrupted, on 3 ranks: another compare.csv"

# Three tasks of an array at the same time, the last of which needs what the second makes; the images
# are there already.
plan c --seeds 1
expect 0 'scenes' "$auxseg" synth tiny.cfg --set dataset.root=c/images
expect 0 'c/few/ours/seed-1' "$auxseg" "${words[@]}" --list
"$auxseg" "${words[@]}" --cell 1 >out.1 2>&1 </dev/null &
"$auxseg" "${words[@]}" --cell 3 >out.3 2>&1 </dev/null &
"$auxseg" "${words[@]}" --cell 4 >out.4 2>&1 </dev/null
wait
expect 75 '1 not finished' "$auxseg" "${words[@]}" --collect
cat out.1 out.3 out.4 >out
[[ $(grep -c 'FOM.*, pack$' out) -eq 1 ]] || fail "two tasks packed"
[[ $(grep -c 'FOM.*, pretrain$' out) -eq 1 ]] || fail "two tasks pretrained"
[[ $(grep -c 'Result: PASS' out) -eq 3 ]] || fail "a task failed"
figures c/few/compare.csv | grep '^ours,1' >got.ours
grep '^ours,1' wanted | cmp - got.ours || fail "ours as task of an array"
figures c/few/compare.csv | grep '^again,1' >got.again
grep '^again,1' wanted | cmp - got.again || fail "again as task of an array"

expect 0 '^a/few/ours/seed-1 ' "$auxseg" compare --of a/few/ours/seed-1 a/few/ours/seed-2 a/few/plain/seed-1
[[ $(grep -c '^a/few/ours/seed-1,' compare.csv) -eq 2 ]] || fail "--of: not two runs of the first cell"
[[ $(grep -c '^a/few/plain/seed-1,' compare.csv) -eq 1 ]] || fail "--of: not one run of the second cell"
expect 0 '^seed-1 ' "$auxseg" compare --of a/few/ours/seed-1 a/few/ours/seed-2
expect 3 'no folder of a run' "$auxseg" compare --of a/few
expect 2 'compared as they are' "$auxseg" compare --seeds 1 --of a/few/ours/seed-1
# What each run's own labelling lies in may be gone: the figures need none of it.
mv a/few/ours/seed-1/labels.h5 kept.h5
echo x >a/few/ours/seed-1/labels.h5
expect 0 'the page is written without pictures' "$auxseg" compare --of a/few/ours/seed-1 a/few/plain/seed-1
mv kept.h5 a/few/ours/seed-1/labels.h5
# One run counts once; what is no result yet is named.
expect 2 'a/few/ours/seed-1/ is given twice, first as a/few/ours/seed-1' "$auxseg" compare --of \
    a/few/ours/seed-1 a/few/ours/seed-2 a/few/ours/seed-1/
expect 2 'a/few/ours/seed-1 is given twice' "$auxseg" compare --of a/few/ours/seed-1 a/few/ours/seed-1
cp -r a/few/ours/seed-1 twin
expect 0 'a/few/ours/seed-1 and twin have .* the same seed, 1' "$auxseg" compare --of \
    a/few/ours/seed-1 a/few/ours/seed-2 twin
[[ $(grep -c warning: out) -eq 1 ]] || fail "--of: not one warning of equal seeds"
expect 0 '' "$auxseg" pack tiny.cfg --set run.dir=packed --set dataset.root=a/images
expect 0 'warning: packed: no result yet' "$auxseg" compare --of a/few/ours/seed-1 packed
[[ $(grep -c warning: out) -eq 1 ]] || fail "--of: not one warning of a result that is missing"
# Started again with other settings, and stopped: the figures are those of before.
expect 75 'stopped early' "$auxseg" run twin/settings.cfg --set run.dir=twin \
    --set finetune.steps=9 --set run.max_hours=1e-9
expect 0 'warning: twin: its last start, .* has not come to its end' "$auxseg" compare --of \
    a/few/ours/seed-2 twin

cat >wrong.cfg <<'CFG'
reference = "none";
seeds = [1, 1];
cells = (
  { name = "a"; settings = ["cluster.kk=3"]; },
  { name = "a"; settings = ["run.dir=x"]; odd = 1; }
);
CFG
expect 2 'wrong.cfg:4: "cluster.kk=3"' "$auxseg" compare tiny.cfg --plan wrong.cfg
for line in '1: reference' '2: seed 1 stands twice' '5: "run.dir' '5: unknown key odd' '5: a second cell'; do
    grep -q "wrong.cfg:$line" out || fail "no word of line $line"
done
sed 's/"cluster.start=none.npy"/"cluster.k=many"/' few.cfg >value.cfg
expect 2 'value.cfg:7: cell "broken"' "$auxseg" compare tiny.cfg --plan value.cfg --list
sed 's/@ours/@later/' few.cfg >later.cfg
sed 's/\["finetune.steps=1"\]/["model.weights=@ours\/pretrained.safetensors"]/' few.cfg >common.cfg
expect 2 "common.cfg:4: .*for a cell's own settings" "$auxseg" compare tiny.cfg --plan common.cfg --list
expect 2 'later.cfg:9: .*no cell of this name before' "$auxseg" compare tiny.cfg --plan later.cfg --list
expect 2 'few.cfg:6: cell "plain": it ends with the baseline, which run.compare = false leaves out' \
    "$auxseg" compare tiny.cfg --plan few.cfg --set run.compare=false --set extract.source=weights \
    --set extract.weights=a.safetensors --list
expect 2 'did you mean controlled' "$auxseg" compare tiny.cfg --plan contrlled
expect 0 '^controlled ' "$auxseg" compare --plans
while read -r name _; do
    expect 0 '/seed-[0-9]*$' "$auxseg" compare "$configs/camvid.cfg" --plan "$name" --list
done < <("$auxseg" compare --plans)

[[ $failures -eq 0 ]] && echo passed
exit $((failures > 0))
