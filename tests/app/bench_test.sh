#!/usr/bin/env bash
# bench: one line of JSON, the same results for any number of ranks, screens and arithmetics, and
# every mistake named. $AUXSEG: the program; $AUXSEG_MPIRUN: mpirun and flags. Needs no data: the
# gradient that one benchmark writes is the matrix of the other.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export OMP_NUM_THREADS=1

fail() {
    printf 'FAILED: %s\n' "$*"
    sed 's/^/  | /' out err
    failures=$((failures + 1))
}

# run RANKS WORD...: succeeds and prints one line of JSON.
run() {
    local ranks=$1
    shift
    timeout 50 "${mpirun[@]}" -n "$ranks" "$auxseg" bench "$@" >out 2>err </dev/null || fail "$*"
    [[ $(wc -l <out) -eq 1 ]] && grep -qE '^\{"work": .*\}$' out || fail "$*: one line of JSON"
}

# refuse CODE PATTERN WORD...
refuse() {
    local code=$1 pattern=$2 got=0
    shift 2
    timeout 50 "$auxseg" bench "$@" >out 2>err </dev/null || got=$?
    [[ $got -eq $code ]] && grep -qE -- "$pattern" err || fail "$*: code $got, or nothing like $pattern"
}

figure() {
    sed -nE "s/.*\"$1\": ([^,}]*).*/\1/p" out
}

for ranks in 1 2 3; do
    run $ranks loss --n 603 --d 24 --labels 7 --threads 1 --grad "g$ranks.npy"
    loss[ranks]=$(figure loss)
    cmp g1.npy "g$ranks.npy" || fail "gradient of $ranks ranks"
    [[ ${loss[ranks]} == "${loss[1]}" ]] || fail "loss of $ranks ranks"
done
[[ $(figure anchors) -eq 603 ]] || fail "anchors"
for ranks in 1 2; do
    run $ranks loss --n 603 --d 25 --labels 7 --threads 1 --dtype bf16 --grad "h$ranks.npy"
    cmp h1.npy "h$ranks.npy" || fail "bf16 gradient of $ranks ranks"
done

for dtype in f32 auto; do
    for screen in dense pruned auto; do
        for ranks in 1 3; do
            run $ranks kmeans --data g1.npy --k 9 --iterations 4 --dtype $dtype --screen $screen \
                --threads 2 --write-labels l.npy --write-centroids c.npy
            [[ -e first.npy ]] || cp l.npy first.npy
            [[ -e centroids.npy ]] || cp c.npy centroids.npy
            cmp l.npy first.npy || fail "labels: $dtype $screen $ranks"
            cmp c.npy centroids.npy || fail "centroids: $dtype $screen $ranks"
        done
    done
done
[[ $(figure n) -eq 603 && $(figure d) -eq 24 && $(figure iterations) -eq 4 ]] || fail "figures"

# How much comes out is the machine's, which may be busy.
run 1 roof --threads 1 --seconds 0.03
[[ $(figure fp32_gflops) =~ ^[1-9] && $(figure read_gbps) =~ [1-9] ]] || fail "roof"
run 2 roof --threads 2 --seconds 0.03
[[ $(figure ranks) -eq 2 && $(figure threads) -eq 2 && $(figure fp32_gflops) =~ ^[1-9] ]] ||
    fail "roof of two ranks"

refuse 2 'must be kmeans, loss, extract, train or roof' nothing
refuse 2 '--data is missing' kmeans --k 3
refuse 2 'unknown option --dta: did you mean --data' kmeans --dta g1.npy --k 3
refuse 2 '--k three: must be a whole number' kmeans --data g1.npy --k three
refuse 2 '--screen sparse: must be one of' kmeans --data g1.npy --k 3 --screen sparse
refuse 2 'the value of --k is missing' kmeans --data g1.npy --k
refuse 2 'cannot make 604 clusters' kmeans --data g1.npy --k 604
refuse 3 'absent.npy' kmeans --data absent.npy --k 3
refuse 2 'belong together' loss --z g1.npy
refuse 2 '--tau 0: must be' loss --tau 0

if [[ $failures -gt 0 ]]; then
    echo "$failures failures"
    exit 1
fi
echo "all as expected"
