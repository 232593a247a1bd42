#!/usr/bin/env bash
# A job that is killed while it takes its folder, inside of each write and close of it, keeps nobody
# out, whether the folder was free or that of a job that is gone.
. "$(dirname "${BASH_SOURCE[0]}")/../app/common.sh"
export OMP_NUM_THREADS=1

cat >tiny.cfg <<'CFG'
run: { dir = "run"; };
dataset: { layout = "synth"; root = "images"; synth_train = 2; synth_val = 1; synth_height = 32;
           synth_width = 48; };
CFG

# faulty FAULT PATH: the command with a call that fails, or kills it.
faulty() {
    rm -f calls
    AUXSEG_FAULT=$1 AUXSEG_FAULT_PATH=$2 AUXSEG_FAULT_LOG=$PWD/calls \
        LD_PRELOAD=$AUXSEG_FAULT_LIBRARY "$auxseg" pack tiny.cfg >out 2>&1 </dev/null
}

# gone: the lock of a job that was killed after it had taken the folder.
gone() {
    faulty read:1:kill dataset.h5
    [[ -s run/LOCK ]] || fail "no lock is left behind"
}

expect 0 'Result: PASS' "$auxseg" pack tiny.cfg
kills=0
for before in free gone; do
    for call in write close; do
        [[ $before == free ]] || gone
        faulty $call:0:none run/LOCK || fail "$before: code $?"
        count=$(wc -l <calls)
        [[ $count -gt 0 ]] || fail "$before: no $call on the lock was seen"
        for ((n = 1; n <= count; n++)); do
            [[ $before == free ]] || gone
            faulty "$call:$n:kill" run/LOCK || kills=$((kills + 1))
            expect 0 'Result: PASS' "$auxseg" pack tiny.cfg
        done
    done
done 2>/dev/null # the shell tells of each process that was killed

echo "$kills kills"
[[ $kills -ge 6 ]] || fail "only $kills of them were killed"
[[ $failures -eq 0 ]]
