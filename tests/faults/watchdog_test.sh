#!/usr/bin/env bash
# A rank that hangs is named by the others, with its host and what it was doing, and the job ends with
# 6 within run.watchdog and five seconds: stopped before MPI's first message, in the packing, in a
# training, in k-means; turning round without end; alone on its node. So is a rank that all others wait
# for while it waits, too, on one node and on several; in the run of a plan by the run's own limit. The
# same command goes on afterwards. `watchdog_test.sh --long`: 20 places of each kind, by hand.
. "$(dirname "${BASH_SOURCE[0]}")/../app/common.sh"
export OMP_NUM_THREADS=1
long=0
[[ ${1:-} == --long ]] && long=1
limit=3
host=$(hostname)

cat >tiny.cfg <<CFG
run: { dir = "run"; compare = false; checkpoint_steps = 2; watchdog = $limit; };
dataset: { layout = "synth"; root = "images"; synth_train = 6; synth_val = 2; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { source = "finetuned"; };
cluster: { k = 3; iterations = 2; sample = 50; };
pretrain: { steps = 6; batch = 3; crop = 32; };
finetune: { fraction = 1.0; steps = 4; batch = 6; crop = 32; };
CFG

# hangs HOOK=N:RANK RANKS PATTERN COMMAND...: the rank is named and the job ends in time. The clock
# runs from the fault: its line in the hook's log.
hangs() {
    local hook=$1 ranks=$2 pattern=$3 code=0 seconds from
    shift 3
    rm -f hook
    env "AUXSEG_HOOK_$hook" AUXSEG_HOOK_LOG="$folder/hook" timeout 60 "${mpirun[@]}" -n "$ranks" \
        "$auxseg" "$@" >out 2>&1 </dev/null || code=$?
    seconds=$(date +%s%N)
    from=$(date -r hook +%s%N 2>/dev/null || echo 0)
    seconds=$(((seconds - from) / 1000000))
    [[ $code -eq 6 ]] || fail "$hook: code $code, not 6"
    [[ $seconds -le $(((limit + 5) * 1000)) ]] || fail "$hook: $seconds ms until the end"
    grep -qa "watchdog: rank ${hook##*:} on $host.* made no progress for [0-9]* s: it $pattern" out ||
        fail "$hook: nothing like \"it $pattern\""
    [[ $(grep -ca 'watchdog: .* no progress' out) -eq 1 ]] || fail "$hook: more than one is named"
}

# waits N RANKS ARGUMENT...: the last of so many ranks waits for ever at the N-th agreement.
waits() {
    local n=$1 ranks=$2 code=0
    shift 2
    AUXSEG_HOOK_LOST=$n:$((ranks - 1)) timeout 60 "${mpirun[@]}" -n "$ranks" "$auxseg" "$@" \
        >out 2>&1 </dev/null || code=$?
    [[ $code -eq 6 ]] || fail "lost at $n: code $code, not 6"
    grep -qa "watchdog: all ranks wait for each other for [3-9] s; rank .* on $host is behind" out ||
        fail "lost at $n: nobody says that all wait"
}

if [[ $long -eq 0 ]]; then
    hangs FREEZE=1:1 2 'does not run.*before any stage' run tiny.cfg
    hangs SPIN=700:0 2 'runs, but gets nowhere; in ' run tiny.cfg
    hangs FREEZE=90:0 2 'does not run' cluster tiny.cfg --set run.resume=never
    # Each rank as a node of its own: no shared memory, datagrams alone.
    export AUXSEG_HOOK_NODE_EACH=1
    hangs FREEZE=100:1 2 'does not run, or cannot be reached' cluster tiny.cfg
    waits 50 2 run tiny.cfg --set run.resume=never
    unset AUXSEG_HOOK_NODE_EACH
    waits 50 2 run tiny.cfg --set run.resume=never
    cat >plan.cfg <<CFG
about = "one run with a limit of its own";
seeds = [1];
cells = ( { name = "quick"; settings = ["run.watchdog=$limit", "run.until=pack"]; } );
CFG
    waits 30 2 compare tiny.cfg --plan plan.cfg --set run.watchdog=600
    # At the last agreement of all, when the run has ended: by the limit of the plan's own settings.
    # It is looked for from behind, as its number changes with the program.
    sed -i 's/run.watchdog=[0-9]*/run.watchdog=600/' plan.cfg
    code=0
    for ((n = 112; n > 96 && code == 0; n--)); do
        rm -rf run
        AUXSEG_HOOK_LOST=$n:1 timeout 30 "${mpirun[@]}" -n 2 "$auxseg" compare tiny.cfg \
            --plan plan.cfg >out 2>&1 </dev/null || code=$?
    done
    [[ $code -eq 6 ]] || fail "lost behind the last run: code $code, not 6"
else
    expect 0 'Result: PASS' "${mpirun[@]}" -n 2 "$auxseg" run tiny.cfg --set run.until=cluster
    cp -r run clusters
    for ((i = 0; i < 20; i++)); do
        rm -rf run # the places are those of a run from its beginning
        hangs "FREEZE=$((1 + 60 * i)):$((i % 2))" 2 'does not run' run tiny.cfg
        rm -rf run
        hangs "SPIN=$((3 + 60 * i)):$((i % 2))" 2 'runs, but gets nowhere' run tiny.cfg
        rm -rf run
        cp -r clusters run
        hangs "FREEZE=$((60 + 7 * i)):$((i % 3))" 3 'does not run' cluster tiny.cfg \
            --set run.resume=never --set cluster.restarts=20
    done
    echo "60 hangs were looked at"
fi
expect 0 'Result: PASS' "${mpirun[@]}" -n 2 "$auxseg" run tiny.cfg --set run.until=cluster
[[ $failures -eq 0 ]] || exit 1
echo "all as expected"
