#!/usr/bin/env bash
# Little of everything: address space on one rank, open files, size of files, stack, TMPDIR, folders
# that may not be written, no HOME. A tiny stage ends with 0, or with a code and a reason: never with
# a signal. /dev/shm is Open MPI's own need and is not tried.
. "$(dirname "${BASH_SOURCE[0]}")/../app/common.sh"
export OMP_NUM_THREADS=1
ulimit -c 0

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 4; synth_val = 2; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
finetune: { fraction = 1.0; steps = 2; batch = 4; crop = 32; };
CFG
expect 0 'Result: PASS' "$auxseg" run tiny.cfg --set run.until=pack
cp -r run packed

# with CODES PATTERN LIMIT...: a training on two ranks, the second one under the limit; LIMIT is a
# line of bash.
with() {
    local codes=$1 pattern=$2 limit=$3 code=0
    rm -rf run
    cp -r packed run
    timeout -s KILL 60 "${mpirun[@]}" -n 2 bash -c \
        "[[ \${OMPI_COMM_WORLD_RANK:-1} != 1 ]] || { $limit; }; exec \"\$@\"" limited \
        "$auxseg" run tiny.cfg --set run.until=baseline >out 2>&1 </dev/null || code=$?
    [[ " $codes " == *" $code "* ]] || fail "$limit: code $code, not one of $codes"
    [[ $code -eq 0 ]] || grep -qaE -- "$pattern" out || fail "$limit: nothing like \"$pattern\""
}

# Address space (KiB): the need is said before MPI or oneDNN would crash.
for space in 200000 350000 500000 700000; do
    with '0 1' 'out of memory|no address space|Cannot allocate' "ulimit -v $space"
done
with 1 'rank 1: MPI: out of memory: 268435456 bytes of address space are wanted' 'ulimit -v 250000'
with '0 1 2 3 4' 'error' 'ulimit -n 24'
with '0 1 4' 'error' 'ulimit -s 256'
# 14: Open MPI 5's own, where it cannot make its files.
with '0 1 4 14' 'File too large|error' 'ulimit -f 100'
with 0 '' 'unset HOME'
with 0 '' 'export TMPDIR=/proc/none'

# Nothing but the run's folder may be written.
mkdir readonly
cp tiny.cfg readonly
chmod a-w readonly
rm -rf run
cp -r packed run
(cd readonly && expect 0 'Result: PASS' "${mpirun[@]}" -n 2 "$auxseg" run tiny.cfg \
    --set run.until=baseline --set run.dir=../run --set dataset.root=../images)
chmod u+w readonly

[[ $failures -eq 0 ]] || exit 1
echo "all as expected"
