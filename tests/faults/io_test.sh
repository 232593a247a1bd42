#!/usr/bin/env bash
# Failing calls: the n-th open, read, write, fsync, ftruncate, fallocate, rename, mkdir or close of a
# whole run fails, on one rank or on all, with one of the errors that such a call can have. All
# ranks leave (--long: within 10 seconds); the message names the file and the reason; the same command
# afterwards gives the results of a run that was never disturbed. io_test.sh [N] tries a sample of N
# (8); io_test.sh --long every n, in an order that $AUXSEG_SEED gives, from $AUXSEG_SKIP (0) on.
. "$(dirname "${BASH_SOURCE[0]}")/whole_run.sh"
sample=${1:-8}
# How long the start with the failing call may take. A busy machine only looks for hangs.
limit=$patient
[[ $sample == --long && -z ${AUXSEG_PATIENCE:-} ]] && limit=10

declare -A errors=(
    [open]="EACCES EIO EMFILE ENOMEM EROFS EINTR" [read]="EIO EINTR short"
    [write]="ENOSPC EIO EDQUOT EFBIG EINTR short" [fsync]="EIO ENOSPC EDQUOT" [ftruncate]="EIO ENOSPC"
    [fallocate]="ENOSPC EDQUOT EIO EINTR" [rename]="EROFS EIO ENOSPC" [mkdir]="ENOSPC EROFS EACCES"
    [close]="EIO EDQUOT ENOSPC EINTR")
declare -A words=([EACCES]="Permission denied" [EIO]="Input/output error"
    [EMFILE]="Too many open files" [ENOMEM]="memory" [EROFS]="Read-only file system"
    [ENOSPC]="No space left" [EDQUOT]="quota exceeded" [EFBIG]="File too large")

# Every call of rank 0 and 1: a line "CALL N RANK ERROR", the errors in turn.
plan() {
    local rank kind n known
    for rank in 0 1 all; do
        rm -rf the-run calls
        whole 2 AUXSEG_FAULT=any:0:none AUXSEG_FAULT_PATH=the-run/ AUXSEG_FAULT_RANK="${rank/all/0}" \
            AUXSEG_FAULT_LOG="$top/calls" LD_PRELOAD="$AUXSEG_FAULT_LIBRARY"
        for kind in "${!errors[@]}"; do
            read -ra known <<<"${errors[$kind]}"
            for ((n = 1; n <= $(grep -c "^$kind " calls); n++)); do
                [[ $rank != all || $((n % 3)) -eq 0 ]] || continue
                echo "$kind $n $rank ${known[n % ${#known[@]}]}"
            done
        done
    done
}

# An output that cannot be read for a moment is not taken for a damaged one, and stays.
before=$(stat -c %i the-run/baseline.safetensors)
whole 1 AUXSEG_FAULT=read:1:EIO AUXSEG_FAULT_PATH=the-run/baseline.safetensors \
    AUXSEG_FAULT_LOG="$top/fault.log" LD_PRELOAD="$AUXSEG_FAULT_LIBRARY"
if [[ ! -e fault.log || $code -ne 1 ]] || ! grep -q 'baseline.safetensors: cannot be read: Input' out ||
    grep -q 'made anew' out || [[ $(stat -c %i the-run/baseline.safetensors) != "$before" ]]; then
    cat out
    echo "FAILED: a file that could not be read: code $code"
    exit 1
fi
rm fault.log
# An image likewise is not left out.
whole_name=$(basename "$(find images/train -name '*.png' | sort | head -n 1)")
sed 's/dataset: {/dataset: { on_bad_image = "skip";/; s/"the-run"/"skipping"/' tiny.cfg >skip.cfg
code=0
AUXSEG_FAULT=read:1:EIO AUXSEG_FAULT_PATH=$whole_name AUXSEG_FAULT_LOG=$top/fault.log \
    LD_PRELOAD=$AUXSEG_FAULT_LIBRARY timeout 60 "${mpirun[@]}" -n 2 "$auxseg" pack skip.cfg >out 2>&1 ||
    code=$?
if [[ ! -e fault.log || $code -ne 1 || -e skipping/dataset.h5 ]] ||
    ! grep -q "$whole_name: cannot be read: Input" out; then
    cat out
    echo "FAILED: an image that could not be read: code $code"
    exit 1
fi
rm -r fault.log skipping
# And a signal that interrupts an open, HDF5's own as well, is none of its business.
for n in 1 2 3 4 5 6; do
    whole 1 AUXSEG_FAULT="open:$n:EINTR" AUXSEG_FAULT_PATH=the-run/dataset.h5 \
        AUXSEG_FAULT_LOG="$top/fault.log" LD_PRELOAD="$AUXSEG_FAULT_LIBRARY"
    if [[ ! -e fault.log || $code -ne 0 ]] || grep -q 'Interrupted' out; then
        cat out
        echo "FAILED: open $n of dataset.h5, interrupted: code $code"
        exit 1
    fi
    rm fault.log
done
plan | sort >plan.txt
[[ $(wc -l <plan.txt) -gt 1000 ]] || { echo "only $(wc -l <plan.txt) calls were seen"; exit 1; }
[[ $sample == --long ]] && sample=$(wc -l <plan.txt)
shuf -n "$sample" --random-source=<(yes "${AUXSEG_SEED:-1}") plan.txt |
    tail -n "+$((${AUXSEG_SKIP:-0} + 1))" >few.txt
mv few.txt plan.txt

# What a start with one failing call must be.
judge() {
    local what="$1 $2 on rank $3, $4" name
    name=$(cut -d' ' -f2- fault.log | head -n 1)
    what="$what: $name"
    name=$(basename "$name" .part)
    case $code in
    0) ;; # of no consequence: what follows is compared
    1 | 2 | 3 | 4)
        if [[ $4 == EINTR || $4 == short ]]; then fail "$what: code $code"; fi
        grep -qaF -- "$name" out || fail "$what: the file is not named"
        grep -qai -- "${words[$4]:-.}" out || fail "$what: the reason is not named" ;;
    *) fail "$what: code $code" ;;
    esac
    echo "$1 $4 $code" >>judged
}

sweep() {
    local line=0 kind n rank error
    : >judged
    while read -r kind n rank error; do
        line=$((line + 1))
        [[ $((line % jobs)) -eq $1 ]] || continue
        ! late || break
        rm -rf the-run fault.log
        patience=$limit
        whole 2 AUXSEG_FAULT="$kind:$n:$error" AUXSEG_FAULT_PATH=the-run/ \
            AUXSEG_FAULT_RANK="${rank/all/}" AUXSEG_FAULT_LOG="$PWD/fault.log" \
            LD_PRELOAD="$AUXSEG_FAULT_LIBRARY"
        [[ -e fault.log ]] || continue # fewer such calls than in the plan: threads share them
        patience=$patient
        judge "$kind" "$n" "$rank" "$error"
        finishes $((line % 3 + 1)) "$kind $n on rank $rank, $error"
    done <"$top/plan.txt"
}

in_workers sweep
status=$?
echo "calls that failed, of $(wc -l <"$top/plan.txt") planned; their errors; exit codes:"
cat "$top"/worker-*/judged | sort | uniq -c
exit $status
