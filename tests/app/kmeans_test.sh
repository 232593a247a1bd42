#!/usr/bin/env bash
# auxseg kmeans: what bench computes from the same start; the same files for any number of ranks,
# format and memory; stopped and continued elsewhere to the same bytes; every mistake named; what
# cannot be meant is told. Needs no data: the gradient of a benchmark is the matrix.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export OMP_NUM_THREADS=1

# kmeans RANKS OUT WORD...
kmeans() {
    local ranks=$1 out=$2
    shift 2
    expect 0 'kmeans:' "${mpirun[@]}" -n "$ranks" "$auxseg" kmeans "$@" --out "$out"
}

# same A B: labels and centroids.
same() {
    cmp "$1/labels.npy" "$2/labels.npy" >out 2>&1 || fail "labels of $1 and $2"
    cmp "$1/centroids.npy" "$2/centroids.npy" >out 2>&1 || fail "centroids of $1 and $2"
}

"$auxseg" bench loss --n 1500 --d 24 --labels 7 --grad x.npy >out 2>&1 || fail "a matrix"
"$auxseg" bench kmeans --data x.npy --k 30 --iterations 4 --write-labels l.npy \
    --write-centroids c.npy >out 2>&1 || fail "bench"
# The same rows as .fbin: their number and length before them.
{ printf '\334\005\0\0\030\0\0\0' && tail -c $((1500 * 24 * 4)) x.npy; } >x.fbin

kmeans 1 a x.npy --k 30 --iterations 3 --start first
cmp a/labels.npy l.npy >out 2>&1 || fail "not bench's labels"
cmp a/centroids.npy c.npy >out 2>&1 || fail "not bench's centroids"
kmeans 3 b x.fbin --k 30 --iterations 3 --start first --memory map
same a b
expect 0 'already done' "$auxseg" kmeans x.fbin --k 30 --iterations 3 --start first --out a
# A header of 129 bytes: the same rows, at a place where no float can be read.
{ printf '\223NUMPY\001\000\167\000%-118s\n' \
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1500, 24), }" && tail -c +129 x.npy; } >odd.npy
expect 2 'from a multiple of 4 bytes on' "$auxseg" kmeans odd.npy --k 30 --out a --memory map
expect 0 'already done' "$auxseg" kmeans odd.npy --k 30 --iterations 3 --start first --out a
truncate -s -1 a/labels.npy
expect 0 'objective' "$auxseg" kmeans x.fbin --k 30 --iterations 3 --start first --out a
same a b
kmeans 2 b x.npy --k 30 --iterations 3 --start a/centroids.npy
for start in plusplus parallel sample; do
    kmeans 1 a x.npy --k 20 --start $start --metric cosine --sample 300
    kmeans 3 b x.npy --k 20 --start $start --metric cosine --sample 300
    same a b
done
# A start alone, with the labels of its centroids; what each pass costs is told.
kmeans 1 a x.npy --k 20 --start hierarchical --iterations 0 --sample 700 --verbose yes
grep -q 'iteration 0: .* s of processor time .* s for labels' out || fail "no processor time"
grep -q 'iteration 1:' out && fail "an iteration more than asked for"
kmeans 3 b x.npy --k 20 --start a/centroids.npy --iterations 0
same a b
# On a sample of all rows, iterations on the sample are iterations.
kmeans 2 a x.npy --k 20 --start sample --iterations 0 --sample 1500 --sample-iterations 5
kmeans 1 b x.npy --k 20 --start sample --iterations 5 --sample 1500
same a b
expect 0 'kmeans: .* after 0 iterations' "$auxseg" kmeans x.npy --k 20 --start sample --iterations 0 \
    --sample 1500 --sample-iterations 4 --out a
cmp -s a/centroids.npy b/centroids.npy && fail "iterations on the sample are no part of the key"
# A hierarchical start of all rows reads them where they are on one rank, gathered on two.
for i in 10 2; do
    kmeans 1 a x.npy --k 20 --start hierarchical --sample 1500 --branch-iterations $i --iterations 0
    kmeans 2 b x.npy --k 20 --start hierarchical --sample 1500 --branch-iterations $i --iterations 0
    same a b
    cp a/centroids.npy branches-$i.npy
done
cmp -s branches-10.npy branches-2.npy && fail "iterations of branches are no part of the key"

# A stop is answered, and the same command goes on, on other ranks, to the same bytes.
long=(x.npy --k 300 --iterations 4000 --restarts 60 --start sample)
mkdir s && touch s/STOP
expect 75 'STOP is there' "$auxseg" kmeans "${long[@]}" --out s
rm s/STOP
for ranks in 2 1; do
    "${mpirun[@]}" -n $ranks "$auxseg" kmeans "${long[@]}" --out s >log 2>&1 &
    job=$!
    first=$(ls s/checkpoints)
    while kill -0 $job 2>/dev/null && [[ $(ls s/checkpoints) == "$first" ]]; do sleep 0.02; done
    touch s/STOP
    code=0
    wait $job || code=$?
    cp log out
    [[ $code -eq 75 ]] || fail "stopped on $ranks ranks: code $code"
    grep -q 'the same command goes on' log || fail "no word of the stop"
    rm s/STOP
done
grep -q 'continues after' log || fail "not continued"
kmeans 3 s "${long[@]}"
grep -q 'continues after' out || fail "not continued"
kmeans 1 t "${long[@]}"
same s t
[[ -z $(ls s/checkpoints) ]] || fail "checkpoints are left"

# Zeros are the same row 1500 times.
{ head -c 128 x.npy && head -c $((1500 * 24 * 4)) /dev/zero; } >z.npy
kmeans 2 z z.npy --k 3
grep -q 'features of all rows are zeros' out || fail "zeros are not told"
grep -q 'one cluster has all rows' out || fail "one cluster is not told"
grep -q '"empty clusters": 2' z/kmeans.json || fail "empty clusters are not counted"

{ head -c 4928 x.npy && printf '\0\0\300\177' && tail -c +4933 x.npy; } >n.npy
expect 5 'n.npy: row 50: an element is not finite' "$auxseg" kmeans n.npy --k 3 --out n
expect 2 'a file of rows is missing' "$auxseg" kmeans --k 3
expect 2 '--out is missing' "$auxseg" kmeans x.npy --k 3
expect 2 '1500 rows cannot make 1501 clusters' "$auxseg" kmeans x.npy --k 1501 --out n
expect 2 'hierarchical, or a file' "$auxseg" kmeans x.npy --k 3 --out n --start hierarchy
expect 2 'first draws no sample' "$auxseg" kmeans x.npy --k 3 --out n --start first --sample-iterations 3
expect 2 'parallel draws no sample' "$auxseg" kmeans x.npy --k 3 --out n --start parallel --sample-iterations 3
expect 2 'plusplus has no branches' "$auxseg" kmeans x.npy --k 3 --out n --branch-iterations 3
expect 2 'needs --memory hold' "$auxseg" kmeans x.npy --k 3 --out n --metric cosine --memory map
expect 3 'must end with .npy' "$auxseg" kmeans out --k 3 --out n
# What a wrong input names, and leaves nothing behind. A header of 128 bytes: numpy's default type.
{ printf '\223NUMPY\001\000\166\000%-117s\n' \
    "{'descr': '<f8', 'fortran_order': False, 'shape': (750, 24), }" && tail -c +129 x.npy; } >f8.npy
expect 3 'f8.npy: elements are "<f8".* write it with X.astype(numpy.float32)' "$auxseg" kmeans f8.npy \
    --k 3 --out never
expect 3 'none.npy: cannot be read' "${mpirun[@]}" -n 2 "$auxseg" kmeans none.npy --k 3 --out never
expect 2 '1500 rows cannot make 1501 clusters' "$auxseg" kmeans x.npy --k 1501 --out never
[[ ! -e never ]] || fail "a wrong input leaves a folder behind"
expect 3 'f8.npy: .*(float32) is read: write it with X.astype(numpy.float32)' "$auxseg" kmeans x.npy \
    --k 750 --out n --start f8.npy
expect 3 'absent.npy' "$auxseg" kmeans x.npy --k 3 --out n --start absent.npy
expect 3 '30 centroids of 24 dimensions; needed are k = 3' "$auxseg" kmeans x.npy --k 3 --out n \
    --start c.npy
truncate -s 1T sparse.npy
printf '\223NUMPY\001\000\166\000%-117s\n' \
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 24), }" |
    dd of=sparse.npy conv=notrunc status=none
expect 3 '1000000000 centroids of 24 dimensions' "$auxseg" kmeans x.npy --k 3 --out never --start sparse.npy
[[ ! -e never ]] || fail "a wrong start leaves a folder behind"

# Ranks that find another matrix under the same name, or another folder.
mkdir -p other/d d
{ head -c 128 x.npy && tail -c 72000 x.npy && tail -c +129 x.npy | head -c 72000; } >other/x.npy
rank='${OMPI_COMM_WORLD_RANK:-${PMIX_RANK:-0}}'
elsewhere="[[ $rank -eq 0 ]] || cd other; exec \"\$0\" \"\$@\""
expect 2 'x.npy: the file on rank 1 on .* is not that of rank 0' \
    "${mpirun[@]}" -n 2 bash -c "$elsewhere" "$auxseg" kmeans x.npy --k 3 --out "$folder/d"
expect 2 '--out = "d" is another folder on rank 1 on ' \
    "${mpirun[@]}" -n 2 bash -c "$elsewhere" "$auxseg" kmeans "$folder/x.npy" --k 3 --out d

[[ $failures -eq 0 ]] || exit 1
echo "all as expected"
