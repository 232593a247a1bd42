#!/usr/bin/env bash
# Kills: one random rank, or all of them at once, is killed at a random moment of a whole run, or
# halfway through a random write, rename, fsync, ...; then the same command on another number of
# ranks, until it ends: the results are those of a run that was never disturbed, no row of the
# metrics is missing or there twice. kill_test.sh [KILLS] (5); 1000 is the long form.
. "$(dirname "${BASH_SOURCE[0]}")/whole_run.sh"
wanted=${1:-5}

began=${EPOCHREALTIME/./}
rm -rf the-run
whole 2
microseconds=$((${EPOCHREALTIME/./} - began))
whole_calls() { # of rank 0 of two, on files of the run
    rm -rf the-run
    whole 2 AUXSEG_FAULT=any:0:none AUXSEG_FAULT_PATH=the-run/ AUXSEG_FAULT_RANK=0 \
        AUXSEG_FAULT_LOG="$top/calls" LD_PRELOAD="$AUXSEG_FAULT_LIBRARY"
    wc -l <"$top/calls"
}
calls=$(whole_calls)
[[ $calls -gt 500 ]] || { echo "only $calls calls were seen"; exit 1; }

# A start that is killed inside of a call.
killed_inside() {
    local ranks=$1 kind=kill
    ((RANDOM % 2)) && kind=killall
    whole "$ranks" AUXSEG_FAULT="any:$(((RANDOM * 32768 + RANDOM) % calls + 1)):$kind" \
        AUXSEG_FAULT_PATH=the-run/ AUXSEG_FAULT_RANK=$((RANDOM % ranks)) \
        AUXSEG_FAULT_LOG=killed LD_PRELOAD="$AUXSEG_FAULT_LIBRARY"
}

# A start that is killed at some moment of the first $microseconds.
killed_some_time() {
    local ranks=$1 all job
    "${mpirun[@]}" -n "$ranks" "$auxseg" run tiny.cfg >out 2>&1 </dev/null &
    job=$!
    sleep "$(printf '%d.%06d' $((delay = (RANDOM * 32768 + RANDOM) % microseconds, delay / 1000000)) \
        $((delay % 1000000)))"
    read -ra all <<<"$(cat "/proc/$job/task/$job/children" 2>/dev/null)"
    if [[ ${#all[@]} -gt 0 ]]; then
        if ((RANDOM % 2)); then kill -KILL "${all[@]}"; else kill -KILL "${all[RANDOM % ${#all[@]}]}"; fi
    fi 2>/dev/null
    # A launcher whose ranks are gone before it has begun all of them may never end.
    code=0
    for ((turn = 0; turn < 200; turn++)); do
        [[ -d /proc/$job ]] || break
        sleep 0.02
    done
    read -ra late <<<"$(cat "/proc/$job/task/$job/children" 2>/dev/null)" # begun meanwhile
    all+=(${late[@]+"${late[@]}"})
    kill -KILL "$job" 2>/dev/null && sleep 0.1
    { wait "$job"; } 2>/dev/null || code=$?
    # None of them may be left when the next start comes.
    for process in ${all[@]+"${all[@]}"}; do
        kill -KILL "$process" 2>/dev/null
        while [[ -d /proc/$process ]]; do sleep 0.005; done
    done
}

chains() {
    local worker=$1 kills=0 starts=0 in_chain=0 share=$(((wanted + jobs - 1) / jobs))
    RANDOM=$((${AUXSEG_SEED:-1} * 1000 + worker))
    while [[ $kills -lt $share ]] && ! late; do
        rm -f killed
        [[ -e the-run ]] || in_chain=0
        if ((RANDOM % 2)); then killed_inside $((starts % 4 + 1)); else killed_some_time $((starts % 4 + 1)); fi
        starts=$((starts + 1))
        [[ $starts -le $((share * 4 + 20)) ]] || { fail "it ends before it can be killed"; break; }
        case $code in
        0) # it came to its end: what follows a chain of kills is compared
            results | diff golden.txt - >differs || { cp differs out; fail "after $in_chain kills: other results"; }
            rm -rf the-run ;;
        1 | 137 | 143) kills=$((kills + 1)) in_chain=$((in_chain + 1)) ;;
        *)
            fail "killed $in_chain times, then code $code"
            rm -rf the-run ;;
        esac
    done
    finishes 2 "after $in_chain kills"
    echo "$kills $starts" >count
}

in_workers chains
status=$?
cat "$top"/worker-*/count | awk '{ k += $1; s += $2 } END { print k " kills in " s " starts" }'
exit $status
