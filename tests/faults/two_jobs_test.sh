#!/usr/bin/env bash
# Two jobs that are started at once in one folder: one runs, the other ends with 2 and says who
# runs; what the one leaves is whole and the same as of a run that nobody disturbed. --long: 50
# times instead of 2.
. "$(dirname "${BASH_SOURCE[0]}")/../app/common.sh"
export OMP_NUM_THREADS=1
unset PBS_JOBID LSB_JOBID JOB_ID
times=2
[[ ${1:-} == --long ]] && times=50

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; checkpoint_steps = 20; };
dataset: { layout = "synth"; root = "images"; synth_train = 3; synth_val = 1; synth_height = 32;
           synth_width = 48; };
model: { backbone = "resnet18"; stages = 1; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { source = "finetuned"; };
cluster: { k = 3; iterations = 2; sample = 50; };
pretrain: { steps = 30; batch = 2; crop = 32; pixels = 8; };
finetune: { fraction = 1.0; steps = 2; batch = 2; crop = 32; };
report: { overlays = 0; };
CFG
expect 0 'Result: PASS' "$auxseg" run tiny.cfg
mv run golden
files=(dataset.h5 labels.h5 baseline.safetensors pretrained.safetensors finetuned.safetensors)
# Rows without their seconds, and the check of the text with them; those of clustering end with more.
rows() { grep -v '^cluster' "$1/metrics.csv" | cut -d, -f1-12 | sort; }

# job NUMBER: the run in the background, of other settings that change no result.
job() {
    local program=("$auxseg")
    ((turn % 5 == 4)) && program=("${mpirun[@]}" -n 2 "$auxseg")
    SLURM_JOB_ID=$((100 + $1)) "${program[@]}" run tiny.cfg --set pretrain.steps=100000 \
        --set run.verbose=true >"job$1" 2>&1 </dev/null &
    process[$1]=$!
}

declare -A process code
refused=0
for ((turn = 0; turn < times; turn++)); do
    rm -rf run
    job 1
    job 2
    code=([1]=0 [2]=0) loser=0
    # The first to end is the one that may not run.
    for ((i = 0; i < 1200 && loser == 0; i++)); do
        for j in 1 2; do kill -0 "${process[$j]}" 2>/dev/null || loser=$j; done
        sleep 0.05
    done
    winner=$((3 - loser))
    ((loser > 0)) || { cp job1 out; fail "turn $turn: none of the two has ended"; winner=1; }
    for ((i = 0; i < 400; i++)); do
        grep -qs '^pretrain' run/metrics.csv && break
        sleep 0.05
    done
    kill -TERM "${process[$winner]}"
    for j in 1 2; do
        wait "${process[$j]}"
        code[$j]=$?
    done
    cp "job$((loser > 0 ? loser : 1))" out
    [[ ${code[$loser]:-} -eq 2 ]] || fail "turn $turn: the second job ended with ${code[$loser]:-}"
    owner='process [0-9]*'
    ((turn % 5 == 4)) || owner="process ${process[$winner]}"
    grep -q "another job works in this folder: $owner on $(hostname), job $((100 + winner)), alive" out ||
        fail "turn $turn: who runs is not named"
    [[ ${code[$loser]:-} -eq 2 ]] && refused=$((refused + 1))
    cp "job$winner" out
    ((turn % 5 == 4)) || [[ ${code[$winner]} -eq 75 ]] || fail "turn $turn: ${code[$winner]}, not 75"
    expect 0 'Result: PASS' "$auxseg" run tiny.cfg
    expect 0 'metrics.csv: whole' "$auxseg" verify run
    for name in "${files[@]}"; do
        cmp -s "run/$name" "golden/$name" || fail "turn $turn: $name is another"
    done
    cmp -s <(rows run) <(rows golden) || fail "turn $turn: rows of metrics.csv"
done

echo "$times times, $refused refused"
[[ $failures -eq 0 ]]
