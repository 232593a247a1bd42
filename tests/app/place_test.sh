#!/usr/bin/env bash
# One job at a time in a run's folder, which is the same place and the same program on all ranks: who
# comes second, or differs, is named and nothing is written; who was killed is followed at once.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export OMP_NUM_THREADS=1
unset SLURM_JOB_ID PBS_JOBID LSB_JOBID JOB_ID

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 4; synth_val = 1; synth_height = 32;
           synth_width = 48; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { source = "finetuned"; };
cluster: { k = 3; iterations = 2; sample = 50; };
pretrain: { batch = 2; crop = 32; pixels = 8; };
finetune: { fraction = 1.0; steps = 2; batch = 2; crop = 32; };
CFG
expect 0 'Result: PASS' "$auxseg" run tiny.cfg --set run.until=cluster
[[ ! -e run/LOCK ]] || fail "the lock stays after a run"

# begin: a pretraining without end in the background, until it trains.
begin() {
    "$auxseg" pretrain tiny.cfg --set pretrain.steps=10000000 --set run.resume=never >job 2>&1 </dev/null &
    job=$!
    for ((i = 0; i < 300; i++)); do
        [[ $(wc -l 2>/dev/null <run/metrics.csv) -gt 20 ]] && return
        sleep 0.1
    done
    cp job out
    fail "the first job does not train"
}

rm -f run/metrics.csv
begin
before=$(cksum run/settings.cfg)
expect 2 "run/LOCK: another job works in this folder: process $job on $(hostname), job -, alive" \
    "${mpirun[@]}" -n 2 "$auxseg" pretrain tiny.cfg --set run.seed=2
[[ $(cksum run/settings.cfg) == "$before" ]] || fail "the second job wrote its settings"
kill -TERM "$job"
wait "$job"
got=$?
cp job out
[[ $got -eq 75 ]] || fail "the first job ended with $got, not 75"

# Killed, and the same again.
rm -f run/metrics.csv
begin
kill -KILL "$job"
wait "$job" 2>/dev/null
expect 0 "run/LOCK: taken over from process $job on $(hostname): its process has ended" \
    "$auxseg" pretrain tiny.cfg --set pretrain.steps=2 --set run.resume=never

# A rank in another folder, where there is a folder of that name, or none.
mkdir -p other/run
# (Each rank by a shell: not every mpirun starts several programs at once.)
rank='${OMPI_COMM_WORLD_RANK:-${PMIX_RANK:-0}}'
expect 2 'run.dir = "run" is another folder on rank 1 on ' "${mpirun[@]}" -n 2 bash -c \
    "[[ $rank -eq 0 ]] || cd other; exec \"\$0\" score \"\$1\"" "$auxseg" "$folder/tiny.cfg"
[[ -z $(ls -A other/run) ]] || fail "something was written in the other folder"
[[ ! -e run/LOCK ]] || fail "the lock stays"

# A rank that finds another list under the same name.
printf 'train/00000.png\ntrain/00001.png\n' >share.txt
printf 'train/00002.png\n' >other/share.txt
expect 2 'finetune.list = "share.txt" names other images on rank 1 on ' "${mpirun[@]}" -n 2 bash -c \
    "[[ $rank -eq 0 ]] || cd other; exec \"\$0\" run \"\$1\" --set run.until=baseline --set finetune.list=share.txt --set run.dir=\"\$2/run\" --set dataset.root=\"\$2/images\"" \
    "$auxseg" "$folder/tiny.cfg" "$folder"

# A rank with another build.
cp "$auxseg" changed
printf 'x' >>changed
expect 2 "/changed: the program on ranks 1 to 2 on $(hostname), is not that of rank 0" \
    "${mpirun[@]}" -n 3 bash -c "[[ $rank -eq 0 ]] || exec \"\$1\" score tiny.cfg; exec \"\$0\" score tiny.cfg" \
    "$auxseg" "$folder/changed"
expect 0 'Result: PASS' "${mpirun[@]}" -n 2 "$auxseg" score tiny.cfg

# A rank whose processor, as oneDNN sees it, has fewer instructions.
expect 2 "onednn on rank 1 on $(hostname): .*; on rank 0: " "${mpirun[@]}" -n 2 bash -c \
    "[[ $rank -eq 0 ]] || export ONEDNN_MAX_CPU_ISA=SSE41 DNNL_MAX_CPU_ISA=SSE41; exec \"\$0\" score tiny.cfg" \
    "$auxseg"
# Other numbers of threads are told and no more.
expect 0 "warning: 2 threads on rank 1 on $(hostname), 1 on rank 0" "${mpirun[@]}" -n 2 bash -c \
    "[[ $rank -eq 0 ]] || export OMP_NUM_THREADS=2; exec \"\$0\" score tiny.cfg" "$auxseg"

# A node without the data set: the folder is there, and empty, as where nothing is mounted.
if unshare -m true 2>/dev/null; then
    expect 2 "dataset.root = \"images\" holds not the same data set on ranks 1 to 2 on $(hostname)" \
        "${mpirun[@]}" -n 3 bash -c \
        "[[ $rank -eq 0 ]] || exec unshare -m bash -c 'mount -t tmpfs none images && exec \"\$0\" pack tiny.cfg --set run.dir=fresh' \"\$0\"; exec \"\$0\" pack tiny.cfg --set run.dir=fresh" \
        "$auxseg"
    # And a node whose /tmp is its own: the run's folder is another place there.
    expect 2 "is another folder on rank 1 on $(hostname)" "${mpirun[@]}" -n 2 bash -c \
        "[[ $rank -eq 0 ]] || exec unshare -m bash -c 'mkdir -p run && mount -t tmpfs none run && exec \"\$0\" score tiny.cfg' \"\$0\"; exec \"\$0\" score tiny.cfg" \
        "$auxseg"
fi

[[ $failures -eq 0 ]] && echo passed
exit "$((failures > 0))"
