#!/usr/bin/env bash
# run.json: every start is kept, with its command, ranks and end, also one that failed and one that
# was stopped; each stage has the ranks, hosts, times and memory of the start that did it, and the
# extraction an entry of its own, whether the clustering does it on its way or a command by itself.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export OMP_NUM_THREADS=1
unset SLURM_JOB_ID

cat >tiny.cfg <<'CFG'
run: { dir = "a run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 3; synth_val = 1; synth_height = 32;
           synth_width = 48; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { source = "finetuned"; };
cluster: { k = 3; iterations = 2; sample = 50; };
finetune: { fraction = 1.0; steps = 2; batch = 2; crop = 32; };
CFG
record="a run/run.json"

# entry NAME: the stage's entry in the record, without what is in it.
entry() {
    sed -n '/^  "stages"/,/^  "results"/p' "$record" |
        sed -n "/^    \"$1\": {/,/^    }/p"
}

# holds TEXT PATTERN...: every pattern is in the text.
holds() {
    local text=$1 pattern
    shift
    for pattern in "$@"; do
        grep -qE -- "$pattern" <<<"$text" || {
            printf '%s\n' "$text" >out
            fail "nothing like $pattern"
        }
    done
}

# starts: the list of starts, one a line.
starts() {
    sed -n '/^  "starts"/,/^  \]/p' "$record" | tr -d '\n' | sed 's/    {/\n{/g' | grep '"command"'
}

expect 0 'Result: PASS' "${mpirun[@]}" -n 2 "$auxseg" run tiny.cfg --set run.until=baseline
first=$(sed -n 's/^  "started": //p' "$record")
sleep 1.1
expect 0 'images/s, extract$' env SLURM_JOB_ID=4711 "$auxseg" cluster tiny.cfg --set run.threads=2
expect 75 'stopped early' "$auxseg" pretrain tiny.cfg --set "pretrain.crop=32" \
    --set pretrain.batch=2 --set pretrain.steps=3 --set run.max_hours=1e-9
expect 3 "x y: cannot be read" "$auxseg" finetune tiny.cfg --set "finetune.weights=x y"

time='"20[0-9-]*T[0-9:]*Z"'
host=$(hostname)
for stage in pack baseline; do
    holds "$(entry $stage)" '"nodes": 1,' '"ranks": 2,' '"threads": 1,' "\"hosts\": \"$host\"" \
        "\"started\": $time" "\"finished\": $time" '"seconds": [0-9]' '"peak_rank": [01],' \
        '"fom_unit": "images/s"'
done
holds "$(entry pack)" '"read": \{' '"write": \{' '"min":' '"slowest": [01]'
holds "$(entry baseline)" '"forward": \{' '"min":' '"mean":' '"max":' '"slowest": [01]'
for stage in extract cluster; do
    holds "$(entry $stage)" '"ranks": 1,' '"threads": 2,' '"finished"'
done
holds "$(entry extract)" '"within": "cluster"' '"read": \{' '"forward": \{' '"fom": [0-9]'
! grep -q '"forward"' <<<"$(entry cluster)" || fail "the extraction's time counts as the clustering's"
# The kernel may not tell a stage's own peak: then it is null.
holds "$(entry cluster)" '"peak_memory": (null|[1-9])'

[[ $(sed -n 's/^  "started": //p' "$record") == "$first" ]] || fail "the run's start is rewritten"
starts >list
[[ $(wc -l <list) -eq 4 ]] || { cp list out; fail "4 starts"; }
holds "$(sed -n 1p list)" 'auxseg run tiny.cfg --set run.until=baseline"' '"ranks": 2,' \
    '"exit_code": 0 ' '"version": "[0-9]' '"seconds": [0-9]' '"peak_memory": [1-9]'
! grep -q '"job"' <<<"$(sed -n 1p list)" || fail "a job's number outside of a job"
holds "$(sed -n 2p list)" '"ranks": 1,' '"threads": 2,' '"job": "4711"'
holds "$(sed -n 3p list)" '"exit_code": 75 ' '--set run.max_hours=1e-9"'
holds "$(sed -n 4p list)" '"exit_code": [1-9]' "--set 'finetune.weights=x y'"

# A command by itself: not within another stage, and the clustering that reads it leaves it alone.
expect 0 'images/s, extract$' "${mpirun[@]}" -n 2 "$auxseg" extract tiny.cfg
! grep -q '"within"' <<<"$(entry extract)" || fail "extract by itself"
holds "$(entry extract)" '"ranks": 2,' '"output": "features.h5"'
expect 0 'read from' "$auxseg" cluster tiny.cfg --set cluster.k=2 --set run.threads=2
holds "$(entry extract)" '"ranks": 2,'
holds "$(entry cluster)" '"ranks": 1,'

# One that is killed has no end.
"$auxseg" pretrain tiny.cfg --set pretrain.crop=32 --set pretrain.batch=2 \
    --set pretrain.steps=100000000 >killed 2>&1 &
victim=$!
for ((i = 0; i < 300; i++)); do
    [[ $(starts | wc -l) -eq 7 ]] && break
    sleep 0.1
done
kill -9 "$victim"
wait "$victim" 2>/dev/null
starts >list
holds "$(sed -n 7p list)" '"command": "auxseg pretrain'
! grep -q '"ended"' <<<"$(sed -n 7p list)" || fail "a killed start has an end"

[[ $failures -eq 0 ]] || exit 1
echo "all as expected"
