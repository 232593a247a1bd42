#!/usr/bin/env bash
# Clustering that is killed at random moments (one rank, or all of them), asked to stop, or finds its
# last checkpoint damaged, and is continued on another number of ranks: the bytes of labels.h5 and
# the rows of metrics.csv are those of a run that was never disturbed. And: given centroids.
# $AUXSEG: the program; $AUXSEG_MPIRUN: mpirun and flags; $AUXSEG_KILLS: how often (6).
set -euo pipefail
read -ra mpirun <<<"$AUXSEG_MPIRUN"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export OMP_NUM_THREADS=1

cat >"$folder/tiny.cfg" <<END
run: { seed = 3; dir = "$folder/run"; };
dataset: { layout = "synth"; root = "$folder/data"; synth_train = 16; synth_val = 2;
           synth_height = 96; synth_width = 128; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 32;
         norm = "group"; group = 2; projection = 32; };
extract: { source = "finetuned"; layers = "layer1"; };
cluster: { k = 60; iterations = 30; restarts = 3; sample = 400; };
finetune: { fraction = 0.5; steps = 1; batch = 8; crop = 64; };
END

fail() {
    echo "FAILED: $1"
    tail -n 40 "$folder/log"
    exit 1
}

# As before the clustering.
fresh() {
    rm -rf "$folder/run"
    cp -r "$folder/base" "$folder/run"
}

# begin RANKS: clusters in the background; $job is mpirun's process.
begin() {
    "${mpirun[@]}" -n "$1" "$AUXSEG" cluster "$folder/tiny.cfg" >"$folder/log" 2>&1 &
    job=$!
}

# Waits for the end of $job; its exit code is in $code.
end() {
    code=0
    { wait "$job"; } 2>/dev/null || code=$?
}

# After kills; a launcher whose ranks are gone before it has begun all of them may never end.
end_killed() {
    for ((turn = 0; turn < 50; turn++)); do
        kill -0 "$job" 2>/dev/null || break
        sleep 0.02
    done
    read -ra ranks <<<"$(ranks_of "$job")"
    kill -KILL "$job" 2>/dev/null || true
    kill_ranks ${ranks[@]+"${ranks[@]}"}
    end
}

# Processes of the ranks, in one line.
ranks_of() {
    cat "/proc/$1/task/$1/children" 2>/dev/null || true
}

# Until $job has written `$1` checkpoints, or has ended.
await_checkpoints() {
    while kill -0 "$job" 2>/dev/null; do
        [[ $(checkpoints | wc -l) -lt $1 ]] || return 0
        sleep 0.005
    done
}

# Oldest first.
checkpoints() {
    (cd "$folder/run/checkpoints" && ls -v cluster-*.safetensors 2>/dev/null) || true
}

# kill_ranks RANKS...: all of them, so that none is left when the next start reads their files.
kill_ranks() {
    kill -KILL "$@" 2>/dev/null || true
    for process in "$@"; do
        while [[ -e /proc/$process/stat && $(cut -d' ' -f3 "/proc/$process/stat" 2>/dev/null) != Z ]]; do
            sleep 0.005
        done
    done
}

# Figures that cannot differ: not kept centroids and times, which depend on what a process has seen.
results() {
    cksum <"$folder/run/labels.h5"
    grep '^cluster,' "$folder/run/metrics.csv" | cut -d, -f1-10,12
}

check() {
    results | diff "$folder/expected" - || fail "$1: other labels or rows"
    [[ -z $(checkpoints) ]] || fail "$1: checkpoints are left"
}

"${mpirun[@]}" -n 1 "$AUXSEG" run "$folder/tiny.cfg" --set run.until=baseline >"$folder/log" 2>&1 ||
    fail "baseline"
cp -r "$folder/run" "$folder/base"
begin 1
began=${EPOCHREALTIME/./}
end
[[ $code == 0 ]] || fail "undisturbed"
microseconds=$((${EPOCHREALTIME/./} - began))
results >"$folder/expected"
[[ $(wc -l <"$folder/expected") -gt 40 ]] || fail "too few iterations to disturb"

kills=0
starts=0
fresh
while [[ $kills -lt ${AUXSEG_KILLS:-6} ]]; do
    starts=$((starts + 1))
    [[ $starts -lt 200 ]] || fail "ends before it can be killed"
    begin $((starts % 4 + 1))
    sleep "$(printf '0.%06d' $((RANDOM * 32768 % microseconds % 1000000)))"
    read -ra ranks <<<"$(ranks_of "$job")"
    if [[ ${#ranks[@]} -gt 0 ]]; then
        kill -KILL "${ranks[RANDOM % ${#ranks[@]}]}" 2>/dev/null || true
        [[ $((kills % 2)) == 0 ]] || kill_ranks "${ranks[@]}"
    fi
    end_killed
    if [[ $code == 0 ]]; then
        check "killed $kills times"
        fresh
    else
        kills=$((kills + 1))
    fi
done
begin 3
end
[[ $code == 0 ]] || fail "after $kills kills"
check "killed $kills times"

# A request to one rank; what is damaged is named, and the checkpoint before it used.
for way in stop damage; do
    for ((try = 0; ; try++)); do
        [[ $try -lt 20 ]] || fail "$way: ends before it can be disturbed"
        fresh
        begin 2
        await_checkpoints 2
        read -ra ranks <<<"$(ranks_of "$job")"
        if [[ $way == stop ]]; then
            kill -TERM "${ranks[@]:0:1}" 2>/dev/null || true
            end
        else
            kill_ranks ${ranks[@]+"${ranks[@]}"}
            end_killed
        fi
        [[ $code == 0 ]] || break
        check "$way"
    done
    [[ $way != stop || $code == 75 ]] || fail "stop: exit code $code"
    newest=$(checkpoints | tail -n 1)
    [[ $way == stop ]] || truncate -s -3 "$folder/run/checkpoints/$newest"
    begin 4
    end
    [[ $code == 0 ]] || fail "continued after $way"
    grep -q 'continues after' "$folder/log" || fail "$way: begins anew"
    [[ $way == stop ]] || grep -q "$newest: not continued from" "$folder/log" ||
        fail "the damaged checkpoint is not named"
    check "$way"
done
# From given centroids: those of a result change no more; another number of them is refused.
cp "$folder/run/labels.h5" "$folder/start.h5"
cluster() {
    code=0
    "${mpirun[@]}" -n 2 "$AUXSEG" cluster "$folder/tiny.cfg" "$@" >"$folder/log" 2>&1 || code=$?
}
cluster --set "cluster.start=$folder/start.h5" --set cluster.iterations=1
[[ $code == 0 ]] || fail "from given centroids: exit code $code"
[[ $(grep -c '^cluster,' "$folder/run/metrics.csv") == 2 ]] || fail "one start, one iteration"
objective=$(grep '^cluster,' "$folder/run/metrics.csv" | head -n 1 | cut -d, -f8)
grep '^cluster,' "$folder/expected" | cut -d, -f8 | grep -qx "$objective" ||
    fail "the first objective is not the one that the centroids ended with"
cluster --set "cluster.start=$folder/start.h5" --set cluster.k=59
[[ $code == 3 ]] || fail "wrong number of centroids: exit code $code"
grep -q '60 centroids of 64 dimensions' "$folder/log" || fail "the centroids' number is not named"
echo "passed: $kills kills in $starts starts"
