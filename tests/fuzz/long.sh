#!/usr/bin/env bash
# long.sh [--runs N] [--jobs J] [--seconds S] [TARGET]...: N runs (10 million) of each target beside
# this script (build.sh), J at a time (all cores), each in shards with seeds of their own. Stops
# after S seconds, if given; the same command goes on: what was done is counted in count/. New inputs
# are kept in corpus/TARGET, what crashes, hangs (5 s) or takes over 512 MiB (a sanitizer's own part
# included) in found/, the output of a shard that failed in log/. Ends with a table; 1 if anything
# was found, 75 if runs are left.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
runs=10000000 jobs=$(nproc) seconds=0
targets=()
while [[ $# -gt 0 ]]; do
    case $1 in
    --runs) runs=$2; shift ;;
    --jobs) jobs=$2; shift ;;
    --seconds) seconds=$2; shift ;;
    *) targets+=("$1") ;;
    esac
    shift
done
if [[ ${#targets[@]} -eq 0 ]]; then
    targets=(jpeg png labels safetensors torch archive pickle npy list config record label_map colours)
fi
mkdir -p corpus found log count
shards=$((jobs < 16 ? 16 : jobs))
deadline=$((seconds > 0 ? $(date +%s) + seconds : 0))
# Old sanitizers cannot place their memory where addresses are very random.
fixed=(setarch -R)
"${fixed[@]}" true 2>/dev/null || fixed=()
loader=()
if [[ -d lib ]]; then loader=("$PWD"/lib/ld-linux-*.so.* --library-path "$PWD/lib"); fi

# shard TARGET NUMBER RUNS
# shellcheck disable=SC2317 # xargs calls it
shard() {
    local t=$1 log=log/$1.$2 limit=() left=$3 n
    if [[ $deadline -gt 0 ]]; then
        local rest=$((deadline - $(date +%s)))
        [[ $rest -gt 0 ]] || return 0
        limit=(-max_total_time="$rest")
    fi
    mkdir -p "corpus/$t"
    [[ ! -e $t.dict ]] || limit+=(-dict="$t.dict")
    # libconfig leaks at each mistake in a text: to look whether it is more takes most of the time.
    [[ $t != config ]] || limit+=(-detect_leaks=0 -max_len=1024)
    # -close_fd_mask: what readers say of bad files is no news.
    "${fixed[@]}" "${loader[@]}" "./$t" -runs="$left" -seed="$((RANDOM * 32768 + RANDOM + $2))" \
        -close_fd_mask=3 -max_len=4096 -timeout=5 -rss_limit_mb=512 -malloc_limit_mb=256 \
        -print_final_stats=1 -artifact_prefix="found/$t-" "${limit[@]}" \
        "corpus/$t" "${t}_seed_corpus" >"$log" 2>&1 || touch "$log.failed"
    n=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -1)
    echo "${n:-0}" >>"count/$t"
    if [[ ! -e $log.failed ]]; then rm -f "$log"; fi
}
export -f shard
export deadline
# Arrays do not travel to other shells.
export fixed_words="${fixed[*]}" loader_words="${loader[*]}"

count() { awk '{ n += $1 } END { printf "%d\n", n }' "count/$1" 2>/dev/null || echo 0; }

# Shards of all targets in turn, so that each is as far as the others when time is up.
for ((i = 0; i < shards; i++)); do
    for t in "${targets[@]}"; do
        left=$((runs - $(count "$t")))
        if [[ $left -gt 0 ]]; then echo "$t $i $(((left + shards - 1) / shards))"; fi
    done
done | xargs -P "$jobs" -L 1 bash -c \
    'read -ra fixed <<<"$fixed_words"; read -ra loader <<<"$loader_words"; shard "$@"' shard

result=0
printf '%-14s%14s%10s%10s\n' target runs inputs found
for t in "${targets[@]}"; do
    n=$(count "$t")
    found=$(find found -name "$t-*" | wc -l)
    printf '%-14s%14d%10d%10d\n' "$t" "$n" "$(find "corpus/$t" -type f 2>/dev/null | wc -l)" "$found"
    if [[ $n -lt $runs && $result -eq 0 ]]; then result=75; fi
    if [[ $found -gt 0 ]]; then result=1; fi
done
exit "$result"
