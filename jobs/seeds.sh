#!/usr/bin/env bash
# jobs/seeds.sh CONFIG FOLDER SEED... [-- AUXSEG ARGUMENT...]: the main job once a seed, in
# FOLDER/seed-S, on $RANKS (2) ranks; then the gain of contrastive pretraining in mIoU, seed by seed:
# mean, standard deviation and the 95 % interval of the paired differences (Student's t).
# What is already done is not repeated.
# jobs/seeds.sh --table FOLDER SEED...: the gains alone, of runs that jobs/submit --seeds has made.
set -euo pipefail
AUXSEG_JOBS=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
. "$AUXSEG_JOBS/mpirun.sh"

[[ $# -ge 3 ]] || { sed -n '2,6s/^# //p' "${BASH_SOURCE[0]}" >&2 && exit 2; }
config=$1
folder=$2
shift 2
seeds=()
while [[ $# -gt 0 && $1 != -- ]]; do
    seeds+=("$1")
    shift
done
[[ $# -eq 0 ]] || shift

# run_seed SEED ARGUMENT...
run_seed() {
    local seed=$1
    shift
    mpirun "${flags[@]}" -n "$ranks" "$AUXSEG" run "$config" "$@" \
        --set "run.seed=$seed" --set "run.dir=$folder/seed-$seed"
}

# figure RUN GROUP: the mIoU that run.json has for a group of the results. Stages have such names, too, and
# what validation looked at comes before the group.
figure() {
    awk -v group="\"$2\":" '
        /^[ {]*"results":/ { results = 1; next }
        results && $1 == group && $2 == "{" { inside = 1 }
        inside && /}/ { exit }
        inside && $1 == "\"mIoU\":" { sub(/,/, "", $2); print $2; exit }' "$1/run.json"
}

if [[ $config != --table ]]; then
    . "$AUXSEG_JOBS/site.sh"
    ranks=${RANKS:-2}
    mapfile -t flags < <(mpirun_flags "$ranks")
    export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
    mkdir -p "$folder"
    for seed in "${seeds[@]}"; do run_seed "$seed" "$@"; done
fi
for seed in "${seeds[@]}"; do
    run=$folder/seed-$seed
    echo "$seed $(figure "$run" baseline) $(figure "$run" finetuned)"
done >"$folder/gains.txt"

# t[n]: the 97.5 % point of Student's distribution with n degrees of freedom; beyond 10 a formula that
# is right to 0.002.
awk '
    BEGIN {
        split("12.706 4.303 3.182 2.776 2.571 2.447 2.365 2.306 2.262 2.228", t)
        print "seed   plain    contrastive   gain (points of mIoU)"
    }
    NF < 3 { printf "%4s   has no results yet\n", $1; next }
    {
        gain = 100 * ($3 - $2); sum += gain; squares += gain * gain; n++
        printf "%4s   %.4f   %.4f        %+.2f\n", $1, $2, $3, gain
    }
    END {
        if (n < 1) exit 1
        mean = sum / n
        if (n < 2) { printf "gain %+.2f\n", mean; exit }
        deviation = sqrt((squares - n * mean * mean) / (n - 1))
        half = (n - 1 in t ? t[n - 1] : 1.96 + 2.4 / (n - 1) + 2.5 / (n - 1) ^ 2) * deviation / sqrt(n)
        printf "mean %+.2f, standard deviation %.2f, 95 %% interval %+.2f to %+.2f\n",
            mean, deviation, mean - half, mean + half
    }' "$folder/gains.txt"
