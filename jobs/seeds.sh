#!/usr/bin/env bash
# jobs/seeds.sh CONFIG FOLDER SEED... [-- AUXSEG ARGUMENT...]: the main job once a seed, in
# FOLDER/seed-S, on $RANKS (2) ranks; then the gain of contrastive pretraining in mIoU, seed by seed:
# mean, standard deviation and the 95 % interval of the paired differences (Student's t).
# What is already done is not repeated.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

config=$1
folder=$2
shift 2
seeds=()
while [[ $# -gt 0 && $1 != -- ]]; do
    seeds+=("$1")
    shift
done
[[ $# -eq 0 ]] || shift
program=${AUXSEG:-$AUXSEG_ROOT/build/auxseg}
ranks=${RANKS:-2}
mapfile -t flags < <(mpirun_flags "$ranks")
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

# figure RUN GROUP: the mIoU that run.json has for a group.
figure() {
    awk -v group="\"$2\":" '
        index($0, group) { inside = 1 }
        inside && /"mIoU":/ { gsub(/[",]/, ""); print $2; exit }' "$1/run.json"
}

mkdir -p "$folder"
: >"$folder/gains.txt"
for seed in "${seeds[@]}"; do
    run=$folder/seed-$seed
    mpirun "${flags[@]}" -n "$ranks" "$program" run "$config" \
        --set "run.seed=$seed" --set "run.dir=$run" "$@"
    echo "$seed $(figure "$run" baseline) $(figure "$run" finetuned)" >>"$folder/gains.txt"
done

awk '
    BEGIN {
        split("12.706 4.303 3.182 2.776 2.571 2.447 2.365 2.306 2.262 2.228", t)
        print "seed   plain    contrastive   gain (points of mIoU)"
    }
    {
        gain = 100 * ($3 - $2); sum += gain; squares += gain * gain; n++
        printf "%4s   %.4f   %.4f        %+.2f\n", $1, $2, $3, gain
    }
    END {
        mean = sum / n
        if (n < 2) { printf "gain %+.2f\n", mean; exit }
        deviation = sqrt((squares - n * mean * mean) / (n - 1))
        half = (n - 1 in t ? t[n - 1] : 1.96) * deviation / sqrt(n)
        printf "mean %+.2f, standard deviation %.2f, 95 %% interval %+.2f to %+.2f\n",
            mean, deviation, mean - half, mean + half
    }' "$folder/gains.txt"
