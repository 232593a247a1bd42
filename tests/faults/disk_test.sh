#!/usr/bin/env bash
# Full and broken disks while dataset.h5, features.h5 and labels.h5 are written, on 1 to 4 ranks: a
# message that names the file, code 4 on all ranks within seconds, nothing half-written under the
# file's name; the same command afterwards gives the same bytes. disk_test.sh --long: every call of
# every kind, instead of the first few. $AUXSEG_FAULT_LIBRARY: fault.c's.
. "$(dirname "${BASH_SOURCE[0]}")/../app/common.sh"
export OMP_NUM_THREADS=1
long=no
[[ ${1:-} == --long ]] && long=yes
runs=0

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 4; synth_val = 2; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { source = "finetuned"; keep = true; };
cluster: { k = 3; iterations = 2; sample = 50; };
finetune: { fraction = 1.0; steps = 2; batch = 2; crop = 32; };
CFG

# ended RANKS COMMAND...: the command on so many ranks; its code is in $code: 137 after 20 seconds.
ended() {
    local ranks=$1
    shift
    runs=$((runs + 1)) code=0
    timeout -s KILL 20 "${mpirun[@]}" -n "$ranks" "$@" >out 2>&1 </dev/null || code=$?
}

# within CODE RANKS COMMAND...: the command ends with the code.
within() {
    local want=$1
    shift
    ended "$@"
    [[ $code -eq $want ]] || fail "$* ranks: code $code, not $want"
}

declare -A file=([pack]=dataset.h5 [extract]=features.h5 [cluster]=labels.h5) sum
within 0 1 "$auxseg" run tiny.cfg --set run.until=baseline
for stage in pack extract cluster; do
    within 0 1 "$auxseg" $stage tiny.cfg
    sum[$stage]=$(cksum <"run/${file[$stage]}")
done
cp -r run golden

# broken STAGE CALL N ERROR RANK RANKS: false once the stage makes fewer such calls, and ends well.
broken() {
    local stage=$1 rank=$5 ranks=$6 name=${file[$1]} what="$1, $2 $3 $4 on rank $5 of $6"
    rm -rf run fault.log
    cp -r golden run
    rm -f "run/$name"
    AUXSEG_FAULT=$2:$3:$4 AUXSEG_FAULT_PATH=$name AUXSEG_FAULT_RANK=$rank \
        AUXSEG_FAULT_LOG=$folder/fault.log LD_PRELOAD=$AUXSEG_FAULT_LIBRARY \
        ended "$ranks" "$auxseg" "$stage" tiny.cfg
    if [[ ! -e fault.log ]]; then
        [[ $code -eq 0 ]] || fail "$what, which it does not call: code $code"
        return 1
    fi
    [[ $code -eq 4 ]] || fail "$what: code $code, not 4"
    grep -q "$name" out || fail "$what: $name is not named"
    [[ ! -e run/$name ]] || fail "$what: $name is there"
}

# again STAGE: the same command, after the last failure, gives the same bytes.
again() {
    within 0 2 "$auxseg" "$1" tiny.cfg
    [[ $(cksum <"run/${file[$1]}") == "${sum[$1]}" ]] || fail "$1: other bytes after a failure"
}

most=1
[[ $long == yes ]] && most=1000
for stage in pack extract cluster; do
    for fault in write:ENOSPC write:EIO fallocate:ENOSPC fallocate:EDQUOT fsync:EIO rename:EROFS ftruncate:EIO; do
        for place in "0 1" "0 2" "1 2" "2 3" "3 4"; do
            [[ $long == yes || $place == "1 2" || $stage$fault == clusterwrite:ENOSPC ]] || continue
            for ((n = 1; n <= most; n++)); do
                # shellcheck disable=SC2086
                broken $stage "${fault%:*}" $n "${fault#*:}" $place || break
            done
        done
    done
    again $stage
done

# A short write is no failure.
rm -rf run
cp -r golden run
rm run/dataset.h5
AUXSEG_FAULT=write:1:short AUXSEG_FAULT_PATH=dataset.h5 AUXSEG_FAULT_LOG=$folder/short.log \
    LD_PRELOAD=$AUXSEG_FAULT_LIBRARY within 0 2 "$auxseg" pack tiny.cfg
[[ -e short.log ]] || fail "no short write"
[[ $(cksum <run/dataset.h5) == "${sum[pack]}" ]] || fail "other bytes after a short write"

# A disk that is really full, after a half and most of the images' bytes.
if [[ $(id -u) -eq 0 ]] && mkdir small && mount -t tmpfs -o size=64k none small 2>/dev/null; then
    trap 'umount "$folder/small"; rm -rf "$folder"' EXIT
    larger=(--set dataset.root=large --set dataset.synth_height=480 --set dataset.synth_width=640
        --set run.dir=small)
    within 4 1 "$auxseg" pack tiny.cfg "${larger[@]}" # makes the images
    bytes=$(du -sb --apparent-size large | cut -f1)
    for part in 5 9; do
        for ranks in 1 2 3; do
            rm -rf small/*
            mount -o "remount,size=$((bytes * part / 10))" small
            within 4 $ranks "$auxseg" pack tiny.cfg "${larger[@]}"
            grep -q 'dataset.h5.*No space left on device: [0-9]* bytes are wanted, [0-9]* are free' out ||
                fail "$part tenths, $ranks ranks: no reason"
        done
    done
    rm -rf small/*
    mount -o remount,size=64m small
    within 0 2 "$auxseg" pack tiny.cfg "${larger[@]}"
    # Weights and records, which are written as a whole.
    rm -rf small/*
    cp -r golden/dataset.h5 golden/run.json golden/settings.cfg small
    mount -o remount,size=$((($(du -sk small | cut -f1) + 100) * 1024)) small
    within 4 1 "$auxseg" run tiny.cfg --set run.dir=small --set run.until=baseline
    grep -q '\(safetensors\|ckpt[^:]*\): cannot be written: No space left on device: [0-9]* bytes are wanted, [0-9]* are free' out ||
        { fail "weights on a full disk: no reason"; cat out; }
fi

echo "$runs runs"
[[ $failures -eq 0 ]]
