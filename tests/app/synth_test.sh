#!/usr/bin/env bash
# The built-in data set as files, and packed: the same scenes for the same settings, other ones for
# others, nobody else's data set touched.
set -uo pipefail
auxseg=$AUXSEG
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
export OMP_NUM_THREADS=1
failures=0

fail() {
    printf 'FAILED: %s\n' "$*"
    sed 's/^/  | /' out
    failures=$((failures + 1))
}

# expect CODE COMMAND...: the exit code; what was printed stands in `out`.
expect() {
    local code=$1 got=0
    shift
    timeout 50 "$@" >out 2>&1 </dev/null || got=$?
    [[ $got -eq $code ]] || fail "$*: code $got, not $code"
}

contents() {
    find images -name '*.png' -print0 | sort -z | xargs -0 sha256sum
}

cat >scenes.cfg <<'CFG'
run: { dir = "runs/scenes"; };
dataset: { layout = "synth"; root = "images"; synth_train = 3; synth_val = 2; synth_height = 32;
           synth_width = 48; };
CFG

expect 0 "$auxseg" synth scenes.cfg
[[ $(wc -l <images/train.txt) -eq 3 && $(wc -l <images/val.txt) -eq 2 ]] || fail "lengths of the lists"
[[ $(contents | wc -l) -eq 10 ]] || fail "10 pictures"
[[ $(contents | cut -d' ' -f1 | sort -u | wc -l) -eq 10 ]] || fail "pictures that differ"
while IFS=$'\t' read -r picture label; do
    [[ -f images/$picture && -f images/$label ]] || fail "$picture and $label"
done < <(cat images/train.txt images/val.txt)

before=$(contents)
touch -d 2001-01-01 images/train/00000.png
expect 0 "$auxseg" synth scenes.cfg
[[ $(stat -c %Y images/train/00000.png) -lt 1000000000 ]] || fail "scenes that are there are left"
expect 0 "$auxseg" synth scenes.cfg --set run.seed=2
[[ $(contents) != "$before" ]] || fail "another seed, other scenes"
expect 0 "$auxseg" synth scenes.cfg
[[ $(contents) == "$before" ]] || fail "the same seed, the same scenes"

# A synth that was interrupted does everything again.
printf 'unfinished\n' >images/scenes.txt
rm images/val/00001.png
expect 0 "$auxseg" pack scenes.cfg
[[ $(contents) == "$before" ]] || fail "all scenes after an interruption"
grep -q 'pack: 5 images' out || fail "5 images packed"
expect 0 "$auxseg" pack scenes.cfg
grep -q 'already done' out || fail "packed once"
expect 0 "$auxseg" pack scenes.cfg --set dataset.synth_train=4
grep -q 'pack: 6 images' out || fail "6 images packed"

# Another job that makes scenes there, which is this very process: it is waited for.
born=$(sed 's/.*) //' /proc/$$/stat | cut -d' ' -f20)
printf '%s %d %s %s - 0 1\n' "$(hostname)" $$ "$born" "$(readlink /proc/self/ns/pid)" >images/LOCK
timeout 50 "$auxseg" pack scenes.cfg --set run.seed=3 >waiting 2>&1 </dev/null &
packing=$!
for ((turn = 0; turn < 200; turn++)); do
    grep -q 'waits for another job' waiting && break
    sleep 0.1
done
grep -q 'waits for another job' waiting || { cp waiting out; fail "another job is waited for"; }
rm images/LOCK
wait $packing || { cp waiting out; fail "it goes on then"; }
[[ ! -e images/LOCK ]] || fail "no lock is left"

# Tasks of an array: each packs the scenes of its own seed, whichever comes first.
for seed in 4 5 5; do
    expect 0 "$auxseg" pack scenes.cfg --set run.seed=$seed --set run.dir=runs/alone-$seed \
        --set dataset.root=images-$seed
done
tasks=()
for seed in 4 5 5; do
    timeout 50 "$auxseg" pack scenes.cfg --set run.seed=$seed \
        --set run.dir="runs/task-${#tasks[@]}" >"task-${#tasks[@]}" 2>&1 </dev/null &
    tasks+=($!)
done
for task in 0 1 2; do
    wait "${tasks[task]}" || { cp task-$task out; fail "task $task"; }
    seed=$((task == 0 ? 4 : 5))
    cmp -s runs/task-$task/dataset.h5 runs/alone-$seed/dataset.h5 || fail "images of seed $seed"
done

rm images/scenes.txt
expect 2 "$auxseg" synth scenes.cfg
grep -q 'holds another data set' out || fail "another data set is left alone"

exit $((failures > 0))
