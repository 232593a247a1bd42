#!/usr/bin/env bash
# A disk so slow that every checkpoint takes longer than run.watchdog: no false alarm, and the run
# ends as on a fast one. slow_disk.sh [STEPS [MEBIBYTES A SECOND [FOLDER]]]: by hand, of 60 steps (an
# hour; two at least) at 4; root alone, where the control group "blkio" limits the disk that FOLDER (/var/tmp) is
# on. Ranks that wait in MPI keep their cores busy all the while. $AUXSEG, $AUXSEG_MPIRUN as in tests.
set -uo pipefail
steps=${1:-60} rate=${2:-4} place=${3:-/var/tmp}
auxseg=$AUXSEG
read -ra mpirun <<<"$AUXSEG_MPIRUN"
group=/sys/fs/cgroup/blkio/auxseg-slow-disk.$$
# A disk, not one of its partitions, can be limited.
disk=$(findmnt -n -o MAJ:MIN -T "$place" | tr -d ' ')
[[ ! -e /sys/dev/block/$disk/partition ]] || disk=$(cat "/sys/dev/block/$disk/../dev")
if ! mkdir "$group" || ! echo "$disk $((rate << 20))" >"$group/blkio.throttle.write_bps_device"; then
    echo "the disk of $place ($disk) cannot be limited"
    rmdir "$group" 2>/dev/null
    exit 77
fi
folder=$(mktemp -d -p "$place")
trap 'cd /; rm -rf "$folder"; rmdir "$group"' EXIT
cd "$folder" || exit 1
export OMP_NUM_THREADS=1

# 90 MB of weights and momentum in each checkpoint, one after every step.
cat >slow.cfg <<CFG
run: { dir = "run"; compare = false; checkpoint_steps = 1; watchdog = 15; };
dataset: { layout = "synth"; root = "images"; synth_train = 16; synth_val = 8; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 4; head = "fcn"; head_channels = 64; group = 2;
         projection = 32; };
extract: { source = "finetuned"; keep = true; };
cluster: { k = 8; iterations = 5; checkpoint_iterations = 1; };
pretrain: { steps = $steps; batch = 4; crop = 32; };
finetune: { fraction = 1.0; steps = $steps; batch = 4; crop = 32; };
CFG
(
    echo "$BASHPID" >"$group/cgroup.procs"
    exec "${mpirun[@]}" -n 2 "$auxseg" run slow.cfg
) >out 2>&1
code=$?
waits=$(grep -c 'has waited for a file system' out)
echo "code $code after $((SECONDS / 60)) minutes, $waits waits of 15 s and more"
[[ $code -eq 0 && $waits -gt 0 ]] && exit 0
tail -n 20 out
exit 1
